"""Verbs on knowledge tasks: what the floor misses or finds wrong, until somebody has done it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.knowledge_base.models import Signal, Task
from hotline.knowledge_base.states import SignalKind, TaskState


def note(
    session: Session,
    *,
    kind: SignalKind,
    now: datetime,
    text: str = "",
    entry_id: int | None = None,
    call_id: int | None = None,
    user_id: int | None = None,
) -> Signal:
    """Note one time that knowledge failed somebody. What is about an entry joins the open task about that entry."""
    signal = Signal(kind=kind, text=text, call_id=call_id, entry_id=entry_id, user_id=user_id, at=now)
    if entry_id is not None:
        task = session.scalar(
            select(Task).where(Task.kind == kind, Task.entry_id == entry_id, Task.state == TaskState.OPEN)
        )
        if task is None:
            task = Task(kind=kind, entry_id=entry_id, count=0, first_at=now, last_at=now)
            session.add(task)
        task.count += 1
        task.last_at = now
        signal.task = task
    session.add(signal)
    session.flush()
    return signal
