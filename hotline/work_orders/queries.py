"""Reads on orders. Each carries who may see: a unit sees what stands in its own subtree and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select
from sqlalchemy.orm import Session, joinedload

from hotline.accounts.roles import HUB, UNIT_LIKE
from hotline.accounts.service import Actor
from hotline.callers.models import Caller
from hotline.db import UTCDateTime, seconds_of
from hotline.errors import Invalid, NotPermitted
from hotline.work_orders import steps
from hotline.work_orders.models import Report, SubOrder, WorkOrder
from hotline.work_orders.states import LEFT_TO_SUPERVISORS, OPEN, PAUSED, Action, Part, Status, SubState, Urgency
from hotline.work_orders.story import StoryItem, story
from hotline.work_orders.transitions import LIVE
from hotline.work_orders.visibility import SEE_ALL, own_sub_orders, sees, visible_to
from hotline.work_orders.words import ACTION_WORDS

PER_PAGE: Final = 20
COUNTED: Final = 2000  # more are not counted, only found
SOON_SHARE: Final = 0.2  # yellow in the last fifth of the time: supervision starts at four fifths used
WITHHELD: Final = "号码保密"
_IN_HAND: Final = (SubState.SIGNED, SubState.IN_HAND)

Row = TypeVar("Row")


__all__ = [
    "Bucket",
    "CallerView",
    "Held",
    "Page",
    "StoryItem",
    "alike",
    "allowed_actions",
    "caller_view",
    "earlier_of",
    "held_minutes",
    "inbox",
    "inbox_counts",
    "last_report",
    "my_drafts",
    "of_call",
    "open_orders_of",
    "parts_of_unit",
    "sees",
    "story",
    "to_check_hub",
    "to_review",
    "to_supervise",
    "visible_to",
]


class Bucket(StrEnum):
    """What a unit's inbox is sorted into. Due and overdue are parts of what waits or is in hand."""

    TO_SIGN = "to_sign"
    IN_HAND = "in_hand"
    DUE_SOON = "due_soon"  # in the last fifth of its time
    OVERDUE = "overdue"
    RETURNED = "returned"  # given back, taken back, or asked to be
    TO_CHECK = "to_check"  # tier 2: its own tier 3 has reported
    REPORTED = "reported"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list and how long the whole is, some lists' up to ``COUNTED`` or the next page.

    Pages count from 1.
    """

    items: Sequence[Row]
    total: int
    page: int
    per_page: int


@dataclass(frozen=True, slots=True)
class CallerView:
    """The caller as a screen may show them: masked."""

    name: str  # 王**, "" when not told
    phone: str  # 138****1234, or 号码保密
    kind: str


@dataclass(frozen=True, slots=True)
class Held:
    """Whole minutes charged to one holder; those of an order add up to its elapsed whole minutes."""

    holder: str
    unit_id: int | None
    unit_name: str
    minutes: int


# ---- one order


def allowed_actions(order: WorkOrder, actor: Actor, now: datetime | None = None) -> list[tuple[Action, str]]:
    """Return what the actor may do with the order, each with its Chinese word, main line first.

    Without ``now`` also what is too late by now.
    """
    return [(action, ACTION_WORDS[action]) for action in steps.allowed(order, actor, now)]


def caller_view(order: WorkOrder, actor: Actor) -> CallerView | None:
    """Return the caller, masked; None when there is none, and for everybody but the hub when confidential."""
    if order.caller is None or (order.confidential and actor.role not in HUB):
        return None
    name = order.caller.name or ""
    return CallerView(
        name=f"{name[0]}{'*' * max(len(name) - 1, 1)}" if name else "",
        phone=order.caller.phone_mask or WITHHELD,
        kind=order.caller_kind,
    )


def last_report(session: Session, order: WorkOrder, actor: Actor) -> Report | None:
    """Return the latest report the actor may read in full: the hub any, a unit those of its own subtree."""
    query = select(Report).where(Report.order_id == order.id).order_by(Report.id.desc()).limit(1)
    if actor.role not in SEE_ALL:
        theirs = own_sub_orders(session, actor)
        if theirs is None:
            return None
        query = query.where(Report.sub_order_id.in_(theirs.with_only_columns(SubOrder.id)))
    return session.scalar(query)


def held_minutes(order: WorkOrder, now: datetime) -> list[Held]:
    """Return who held the order how long, in the order they first did."""
    if not order.spans:
        return []
    start = order.spans[0].from_at
    minutes: dict[tuple[str, int | None], int] = {}
    names: dict[int | None, str] = {None: ""}
    for span in order.spans:
        key = (span.holder, span.unit_id)
        if span.unit is not None:
            names[span.unit_id] = span.unit.name
        # rounding every boundary from the same start, not every span, keeps the sum true to the minute
        minutes[key] = minutes.get(key, 0) + _whole(span.to_at or now, start) - _whole(span.from_at, start)
    return [Held(holder, unit_id, names[unit_id], spent) for (holder, unit_id), spent in minutes.items()]


def _whole(at: datetime, start: datetime) -> int:
    return int((at - start).total_seconds() // 60)


# ---- a unit's inbox


def inbox(
    session: Session,
    actor: Actor,
    *,
    bucket: str,
    now: datetime,
    page: int = 1,
    per_page: int = PER_PAGE,
    only: Sequence[ColumnElement[bool]] = (),
) -> Page[SubOrder]:
    """Return the actor's unit's sub-orders of one bucket, what is due first at the top; their orders are loaded.

    They are counted up to ``COUNTED``, or so far that it shows whether there is another page.
    ``only``: what else must be true of part and order (see ``inboxes``). Raises ``NotPermitted`` for whoever is of
    no unit, ``Invalid`` for an unknown bucket.
    """
    if bucket not in set(Bucket):
        raise Invalid(f"没有 {bucket} 这一栏", bucket=f"可选：{'、'.join(Bucket)}")
    where = [*_in_bucket(actor, Bucket(bucket), now), *only]
    order_by = {
        Bucket.TO_SIGN: SubOrder.sign_due_at.asc().nulls_last(),
        Bucket.REPORTED: SubOrder.reported_at.desc(),
        Bucket.RETURNED: SubOrder.left_at.desc().nulls_first(),
        Bucket.DONE: SubOrder.closed_at.desc(),
    }.get(Bucket(bucket), SubOrder.deadline_at.asc().nulls_last())
    query = (
        select(SubOrder)
        .join(SubOrder.order)
        .where(*where)
        .options(joinedload(SubOrder.order).joinedload(WorkOrder.lead_unit), joinedload(SubOrder.unit))
        .order_by(order_by, SubOrder.id)
    )
    plain = bucket in (Bucket.DONE, Bucket.RETURNED, Bucket.REPORTED) and not only
    total = _count_subs(session, where, joined=not plain, at_most=max(COUNTED, page * per_page + 1))
    return _paged(session, query, total, page, per_page)


def parts_of_unit(
    session: Session,
    actor: Actor,
    *,
    bucket: str = "",
    since: datetime | None = None,
    now: datetime,
    page: int = 1,
    per_page: int = PER_PAGE,
) -> Page[SubOrder]:
    """Return the sub-orders of the actor's unit, of one bucket or all, whose order changed at ``since`` or later, in
    the order of those changes: a system reads on from where it was. Raises as ``inbox`` does."""
    if bucket and bucket not in set(Bucket):
        raise Invalid(f"没有 {bucket} 这一栏", state=f"可选：{'、'.join(Bucket)}")
    where = _in_bucket(actor, Bucket(bucket), now) if bucket else _of_unit(actor)
    if since is not None:
        where = [*where, WorkOrder.updated_at >= since]
    query = (
        select(SubOrder)
        .join(SubOrder.order)
        .where(*where)
        .options(joinedload(SubOrder.order))
        .order_by(WorkOrder.updated_at, SubOrder.id)
    )
    return _paged(session, query, _count_subs(session, where), page, per_page)


def inbox_counts(
    session: Session, actor: Actor, *, now: datetime, only: Sequence[ColumnElement[bool]] = ()
) -> dict[str, int]:
    """Return how many sub-orders each bucket of the actor's unit holds, of those ``only`` lets through.

    What it returned and what is done is counted up to ``COUNTED``.
    """
    # what a unit has in hand is little and looked through once; what it has done grows with every year
    mine, over = and_(*_of_unit(actor), *only), (Bucket.RETURNED, Bucket.DONE)
    live = [bucket for bucket in Bucket if bucket not in over]
    one = [func.coalesce(func.sum(case((and_(*_in_bucket(actor, bucket, now)), 1), else_=0)), 0) for bucket in live]
    row = session.execute(select(*one).join(SubOrder.order).where(mine, SubOrder.state.in_(LIVE))).one()
    counts = {bucket.value: number for bucket, number in zip(live, row, strict=True)}
    for bucket in over:
        where = [*_in_bucket(actor, bucket, now), *only]
        counts[bucket.value] = _count_subs(session, where, joined=bool(only), at_most=COUNTED)
    return counts


def _of_unit(actor: Actor) -> list[ColumnElement[bool]]:
    if actor.unit_id is None or actor.role not in UNIT_LIKE:
        raise NotPermitted("只有承办单位有收件箱")
    return [SubOrder.unit_id == actor.unit_id]


def _in_bucket(actor: Actor, bucket: Bucket, now: datetime) -> list[ColumnElement[bool]]:
    due = SubOrder.deadline_at
    left = seconds_of(due) - seconds_of(literal(now, UTCDateTime()))
    whole = seconds_of(due) - seconds_of(SubOrder.assigned_at)
    at_work = SubOrder.state.in_((SubState.TO_SIGN, *_IN_HAND)) & WorkOrder.status.not_in(PAUSED)
    buckets: dict[Bucket, list[ColumnElement[bool]]] = {
        Bucket.TO_SIGN: [SubOrder.state == SubState.TO_SIGN],
        Bucket.IN_HAND: [SubOrder.state.in_(_IN_HAND)],
        Bucket.DUE_SOON: [at_work, due >= now, left <= SOON_SHARE * whole],
        Bucket.OVERDUE: [at_work, due < now],
        Bucket.RETURNED: [SubOrder.state.in_((SubState.RETURNING, SubState.LEFT))],
        Bucket.TO_CHECK: [
            SubOrder.state == SubState.IN_HAND,
            SubOrder.part == Part.LEAD,
            SubOrder.tier == 2,
            WorkOrder.status == Status.TO_CHECK_TIER2,
        ],
        Bucket.REPORTED: [SubOrder.state == SubState.REPORTED],
        Bucket.DONE: [SubOrder.state == SubState.CLOSED],
    }
    return [*_of_unit(actor), *buckets[bucket]]


def _count_subs(
    session: Session, where: Sequence[ColumnElement[bool]], *, joined: bool = True, at_most: int | None = None
) -> int:
    """Count parts, no further than ``at_most``; without conditions on their orders they need not be ``joined``."""
    found = select(SubOrder.id).where(*where).limit(at_most)
    if joined:
        found = found.join(SubOrder.order)
    return session.scalar(select(func.count()).select_from(found.subquery())) or 0


# ---- the hub's lists


def to_review(session: Session, actor: Actor, *, page: int = 1, per_page: int = PER_PAGE) -> Page[WorkOrder]:
    """Return orders waiting for review (N2): the most urgent, then the soonest due first. Hub only.

    Those merged into another wait for that one, and for nobody here.
    """
    which = and_(WorkOrder.status == Status.TO_REVIEW, WorkOrder.merged_into_id.is_(None))
    return _hub_list(session, actor, which, page, per_page)


def to_check_hub(session: Session, actor: Actor, *, page: int = 1, per_page: int = PER_PAGE) -> Page[WorkOrder]:
    """Return orders whose result waits for the hub's check (N12). Hub only."""
    return _hub_list(session, actor, WorkOrder.status == Status.TO_CHECK_HUB, page, per_page)


def to_supervise(session: Session, actor: Actor, *, page: int = 1, per_page: int = PER_PAGE) -> Page[WorkOrder]:
    """Return orders closed with a citizen not satisfied and nothing more to come of it: after the last redo, or since
    nobody could be asked why. Hub only."""
    return _hub_list(session, actor, WorkOrder.close_kind.in_(LEFT_TO_SUPERVISORS), page, per_page)


def my_drafts(session: Session, actor: Actor) -> Sequence[WorkOrder]:
    """Return the drafts the actor began, the newest first: they survive a hang-up and a reload."""
    return session.scalars(
        select(WorkOrder)
        .where(WorkOrder.operator_id == actor.user_id, WorkOrder.status == Status.DRAFT)
        .order_by(WorkOrder.id.desc())
    ).all()


def open_orders_of(session: Session, phone_indexes: Sequence[str]) -> Sequence[WorkOrder]:
    """Return the open orders of whoever has this number (``key_ring().indexes(phone)``), newest first. Hub only."""
    return session.scalars(_of_number(phone_indexes).where(WorkOrder.status.in_(OPEN))).all()


def earlier_of(session: Session, phone_indexes: Sequence[str], *, limit: int = 10) -> Sequence[WorkOrder]:
    """Return the settled orders of whoever has this number, newest first. Hub only."""
    return session.scalars(_of_number(phone_indexes).where(WorkOrder.status.not_in(OPEN)).limit(limit)).all()


def of_call(session: Session, call_id: int) -> Sequence[WorkOrder]:
    """Return the orders of one call, the first first. Hub only."""
    return session.scalars(select(WorkOrder).where(WorkOrder.call_id == call_id).order_by(WorkOrder.id)).all()


def area_of_call(session: Session, call_id: int) -> str:
    """Return the code of the county or township a call's draft is about; empty while that is not known."""
    drafts = select(WorkOrder.area_code).where(
        WorkOrder.call_id == call_id, WorkOrder.status == Status.DRAFT, WorkOrder.area_code != ""
    )
    return session.scalar(drafts.order_by(WorkOrder.id).limit(1)) or ""


def alike(session: Session, *, category_code: str, county_code: str, since: datetime) -> Sequence[WorkOrder]:
    """Return submitted orders of one kind of matter in one county since a moment, newest first. Hub only.

    ``county_code``: the six digits that name it; empty: anywhere in the city. Without a category there are none.
    """
    if not category_code:
        return []
    return session.scalars(
        select(WorkOrder)
        .where(
            WorkOrder.category_code == category_code,
            WorkOrder.area_code.startswith(county_code, autoescape=True),
            WorkOrder.submitted_at >= since,
        )
        .order_by(WorkOrder.id.desc())
    ).all()


def _of_number(phone_indexes: Sequence[str]) -> Select[WorkOrder]:
    theirs = or_(Caller.phone_index.in_(phone_indexes), Caller.contact_index.in_(phone_indexes))
    return select(WorkOrder).join(WorkOrder.caller).where(theirs).order_by(WorkOrder.id.desc())


def _hub_list(session: Session, actor: Actor, which: ColumnElement[bool], page: int, per_page: int) -> Page[WorkOrder]:
    if actor.role not in HUB:
        raise NotPermitted("只有热线中心可以查看")
    pressing = case({Urgency.CRITICAL.value: 0, Urgency.URGENT.value: 1}, value=WorkOrder.urgency, else_=2)
    total = session.scalar(select(func.count(WorkOrder.id)).where(which)) or 0
    query = (
        select(WorkOrder)
        .where(which)
        .options(joinedload(WorkOrder.lead_unit), joinedload(WorkOrder.caller))
        .order_by(pressing, WorkOrder.step_due_at.asc().nulls_last(), WorkOrder.id)
    )
    return _paged(session, query, total, page, per_page)


def _paged(session: Session, query: Select[Row], total: int, page: int, per_page: int) -> Page[Row]:
    if page < 1 or per_page < 1:
        raise Invalid("页码从 1 开始", page="页码从 1 开始")
    return Page(session.scalars(query.limit(per_page).offset((page - 1) * per_page)).all(), total, page, per_page)
