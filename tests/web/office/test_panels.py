"""A panel names who leads; its meetings have an agenda and minutes."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.db import SessionFactory, session_scope
from hotline.units.service import add_line
from hotline.work_orders import service
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories import people
from tests.factories.orders import WHEN, order_at
from tests.factories.units import WATER, City
from tests.web.office.test_backoffice import order_of
from tests.web.staff import Clock, Staff

SOON = NOON + timedelta(minutes=30)


@pytest.fixture
def member(sessions: SessionFactory) -> Actor:
    with session_scope(sessions) as session:
        return people.actor(session, Role.ADJ)


@pytest.fixture
def disputed(sessions: SessionFactory, here: City, clock: Clock) -> WorkOrder:
    """The reviewer cannot decide a return and asks for a panel."""
    clock.now = SOON + timedelta(minutes=10)
    with session_scope(sessions) as session:
        line = add_line(
            session,
            version="2026-1",
            code="L07",
            matter="公共供水停水",
            category_code=WATER,
            lead_unit=None,
            valid_from=NOON.date().replace(month=1, day=1),
            now=NOON,
        )
        order = order_at(session, here, Status.TO_SIGN)
        service.ask_return(
            session,
            order=order,
            actor=here.county_clerk,
            now=SOON,
            ground="ownership",
            responsibility_line_id=line.id,
            reason="小区已移交电力公司",
            **WHEN,
        )
        service.to_panel(session, order=order, actor=here.reviewer, now=SOON, reason="权属有争议", **WHEN)
        return order


def test_the_panel_names_who_leads_and_the_unit_cannot_return_it(
    here: City, staff: Staff, sessions: SessionFactory, member: Actor, disputed: WorkOrder
) -> None:
    browser = staff(member)
    assert disputed.order_no in browser.get("/office/panels").text
    page = browser.get(f"/office/panels/orders/{disputed.order_no}").text
    assert "权属不清" in page and "小区已移交电力公司" in page
    wrong = browser.post(f"/office/panels/orders/{disputed.order_no}", {"lead_unit": "", "reason": "现场核实"})
    assert wrong.status_code == 422
    assert "现场核实" in wrong.text
    told = {"lead_unit": str(here.power.id), "reason": "现场核实属电力公司", "assisting": [str(here.county.id)]}
    assert browser.post(f"/office/panels/orders/{disputed.order_no}", told).status_code == 303
    order = order_of(sessions, disputed.order_no)
    assert (order.status, order.lead_unit_id, order.returnable) == ("in_hand", here.power.id, False)


def test_a_meeting_from_its_agenda_to_its_minutes(
    here: City, staff: Staff, sessions: SessionFactory, member: Actor, disputed: WorkOrder, clock: Clock
) -> None:
    with session_scope(sessions) as session:
        other = order_at(session, here, Status.IN_HAND)
    browser = staff(member)
    browser.get("/office/panels")
    assert browser.post("/office/panels", {"title": "第 47 周", "held_at": "明天"}).status_code == 422
    answer = browser.post("/office/panels", {"title": "第 47 周会商", "held_at": "2026-11-24T09:00"})
    assert answer.status_code == 303
    address = answer.headers["Location"]
    page = browser.get(address).text
    assert disputed.order_no in page
    assert browser.post(f"{address}/agenda", {"number": "2611-99999-0"}).status_code == 422
    assert browser.post(f"{address}/agenda", {"number": other.order_no, "question": "是否延期"}).status_code == 303
    page = browser.get(address).text
    items = re.findall(r'action="[^"]+/items/([0-9]+)"', page)
    assert len(items) == 2
    assert browser.post(f"{address}/end").status_code == 409  # it is yet to come
    clock.now = NOON + timedelta(days=6)
    early = browser.post(f"{address}/end")
    assert early.status_code == 422
    assert "件没有纪要" in early.text
    told = {"text": "现场核实属电力公司", "lead_unit": str(here.power.id)}
    assert browser.post(f"{address}/items/{items[0]}", told).status_code == 303
    assert order_of(sessions, disputed.order_no).lead_unit_id == here.power.id
    assert browser.post(f"{address}/items/{items[1]}", {"off": "1"}).status_code == 303
    assert browser.post(f"{address}/end").status_code == 303
    assert "已结束" in browser.get(address).text


def test_a_supervisor_prepares_and_does_not_designate(staff: Staff, here: City, disputed: WorkOrder) -> None:
    browser = staff(here.supervisor)
    assert disputed.order_no in browser.get("/office/panels").text
    assert browser.get(f"/office/panels/orders/{disputed.order_no}").status_code == 403
