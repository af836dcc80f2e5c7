"""A township with only a telephone: it signs, returns, tells and reports by keys and by SMS."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from xml.etree.ElementTree import Element

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.accounts.roles import Role
from hotline.accounts.service import Actor, actor_of
from hotline.bootstrap import Runtime
from hotline.calls.models import Call, WebhookReceipt
from hotline.dial_in import questions, texts
from hotline.dial_in.models import DialIn
from hotline.errors import NotFound
from hotline.outbox import OutboxMessage
from hotline.telephones import service as telephones
from hotline.telephones.models import Telephone
from hotline.telephony.simulated import SimulatedTelephony
from hotline.units.models import ResponsibilityLine
from hotline.work_orders import numbers
from hotline.work_orders.models import OrderEvent, OrderRequest, Report, WorkOrder
from hotline.work_orders.states import Status
from tests.factories import calls as make
from tests.factories import people
from tests.factories import units as make_units
from tests.factories.orders import order_at
from tests.factories.units import WATER, City
from tests.web.ivr.conftest import Carrier, Clock, said
from workers import process, staff

Scope = Callable[[], AbstractContextManager[Session]]
OWN = "+8619900000201"
LEADERS = "+8619900000202"


@pytest.fixture
def place(scope: Scope, runtime: Runtime) -> City:
    process.use(runtime)
    with scope() as session:
        found = make_units.city(session)
        for code, matter, lead in (("L01", "镇村供水", None), ("L02", "城区供水", found.power.id)):
            session.add(
                ResponsibilityLine(
                    version="2026-1",
                    code=code,
                    matter=matter,
                    category_code=WATER,
                    lead_unit_id=lead,
                    valid_from=date(2026, 1, 1),
                    created_at=runtime.now(),
                )
            )
        return found


@pytest.fixture
def leader(scope: Scope, place: City, clock: Clock) -> Actor:
    """The township's leader, who can be told by telephone."""
    with scope() as session:
        found = people.actor(session, Role.U3L, unit=place.township, name="镇长")
        telephones.leave_number(session, actor=found, now=clock(), user_id=found.user_id or 0, phone=LEADERS)
        return found


@pytest.fixture
def pin(scope: Scope, place: City, leader: Actor, clock: Clock) -> str:
    """The PIN of the township's clerk."""
    with scope() as session:
        clerk = place.township_clerk.user_id or 0
        return telephones.give_pin(session, actor=leader, now=clock(), user_id=clerk, phone="199 0000 0201")


@pytest.fixture
def order(scope: Scope, place: City, clock: Clock) -> WorkOrder:
    """An order the township has still to sign."""
    with scope() as session:
        found = order_at(session, place, Status.TO_SIGN_TIER3)
    clock.forward(1800)
    return found


class Caller:
    """A person of the unit on the line."""

    def __init__(self, carrier: Carrier, number: str = OWN) -> None:
        self.carrier, self.number, self.sid = carrier, number, make.sid()
        self.document = carrier.ask("/ivr/voice", self.sid, From=number)
        self.heard: list[str] = []
        self.press("*")

    def press(self, digits: str) -> str:
        """Key something and return all that is then said."""
        action = self.carrier.follow(self.document, "Gather", "action")
        self.document: Element = self.carrier.ask(action, self.sid, From=self.number, Digits=digits)
        self.heard += (words := said(self.document))
        return "".join(words)

    def log_in(self, order_no: str, pin: str) -> str:
        self.press(order_no.replace("-", ""))
        return self.press(pin)


def status(scope: Scope, order: WorkOrder) -> str:
    with scope() as session:
        return session.get_one(WorkOrder, order.id).status


def signed(scope: Scope, order: WorkOrder, carrier: Carrier, pin: str) -> Caller:
    """A caller who has signed for the order."""
    caller = Caller(carrier)
    caller.log_in(order.order_no, pin)
    assert "已签收" in caller.press("1")
    return caller


def test_a_township_signs_by_telephone_and_hears_nothing_of_the_citizen(
    carrier: Carrier, scope: Scope, order: WorkOrder, pin: str
) -> None:
    caller = Caller(carrier)
    assert caller.press(order.order_no.replace("-", "")) == questions.ASK_PIN
    menu = caller.press(pin)
    assert "待签收" in menu and "还剩" in menu and "签收请按一" in menu and "反馈办理结果" not in menu
    told = caller.press("1")
    assert told.startswith("已签收。") and "反馈办理结果请按四" in told
    assert status(scope, order) == Status.IN_HAND_TIER3
    everything = "".join(caller.heard)
    for secret in ("王小明", "1234", "五洲国际", "停水两天", "永兴路"):
        assert secret not in everything
    with scope() as session:
        event = session.scalars(select(OrderEvent).order_by(OrderEvent.id.desc())).first()
        assert event is not None and (event.action, event.actor_role) == ("sign", "U3")
        call = session.scalars(select(Call).where(Call.provider_id == caller.sid)).one()
        assert call.outcome == "unit"


def test_a_return_is_asked_by_keys_with_line_and_unit(
    carrier: Carrier, scope: Scope, order: WorkOrder, pin: str, place: City
) -> None:
    caller = Caller(carrier)
    caller.log_in(order.order_no, pin)
    assert "职能不符" in caller.press("2")
    assert "责任清单L02，城区供水，请按二" in caller.press("2")
    units = caller.press("2")
    assert "电力公司，请按一" in units
    assert "依据责任清单L02，建议由电力公司办理" in caller.press("1")
    assert caller.press("1").startswith("已申请退回")
    assert status(scope, order) == Status.RETURN_ASKED
    with scope() as session:
        asked = session.scalars(select(OrderRequest)).one()
        assert (asked.ground, asked.suggested_unit_id) == ("duty", place.power.id)
        assert asked.reason == "职能不符（电话按键申请）"


def test_a_line_not_read_out_is_keyed_by_its_figures(
    carrier: Carrier, scope: Scope, order: WorkOrder, pin: str, clock: Clock
) -> None:
    with scope() as session:
        session.add(
            ResponsibilityLine(
                version="2026-1",
                code="L37",
                matter="其他",
                category_code="99",
                valid_from=date(2026, 1, 1),
                created_at=clock(),
            )
        )
    caller = Caller(carrier)
    caller.log_in(order.order_no, pin)
    caller.press("2")
    caller.press("3")  # ownership: no other unit need be named
    caller.press("9")
    assert "现行责任清单中没有这一条" in caller.press("99")
    caller.press("9")
    assert "依据责任清单L37" in caller.press("37")
    assert "已取消" in caller.press("2")
    assert status(scope, order) == Status.TO_SIGN_TIER3


def test_a_result_is_reported_by_keys(carrier: Carrier, scope: Scope, order: WorkOrder, pin: str, clock: Clock) -> None:
    caller = signed(scope, order, carrier, pin)
    clock.forward(10800)
    caller.press("4")
    caller.press("1")  # by telephone
    caller.press("2")  # two hours ago
    assert "没有完全解决的原因" in caller.press("2")
    caller.press("2")
    told = caller.press("2")
    assert "已电话联系，部分解决，原因：受客观条件限制" in told
    assert caller.press("1").startswith("办理结果已提交")
    assert status(scope, order) == Status.TO_CHECK_TIER2
    with scope() as session:
        report = session.scalars(select(Report)).one()
        assert (report.contacted, report.contact_way, report.solved) == (True, "电话", "partly")
        assert report.contacted_at == clock() - timedelta(hours=2)
        assert report.public_reply.startswith("您反映的问题已处理一部分")


def test_progress_is_reported_by_a_key(carrier: Carrier, scope: Scope, order: WorkOrder, pin: str) -> None:
    caller = signed(scope, order, carrier, pin)
    assert "正在维修处置，请按二" in caller.press("3")
    assert caller.press("2").startswith("进展已报告")
    with scope() as session:
        event = session.scalars(select(OrderEvent).order_by(OrderEvent.id.desc())).first()
        assert event is not None and event.action == "progress" and "正在维修处置" in str(event.private)


def test_another_units_order_is_answered_like_one_that_is_not_there(
    carrier: Carrier, scope: Scope, order: WorkOrder, place: City, clock: Clock
) -> None:
    with scope() as session:
        boss = people.actor(session, Role.U3L, unit=place.far_township)
        stranger = place.far_township_clerk.user_id or 0
        code = telephones.give_pin(session, actor=boss, now=clock(), user_id=stranger, phone=OWN)
    theirs, nobodys = Caller(carrier), Caller(carrier)
    first = theirs.log_in(order.order_no, code)
    second = nobodys.log_in(numbers.write("2611", 99999), code)
    assert first == second == "没有查到这张工单。" + questions.ASK_NUMBER
    slip = Caller(carrier)
    assert slip.press("2611000428").startswith(questions.WRONG_NUMBER)


def test_five_wrong_pins_lock_for_half_an_hour_and_the_leader_is_told(
    carrier: Carrier, scope: Scope, order: WorkOrder, pin: str, clock: Clock, telephony: SimulatedTelephony
) -> None:
    wrong = "000000" if pin != "000000" else "111111"
    caller = Caller(carrier)
    caller.press(order.order_no.replace("-", ""))
    for _ in range(2):
        assert caller.press(wrong) == questions.WRONG_PIN + questions.ASK_PIN
    assert caller.press(wrong) == questions.WRONG_PIN + questions.GOODBYE
    caller = Caller(carrier)
    caller.press(order.order_no.replace("-", ""))
    caller.press(wrong)
    assert caller.press(wrong) == questions.LOCKED
    again = Caller(carrier)
    assert again.log_in(order.order_no, pin) == questions.LOCKED
    with scope() as session:
        message_id = session.scalars(select(OutboxMessage.id).where(OutboxMessage.topic == "pin.locked")).one()
    staff.tell_locked(message_id)
    staff.tell_locked(message_id)
    (told,) = telephony.messages
    assert told.to == LEADERS and "连续输错" in told.body
    clock.forward(1801)
    assert "签收请按一" in Caller(carrier).log_in(order.order_no, pin)


def test_from_another_number_even_the_right_pin_is_wrong(carrier: Carrier, order: WorkOrder, pin: str) -> None:
    caller = Caller(carrier, number="+8619900000299")
    assert caller.log_in(order.order_no, pin).startswith(questions.WRONG_PIN)
    withheld = Caller(carrier, number="anonymous")
    assert withheld.log_in(order.order_no, pin).startswith(questions.WRONG_PIN)


def test_a_citizen_who_pressed_the_star_comes_to_a_person(carrier: Carrier, scope: Scope) -> None:
    caller = Caller(carrier, number=make.PHONE)
    caller.press("")
    path = carrier.follow(caller.document, "Redirect")
    document = carrier.ask(path, caller.sid)
    assert document.find("Enqueue") is not None
    with scope() as session:
        assert session.scalars(select(Call.outcome).where(Call.provider_id == caller.sid)).one() == ""


def test_whoever_gave_their_pin_comes_to_a_person_as_they_are_told(
    carrier: Carrier, order: WorkOrder, pin: str
) -> None:
    caller = Caller(carrier)
    caller.log_in(order.order_no, pin)
    caller.press("9")
    caller.press("0")
    assert caller.document.find("Redirect") is not None


def test_a_key_that_comes_twice_or_late_is_taken_once(
    carrier: Carrier, scope: Scope, order: WorkOrder, pin: str
) -> None:
    caller = Caller(carrier)
    caller.log_in(order.order_no, pin)
    action = carrier.follow(caller.document, "Gather", "action")
    first = carrier.ask(action, caller.sid, From=OWN, Digits="1")
    second = carrier.ask(action, caller.sid, From=OWN, Digits="1")
    assert said(first) == said(second)
    late = carrier.ask("/ivr/unit/keyed?turn=1", "CA" + "9" * 32, From=OWN, Digits="1")
    assert said(late) == [questions.ASK_NUMBER]
    with scope() as session:
        assert len(session.scalars(select(OrderEvent).where(OrderEvent.actor_role == "U3")).all()) == 1


def test_the_pin_is_written_nowhere(
    carrier: Carrier, scope: Scope, order: WorkOrder, pin: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    signed(scope, order, carrier, pin)
    write(carrier, f"查询 {order.order_no} {pin}")
    assert pin not in caplog.text
    with scope() as session:
        for row in session.scalars(select(WebhookReceipt)):
            assert pin not in row.key and pin not in row.body
        assert all(pin not in str(row.keyed) for row in session.scalars(select(DialIn)))
        assert pin not in session.scalars(select(Telephone.pin_hash).where(Telephone.pin_hash != "")).one()


def test_only_the_units_leader_or_an_administrator_gives_a_pin(
    scope: Scope, place: City, leader: Actor, clock: Clock
) -> None:
    with scope() as session:
        clerk = place.township_clerk.user_id or 0
        for somebody in (place.township_clerk, place.supervisor, place.other_county_clerk):
            with pytest.raises(NotFound):
                telephones.give_pin(session, actor=somebody, now=clock(), user_id=clerk, phone=OWN)
        stranger = place.far_township_clerk.user_id or 0
        with pytest.raises(NotFound):
            telephones.give_pin(session, actor=leader, now=clock(), user_id=stranger, phone=OWN)
        admin = actor_of(people.user(session, Role.ADM))
        assert len(telephones.give_pin(session, actor=admin, now=clock(), user_id=stranger, phone=OWN)) == 6


def test_a_person_who_left_does_nothing_any_more(
    carrier: Carrier, scope: Scope, order: WorkOrder, pin: str, place: City
) -> None:
    with scope() as session:
        session.get_one(User, place.township_clerk.user_id).active = False
    assert Caller(carrier).log_in(order.order_no, pin).startswith(questions.WRONG_PIN)


# ---- by SMS


def write(carrier: Carrier, body: str, number: str = OWN) -> str:
    """Send a text and return the answer."""
    document = carrier.ask("/ivr/message", "", From=number, Body=body, MessageSid=make.sid().replace("CA", "SM"))
    return "".join(element.text or "" for element in document.iter("Message"))


def test_a_township_works_by_sms(carrier: Carrier, scope: Scope, order: WorkOrder, pin: str, clock: Clock) -> None:
    no = order.order_no
    assert write(carrier, f"签收 {no} {pin}").startswith(f"{no}：已签收。现在已签收，还剩")
    assert write(carrier, f"进展　{no}　{pin}　已到现场").startswith(f"{no}：进展已报告。现在办理中")
    assert write(carrier, f"办结 {no} {pin} 电话 12:30 部分解决（等待配件） 已修复一半，其余下周完成。").startswith(
        f"{no}：办理结果已提交。现在已反馈"
    )
    assert status(scope, order) == Status.TO_CHECK_TIER2
    with scope() as session:
        report = session.scalars(select(Report)).one()
        assert (report.unsolved_reason, report.public_reply) == ("等待配件", "已修复一半，其余下周完成。")
        assert report.contacted_at == clock().replace(hour=4, minute=30)


def test_a_return_by_sms(carrier: Carrier, scope: Scope, order: WorkOrder, pin: str, place: City) -> None:
    answer = write(carrier, f"退回 {order.order_no} {pin} 职能不符 L02 电力公司 该处由电力公司管护")
    assert "已申请退回" in answer
    with scope() as session:
        asked = session.scalars(select(OrderRequest)).one()
        assert (asked.suggested_unit_id, asked.reason) == (place.power.id, "该处由电力公司管护")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("签收 {no}", "密码"),
        ("签收 2611-00001-9 {pin}", "有误"),
        ("进展 {no} {pin}", "进展 2611"),
        ("退回 {no} {pin} 不想办", "属地不符"),
        ("退回 {no} {pin} 职能不符 L99", "责任清单"),
        ("退回 {no} {pin} 职能不符 L02 某单位 理由", "哪个单位"),
        ("退回 {no} {pin} 重复 L02", "理由"),
        ("办结 {no} {pin} 电话 已解决 好了", "几点"),
        ("办结 {no} {pin} 电话 12:00 解决了", "是否解决"),
        ("办结 {no} {pin} 未联系 未解决 暂不具备条件", "原因"),
        ("办结 {no} {pin} 发微信 已解决 好了", "怎样联系"),
    ],
)
def test_what_is_wrong_with_a_text_is_said_with_an_example(
    carrier: Carrier, scope: Scope, order: WorkOrder, pin: str, text: str, hint: str
) -> None:
    answer = write(carrier, text.format(no=order.order_no, pin=pin))
    assert hint in answer and "例如：" in answer
    assert status(scope, order) == Status.TO_SIGN_TIER3


def test_what_is_not_allowed_now_is_said_with_what_is(
    carrier: Carrier, scope: Scope, order: WorkOrder, pin: str
) -> None:
    write(carrier, f"签收 {order.order_no} {pin}")
    assert "不能签收" in write(carrier, f"签收 {order.order_no} {pin}")


def test_wrong_pins_by_sms_count_too_and_strangers_learn_nothing(carrier: Carrier, order: WorkOrder, pin: str) -> None:
    for _ in range(4):
        assert write(carrier, f"签收 {order.order_no} 0000") == texts.WRONG_PIN
    assert write(carrier, f"签收 {order.order_no} 0000") == texts.LOCKED
    assert write(carrier, f"签收 {order.order_no} {pin}") == texts.LOCKED
    assert write(carrier, f"签收 {order.order_no} {pin}", number=make.PHONE) == texts.WRONG_PIN


def test_a_citizens_text_is_still_a_citizens(carrier: Carrier, order: WorkOrder, pin: str) -> None:
    assert write(carrier, "进展怎么样了", number=make.PHONE).startswith("您好，短信已收到")
