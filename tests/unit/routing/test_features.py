"""What a message is judged by, and how messages are made to sound as if a recogniser had written them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hotline.knowledge_base.language import sounds
from hotline.routing import features, matters
from hotline.routing.features import Form, form_of, plain, terms
from hotline.routing.garbling import SAID, Garbler, opening


def test_a_text_without_stops_is_a_transcript() -> None:
    assert form_of("我是五洲国际的住户家里停水两天了") == Form.HEARD
    assert form_of("我是五洲国际的住户 家里停水两天了 没人管") == Form.HEARD
    assert form_of("我是五洲国际的住户，家里停水两天了。") == Form.WRITTEN
    assert form_of("家里停水了") == Form.WRITTEN  # short ones people write so too


def test_a_transcript_is_not_judged_by_words_but_by_matters_that_sound_alike() -> None:
    heard = terms(plain("", "老板拖前公资"), Form.HEARD)
    assert not any(term[0] in (features.WORD, features.MATTER) for term in heard)
    assert heard[features.SOUNDING + "工资"] > 0
    assert terms(plain("", "老板拖欠工资"), Form.WRITTEN)[features.MATTER + "工资"] > 0


def test_every_word_of_the_list_of_matters_is_found_in_a_text() -> None:
    for line in matters._LIST.read_text(encoding="utf-8").splitlines():
        matter, words = line.split(":")
        for word in words.split():
            assert 2 <= len(word) <= matters.LONGEST
            assert matter in matters.named(f"请问{plain('', word)}怎么办"), word


@given(st.text(max_size=60))
def test_any_text_is_judged_and_its_terms_can_be_written_down_and_read_again(text: str) -> None:
    said = plain("", text)
    for form in Form:
        for term in terms(said, form):
            assert features.read(features.written(term)) == term
            assert "\n" not in features.written(term)


@given(st.text(alphabet="停水工资ab 路灯坏了一年", max_size=60))
def test_words_and_their_terms_are_the_text_s_own(text: str) -> None:
    said = plain("", text)
    whole = terms(said, Form.WRITTEN)
    for word, within in features.words(said):
        assert word in said
        # a pair with a letter or a digit in it has no sound, and none of a vocabulary either
        assert all(term in whole for term in within if term[0] == features.SIGNS)


def test_what_is_misheard_sounds_nearly_the_same_and_is_as_long() -> None:
    texts = ["五洲国际小区停水两天没有人管请尽快处理", "老板拖欠农民工工资三个月"] * 20
    garbler = Garbler([*texts, "挺睡亮田没忧仁馆乌周国记笑区老版拖前农名公子叁各越"])
    table = sounds.table()
    changed = 0
    for text in texts:
        heard = garbler.garbled(text)
        assert len(heard) == len(text)
        assert [table[char] for char in heard] == [table[char] for char in text]
        changed += sum(one != other for one, other in zip(heard, text, strict=True))
    assert 0 < changed / sum(map(len, texts)) < 0.25


def test_the_same_messages_are_misheard_the_same_way() -> None:
    texts = ["五洲国际小区停水两天没有人管请尽快处理"]
    assert Garbler(texts).garbled(texts[0]) == Garbler(texts).garbled(texts[0])


def test_an_opening_is_what_was_said_first_without_pauses() -> None:
    assert opening("停水 两天") == "停水两天"
    assert len(opening("水" * 500)) == SAID
