"""What the floor teaches: questions without an answer put together by likeness, and drafts begun from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.errors import NotAllowedNow, NotFound
from hotline.knowledge_base import editing, tasks
from hotline.knowledge_base.content import Content
from hotline.knowledge_base.floor import offers
from hotline.knowledge_base.language.alike import by_typicality, groups
from hotline.knowledge_base.models import Entry, Signal, Task, Version
from hotline.knowledge_base.states import SignalKind, TaskState

REMEMBERED: Final = timedelta(days=180)  # nothing joins what was asked longer ago than this
REMEMBERED_AT_MOST: Final = 10_000  # the latest signals: seconds of work off the request path
AT_ONCE: Final = 2_000  # signals put with others in one run
COMPARED: Final = 40  # latest sentences of a task among which the most typical is looked for
TAKEN: Final = 10  # similar questions a draft begins with
# of several tasks that turn out to ask the same, the one somebody has worked on
FIRST: Final = (TaskState.STARTED, TaskState.OPEN, TaskState.DROPPED)


def group(session: Session, *, now: datetime) -> int:
    """Put what was asked in vain with what asks the same, and return how many signals found their place.

    The groups do not depend on who asked first. What is like a task that was dropped joins it in silence: somebody
    has decided about it. Searches that may still be typed on are left for the next time.
    """
    return sum(_group(session, kind, now) for kind in tasks.UNANSWERED)


def _group(session: Session, kind: SignalKind, now: datetime) -> int:
    waiting = select(Signal).where(
        Signal.kind == kind, Signal.task_id.is_(None), Signal.text.is_not(None), Signal.at <= now - tasks.TYPING
    )
    fresh = {
        one.id: one for one in session.scalars(waiting.order_by(Signal.id).limit(AT_ONCE).with_for_update()) if one.text
    }
    if not fresh:
        return 0
    known = session.execute(
        select(Signal.id, Signal.text, Signal.task_id)
        .join(Task)
        .where(Task.kind == kind, Task.state.in_(FIRST), Signal.text.is_not(None), Signal.at > now - REMEMBERED)
        .order_by(Signal.id.desc())
        .limit(REMEMBERED_AT_MOST)
    ).all()
    task_of = {row.id: row.task_id for row in known}
    said = {row.id: row.text for row in known} | {one.id: one.text for one in fresh.values() if one.text}
    for members in groups(said, settled=task_of):
        joining = [fresh[one] for one in members if one in fresh]
        task_ids = {task_of[one] for one in members if one in task_of}
        if joining:
            tasks.join(session, _the_task(session, kind, task_ids, joining), joining)
    return len(fresh)


def _the_task(session: Session, kind: SignalKind, task_ids: Collection[int], joining: Sequence[Signal]) -> Task:
    """Return the one task of a group, held, with what its other open tasks had; a new one when there is none."""
    found = [tasks.held(session, task_id) for task_id in sorted(task_ids)]
    found.sort(key=lambda task: FIRST.index(TaskState(task.state)))
    if not found:
        task = Task(kind=kind, count=0, first_at=joining[0].at, last_at=joining[0].at)
        session.add(task)
        session.flush()
        return task
    for other in found[1:]:
        if other.state == TaskState.OPEN:
            tasks.join(session, found[0], session.scalars(select(Signal).where(Signal.task_id == other.id)).all())
            session.expire(other, ["signals"])
            tasks.recount(session, other)
    return found[0]


def draft(session: Session, *, task_id: int, actor: Actor, now: datetime) -> Version:
    """Return the text that will do a task, begun if need be: of a new entry with the question as it is mostly asked,
    or of the entry the task is about. The task is done when it is published."""
    task = tasks.held(session, task_id)
    if task.entry is not None:
        version = editing.revise(session, actor=actor, now=now, code=task.entry.code)
        if task.state == TaskState.OPEN:
            tasks.start(session, task_id=task.id, actor=actor, now=now)
        return version
    asked = sentences(session, [task.id])[task.id]
    told = session.scalars(
        select(Signal.told).where(Signal.task_id == task.id, Signal.told.is_not(None)).order_by(Signal.id.desc())
    ).first()
    content = Content(question=asked[0] if asked else "", similar=tuple(asked[1 : 1 + TAKEN]), answer=told or "")
    version = editing.start(session, actor=actor, now=now, content=content, origin={"task": task.id})
    tasks.start(session, task_id=task.id, actor=actor, now=now, entry_id=version.entry_id)
    return version


def merge(session: Session, *, task_id: int, code: str, actor: Actor, now: datetime) -> Version:
    """Let an entry answer what a task asks: its sentences become similar questions in a text others check.

    Raises ``NotAllowedNow`` for an entry that is not published or whose text is being checked.
    """
    task = tasks.held(session, task_id)
    entry = session.scalar(select(Entry).where(Entry.code == code))
    if entry is None:
        raise NotFound("没有这条知识")
    if entry.version == 0:
        raise NotAllowedNow("这条知识还没有发布，请在草稿里加相似问")
    asked = sentences(session, [task.id])[task.id][:TAKEN]
    tasks.start(session, task_id=task.id, actor=actor, now=now, entry_id=entry.id)
    return offers.add_questions(session, entry, asked, actor=actor, now=now)


def sentences(session: Session, task_ids: Collection[int]) -> dict[int, list[str]]:
    """Return what was said for each task, the most typical sentence first, without repeats; none after erasure."""
    said: defaultdict[int, list[str]] = defaultdict(list)
    rows = session.execute(
        select(Signal.task_id, Signal.text)
        .where(Signal.task_id.in_(task_ids), Signal.text.is_not(None))
        .order_by(Signal.id.desc())
    )
    for task_id, text in rows:
        if task_id is not None and text and len(said[task_id]) < COMPARED:
            said[task_id].append(text)
    return {task_id: by_typicality(said[task_id]) for task_id in task_ids}
