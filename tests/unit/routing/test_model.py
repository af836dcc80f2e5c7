"""What is proposed: two labels, how sure, the words that spoke for them; the same after it was kept."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from hotline.errors import Invalid
from hotline.routing.model import MARGIN, Model, Proposal, Question
from hotline.routing.training import train
from tests.conftest import NOON
from tests.unit.routing.messages import LIGHTS, WAGES, WATER, WATER_WORKS, row, rows


@pytest.fixture(scope="module")
def model() -> Model:
    """A model that has learnt four kinds of matter."""
    return train(rows(), now=NOON)


def first(model: Model, text: str, *, title: str = "", question: Question = Question.CATEGORY) -> str:
    proposal = model.propose(question, title=title, text=text)
    assert proposal is not None
    return proposal.candidates[0].label


def test_a_message_goes_where_messages_like_it_went(model: Model) -> None:
    assert first(model, "我在饭店打工，老板拖欠工资不给") == WAGES
    assert first(model, "家里自来水停了一天，水压也低") == WATER
    assert first(model, "家里自来水停了一天，水压也低", question=Question.UNIT) == WATER_WORKS


def test_what_a_recogniser_wrote_wrongly_is_known_by_its_sound(model: Model) -> None:
    assert first(model, "老版托欠公资不发") == WAGES
    assert first(model, "陆灯不量了") == LIGHTS


def test_a_title_counts_as_much_as_the_text(model: Model) -> None:
    assert first(model, "请尽快处理", title="胡同口路灯不亮") == LIGHTS


def test_words_of_a_title_count_more_than_the_same_words_in_the_text(model: Model) -> None:
    title, text = "胡同口路灯不亮", "住在小区里，自来水停了又来，水压也低"
    titled = model.propose(Question.CATEGORY, title=title, text=f"{text}。")
    told = model.propose(Question.CATEGORY, title="", text=f"{title}，{text}。")
    assert titled is not None and told is not None

    def confidence(proposal: Proposal) -> float:
        return next(one.confidence for one in proposal.candidates if one.label == LIGHTS)

    assert confidence(titled) > confidence(told)


def test_there_are_always_two_candidates_whose_confidences_are_shares(model: Model) -> None:
    for text in ("路灯", "学校食堂停水", "老师工资", "水" * 5000):
        proposal = model.propose(Question.CATEGORY, title="", text=text)
        assert proposal is not None
        one, other = proposal.candidates
        assert one.label != other.label
        assert 1 >= one.confidence >= other.confidence >= 0
        assert one.confidence + other.confidence <= 1 + 1e-6


def test_the_reason_is_words_of_the_message_itself(model: Model) -> None:
    proposal = model.propose(Question.CATEGORY, title="", text="公园门口路灯坏了，晚上很黑，请派人来修")
    assert proposal is not None
    assert "路灯" in proposal.candidates[0].words
    assert all(word in "公园门口路灯坏了，晚上很黑，请派人来修" for one in proposal.candidates for word in one.words)


def test_a_person_is_asked_when_the_two_are_near_each_other() -> None:
    manholes = [
        row(f"m{n}", text, category)
        for n, (text, category) in enumerate([("井盖坏了", WATER), ("井盖坏了", LIGHTS)] * 9)
    ]
    model = train([*rows(), *manholes], now=NOON)
    clear = model.propose(Question.CATEGORY, title="", text="公园门口路灯不亮，路灯坏了一年没人修")
    torn = model.propose(Question.CATEGORY, title="", text="井盖坏了")
    assert clear is not None and torn is not None
    for proposal in (clear, torn):
        one, other = proposal.candidates
        assert proposal.asks == (one.confidence - other.confidence < MARGIN)
    assert not clear.asks
    assert torn.asks
    assert {candidate.label for candidate in torn.candidates} == {WATER, LIGHTS}


@pytest.mark.parametrize("text", ["", "？！……", "  \n", "xyzzy", "🙂🙂"])
def test_nothing_is_proposed_without_a_clue(model: Model, text: str) -> None:
    assert model.propose(Question.CATEGORY, title="", text=text) is None


def test_a_question_that_was_not_learnt_is_not_answered(model: Model) -> None:
    assert model.questions == [Question.CATEGORY, Question.UNIT]
    assert model.propose(Question.URGENCY, title="", text="停水") is None


def test_a_kept_model_answers_to_the_last_bit_as_before(model: Model) -> None:
    again = Model.load(model.dump())
    assert (again.trained_at, again.rows) == (NOON, len(rows()))
    for text in ("老板不发工资", "路灯", "补课收费A座", "老版托欠公资123"):
        for question in (Question.CATEGORY, Question.UNIT):
            assert again.propose(question, title="", text=text) == model.propose(question, title="", text=text)


def test_no_number_is_kept_in_a_model() -> None:
    told = [row(f"{n}", f"{one.text}，请回电19900001234", *one.labels.values()) for n, one in enumerate(rows())]
    model = train(told, now=NOON)
    assert not any(char.isdigit() and char != "0" for term in model.terms for char in term)


def changed(data: bytes, **arrays: np.ndarray) -> bytes:
    with np.load(io.BytesIO(data)) as kept:
        everything = {name: kept[name] for name in kept.files}
    file = io.BytesIO()
    np.savez(file, **{**everything, **arrays})  # type: ignore[arg-type]
    return file.getvalue()


def letters(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), np.uint8)


def test_a_file_that_is_no_model_is_refused_in_words(model: Model) -> None:
    data = model.dump()
    pickled = io.BytesIO()
    np.savez(pickled, told=np.array([{"a": 1}], dtype=object))
    other_zip = io.BytesIO()
    with zipfile.ZipFile(other_zip, "w") as archive:
        archive.writestr("readme.txt", "not a model")
    spoilt = [
        b"",
        b"PK\x03\x04 nonsense",
        data[:-200],
        data[:200] + b"\0" * 50 + data[250:],
        pickled.getvalue(),
        other_zip.getvalue(),
        changed(data, told=letters('{"format": "another"}')),
        changed(data, told=letters("[1, 2]")),
        changed(data, idf=np.zeros(3, np.float32)),
        changed(data, terms=letters("c二\nw一")),
        changed(data, terms=letters("snosuchsyllable")),
        changed(data, **{"category.heard.bias": np.zeros(9, np.float32)}),
        changed(data, **{"category.heard.bias": np.full(4, np.nan, np.float32)}),
    ]
    for file in spoilt:
        with pytest.raises(Invalid, match="派单模型"):
            Model.load(file)


def test_a_file_that_would_unfold_to_fill_the_memory_is_refused(model: Model) -> None:
    huge = io.BytesIO()
    with zipfile.ZipFile(huge, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("told.npy", "w") as part:
        for _ in range(300):
            part.write(bytes(1024 * 1024))
    with pytest.raises(Invalid, match="派单模型"):
        Model.load(huge.getvalue())
