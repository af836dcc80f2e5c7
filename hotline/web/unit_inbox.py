"""A unit's lists: what must be done now, its buckets, the townships' work; signing for many at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from hotline.errors import HotlineError, Invalid, NotAllowedNow, NotFound, NotPermitted
from hotline.knowledge_base import reviews
from hotline.units import queries as units
from hotline.web import pages
from hotline.web.access import roles, the_actor, when
from hotline.web.context import runtime, transaction
from hotline.web.errors import CHANGED
from hotline.web.formats import at_most, time_tone
from hotline.web.idempotency import once
from hotline.work_orders import boards, inboxes, queries, service
from hotline.work_orders.inboxes import Narrowing
from hotline.work_orders.models import SubOrder, WorkOrder
from hotline.work_orders.queries import Bucket
from hotline.work_orders.states import DemandType, SubState
from hotline.work_orders.words import DEMAND_WORDS

bp = Blueprint("lists", __name__)

UNIT: Final = ("U2", "U2L", "U3", "U3L")
COUNTY: Final = ("U2", "U2L")
AT_WORK: Final = (SubState.TO_SIGN, SubState.SIGNED, SubState.IN_HAND)
NOW: Final = "now"
FOUND: Final = "found"
NAMED: Final = 10  # numbers in one sentence
FILTERS: Final = ("kind", "category", "unit", "urgent")
# what a bucket is called, its tone when it is not empty, and what would appear in it
BUCKETS: Final = {
    Bucket.TO_SIGN: ("待签收", "act", "派给本单位、还没有签收的工单会出现在这里。"),
    Bucket.TO_CHECK: ("待审核", "act", "下属单位反馈了结果、等本单位审核的工单会出现在这里。"),
    Bucket.IN_HAND: ("办理中", "plain", "已经签收、正在办理的工单会出现在这里。"),
    Bucket.DUE_SOON: ("即将到期", "soon", "时限只剩最后五分之一、还没有办完的工单会出现在这里。"),
    Bucket.OVERDUE: ("已超期", "late", "过了办理时限还没有反馈的工单会出现在这里。"),
    Bucket.RETURNED: ("已退回", "plain", "本单位申请退回的、退出办理的工单会出现在这里。"),
    Bucket.REPORTED: ("已反馈", "plain", "反馈之后、正在审核或回访的工单会出现在这里。"),
    Bucket.DONE: ("已办结", "done", "回访之后办结的工单会出现在这里。"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One order in a list."""

    order: WorkOrder
    sub: SubOrder
    holder: str
    urged: int
    due_at: datetime | None
    since: datetime
    edge: str | None

    @property
    def place(self) -> str:
        """Where."""
        return self.order.address

    @property
    def round(self) -> str:
        """Which report of the unit's part comes next; one sent back begins anew."""
        return steps_key(self.sub)

    @property
    def running(self) -> bool:
        """Whether the unit's clock runs."""
        return self.sub.state in AT_WORK


@bp.get("")
@roles(*UNIT)
def inbox() -> ResponseReturnValue:
    """What must be done now, one bucket of it (``?show=``), or what ``?q=`` finds.

    ``?kind= ?category= ?unit= ?urgent=`` narrow it; the address may be sent to a colleague.
    """
    actor, now = the_actor(), runtime().now()
    show, words = request.args.get("show", NOW), request.args.get("q", "").strip()
    page = request.args.get("page", 1, type=int)
    narrowed = _narrowing()
    with transaction() as session:
        only = narrowed.conditions(session, actor)
        counts = queries.inbox_counts(session, actor, now=now, only=only)
        buckets = [bucket for bucket in BUCKETS if bucket != Bucket.TO_CHECK or actor.role in COUNTY]

        def listed(bucket: str, number: int = 1) -> queries.Page[SubOrder]:
            return queries.inbox(session, actor, bucket=bucket, now=now, page=number, only=only)

        if words:
            hits = inboxes.search(session, actor, text=words, page=page)
            parts = [own_sub(session, order) for order in hits.items]
            found = {FOUND: queries.Page(parts, hits.total, hits.page, hits.per_page)}
        elif show == NOW:
            found = {bucket: listed(bucket) for bucket in (Bucket.TO_SIGN, Bucket.TO_CHECK)}
            found[Bucket.IN_HAND] = boards.to_work(session, actor, only=only)
        else:
            found = {Bucket(show): listed(show, page)} if show in set(Bucket) else {}
            if not found:
                raise Invalid("没有这一栏")
        groups = {
            bucket: queries.Page(_rows(session, one.items, now), one.total, one.page, one.per_page)
            for bucket, one in found.items()
        }
        board = boards.county_board(session, actor, now=now) if actor.role in COUNTY and not words else None
        return render_template(
            "portal/inbox.html",
            show=FOUND if words else show,
            words=words,
            groups=groups,
            buckets=BUCKETS,
            chips=_chips(buckets, counts, FOUND if words else show),
            filters=_filters(session, narrowed),
            narrowed=narrowed,
            link=_link,
            to_review=reviews.count_open(session, unit_id=actor.unit_id or 0),
            picked=request.args.get("all") == "1",
            board=board,
            most=boards.LANE_AT_MOST,
        )


def _narrowing() -> Narrowing:
    args = request.args
    kind = args.get("kind", "")
    return Narrowing(
        kind=kind if kind in set(DemandType) else "",
        category=args.get("category", "")[:20],
        unit_id=args.get("unit", type=int),
        urgent=args.get("urgent") == "1",
    )


def _link(**changes: object) -> str:
    """The list shown now, with something of its address changed; None takes it away."""
    known = {name: request.args[name] for name in ("show", *FILTERS) if request.args.get(name)}
    values: dict[str, Any] = {name: value for name, value in (known | changes).items() if value}
    return url_for("portal.lists.inbox", **values)


def _filters(session: Session, narrowed: Narrowing) -> list[tuple[str, list[dict[str, Any]]]]:
    """Chips by what they narrow; the one chosen takes itself away."""

    def chips(name: str, pairs: Iterable[tuple[object, str]], chosen: object) -> list[dict[str, Any]]:
        return [
            {"href": _link(**{name: None if value == chosen else value}), "word": word, "on": value == chosen}
            for value, word in pairs
        ]

    below = units.children(session, the_actor().unit_id or 0)
    kinds = [(row.code, row.name) for row in inboxes.categories_of(session, the_actor())]
    groups = [
        ("紧急程度", chips("urgent", [("1", "只看紧急")], "1" if narrowed.urgent else None)),
        ("诉求类型", chips("kind", [(kind.value, word) for kind, word in DEMAND_WORDS.items()], narrowed.kind)),
        ("分类", chips("category", kinds, narrowed.category)),
        ("乡镇", chips("unit", [(unit.id, unit.name) for unit in below], narrowed.unit_id)),
    ]
    return [(word, found) for word, found in groups if found]


@bp.get("/board")
@roles(*COUNTY)
def board() -> ResponseReturnValue:
    """The townships' work, columns by state, the first of each; of ``?lane=`` all."""
    with transaction() as session:
        found = boards.county_board(session, the_actor(), now=runtime().now(), whole=request.args.get("lane", ""))
        return render_template("portal/board.html", board=found, most=boards.LANE_AT_MOST)


@bp.post("/sign")
@roles(*UNIT)
def sign_many() -> ResponseReturnValue:
    """Sign for every ticked order, or for the one whose button was pressed.

    One that is not to be signed any more, since a colleague was faster, is named and left out; any other fault names
    its order and signs none.
    """
    only = request.form.get("only")
    numbers = [only] if only else request.form.getlist("number")
    if not numbers:
        pages.toast("请先勾选要签收的工单", tone="soon")
        return pages.go(url_for("portal.lists.inbox", show=Bucket.TO_SIGN.value))
    with transaction() as session:

        def act() -> ResponseReturnValue:
            gone = [number for number in dict.fromkeys(numbers) if not _signed(session, number)]
            signed = len(set(numbers)) - len(gone)
            said = [f"已签收 {signed} 件"] if signed else []
            if gone:
                more = f" 等 {len(gone)} 件" if len(gone) > NAMED else ""
                said.append(f"{'、'.join(gone[:NAMED])}{more} 已不在待签收，未签收")
            pages.toast("；".join(said), tone="soon" if gone else "done")
            return pages.go(url_for("portal.order", number=only) if only else url_for("portal.lists.inbox"))

        return once(session, act)


def _signed(session: Session, number: str) -> bool:
    """Sign for one of several; False for what the unit sees and has not, or no longer, to sign for."""
    try:
        order = queries.visible_to(session, the_actor(), number)
        try:
            service.sign(session, order=order, **when())
        except (NotAllowedNow, NotPermitted, NotFound):  # signed, handed down, taken back: found before any change
            return False
    except HotlineError as fault:
        raise type(fault)(f"{number}：{fault.message}", **fault.details) from fault
    except StaleDataError as fault:
        raise NotAllowedNow(f"{number}：{CHANGED}") from fault
    return True


def steps_key(sub: SubOrder) -> str:
    """Names which report of a part a browser keeps; one sent back begins anew."""
    return str(int(sub.reported_at.timestamp()) if sub.reported_at else 0)


def own_sub(session: Session, order: WorkOrder) -> SubOrder:
    """Return the newest part of the actor's unit, else of the units below: whoever sees an order has one."""
    below = set(units.subtree_ids(session, the_actor().unit_id or 0))
    mine = [sub for sub in order.sub_orders if sub.unit_id in below]
    own = [sub for sub in mine if sub.unit_id == the_actor().unit_id]
    return (own or mine)[-1]


def _chips(buckets: Iterable[Bucket], counts: dict[str, int], show: str) -> list[dict[str, Any]]:
    chips = [{"href": _link(show=None), "word": "现在要办", "on": show == NOW}]
    for bucket in buckets:
        word, tone, _ = BUCKETS[bucket]
        number = counts[bucket]
        count = at_most(number, queries.COUNTED)
        href = _link(show=bucket.value)
        chips.append({"href": href, "word": word, "count": count, "tone": tone if number else "", "on": show == bucket})
    return chips


def _rows(session: Session, subs: Iterable[SubOrder], now: datetime) -> list[Row]:
    subs = list(subs)
    ids = [sub.order_id for sub in subs]
    holding, urged = boards.holders(session, ids), boards.urges(session, ids)
    return [_row(sub, holding.get(sub.order_id, "热线中心"), urged.get(sub.order_id, 0), now) for sub in subs]


def _row(sub: SubOrder, holder: str, urged: int, now: datetime) -> Row:
    due_at = sub.sign_due_at if sub.state == SubState.TO_SIGN else sub.deadline_at
    running = sub.state in AT_WORK
    tone = time_tone(due_at, now, sub.assigned_at) if due_at and running else "plain"
    return Row(sub.order, sub, holder, urged, due_at, sub.assigned_at, tone if tone in ("late", "soon") else None)
