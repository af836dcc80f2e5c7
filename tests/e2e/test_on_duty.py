"""Duty officers, units with only a telephone and calls through the hub, over a carrier's real lines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from sqlalchemy import delete, select

from hotline.accounts.models import User
from hotline.accounts.roles import Role
from hotline.accounts.service import actor_of
from hotline.alarms.models import Alarm, AlarmTry
from hotline.clock import utc_now
from hotline.contacts import service as contacts
from hotline.contacts.models import ContactCall
from hotline.demo.stage import Teller
from hotline.dial_in import questions
from hotline.rosters.models import DutyShift
from hotline.telephones import service as telephones
from hotline.web import ivr_alarms
from hotline.work_orders.models import OrderEvent, WorkOrder
from hotline.work_orders.states import Status
from tests.architecture.conftest import _city as demo_people
from tests.e2e.conftest import Records
from tests.factories import rosters
from tests.factories.orders import caller, order_at

FIRST, SECOND = "+8619900009801", "+8619900009802"
CLERKS, CITIZENS = "+8619900009811", "+8619900009812"
SOON = timedelta(minutes=30)


def answer(teller: Teller, *rules: dict[str, Any]) -> None:
    """Say how telephones nobody holds behave."""
    teller.world.lab("PUT", "handsets/rules", {"rules": list(rules)})


def calls_of(teller: Teller, phone: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = teller.world.lab("GET", f"calls?handset={quote(phone)}")["calls"]
    return found


def test_the_first_officer_is_busy_and_the_second_signs_by_key(teller: Teller, records: Records) -> None:
    keyed = [{"wait_for": {"caption": ivr_alarms.KEYS}}, {"press": "1"}]
    answer(teller, {"address": FIRST, "busy": True}, {"address": SECOND, "answer_after_s": 0.3, "script": keyed})
    with records() as session:
        city = demo_people(session)
        session.execute(delete(DutyShift).where(DutyShift.unit_id == city.county.id))
        span = {"starts_at": utc_now() - SOON, "ends_at": utc_now() + SOON}
        rosters.shift(session, city.county, name="第一位", phone=FIRST, position=1, **span)
        rosters.shift(session, city.county, name="第二位", phone=SECOND, position=2, **span)
        order = order_at(session, city, Status.TO_SIGN, now=utc_now() - SOON, category_code="CJ-LD", urgency="critical")
        number = order.order_no

    def signed() -> bool:
        with records() as session:
            return session.scalars(select(WorkOrder.status).where(WorkOrder.order_no == number)).one() == "in_hand"

    teller.until(signed, "the officer's signature")
    with records() as session:
        order = session.scalars(select(WorkOrder).where(WorkOrder.order_no == number)).one()
        alarm = session.scalars(select(Alarm).where(Alarm.order_id == order.id)).one()
        tries = session.scalars(select(AlarmTry).where(AlarmTry.alarm_id == alarm.id).order_by(AlarmTry.turn)).all()
        assert alarm.state == "signed"
        assert [one.state for one in tries] == ["busy", "signed", "planned", "planned"]
        event = session.scalars(
            select(OrderEvent).where(OrderEvent.order_id == order.id).order_by(OrderEvent.seq)
        ).all()
        assert (event[-1].action, event[-1].actor_role) == ("sign", "DTY")


def test_a_clerk_signs_for_an_order_from_the_keypad(teller: Teller, records: Records) -> None:
    with records() as session:
        city = demo_people(session)
        clerk = city.township_clerk
        admin = actor_of(session.scalars(select(User).where(User.role == Role.ADM)).first())  # type: ignore[arg-type]
        pin = telephones.give_pin(session, actor=admin, now=utc_now(), user_id=clerk.user_id or 0, phone=CLERKS)
        order = order_at(session, city, Status.TO_SIGN_TIER3, now=utc_now() - SOON, category_code="CJ-LD")
        number = order.order_no
    script = [
        {"wait_for": "digits_prompt"},
        {"press": "*"},
        {"wait_for": {"caption": questions.ASK_NUMBER}},
        {"press": number.replace("-", "") + "#"},
        {"wait_for": {"caption": questions.ASK_PIN}},
        {"press": pin},
        {"wait_for": {"caption": questions.ANOTHER}},
        {"press": "1"},
        {"wait_for": {"caption": "已签收。"}},
        {"hang_up": True},
    ]
    teller.world.lab("POST", "calls", {"from": CLERKS, "to": "12345", "script": script})

    def signed() -> bool:
        with records() as session:
            status = session.scalars(select(WorkOrder.status).where(WorkOrder.order_no == number)).one()
            return status == Status.IN_HAND_TIER3

    teller.until(signed, "the clerk's signature")


def test_a_clerk_and_a_citizen_meet_behind_the_hotlines_number(teller: Teller, records: Records) -> None:
    answer(teller, *({"address": phone, "answer_after_s": 0.3} for phone in (CLERKS, CITIZENS)))
    with records() as session:
        city = demo_people(session)
        order = order_at(
            session,
            city,
            Status.IN_HAND_TIER3,
            now=utc_now() - SOON,
            category_code="CJ-LD",
            who=caller(session, phone=CITIZENS),
        )
        call_id = contacts.ask(session, order=order, actor=city.township_clerk, now=utc_now(), phone=CLERKS).id

    def state() -> str:
        with records() as session:
            return session.get_one(ContactCall, call_id).state

    teller.until(lambda: state() == "connected", "both on the line")
    clerks, citizens = calls_of(teller, CLERKS)[0], calls_of(teller, CITIZENS)[0]
    assert {clerks["from"], citizens["from"]} == {"12345"}
    teller.world.lab("POST", f"calls/{citizens['sid']}/hang-up", {})
    teller.until(lambda: state() == "ended", "the end of the call")
    teller.until(lambda: calls_of(teller, CLERKS)[0]["status"] == "completed", "the clerk's line to end")
    with records() as session:
        call = session.get_one(ContactCall, call_id)
        assert call.answered and call.talked is not None
