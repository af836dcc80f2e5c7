"""The telephone side of callbacks: whom to ring, what a line's fate means for the try.

As with calls: read, close, ask the carrier, record; safe to run twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline import outbox
from hotline.accounts.models import User
from hotline.accounts.service import SYSTEM
from hotline.callers import queries as callers
from hotline.callers.numbers import normalise
from hotline.calls.links import Links
from hotline.calls.states import LEG_STATE_OF_STATUS, LegState
from hotline.db import SessionFactory, session_scope
from hotline.errors import Invalid, NotFound
from hotline.follow_ups import service
from hotline.follow_ups.models import Attempt, Callback
from hotline.follow_ups.states import LAST_RANK, OPEN, RANK, AttemptState, Way
from hotline.outbox import OutboxMessage
from hotline.telephony.base import CarrierRefused, CarrierUnreachable, Telephony
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status

log = logging.getLogger(__name__)

OFFICER: Final = "officer"
CITIZEN: Final = "citizen"
RING_FOR_S: Final = 40
# the carrier's words for a call it could not place or gave up itself; whose telephone rang is busy or no-answer
_NOT_PLACED: Final = frozenset({"failed", "canceled"})


@dataclass(frozen=True, slots=True)
class _Ring:
    party: str
    to: str
    url: str


def dial(
    sessions: SessionFactory, telephony: Telephony, links: Links, *, attempt_id: int, caller_id: str, now: datetime
) -> None:
    """Ring whoever is to be rung next for this try: the officer first, the citizen once the officer is on the line;
    for a keypad call the citizen. ``caller_id`` is the hotline's own number: nobody sees another's.

    Nothing happens when that line was rung already, the try is over or the order no longer waits for a callback. A
    carrier that refuses ends the try as failed. Raises ``NotFound`` and ``CarrierUnreachable``.
    """
    with session_scope(sessions) as session:
        ring = _next(session, attempt_of(session, attempt_id), links)
    if ring is None:
        return
    try:
        if not ring.to:
            raise CarrierRefused("nobody to ring")
        line = telephony.dial(
            to=ring.to,
            caller_id=caller_id,
            url=ring.url,
            status_url=links.callback_status(attempt_id, ring.party),
            timeout_s=RING_FOR_S,
        )
    except CarrierRefused:
        with session_scope(sessions) as session:
            service.attempt_update(session, attempt=attempt_of(session, attempt_id), now=now, state=AttemptState.FAILED)
        return
    with session_scope(sessions) as session:
        attempt = attempt_of(session, attempt_id)
        if ring.party == OFFICER:
            service.attempt_update(session, attempt=attempt, now=now, officer_provider_id=line)
        else:
            service.attempt_update(
                session, attempt=attempt, now=now, state=AttemptState.RINGING, citizen_provider_id=line
            )


def dial_now(
    sessions: SessionFactory,
    telephony: Telephony,
    links: Links,
    *,
    attempt_id: int,
    caller_id: str,
    now_fn: Callable[[], datetime],
) -> bool:
    """Act at once on the ``callback.dial`` row this process just committed for a try, and settle it.

    The worker is the safety net: False when it has the row in hand already, or when the carrier cannot be reached
    and will be asked again.
    """
    with session_scope(sessions) as session:
        waiting = session.scalar(
            select(OutboxMessage.id)
            .where(
                OutboxMessage.topic == "callback.dial",
                OutboxMessage.payload["attempt_id"].as_integer() == attempt_id,
                OutboxMessage.settled_at.is_(None),
            )
            .order_by(OutboxMessage.id)
        )
        if waiting is None or outbox.claim_one(session, waiting, now=now_fn()) is None:
            return False
    try:
        dial(sessions, telephony, links, attempt_id=attempt_id, caller_id=caller_id, now=now_fn())
    except CarrierUnreachable as fault:
        with session_scope(sessions) as session:
            outbox.postpone(session, waiting, now=now_fn(), error=type(fault).__name__)
        return False
    with session_scope(sessions) as session:
        outbox.settle(session, waiting, now=now_fn())
    return True


def hang_up(sessions: SessionFactory, telephony: Telephony, *, attempt_id: int) -> None:
    """End a person's try at the carrier: with the officer's line the citizen's ends too. Ended already: no error.

    The carrier's status callback writes down that it is over. Raises ``NotFound`` and ``CarrierUnreachable``.
    """
    with session_scope(sessions) as session:
        attempt = attempt_of(session, attempt_id)
        line = attempt.officer_provider_id or attempt.citizen_provider_id
    if line is None:
        return
    try:
        telephony.hang_up(line)
    except CarrierRefused as fault:
        log.warning("line of attempt %s not hung up: %s", attempt_id, type(fault).__name__)


def attempt_of(session: Session, attempt_id: int) -> Attempt:
    """Return a try or raise ``NotFound``."""
    attempt = session.get(Attempt, attempt_id)
    if attempt is None:
        raise NotFound("没有这次回访")
    return attempt


def _next(session: Session, attempt: Attempt, links: Links) -> _Ring | None:
    if RANK[AttemptState(attempt.state)] >= LAST_RANK or attempt.citizen_provider_id is not None:
        return None
    order = session.get_one(WorkOrder, attempt.callback.order_id)
    if order.status != Status.TO_CALL_BACK:
        return None  # taken back since: nobody is to be rung about it
    by_person = attempt.way == Way.PERSON
    if by_person and attempt.state == AttemptState.PLANNED:
        if attempt.officer_provider_id is not None:
            return None  # the officer's telephone rings
        officer = session.get(User, attempt.officer_id) if attempt.officer_id is not None else None
        seat = f"client:{officer.seat}" if officer is not None and officer.seat else ""
        return _Ring(OFFICER, seat, links.callback_officer(attempt.id))
    caller = order.caller
    number = (caller.phone or normalise(caller.contact) or "") if caller is not None else ""
    url = links.callback_citizen(attempt.id) if by_person else links.callback_keypad(attempt.id)
    return _Ring(CITIZEN, number, url)


def officer_answered(session: Session, *, attempt_id: int, provider_id: str, now: datetime) -> bool:
    """Write down that the officer is on the line and let the citizen be rung; False when the try is over.

    A second line of the officer (a dial repeated after a crash) is told False: the first one has the try.
    """
    attempt = attempt_of(session, attempt_id)
    over = RANK[AttemptState(attempt.state)] >= LAST_RANK
    if over or attempt.way != Way.PERSON or attempt.officer_provider_id not in {None, provider_id}:
        return False
    if service.attempt_update(
        session, attempt=attempt, now=now, state=AttemptState.RINGING, officer_provider_id=provider_id
    ):
        outbox.add(session, "callback.dial", now=now, attempt_id=attempt.id)
    return True


def citizen_answered(session: Session, *, attempt_id: int, provider_id: str, now: datetime) -> bool:
    """Write down that the citizen is on the line; False when the try is over."""
    attempt = attempt_of(session, attempt_id)
    if RANK[AttemptState(attempt.state)] >= LAST_RANK or attempt.citizen_provider_id not in {None, provider_id}:
        return False
    service.attempt_update(
        session, attempt=attempt, now=now, state=AttemptState.CONNECTED, citizen_provider_id=provider_id
    )
    return True


def line_status(
    session: Session, *, attempt_id: int, party: str, status: str, provider_id: str, now: datetime, tz: tzinfo
) -> str | None:
    """Take the carrier's word about a callback's line, in whatever order it comes.

    Returns the carrier's id of the officer's line when it is to be hung up: the citizen did not answer. A keypad call
    that brought no answer counts as a citizen not reached, unless the carrier could not place it, and the next try is
    planned. Raises ``Invalid``.
    """
    state = LEG_STATE_OF_STATUS.get(status)
    if state is None or party not in {OFFICER, CITIZEN}:
        raise Invalid("不认识的线路状态", status=status, party=party)
    attempt = attempt_of(session, attempt_id)
    line = attempt.officer_provider_id if party == OFFICER else attempt.citizen_provider_id
    over = RANK[AttemptState(attempt.state)] >= LAST_RANK
    if over or state not in {LegState.ENDED, LegState.FAILED} or line not in {None, provider_id}:
        return None
    connected = attempt.state == AttemptState.CONNECTED
    missed = AttemptState.FAILED if status in _NOT_PLACED else AttemptState.NO_ANSWER
    if attempt.way == Way.KEYPAD:
        if not connected:
            service.attempt_update(session, attempt=attempt, now=now, state=missed)
        service.unreachable(session, attempt=attempt, actor=SYSTEM, now=now, tz=tz)
    elif connected:
        service.attempt_update(session, attempt=attempt, now=now, state=AttemptState.ENDED)
    elif party == CITIZEN:
        # whether to try again is the officer's word; the line is not in doubt
        service.attempt_update(session, attempt=attempt, now=now, state=missed)
        return attempt.officer_provider_id
    else:
        service.attempt_update(session, attempt=attempt, now=now, state=AttemptState.FAILED)
    return None


def newest_open_of(session: Session, phone: str | None) -> Callback | None:
    """Return the newest callback of this number that an order waits for, None when there is none or it is withheld."""
    mine = callers.with_phone(session, phone or "")
    if not mine:
        return None
    return session.scalar(
        select(Callback)
        .join(WorkOrder, WorkOrder.id == Callback.order_id)
        .where(WorkOrder.caller_id.in_(mine), WorkOrder.status == Status.TO_CALL_BACK, Callback.state.in_(OPEN))
        .order_by(Callback.created_at.desc(), Callback.id.desc())
        .limit(1)
    )
