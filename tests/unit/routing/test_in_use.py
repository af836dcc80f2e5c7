"""Models that are kept, the one in use, and how often what was proposed was chosen."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from hotline.db import SessionFactory
from hotline.routing.model import Candidate, Question
from hotline.routing.models import RoutingModel
from hotline.routing.queries import Line, ModelInUse, accuracy, trained
from hotline.routing.service import KEPT, keep, note_choice, note_proposal, note_return
from hotline.routing.training import Outcome, retrain
from hotline.units.service import add_category, add_line
from hotline.work_orders import learning
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories.orders import order_at
from tests.factories.units import WATER as WATER_CODE
from tests.factories.units import City, city
from tests.unit.routing.messages import LIGHTS, WAGES, WATER, rows

LAMPS = "0309"


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return retrain(rows(), in_use=None, now=NOON)


def first_of(in_use: ModelInUse, session: Session, text: str) -> str:
    proposal = in_use.propose(session, Question.CATEGORY, title="", text=text)
    assert proposal is not None
    return proposal.candidates[0].label


def test_a_process_follows_the_model_in_use(sessions: SessionFactory, outcome: Outcome) -> None:
    in_use = ModelInUse()
    with sessions.begin() as session:
        assert in_use.propose(session, Question.CATEGORY, title="", text="停水") is None
        first = keep(session, outcome).id
    with sessions() as session:
        kept = in_use.current(session)
        assert kept is not None and kept[0] == first
        assert in_use.current(session) is kept  # not read again
        assert first_of(in_use, session, "路灯不亮") == LIGHTS
    with sessions.begin() as session:
        second = keep(session, outcome).id
    with sessions() as session:
        kept = in_use.current(session)
        assert kept is not None and kept[0] == second


def test_a_worse_model_is_not_put_into_use_but_its_figures_are_kept(session: Session, outcome: Outcome) -> None:
    used = keep(session, outcome)
    worse = Outcome(outcome.model, {}, outcome.after)
    row = keep(session, worse)
    assert not row.active
    assert row.data is None
    assert row.figures["before"]["category"]["accuracy"] == outcome.after[Question.CATEGORY].accuracy
    kept = ModelInUse().current(session)
    assert kept is not None and kept[0] == used.id
    assert [one.id for one in trained(session)] == [row.id, used.id]


def test_only_the_latest_models_keep_their_arrays(session: Session, outcome: Outcome) -> None:
    ids = [keep(session, outcome).id for _ in range(KEPT + 2)]
    session.expire_all()
    with_data = [one.id for one in trained(session) if one.data is not None]
    assert with_data == ids[::-1][:KEPT]
    assert [one.active for one in trained(session)] == [True] + [False] * (KEPT + 1)


def test_a_damaged_model_proposes_nothing_and_is_told_once(
    session: Session, outcome: Outcome, caplog: pytest.LogCaptureFixture
) -> None:
    session.add(RoutingModel(trained_at=NOON, rows=1, figures={}, active=True, data=b"rubbish"))
    session.flush()
    in_use = ModelInUse()
    for _ in range(3):
        assert in_use.propose(session, Question.CATEGORY, title="", text="路灯不亮") is None
    assert [record.getMessage() for record in caplog.records].count(
        "routing model 1 cannot be read: 这不是可用的派单模型文件"
    ) == 1
    keep(session, outcome)
    assert first_of(in_use, session, "路灯不亮") == LIGHTS


# ---- proposed and chosen


def candidates(*labels: str) -> list[Candidate]:
    return [Candidate(label, 0.9 / (place + 1)) for place, label in enumerate(labels)]


def test_accuracy_is_what_a_naive_count_gives(session: Session) -> None:
    here = city(session)
    told = [
        # proposed categories, chosen; proposed units, chosen; who returned it
        ((WATER, LIGHTS), WATER, ("gs", "cg"), "gs", ()),
        ((WATER, LIGHTS), LIGHTS, ("gs", "cg"), "cg", ("gs",)),
        ((LIGHTS, WAGES), LIGHTS, ("cg", "gs"), "cg", ()),
        ((LIGHTS, WAGES), WATER, ("cg", "gs"), "zz", ("cg", "gs", "cg")),
        ((WATER, WAGES), WATER, (), "gs", ()),
    ]
    for categories, category, units, unit, returned in told:
        order = order_at(session, here, Status.TO_REVIEW)
        note_proposal(
            session,
            order_id=order.id,
            categories=candidates(*categories),
            units=candidates(*units),
            model_id=None,
            now=NOON,
        )
        note_choice(session, order_id=order.id, category=category, unit=unit, now=NOON)
        for one in returned:
            note_return(session, order_id=order.id, unit=one)
    found = accuracy(session, since=NOON, until=NOON + timedelta(days=1))

    assert {line.label: line for line in found.categories} == {
        WATER: Line(WATER, orders=3, first=2, among=2, returned=1),
        LIGHTS: Line(LIGHTS, orders=2, first=1, among=2, returned=1),
    }
    assert {line.label: line for line in found.units} == {
        "gs": Line("gs", orders=1, first=1, among=1, returned=2),
        "cg": Line("cg", orders=2, first=1, among=2, returned=1),
        "zz": Line("zz", orders=1, first=0, among=0, returned=0),
    }
    confused = Counter((one[0][0], one[1]) for one in told if one[0][0] != one[1])
    assert {(proposed, chosen): times for proposed, chosen, times in found.confusions} == confused
    whole = found.total(found.categories)
    assert (whole.orders, whole.first_share, whole.among_share) == (5, 3 / 5, 4 / 5)
    assert Line("none").first_share is None


def test_only_orders_chosen_in_the_period_count(session: Session) -> None:
    order = order_at(session, city(session), Status.TO_REVIEW)
    note_proposal(session, order_id=order.id, categories=candidates(WATER, WAGES), units=(), model_id=None, now=NOON)
    assert accuracy(session, since=NOON - timedelta(days=9), until=NOON + timedelta(days=9)).categories == []
    note_choice(session, order_id=order.id, category=WATER, unit="gs", now=NOON)
    assert accuracy(session, since=NOON - timedelta(days=1), until=NOON).categories == []
    assert len(accuracy(session, since=NOON, until=NOON + timedelta(seconds=1)).categories) == 1


def test_what_is_proposed_after_the_choice_does_not_count(session: Session) -> None:
    order = order_at(session, city(session), Status.TO_REVIEW)

    def propose(*labels: str) -> None:
        note_proposal(session, order_id=order.id, categories=candidates(*labels), units=(), model_id=None, now=NOON)

    propose(WAGES, WATER)
    propose(LIGHTS, WATER)  # the draft went on: the last that was shown counts
    note_choice(session, order_id=order.id, category=WATER, unit="gs", now=NOON)
    propose(WATER, LIGHTS)
    assert accuracy(session, since=NOON, until=NOON + timedelta(days=1)).confusions == [(LIGHTS, WATER, 1)]


def test_a_choice_for_which_nothing_was_proposed_is_none_of_the_figures(session: Session) -> None:
    order = order_at(session, city(session), Status.TO_REVIEW)
    note_choice(session, order_id=order.id, category=WATER, unit="gs", now=NOON)
    note_return(session, order_id=order.id, unit="gs")
    assert accuracy(session, since=NOON, until=NOON + timedelta(days=1)).categories == []


# ---- what is learnt from


def learnt(session: Session) -> list[tuple[str, dict[Question, str]]]:
    return [(one.key, dict(one.labels)) for one in learning.rows(session, on=NOON.date())]


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def test_orders_are_learnt_from_once_a_dispatcher_has_sent_them(session: Session, here: City) -> None:
    order_at(session, here, Status.TO_REVIEW)
    sent = order_at(session, here, Status.TO_SIGN, content="小区停水")
    assert learnt(session) == [
        (
            sent.order_no,
            {Question.CATEGORY: WATER_CODE, Question.UNIT: here.county.code, Question.URGENCY: sent.urgency},
        )
    ]


def test_a_confidential_order_is_never_learnt_from(session: Session, here: City) -> None:
    order = order_at(session, here, Status.TO_SIGN)
    order.confidential = True
    session.flush()
    assert learnt(session) == []


def test_while_a_return_is_argued_about_the_unit_is_not_learnt(session: Session, here: City) -> None:
    order = order_at(session, here, Status.TO_SIGN)
    order.status = Status.RETURN_ASKED
    session.flush()
    assert [Question.UNIT in labels for _, labels in learnt(session)] == [False]


def test_the_list_in_force_is_learnt_from_the_first_day(session: Session, here: City) -> None:
    for code, matter, lead in (("1", "高压线路维护", here.power), ("2", "乡村道路养护", None)):
        add_line(
            session,
            version="v1",
            code=code,
            matter=matter,
            category_code=WATER_CODE,
            lead_unit=lead,
            valid_from=NOON.date(),
            now=NOON,
        )
    assert learnt(session) == [
        ("", {Question.CATEGORY: WATER_CODE, Question.UNIT: here.power.code}),
        ("", {Question.CATEGORY: WATER_CODE}),  # the government of the place: no one unit
    ]


def test_a_night_teaches_what_the_day_has_decided(sessions: SessionFactory) -> None:
    with sessions.begin() as session:
        here = city(session)
        add_category(session, code=LAMPS, name="路灯")
        for matter, code, lead in (("路灯维护", LAMPS, here.county), ("停水、供水", WATER_CODE, here.power)):
            add_line(
                session,
                version="v1",
                code=code,
                matter=matter,
                category_code=code,
                lead_unit=lead,
                valid_from=NOON.date(),
                now=NOON,
            )
        for where in ("小区", "胡同口", "桥头"):
            order_at(session, here, Status.TO_SIGN, content=f"{where}停水两天")
    row = learning.learn(sessions, now=NOON, on=NOON.date())
    assert row is not None and row.active
    with sessions() as session:
        assert first_of(ModelInUse(), session, "学校停水") == WATER_CODE
        assert first_of(ModelInUse(), session, "公园路灯") == LAMPS


def test_a_city_that_has_decided_nothing_yet_has_no_model(sessions: SessionFactory) -> None:
    assert learning.learn(sessions, now=NOON, on=NOON.date()) is None
    with sessions() as session:
        assert trained(session) == []
