"""The caller on hold. The carrier does it; here is written down when, so that hold time can be recounted."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.calls.events import locked_call, note
from hotline.calls.models import QueueEvent
from hotline.calls.states import CallState, QueueKind

# a caller who waits again, or is put through again, is on hold no more
_TELLING: Final = (QueueKind.HELD, QueueKind.RESUMED, QueueKind.RETURNED, QueueKind.CONNECTED)


def note_hold(session: Session, *, call_id: int, on: bool, actor: Actor, now: datetime) -> bool:
    """Write down that the operator put the caller on hold, or took them off; whether a row was added.

    Said twice, it is one row. Nothing is added once the conversation is over. A hold lasts until the next ``resumed``
    of the call, or else until the conversation ends: ``returned``, ``Call.closing_at`` or ``ended``, whichever comes
    first. Raises ``NotFound``.
    """
    call = locked_call(session, call_id)  # two of them at once would both find nothing said yet
    if call.state != CallState.TALKING or call.closing_at is not None:
        return False
    last = session.scalar(
        select(QueueEvent.kind)
        .where(QueueEvent.call_id == call.id, QueueEvent.kind.in_(_TELLING))
        .order_by(QueueEvent.id.desc())
        .limit(1)
    )
    if on == (last == QueueKind.HELD):
        return False
    note(session, call, QueueKind.HELD if on else QueueKind.RESUMED, now=now, user_id=actor.user_id)
    session.flush()
    return True
