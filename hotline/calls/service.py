"""Verbs on calls: how one arrives, waits, is heard, ends and is settled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from hotline import outbox
from hotline.accounts.service import Actor
from hotline.calls import arrivals
from hotline.calls.arrivals import Opened
from hotline.calls.events import leg_of, leg_on, locked_call, locked_presence, move_call, move_presence, note
from hotline.calls.models import Call, CallLeg, Utterance
from hotline.calls.states import (
    LEG_RANK,
    LEG_STATE_OF_STATUS,
    CallState,
    LegState,
    Outcome,
    PresenceState,
    QueueKind,
    Track,
)
from hotline.errors import Invalid, NotAllowedNow, NotPermitted

FIRST_IN_LINE: Final = 24 * 3600  # seconds credited to a caller whose operator's line fell
SETTLED_AS: Final = frozenset({Outcome.ANSWERED_ON_SPOT, Outcome.ORDERED, Outcome.NO_DEMAND})
LINE_FAULT: Final = "话机未接通"


@dataclass(frozen=True, slots=True)
class StreamLeg:
    """Which call a stream of sound belongs to, whose words it carries, and what the dialled number is there for."""

    call_id: int
    track: str
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """A call that is over (or was already), and the operators whose screens change with it."""

    call_id: int
    user_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class LegChange:
    """What the carrier's word about a line led to. ``message_id`` is an outbox row worth acting on at once."""

    call_id: int
    user_id: int | None = None
    message_id: int | None = None


def open_call(session: Session, *, provider_id: str, dialled: str, phone: str | None, now: datetime) -> Opened:
    """Write down that a call has come, or find it when it was told before (see ``arrivals.open_call``)."""
    return arrivals.open_call(
        session.connection(), arrivals.NumberBook(), provider_id=provider_id, dialled=dialled, phone=phone, now=now
    )


def enter_queue(session: Session, *, call_id: int, now: datetime) -> Call:
    """Let the call wait for a person. One that waits already, talks or has ended stays as it is."""
    call = locked_call(session, call_id)
    if call.state == CallState.GREETING:
        move_call(call, CallState.WAITING)
        call.queued_at = now
        call.place_at = now - timedelta(seconds=call.priority)
        note(session, call, QueueKind.ENTERED, now=now)
        session.flush()
    return call


def return_to_queue(session: Session, *, call_id: int, now: datetime, why: str) -> Call:
    """Put a caller whose operator's line fell back into the queue, first in line.

    The operator is freed: to wrap-up if they talked, else away, because their telephone does not answer. A call that
    is not being talked in, or was ended by its operator, stays as it is. ``why`` is a word for the raw event.
    """
    call = locked_call(session, call_id)
    if call.state != CallState.TALKING or call.closing_at is not None:
        return call
    leg = leg_on(session, call.id, Track.OPERATOR)
    talked = leg is not None and leg.answered_at is not None
    user_id = call.operator_id
    move_call(call, CallState.WAITING)
    call.operator_id = None
    call.priority = FIRST_IN_LINE
    call.place_at = (call.queued_at or now) - timedelta(seconds=FIRST_IN_LINE)
    note(session, call, QueueKind.RETURNED, now=now, user_id=user_id, why=why)
    _free(session, user_id, call, now=now, talked=talked)
    if leg is not None and LEG_RANK[LegState(leg.state)] < LEG_RANK[LegState.ENDED]:
        _end_leg(leg, LegState.FAILED, now)
    session.flush()
    return call


def _free(session: Session, user_id: int | None, call: Call, *, now: datetime, talked: bool) -> None:
    """Let the operator go who talks in this call; one who is already elsewhere stays there."""
    presence = locked_presence(session, user_id) if user_id is not None else None
    if presence is None or presence.state != PresenceState.TALKING or presence.call_id != call.id:
        return
    move_presence(session, presence, PresenceState.WRAP_UP, now=now, call_id=call.id)
    if not talked:
        move_presence(session, presence, PresenceState.AWAY, now=now, reason=LINE_FAULT)


def end_call(session: Session, *, call_id: int, actor: Actor, now: datetime) -> int | None:
    """Let the operator end the conversation: wrap-up begins, the caller is thanked.

    Returns the id of the outbox row that hangs up the operator's line (None when there is none to hang up). Raises
    ``NotPermitted`` for another operator's call. Ending it again changes nothing.
    """
    call = locked_call(session, call_id)
    if call.operator_id != actor.user_id:
        raise NotPermitted("这不是您正在接听的电话")
    if call.state != CallState.TALKING or call.closing_at is not None:
        return None
    call.closing_at = now
    _free(session, call.operator_id, call, now=now, talked=True)
    leg = leg_on(session, call.id, Track.OPERATOR)
    if leg is None or LEG_RANK[LegState(leg.state)] >= LEG_RANK[LegState.ENDED]:
        return None
    return outbox.add(session, "call.hang_up", now=now, call_id=call.id, leg_id=leg.id).id


def caller_gone(session: Session, *, provider_id: str, now: datetime) -> Ended | None:
    """Write down that the caller's line is closed; None when no such call is known.

    Says how it ended: during the greeting, while waiting, while being put through, or after talk. An offer is
    withdrawn, the operator goes to wrap-up, and a line that still rings for this caller is hung up.
    """
    call_id = session.scalar(select(Call.id).where(Call.provider_id == provider_id))
    if call_id is None:
        return None
    call = locked_call(session, call_id)
    if call.state == CallState.ENDED:
        return Ended(call.id)
    users = tuple(user for user in {call.offered_to_id, call.operator_id} if user is not None)
    caller_leg = leg_on(session, call.id, Track.CALLER)
    if caller_leg is not None:
        _end_leg(caller_leg, LegState.ENDED, now)
    operator_leg = leg_on(session, call.id, Track.OPERATOR)
    talked = operator_leg is not None and operator_leg.answered_at is not None
    if operator_leg is not None and LEG_RANK[LegState(operator_leg.state)] < LEG_RANK[LegState.ENDED]:
        outbox.add(session, "call.hang_up", now=now, call_id=call.id, leg_id=operator_leg.id)
    if not call.outcome:
        call.outcome = _outcome(call, talked=talked)
    if call.outcome in {Outcome.ABANDONED_GREETING, Outcome.ABANDONED}:
        note(session, call, QueueKind.ABANDONED, now=now, during=call.state)
    note(session, call, QueueKind.ENDED, now=now)
    withdraw_offer(session, call, now=now)
    _free(session, call.operator_id, call, now=now, talked=True)
    move_call(call, CallState.ENDED)
    call.ended_at = now
    session.flush()
    return Ended(call.id, users)


def _outcome(call: Call, *, talked: bool) -> Outcome:
    if call.state == CallState.GREETING:
        return Outcome.ABANDONED_GREETING
    return Outcome.NO_DEMAND if talked else Outcome.ABANDONED


def withdraw_offer(session: Session, call: Call, *, now: datetime) -> None:
    """Take the call back from the operator it is offered to, if any; they are ready as before."""
    presence = locked_presence(session, call.offered_to_id) if call.offered_to_id is not None else None
    call.offered_to_id = None
    if presence is not None and presence.state == PresenceState.OFFERED and presence.call_id == call.id:
        move_presence(session, presence, PresenceState.READY, now=now)


def operator_answered(session: Session, *, leg_id: int, provider_id: str, now: datetime) -> Call | None:
    """Write down that the operator's line is open; returns the call to join, None when nobody waits there any more.

    A second line for the same leg (a dial repeated after a crash) is told None too: the first one has the call.
    """
    leg = leg_of(session, leg_id)
    call = locked_call(session, leg.call_id)
    session.refresh(leg)
    gone = LEG_RANK[LegState(leg.state)] >= LEG_RANK[LegState.ENDED]
    wanted = call.state == CallState.TALKING and call.operator_id == leg.user_id and call.closing_at is None
    if gone or not wanted or leg.provider_id not in {None, provider_id}:
        return None
    if leg.state != LegState.LIVE:
        leg.provider_id = provider_id
        leg.state = LegState.LIVE
        leg.answered_at = now
        note(session, call, QueueKind.CONNECTED, now=now, user_id=leg.user_id)
        session.flush()
    return call


def operator_joined(session: Session, *, provider_id: str, now: datetime) -> None:
    """Write down that an operator's line is in the conference with its caller; other lines there are of no interest."""
    leg = session.scalar(
        select(CallLeg).where(CallLeg.provider_id == provider_id, CallLeg.track == Track.OPERATOR).with_for_update()
    )
    if leg is not None and leg.joined_at is None:
        leg.joined_at = now
        session.flush()


def operator_leg_status(session: Session, *, leg_id: int, status: str, provider_id: str, now: datetime) -> LegChange:
    """Take the carrier's word about an operator's line, in whatever order it comes.

    A line that never came into the conference sends the caller back to the queue; ``message_id`` is then the outbox
    row that fetches them. Raises ``Invalid`` for a status no carrier has.
    """
    state = LEG_STATE_OF_STATUS.get(status)
    if state is None:
        raise Invalid("不认识的线路状态", status=status)
    leg = leg_of(session, leg_id)
    call = locked_call(session, leg.call_id)
    session.refresh(leg)
    if leg.provider_id not in {None, provider_id} or LEG_RANK[state] <= LEG_RANK[LegState(leg.state)]:
        return LegChange(call.id, leg.user_id)
    leg.provider_id = provider_id
    if state == LegState.LIVE:
        # the line's own request for instructions says when the operator is really there
        return LegChange(call.id, leg.user_id)
    if LEG_RANK[state] < LEG_RANK[LegState.ENDED]:
        leg.state = state
        return LegChange(call.id, leg.user_id)
    _end_leg(leg, state, now)
    theirs = call.state == CallState.TALKING and call.operator_id == leg.user_id and call.closing_at is None
    if not theirs or leg.joined_at is not None:
        return LegChange(call.id, leg.user_id)  # a conference ends with its operator, and the caller's line asks on
    return_to_queue(session, call_id=call.id, now=now, why=status)
    row = outbox.add(session, "call.connect", now=now, call_id=call.id, leg_id=leg.id)
    return LegChange(call.id, leg.user_id, row.id)


def _end_leg(leg: CallLeg, state: LegState, now: datetime) -> None:
    leg.state = state
    leg.ended_at = now


def after_talk(session: Session, *, call_id: int, now: datetime) -> bool:
    """Say what becomes of a caller whose conference is over: True, they are thanked; False, they wait again.

    They wait again, first in line, when the operator neither ended the call nor recorded what became of it.
    """
    call = locked_call(session, call_id)
    if call.state != CallState.TALKING or call.closing_at is not None or call.outcome:
        return call.state != CallState.WAITING
    return_to_queue(session, call_id=call_id, now=now, why="operator-gone")
    return False


def resolve(session: Session, *, call_id: int, outcome: str, actor: Actor, now: datetime) -> Call:
    """Record what became of a conversation: ``answered``, ``ordered`` or ``no_demand``.

    One call may give several orders, so the last word counts, but ``ordered`` is not taken back. What a caller said
    while waiting may become an order though they hung up before the lines were joined: the call then stays abandoned.
    Raises ``Invalid``, ``NotPermitted`` (another operator's call) or ``NotAllowedNow`` (nobody has talked yet).
    """
    if outcome not in SETTLED_AS:
        raise Invalid("没有这种通话结果", outcome=f"可选：{'、'.join(sorted(SETTLED_AS))}")
    call = locked_call(session, call_id)
    gone_before = call.outcome == Outcome.ABANDONED
    never_talked = call.operator_id is None or (gone_before and outcome != Outcome.ORDERED)
    if never_talked or call.state not in {CallState.TALKING, CallState.ENDED}:
        raise NotAllowedNow("通话还没有接通", state=call.state)
    if call.operator_id != actor.user_id:
        raise NotPermitted("这不是您接听的电话")
    if call.outcome != Outcome.ORDERED and not gone_before:
        call.outcome = outcome
    session.flush()
    return call


def stream_started(session: Session, *, leg_id: int, now: datetime) -> StreamLeg:
    """Write down that a leg's sound has begun. Raises ``NotFound``, or ``NotAllowedNow`` when the leg has ended."""
    leg = leg_of(session, leg_id)
    if LEG_RANK[LegState(leg.state)] >= LEG_RANK[LegState.ENDED]:
        raise NotAllowedNow("线路已经结束", state=leg.state)
    leg.stream_started_at = now  # a stream begun anew counts its milliseconds anew
    leg.stream_ended_at = None
    session.flush()
    call = session.get_one(Call, leg.call_id)
    return StreamLeg(leg.call_id, leg.track, tuple(call.number.subjects) if call.number is not None else ())


def stream_ended(session: Session, *, leg_id: int, frames: int, dropped: int, now: datetime) -> None:
    """Add what one stream of a leg carried; a leg may have had several."""
    leg = leg_of(session, leg_id)
    leg.frames += frames
    leg.frames_dropped += dropped
    leg.stream_ended_at = now
    session.flush()


def stream_lost(session: Session, *, provider_id: str, now: datetime) -> int | None:
    """Take the carrier's word that a line's stream is over: a media process that died cannot say so itself.

    Returns the call whose screens change; None when the line is unknown or closed, or the end is written down already.
    """
    leg = session.scalar(select(CallLeg).where(CallLeg.provider_id == provider_id).with_for_update())
    if leg is None or leg.stream_ended_at is not None or LEG_RANK[LegState(leg.state)] >= LEG_RANK[LegState.ENDED]:
        return None
    leg.stream_ended_at = now
    session.flush()
    return leg.call_id


def record_utterance(
    session: Session, *, leg_id: int, text: str, start_ms: int, end_ms: int, now: datetime, key: str | None = None
) -> Utterance:
    """Keep final words of one leg. Times are milliseconds since the leg's stream began; kept since the call began.

    ``key`` (32 characters at most) names these very words: given a second time, nothing is written and the first row
    returned.
    """
    leg = leg_of(session, leg_id)
    started_at = session.scalar(select(Call.started_at).where(Call.id == leg.call_id))
    assert started_at is not None  # a leg without its call cannot be
    offset = round(((leg.stream_started_at or now) - started_at).total_seconds() * 1000)
    key = key or uuid4().hex
    words = {
        "call_id": leg.call_id,
        "leg_id": leg.id,
        "key": key,
        "track": leg.track,
        "text": text,
        "start_ms": offset + start_ms,
        "end_ms": offset + end_ms,
        "created_at": now,
    }
    # the first write may still be on its way into the database: the constraint waits for it, a look would not
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(Utterance).values(words).on_conflict_do_nothing())
    return session.scalars(select(Utterance).where(Utterance.key == key)).one()
