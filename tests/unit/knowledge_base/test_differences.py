"""What a colleague reads before publishing: every change and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hotline.knowledge_base.content import Content
from hotline.knowledge_base.differences import (
    ADDED,
    GAP,
    REMOVED,
    SAME,
    WORDS,
    Names,
    Piece,
    as_words,
    changed,
    differences,
    of_items,
    of_text,
)

CARD = Content(
    question="社保卡丢了怎么补办",
    answer="请带身份证到社保窗口补办。\n\n工本费 20 元。",
    similar=("社保卡掉了", "社保卡遗失"),
    owner_unit="RSJ",
    valid_to=date(2026, 12, 31),
)
NAMES = Names({"RSJ": "市人社局", "YBJ": "市医保局"}, {"131103": "冀州区"}, {7: "申请表.docx"})


def test_the_changed_words_of_an_answer_are_marked_and_the_rest_stands_around_them() -> None:
    [one] = differences(CARD, replace(CARD, answer="请带身份证到社保窗口补办。\n\n工本费 25 元。"))
    assert (one.name, one.word, one.is_list) == ("answer", "答案", False)
    assert [piece for piece in one.pieces if piece.kind != SAME] == [Piece(REMOVED, "20"), Piece(ADDED, "25")]
    assert one.pieces[0] == Piece(SAME, "请带身份证到社保窗口补办。\n\n工本费 ")


def test_of_similar_questions_the_new_and_the_gone_are_told() -> None:
    [one] = differences(CARD, replace(CARD, similar=("社保卡掉了", "社保卡找不到")))
    assert one.is_list
    assert one.pieces == (Piece(SAME, "社保卡掉了"), Piece(ADDED, "社保卡找不到"), Piece(REMOVED, "社保卡遗失"))


def test_units_areas_files_days_and_yes_or_no_are_told_in_words() -> None:
    after = replace(CARD, owner_unit="YBJ", areas=("131103",), attachments=(7,), valid_to=None, public=False)
    told = {one.word: [(piece.kind, piece.text) for piece in one.pieces] for one in differences(CARD, after, NAMES)}
    assert told == {
        "责任单位": [(REMOVED, "市人社局"), (ADDED, "市医保局")],
        "适用地区": [(ADDED, "冀州区")],
        "失效日期": [(REMOVED, "2026年12月31日")],
        "对外公开": [(REMOVED, "是"), (ADDED, "否")],
        "附件": [(ADDED, "申请表.docx")],
    }


def test_a_first_text_is_new_in_every_field_that_says_something() -> None:
    told = differences(None, CARD, NAMES)
    assert [one.name for one in told] == ["question", "similar", "answer", "owner_unit", "valid_to"]
    assert {piece.kind for one in told for piece in one.pieces} == {ADDED}


def test_the_same_areas_in_another_order_are_no_change() -> None:
    one = replace(CARD, areas=("131103", "131102"))
    assert changed(one, replace(one, areas=("131102", "131103"))) == []
    assert changed(one, replace(one, similar=one.similar[::-1])) == ["similar"]


def test_a_long_stretch_that_stayed_is_folded_around_the_change() -> None:
    long = "办理时请携带原件。" * 60
    pieces = of_text(f"{long}二十元{long}", f"{long}三十元{long}")
    assert [piece.kind for piece in pieces] == [GAP, SAME, REMOVED, ADDED, SAME, GAP]
    assert len("".join(piece.text for piece in pieces if piece.kind != GAP)) < 100


def test_what_was_rewritten_at_length_is_shown_whole_and_soon() -> None:
    before, after = "甲乙丙丁，" * 4_000, "戊己庚辛。" * 4_000
    assert of_text(before, after) == (Piece(REMOVED, before), Piece(ADDED, after))


def test_every_field_of_a_content_has_a_word_and_can_be_told() -> None:
    assert set(WORDS) == set(Content.__dataclass_fields__)
    for name in WORDS:
        assert isinstance(as_words(name, getattr(CARD, name), NAMES), str)
    assert as_words("similar", CARD.similar, NAMES) == "社保卡掉了\n社保卡遗失"


@given(st.text("社保卡丢了怎么补办，。 \n12", max_size=60), st.text("社保卡丢了怎么补办，。 \n12", max_size=60))
def test_from_the_pieces_both_texts_can_be_put_together_again(before: str, after: str) -> None:
    pieces = of_text(before, after)
    assert "".join(piece.text for piece in pieces if piece.kind != ADDED) == before
    assert "".join(piece.text for piece in pieces if piece.kind != REMOVED) == after
    kinds = [piece.kind for piece in pieces]
    assert all(one != other for one, other in pairwise(kinds))


@given(st.lists(st.sampled_from("甲乙丙丁戊"), unique=True), st.lists(st.sampled_from("甲乙丙丁戊"), unique=True))
def test_no_item_is_told_twice(before: list[str], after: list[str]) -> None:
    told = [piece.text for piece in of_items(before, after)]
    assert sorted(told) == sorted({*before, *after})
