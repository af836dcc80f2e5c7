"""At night the routing model learns what dispatchers decided by day."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline import queues
from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.routing.models import RoutingModel
from hotline.units.models import Unit
from hotline.units.service import add_category
from hotline.work_orders import service
from hotline.work_orders.advising import advise
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories.orders import WHEN, order_at
from tests.factories.units import City
from tests.workers.conftest import Clock
from workers import process, schedule, upkeep

LAMPS = "0309"
WHERE = ("小区", "胡同口", "桥头", "学校门口", "市场", "医院旁", "广场", "河边", "车站", "公园")


def sent(session: Session, here: City, lead: Unit, content: str, category: str) -> WorkOrder:
    order = order_at(session, here, Status.TO_REVIEW, title="", content=content, category_code=category)
    service.dispatch(session, order=order, actor=here.reviewer, now=NOON, lead_unit_id=lead.id, **WHEN)
    return order


@pytest.fixture
def day(runtime: Runtime, place: City) -> None:
    """Wires went to the power company, whatever the place said; lamps to another county."""
    with session_scope(runtime.sessions) as session:
        here = session.merge(place.power), session.merge(place.other_county)
        add_category(session, code=LAMPS, name="路灯")
        for where in WHERE:
            sent(session, place, here[0], f"{where}电线断了垂下来", LAMPS)
            sent(session, place, here[1], f"{where}路灯不亮", LAMPS)


def test_it_runs_every_night_among_what_may_take_minutes() -> None:
    [entry] = [one for one in schedule.TIMETABLE if one.job == "workers.upkeep.train_routing"]
    assert isinstance(entry.when, schedule.Daily)
    assert entry.queue == queues.IMPORTS
    assert process.timeout_of(entry.queue) >= 10 * 60


@pytest.mark.usefixtures("day")
def test_the_unit_to_which_orders_were_corrected_is_proposed_the_next_day(
    runtime: Runtime, place: City, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    def first_unit() -> tuple[str, str]:
        with session_scope(runtime.sessions) as session:
            order = order_at(session, place, Status.TO_REVIEW, title="", content="村口电线断了垂下来", address="村口")
            advice = advise(session, order, routing=runtime.routing, on=runtime.today())
            return (advice.units[0].unit.code, advice.units[0].reason) if advice.units else ("", "")

    assert first_unit()[0] != place.power.code
    clock.forward(timedelta(hours=14))
    with caplog.at_level(logging.INFO):
        upkeep.train_routing()
    code, reason = first_unit()
    assert code == place.power.code
    assert reason.startswith("与以往同类工单相近：")
    assert "in use: " in caplog.text
    assert "unit 1.000 (before none)" in caplog.text


@pytest.mark.usefixtures("day")
def test_run_twice_it_has_learnt_the_same_and_tells_both_figures(
    runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    upkeep.train_routing()
    with caplog.at_level(logging.INFO):
        upkeep.train_routing()
    assert "unit 1.000 (before 1.000)" in caplog.text
    with session_scope(runtime.sessions) as session:
        assert session.scalars(select(RoutingModel.active).order_by(RoutingModel.id)).all() == [False, True]


def test_a_city_that_has_decided_nothing_yet_is_told_so_and_nothing_else(
    runtime: Runtime, place: City, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        upkeep.train_routing()
    assert "no routing model trained" in caplog.text
