"""The hub hears of ringing that failed, and rings once more."""

from __future__ import annotations

from sqlalchemy import select

from hotline.alarms import service
from hotline.alarms.models import Alarm
from hotline.alarms.states import TryState
from hotline.db import SessionFactory, session_scope
from hotline.outbox import OutboxMessage
from hotline.work_orders import service as orders
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.factories import rosters
from tests.factories.orders import order_at
from tests.factories.units import City
from tests.web.staff import Clock, Staff


def failed(sessions: SessionFactory, here: City, clock: Clock) -> tuple[WorkOrder, int]:
    """An urgent order for which nobody answered."""
    with session_scope(sessions) as session:
        rosters.shift(session, here.county, name="值班员甲")
        order = order_at(session, here, Status.TO_SIGN, urgency="critical")
        alarm = service.begin(session, sub=order.sub_orders[0], round_=1, now=clock.now)
        for attempt in alarm.tries:
            service.ended(session, attempt=attempt, state=TryState.NO_ANSWER, now=clock.now)
        service.tidy(session, alarm, now=clock.now)
        return order, alarm.id


def test_a_supervisor_sees_who_was_rung_and_rings_again(
    staff: Staff, here: City, sessions: SessionFactory, clock: Clock
) -> None:
    order, alarm_id = failed(sessions, here, clock)
    browser = staff(here.supervisor)
    page = browser.get("/office/alarms").text
    assert order.order_no in page and page.count("值班员甲") == 2 and "199****0101" in page
    assert "无人接听，请处理" in page and "再拨一轮" in page
    assert browser.post(f"/office/alarms/{alarm_id}/again", {}).status_code == 303
    page = browser.get("/office/alarms").text
    assert "第 2 轮" in page and "再拨一轮" not in page
    with session_scope(sessions) as session:
        assert session.scalars(select(Alarm.round).order_by(Alarm.id)).all() == [1, 2]
        rows = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "alarm.ring")).all()
        assert rows[-1].payload == {"order_id": order.id, "unit_id": here.county.id}
    assert browser.post(f"/office/alarms/{alarm_id}/again", {}).status_code == 409


def test_what_was_signed_since_no_longer_asks_for_anything(
    staff: Staff, here: City, sessions: SessionFactory, clock: Clock
) -> None:
    order, _ = failed(sessions, here, clock)
    browser = staff(here.supervisor)
    assert "再拨一轮" in browser.get("/office/alarms").text
    with session_scope(sessions) as session:
        orders.sign(session, order=session.get_one(WorkOrder, order.id), actor=here.county_clerk, now=clock.now)
    page = browser.get("/office/alarms").text
    assert order.order_no in page and "再拨一轮" not in page


def test_only_supervisors_ring(staff: Staff, here: City, sessions: SessionFactory, clock: Clock) -> None:
    _, alarm_id = failed(sessions, here, clock)
    for somebody in (here.reviewer, here.county_clerk):
        assert staff(somebody).get("/office/alarms").status_code == 403
        assert staff(somebody).post(f"/office/alarms/{alarm_id}/again", {}).status_code == 403
    assert staff(here.supervisor).post("/office/alarms/999/again", {}).status_code == 404
