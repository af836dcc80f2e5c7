"""Learning: corrections count, what is worse is not taken up, figures are what a naive count gives."""

from __future__ import annotations

import pytest

from hotline.errors import Invalid
from hotline.routing.model import Question
from hotline.routing.training import Outcome, figures, is_held_out, measure, retrain, train
from tests.conftest import NOON
from tests.unit.routing.messages import CITY_OFFICE, LIGHTS, WATER, WATER_WORKS, row, rows

BIKES = "0302"


def test_retraining_learns_a_correction() -> None:
    before = train(rows(), now=NOON)
    said = "共享单车乱停堵住公园门口的大道"
    found = before.propose(Question.CATEGORY, title="", text=said)
    assert found is None or found.candidates[0].label != BIKES
    corrected = [
        row(f"b{n}", f"{where}共享单车{what}", BIKES, CITY_OFFICE)
        for n, (where, what) in enumerate(
            (where, what) for where in ("桥头", "站前", "商场") for what in ("乱停", "占道", "没人收", "倒了一片")
        )
    ]
    after = train([*rows(), *corrected], now=NOON).propose(Question.CATEGORY, title="", text=said)
    assert after is not None
    assert after.candidates[0].label == BIKES


def test_the_responsibility_list_alone_is_enough_to_begin_with() -> None:
    listed = [row("", "路灯维护", LIGHTS, CITY_OFFICE), row("", "供水管网维修、停水", WATER, WATER_WORKS)]
    proposal = train(listed, now=NOON).propose(Question.UNIT, title="", text="我们这里停水了")
    assert proposal is not None
    assert proposal.candidates[0].label == WATER_WORKS


def test_nothing_can_be_learnt_from_one_label() -> None:
    with pytest.raises(Invalid, match="太少"):
        train([one for one in rows() if one.labels[Question.CATEGORY] == WATER], now=NOON)
    with pytest.raises(Invalid, match="太少"):
        train([], now=NOON)


def test_the_same_messages_are_held_out_whatever_else_comes() -> None:
    held = [one.key for one in rows() if is_held_out(one.key)]
    assert held
    assert not is_held_out("")  # a line of the list is no message
    outcome = retrain(rows(), in_use=None, now=NOON)
    assert outcome.model.rows == len(rows()) - len(held)
    assert outcome.after[Question.CATEGORY].rows == len(held)


def test_a_model_no_worse_than_the_one_before_is_better_and_both_figures_are_told() -> None:
    first = retrain(rows(), in_use=None, now=NOON)
    second = retrain(rows(), in_use=first.model, now=NOON)
    assert first.better
    assert second.better
    assert second.before == first.after


def test_a_model_that_learnt_from_wrong_labels_is_worse() -> None:
    good = retrain(rows(), in_use=None, now=NOON)
    muddled = [
        one if is_held_out(one.key) else row(one.key, one.text, (LIGHTS, WATER)[place % 2], CITY_OFFICE)
        for place, one in enumerate(rows())
    ]
    outcome = retrain(muddled, in_use=good.model, now=NOON)
    assert not outcome.better
    assert outcome.after[Question.CATEGORY].accuracy < outcome.before[Question.CATEGORY].accuracy


def test_a_model_that_no_longer_answers_a_question_is_worse() -> None:
    good = retrain(rows(), in_use=None, now=NOON)
    assert not Outcome(good.model, {Question.CATEGORY: good.after[Question.CATEGORY]}, good.after).better


def test_figures_are_what_a_naive_count_gives() -> None:
    told = figures([("a", ["a", "b"]), ("a", ["b", "a"]), ("b", ["b", "a"]), ("c", ["a", "b"]), ("c", [])])
    assert (told.rows, told.accuracy, told.top2) == (5, 2 / 5, 3 / 5)
    of_a, of_b, of_c = 2 * 1 / (2 + 2), 2 * 1 / (1 + 2), 0
    assert told.macro_f1 == pytest.approx((of_a + of_b + of_c) / 3)


def test_confidence_is_about_how_often_it_is_right() -> None:
    """Half of the messages tell nothing of their label: a model may not be sure of those."""
    told = [
        row(f"u{n}", text, label)
        for n, (text, label) in enumerate([("这里有个问题请处理", WATER), ("这里有个问题请处理", LIGHTS)] * 20)
    ]
    proposal = train([*rows(), *told], now=NOON).propose(Question.CATEGORY, title="", text="这里有个问题请处理")
    assert proposal is not None
    assert proposal.candidates[0].confidence < 0.75
    assert proposal.asks


def test_what_was_measured_is_the_model_as_it_answers() -> None:
    model = train(rows(), now=NOON)
    right = 0
    for one in rows():
        proposal = model.propose(Question.CATEGORY, title=one.title, text=one.text)
        right += proposal is not None and proposal.candidates[0].label == one.labels[Question.CATEGORY]
    assert measure(model, rows())[Question.CATEGORY].accuracy == right / len(rows())
