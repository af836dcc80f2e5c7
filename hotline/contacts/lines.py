"""The telephone side: whom to ring next, what a line's fate means. Read, close, ask the carrier, record.

Safe to run twice. Whoever leaves ends the call for both: the conference does, and a line that rings is hung up.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline import outbox
from hotline.calls.links import Links
from hotline.calls.states import LEG_STATE_OF_STATUS, LegState
from hotline.contacts import queries, service
from hotline.contacts.models import ContactCall
from hotline.contacts.states import LAST_RANK, OPEN, RANK, ContactState
from hotline.db import SessionFactory, session_scope
from hotline.errors import Invalid
from hotline.outbox import OutboxMessage
from hotline.telephony.base import CarrierRefused, CarrierUnreachable, Telephony
from hotline.work_orders.models import WorkOrder

log = logging.getLogger(__name__)

UNIT: Final = "unit"
CITIZEN: Final = "citizen"
RING_FOR_S: Final = 40
# since the call was asked for: a unit that is rung at the end of its span and picks up is still within the citizen's
TRY_FOR: Final = {UNIT: timedelta(minutes=2), CITIZEN: timedelta(minutes=3)}
RING_AGAIN: Final = timedelta(seconds=45)  # longer than a telephone rings: it may, though the carrier gave no answer
FORGOTTEN: Final = timedelta(hours=2)  # a call whose end the carrier never told


def dial(
    sessions: SessionFactory, telephony: Telephony, links: Links, *, contact_id: int, caller_id: str, now: datetime
) -> None:
    """Ring whoever is to be rung next: the unit's side, then, once it is on the line, the citizen.

    ``caller_id`` is the hotline's own number. Nothing happens when that line was rung already or the call is over. The
    call ends when the unit may not call any more, when trying has gone on long enough, or when the carrier refuses.
    Raises ``NotFound`` and ``CarrierUnreachable``.
    """
    with session_scope(sessions) as session:
        call = service.call_of(session, contact_id)
        party = _next(call)
        if party is None:
            return
        number = _number(session, call, party) if now < call.asked_at + TRY_FOR[party] else None
        waits = call.unit_line if party == CITIZEN else None
        if number is None:
            service.move(call, ContactState.FAILED, now=now)
    if number is None:
        if waits is not None:
            send_away(telephony, links, contact_id=contact_id, line=waits)
        return
    try:
        line = telephony.dial(
            to=number,
            caller_id=caller_id,
            url=links.contact(contact_id, party),
            status_url=links.contact_status(contact_id, party),
            timeout_s=RING_FOR_S,
        )
    except CarrierRefused:
        with session_scope(sessions) as session:
            call = service.call_of(session, contact_id)
            service.move(call, ContactState.FAILED, now=now)
            other = call.unit_line if party == CITIZEN else None
        if other is not None:
            hang_up(telephony, other)
        return
    with session_scope(sessions) as session:
        call = service.call_of(session, contact_id)
        if party == UNIT:
            call.unit_line = call.unit_line or line
        else:
            call.citizen_line = call.citizen_line or line
        over = RANK[ContactState(call.state)] == LAST_RANK
    if over:  # the unit's side left while the citizen's telephone was asked for
        hang_up(telephony, line)


def _next(call: ContactCall) -> str | None:
    """Return the side that is to be rung; None while one rings, both talk, or the call is over."""
    if call.state == ContactState.ASKED and call.unit_line is None:
        return UNIT
    if call.state == ContactState.JOINED and call.citizen_line is None:
        return CITIZEN
    return None


def _number(session: Session, call: ContactCall, party: str) -> str | None:
    """Return the number to ring; None when the unit may not call this citizen any more."""
    if not queries.still_may_call(session, call):
        return None
    return call.phone if party == UNIT else queries.citizens_number(session.get_one(WorkOrder, call.order_id))


def ring_again(session: Session, *, contact_id: int, now: datetime) -> None:
    """Let the side for which the carrier gave no line be rung again soon; nothing for a call that needs it no more.

    The outbox's own plan would go on for hours, and a person waits at the telephone for this.
    """
    call = service.call_of(session, contact_id)
    party = _next(call)
    others = select(OutboxMessage.id).where(
        OutboxMessage.topic == service.TOPIC,
        OutboxMessage.payload["contact_id"].as_integer() == contact_id,
        OutboxMessage.settled_at.is_(None),
    )
    # a telephone may ring although the carrier gave no answer, and its answer is a row of its own: that one goes on
    if party is None or session.scalar(others.limit(1)) is not None:
        return
    due = min(now + RING_AGAIN, call.asked_at + TRY_FOR[party])
    outbox.add(session, service.TOPIC, now=now, due=due, contact_id=contact_id)


def send_away(telephony: Telephony, links: Links, *, contact_id: int, line: str) -> None:
    """Let the unit's side, which waits on its line, be told why nobody is put through, and end that line.

    Nothing is raised: where the carrier cannot, they hear silence and hang up.
    """
    try:
        telephony.redirect(line, links.contact_over(contact_id))
    except (CarrierRefused, CarrierUnreachable) as fault:
        log.warning("the unit's line of a contact call not ended: %s", type(fault).__name__)


def hang_up(telephony: Telephony, line: str) -> None:
    """End a line at the carrier; one that has ended is no error. Raises ``CarrierUnreachable``."""
    try:
        telephony.hang_up(line)
    except CarrierRefused as fault:
        log.warning("a line of a contact call not hung up: %s", type(fault).__name__)


def unit_answered(session: Session, *, contact_id: int, provider_id: str, now: datetime) -> bool:
    """Write down that the unit's side is on the line and let the citizen be rung; False when the call is over, or
    another line of this side has it. It is over, too, when the unit may not call any more."""
    call = service.call_of(session, contact_id)
    if RANK[ContactState(call.state)] == LAST_RANK or call.unit_line not in {None, provider_id}:
        return False
    call.unit_line = provider_id
    if call.state == ContactState.ASKED and not queries.still_may_call(session, call):
        service.move(call, ContactState.FAILED, now=now)
        session.flush()
        return False
    if service.move(call, ContactState.JOINED, now=now):
        outbox.add(session, service.TOPIC, now=now, contact_id=call.id)
    session.flush()
    return True


def citizen_answered(session: Session, *, contact_id: int, provider_id: str, now: datetime) -> bool:
    """Write down that the citizen is on the line; False when the call is over."""
    call = service.call_of(session, contact_id)
    if RANK[ContactState(call.state)] == LAST_RANK or call.citizen_line not in {None, provider_id}:
        return False
    call.citizen_line = provider_id
    service.move(call, ContactState.CONNECTED, now=now)
    session.flush()
    return True


def line_status(
    session: Session, *, contact_id: int, party: str, status: str, provider_id: str, now: datetime
) -> str | None:
    """Take the carrier's word about one side's line, in whatever order it comes.

    Returns the carrier's id of the other side's line when that is to be hung up. Raises ``Invalid``, ``NotFound``.
    """
    state = LEG_STATE_OF_STATUS.get(status)
    if state is None or party not in {UNIT, CITIZEN}:
        raise Invalid("不认识的线路状态", status=status, party=party)
    call = service.call_of(session, contact_id)
    line = call.unit_line if party == UNIT else call.citizen_line
    if state not in {LegState.ENDED, LegState.FAILED} or line not in {None, provider_id}:
        return None
    if call.state == ContactState.CONNECTED:
        end = ContactState.ENDED
    else:
        end = ContactState.NO_ANSWER if party == CITIZEN else ContactState.UNIT_AWAY
    if not service.move(call, end, now=now):
        return None
    session.flush()
    return call.citizen_line if party == UNIT else call.unit_line


def forget(session: Session, *, now: datetime) -> list[tuple[int, str]]:
    """End calls whose end the carrier never told, and those in which nobody was put through in the time there is for
    it, so that their people can ask for another.

    Returns, by call, the lines on which somebody still waits.
    """
    waiting: list[tuple[int, str]] = []
    old = select(ContactCall.id).where(ContactCall.state.in_(OPEN), ContactCall.asked_at <= now - TRY_FOR[CITIZEN])
    for contact_id in session.scalars(old.order_by(ContactCall.id)).all():
        call = service.call_of(session, contact_id)
        if call.state == ContactState.JOINED and call.citizen_line is None and call.unit_line is not None:
            waiting.append((call.id, call.unit_line))
        elif call.state != ContactState.ASKED and call.asked_at > now - FORGOTTEN:
            continue  # the citizen is rung, or both talk
        service.move(call, ContactState.FAILED, now=now)
    return waiting
