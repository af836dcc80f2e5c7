"""What holds for any text and any course of edits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from hotline.db import Base, make_engine
from hotline.knowledge_base import queries, service
from hotline.knowledge_base.language.tokens import LONGEST, Said, has_matter, normalise, signs_of, terms_of
from hotline.knowledge_base.search.index import KnowledgeIndex
from hotline.knowledge_base.states import EntryState
from tests.conftest import NOON
from tests.databases import MakeDatabase
from tests.unit.knowledge_base.conftest import ROWS, TODAY

CODES = [row["id"] for row in ROWS]
spoken = st.text(alphabet="路灯不亮停水工资拖欠结婚登记夜间施公噪声喂一二三 幺的了吗a1", max_size=30)
days = st.one_of(st.none(), st.integers(-3, 3).map(lambda days: TODAY + timedelta(days=days)))
rewrite = st.tuples(st.sampled_from(CODES), spoken, st.lists(spoken, max_size=3), days, days)
toggle = st.sampled_from(CODES)


Knowledge = Callable[[], AbstractContextManager[Session]]


@pytest.fixture(scope="module")
def knowledge(make_database: MakeDatabase) -> Iterator[Knowledge]:
    """Opens a session in which there is nothing but ``ROWS``; nothing of it stays."""
    engine = make_engine(make_database())
    Base.metadata.create_all(engine)

    @contextmanager
    def opened() -> Iterator[Session]:
        with Session(engine) as session:
            service.import_entries(session, ROWS, actor_id=None, now=NOON)
            yield session

    yield opened
    engine.dispose()


@pytest.fixture(scope="module")
def five(knowledge: Knowledge) -> KnowledgeIndex:
    """One index over ``ROWS`` for every example."""
    with knowledge() as session:
        return built(session)


def built(session: Session, **options: int) -> KnowledgeIndex:
    index = KnowledgeIndex(**options)
    index.refresh(session)
    return index


def told(index: KnowledgeIndex, text: str) -> dict[str, object]:
    """Return what is shown for a text; sums of the same numbers in another order differ in their last digits."""
    return {hit.code: pytest.approx(hit.score, abs=1e-4) for hit in index.search(text, on=TODAY)}


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
    verb = service.withdraw if entry.state == EntryState.PUBLISHED else service.restore
    verb(session, code=entry.code, actor_id=None, now=NOON)


@settings(deadline=None)
@given(text=st.text(max_size=400))
def test_any_text_has_tokens_and_any_text_can_be_searched(five: KnowledgeIndex, text: str) -> None:
    plain = normalise(text)
    # NFKC may write one sign as several letters (at most 18), never without bound
    assert len(plain) <= 18 * LONGEST
    for hit in five.search(text, on=TODAY):
        assert 0 < hit.score <= 1
        assert all(word in plain for word in (*hit.matched, *hit.sounded))


@settings(max_examples=40, deadline=None)
@given(
    rounds=st.lists(st.lists(st.one_of(rewrite, toggle), max_size=4), max_size=4),
    asked=st.lists(spoken, min_size=1, max_size=5),
)
def test_an_index_renewed_piece_by_piece_answers_like_one_built_anew(
    knowledge: Knowledge, rounds: list[list[object]], asked: list[str]
) -> None:
    with knowledge() as session:
        renewed = built(session)
        for steps in rounds:
            for step in steps:
                edit(session, step)
            renewed.refresh(session)
        anew = built(session)
        for text in [*asked, *(str(row["question"]) for row in ROWS)]:
            assert told(renewed, text) == told(anew, text)


@settings(max_examples=20, deadline=None)
@given(
    rounds=st.lists(st.lists(st.one_of(rewrite, toggle), max_size=4), max_size=4),
    asked=st.lists(spoken, min_size=1, max_size=5),
)
def test_so_does_one_whose_changes_are_put_with_the_rest_after_every_round(
    knowledge: Knowledge, rounds: list[list[object]], asked: list[str]
) -> None:
    with knowledge() as session:
        renewed = built(session, small=2)
        for steps in rounds:
            for step in steps:
                edit(session, step)
            renewed.refresh(session)
            renewed.settle()
        anew = built(session)
        for text in [*asked, *(str(row["question"]) for row in ROWS)]:
            assert told(renewed, text) == told(anew, text)


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(st.one_of(rewrite, toggle), max_size=6), asked=spoken, offset=st.integers(-4, 4))
def test_what_is_withdrawn_or_does_not_hold_that_day_never_appears(
    knowledge: Knowledge, steps: list[object], asked: str, offset: int
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
            plain = normalise(question)
            if terms_of(Said.of(signs_of(plain))) and has_matter(plain):  # what holds is found by its own words
                hits = index.search(question, on=on, limit=len(CODES))
                assert code in {hit.code for hit in hits}
