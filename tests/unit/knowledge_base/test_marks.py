"""What was shown in a call, and what the operator made of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from hotline.errors import NotAllowedNow, NotFound
from hotline.knowledge_base import queries
from hotline.knowledge_base.floor import suggestions
from hotline.knowledge_base.search.index import KnowledgeIndex
from hotline.knowledge_base.states import SuggestionState
from tests.conftest import NOON
from tests.factories import calls
from tests.unit.knowledge_base.conftest import TODAY

LATER = NOON + timedelta(seconds=9)


def test_an_answer_shown_again_keeps_its_first_moment_and_its_mark(session: Session, index: KnowledgeIndex) -> None:
    call = calls.arrived(session)
    operator = calls.operator(session)
    (row,) = suggestions.show(session, call_id=call.id, hits=index.search("路灯", on=TODAY), now=NOON)
    suggestions.mark_used(session, suggestion_id=row.id, call_id=call.id, actor_id=operator.user_id, now=NOON)
    first_score = row.score
    hits = index.search("路灯不亮找谁修", on=TODAY)
    (again,) = suggestions.show(session, call_id=call.id, hits=hits, now=LATER)
    assert again.id == row.id
    assert (again.shown_at, again.first_rank, again.state) == (NOON, 1, SuggestionState.USED)
    assert again.score == hits[0].score != first_score


def test_rows_come_back_in_the_order_of_the_screen_and_new_ones_know_their_rank(
    session: Session, index: KnowledgeIndex
) -> None:
    call = calls.arrived(session)
    lamp, water, wages = (index.search(text, on=TODAY)[0] for text in ("路灯", "停水", "拖欠工资"))
    suggestions.show(session, call_id=call.id, hits=[lamp, water], now=NOON)
    rows = suggestions.show(session, call_id=call.id, hits=[wages, water], now=LATER)
    assert [(row.entry.code, row.first_rank) for row in rows] == [("wages", 1), ("water", 2)]
    assert [row.entry.code for row in queries.suggestions_of_call(session, call.id)] == ["lamp", "water", "wages"]
    assert suggestions.show(session, call_id=call.id, hits=[], now=LATER) == []


def test_words_that_only_sounded_alike_are_not_kept(session: Session, index: KnowledgeIndex) -> None:
    call = calls.arrived(session)
    (hit,) = index.search("老板拖欠公资张三丰", on=TODAY)
    (row,) = suggestions.show(session, call_id=call.id, hits=[hit], now=NOON)
    assert set(row.matched) == {"老板", "拖欠"}
    assert "张三丰" not in "".join([*hit.matched, *hit.sounded])


def test_a_mark_can_be_repeated_and_taken_back_but_not_turned_round(session: Session, index: KnowledgeIndex) -> None:
    call = calls.arrived(session)
    who = calls.operator(session).user_id
    (row,) = suggestions.show(session, call_id=call.id, hits=index.search("停水", on=TODAY), now=NOON)
    at = {"suggestion_id": row.id, "call_id": call.id, "actor_id": who}
    suggestions.mark_used(session, **at, now=NOON)
    suggestions.mark_used(session, **at, now=LATER)
    assert (row.state, row.marked_at, row.marked_by) == (SuggestionState.USED, NOON, who)
    with pytest.raises(NotAllowedNow):
        suggestions.mark_wrong(session, **at, now=LATER)
    suggestions.undo_mark(session, **at, now=LATER)
    assert (row.state, row.marked_at, row.marked_by) == (SuggestionState.SHOWN, None, None)
    assert suggestions.mark_wrong(session, **at, now=LATER).state == SuggestionState.WRONG


def test_another_calls_suggestion_is_not_found(session: Session, index: KnowledgeIndex) -> None:
    call, other = calls.arrived(session), calls.arrived(session)
    (row,) = suggestions.show(session, call_id=call.id, hits=index.search("停水", on=TODAY), now=NOON)
    with pytest.raises(NotFound):
        suggestions.mark_used(session, suggestion_id=row.id, call_id=other.id, actor_id=None, now=NOON)
