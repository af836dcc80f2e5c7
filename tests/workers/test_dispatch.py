"""Orders reach units and citizens are told, once, whatever goes wrong on the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from hotline import outbox
from hotline.bootstrap import Runtime
from hotline.db import make_engine, make_sessions, session_scope
from hotline.delivery import queries, service, templates
from hotline.delivery.models import Delivery
from hotline.outbox import MOST_TRIES, RETRY_AFTER, OutboxMessage
from hotline.telephony.base import CarrierRefused, CarrierUnreachable
from hotline.telephony.simulated import Message, SimulatedTelephony
from hotline.units.models import Unit
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.factories.orders import PHONE, caller, order_at
from tests.factories.units import City
from tests.workers.conftest import Clock
from workers import dispatch, handling


@pytest.fixture
def order(runtime: Runtime, place: City) -> WorkOrder:
    """An order that the county is to sign; what was said of it on the way is of no interest here."""
    with session_scope(runtime.sessions) as session:
        order = order_at(session, place, Status.TO_SIGN)
    with session_scope(runtime.sessions) as session:
        for message_id in session.scalars(select(OutboxMessage.id)).all():
            outbox.settle(session, message_id, now=runtime.now())
    return order


def put(runtime: Runtime, topic: str, **payload: object) -> int:
    with session_scope(runtime.sessions) as session:
        return outbox.add(session, topic, now=runtime.now(), **payload).id


def push(runtime: Runtime, order: WorkOrder, unit: Unit, what: str = "to_sign") -> int:
    return put(runtime, "order.push", order_id=order.id, unit_id=unit.id, what=what)


def row(runtime: Runtime, message_id: int) -> OutboxMessage:
    with session_scope(runtime.sessions) as session:
        return session.get_one(OutboxMessage, message_id)


def fate(runtime: Runtime, message_id: int) -> Delivery:
    with session_scope(runtime.sessions) as session:
        return session.scalars(select(Delivery).where(Delivery.outbox_id == message_id)).one()


def by_sms(runtime: Runtime, unit: Unit, phone: str | None = PHONE) -> None:
    with session_scope(runtime.sessions) as session:
        unit = session.get_one(Unit, unit.id)
        unit.channel, unit.duty_phone = "sms", phone


def test_a_push_to_the_portal_is_sent_and_receipted_when_the_unit_opens_it(
    runtime: Runtime, place: City, order: WorkOrder, clock: Clock
) -> None:
    message_id = push(runtime, order, place.county)
    dispatch.push_order(message_id)
    sent = fate(runtime, message_id)
    assert (sent.state, sent.channel, sent.unit_id, sent.receipt) == ("sent", "portal", place.county.id, "inbox:JZ")
    with session_scope(runtime.sessions) as session:
        service.receipted(session, order.id, place.power.id, clock())
        assert queries.of_order(session, order.id)[0].state == "sent"
        service.receipted(session, order.id, place.county.id, clock())
    assert fate(runtime, message_id).state == "receipted"


def test_a_unit_that_wants_texts_gets_one_that_says_nothing_of_the_demand(
    runtime: Runtime, place: City, order: WorkOrder, carrier: SimulatedTelephony
) -> None:
    by_sms(runtime, place.county)
    dispatch.push_order(push(runtime, order, place.county))
    (text,) = carrier.messages
    assert (text.to, text.sender) == (PHONE, "12345")
    assert order.order_no in text.body
    assert "停水" not in text.body
    assert "五洲国际" not in text.body


def test_a_unit_without_a_duty_telephone_is_given_to_a_person_in_words(
    runtime: Runtime, place: City, order: WorkOrder, carrier: SimulatedTelephony, clock: Clock
) -> None:
    by_sms(runtime, place.county, phone=None)
    message_id = push(runtime, order, place.county)
    dispatch.push_order(message_id)
    assert row(runtime, message_id).failed
    assert fate(runtime, message_id).state == "failed"
    with session_scope(runtime.sessions) as session:
        (stuck,) = queries.stuck(session, now=clock())
    assert (stuck.outbox_id, stuck.reason, stuck.order_id) == (message_id, "单位没有登记值班电话", order.id)

    by_sms(runtime, place.county)  # somebody mends it
    with session_scope(runtime.sessions) as session:
        service.send_again(session, outbox_id=message_id, user_id=None, now=clock())
    dispatch.push_order(message_id)
    assert fate(runtime, message_id).state == "sent"
    assert len(carrier.messages) == 1
    with session_scope(runtime.sessions) as session:
        assert queries.stuck(session, now=clock()) == []


def test_a_duty_telephone_is_texted_however_the_units_file_writes_it(
    runtime: Runtime, place: City, order: WorkOrder, carrier: SimulatedTelephony
) -> None:
    for written in ("19900000001", "199 0000 0001"):
        by_sms(runtime, place.county, phone=written)
        dispatch.push_order(push(runtime, order, place.county))
    assert [text.to for text in carrier.messages] == ["+8619900000001", "+8619900000001"]


def test_a_duty_telephone_that_shows_no_texts_is_given_to_a_person_and_the_next_way_takes_over(
    runtime: Runtime, place: City, order: WorkOrder, carrier: SimulatedTelephony
) -> None:
    by_sms(runtime, place.county, phone="0318-2024114")
    message_id = push(runtime, order, place.county)
    dispatch.push_order(message_id)
    assert carrier.messages == []
    assert (fate(runtime, message_id).state, fate(runtime, message_id).error) == ("failed", "值班电话收不到短信")
    with session_scope(runtime.sessions) as session:
        next_one = session.scalars(select(OutboxMessage).order_by(OutboxMessage.id.desc()).limit(1)).one()
    assert (next_one.topic, next_one.payload["channel"]) == ("order.push", "portal")


def test_a_citizen_is_told_the_number_of_the_order(
    runtime: Runtime, order: WorkOrder, carrier: SimulatedTelephony
) -> None:
    dispatch.send_sms(put(runtime, "sms.send", template="accepted", order_id=order.id))
    (text,) = carrier.messages
    assert text.to == PHONE
    assert order.order_no in text.body
    assert text.body.startswith("【12345热线】您好")


def test_a_withheld_number_is_written_down_and_troubles_nobody(
    runtime: Runtime, place: City, carrier: SimulatedTelephony, clock: Clock
) -> None:
    with session_scope(runtime.sessions) as session:
        order = order_at(session, place, Status.TO_SIGN, who=caller(session, phone=None))
    message_id = put(runtime, "sms.send", template="accepted", order_id=order.id)
    dispatch.send_sms(message_id)
    assert carrier.messages == []
    assert fate(runtime, message_id).error == "来电人没有可接收短信的号码"
    assert not row(runtime, message_id).failed


def test_every_citizens_template_can_be_filled_from_an_order(
    runtime: Runtime, order: WorkOrder, carrier: SimulatedTelephony
) -> None:
    names = [name for name in templates.TEMPLATES if "." not in name]
    for name in names:
        dispatch.send_sms(put(runtime, "sms.send", template=name, order_id=order.id))
    assert len(carrier.messages) == len(names)
    assert not any("{" in text.body for text in carrier.messages)


def test_every_unit_template_can_be_filled_with_the_order_number() -> None:
    for name in templates.TEMPLATES:
        if name.startswith("unit."):
            assert templates.fields_of(name) == {"order_no"}


@pytest.mark.parametrize("topic", ["order.push", "sms.send"])
def test_a_job_run_twice_does_its_work_once(
    runtime: Runtime, place: City, order: WorkOrder, carrier: SimulatedTelephony, topic: str
) -> None:
    by_sms(runtime, place.county)
    payload = {"order_id": order.id, "unit_id": place.county.id, "what": "to_sign", "template": "accepted"}
    message_id = put(runtime, topic, **payload)
    job = {"order.push": dispatch.push_order, "sms.send": dispatch.send_sms}[topic]
    job(message_id)
    job(message_id)
    assert len(carrier.messages) == 1
    assert row(runtime, message_id).tries == 1


def test_a_silent_carrier_is_asked_again_by_plan_and_in_the_end_a_person_is(
    runtime: Runtime, order: WorkOrder, carrier: SimulatedTelephony, clock: Clock
) -> None:
    message_id = put(runtime, "sms.send", template="accepted", order_id=order.id)
    carrier.go_silent()
    for wait in RETRY_AFTER:
        dispatch.send_sms(message_id)
        dispatch.send_sms(message_id)  # too early: nothing
        assert fate(runtime, message_id).state == "waiting"
        assert fate(runtime, message_id).error
        clock.forward(wait)
    dispatch.send_sms(message_id)
    assert row(runtime, message_id).tries == MOST_TRIES
    assert row(runtime, message_id).failed
    assert fate(runtime, message_id).state == "failed"
    assert fate(runtime, message_id).tries == MOST_TRIES


def test_a_refusal_is_not_repeated(
    runtime: Runtime, order: WorkOrder, carrier: SimulatedTelephony, clock: Clock
) -> None:
    message_id = put(runtime, "sms.send", template="accepted", order_id=order.id)
    carrier.faults["send_message"] = CarrierRefused("carrier answered HTTP 400, code 21614")
    dispatch.send_sms(message_id)
    assert row(runtime, message_id).failed
    assert fate(runtime, message_id).error == "carrier answered HTTP 400, code 21614"


class Dies(BaseException):
    """Stands for a process that ends at once: nothing after it runs."""


def test_a_text_the_carrier_took_just_before_the_job_died_is_not_sent_again(
    runtime: Runtime, order: WorkOrder, carrier: SimulatedTelephony, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = put(runtime, "sms.send", template="accepted", order_id=order.id)

    def took_it_and_died(**text: str) -> str:
        monkeypatch.undo()
        carrier.send_message(**text)
        raise Dies

    monkeypatch.setattr(SimulatedTelephony, "send_message", lambda _, **text: took_it_and_died(**text))
    with pytest.raises(Dies):
        dispatch.send_sms(message_id)
    dispatch.send_sms(message_id)
    assert fate(runtime, message_id).state == "waiting"
    clock.forward(outbox.HOLD)
    dispatch.send_sms(message_id)
    assert len(carrier.messages) == 1
    assert fate(runtime, message_id).receipt == carrier.messages[0].provider_id


def test_the_same_words_for_another_occasion_are_not_taken_for_sent(
    runtime: Runtime, order: WorkOrder, carrier: SimulatedTelephony, clock: Clock
) -> None:
    dispatch.send_sms(put(runtime, "sms.send", template="redo", order_id=order.id))
    second = put(runtime, "sms.send", template="redo", order_id=order.id)
    carrier.go_silent()
    dispatch.send_sms(second)
    carrier.faults.clear()
    clock.forward(RETRY_AFTER[0])
    dispatch.send_sms(second)
    assert len(carrier.messages) == 2
    assert fate(runtime, second).receipt == carrier.messages[1].provider_id


def took_it_unheard(patch: pytest.MonkeyPatch, job: Callable[[int], None], message_id: int) -> None:
    """The carrier takes the text, and its answer gets lost on the way."""
    real = SimulatedTelephony.send_message

    def unheard(self: SimulatedTelephony, **text: str) -> str:
        real(self, **text)
        raise CarrierUnreachable("the answer was lost")

    with patch.context() as lost:
        lost.setattr(SimulatedTelephony, "send_message", unheard)
        job(message_id)


def carrier_says(runtime: Runtime, message_id: int, text: Message, status: str) -> None:
    token = row(runtime, message_id).token
    with session_scope(runtime.sessions) as session:
        service.carrier_says(session, token=token, receipt=text.provider_id, status=status, now=runtime.now())


@pytest.mark.parametrize(("status", "state"), [("delivered", "receipted"), ("undelivered", "failed")])
@pytest.mark.parametrize("topic", ["order.push", "sms.send"])
def test_a_text_the_carrier_has_spoken_of_although_its_answer_was_lost_goes_out_once(
    runtime: Runtime,
    place: City,
    order: WorkOrder,
    carrier: SimulatedTelephony,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    topic: str,
    status: str,
    state: str,
) -> None:
    by_sms(runtime, place.county)
    payload = {"order_id": order.id, "unit_id": place.county.id, "what": "to_sign", "template": "accepted"}
    message_id = put(runtime, topic, **payload)
    job = {"order.push": dispatch.push_order, "sms.send": dispatch.send_sms}[topic]
    took_it_unheard(monkeypatch, job, message_id)
    carrier_says(runtime, message_id, carrier.messages[0], status)
    clock.forward(RETRY_AFTER[0])
    carrier.go_silent()  # nothing is left to be asked
    job(message_id)
    assert len(carrier.messages) == 1
    assert row(runtime, message_id).settled_at is not None and not row(runtime, message_id).failed
    told = fate(runtime, message_id)
    assert (told.state, told.receipt) == (state, carrier.messages[0].provider_id)


def test_a_receipt_that_comes_before_the_answer_is_given_up_is_not_taken_back(
    runtime: Runtime, order: WorkOrder, carrier: SimulatedTelephony, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = put(runtime, "sms.send", template="accepted", order_id=order.id)
    real = SimulatedTelephony.send_message

    def told_and_lost(self: SimulatedTelephony, **text: str) -> str:
        real(self, **text)
        carrier_says(runtime, message_id, carrier.messages[0], "delivered")
        raise CarrierUnreachable("the answer was lost")

    with monkeypatch.context() as lost:
        lost.setattr(SimulatedTelephony, "send_message", told_and_lost)
        dispatch.send_sms(message_id)
    assert (fate(runtime, message_id).state, fate(runtime, message_id).error) == ("receipted", "")
    clock.forward(RETRY_AFTER[0])
    dispatch.send_sms(message_id)
    assert len(carrier.messages) == 1
    assert row(runtime, message_id).settled_at is not None


def test_a_receipt_that_comes_while_the_carrier_is_asked_for_the_text_sends_no_second_one(
    runtime: Runtime, order: WorkOrder, carrier: SimulatedTelephony, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = put(runtime, "sms.send", template="accepted", order_id=order.id)
    took_it_unheard(monkeypatch, dispatch.send_sms, message_id)
    real = SimulatedTelephony.find_message

    def told_meanwhile(self: SimulatedTelephony, **text: str) -> str | None:
        carrier_says(runtime, message_id, carrier.messages[0], "delivered")
        return real(self, **text)

    monkeypatch.setattr(SimulatedTelephony, "find_message", told_meanwhile)
    clock.forward(RETRY_AFTER[0])
    dispatch.send_sms(message_id)
    assert len(carrier.messages) == 1
    assert fate(runtime, message_id).state == "receipted"


def test_a_text_a_person_sends_again_is_not_taken_for_the_one_that_came_to_nothing(
    runtime: Runtime, order: WorkOrder, carrier: SimulatedTelephony, clock: Clock
) -> None:
    message_id = put(runtime, "sms.send", template="accepted", order_id=order.id)
    dispatch.send_sms(message_id)
    carrier_says(runtime, message_id, carrier.messages[0], "undelivered")
    with session_scope(runtime.sessions) as session:
        service.send_again(session, outbox_id=message_id, user_id=None, now=clock())
    carrier.go_silent()
    dispatch.send_sms(message_id)
    carrier.faults.clear()
    clock.forward(RETRY_AFTER[0])
    dispatch.send_sms(message_id)
    assert len(carrier.messages) == 2
    again = fate(runtime, message_id)
    assert (again.state, again.receipt) == ("sent", carrier.messages[1].provider_id)


def test_a_late_word_on_the_text_that_came_to_nothing_does_not_keep_back_the_one_a_person_sends_again(
    runtime: Runtime, order: WorkOrder, carrier: SimulatedTelephony, clock: Clock
) -> None:
    message_id = put(runtime, "sms.send", template="accepted", order_id=order.id)
    dispatch.send_sms(message_id)
    lost = carrier.messages[0]
    carrier_says(runtime, message_id, lost, "undelivered")
    with session_scope(runtime.sessions) as session:
        service.send_again(session, outbox_id=message_id, user_id=None, now=clock())
    carrier_says(runtime, message_id, lost, "failed")
    dispatch.send_sms(message_id)
    assert len(carrier.messages) == 2
    assert fate(runtime, message_id).state == "sent"


def test_the_carriers_word_on_a_text_moves_forward_only(
    runtime: Runtime, order: WorkOrder, carrier: SimulatedTelephony, clock: Clock
) -> None:
    message_id = put(runtime, "sms.send", template="accepted", order_id=order.id)
    dispatch.send_sms(message_id)
    text = carrier.messages[0]
    token = row(runtime, message_id).token
    assert text.status_url == f"http://127.0.0.1:9/ivr/status?message={token}"
    with session_scope(runtime.sessions) as session:
        told = [
            service.carrier_says(session, token=token, receipt=text.provider_id, status=word, now=clock())
            for word in ("queued", "delivered", "delivered", "failed")
        ]
    assert told == [False, True, False, False]
    assert fate(runtime, message_id).state == "receipted"


def test_a_receipt_that_is_quicker_than_the_carriers_own_answer_is_kept(
    runtime: Runtime, order: WorkOrder, carrier: SimulatedTelephony, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = put(runtime, "sms.send", template="accepted", order_id=order.id)
    real = SimulatedTelephony.send_message

    def told_at_once(self: SimulatedTelephony, **text: str) -> str:
        provider_id = real(self, **text)
        token = text["status_url"].partition("message=")[2]
        with session_scope(runtime.sessions) as session:
            service.carrier_says(session, token=token, receipt=provider_id, status="delivered", now=clock())
        return provider_id

    monkeypatch.setattr(SimulatedTelephony, "send_message", told_at_once)
    dispatch.send_sms(message_id)
    assert fate(runtime, message_id).state == "receipted"
    assert fate(runtime, message_id).receipt == carrier.messages[0].provider_id
    assert row(runtime, message_id).settled_at is not None


def test_an_error_of_the_program_is_told_without_its_words_and_tried_again(
    runtime: Runtime, order: WorkOrder, clock: Clock
) -> None:
    message_id = put(runtime, "sms.send", template="no such template", order_id=order.id)
    dispatch.send_sms(message_id)
    wrong = row(runtime, message_id)
    assert (wrong.error, wrong.failed) == ("程序错误：KeyError", False)
    assert wrong.next_try_at == clock() + RETRY_AFTER[0]


def test_a_job_that_dies_every_time_is_taken_out_of_circulation(
    runtime: Runtime, order: WorkOrder, carrier: SimulatedTelephony, clock: Clock
) -> None:
    message_id = put(runtime, "sms.send", template="accepted", order_id=order.id)
    for _ in range(MOST_TRIES):
        with session_scope(runtime.sessions) as session:
            assert outbox.claim_one(session, message_id, now=clock())
        clock.forward(outbox.HOLD)
    dispatch.send_sms(message_id)
    assert row(runtime, message_id).failed
    assert carrier.messages == []


def test_reasons_show_no_telephone_number() -> None:
    assert handling.words(ValueError(f"cannot reach {PHONE} now\nsecond line")) == "cannot reach 199****1234 now"


def test_a_job_that_cannot_reach_the_database_leaves_the_row_for_later(
    runtime: Runtime, order: WorkOrder, carrier: SimulatedTelephony, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = put(runtime, "sms.send", template="accepted", order_id=order.id)
    away = make_sessions(make_engine("postgresql+psycopg://nobody@127.0.0.1:9/nothing"))
    with monkeypatch.context() as outage:
        outage.setattr(runtime, "sessions", away)
        dispatch.send_sms(message_id)
    assert row(runtime, message_id).tries == 0
    dispatch.send_sms(message_id)
    assert len(carrier.messages) == 1


def test_a_text_the_carrier_could_not_deliver_lets_the_units_next_way_take_over_once(
    runtime: Runtime, place: City, order: WorkOrder, carrier: SimulatedTelephony
) -> None:
    by_sms(runtime, place.county)
    with session_scope(runtime.sessions) as session:
        session.get_one(Unit, place.county.id).fallbacks = ["portal"]
    first = push(runtime, order, place.county)
    dispatch.push_order(first)
    token, now = row(runtime, first).token, runtime.now()
    with session_scope(runtime.sessions) as session:
        for _ in range(2):
            service.carrier_says(session, token=token, receipt="SM1", status="undelivered", now=now)
        (told,) = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "order.pass_on")).all()
    dispatch.pass_on(told.id)
    dispatch.pass_on(told.id)
    with session_scope(runtime.sessions) as session:
        (second,) = session.scalars(
            select(OutboxMessage).where(OutboxMessage.topic == "order.push", OutboxMessage.id > first)
        ).all()
    assert (second.payload["channel"], second.payload["unit_id"]) == ("portal", place.county.id)
    assert fate(runtime, first).state == "failed"  # and stays on the page of what was not delivered
