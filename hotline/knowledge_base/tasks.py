"""Verbs on knowledge tasks: what the floor misses or finds wrong, until somebody has done it.

What is about an entry joins the open task about that entry at once; what was asked without an answer is put with
what is alike off the request path (see ``learning``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotAllowedNow, NotFound
from hotline.knowledge_base import rows
from hotline.knowledge_base.language.alike import SAME, likeness, marks_of
from hotline.knowledge_base.language.scrub import scrub
from hotline.knowledge_base.models import Entry, Offer, Signal, Task, Version
from hotline.knowledge_base.states import TASK, SignalKind, TaskAction, TaskState

ABOUT_ENTRIES: Final = (SignalKind.WRONG, SignalKind.REVIEW)
UNANSWERED: Final = (SignalKind.NO_RESULT, SignalKind.NO_ENTRY)
OPEN: Final = (TaskState.OPEN, TaskState.STARTED)
_ASKS: Final = re.compile("[\u4e00-\u9fff]{2}")
TOLD_CHARS: Final = 400
TYPING: Final = timedelta(minutes=2)  # so long a search that goes on from another is the same one


def note(
    session: Session,
    *,
    kind: SignalKind,
    now: datetime,
    text: str = "",
    told: str = "",
    entry_id: int | None = None,
    call_id: int | None = None,
    user_id: int | None = None,
) -> Signal:
    """Note one time that knowledge failed somebody, once for each call and matter.

    ``text`` is what was asked, ``told`` what the operator told instead; of a caller's words only what ``scrub`` leaves
    is kept. An owner's words are no caller's.
    """
    if kind != SignalKind.REVIEW:
        text, told = scrub(text), scrub(told, at_most=TOLD_CHARS)
    signal = Signal(
        kind=kind, text=text, told=told or None, call_id=call_id, entry_id=entry_id, user_id=user_id, at=now
    )
    if call_id is not None and (known := _noted_before(session, signal)) is not None:
        known.kind, known.told = kind, signal.told or known.told
        session.flush()
        return known
    session.add(signal)
    if entry_id is not None:
        join(session, _task_about(session, kind, entry_id, now), [signal])
    session.flush()
    return signal


def note_search(
    session: Session, *, text: str, found: bool, call_id: int, user_id: int | None, now: datetime
) -> Signal | None:
    """Note that an operator searched in vain; None when there is nothing to note.

    A search runs at every pause in the typing: what is typed on, or taken back, is one search, and a search that
    finds something after all takes back what its beginning had left. Letters alone are initials that fit nothing.
    """
    text = scrub(text)
    earlier = session.scalars(
        select(Signal)
        .where(
            Signal.call_id == call_id,
            Signal.kind == SignalKind.NO_RESULT,
            Signal.task_id.is_(None),
            Signal.at > now - TYPING,
        )
        .order_by(Signal.id)
    ).all()
    same = [one for one in earlier if text.startswith(one.text or "") or (one.text or "").startswith(text)]
    if not found and not same and _ASKS.search(text):
        return note(session, kind=SignalKind.NO_RESULT, text=text, call_id=call_id, user_id=user_id, now=now)
    for one in same:
        if found:
            session.delete(one)
        elif len(text) > len(one.text or ""):
            one.text = text
    session.flush()
    return same[-1] if same and not found else None


def take_back(
    session: Session, *, call_id: int, kind: SignalKind, entry_id: int | None = None, signal_id: int | None = None
) -> None:
    """Forget what was noted in a call: about this entry, or this very signal. Nothing noted: nothing changes."""
    wanted = select(Signal).where(Signal.call_id == call_id, Signal.kind == kind)
    wanted = wanted.where(Signal.entry_id == entry_id) if entry_id is not None else wanted.where(Signal.id == signal_id)
    for signal in session.scalars(wanted.with_for_update().execution_options(populate_existing=True)).all():
        task = _held(session, signal.task_id) if signal.task_id is not None else None
        session.delete(signal)
        session.flush()
        if task is not None:
            recount(session, task)


def join(session: Session, task: Task, signals: Sequence[Signal]) -> None:
    """Put signals with a task that is held (see ``held``) or new."""
    for signal in signals:
        signal.task = task
    session.flush()
    recount(session, task)


def recount(session: Session, task: Task) -> None:
    """Let a held task say how often and when; one about which nothing is left goes, unless somebody worked on it."""
    count, first, last = session.execute(
        select(func.count(), func.min(Signal.at), func.max(Signal.at)).where(Signal.task_id == task.id)
    ).one()
    task.count = count
    if count:
        task.first_at, task.last_at = first, last
    elif task.state == TaskState.OPEN:
        session.delete(task)
    session.flush()


def start(session: Session, *, task_id: int, actor: Actor, now: datetime, entry_id: int | None = None) -> Task:
    """A draft was begun for it; ``entry_id``: the entry that will answer."""
    task = _moved(session, task_id, TaskAction.START)
    task.entry_id = entry_id or task.entry_id
    return _done(session, task, TaskAction.START, actor=actor, now=now)


def finish(session: Session, *, task_id: int, actor: Actor, now: datetime) -> Task:
    """What it asked for is done."""
    task = _moved(session, task_id, TaskAction.FINISH)
    task.closed_at, task.closed_by = now, actor.user_id
    return _done(session, task, TaskAction.FINISH, actor=actor, now=now)


def drop(session: Session, *, task_id: int, actor: Actor, now: datetime, reason: str) -> Task:
    """Nothing is done about it, for a reason."""
    reason = rows.checked(reason, "reason", 200)
    if not reason:
        raise Invalid("请写明不处理的原因", reason="请写明不处理的原因")
    task = _moved(session, task_id, TaskAction.DROP)
    task.closed_at, task.closed_by, task.reason = now, actor.user_id, reason
    return _done(session, task, TaskAction.DROP, actor=actor, now=now)


def reopen(session: Session, *, task_id: int, actor: Actor, now: datetime) -> Task:
    """Something is to be done about it after all."""
    task = _moved(session, task_id, TaskAction.REOPEN)
    _open_again(task)
    return _done(session, task, TaskAction.REOPEN, actor=actor, now=now)


def finish_for(session: Session, version: Version, *, actor: Actor, now: datetime) -> None:
    """Finish what a text was written for that is published now, and what was said against the one before."""
    for task in _about(session, version.entry_id):
        if task.state == TaskState.STARTED or task.kind in ABOUT_ENTRIES:
            finish(session, task_id=task.id, actor=actor, now=now)


def reopen_for(session: Session, version: Version, *, actor: Actor, now: datetime) -> None:
    """Open again what a text was written for that was given up."""
    for task in _about(session, version.entry_id):
        if task.state == TaskState.STARTED:
            reopen(session, task_id=task.id, actor=actor, now=now)


def forget(session: Session, call_ids: Collection[int]) -> None:
    """Blank what was kept of these calls: their callers are to be forgotten. What was counted stays counted."""
    session.execute(update(Signal).where(Signal.call_id.in_(call_ids)).values(text=None, told=None, call_id=None))
    session.execute(update(Offer).where(Offer.call_id.in_(call_ids)).values(text=None, call_id=None))


def held(session: Session, task_id: int) -> Task:
    """Return a task that nobody else can change until the transaction ends. Raises ``NotFound``."""
    task = _held(session, task_id)
    if task is None:
        raise NotFound("没有这个知识任务")
    return task


def _held(session: Session, task_id: int) -> Task | None:
    return session.scalar(
        select(Task).where(Task.id == task_id).with_for_update().execution_options(populate_existing=True)
    )


def _noted_before(session: Session, signal: Signal) -> Signal | None:
    """Return what its call has noted of the same already. A search in vain becomes "no entry" when somebody says so;
    what was told instead goes with what was noted without."""
    kinds = UNANSWERED if signal.kind == SignalKind.NO_ENTRY else (signal.kind,)
    earlier = session.scalars(
        select(Signal).where(
            Signal.call_id == signal.call_id, Signal.kind.in_(kinds), Signal.entry_id == signal.entry_id
        )
    )
    own = marks_of(signal.text or "")
    for one in earlier:
        if one.kind != signal.kind and one.task_id is not None:
            continue  # its task has counted it
        answers_it = signal.told and one.kind == SignalKind.NO_ENTRY and one.told is None
        alike = one.text == signal.text or likeness(own, marks_of(one.text or "")) >= SAME
        if signal.entry_id is not None or answers_it or alike:
            return one
    return None


def _task_about(session: Session, kind: SignalKind, entry_id: int, now: datetime) -> Task:
    """Return the open task of this kind about an entry, held; a new one when there is none."""
    # two operators at once shall not make two
    session.execute(select(Entry.id).where(Entry.id == entry_id).with_for_update(key_share=True))
    found = session.scalar(
        select(Task)
        .where(Task.kind == kind, Task.entry_id == entry_id, Task.state.in_(OPEN))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        found = Task(kind=kind, entry_id=entry_id, count=0, first_at=now, last_at=now)
        session.add(found)
        session.flush()
    return found


def _about(session: Session, entry_id: int) -> Sequence[Task]:
    return session.scalars(
        select(Task).where(Task.entry_id == entry_id, Task.state.in_(OPEN)).order_by(Task.id).with_for_update()
    ).all()


def _open_again(task: Task) -> None:
    task.closed_at, task.closed_by, task.reason = None, None, ""
    if task.kind not in ABOUT_ENTRIES:
        task.entry_id = None  # no entry answers it yet


def _moved(session: Session, task_id: int, action: TaskAction) -> Task:
    task = held(session, task_id)
    state = TASK.get((TaskState(task.state), action))
    if state is None:
        raise NotAllowedNow(
            "这个任务的状态已变化，现在不能这样做", allowed=[act for now, act in TASK if now == task.state]
        )
    task.state = state
    return task


def _done(session: Session, task: Task, action: TaskAction, *, actor: Actor, now: datetime) -> Task:
    session.flush()
    audit.record(
        session,
        at=now,
        user_id=actor.user_id,
        act=f"knowledge.task_{action}",
        subject="kb_tasks",
        subject_id=task.id,
        reason=task.reason,
    )
    return task
