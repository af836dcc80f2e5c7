"""Finding entries by pinyin: initials, whole syllables, both mixed; every reading of every sign, in any text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hotline.knowledge_base import service
from hotline.knowledge_base.language.sounds import readings
from hotline.knowledge_base.language.spelling import LONGEST, folded, pieces
from hotline.knowledge_base.models import Change, Entry
from hotline.knowledge_base.search.finding import find
from hotline.knowledge_base.search.index import KnowledgeIndex
from hotline.knowledge_base.search.initials import InitialsIndex, Table, matches
from hotline.knowledge_base.service import ImportResult
from tests.conftest import NOON
from tests.unit.knowledge_base.conftest import TODAY

Take = Callable[..., ImportResult]

QUESTIONS = (
    "社保卡丢了以后怎么补办",
    "银行卡解绑要不要去柜台",
    "重复缴费怎么退",
    "ETC怎么办理？（个人）",
    "西安的先进个人",
    "12345能不能查进度",
    "儿童疫苗在哪里打",
    "新市民公租房补贴",
)
TABLE = Table.of([(number, None, None, True, [], [text]) for number, text in enumerate(QUESTIONS)])


def found(typed: str, table: Table = TABLE, **options: object) -> list[str]:
    hits = matches(table, folded(typed)[:LONGEST], limit=5, on=TODAY, **options)  # type: ignore[arg-type]
    return [QUESTIONS[hit.entry_id] for hit in hits]


@pytest.mark.parametrize(
    ("typed", "question", "told"),
    [
        ("sbkbb", 0, ["社保卡", "补办"]),  # words between left out
        ("sbk", 0, ["社保卡"]),
        ("shebaoka", 0, ["社保卡"]),
        ("社bk", 0, ["社保卡"]),
        ("shebk", 0, ["社保卡"]),
        ("shbk", 0, ["社保卡"]),  # an initial of two letters
        ("SBK", 0, ["社保卡"]),
        ("she'bao'ka", 0, ["社保卡"]),  # as an input method shows it while one types
        ("shebaok", 0, ["社保卡"]),  # still being typed
        ("shebaokadiul", 0, ["社保卡丢了"]),
        ("社保卡bb", 0, ["社保卡", "补办"]),
        ("yhk", 1, ["银行卡"]),
        ("yxk", 1, ["银行卡"]),  # 行 is also xing
        ("yinhangka", 1, ["银行卡"]),
        ("cfjf", 2, ["重复缴费"]),
        ("zfjf", 2, ["重复缴费"]),  # 重 is also zhong
        ("chongfu", 2, ["重复"]),
        ("etcbl", 3, ["ETC", "办理"]),
        ("etczm", 3, ["ETC怎么"]),
        ("blgr", 3, ["办理", "个人"]),  # signs that cannot be typed are passed over
        ("xian", 4, ["西安"]),
        ("12345nbn", 5, ["12345能不能"]),
        ("etym", 6, ["儿童疫苗"]),
        ("ertong", 6, ["儿童"]),
        ("gzfbt", 7, ["公租房补贴"]),
        ("ｇｚｆ", 7, ["公租房"]),  # full width
    ],
)
def test_letters_find_what_they_spell_and_tell_which_words(typed: str, question: int, told: list[str]) -> None:
    assert found(typed)[0] == QUESTIONS[question]
    assert pieces(QUESTIONS[question], typed) == told


@pytest.mark.parametrize("typed", ["iu", "vvv", "zzzz", "sbkzz", "kbs", "shebaokadiang"])
def test_letters_that_spell_nothing_find_nothing(typed: str) -> None:
    assert found(typed) == []
    assert [pieces(text, typed) for text in QUESTIONS] == [[]] * len(QUESTIONS)


def test_a_word_is_left_only_at_its_end_and_in_few_places() -> None:
    table = Table.of([(0, None, None, True, [], ["办理居住证需要什么材料和多少费用"])])
    assert found("jzzcl", table) and found("blclfy", table)
    assert not found("jzcl", table)  # 居住证 is one word
    assert not found("bljzxyclfy", Table.of([(0, None, None, True, [], ["办理甲居住乙需要丙材料丁费用"])]))


def test_common_readings_the_question_and_its_beginning_come_first() -> None:
    rows = ["怎么换款", "怎么还款", "服务不周", "在哪里怎么还款"]
    table = Table.of([(number, None, None, True, [], [text]) for number, text in enumerate(rows)])
    assert [hit.entry_id for hit in matches(table, "zmhk", limit=9, on=TODAY)] == [0, 1, 3]
    two = Table.of([(1, None, None, True, [], ["挂失", "社保卡丢了"]), (2, None, None, True, [], ["社保卡丢了"])])
    assert [(hit.entry_id, hit.phrasing) for hit in matches(two, "sbk", limit=9, on=TODAY)] == [(2, 0), (1, 1)]


signs = st.text(st.sampled_from("社保卡行重长还都ABc1了，。？ \n银补办会计大夫𠮷"), max_size=24)


@given(st.lists(signs, min_size=1, max_size=6), st.data())
def test_the_initials_of_any_stretch_of_a_question_find_it(texts: list[str], data: st.DataObject) -> None:
    table = Table.of([(number, None, None, True, [], [text]) for number, text in enumerate(texts)])
    number = data.draw(st.integers(0, len(texts) - 1))
    plain = folded(texts[number])
    begin = data.draw(st.integers(0, len(plain)))
    stretch = plain[begin : data.draw(st.integers(begin, len(plain)))]
    typed = "".join(
        data.draw(st.sampled_from([char, *(read[0] for read in readings().get(char, ()))])) for char in stretch
    )
    if typed:
        hits = matches(table, typed, limit=len(texts), on=TODAY)
        assert number in {hit.entry_id for hit in hits}
        assert folded("".join(pieces(texts[number], typed))), (texts[number], typed)


@given(st.lists(st.text(max_size=20), max_size=5), st.text(max_size=60))
def test_any_text_may_be_asked_of_any_text(texts: list[str], typed: str) -> None:
    table = Table.of([(number, None, None, True, [], [text, text]) for number, text in enumerate(texts)])
    plain = folded(typed)[:LONGEST]
    told = [bool(pieces(text, plain)) for text in texts]
    if plain:
        hits = {hit.entry_id for hit in matches(table, plain, limit=9, on=TODAY)}
        assert all(told[number] for number in hits)


@given(st.lists(st.lists(st.sampled_from(QUESTIONS), min_size=1, max_size=3), max_size=6), st.data())
def test_a_table_made_piece_by_piece_answers_like_one_made_at_once(rows: list[list[str]], data: st.DataObject) -> None:
    whole = [
        (number, None, TODAY if number % 3 else None, number % 2 == 0, ["131102"] * (number % 2), texts)
        for number, texts in enumerate(rows)
    ]
    cut = data.draw(st.integers(0, len(rows)))
    gone = data.draw(st.sets(st.integers(0, max(0, len(rows) - 1))))
    pieced = Table.joined([Table.of(whole[:cut]).without(_ids(gone)), Table.of(whole[cut:]).without(_ids(gone))])
    at_once = Table.of([row for row in whole if row[0] not in gone])
    for typed in ("sbk", "yhkjb", "zm"):
        for area in ("", "131102005", "131103"):
            asked = [matches(table, typed, limit=9, on=TODAY, area=area, for_site=True) for table in (pieced, at_once)]
            assert asked[0] == asked[1]


def _ids(gone: set[int]) -> NDArray[np.int64]:
    return np.array(sorted(gone), np.int64)


# ---- with the database


def codes(session: Session, index: InitialsIndex, typed: str, **options: object) -> list[str]:
    index.refresh(session)
    hits = index.search(typed, limit=5, on=TODAY, **options)  # type: ignore[arg-type]
    return [session.get_one(Entry, hit.entry_id).code for hit in hits]


def row(code: str, question: str, **more: object) -> dict[str, object]:
    return {"id": code, "question": question, "answer": "答案。", **more}


def take_in(session: Session, *rows: dict[str, object]) -> None:
    assert not service.import_entries(session, rows, actor_id=None, now=NOON).refused


def test_an_edit_is_found_at_once_and_what_was_withdrawn_is_not(session: Session) -> None:
    index = InitialsIndex()
    assert codes(session, index, "sbk") == []
    take_in(session, row("A", "社保卡补办"), row("B", "社保卡挂失", similar=["社会保障卡丢了"]))
    assert codes(session, index, "sbkbb") == ["A"]
    assert codes(session, index, "shbzk") == ["B"]
    take_in(session, row("A", "医保卡补办"))
    assert (codes(session, index, "sbkbb"), codes(session, index, "ybkbb")) == ([], ["A"])
    service.withdraw(session, code="A", actor_id=None, now=NOON)
    assert codes(session, index, "ybkbb") == []
    service.restore(session, code="A", actor_id=None, now=NOON)
    assert codes(session, index, "ybkbb") == ["A"]


def test_outside_its_dates_its_area_and_the_site_it_is_not_found(session: Session) -> None:
    take_in(
        session,
        row("early", "取暖补贴一", valid_from=(TODAY + timedelta(days=1)).isoformat()),
        row("late", "取暖补贴二", valid_to=(TODAY - timedelta(days=1)).isoformat()),
        row("last day", "取暖补贴三", valid_from=TODAY.isoformat(), valid_to=TODAY.isoformat(), public=False),
    )
    index = InitialsIndex()
    assert codes(session, index, "qnbt") == ["last day"]
    assert codes(session, index, "qnbt", for_site=True) == []


def test_a_database_put_back_is_read_from_the_beginning(session: Session) -> None:
    take_in(session, row("A", "社保卡补办"))
    take_in(session, row("B", "医保卡补办"))
    index = InitialsIndex()
    assert codes(session, index, "kbb") != []
    gone = session.scalars(select(Entry).where(Entry.code == "B")).one()
    service.withdraw(session, code="B", actor_id=None, now=NOON)
    index.refresh(session)
    session.execute(delete(Change).where(Change.seq > 1))
    gone.state, gone.change_seq = "published", 1
    session.flush()
    assert codes(session, index, "ybkbb") == ["B"]


def test_what_is_spelled_comes_before_what_is_merely_like_it(session: Session) -> None:
    take_in(
        session, row("A", "SBK卡怎么用"), row("B", "社保卡补办", similar=["社会保障卡遗失"]), row("C", "路灯不亮找谁修")
    )
    tools = {"index": KnowledgeIndex(), "initials": InitialsIndex(), "limit": 5, "on": TODAY}
    hits = find(session, "shbzk", **tools)  # type: ignore[arg-type]
    assert [(hit.entry.code, hit.asked, hit.matched) for hit in hits] == [("B", "社会保障卡遗失", ("社会保障卡",))]
    assert {hit.entry.code for hit in find(session, "sbk", **tools)} == {"A", "B"}  # type: ignore[arg-type]
    assert [hit.entry.code for hit in find(session, "路灯不亮", **tools)] == ["C"]  # type: ignore[arg-type]
    for nothing in ("", "？！", "😀", "\x00\x1b", "x" * 5_000_000, "，" * 5_000_000):
        assert find(session, nothing, **tools) == []  # type: ignore[arg-type]
