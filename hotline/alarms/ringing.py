"""Duty officers are rung one after the other until one signs: read, close, ask the carrier, record.

Safe to run twice and by several workers at once: a try is taken in the database before the carrier is asked.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.alarms import service
from hotline.alarms.models import Alarm, AlarmTry
from hotline.alarms.service import RING_FOR_S
from hotline.alarms.states import END_OF_STATUS, LAST_RANK, RANK, AlarmState, TryState
from hotline.calls.links import Links
from hotline.calls.states import LEG_STATE_OF_STATUS, LegState
from hotline.db import SessionFactory, session_scope
from hotline.errors import Invalid
from hotline.telephony.base import CarrierRefused, CarrierUnreachable, Telephony

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Step:
    try_id: int | None = None
    to: str = ""
    hang_up: str | None = None


def ring_for(
    sessions: SessionFactory,
    telephony: Telephony,
    links: Links,
    *,
    order_id: int,
    unit_id: int,
    caller_id: str,
    now: datetime,
) -> None:
    """Make the ringing for one unit's part of an order agree with what is written: begun, gone on with, or stopped."""
    with session_scope(sessions) as session:
        sub = service.waiting_part(session, order_id, unit_id)
        known = service.newest_of(session, sub.id) if sub is not None else None
        if sub is not None and (known is None or known.state == AlarmState.STOPPED):
            # a part that had left the unit's hands is back in them
            known = service.begin(session, sub=sub, round_=known.round + 1 if known else 1, now=now)
        ids = {known.id} if known is not None else set()
        ids |= set(
            session.scalars(
                select(Alarm.id).where(
                    Alarm.order_id == order_id, Alarm.unit_id == unit_id, Alarm.state == AlarmState.RINGING
                )
            )
        )
    for alarm_id in sorted(ids):
        ring_on(sessions, telephony, links, alarm_id=alarm_id, caller_id=caller_id, now=now)


def ring_on(
    sessions: SessionFactory, telephony: Telephony, links: Links, *, alarm_id: int, caller_id: str, now: datetime
) -> None:
    """Ring the next officer of a round if one is due; hang up a line that is no longer needed.

    A number the carrier refuses is passed over at once. A carrier that gives no answer is asked again by the timetable
    for the same officer; until then the hub sees that nobody is rung.
    """
    while True:
        with session_scope(sessions) as session:
            step = _step(session, alarm_id, now)
        if step.hang_up is not None:
            _hang_up(telephony, step.hang_up, alarm_id)
        if step.try_id is None:
            return
        try:
            line = telephony.dial(
                to=step.to,
                caller_id=caller_id,
                url=links.alarm_officer(step.try_id),
                status_url=links.alarm_status(step.try_id),
                timeout_s=RING_FOR_S,
            )
        except CarrierRefused:
            log.warning("alarm %d, try %d: refused", alarm_id, step.try_id)
            with session_scope(sessions) as session:
                attempt = service.attempt_of(session, step.try_id)
                service.move(attempt, TryState.FAILED, now=now)
                service.tidy(session, attempt.alarm, now=now)
            continue
        except CarrierUnreachable:
            log.warning("alarm %d, try %d: the carrier gave no answer", alarm_id, step.try_id)
            with session_scope(sessions) as session:
                service.no_line(service.attempt_of(session, step.try_id))
            return
        with session_scope(sessions) as session:
            attempt = service.attempt_of(session, step.try_id)
            if not service.move(attempt, TryState.RINGING, now=now, provider_id=line) and attempt.provider_id is None:
                attempt.provider_id = line  # the line's own webhook was quicker
        return


def _hang_up(telephony: Telephony, line: str, alarm_id: int) -> None:
    try:
        telephony.hang_up(line)
    except (CarrierRefused, CarrierUnreachable) as fault:
        # it stops ringing by itself; answered, it is told that the order is signed
        log.warning("line of alarm %d not hung up: %s", alarm_id, type(fault).__name__)


def _step(session: Session, alarm_id: int, now: datetime) -> _Step:
    alarm = session.scalars(select(Alarm).where(Alarm.id == alarm_id).with_for_update()).one()
    running = service.current(alarm)
    following = service.tidy(session, alarm, now=now)
    if alarm.state != AlarmState.RINGING:
        line = None
        if running is not None and running.state == TryState.RINGING:
            service.move(running, TryState.STOPPED, now=now)
            line = running.provider_id
        return _Step(hang_up=line)
    if following is None:
        return _Step()
    following.taken_at = now
    return _Step(try_id=following.id, to=following.phone)


# ---- what the line says


def officer_answered(session: Session, *, try_id: int, provider_id: str, now: datetime) -> AlarmTry | None:
    """Write down that an officer is on the line; None when nobody need sign any more, or it is another's line."""
    attempt = service.attempt_of(session, try_id)
    if attempt.provider_id not in {None, provider_id}:
        return None
    over = RANK[TryState(attempt.state)] == LAST_RANK
    if over or attempt.alarm.state != AlarmState.RINGING:
        return None
    service.move(attempt, TryState.ANSWERED, now=now, provider_id=provider_id)
    session.flush()
    return attempt


def line_status(session: Session, *, try_id: int, status: str, provider_id: str, now: datetime) -> None:
    """Take the carrier's word about an officer's line, in whatever order it comes. Raises ``Invalid``, ``NotFound``."""
    state = LEG_STATE_OF_STATUS.get(status)
    if state is None:
        raise Invalid("不认识的线路状态", status=status)
    attempt = service.attempt_of(session, try_id)
    if attempt.provider_id not in {None, provider_id}:
        return
    if state == LegState.RINGING:
        service.move(attempt, TryState.RINGING, now=now, provider_id=provider_id)
    elif status in END_OF_STATUS:
        answered = attempt.state == TryState.ANSWERED
        service.ended(session, attempt=attempt, state=TryState.NO_KEY if answered else END_OF_STATUS[status], now=now)
