"""What did not go out is found by unit, channel and standing, and mended one by one or all of a cause."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from hotline import outbox
from hotline.accounts.roles import Role
from hotline.audit import AccessLog
from hotline.db import SessionFactory, session_scope
from hotline.delivery import service as delivery
from hotline.delivery.models import Delivery
from hotline.outbox import OutboxMessage
from hotline.queues import JOB_OF_TOPIC
from hotline.units.models import Unit
from hotline.web.office_watch import TOPICS
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.factories import people
from tests.factories.orders import order_at
from tests.factories.units import City
from tests.web.staff import Clock, Staff

REFUSED = "对方拒收：HTTP 403"


@pytest.fixture
def order(sessions: SessionFactory, here: City, clock: Clock) -> WorkOrder:
    """An order whose own messages are settled."""
    with session_scope(sessions) as session:
        order = order_at(session, here, Status.TO_SIGN)
        for row in session.scalars(select(OutboxMessage)).all():
            outbox.settle(session, row.id, now=clock.now)
    return order


def push(sessions: SessionFactory, clock: Clock, order: WorkOrder, unit: Unit, channel: str, error: str) -> int:
    """A push that failed for good."""
    with session_scope(sessions) as session:
        row = outbox.add(session, "order.push", now=clock.now, order_id=order.id, unit_id=unit.id, what="to_sign")
        delivery.begin(session, message=row, channel=channel, order_id=order.id, unit_id=unit.id)
        outbox.fail(session, row.id, now=clock.now, error=error)
        delivery.troubled(session, outbox_id=row.id, error=error, final=True)
    return row.id


def lost_text(sessions: SessionFactory, clock: Clock, order: WorkOrder, unit: Unit | None = None) -> int:
    """A text the carrier took and could not deliver."""
    with session_scope(sessions) as session:
        row = outbox.add(session, "sms.send", now=clock.now, template="accepted", order_id=order.id)
        delivery.begin(session, message=row, channel="sms", order_id=order.id, unit_id=unit.id if unit else None)
        delivery.sent(session, outbox_id=row.id, receipt="SM1", now=clock.now)
        outbox.settle(session, row.id, now=clock.now)
        delivery.carrier_says(session, token=row.token, receipt="SM1", status="undelivered", now=clock.now)
    return row.id


def again(sessions: SessionFactory) -> set[int]:
    with session_scope(sessions) as session:
        return set(session.scalars(select(OutboxMessage.id).where(OutboxMessage.settled_at.is_(None))))


def test_filters_show_one_unit_one_channel_one_standing(
    here: City, staff: Staff, sessions: SessionFactory, clock: Clock, order: WorkOrder
) -> None:
    push(sessions, clock, order, here.county, "webhook", REFUSED)
    push(sessions, clock, order, here.power, "email", "邮件服务器拒收：550 no such mailbox")
    lost_text(sessions, clock, order)
    browser = staff(here.supervisor)
    every = browser.get("/office/messages").text
    assert all(told in every for told in (REFUSED, "550", "运营商未能送达"))
    assert "系统接口" in every and "邮件" in every
    power = browser.get(f"/office/messages?unit={here.power.id}").text
    assert "550" in power and REFUSED not in power
    hooks = browser.get("/office/messages?channel=webhook").text
    assert REFUSED in hooks and "550" not in hooks
    lost = browser.get("/office/messages?show=undelivered").text
    assert "运营商未能送达" in lost and REFUSED not in lost


def test_all_of_one_cause_go_out_again_within_the_filters(
    here: City, staff: Staff, sessions: SessionFactory, clock: Clock, order: WorkOrder
) -> None:
    first = push(sessions, clock, order, here.county, "webhook", REFUSED)
    second = push(sessions, clock, order, here.county, "webhook", REFUSED)
    elsewhere = push(sessions, clock, order, here.power, "webhook", REFUSED)
    push(sessions, clock, order, here.county, "webhook", "对方拒收：HTTP 404")
    browser = staff(here.reviewer)
    assert "3 条" in browser.get("/office/messages").text
    form = {"reason": REFUSED, "unit": str(here.county.id), "back": f"/office/messages?unit={here.county.id}"}
    answer = browser.post("/office/messages/again", form)
    assert (answer.status_code, answer.headers["Location"]) == (303, form["back"])
    assert again(sessions) == {first, second}
    browser.post("/office/messages/again", {"reason": REFUSED})
    assert again(sessions) == {first, second, elsewhere}
    with session_scope(sessions) as session:
        assert len(session.scalars(select(AccessLog).where(AccessLog.act == "send_again")).all()) == 3


def test_a_text_the_carrier_lost_is_sent_again_or_let_be(
    here: City, staff: Staff, sessions: SessionFactory, clock: Clock, order: WorkOrder
) -> None:
    message_id = lost_text(sessions, clock, order)
    browser = staff(here.supervisor)
    assert browser.post(f"/office/messages/{message_id}/again").status_code == 303
    assert again(sessions) == {message_id}
    with session_scope(sessions) as session:
        assert session.scalars(select(Delivery.state).where(Delivery.outbox_id == message_id)).one() == "waiting"
    other = lost_text(sessions, clock, order)
    assert browser.post(f"/office/messages/{other}/drop").status_code == 303
    page = browser.get("/office/messages").text
    assert "运营商未能送达" not in page
    assert browser.post("/office/messages/999/drop").status_code == 404


def test_a_number_nobody_has_is_no_work_for_anybody(
    here: City, staff: Staff, sessions: SessionFactory, clock: Clock, order: WorkOrder
) -> None:
    with session_scope(sessions) as session:
        row = outbox.add(session, "sms.send", now=clock.now, template="accepted", order_id=order.id)
        delivery.begin(session, message=row, channel="sms", order_id=order.id)
        outbox.settle(session, row.id, now=clock.now)
        delivery.troubled(session, outbox_id=row.id, error="来电人没有可接收短信的号码", final=True)
    assert "没有可接收短信" not in staff(here.supervisor).get("/office/messages").text


def test_what_waits_says_when_and_what_was_cleaned_away_cannot_go_again(
    here: City, staff: Staff, sessions: SessionFactory, clock: Clock, order: WorkOrder
) -> None:
    lost_text(sessions, clock, order)
    clock.on(hours=1)
    with session_scope(sessions) as session:
        outbox.clean(session, before=clock.now)
        about = {"order_id": order.id, "unit_id": here.county.id, "what": "to_sign"}
        row = outbox.add(session, "order.push", now=clock.now, **about)
        outbox.claim_one(session, row.id, now=clock.now)
        outbox.postpone(session, row.id, now=clock.now, error="carrier answered HTTP 400, code 21614")
    clock.on(minutes=3)
    page = staff(here.supervisor).get("/office/messages").text
    assert "下次" in page
    assert "运营商拒收：不是手机号码" in page
    assert "已过保存期" in page


def test_only_the_administrator_is_led_to_the_units_own_data(
    here: City, staff: Staff, sessions: SessionFactory, clock: Clock, order: WorkOrder
) -> None:
    push(sessions, clock, order, here.county, "sms", "单位没有登记值班电话")
    with session_scope(sessions) as session:
        keeper = people.actor(session, Role.ADM)
    link = f"/office/city/units/{here.county.id}"
    assert link in staff(keeper).get("/office/messages").text
    assert link not in staff(here.supervisor).get("/office/messages").text


def test_everything_that_can_be_stuck_has_a_name() -> None:
    assert set(TOPICS) == set(JOB_OF_TOPIC)
