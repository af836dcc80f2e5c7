"""What the floor misses or finds wrong, noted once and followed until it is done."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotAllowedNow
from hotline.knowledge_base import editing, tasks
from hotline.knowledge_base.floor import learning, suggestions
from hotline.knowledge_base.models import Entry, Offer, Signal, Suggestion, Task, Version
from hotline.knowledge_base.search.index import KnowledgeIndex
from hotline.knowledge_base.states import SignalKind, TaskState
from tests.conftest import NOON
from tests.factories import calls, people
from tests.unit.knowledge_base.conftest import TODAY

LATER = NOON + timedelta(minutes=10)
LONG_QUESTION = "残疾人证到期了怎么换"


@pytest.fixture
def editor(session: Session) -> Actor:
    return people.actor(session, Role.KBE, name="知识编辑")


@pytest.fixture
def checker(session: Session) -> Actor:
    return people.actor(session, Role.KBE, name="审核")


def shown(session: Session, index: KnowledgeIndex, text: str = "停水") -> Suggestion:
    """An answer on the screen of a call of its own."""
    call = calls.arrived(session)
    return suggestions.show(session, call_id=call.id, hits=index.search(text, on=TODAY)[:1], now=NOON)[0]


def published(session: Session, version: Version, writer: Actor, checker: Actor) -> None:
    """Bring a text through the checking of another."""
    editing.submit(session, actor=writer, now=LATER, version_id=version.id, revision=version.revision)
    editing.publish(
        session,
        actor=checker,
        now=LATER,
        today=date(2026, 11, 18),
        version_id=version.id,
        revision=version.revision,
    )


# ---- wrong answers


def test_answers_marked_wrong_make_one_task_of_their_entry(session: Session, index: KnowledgeIndex) -> None:
    for minute, said in enumerate(("我打的是供热不是供水", "这个电话没人接")):
        row = shown(session, index)
        at = {"suggestion_id": row.id, "call_id": row.call_id, "actor_id": None}
        suggestions.mark_wrong(session, **at, now=NOON + timedelta(minutes=minute), said=["您好", said])
        suggestions.mark_wrong(session, **at, now=NOON + timedelta(minutes=minute), said=["您好", said])
    task = session.scalars(select(Task)).one()
    assert (task.kind, task.count, task.entry_id) == (SignalKind.WRONG, 2, row.entry_id)
    assert (task.first_at, task.last_at) == (NOON, NOON + timedelta(minutes=1))
    assert [one.text for one in task.signals] == ["您好，我打的是供热不是供水", "您好，这个电话没人接"]


def test_undoing_the_mark_takes_the_signal_back_and_the_last_one_the_task(
    session: Session, index: KnowledgeIndex
) -> None:
    first, second = shown(session, index), shown(session, index)
    for row in (first, second):
        suggestions.mark_wrong(session, suggestion_id=row.id, call_id=row.call_id, actor_id=None, now=NOON)
    suggestions.undo_mark(session, suggestion_id=first.id, call_id=first.call_id, actor_id=None, now=LATER)
    assert session.scalars(select(Task.count)).all() == [1]
    suggestions.undo_mark(session, suggestion_id=second.id, call_id=second.call_id, actor_id=None, now=LATER)
    assert session.scalars(select(Task)).all() == [] == session.scalars(select(Signal)).all()


def test_publishing_the_revision_finishes_what_was_said_against_the_entry(
    session: Session, index: KnowledgeIndex, editor: Actor, checker: Actor
) -> None:
    row = shown(session, index)
    suggestions.mark_wrong(session, suggestion_id=row.id, call_id=row.call_id, actor_id=None, now=NOON)
    task = session.scalars(select(Task)).one()
    version = learning.draft(session, task_id=task.id, actor=editor, now=LATER)
    assert (task.state, version.entry_id) == (TaskState.STARTED, row.entry_id)
    assert learning.draft(session, task_id=task.id, actor=editor, now=LATER) is version
    published(session, version, editor, checker)
    assert (task.state, task.closed_at, task.closed_by) == (TaskState.DONE, LATER, checker.user_id)
    again = shown(session, index)
    suggestions.mark_wrong(session, suggestion_id=again.id, call_id=again.call_id, actor_id=None, now=LATER)
    assert [one.state for one in session.scalars(select(Task).order_by(Task.id))] == [TaskState.DONE, TaskState.OPEN]


# ---- questions without an answer


def ask(session: Session, *texts: str, kind: SignalKind = SignalKind.NO_ENTRY, told: str = "") -> None:
    for text in texts:
        tasks.note(session, kind=kind, text=text, told=told, call_id=calls.arrived(session).id, now=NOON)


def test_a_call_notes_the_same_once_and_what_was_told_instead_with_it(session: Session) -> None:
    call = calls.arrived(session)
    at = {"kind": SignalKind.NO_ENTRY, "call_id": call.id, "now": NOON}
    tasks.note(session, text=LONG_QUESTION, **at)
    tasks.note(session, text=LONG_QUESTION, **at)
    tasks.note(session, text="残疾人证换证", told="请带旧证到区残联", **at)
    signal = session.scalars(select(Signal)).one()
    assert (signal.text, signal.told) == (LONG_QUESTION, "请带旧证到区残联")


def test_a_search_typed_on_is_one_search_and_gone_once_it_finds_something(session: Session) -> None:
    call = calls.arrived(session)
    at = {"call_id": call.id, "user_id": None, "now": NOON}
    for text in ("cjz", "12", "残", "残疾", "残疾证", "残疾证换", "残疾证"):
        tasks.note_search(session, text=text, found=False, **at)
    assert [one.text for one in session.scalars(select(Signal))] == ["残疾证换"]
    tasks.note_search(session, text="公交卡", found=False, **at)
    tasks.note_search(session, text="残疾证换领", found=True, **at)
    assert [one.text for one in session.scalars(select(Signal))] == ["公交卡"]


def test_a_search_in_vain_becomes_no_entry_when_the_operator_says_so(session: Session) -> None:
    call = calls.arrived(session)
    tasks.note_search(session, text="残疾证换领", found=False, call_id=call.id, user_id=None, now=NOON)
    tasks.note(session, kind=SignalKind.NO_ENTRY, text="残疾证换领", call_id=call.id, now=LATER)
    assert [one.kind for one in session.scalars(select(Signal))] == [SignalKind.NO_ENTRY]


def test_a_draft_begins_with_what_was_asked_and_publishing_it_finishes_the_task(
    session: Session, editor: Actor, checker: Actor
) -> None:
    ask(session, LONG_QUESTION, "残疾人证到期怎么换新的", told="请带旧证到区残联")
    ask(session, LONG_QUESTION)
    learning.group(session, now=LATER)
    task = session.scalars(select(Task)).one()
    version = learning.draft(session, task_id=task.id, actor=editor, now=LATER)
    assert version.content["question"] == LONG_QUESTION
    assert version.content["similar"] == ["残疾人证到期怎么换新的"]
    assert version.content["answer"] == "请带旧证到区残联"
    assert version.origin == {"task": task.id}
    published(session, version, editor, checker)
    assert (task.state, task.entry_id) == (TaskState.DONE, version.entry_id)


def test_giving_the_draft_up_opens_the_task_again(session: Session, editor: Actor) -> None:
    ask(session, LONG_QUESTION)
    learning.group(session, now=LATER)
    task = session.scalars(select(Task)).one()
    version = learning.draft(session, task_id=task.id, actor=editor, now=LATER)
    editing.drop(session, actor=editor, now=LATER, version_id=version.id, revision=version.revision)
    assert (task.state, task.entry_id) == (TaskState.OPEN, None)
    assert learning.draft(session, task_id=task.id, actor=editor, now=LATER).entry_id != version.entry_id


def test_a_task_can_be_answered_by_an_entry_that_is_there(
    session: Session, index: KnowledgeIndex, editor: Actor, checker: Actor
) -> None:
    ask(session, "龙头里不出水了")
    learning.group(session, now=LATER)
    task = session.scalars(select(Task)).one()
    version = learning.merge(session, task_id=task.id, code="water", actor=editor, now=LATER)
    assert version.content["similar"] == ["自来水没水了", "龙头里不出水了"]
    published(session, version, editor, checker)
    assert task.state == TaskState.DONE
    assert session.scalars(select(Entry.code).where(Entry.id == task.entry_id)).one() == "water"


def test_dropping_wants_a_reason_and_can_be_taken_back(session: Session, editor: Actor) -> None:
    ask(session, LONG_QUESTION)
    learning.group(session, now=LATER)
    task = session.scalars(select(Task)).one()
    with pytest.raises(Invalid):
        tasks.drop(session, task_id=task.id, actor=editor, now=LATER, reason="  ")
    tasks.drop(session, task_id=task.id, actor=editor, now=LATER, reason="不属于本市事项")
    assert (task.state, task.reason, task.closed_by) == (TaskState.DROPPED, "不属于本市事项", editor.user_id)
    with pytest.raises(NotAllowedNow):
        tasks.drop(session, task_id=task.id, actor=editor, now=LATER, reason="再来一次")
    tasks.reopen(session, task_id=task.id, actor=editor, now=LATER)
    assert (task.state, task.reason, task.closed_at) == (TaskState.OPEN, "", None)


# ---- privacy


def test_nothing_kept_says_who_called_or_stands_in_the_clear(session: Session) -> None:
    ask(session, "我叫王小明电话幺九九零零零零幺二三四残疾证到期了")
    text = session.scalars(select(Signal.text)).one()
    assert text == "我叫×××电话×××残疾证到期了"
    raw = session.connection().exec_driver_sql("SELECT text FROM kb_signals").scalar_one()
    assert "残疾证".encode() not in bytes(raw)


def test_forgetting_a_call_leaves_counts_without_words(session: Session, index: KnowledgeIndex) -> None:
    row = shown(session, index)
    suggestions.mark_used(
        session, suggestion_id=row.id, call_id=row.call_id, actor_id=None, now=NOON, said=["龙头里一滴都没有了"]
    )
    tasks.note(session, kind=SignalKind.NO_ENTRY, text=LONG_QUESTION, told="找残联", call_id=row.call_id, now=NOON)
    ask(session, LONG_QUESTION)
    learning.group(session, now=LATER)
    tasks.forget(session, [row.call_id])
    session.expire_all()
    task = session.scalars(select(Task)).one()
    assert task.count == 2
    assert [(one.text, one.told) for one in task.signals] == [(None, None), (LONG_QUESTION, None)]
    assert session.scalars(select(Offer.text)).all() == [None]
    assert learning.sentences(session, [task.id]) == {task.id: [LONG_QUESTION]}
