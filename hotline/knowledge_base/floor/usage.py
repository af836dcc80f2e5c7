"""How knowledge is used: figures recounted from what was shown, marked and asked; nothing here keeps a total.

A period is from ``start`` up to ``end``. K25 is the trade's indicator: answers used of answers shown, and the time from
the first "wrong" to the text that mended it. A share without a base is None, never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Any, Final

from sqlalchemy import ColumnElement, Subquery, case, exists, func, select
from sqlalchemy.orm import Session

from hotline.knowledge_base.floor.learning import sentences
from hotline.knowledge_base.models import Entry, Signal, Suggestion, Task
from hotline.knowledge_base.states import EntryState, SignalKind, SuggestionState, TaskState
from hotline.knowledge_base.tasks import UNANSWERED

PER_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the answers shown in a period: each answer counts once a call."""

    shown: int
    used: int
    wrong: int

    @property
    def adoption(self) -> float | None:
        """K25 知识采用率: used of shown."""
        return self.used / self.shown if self.shown else None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a period. ``unused``: entries published before it that nobody used in it."""

    answers: Counts
    calls: Counts  # the same by calls: with an answer shown, with one used, with one marked wrong
    fixed: int
    median_fix: timedelta | None  # K25 纠错时长
    vain: int  # searches without a result
    missing: int  # calls settled without an entry
    unused: int


@dataclass(frozen=True, slots=True)
class Week:
    """The answers of one week."""

    start: datetime
    counts: Counts


class Sort(StrEnum):
    """By what entries are put in order, most first."""

    ASKED = "asked"
    USED = "used"
    WRONG = "wrong"
    SHOWN = "shown"


@dataclass(frozen=True, slots=True)
class EntryUse:
    """One entry in a period. ``asked``: calls in which it stood first when it appeared, as what was asked for."""

    entry: Entry
    asked: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Asked:
    """A question without an answer, and how often it was asked in a period."""

    task: Task
    typical: str
    count: int


def figures(session: Session, start: datetime, end: datetime) -> Figures:
    """Return the figures of a period."""
    rows = session.execute(
        select(func.count(), _sum(SuggestionState.USED), _sum(SuggestionState.WRONG)).where(*_shown(start, end))
    ).one()
    by_call = select(
        Suggestion.call_id,
        func.max(case((Suggestion.state == SuggestionState.USED, 1), else_=0)).label("used"),
        func.max(case((Suggestion.state == SuggestionState.WRONG, 1), else_=0)).label("wrong"),
    )
    calls = by_call.where(*_shown(start, end)).group_by(Suggestion.call_id).subquery()
    in_calls = session.execute(select(func.count(), func.sum(calls.c.used), func.sum(calls.c.wrong)).select_from(calls))
    fixes = session.execute(
        select(Task.first_at, Task.closed_at).where(
            Task.kind == SignalKind.WRONG, Task.state == TaskState.DONE, Task.closed_at >= start, Task.closed_at < end
        )
    ).all()
    took = [(closed - first).total_seconds() for first, closed in fixes if closed is not None]
    asked = session.execute(
        select(Signal.kind, func.count())
        .where(Signal.kind.in_(UNANSWERED), Signal.at >= start, Signal.at < end)
        .group_by(Signal.kind)
    )
    signals = {kind: count for kind, count in asked}
    return Figures(
        answers=_counts(rows),
        calls=_counts(in_calls.one()),
        fixed=len(took),
        median_fix=timedelta(seconds=median(took)) if took else None,
        vain=signals.get(SignalKind.NO_RESULT, 0),
        missing=signals.get(SignalKind.NO_ENTRY, 0),
        unused=count_unused(session, start, end),
    )


def weeks(session: Session, edges: Sequence[datetime]) -> list[Week]:
    """Return what was shown between each two ``edges``, which rise."""
    week = case(*((Suggestion.shown_at < edge, place) for place, edge in enumerate(edges[1:])))
    # counted one level up: PostgreSQL cannot know that a term with values in it is the same in both places
    rows = select(week.label("week"), Suggestion.state).where(*_shown(edges[0], edges[-1])).subquery()
    used, wrong = (
        func.sum(case((rows.c.state == state, 1), else_=0)) for state in (SuggestionState.USED, SuggestionState.WRONG)
    )
    counted = session.execute(select(rows.c.week, func.count(), used, wrong).group_by(rows.c.week))
    found = {place: _counts(rest) for place, *rest in counted}
    return [Week(start, found.get(place, Counts(0, 0, 0))) for place, start in enumerate(edges[:-1])]


def entries(
    session: Session, start: datetime, end: datetime, *, sort: Sort = Sort.ASKED, page: int = 1, limit: int = PER_PAGE
) -> list[EntryUse]:
    """Return a page of the entries that have anything to count by ``sort``, most first."""
    columns = _by_entry(start, end)
    wanted = (
        select(Entry, columns)
        .join(columns, columns.c.entry_id == Entry.id)
        .where(columns.c[sort.value] > 0)
        .order_by(columns.c[sort.value].desc(), columns.c.shown.desc(), Entry.code)
        .offset((page - 1) * limit)
        .limit(limit)
    )
    return [EntryUse(row[0], row.asked, Counts(row.shown, row.used, row.wrong)) for row in session.execute(wanted)]


def count_entries(session: Session, start: datetime, end: datetime, *, sort: Sort = Sort.ASKED) -> int:
    """Return how many entries ``entries`` has on all its pages."""
    columns = _by_entry(start, end)
    return session.scalar(select(func.count()).select_from(columns).where(columns.c[sort.value] > 0)) or 0


def unused(
    session: Session, start: datetime, end: datetime, *, page: int = 1, limit: int = PER_PAGE
) -> list[tuple[Entry, int]]:
    """Return a page of the entries nobody used in the period though they were published before it, with how often they
    were shown: most first, for those were passed over."""
    shown = (
        select(Suggestion.entry_id, func.count().label("times"))
        .where(*_shown(start, end))
        .group_by(Suggestion.entry_id)
        .subquery()
    )
    times = func.coalesce(shown.c.times, 0)
    wanted = (
        select(Entry, times)
        .outerjoin(shown, shown.c.entry_id == Entry.id)
        .where(*_unused(start, end))
        .order_by(times.desc(), Entry.code)
        .offset((page - 1) * limit)
        .limit(limit)
    )
    return [(entry, count) for entry, count in session.execute(wanted)]


def count_unused(session: Session, start: datetime, end: datetime) -> int:
    """Return how many entries ``unused`` has on all its pages."""
    return session.scalar(select(func.count()).select_from(Entry).where(*_unused(start, end))) or 0


def unanswered(session: Session, start: datetime, end: datetime, *, limit: int = 10) -> list[Asked]:
    """Return the tasks whose questions were asked most in the period without an answer."""
    rows = session.execute(
        select(Task, func.count().label("times"))
        .join(Signal, Signal.task_id == Task.id)
        .where(Task.kind.in_(UNANSWERED), Signal.at >= start, Signal.at < end)
        .group_by(Task.id)
        .order_by(func.count().desc(), Task.id)
        .limit(limit)
    ).all()
    said = sentences(session, [task.id for task, _ in rows])
    return [Asked(task, next(iter(said[task.id]), ""), times) for task, times in rows]


def _shown(start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    return Suggestion.shown_at >= start, Suggestion.shown_at < end


def _sum(state: SuggestionState) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((Suggestion.state == state, 1), else_=0)), 0)


def _counts(row: Sequence[Any]) -> Counts:
    shown, used, wrong = row
    return Counts(shown, used or 0, wrong or 0)


def _by_entry(start: datetime, end: datetime) -> Subquery:
    return (
        select(
            Suggestion.entry_id,
            func.count().label("shown"),
            _sum(SuggestionState.USED).label("used"),
            _sum(SuggestionState.WRONG).label("wrong"),
            func.sum(case((Suggestion.first_rank == 1, 1), else_=0)).label("asked"),
        )
        .where(*_shown(start, end))
        .group_by(Suggestion.entry_id)
        .subquery()
    )


def _unused(start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    used = exists().where(
        Suggestion.entry_id == Entry.id, Suggestion.state == SuggestionState.USED, *_shown(start, end)
    )
    return Entry.state == EntryState.PUBLISHED, Entry.created_at < start, ~used
