"""Who gets which call: the caller longest in line to the operator longest idle, each row claimed before it is used.

Nobody runs this on a timer alone: whoever makes something change (a caller enters, an operator gets ready, a waiting
caller's line asks again) calls ``run`` in a transaction of its own, so it works without Redis and without a worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline import outbox
from hotline.accounts.service import Actor
from hotline.calls.events import locked_call, locked_presence, move_call, move_presence, note
from hotline.calls.models import Call, CallLeg, Presence
from hotline.calls.presence import lose_silent_desks
from hotline.calls.states import CallState, LegState, PresenceState, QueueKind, Track
from hotline.errors import NotAllowedNow

OFFER_LAPSES_AFTER: Final = timedelta(seconds=20)
UNANSWERED: Final = "未应答"
DECLINED: Final = "拒接"
LOOK_AT: Final = 50  # calls with a rare skill must not hide those behind them, nor a long queue cost a scan


@dataclass(frozen=True, slots=True)
class Offer:
    """A call that rings at an operator's desk."""

    call_id: int
    user_id: int


@dataclass(frozen=True, slots=True)
class Round:
    """What one run changed: new offers, and operators sent away (offer not answered, or desk lost)."""

    offers: tuple[Offer, ...] = ()
    sent_away: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """A call taken by an operator. ``message_id``: the outbox row that puts both together, worth acting on at once."""

    call_id: int
    leg_id: int
    message_id: int


def run(session: Session, *, now: datetime) -> Round:
    """Take back offers that lapsed, then offer as many waiting calls as there are idle operators for."""
    away = lapse_offers(session, now=now) + lose_silent_desks(session, now=now)
    offers = []
    while (offer := offer_next(session, now=now)) is not None:
        offers.append(offer)
    return Round(tuple(offers), tuple(away))


def offer_next(session: Session, *, now: datetime) -> Offer | None:
    """Offer the first caller in line for whom an operator with the skill is ready; None when there is no such pair."""
    idle = _idle(session)
    if not idle:
        return None
    waiting = session.execute(
        select(Call.id, Call.skill)
        .where(Call.state == CallState.WAITING, Call.place_at.is_not(None), Call.offered_to_id.is_(None))
        .order_by(Call.place_at, Call.id)
        .limit(LOOK_AT)
    ).all()
    for call_id, skill in waiting:
        fit = [user_id for user_id, skills in idle if not skill or skill in skills]
        offer = _claim(session, call_id, fit, now) if fit else None
        if offer is not None:
            return offer
    return None


def _idle(session: Session) -> list[tuple[int, list[str]]]:
    rows = session.execute(
        select(Presence.user_id, Presence.skills)
        .where(Presence.state == PresenceState.READY)
        .order_by(Presence.since, Presence.user_id)
    )
    return [(user_id, skills) for user_id, skills in rows]


def _claim(session: Session, call_id: int, users: list[int], now: datetime) -> Offer | None:
    """Take the call and the first of these operators nobody else is taking now. The conditions are checked on the
    locked rows: what was read before may have changed meanwhile."""
    call = session.scalar(
        select(Call)
        .where(Call.id == call_id, Call.state == CallState.WAITING, Call.offered_to_id.is_(None))
        .with_for_update(skip_locked=True, of=Call)
        .execution_options(populate_existing=True)
    )
    if call is None:
        return None
    for user_id in users:
        presence = session.scalar(
            select(Presence)
            .where(Presence.user_id == user_id, Presence.state == PresenceState.READY)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        )
        if presence is not None:
            call.offered_to_id = user_id
            move_presence(session, presence, PresenceState.OFFERED, now=now, call_id=call.id)
            note(session, call, QueueKind.OFFERED, now=now, user_id=user_id)
            session.flush()
            return Offer(call.id, user_id)
    return None


def accept(session: Session, *, actor: Actor, call_id: int, desk: str | None, now: datetime) -> Accepted:
    """Take the call offered to the actor. Raises ``NotAllowedNow`` when the offer is gone or the desk is elsewhere."""
    call, presence = _offered(session, actor, call_id, desk)
    call.offered_to_id = None
    call.operator_id = actor.user_id
    call.answered_at = call.answered_at or now
    move_call(call, CallState.TALKING)
    move_presence(session, presence, PresenceState.TALKING, now=now, call_id=call.id)
    note(session, call, QueueKind.ANSWERED, now=now, user_id=actor.user_id)
    leg = CallLeg(call_id=call.id, track=Track.OPERATOR, user_id=actor.user_id, state=LegState.PLANNED, started_at=now)
    session.add(leg)
    session.flush()
    message = outbox.add(session, "call.connect", now=now, call_id=call.id, leg_id=leg.id)
    return Accepted(call.id, leg.id, message.id)


def decline(session: Session, *, actor: Actor, call_id: int, desk: str | None, now: datetime) -> None:
    """Turn down the offered call: it keeps its place, the operator is away, so that it does not come straight back."""
    call, presence = _offered(session, actor, call_id, desk)
    _take_back(session, call, presence, kind=QueueKind.DECLINED, reason=DECLINED, now=now)


def _offered(session: Session, actor: Actor, call_id: int, desk: str | None) -> tuple[Call, Presence]:
    assert actor.user_id is not None
    call = locked_call(session, call_id)
    presence = locked_presence(session, actor.user_id)
    if call.offered_to_id != actor.user_id or presence is None or presence.state != PresenceState.OFFERED:
        raise NotAllowedNow("这通来电已不在等您接听", state=call.state)
    if desk is not None and presence.desk not in {"", desk}:
        raise NotAllowedNow("话务台已由另一个窗口接管", since=presence.desk_since, held=True)
    return call, presence


def lapse_offers(session: Session, *, now: datetime) -> list[int]:
    """Take back offers nobody answered within 20 s: the call keeps its place, the operator is away with the reason."""
    late = session.execute(
        select(Presence.user_id, Presence.call_id).where(
            Presence.state == PresenceState.OFFERED, Presence.since <= now - OFFER_LAPSES_AFTER
        )
    ).all()
    lapsed = []
    for user_id, call_id in late:
        assert call_id is not None  # an operator is offered some call
        call = locked_call(session, call_id)
        presence = locked_presence(session, user_id)
        if presence is not None and presence.state == PresenceState.OFFERED and call.offered_to_id == user_id:
            _take_back(session, call, presence, kind=QueueKind.OFFER_LAPSED, reason=UNANSWERED, now=now)
            lapsed.append(user_id)
    return lapsed


def _take_back(
    session: Session, call: Call, presence: Presence, *, kind: QueueKind, reason: str, now: datetime
) -> None:
    note(session, call, kind, now=now, user_id=presence.user_id)
    call.offered_to_id = None
    move_presence(session, presence, PresenceState.AWAY, now=now, reason=reason)
    session.flush()
