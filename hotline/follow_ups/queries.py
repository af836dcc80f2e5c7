"""Reads on callbacks and what citizens said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from hotline.accounts.models import User
from hotline.accounts.roles import HUB, Role
from hotline.accounts.service import Actor
from hotline.callers.models import Caller
from hotline.errors import NotFound, NotPermitted
from hotline.follow_ups.guards import why_not
from hotline.follow_ups.models import Attempt, Callback, Evaluation
from hotline.follow_ups.states import OFFICERS, OPEN, AttemptState, CallbackState, Way
from hotline.work_orders import clock
from hotline.work_orders import queries as orders
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status

_ANSWERED: Final = (AttemptState.CONNECTED, AttemptState.ENDED)
# whatever the callback says: nobody is asked about an order that no longer waits for it, such as one taken back
_ASKED_ABOUT: Final = WorkOrder.status == Status.TO_CALL_BACK
_LOOKED_AT: Final = 200  # callbacks sorted by hand at once; more than a desk works off in a day
# an hour covers any call and what is written after it; before the due time somebody may be at lunch
_LEFT_AFTER: Final = timedelta(hours=3)
_LEFT_AFTER_OVERDUE: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ToCall:
    """One citizen to call. ``best_hour`` is the local hour at which they answered before, None when unknown."""

    callback: Callback
    order: WorkOrder
    tries: int
    last_try_at: datetime | None
    best_hour: int | None
    said: str  # what a key or an SMS already said: "" or dissatisfied
    mine: bool
    holder: str = ""  # who took it and left it lying, for supervisors


@dataclass(frozen=True, slots=True)
class Counts:
    """The duty desk's day."""

    to_call: int  # waiting and ripe, for anybody
    mine: int  # taken by the asker
    overdue: int
    later: int  # waiting for a later hour
    done_today: int
    not_reached_today: int


@dataclass(frozen=True, slots=True)
class Said:
    """What the citizen said of one round; ``comment`` and ``way`` only for the hub."""

    round: int
    at: datetime
    satisfaction: str
    solved: str
    contacted: bool | None
    reasons: list[str]
    way: str
    comment: str


def callback_for(session: Session, actor: Actor, callback_id: int) -> Callback:
    """Return a callback an officer may look at; ``NotFound`` otherwise."""
    callback = session.get(Callback, callback_id) if actor.role in OFFICERS else None
    if callback is None:
        raise NotFound("没有这次回访")
    return callback


def who_to_call(session: Session, actor: Actor, *, now: datetime, tz: tzinfo, limit: int = 50) -> list[ToCall]:
    """Return whom to call now: one's own first, then by due time, fitting hour, fewest tries.

    What the asker may not call (handled by them, or of their unit) is left out. A supervisor also sees what others
    took and left lying, to release it. Officers only.
    """
    if actor.role not in OFFICERS:
        raise NotPermitted("只有回访员或督办员可以查看")
    ripe = (Callback.state == CallbackState.WAITING) & (Callback.next_try_at <= now)
    own = (Callback.state == CallbackState.TAKEN) & (Callback.officer_id == actor.user_id)
    lying = (Callback.state == CallbackState.TAKEN) & (Callback.taken_at <= now - _LEFT_AFTER_OVERDUE)
    rows = session.execute(
        select(Callback, WorkOrder)
        .join(WorkOrder, WorkOrder.id == Callback.order_id)
        .where(_ASKED_ABOUT, or_(ripe, own, lying) if actor.role == Role.SUP else or_(ripe, own))
        .options(selectinload(Callback.attempts), joinedload(WorkOrder.caller), joinedload(WorkOrder.lead_unit))
        .order_by(Callback.due_at, Callback.id)
        .limit(_LOOKED_AT)
    ).all()
    hours = _best_hours(session, [order.caller for _, order in rows if order.caller], tz)
    holders = {callback.id: holder_of(session, callback, actor) for callback, _ in rows}
    found = [
        _to_call(callback, order, actor, hours, holders[callback.id])
        for callback, order in rows
        if callback.officer_id == actor.user_id
        or (left_lying(callback, now=now) if holders[callback.id] else not why_not(session, callback, actor))
    ]
    hour = now.astimezone(tz).hour
    found.sort(key=lambda item: (not item.mine, item.callback.due_at, _hours_off(item.best_hour, hour), item.tries))
    return found[:limit]


def is_open(session: Session, callback: Callback) -> bool:
    """Whether the citizen is still to be asked: the callback is not settled and its order waits for it."""
    order = session.get_one(WorkOrder, callback.order_id)
    return callback.state in OPEN and order.status == Status.TO_CALL_BACK


def holder_of(session: Session, callback: Callback, actor: Actor) -> str:
    """Return the name of the other person who has taken a callback, "" when it is free, settled or the asker's."""
    if callback.state != CallbackState.TAKEN or callback.officer_id in {None, actor.user_id}:
        return ""
    return session.get_one(User, callback.officer_id).display_name


def left_lying(callback: Callback, *, now: datetime) -> bool:
    """Whether a taken callback was not worked on for hours; for one hour when it is overdue."""
    if callback.state != CallbackState.TAKEN or callback.taken_at is None:
        return False
    # by when a try began: one whose end nobody told would else count as under way for ever
    worked_on = max([callback.taken_at, *(attempt.at for attempt in callback.attempts)])
    return now - worked_on >= (_LEFT_AFTER_OVERDUE if callback.due_at < now else _LEFT_AFTER)


def counts(session: Session, actor: Actor, *, now: datetime, tz: tzinfo) -> Counts:
    """Return the numbers at the head of the duty desk. Officers only."""
    if actor.role not in OFFICERS:
        raise NotPermitted("只有回访员或督办员可以查看")
    midnight = clock.local_midnight(now, tz)
    today = clock.start_of_local_day(now, tz)
    waiting = (Callback.state == CallbackState.WAITING) & _ASKED_ABOUT
    taken = (Callback.state == CallbackState.TAKEN) & _ASKED_ABOUT
    settled_today = (Callback.done_at >= today) & (Callback.done_at < midnight)

    def count(*where: object) -> int:
        found = select(func.count(Callback.id)).join(WorkOrder, WorkOrder.id == Callback.order_id)
        return session.scalar(found.where(*where)) or 0  # type: ignore[arg-type]

    return Counts(
        to_call=count(waiting, Callback.next_try_at <= now),
        mine=count(taken, Callback.officer_id == actor.user_id),
        overdue=count(waiting | taken, Callback.due_at < now),
        later=count(waiting, Callback.next_try_at > now),
        done_today=count(Callback.state == CallbackState.DONE, settled_today),
        not_reached_today=count(Callback.state == CallbackState.NOT_REACHED, settled_today),
    )


def ripe_for_keypad(session: Session, *, now: datetime, limit: int = 20) -> Sequence[Callback]:
    """Return waiting callbacks that may be asked by keypad or SMS now, the first due first. For the system."""
    asked = (
        select(Attempt.callback_id)
        .where(or_(Attempt.answer != "", Attempt.state.in_(("planned", "ringing", "connected"))))
        .scalar_subquery()
    )
    return session.scalars(
        select(Callback)
        .join(WorkOrder, WorkOrder.id == Callback.order_id)
        .where(
            _ASKED_ABOUT,
            Callback.state == CallbackState.WAITING,
            Callback.next_try_at <= now,
            Callback.id.not_in(asked),
        )
        .order_by(Callback.due_at, Callback.id)
        .limit(limit)
    ).all()


def attempt_of_provider(session: Session, provider_id: str) -> Attempt | None:
    """Return the try a carrier's call id belongs to, whichever leg it names. For webhooks."""
    return session.scalar(
        select(Attempt).where(
            or_(Attempt.citizen_provider_id == provider_id, Attempt.officer_provider_id == provider_id)
        )
    )


def callback_of(session: Session, order: WorkOrder) -> Callback | None:
    """Return the latest callback of an order. For hub pages and the system."""
    return session.scalar(
        select(Callback).where(Callback.order_id == order.id).order_by(Callback.round.desc()).limit(1)
    )


def evaluation_of(session: Session, order: WorkOrder, actor: Actor) -> Said | None:
    """Return what the citizen said last, as far as the actor may know; ``NotFound`` when the order is not theirs."""
    said = evaluations_of(session, order, actor)
    return said[-1] if said else None


def evaluations_of(session: Session, order: WorkOrder, actor: Actor) -> list[Said]:
    """Return what the citizen said of every round, the first first. Units learn the verdict, not the words."""
    if not orders.sees(session, actor, order):
        raise NotFound("没有这张工单")
    inside = actor.role in HUB
    rows = session.scalars(select(Evaluation).where(Evaluation.order_id == order.id).order_by(Evaluation.round))
    return [
        Said(
            round=row.round,
            at=row.at,
            satisfaction=row.satisfaction,
            solved=row.solved,
            contacted=row.contacted,
            reasons=list(row.reasons),
            way=row.way if inside else "",
            comment=(row.comment or "") if inside else "",
        )
        for row in rows
    ]


def _to_call(callback: Callback, order: WorkOrder, actor: Actor, hours: dict[str, int], holder: str) -> ToCall:
    missed = [attempt for attempt in callback.attempts if attempt.state == AttemptState.NO_ANSWER]
    return ToCall(
        callback=callback,
        order=order,
        tries=len(missed),
        last_try_at=max((attempt.at for attempt in callback.attempts), default=None),
        best_hour=hours.get((order.caller.phone_index or "") if order.caller else ""),
        said=next((attempt.answer for attempt in reversed(callback.attempts) if attempt.answer), ""),
        mine=callback.officer_id == actor.user_id,
        holder=holder,
    )


def _best_hours(session: Session, callers: Sequence[Caller], tz: tzinfo) -> dict[str, int]:
    """Return by number the local hour at which its earlier callbacks were answered most often."""
    indexes = {caller.phone_index for caller in callers if caller.phone_index}
    rows = session.execute(
        select(Caller.phone_index, Attempt.at)
        .join(WorkOrder, WorkOrder.caller_id == Caller.id)
        .join(Callback, Callback.order_id == WorkOrder.id)
        .join(Attempt, Attempt.callback_id == Callback.id)
        .where(Caller.phone_index.in_(indexes), Attempt.state.in_(_ANSWERED), Attempt.way != Way.SMS)
    )
    seen: dict[str, Counter[int]] = {}
    for index, at in rows:
        seen.setdefault(index or "", Counter())[at.astimezone(tz).hour] += 1
    return {index: hours.most_common(1)[0][0] for index, hours in seen.items()}


def _hours_off(best: int | None, hour: int) -> int:
    """How far the present hour is from the best one; unknown lies between fitting and not."""
    return 2 if best is None else abs(best - hour)
