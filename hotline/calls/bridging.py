"""Putting caller and operator together over the carrier: read, close, ask the carrier, record.

No transaction is open while the network is asked, and every function is safe to run twice: the desk acts right after
its commit, the worker is the safety net.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from hotline import outbox
from hotline.accounts.models import User
from hotline.calls.events import leg_of, leg_on, locked_call
from hotline.calls.links import Links
from hotline.calls.models import Call, CallLeg
from hotline.calls.service import return_to_queue
from hotline.calls.states import LEG_RANK, CallState, LegState, Track
from hotline.db import SessionFactory, session_scope
from hotline.telephony.base import CarrierRefused, CarrierUnreachable, Telephony

log = logging.getLogger(__name__)

RING_FOR_S: Final = 20
NO_LINE: Final = "您的话机没有接通，来电已回到队列最前"


@dataclass(frozen=True, slots=True)
class Bridged:
    """What came of it. ``ok`` False: the call is back in the queue and ``message`` is for the operator ``user_id``."""

    ok: bool
    call_id: int
    user_id: int | None
    message: str = ""


@dataclass(frozen=True, slots=True)
class _Plan:
    caller_line: str
    seat: str  # empty: the operator's line is open or ringing already
    shown_number: str
    back: bool  # the operator's line is gone: fetch the caller from the conference


def run_now(
    sessions: SessionFactory, telephony: Telephony, links: Links, *, message_id: int, now_fn: Callable[[], datetime]
) -> Bridged | None:
    """Act at once on a row this process just committed (``call.connect`` or ``call.hang_up``) and settle it.

    None after a hang-up, and when another has the row in hand or is done with it.
    """
    with session_scope(sessions) as session:
        row = outbox.claim_one(session, message_id, now=now_fn())
        if row is None:
            return None
        topic, leg_id = row.topic, int(row.payload["leg_id"])
    done = None
    if topic == "call.connect":
        done = connect(sessions, telephony, links, leg_id=leg_id, now_fn=now_fn)
    else:
        try:
            hang_up(sessions, telephony, leg_id=leg_id)
        except CarrierUnreachable as fault:
            with session_scope(sessions) as session:
                outbox.postpone(session, message_id, now=now_fn(), error=type(fault).__name__)
            return None
    with session_scope(sessions) as session:
        outbox.settle(session, message_id, now=now_fn())
    return done


def connect(
    sessions: SessionFactory, telephony: Telephony, links: Links, *, leg_id: int, now_fn: Callable[[], datetime]
) -> Bridged:
    """Make the carrier agree with what is written about this operator's leg.

    A planned leg is rung and its caller brought into the conference; the caller of a failed leg is fetched back into
    the queue. When the carrier will not or cannot, the call is first in line again and the operator is told why.
    Raises ``NotFound`` for an unknown leg.
    """
    with session_scope(sessions) as session:
        leg = leg_of(session, leg_id)
        call_id, user_id = leg.call_id, leg.user_id
        plan = _plan(session, leg)
    if plan is None:
        return Bridged(True, call_id, user_id)
    try:
        if plan.seat:
            line = telephony.dial(
                to=f"client:{plan.seat}",
                caller_id=plan.shown_number,
                url=links.operator(leg_id),
                status_url=links.leg_status(leg_id),
                timeout_s=RING_FOR_S,
            )
            _record_ringing(sessions, leg_id, line)
        telephony.redirect(plan.caller_line, links.again() if plan.back else links.bridge())
    except (CarrierRefused, CarrierUnreachable) as fault:
        log.warning("call %s leg %s not connected: %s", call_id, leg_id, type(fault).__name__)
        return _give_back(sessions, telephony, leg_id, type(fault).__name__, now_fn())
    return Bridged(True, call_id, user_id)


def _plan(session: Session, leg: CallLeg) -> _Plan | None:
    """What is to be asked of the carrier; None when the call has moved on and nothing is."""
    call = session.get_one(Call, leg.call_id)
    caller_leg = leg_on(session, call.id, Track.CALLER)
    user = session.get(User, leg.user_id) if leg.user_id is not None else None
    if caller_leg is None or caller_leg.provider_id is None or user is None:
        return None
    over = LEG_RANK[LegState(leg.state)] >= LEG_RANK[LegState.ENDED]
    waits_again = over and call.state == CallState.WAITING
    wanted = not over and call.state == CallState.TALKING and call.closing_at is None
    if not waits_again and not wanted:
        return None
    ring = wanted and leg.state == LegState.PLANNED and leg.provider_id is None
    return _Plan(caller_leg.provider_id, user.seat if ring else "", call.dialled, back=waits_again)


def _record_ringing(sessions: SessionFactory, leg_id: int, line: str) -> None:
    with session_scope(sessions) as session:
        leg = leg_of(session, leg_id)
        locked_call(session, leg.call_id)
        session.refresh(leg)
        if leg.provider_id is None:  # the line's own webhook may have been quicker
            leg.provider_id = line
        if leg.state == LegState.PLANNED:
            leg.state = LegState.RINGING


def _give_back(sessions: SessionFactory, telephony: Telephony, leg_id: int, why: str, now: datetime) -> Bridged:
    with session_scope(sessions) as session:
        leg = leg_of(session, leg_id)
        line, user_id = leg.provider_id, leg.user_id
        call = return_to_queue(session, call_id=leg.call_id, now=now, why=why)
        call_id = call.id
    if line is not None:
        try:
            telephony.hang_up(line)
        except (CarrierRefused, CarrierUnreachable) as fault:
            # it stops ringing by itself, and when answered is told that nobody waits there
            log.warning("leg %s not hung up: %s", leg_id, type(fault).__name__)
    return Bridged(False, call_id, user_id, NO_LINE)


def hang_up(sessions: SessionFactory, telephony: Telephony, *, leg_id: int) -> None:
    """End one leg's line at the carrier; a line that never was, or has ended, is no error.

    The carrier's status callback writes down that it is over. Raises ``NotFound`` and ``CarrierUnreachable``.
    """
    with session_scope(sessions) as session:
        line = leg_of(session, leg_id).provider_id
    if line is None:
        return
    try:
        telephony.hang_up(line)
    except CarrierRefused as fault:
        log.warning("leg %s not hung up: %s", leg_id, type(fault).__name__)
