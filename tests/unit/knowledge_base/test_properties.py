"""What holds for any text and any course of edits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from hotline.db import Base, make_engine
from hotline.knowledge_base import queries, service
from hotline.knowledge_base.search import KnowledgeIndex
from hotline.knowledge_base.states import EntryState
from hotline.knowledge_base.tokens import LONGEST, tokens_of
from tests.conftest import NOON
from tests.unit.knowledge_base.conftest import ROWS, TODAY

CODES = [row["id"] for row in ROWS]
spoken = st.text(alphabet="路灯不亮停水工资拖欠结婚登记夜间施公噪声喂一二三 幺的了吗a1", max_size=30)
days = st.one_of(st.none(), st.integers(-3, 3).map(lambda days: TODAY + timedelta(days=days)))
rewrite = st.tuples(st.sampled_from(CODES), spoken, st.lists(spoken, max_size=3), days, days)
toggle = st.sampled_from(CODES)


@contextmanager
def knowledge() -> Iterator[Session]:
    """A database of its own with ``ROWS``."""
    engine = make_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        service.import_entries(session, ROWS, actor_id=None, now=NOON)
        yield session
    engine.dispose()


def built(session: Session) -> KnowledgeIndex:
    index = KnowledgeIndex()
    index.refresh(session)
    return index


def edit(session: Session, step: object) -> None:
    """Rewrite an entry (a row that makes no sense is refused), or withdraw it, or publish it again."""
    if isinstance(step, tuple):
        code, question, similar, since, until = step
        row = {"id": code, "question": question, "answer": "答", "similar": similar}
        row |= {"valid_from": since, "valid_to": until}
        service.import_entries(session, [row], actor_id=None, now=NOON)
        return
    entry = queries.entry_by_code(session, str(step))
    assert entry is not None
    verb = service.withdraw if entry.state == EntryState.PUBLISHED else service.publish
    verb(session, code=entry.code, actor_id=None, now=NOON)


@settings(deadline=None)
@given(st.text(max_size=400))
def test_any_text_has_tokens_and_any_text_can_be_searched(text: str) -> None:
    index = _five()
    tokens = tokens_of(text)
    # NFKC may write one sign as several letters (at most 18), never without bound
    assert len(tokens.text) <= 18 * LONGEST
    for hit in index.search(text, on=TODAY):
        assert 0 < hit.score <= 1
        assert all(word in tokens.text for word in (*hit.matched, *hit.sounded))


_index: list[KnowledgeIndex] = []


def _five() -> KnowledgeIndex:
    """One index over ``ROWS`` for every example."""
    if not _index:
        with knowledge() as session:
            _index.append(built(session))
    return _index[0]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.one_of(rewrite, toggle), max_size=4), max_size=4), st.lists(spoken, min_size=1, max_size=5))
def test_an_index_renewed_piece_by_piece_answers_like_one_built_anew(
    rounds: list[list[object]], asked: list[str]
) -> None:
    with knowledge() as session:
        renewed = built(session)
        for steps in rounds:
            for step in steps:
                edit(session, step)
            renewed.refresh(session)
        anew = built(session)
        for text in [*asked, *(str(row["question"]) for row in ROWS)]:
            assert renewed.search(text, on=TODAY) == anew.search(text, on=TODAY)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(rewrite, toggle), max_size=6), spoken, st.integers(-4, 4))
def test_what_is_withdrawn_or_does_not_hold_that_day_never_appears(
    steps: list[object], asked: str, offset: int
) -> None:
    on: date = TODAY + timedelta(days=offset)
    with knowledge() as session:
        for step in steps:
            edit(session, step)
        holding = {entry.code: entry.question for entry in queries.published(session, on)}
        index = built(session)
        for text in [asked, *(str(row["question"]) for row in ROWS)]:
            assert {hit.code for hit in index.search(text, on=on)} <= holding.keys()
        for code, question in holding.items():
            if tokens_of(question).text:  # and what holds is found by its own words, or by an equal's
                hits = index.search(question, on=on, limit=len(CODES))
                assert code in {hit.code for hit in hits}
