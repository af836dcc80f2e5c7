"""Figures equal what anybody would count by hand from the same history."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from statistics import median

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.knowledge_base import service
from hotline.knowledge_base.floor import usage
from hotline.knowledge_base.floor.usage import Counts, Sort
from hotline.knowledge_base.models import Entry, Signal, Suggestion, Task
from hotline.knowledge_base.states import SignalKind, SuggestionState, TaskState
from tests.conftest import NOON
from tests.factories import calls
from tests.unit.knowledge_base.conftest import ROWS

START, END = NOON - timedelta(days=30), NOON
STATES = (SuggestionState.SHOWN, SuggestionState.USED, SuggestionState.WRONG)


def history(session: Session, chance: random.Random) -> None:
    """Sixty days of calls with answers shown and marked, signals, and tasks closed or not."""
    service.import_entries(session, ROWS, actor_id=None, now=NOON - timedelta(days=90))
    service.import_entries(session, [{"id": "new", "question": "新条目", "answer": "答案"}], actor_id=None, now=NOON)
    ids = session.scalars(select(Entry.id).order_by(Entry.id)).all()

    def moment() -> datetime:
        return NOON - timedelta(seconds=chance.choice((0, 1, 30 * 86400, chance.randint(0, 60 * 86400))))

    for _ in range(chance.randint(0, 40)):
        call = calls.arrived(session)
        for rank, entry_id in enumerate(chance.sample(ids, chance.randint(1, 4)), 1):
            session.add(
                Suggestion(
                    call_id=call.id,
                    entry_id=entry_id,
                    score=0.5,
                    first_rank=rank,
                    shown_at=moment(),
                    state=chance.choice(STATES),
                )
            )
    for _ in range(chance.randint(0, 12)):
        kind, state = chance.choice(list(SignalKind)), chance.choice(list(TaskState))
        first = moment()
        closed = first + timedelta(seconds=chance.randint(0, 90_000)) if state == TaskState.DONE else None
        task = Task(kind=kind, state=state, count=1, first_at=first, last_at=first, closed_at=closed)
        session.add(task)
        for _ in range(chance.randint(1, 4)):
            session.add(Signal(kind=kind, text=f"问题{chance.randint(1, 9)}", at=moment(), task=task))
    session.flush()


def share(rows: list[Suggestion]) -> Counts:
    states = Counter(row.state for row in rows)
    return Counts(len(rows), states[SuggestionState.USED], states[SuggestionState.WRONG])


@pytest.mark.parametrize("seed", range(8))
def test_figures_equal_a_naive_recount(session: Session, seed: int) -> None:
    history(session, random.Random(seed))
    rows = [one for one in session.scalars(select(Suggestion)) if START <= one.shown_at < END]
    tasks, signals = session.scalars(select(Task)).all(), session.scalars(select(Signal)).all()
    by_call = {
        call_id: {one.state for one in rows if one.call_id == call_id} for call_id in {one.call_id for one in rows}
    }
    took = [
        task.closed_at - task.first_at
        for task in tasks
        if task.kind == "wrong" and task.state == "done" and task.closed_at and START <= task.closed_at < END
    ]
    asked = Counter(one.kind for one in signals if START <= one.at < END)
    used = {one.entry_id for one in rows if one.state == "used"}
    old = {entry.id for entry in session.scalars(select(Entry)) if entry.created_at < START}

    found = usage.figures(session, START, END)
    assert found.answers == share(rows)
    assert found.calls == Counts(
        len(by_call), sum("used" in one for one in by_call.values()), sum("wrong" in one for one in by_call.values())
    )
    assert (found.fixed, found.median_fix) == (len(took), median(took) if took else None)
    assert (found.vain, found.missing) == (asked["no_result"], asked["no_entry"])
    assert {entry.id for entry, _ in usage.unused(session, START, END)} == old - used
    assert found.unused == len(old - used)
    assert found.answers.adoption == (len([1 for one in rows if one.state == "used"]) / len(rows) if rows else None)

    edges = [END - timedelta(days=7 * back) for back in range(12, -1, -1)]
    everything = session.scalars(select(Suggestion)).all()
    for week, until in zip(usage.weeks(session, edges), edges[1:], strict=True):
        assert week.counts == share([one for one in everything if week.start <= one.shown_at < until])

    for sort in Sort:
        lines = usage.entries(session, START, END, sort=sort)
        assert len(lines) == usage.count_entries(session, START, END, sort=sort)
        values = []
        for line in lines:
            own = [one for one in rows if one.entry_id == line.entry.id]
            assert line.counts == share(own)
            assert line.asked == sum(one.first_rank == 1 for one in own)
            values.append(line.asked if sort is Sort.ASKED else getattr(line.counts, sort.value))
        assert values == sorted(values, reverse=True) and 0 not in values

    times = Counter(one.task_id for one in signals if START <= one.at < END)
    for gap in usage.unanswered(session, START, END, limit=100):
        assert gap.count == times[gap.task.id] and gap.task.kind in {"no_result", "no_entry"}


def test_no_history_has_no_shares(session: Session) -> None:
    found = usage.figures(session, START, END)
    assert (found.answers.adoption, found.calls.adoption, found.median_fix) == (None, None, None)
    assert usage.entries(session, START, END) == usage.unused(session, START, END) == []
    assert usage.unanswered(session, START, END) == []


def test_pages_of_a_list_hold_everything_once(session: Session) -> None:
    rows = [{"id": f"e{number:02}", "question": f"问题{number}", "answer": "答"} for number in range(23)]
    service.import_entries(session, rows, actor_id=None, now=NOON - timedelta(days=90))
    found = [entry.code for page in (1, 2, 3, 4) for entry, _ in usage.unused(session, START, END, page=page, limit=7)]
    assert found == [row["id"] for row in rows]
