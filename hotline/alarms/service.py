"""Verbs on ringing: begin a round, move a try forward, end the round. They ask no network; ``ringing`` does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session

from hotline import outbox
from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.alarms.models import Alarm, AlarmTry
from hotline.alarms.states import LAST_RANK, RANK, AlarmState, TryState
from hotline.errors import NotAllowedNow, NotFound, NotPermitted
from hotline.rosters.queries import on_duty
from hotline.units.models import Unit
from hotline.work_orders import service as orders
from hotline.work_orders.models import SubOrder, WorkOrder
from hotline.work_orders.states import SubState

TOPIC: Final = "alarm.ring"
PASSES: Final = 2  # the list is gone through twice
RING_FOR_S: Final = 30
# a line whose end the carrier never told
SILENT_RINGING: Final = timedelta(seconds=RING_FOR_S + 60)
SILENT_TALK: Final = timedelta(minutes=3)
# a worker that took a try and did not say what became of it is dead
TAKEN: Final = timedelta(seconds=60)


def waiting() -> ColumnElement[bool]:
    """Return whether a part waits to be signed for, in a query that has joined its order."""
    return and_(SubOrder.state == SubState.TO_SIGN, WorkOrder.merged_into_id.is_(None))


def waits(session: Session, alarm: Alarm) -> bool:
    """Whether the part a round rings for still waits to be signed for."""
    return (
        session.scalar(
            select(exists().where(SubOrder.id == alarm.sub_order_id, WorkOrder.id == SubOrder.order_id, waiting()))
        )
        or False
    )


def waiting_part(session: Session, order_id: int, unit_id: int) -> SubOrder | None:
    """Return the part of an order its unit has still to sign for; of an order that follows another, none."""
    return session.scalar(
        select(SubOrder)
        .join(WorkOrder, WorkOrder.id == SubOrder.order_id)
        .where(SubOrder.order_id == order_id, SubOrder.unit_id == unit_id, waiting())
        .order_by(SubOrder.id.desc())
        .limit(1)
    )


def newest_of(session: Session, sub_order_id: int) -> Alarm | None:
    """Return the newest round of ringing for a part."""
    return session.scalar(select(Alarm).where(Alarm.sub_order_id == sub_order_id).order_by(Alarm.round.desc()).limit(1))


def begin(session: Session, *, sub: SubOrder, round_: int, now: datetime) -> Alarm:
    """Begin a round: whoever is on duty now, the list twice. Nobody to ring: failed from the start."""
    officers = on_duty(session, session.get_one(Unit, sub.unit_id), now=now)
    alarm = Alarm(
        order_id=sub.order_id,
        unit_id=sub.unit_id,
        sub_order_id=sub.id,
        round=round_,
        state=AlarmState.RINGING,
        started_at=now,
    )
    alarm.tries = [
        AlarmTry(
            turn=turn,
            user_id=one.user_id,
            name=one.name,
            phone=one.phone,
            phone_mask=one.phone_mask,
            state=TryState.PLANNED,
        )
        for turn, one in enumerate(officers * PASSES, 1)
    ]
    session.add(alarm)
    if not officers:
        _end(alarm, AlarmState.FAILED, now)
    session.flush()
    return alarm


def again(session: Session, *, alarm: Alarm, actor: Actor, now: datetime) -> Alarm:
    """Ring once more after a round that ended without a signature. Raises ``NotPermitted`` or ``NotAllowedNow``."""
    if actor.role != Role.SUP:
        raise NotPermitted("由督办员决定再拨一轮")
    sub = session.get_one(SubOrder, alarm.sub_order_id)
    newest = newest_of(session, sub.id)
    if newest is None or newest.state == AlarmState.RINGING:
        raise NotAllowedNow("正在拨打，请稍候")
    if not waits(session, alarm):
        raise NotAllowedNow("这个单位已经签收，或工单已不在待签收")
    new = begin(session, sub=sub, round_=newest.round + 1, now=now)
    outbox.add(session, TOPIC, now=now, order_id=alarm.order_id, unit_id=alarm.unit_id)
    return new


def move(attempt: AlarmTry, state: TryState, *, now: datetime, provider_id: str | None = None) -> bool:
    """Take a try forward; False, and nothing changed, for a word that comes late or again."""
    if RANK[state] <= RANK[TryState(attempt.state)]:
        return False
    attempt.state = state
    attempt.provider_id = attempt.provider_id or provider_id
    attempt.rung_at = attempt.rung_at or now
    if state == TryState.ANSWERED:
        attempt.answered_at = now
    if RANK[state] == LAST_RANK:
        attempt.ended_at = now
    return True


def no_line(attempt: AlarmTry) -> None:
    """The carrier gave no answer: nobody's turn is used up, unless the line has said meanwhile that it rings."""
    if RANK[TryState(attempt.state)] == 0:
        attempt.state, attempt.taken_at = TryState.NO_LINE, None


def current(alarm: Alarm) -> AlarmTry | None:
    """Return the try that has begun and is not over."""
    return next((one for one in alarm.tries if 0 < RANK[TryState(one.state)] < LAST_RANK), None)


def tidy(session: Session, alarm: Alarm, *, now: datetime) -> AlarmTry | None:
    """Make a round agree with its part: stopped when nobody waits any more, failed when nobody is left to ring.

    A line whose end the carrier never told counts as over. Returns the try to ring now, None when there is none.
    """
    if alarm.state != AlarmState.RINGING:
        return None
    if not waits(session, alarm):
        _end(alarm, AlarmState.STOPPED, now)
        return None
    running = current(alarm)
    if running is not None:
        since = running.answered_at or running.rung_at or alarm.started_at
        if now - since <= (SILENT_TALK if running.answered_at else SILENT_RINGING):
            return None
        move(running, TryState.NO_KEY if running.answered_at else TryState.NO_ANSWER, now=now)
    following = next((one for one in alarm.tries if RANK[TryState(one.state)] == 0), None)
    if following is None:
        _end(alarm, AlarmState.FAILED, now)
        return None
    if following.taken_at is not None and now - following.taken_at <= TAKEN:
        return None  # another worker asks the carrier right now
    return following


def sign(session: Session, *, attempt: AlarmTry, now: datetime) -> bool:
    """The officer pressed 1: sign for their unit. False when that is no longer needed.

    Raises ``NotAllowedNow`` when somebody changed the order at the same moment: asked again, it is known how it stands.
    """
    alarm = attempt.alarm
    order = session.get_one(WorkOrder, alarm.order_id)
    if not waits(session, alarm):
        move(attempt, TryState.STOPPED, now=now)
        if alarm.state == AlarmState.RINGING:
            _end(alarm, AlarmState.STOPPED, now)
        return False
    officer = Actor(attempt.user_id, Role.DTY, alarm.unit_id, attempt.name)
    move(attempt, TryState.SIGNED, now=now)
    _end(alarm, AlarmState.SIGNED, now)  # before signing: the message about it then finds nothing to stop
    orders.sign(session, order=order, actor=officer, now=now)
    return True


def ended(session: Session, *, attempt: AlarmTry, state: TryState, now: datetime) -> bool:
    """A try is over without a signature: the next officer is rung. False when that was known."""
    if not move(attempt, state, now=now):
        return False
    alarm = attempt.alarm
    if alarm.state == AlarmState.RINGING:
        outbox.add(session, TOPIC, now=now, order_id=alarm.order_id, unit_id=alarm.unit_id)
    session.flush()
    return True


def attempt_of(session: Session, try_id: int) -> AlarmTry:
    """Return a try, its round locked until the end of the transaction, or raise ``NotFound``."""
    found = session.get(AlarmTry, try_id)
    if found is None:
        raise NotFound("没有这次拨打")
    session.scalars(
        select(Alarm).where(Alarm.id == found.alarm_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    session.refresh(found)
    return found


def open_alarms(session: Session) -> Sequence[int]:
    """Return the ids of the rounds that are not over."""
    return session.scalars(select(Alarm.id).where(Alarm.state == AlarmState.RINGING).order_by(Alarm.id)).all()


def _end(alarm: Alarm, state: AlarmState, now: datetime) -> None:
    alarm.state, alarm.ended_at = state, now
