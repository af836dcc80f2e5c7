"""Finding answers: by letter, by word, by sound; and finding none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from hotline.db import SessionFactory, session_scope
from hotline.knowledge_base import service
from hotline.knowledge_base.language.tokens import Said, has_matter, normalise, signs_of, terms_of
from hotline.knowledge_base.models import Change, Entry, SimilarQuestion, Version
from hotline.knowledge_base.search.hits import Hit, steady, window
from hotline.knowledge_base.search.index import KnowledgeIndex
from hotline.knowledge_base.service import ImportResult
from tests.conftest import NOON
from tests.unit.knowledge_base.conftest import ROWS, TODAY

Take = Callable[..., ImportResult]


def codes(index: KnowledgeIndex, text: str, **options: object) -> list[str]:
    return [hit.code for hit in index.search(text, on=TODAY, **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("heard", "code"),
    [
        ("路灯不亮", "lamp"),
        ("喂 您好 我 想 问 一下 结婚 登记 要 什么 手续", "wedding"),
        ("鹿灯不凉", "lamp"),  # the same sounds, other characters
        ("劳板托欠公子", "wages"),
        ("那个工地半夜还在施工吵得睡不着", "night"),
        ("我家里停水两天了在永兴路那个五洲国际五号楼三单元", "water"),
        ("我在外地打工孩子在家里跟着老人过结果老板拖欠工资不给我们商量了好几回他都不接电话", "wages"),
    ],
)
def test_what_was_heard_finds_its_answer(index: KnowledgeIndex, heard: str, code: str) -> None:
    assert codes(index, heard)[0] == code


@pytest.mark.parametrize(
    "text", ["", " ", "😀🎉", "\x00\x07\ud800", "？！……", "嗯", "今天天气不错", "qwerty", "\u0301\u0301"]
)
def test_nothing_is_shown_when_nothing_fits(index: KnowledgeIndex, text: str) -> None:
    assert codes(index, text) == []


@pytest.mark.parametrize("question", ["了", "怎么办", "可以吗"])
def test_what_is_asked_in_idle_words_alone_is_found_by_them_and_so_is_its_twin(
    session: Session, take: Take, question: str
) -> None:
    take(*({"id": name, "question": question} for name in ("one", "twin")), questions_only=True)
    index = KnowledgeIndex()
    index.refresh(session)
    assert codes(index, question) == ["one", "twin"]


@pytest.mark.parametrize("text", ["昨天晚上", "等了一个月了", "好几天了", "今天早上一直到现在"])
def test_times_alone_show_nothing_even_where_an_entry_has_them(session: Session, take: Take, text: str) -> None:
    take({"id": "noise", "question": "晚上很吵"}, questions_only=True)
    index = KnowledgeIndex()
    index.refresh(session)
    assert codes(index, text) == []
    assert codes(index, f"{text}很吵") == ["noise"]


def test_a_matter_scores_the_same_however_long_the_story_around_it(index: KnowledgeIndex) -> None:
    story = "孙先生开车带着朋友从省城赶过来探望亲戚"
    scores = [index.search(text, on=TODAY)[0].score for text in (f"路灯不亮{story}", f"{story}路灯不亮{story[::-1]}")]
    assert scores[0] == pytest.approx(scores[1], abs=0.05)
    assert scores[0] < index.search("路灯不亮", on=TODAY)[0].score


def test_signs_scattered_over_a_story_weigh_less_than_side_by_side(index: KnowledgeIndex) -> None:
    assert codes(index, "结实的书包带子断了过后再婚的姑姑登台唱歌记者拍照") == []
    assert codes(index, "结实的书包带子断了过后结婚登记姑姑唱歌记者拍照") == ["wedding"]


def test_of_five_megabytes_the_end_counts(index: KnowledgeIndex) -> None:
    assert codes(index, "啦" * 2_500_000 + "路灯不亮") == ["lamp"]


def test_an_empty_index_answers_nothing(session: Session) -> None:
    index = KnowledgeIndex()
    assert index.refresh(session) == 0
    assert codes(index, "路灯不亮") == []


def test_a_hit_carries_what_the_desk_shows(index: KnowledgeIndex) -> None:
    (hit,) = index.search("老板拖欠公资三个月", on=TODAY)
    assert (hit.question, hit.category) == (ROWS[2]["question"], ROWS[2]["category"])
    assert 0 < hit.score < 1
    assert set(hit.matched) == {"老板", "拖欠"}


def test_a_word_that_only_sounds_right_is_told_apart(index: KnowledgeIndex) -> None:
    (hit,) = index.search("夜间施公噪声", on=TODAY)
    assert "噪声" in hit.matched
    assert not set(hit.matched) & set(hit.sounded)


def test_the_same_words_score_the_full_mark(index: KnowledgeIndex) -> None:
    assert index.search("路灯不亮找谁修", on=TODAY)[0].score == pytest.approx(1, abs=0.02)


def test_subjects_narrow_the_search_and_none_means_all(index: KnowledgeIndex) -> None:
    assert codes(index, "路灯不亮", subjects={"供水"}) == []
    assert codes(index, "路灯不亮", subjects={"市政设施", "供水"}) == ["lamp"]
    assert codes(index, "路灯不亮", subjects=[]) == ["lamp"]


def test_no_more_than_asked_for(index: KnowledgeIndex) -> None:
    assert len(codes(index, "家里停水怎么报修 路灯不亮找谁修")) == 2
    assert len(codes(index, "家里停水怎么报修 路灯不亮找谁修", limit=1)) == 1


def test_an_entry_holds_from_its_first_to_its_last_day(session: Session, take: Take) -> None:
    take({**ROWS[0], "valid_from": "2026-11-18", "valid_to": "2026-11-20"})
    index = KnowledgeIndex()
    index.refresh(session)
    seen = [len(index.search("路灯不亮", on=TODAY + timedelta(days=days))) for days in (-1, 0, 2, 3)]
    assert seen == [0, 1, 1, 0]


def test_refresh_takes_in_only_what_changed(session: Session, index: KnowledgeIndex, take: Take) -> None:
    assert index.refresh(session) == 0
    take({**ROWS[0], "similar": ["马路黑漆漆"]})
    service.withdraw(session, code="water", actor_id=None, now=NOON)
    assert index.refresh(session) == 2
    assert codes(index, "马路黑漆漆") == ["lamp"]
    assert codes(index, "路灯一闪一闪")[:1] == ["lamp"]  # still by its question
    assert codes(index, "家里停水") == []
    assert len(index) == 4


def test_an_index_starts_over_when_the_database_went_back(session: Session, index: KnowledgeIndex, take: Take) -> None:
    for table in (SimilarQuestion, Change, Version, Entry):
        session.execute(delete(table))
    rewind = {
        "sqlite": "DELETE FROM sqlite_sequence WHERE name = 'kb_changes'",
        "postgresql": "SELECT setval(pg_get_serial_sequence('kb_changes', 'seq'), 1, false)",
    }
    session.connection().exec_driver_sql(rewind[session.get_bind().dialect.name])
    session.expunge_all()
    take(ROWS[1])
    index.refresh(session)
    assert (codes(index, "家里停水"), codes(index, "路灯不亮")) == (["water"], [])


def test_searches_go_on_while_the_index_is_renewed(sessions: SessionFactory) -> None:
    with session_scope(sessions) as session:
        service.import_entries(session, ROWS, actor_id=None, now=NOON)
    index = KnowledgeIndex()
    with session_scope(sessions) as session:
        index.refresh(session)
    stop, wrong = threading.Event(), []

    def keep_searching() -> None:
        while not stop.is_set():
            if codes(index, "家里停水") != ["water"]:
                wrong.append(1)

    threads = [threading.Thread(target=keep_searching) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(20):
            with session_scope(sessions) as session:
                service.import_entries(session, [{**ROWS[0], "similar": [f"路灯第{turn}版"]}], actor_id=None, now=NOON)
            with session_scope(sessions) as session:
                assert index.refresh(session) == 1
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not wrong
    assert "19" in index.search("路灯第19版", on=TODAY)[0].matched


def test_entries_and_queries_are_cut_alike() -> None:
    spoken, typed = (
        signs_of(normalise(text)) for text in ("喂你好，我想问一下异地就医怎么报销？", "异地 就医 怎么 报销")
    )
    assert terms_of(Said.of(spoken)) == terms_of(Said.of(typed))
    assert normalise("谢谢") == "谢谢"  # nothing else was said


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("打一二三四五", "打12345"),
        ("幺二三三三", "12333"),
        ("一二〇", "120"),
        ("二零二六年", "2026年"),
        ("百分之三", "3"),
        ("3%", "3"),
        ("三天了一直不亮", "三天了一直不亮"),
        ("ＡＢＣ　１２", "abc 12"),
        ("App 里 交", "app里交"),
    ],
)
def test_numbers_read_out_become_digits_and_words_stay(said: str, read: str) -> None:
    assert normalise(said) == read


@pytest.mark.parametrize("said", ["路灯坏了一个多月了晚上看不见", "小区停水两天了", "三年级", "什么时候"])
def test_a_matter_is_told_beside_times(said: str) -> None:
    assert has_matter(said)


@pytest.mark.parametrize("said", ["昨天晚上", "一下", "三天了", "一直到现在"])
def test_times_alone_are_no_matter(said: str) -> None:
    assert not has_matter(said)


def test_the_window_keeps_the_newest_words() -> None:
    assert window([]) == ""
    assert window(["一", "二"], max_chars=5) == "一 二"
    assert window(["一二三四五", "六七", "八九"], max_chars=7) == "五 六七 八九"
    assert window(["前面说的", "很长的一句话"], max_chars=3) == "一句话"
    assert len(window(["话" * 500] * 3)) == 120


def hit(code: int, score: float) -> Hit:
    return Hit(code, str(code), "问", "", score)


def test_the_leader_stays_until_another_is_clearly_better() -> None:
    before = [hit(1, 0.60), hit(2, 0.55)]
    near = [hit(2, 0.62), hit(1, 0.60)]
    assert [one.entry_id for one in steady(before, near)] == [1, 2]
    assert [one.entry_id for one in steady(before, [hit(2, 0.80), hit(1, 0.60)])] == [2, 1]
    assert [one.entry_id for one in steady(before, [hit(3, 0.60), hit(2, 0.59)])] == [3, 2]
    assert (steady([], near), steady(before, [])) == (near, [])
