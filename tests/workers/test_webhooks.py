"""Orders reach units by their own systems: by plan, once, with the next channel taking over in the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from hotline import outbox
from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.delivery import service
from hotline.delivery.models import Delivery
from hotline.outbox import MOST_TRIES, RETRY_AFTER, OutboxMessage
from hotline.telephony.simulated import SimulatedTelephony
from hotline.units.models import Unit
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.factories.orders import PHONE, order_at
from tests.factories.units import City
from tests.receivers import HangsUp, Heard, Receiver, receiver, well
from tests.workers.conftest import Clock
from workers import dispatch


@pytest.fixture
def unit() -> Iterator[Receiver]:
    with receiver() as here:
        yield here


@pytest.fixture
def order(runtime: Runtime, place: City, unit: Receiver) -> WorkOrder:
    """An order whose county has a system of its own; what was said of it on the way is settled."""
    runtime.settings = replace(runtime.settings, webhook_allow=("127.0.0.0/8",))
    with session_scope(runtime.sessions) as session:
        order = order_at(session, place, Status.TO_SIGN)
        county = session.get_one(Unit, place.county.id)
        county.channel, county.webhook_url, county.webhook_secret = "webhook", f"{unit.url}/in", "a secret"
    with session_scope(runtime.sessions) as session:
        for message_id in session.scalars(select(OutboxMessage.id)).all():
            outbox.settle(session, message_id, now=runtime.now())
    return order


def push(runtime: Runtime, order: WorkOrder, unit: Unit) -> int:
    with session_scope(runtime.sessions) as session:
        row = outbox.add(session, "order.push", now=runtime.now(), order_id=order.id, unit_id=unit.id, what="to_sign")
    return row.id


def fate(runtime: Runtime, message_id: int) -> Delivery:
    with session_scope(runtime.sessions) as session:
        return session.scalars(select(Delivery).where(Delivery.outbox_id == message_id)).one()


def row(runtime: Runtime, message_id: int) -> OutboxMessage:
    with session_scope(runtime.sessions) as session:
        return session.get_one(OutboxMessage, message_id)


def waiting(runtime: Runtime) -> list[OutboxMessage]:
    with session_scope(runtime.sessions) as session:
        return list(session.scalars(select(OutboxMessage).where(OutboxMessage.settled_at.is_(None))))


def refusing(_receiver: Receiver, _heard: Heard) -> Any:
    return 403, {}, b"no"


def test_a_push_names_the_order_and_no_citizen(runtime: Runtime, place: City, order: WorkOrder, unit: Receiver) -> None:
    message_id = push(runtime, order, place.county)
    dispatch.push_order(message_id)
    told = unit.heard[0].told
    site = runtime.settings.public_url
    assert told == {
        "id": row(runtime, message_id).token,
        "order_no": order.order_no,
        "unit": "JZ",
        "what": "to_sign",
        "urgency": "normal",
        "deadline": told["deadline"],
        "link": f"{site}/portal/orders/{order.order_no}",
        "api": f"{site}/api/unit/v1/orders/{order.order_no}",
    }
    assert told["deadline"]
    assert (fate(runtime, message_id).state, fate(runtime, message_id).receipt) == ("sent", "R-1")


def test_a_receiver_in_trouble_is_asked_by_plan_with_one_key_and_takes_one_order(
    runtime: Runtime, place: City, order: WorkOrder, unit: Receiver, clock: Clock
) -> None:
    moods = iter([(500, {}, b""), (503, {}, b""), None])

    def recovering(here: Receiver, heard: Heard) -> Any:
        return next(moods) or well(here, heard)

    unit.mood = recovering
    message_id = push(runtime, order, place.county)
    for wait in RETRY_AFTER[:2]:
        dispatch.push_order(message_id)
        assert fate(runtime, message_id).error.startswith("对方暂时不可用：HTTP 50")
        assert row(runtime, message_id).next_try_at == clock() + wait
        clock.forward(wait)
    dispatch.push_order(message_id)
    assert (fate(runtime, message_id).state, fate(runtime, message_id).error) == ("sent", "")
    assert len({heard.headers["idempotency-key"] for heard in unit.heard}) == 1
    assert len({heard.headers["x-hotline-signature"] for heard in unit.heard}) == 3
    assert len(unit.taken) == 1


@pytest.mark.parametrize(
    ("asked", "waited"),
    [("10", RETRY_AFTER[0]), ("600", timedelta(minutes=10)), ("999999", RETRY_AFTER[-1])],
)
def test_a_receiver_that_asks_for_time_gets_it_within_the_plan(
    runtime: Runtime, place: City, order: WorkOrder, unit: Receiver, clock: Clock, asked: str, waited: timedelta
) -> None:
    unit.mood = lambda _here, _heard: (429, {"Retry-After": asked}, b"")
    message_id = push(runtime, order, place.county)
    dispatch.push_order(message_id)
    assert row(runtime, message_id).next_try_at == clock() + waited


def test_an_answer_lost_on_the_way_makes_no_second_order(
    runtime: Runtime, place: City, order: WorkOrder, unit: Receiver, clock: Clock
) -> None:
    def takes_it_and_hangs_up(here: Receiver, heard: Heard) -> Any:
        well(here, heard)
        here.mood = well
        raise HangsUp

    unit.mood = takes_it_and_hangs_up
    message_id = push(runtime, order, place.county)
    dispatch.push_order(message_id)
    clock.forward(RETRY_AFTER[0])
    dispatch.push_order(message_id)
    assert (len(unit.heard), len(unit.taken)) == (2, 1)
    assert fate(runtime, message_id).receipt == "R-1"


def test_a_success_without_receipt_is_taken_and_told_so(
    runtime: Runtime, place: City, order: WorkOrder, unit: Receiver
) -> None:
    unit.mood = lambda _here, _heard: (200, {}, b"<html>rubbish</html>")
    message_id = push(runtime, order, place.county)
    dispatch.push_order(message_id)
    assert (fate(runtime, message_id).state, fate(runtime, message_id).unreceipted) == ("sent", True)


def test_where_the_system_refuses_the_next_channel_takes_over_once(
    runtime: Runtime, place: City, order: WorkOrder, unit: Receiver, carrier: SimulatedTelephony, clock: Clock
) -> None:
    unit.mood = refusing
    with session_scope(runtime.sessions) as session:
        county = session.get_one(Unit, place.county.id)
        county.fallbacks, county.duty_phone = ["sms"], PHONE
    message_id = push(runtime, order, place.county)
    dispatch.push_order(message_id)
    assert (row(runtime, message_id).failed, fate(runtime, message_id).error) == (True, "对方拒收：HTTP 403")
    (passed_on,) = waiting(runtime)
    dispatch.push_order(passed_on.id)
    assert (fate(runtime, passed_on.id).channel, fate(runtime, passed_on.id).state) == ("sms", "sent")
    assert len(carrier.messages) == 1
    # a person tries again before the cause is mended: nobody is told twice
    with session_scope(runtime.sessions) as session:
        service.send_again(session, outbox_id=message_id, user_id=None, now=clock())
    dispatch.push_order(message_id)
    assert row(runtime, message_id).failed
    assert waiting(runtime) == []


def test_in_the_end_the_portal_has_it(
    runtime: Runtime, place: City, order: WorkOrder, unit: Receiver, clock: Clock
) -> None:
    unit.mood = lambda _here, _heard: (500, {}, b"")
    message_id = push(runtime, order, place.county)
    for wait in (*RETRY_AFTER, timedelta()):
        dispatch.push_order(message_id)
        clock.forward(wait)
    assert (row(runtime, message_id).failed, row(runtime, message_id).tries) == (True, MOST_TRIES)
    (passed_on,) = waiting(runtime)
    dispatch.push_order(passed_on.id)
    assert (fate(runtime, passed_on.id).channel, fate(runtime, passed_on.id).state) == ("portal", "sent")
    assert waiting(runtime) == []


def test_a_unit_without_a_secret_is_told_by_the_portal_and_a_person_what_is_missing(
    runtime: Runtime, place: City, order: WorkOrder, unit: Receiver
) -> None:
    with session_scope(runtime.sessions) as session:
        session.get_one(Unit, place.county.id).webhook_secret = None
    message_id = push(runtime, order, place.county)
    dispatch.push_order(message_id)
    assert "密钥" in fate(runtime, message_id).error
    assert len(waiting(runtime)) == 1
    assert unit.heard == []
