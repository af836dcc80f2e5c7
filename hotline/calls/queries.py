"""Reads on calls. What a person may see is decided here: the hub sees calls, nobody else does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from hotline.accounts.models import User
from hotline.accounts.roles import HUB
from hotline.accounts.service import Actor
from hotline.callers import queries as callers
from hotline.calls.models import Call, CallLeg, Presence, PresenceEvent, QueueEvent, Utterance
from hotline.calls.states import CallState, QueueKind
from hotline.errors import NotFound
from hotline.knowledge_base.models import Suggestion
from hotline.knowledge_base.queries import suggestions_of_call

RECENT: Final = timedelta(minutes=30)
ENOUGH_ANSWERS: Final = 3  # fewer say nothing about how long the next one takes


@dataclass(frozen=True, slots=True)
class WaitFacts:
    """What a waiting caller may be told. ``expected_s`` None: not enough has happened to say anything honest."""

    ahead: int
    expected_s: int | None
    ringing: bool  # an operator is being offered this call now


@dataclass(frozen=True, slots=True)
class QueueNow:
    """The queue at this moment. ``longest_s`` is 0 when nobody waits."""

    waiting: int
    longest_s: int


def wait_facts(session: Session, call: Call, *, now: datetime) -> WaitFacts:
    """Return place and expected wait, from how fast callers were answered in the last half hour."""
    ahead = session.scalar(
        select(func.count())
        .select_from(Call)
        .where(
            Call.state == CallState.WAITING,
            (Call.place_at < call.place_at) | ((Call.place_at == call.place_at) & (Call.id < call.id)),
        )
    )
    assert ahead is not None  # count() always gives a number
    answered, first = session.execute(
        select(func.count(), func.min(QueueEvent.at)).where(
            QueueEvent.kind == QueueKind.ANSWERED, QueueEvent.at > now - RECENT
        )
    ).one()
    expected = None
    if answered >= ENOUGH_ANSWERS:
        since = first if first.tzinfo else first.replace(tzinfo=now.tzinfo)
        expected = round((ahead + 1) * (now - since).total_seconds() / answered)
    return WaitFacts(ahead, expected, ringing=call.offered_to_id is not None)


def queue_now(session: Session, *, now: datetime) -> QueueNow:
    """Return how many wait and how long the longest has."""
    since = list(session.scalars(select(Call.queued_at).where(Call.state == CallState.WAITING)))
    longest = max(((now - at).total_seconds() for at in since if at is not None), default=0.0)
    return QueueNow(len(since), int(longest))


def by_provider_id(session: Session, provider_id: str) -> Call | None:
    """Return the call the carrier knows by this id; for the carrier's own webhooks."""
    return session.scalar(select(Call).where(Call.provider_id == provider_id))


def visible_to(session: Session, actor: Actor, call_id: int) -> Call:
    """Return a call with its caller and number. Raises ``NotFound`` for roles outside the hub."""
    return _visible(session, actor, Call.id == call_id)


def visible_by_provider_id(session: Session, actor: Actor, provider_id: str) -> Call:
    """Return a call by the carrier's id, or raise ``NotFound`` as ``visible_to`` does."""
    wanted = provider_id.replace("\0", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL refuses to look for a zero byte
    return _visible(session, actor, Call.provider_id == wanted)


def _visible(session: Session, actor: Actor, condition: object) -> Call:
    call = None
    if actor.role in HUB:
        call = session.scalar(
            select(Call).where(condition).options(joinedload(Call.caller), joinedload(Call.number))  # type: ignore[arg-type]
        )
    if call is None:
        raise NotFound("没有这通电话")
    return call


def is_own_open(session: Session, actor: Actor, call: Call) -> bool:
    """Whether the actor has this call in hand now: offered, talking, or still in wrap-up."""
    presence = session.get(Presence, actor.user_id) if actor.user_id is not None else None
    return presence is not None and presence.call_id == call.id


def in_hand(session: Session, actor: Actor) -> Call | None:
    """Return the call the actor is offered, talks in or wraps up; None otherwise."""
    return session.scalar(
        select(Call)
        .join(Presence, Presence.call_id == Call.id)
        .where(Presence.user_id == actor.user_id)
        .options(joinedload(Call.caller), joinedload(Call.number))
    )


def presence_of(session: Session, user_id: int) -> Presence | None:
    """Return what one operator is doing; None before the first time."""
    return session.get(Presence, user_id)


def why_away(session: Session, user_id: int) -> str:
    """Return why an operator last changed state, in words; empty when no reason was given."""
    last = select(PresenceEvent.reason).where(PresenceEvent.user_id == user_id).order_by(PresenceEvent.id.desc())
    return session.scalar(last.limit(1)) or ""


def operators(session: Session) -> list[tuple[User, Presence]]:
    """Return every operator who has been at a desk, with what they are doing, by name."""
    rows = session.execute(
        select(User, Presence)
        .join(Presence, Presence.user_id == User.id)
        .where(User.active)
        .order_by(User.display_name)
    )
    return [(user, presence) for user, presence in rows]


def earlier_calls(session: Session, call: Call, *, limit: int = 10) -> list[Call]:
    """Return calls of the same number before this one, newest first. Withheld numbers have none."""
    same = callers.same_person(session, call.caller)
    return list(
        session.scalars(
            select(Call)
            .where(Call.caller_id.in_(same), Call.id < call.id)
            .order_by(Call.started_at.desc(), Call.id.desc())
            .limit(limit)
        )
    )


def taken_by(session: Session, actor: Actor, *, since: datetime, limit: int = 50) -> list[Call]:
    """Return the calls the actor answered since a moment and still has to their name, newest first."""
    return list(
        session.scalars(
            select(Call)
            .where(Call.operator_id == actor.user_id, Call.answered_at >= since)
            .options(joinedload(Call.caller))
            .order_by(Call.answered_at.desc(), Call.id.desc())
            .limit(limit)
        )
    )


def utterances(session: Session, call_id: int, *, after_id: int = 0) -> list[Utterance]:
    """Return what was heard in a call, in the order it was said; ``after_id``: only rows written since."""
    return list(
        session.scalars(
            select(Utterance)
            .where(Utterance.call_id == call_id, Utterance.id > after_id)
            .order_by(Utterance.start_ms, Utterance.id)
        )
    )


def suggestions_now(session: Session, call: Call) -> list[Suggestion]:
    """Return what is suggested to the operator now, best first, with its entries."""
    by_entry = {row.entry_id: row for row in suggestions_of_call(session, call.id)}
    return [by_entry[entry_id] for entry_id in call.suggested if entry_id in by_entry]


def events(session: Session, call_id: int) -> list[QueueEvent]:
    """Return the raw events of a call in order."""
    return list(
        session.scalars(select(QueueEvent).where(QueueEvent.call_id == call_id).order_by(QueueEvent.at, QueueEvent.id))
    )


def legs(session: Session, call_id: int) -> list[CallLeg]:
    """Return the lines of a call, oldest first."""
    return list(session.scalars(select(CallLeg).where(CallLeg.call_id == call_id).order_by(CallLeg.id)))
