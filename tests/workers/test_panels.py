"""Every Monday the next meeting has on its agenda what waits for it."""

from __future__ import annotations

from sqlalchemy import select

from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.work_orders import service
from hotline.work_orders.asks.models import Panel
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories.orders import WHEN, order_at
from tests.factories.units import City
from tests.workers.conftest import Clock
from workers import schedule, upkeep


def test_the_agenda_of_the_week_is_prepared_by_itself(runtime: Runtime, place: City, clock: Clock) -> None:
    [entry] = [one for one in schedule.TIMETABLE if one.job == "workers.upkeep.prepare_panel"]
    assert isinstance(entry.when, schedule.Daily) and entry.when.weekday == schedule.MONDAY
    with session_scope(runtime.sessions) as session:
        order = order_at(session, place, Status.TO_REVIEW)
        to = {"lead_unit_id": place.county.id, "hard": True}
        service.dispatch(session, order=order, actor=place.reviewer, now=NOON, **to, **WHEN)
        order_no = order.order_no
    for _ in range(2):
        upkeep.prepare_panel()
    with session_scope(runtime.sessions) as session:
        panel = session.scalars(select(Panel)).one()
        assert panel.held_at > clock.now
        assert [item.order.order_no for item in panel.items] == [order_no]
