"""What editors look through of what the floor teaches. Who called, and in which call, stands in none of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload

from hotline.accounts.models import User
from hotline.errors import NotFound
from hotline.knowledge_base.floor.learning import sentences
from hotline.knowledge_base.models import Entry, Offer, Signal, Task
from hotline.knowledge_base.states import OfferState, TaskState

PER_PAGE: Final = 30
EXAMPLES: Final = 5
TOLD: Final = 3


class Sort(StrEnum):
    """What stands first."""

    OFTEN = "often"
    RECENT = "recent"


@dataclass(frozen=True, slots=True)
class Line:
    """A task with what was said for it: the most typical sentence, and a few others."""

    task: Task
    typical: str
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """One task with all that is known of it. ``told``: what operators told instead, latest first."""

    line: Line
    told: tuple[str, ...]
    closed_by: str


@dataclass(slots=True)
class Offered:
    """An entry and the words it answered that wait for a decision, latest first."""

    entry: Entry
    offers: list[Offer] = field(default_factory=list)


def lines(session: Session, *, state: TaskState, kind: str = "", sort: Sort = Sort.OFTEN, page: int = 1) -> list[Line]:
    """Return one page of the tasks in a state, of one kind or of all."""
    first = (Task.count.desc(), Task.last_at.desc()) if sort is Sort.OFTEN else (Task.last_at.desc(), Task.count.desc())
    tasks = session.scalars(
        select(Task)
        .where(*_wanted(state, kind))
        .options(joinedload(Task.entry))
        .order_by(*first, Task.id.desc())
        .offset((page - 1) * PER_PAGE)
        .limit(PER_PAGE)
    ).all()
    said = sentences(session, [task.id for task in tasks])
    return [_line(task, said[task.id]) for task in tasks]


def counts(session: Session) -> dict[tuple[str, str], int]:
    """Return how many tasks there are by (state, kind)."""
    rows = session.execute(select(Task.state, Task.kind, func.count()).group_by(Task.state, Task.kind))
    return {(state, kind): count for state, kind, count in rows}


def count_open(session: Session) -> int:
    """Return how many tasks and offered sentences wait for an editor."""
    tasks = session.scalar(select(func.count()).select_from(Task).where(Task.state == TaskState.OPEN)) or 0
    return tasks + count_offers(session)


def opened(session: Session, task_id: int) -> Opened:
    """Return one task. Raises ``NotFound``."""
    task = session.scalar(select(Task).where(Task.id == task_id).options(joinedload(Task.entry)))
    if task is None:
        raise NotFound("没有这个知识任务")
    told = session.scalars(
        select(Signal.told).where(Signal.task_id == task_id, Signal.told.is_not(None)).order_by(Signal.id.desc())
    )
    closer = session.get(User, task.closed_by) if task.closed_by else None
    return Opened(
        _line(task, sentences(session, [task_id])[task_id]),
        tuple(dict.fromkeys(one for one in told if one))[:TOLD],
        closer.display_name if closer else "",
    )


def offered(session: Session, *, page: int = 1) -> list[Offered]:
    """Return a page of the words that wait for a decision by their entries, those with the most words first."""
    most = (
        select(Offer.entry_id, func.count().label("offers"), func.max(Offer.at).label("last_at"))
        .where(*_waiting())
        .group_by(Offer.entry_id)
        .order_by(func.count().desc(), func.max(Offer.at).desc(), Offer.entry_id)
        .offset((page - 1) * PER_PAGE)
        .limit(PER_PAGE)
    )
    entry_ids = [row.entry_id for row in session.execute(most)]
    entries = {entry.id: entry for entry in session.scalars(select(Entry).where(Entry.id.in_(entry_ids)))}
    found = {entry_id: Offered(entries[entry_id]) for entry_id in entry_ids}
    waiting = select(Offer).where(Offer.entry_id.in_(entry_ids), *_waiting()).order_by(Offer.at.desc(), Offer.id.desc())
    for offer in session.scalars(waiting):
        found[offer.entry_id].offers.append(offer)
    return list(found.values())


def count_offers(session: Session) -> int:
    """Return how many sentences wait for a decision."""
    return session.scalar(select(func.count()).select_from(Offer).where(*_waiting())) or 0


def count_offered_entries(session: Session) -> int:
    """Return how many entries have words that wait for a decision."""
    return session.scalar(select(func.count(Offer.entry_id.distinct())).where(*_waiting())) or 0


def _waiting() -> tuple[ColumnElement[bool], ...]:
    """An offer whose words were erased is nothing to decide about."""
    return Offer.state == OfferState.OFFERED, Offer.text.is_not(None)


def _wanted(state: TaskState, kind: str) -> tuple[ColumnElement[bool], ...]:
    return (Task.state == state, Task.kind == kind) if kind else (Task.state == state,)


def _line(task: Task, said: list[str]) -> Line:
    return Line(task, said[0] if said else "", tuple(said[1:EXAMPLES]))
