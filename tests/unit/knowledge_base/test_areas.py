"""Answers that hold in a part of the city only, and words that a part of it has for its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.knowledge_base.language.local_words import Synonyms
from hotline.knowledge_base.models import Change, Entry, EntryArea, Synonym
from hotline.knowledge_base.search.index import KnowledgeIndex
from hotline.knowledge_base.search.shelf import Row, Shelf
from hotline.knowledge_base.service import ImportResult
from tests.conftest import NOON
from tests.unit.knowledge_base.conftest import ROWS, TODAY

Take = Callable[..., ImportResult]
# a county, two of its townships, a village; another county with a township
CODES = ("131102", "131102100", "131102101", "131102100201", "131103", "131103100")
area_sets = st.lists(st.sampled_from(CODES), max_size=3, unique=True).map(tuple)


def codes(index: KnowledgeIndex, text: str, area: str = "") -> list[str]:
    return [hit.code for hit in index.search(text, on=TODAY, area=area)]


def limit(session: Session, code: str, *areas: str) -> None:
    """Limit an entry to areas, as an editor's new version does."""
    entry = session.scalars(select(Entry).where(Entry.code == code)).one()
    entry.areas = [EntryArea(area_code=area) for area in areas]
    change = Change(entry_id=entry.id, at=NOON)
    session.add(change)
    session.flush()
    entry.change_seq = change.seq
    session.flush()


def test_an_answer_of_one_county_is_not_shown_to_a_call_from_another(
    session: Session, index: KnowledgeIndex, take: Take
) -> None:
    limit(session, "lamp", "131102")
    index.refresh(session)
    assert codes(index, "路灯不亮", "131103") == codes(index, "路灯不亮", "131103100") == []
    assert codes(index, "路灯不亮", "131102") == codes(index, "路灯不亮", "131102100") == ["lamp"]
    assert codes(index, "家里停水", "131103") == ["water"]


def test_while_nobody_knows_where_a_call_is_about_the_answer_tells_its_areas(
    session: Session, index: KnowledgeIndex
) -> None:
    limit(session, "lamp", "131103", "131102100")
    index.refresh(session)
    (hit,) = index.search("路灯不亮", on=TODAY)
    assert hit.areas == ("131102100", "131103")
    assert index.search("家里停水", on=TODAY)[0].areas == ()


def test_a_township_s_answer_is_not_shown_for_its_whole_county(session: Session, index: KnowledgeIndex) -> None:
    limit(session, "lamp", "131102100")
    index.refresh(session)
    assert codes(index, "路灯不亮", "131102") == codes(index, "路灯不亮", "131102101") == []
    assert codes(index, "路灯不亮", "131102100201") == ["lamp"]


@settings(deadline=None)
@given(limits=st.lists(area_sets, min_size=1, max_size=6), area=st.sampled_from(("", *CODES)))
def test_what_is_limited_to_other_areas_never_holds(limits: list[tuple[str, ...]], area: str) -> None:
    rows = [Row(n, f"k{n}", "路灯", "", None, None, ("路灯",), areas) for n, areas in enumerate(limits)]
    halves = Shelf.joined([Shelf.of(rows[:2]), Shelf.of(rows[2:])])
    for shelf in (halves, halves.taken(halves.ids)):
        held = shelf.holding(shelf.ids, TODAY, area, None).tolist()
        for areas, holds in zip(limits, held, strict=True):
            assert holds == (not area or not areas or any(area.startswith(code) for code in areas))


def test_a_local_name_finds_what_it_means(session: Session, index: KnowledgeIndex, take: Take) -> None:
    take({**ROWS[0], "id": "child", "question": "小孩打预防针去哪里", "similar": []})
    index.refresh(session)
    assert codes(index, "夯地") == []
    session.add_all([Synonym(term="夯地", means="夜间施工"), Synonym(term="小孩", means="儿童"), Change(at=NOON)])
    session.flush()
    index.refresh(session)
    assert codes(index, "夯地") == ["night"]
    assert codes(index, "儿童打预防针") == codes(index, "小孩打预防针") == ["child"]


def test_a_synonym_taken_back_means_nothing_any_more(session: Session, index: KnowledgeIndex) -> None:
    word = Synonym(term="夯地", means="夜间施工")
    session.add_all([word, Change(at=NOON)])
    session.flush()
    index.refresh(session)
    session.delete(word)
    session.add(Change(at=NOON))
    session.flush()
    index.refresh(session)
    assert codes(index, "夯地") == []


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("我的社保卡丢了", "我的社保卡丢了"),  # what is meant is not read again
        ("我的卡丢了", "我的社保卡丢了"),
        ("甲乙", "乙甲"),  # nor do two words that mean each other go round
        ("丙", "丙"),
        ("乙", "甲"),
    ],
)
def test_each_term_is_read_once(said: str, read: str) -> None:
    pairs = [("卡", "社保卡"), ("甲", "乙"), ("乙", "甲"), ("丙", "丙"), ("？！", "什么"), ("丁", "")]
    assert Synonyms.of(pairs).read([said, "路灯"]) == [read, "路灯"]


@given(texts=st.lists(st.text(alphabet="甲乙丙丁卡社保a ", max_size=12)), data=st.data())
def test_reading_keeps_every_text_in_its_place(texts: list[str], data: st.DataObject) -> None:
    word = st.text(alphabet="甲乙丙社保卡(.a", max_size=3)
    synonyms = Synonyms.of(data.draw(st.lists(st.tuples(word, word), max_size=4)))
    assert synonyms.read(texts) == [synonyms.read([text])[0] for text in texts]
