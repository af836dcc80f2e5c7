"""Rosters and people who work by telephone, on a leader's pages; calls to citizens from an order's page."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.audit import AccessLog
from hotline.contacts.models import ContactCall
from hotline.contacts.states import ContactState
from hotline.db import SessionFactory, session_scope
from hotline.rosters import queries
from hotline.rosters.models import DutyShift
from hotline.telephones import service as telephones
from hotline.units.models import Unit
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories import people, rosters
from tests.factories.orders import TZ, order_at
from tests.factories.units import City
from tests.web.staff import Clock, Staff

DAY = {
    "week": "2026-11-18",
    "name": "李建国",
    "phone": "199 0000 0111",
    "starts_at": "2026-11-21T08:00",
    "ends_at": "2026-11-21T20:00",
    "position": "1",
}


@pytest.fixture
def leader(sessions: SessionFactory, here: City) -> Actor:
    """The township's leader."""
    with session_scope(sessions) as session:
        return people.actor(session, Role.U3L, unit=here.township, name="镇长")


def test_a_leader_puts_people_on_duty_and_sees_the_gaps(
    staff: Staff, here: City, leader: Actor, sessions: SessionFactory
) -> None:
    browser = staff(leader)
    assert browser.post("/portal/roster", DAY).status_code == 303
    page = browser.get("/portal/roster?week=2026-11-18").text
    assert "李建国" in page and "199****0111" in page and "19900000111" not in page
    assert "周六 20:00 至 周日 24:00 无人值班" in page
    with session_scope(sessions) as session:
        shift = session.scalars(select(DutyShift)).one()
        assert (shift.unit_id, shift.phone) == (here.township.id, "+8619900000111")
        log = session.scalars(select(AccessLog).where(AccessLog.subject == "duty_shift")).one()
        assert "19900000111" not in str(log.details)
    changed = DAY | {"shift": str(shift.id), "ends_at": "2026-11-22T08:00"}
    browser.post("/portal/roster", changed)
    assert "08:00–次日 08:00" in browser.get("/portal/roster?week=2026-11-18").text
    browser.post("/portal/roster/remove", {"shift": str(shift.id), "week": "2026-11-18"})
    assert "李建国" not in browser.get("/portal/roster?week=2026-11-18").text


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("phone", "不是号码", "电话号码不对"),
        ("ends_at", "2026-11-21T08:00", "结束时间应晚于开始时间"),
        ("ends_at", "2026-12-21T08:00", "最长 8 天"),
        ("username", "nobody", "没有用户 nobody"),
        ("name", " ", "请填写值班人员姓名"),
        ("starts_at", "0001-01-01T00:00", "日期不对"),
    ],
)
def test_what_is_wrong_with_a_shift_is_said_beside_its_field(
    staff: Staff, leader: Actor, field: str, value: str, said: str
) -> None:
    answer = staff(leader).post("/portal/roster", DAY | {field: value})
    assert answer.status_code == 422
    assert said in answer.text


def test_last_week_is_copied_once(staff: Staff, here: City, leader: Actor, sessions: SessionFactory) -> None:
    browser = staff(leader)
    browser.post("/portal/roster", DAY)
    for _ in range(2):
        browser.post("/portal/roster/copy", {"week": "2026-11-25"})
    with session_scope(sessions) as session:
        starts = session.scalars(select(DutyShift.starts_at).order_by(DutyShift.starts_at)).all()
    assert [at.astimezone(TZ).day for at in starts] == [21, 28]


def test_clerks_read_and_nobody_touches_anothers_roster(
    staff: Staff, here: City, leader: Actor, sessions: SessionFactory
) -> None:
    with session_scope(sessions) as session:
        theirs = rosters.shift(session, here.far_township)
    assert "加一个班次" not in staff(here.township_clerk).get("/portal/roster").text
    assert staff(here.township_clerk).post("/portal/roster", DAY).status_code == 403
    browser = staff(leader)
    assert browser.get(f"/portal/roster?unit={here.far_township.id}").status_code == 404
    assert browser.post("/portal/roster/remove", {"shift": str(theirs.id)}).status_code == 404
    assert browser.post("/portal/roster", DAY | {"unit": str(here.county.id)}).status_code == 404
    office = staff(here.supervisor)
    assert office.get(f"/office/roster?unit={here.far_township.id}").status_code == 200
    assert office.post("/office/roster", DAY | {"unit": str(here.far_township.id)}).status_code == 303


def test_whoever_is_on_duty_now_is_rung_else_the_duty_telephone_else_the_unit_above(
    sessions: SessionFactory, here: City
) -> None:
    def now_on(at: datetime = NOON) -> list[tuple[str, str]]:
        with session_scope(sessions) as session:
            found = queries.on_duty(session, session.get_one(Unit, here.township.id), now=at)
            return [(one.name, one.phone) for one in found]

    assert now_on() == []
    with session_scope(sessions) as session:
        session.get_one(Unit, here.county.id).duty_phone = "0318-2024114"
    assert now_on() == [("冀州区政府值班电话", "+863182024114")]
    with session_scope(sessions) as session:
        rosters.shift(session, here.county, name="区值班员")
    assert now_on() == [("区值班员", rosters.FIRST)]
    with session_scope(sessions) as session:
        session.get_one(Unit, here.township.id).duty_phone = "0318-2024115"
    assert now_on() == [("冀州镇值班电话", "+863182024115")]
    with session_scope(sessions) as session:
        rosters.shift(session, here.township, name="第二位", phone=rosters.SECOND, position=2)
        rosters.shift(session, here.township, name="第一位", position=1)
    assert [name for name, _ in now_on()] == ["第一位", "第二位"]
    assert [name for name, _ in now_on(NOON + timedelta(hours=20))] == ["冀州镇值班电话"]


def test_a_leader_gives_a_pin_that_is_shown_once_and_takes_it_back(
    staff: Staff, here: City, leader: Actor, sessions: SessionFactory
) -> None:
    browser = staff(leader)
    clerk = here.township_clerk.user_id
    page = browser.post(f"/portal/phones/{clerk}/give", {"phone": "199 0000 0201"}).text
    found = re.search(r"<code>(\d{6})</code>", page)
    assert found is not None
    again = browser.get("/portal/phones").text
    assert found[1] not in again and "已开通" in again and "199****0201" in again
    with session_scope(sessions) as session:
        proof = telephones.prove(session, phone="+8619900000201", pin=found[1], now=NOON)
        assert proof.user is not None and proof.user.id == clerk
    browser.post(f"/portal/phones/{clerk}/take", {})
    assert "已开通" not in browser.get("/portal/phones").text
    wrong = browser.post(f"/portal/phones/{clerk}/give", {"phone": "abc"})
    assert wrong.status_code == 422 and "电话号码不对" in wrong.text
    stranger = here.far_township_clerk.user_id
    assert browser.post(f"/portal/phones/{stranger}/give", {"phone": "199 0000 0202"}).status_code == 404


def test_an_administrator_finds_anybody_by_name_or_unit(staff: Staff, here: City, sessions: SessionFactory) -> None:
    with session_scope(sessions) as session:
        admin = people.actor(session, Role.ADM)
    browser = staff(admin)
    assert "冀州镇" not in browser.get("/office/phones").text
    page = browser.get("/office/phones?q=冀州镇").text
    assert "U3冀州镇" in page and "郑家河沿镇" not in page
    clerk = here.far_township_clerk.user_id
    assert "<code>" in browser.post(f"/office/phones/{clerk}/give", {"phone": "19900000203"}).text


def test_a_unit_asks_to_be_put_through_from_the_orders_page_and_sees_the_call_in_the_story(
    staff: Staff, here: City, sessions: SessionFactory, clock: Clock
) -> None:
    with session_scope(sessions) as session:
        order = order_at(session, here, Status.IN_HAND_TIER3)
        secret = order_at(session, here, Status.IN_HAND_TIER3)
        secret.confidential, secret.released_content = True, "停水"
    browser = staff(here.township_clerk)
    assert "经热线联系群众" in browser.get(f"/portal/orders/{order.order_no}").text
    assert "经热线联系群众" not in browser.get(f"/portal/orders/{secret.order_no}").text
    assert browser.post(f"/portal/orders/{secret.order_no}/contact", {"phone": "19900000301"}).status_code == 409
    assert browser.post(f"/portal/orders/{order.order_no}/contact", {"phone": "19900000301"}).status_code == 303
    with session_scope(sessions) as session:
        call = session.scalars(select(ContactCall)).one()
        call.state, call.connected_at = ContactState.ENDED, clock.now
        call.ended_at = clock.now + timedelta(seconds=192)
    page = browser.get(f"/portal/orders/{order.order_no}").text
    assert "经热线联系群众 3分12秒" in page and f"#{call.id}" in page
    assert "19900000301" not in page and "199****0301" in page
    assert "经热线联系群众 3分12秒" in staff(here.supervisor).get(f"/office/orders/{order.order_no}").text
    assert (
        staff(here.far_township_clerk)
        .post(f"/portal/orders/{order.order_no}/contact", {"phone": "19900000302"})
        .status_code
        == 404
    )
    form = browser.get(f"/portal/orders/{order.order_no}/report").text
    assert f'value="热线转接 #{call.id}"' in form


def test_the_page_tells_the_clerk_whose_call_did_not_come_about(
    staff: Staff, here: City, sessions: SessionFactory
) -> None:
    with session_scope(sessions) as session:
        order = order_at(session, here, Status.IN_HAND_TIER3)
    clerk, county = staff(here.township_clerk), staff(here.county_clerk)
    page = f"/portal/orders/{order.order_no}"
    clerk.post(f"{page}/contact", {"phone": "19900000301"})
    assert "要求的转接没有接通" not in clerk.get(page).text
    with session_scope(sessions) as session:
        session.scalars(select(ContactCall)).one().state = ContactState.FAILED
    assert "您 2026年11月18日 14:00 要求的转接没有接通，请稍后再试" in clerk.get(page).text
    assert "要求的转接没有接通" not in county.get(page).text
    assert "经热线联系群众 呼叫失败" in county.get(page).text
