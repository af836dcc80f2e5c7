"""Writing the raw events, and reading rows that others may be changing at this moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.calls.models import Call, CallLeg, Presence, PresenceEvent, QueueEvent
from hotline.calls.states import CALL, PRESENCE, CallState, PresenceState, QueueKind
from hotline.errors import NotAllowedNow, NotFound


def note(
    session: Session, call: Call, kind: QueueKind, *, now: datetime, user_id: int | None = None, **details: Any
) -> None:
    """Add one raw event of a call's way."""
    session.add(QueueEvent(call_id=call.id, kind=kind, at=now, user_id=user_id, details=details))


def locked_call(session: Session, call_id: int) -> Call:
    """Return the call as it is now, held until the transaction ends. Raises ``NotFound``.

    Whoever takes a call and an operator in one transaction takes the call first, or both would wait for each other.
    """
    call = session.get(Call, call_id, with_for_update=True, populate_existing=True)
    if call is None:
        raise NotFound("没有这通电话")
    return call


def locked_presence(session: Session, user_id: int) -> Presence | None:
    """Return what the operator is doing, held until the transaction ends; None before the first time."""
    return session.get(Presence, user_id, with_for_update=True, populate_existing=True)


def leg_of(session: Session, leg_id: int) -> CallLeg:
    """Return a leg or raise ``NotFound``."""
    leg = session.get(CallLeg, leg_id)
    if leg is None:
        raise NotFound("没有这条线路")
    return leg


def leg_on(session: Session, call_id: int, track: str) -> CallLeg | None:
    """Return the newest leg of one party of a call."""
    return session.scalar(
        select(CallLeg).where(CallLeg.call_id == call_id, CallLeg.track == track).order_by(CallLeg.id.desc()).limit(1)
    )


def move_call(call: Call, to: CallState) -> None:
    """Change a call's state by the table, or raise ``NotAllowedNow``."""
    allowed = CALL[CallState(call.state)]
    if to not in allowed:
        raise NotAllowedNow("通话的当前状态不允许这样做", allowed=sorted(allowed), state=call.state)
    call.state = to


def move_presence(
    session: Session,
    presence: Presence,
    to: PresenceState,
    *,
    now: datetime,
    reason: str = "",
    call_id: int | None = None,
) -> None:
    """Change an operator's state by the table, with its event; ``call_id`` is now in hand. Raises ``NotAllowedNow``."""
    allowed = PRESENCE[PresenceState(presence.state)]
    if to not in allowed:
        raise NotAllowedNow("您的当前状态不允许这样做", allowed=sorted(allowed), state=presence.state)
    session.add(
        PresenceEvent(
            user_id=presence.user_id,
            from_state=presence.state,
            to_state=to,
            at=now,
            call_id=call_id or presence.call_id,
            reason=reason,
        )
    )
    presence.state = to
    presence.since = now
    presence.call_id = call_id
