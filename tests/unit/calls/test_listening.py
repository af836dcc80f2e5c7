"""Answers to what a caller has said so far: shown when something fits, standing still while it does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from hotline.calls.listening import SHOWN_AT_MOST, Suggester
from hotline.db import make_engine
from hotline.knowledge_base.search.hits import NEAR
from hotline.knowledge_base.search.index import KnowledgeIndex
from hotline.knowledge_base.service import import_entries
from hotline.migrations.metadata import metadata
from tests.conftest import NOON
from tests.databases import MakeDatabase
from tests.factories.units import city
from tests.unit.knowledge_base.conftest import ROWS

CARD = {
    "id": "card",
    "question": "公交卡丢了怎么挂失",
    "answer": "请带身份证到公交公司。",
    "valid_to": "2026-12-31",
    "areas": ["131102"],
}
STORY = "喂你好我要反映一下我们小区门口的路灯不亮了三天了晚上出门很不方便另外工地半夜施工太吵"
PIECES = "喂 路灯 鹿灯 不亮 家里 停水 老板 拖欠工资 结婚登记 半夜施工 😀 ？ 的"
pieces = st.lists(st.sampled_from(PIECES.split()), max_size=12)
NOTHING = ("", "喂你好", "昨天晚上", "今天天气不错", "😀🎉", "？！……", "\x00\x07\ud800", "嗯" * 2_500_000)


@pytest.fixture(scope="module")
def index(make_database: MakeDatabase) -> KnowledgeIndex:
    """An index over a few entries."""
    engine = make_engine(make_database())
    metadata.create_all(engine)
    index = KnowledgeIndex()
    with Session(engine) as session:
        city(session)  # for its areas
        import_entries(session, [*ROWS, CARD], actor_id=None, now=NOON)
        index.refresh(session)
    engine.dispose()
    return index


def said(suggester: Suggester, heard: str) -> list[str]:
    """Return what comes on the screen; nothing when it stays as it is."""
    hits = suggester.look_up(heard, NOON)
    if hits:
        suggester.stand(hits)
    return [hit.code for hit in hits]


def test_the_screen_changes_when_the_words_tell_more_and_only_then(index: KnowledgeIndex) -> None:
    suggester = Suggester(index, call_id=1)
    shown = [codes for end in range(1, len(STORY) + 1) if (codes := said(suggester, STORY[:end]))]
    assert shown[0] == ["lamp"]
    assert len(shown) <= 10  # of 45 syllables
    assert "night" in shown[-1]
    assert said(suggester, STORY) == []


@pytest.mark.parametrize("heard", NOTHING, ids=range(len(NOTHING)))
def test_where_nothing_fits_nothing_comes(index: KnowledgeIndex, heard: str) -> None:
    assert said(Suggester(index, call_id=1), heard) == []


def test_what_stands_there_stays_while_the_caller_clears_their_throat(index: KnowledgeIndex) -> None:
    suggester = Suggester(index, call_id=1)
    assert said(suggester, "门口路灯坏了") == ["lamp"]
    assert said(suggester, "喂") == []
    assert said(suggester, "门口路灯坏了 嗯") == []


def test_only_what_was_said_last_counts(index: KnowledgeIndex) -> None:
    suggester = Suggester(index, call_id=1)
    assert said(suggester, "路灯不亮" + "啦" * 300 + "结婚登记要什么手续") == ["wedding"]


def test_days_and_areas_are_those_of_the_city_and_the_call(index: KnowledgeIndex) -> None:
    suggester = Suggester(index, call_id=1)
    last_day = datetime(2026, 12, 31, 15, 59, tzinfo=UTC)  # almost midnight in China
    assert [hit.code for hit in suggester.look_up("公交卡挂失", last_day)] == ["card"]
    assert suggester.look_up("公交卡挂失", last_day + timedelta(minutes=1)) == []
    suggester.area = "131103"
    assert suggester.look_up("公交卡挂失", last_day) == []


@settings(deadline=None)
@given(heard=pieces)
def test_who_leads_gives_way_only_to_a_clearly_better_one(index: KnowledgeIndex, heard: list[str]) -> None:
    suggester = Suggester(index, call_id=1)
    leader: int | None = None
    for end in range(1, len(heard) + 1):
        hits = suggester.look_up("".join(heard[:end]), NOON)
        assert len(hits) <= SHOWN_AT_MOST
        if not hits:
            continue
        before = next((hit for hit in hits if hit.entry_id == leader), None)
        assert before is None or hits[0] == before or hits[0].score - before.score >= NEAR
        suggester.stand(hits)
        leader = hits[0].entry_id
