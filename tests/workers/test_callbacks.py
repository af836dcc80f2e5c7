"""From the check to the citizen's word and back to the order, job by job."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from hotline import outbox
from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.follow_ups import service
from hotline.follow_ups.models import Attempt, Callback
from hotline.outbox import OutboxMessage
from hotline.telephony.simulated import SimulatedTelephony
from hotline.work_orders import merging
from hotline.work_orders import service as orders
from hotline.work_orders.models import OrderEvent, WorkOrder
from hotline.work_orders.states import Status
from hotline.work_orders.steps import FOLLOW
from tests.factories.orders import PHONE, WHEN, caller, order_at
from tests.factories.units import City
from tests.workers.conftest import Clock
from workers import callbacks, upkeep


def waiting(runtime: Runtime, topic: str) -> int:
    """Return the id of the one message of this topic that nobody has seen to."""
    with session_scope(runtime.sessions) as session:
        return session.scalars(
            select(OutboxMessage.id).where(OutboxMessage.topic == topic, OutboxMessage.settled_at.is_(None))
        ).one()


def row(runtime: Runtime, message_id: int) -> OutboxMessage:
    with session_scope(runtime.sessions) as session:
        return session.get_one(OutboxMessage, message_id)


def status(runtime: Runtime, order: WorkOrder) -> str:
    with session_scope(runtime.sessions) as session:
        return session.get_one(WorkOrder, order.id).status


@pytest.fixture
def checked(runtime: Runtime, place: City, clock: Clock) -> WorkOrder:
    """An order the hub has checked: the citizen is to be asked."""
    with session_scope(runtime.sessions) as session:
        order = order_at(session, place, Status.TO_CALL_BACK)
    clock.forward(timedelta(hours=2))
    return order


def callback(runtime: Runtime) -> Callback:
    with session_scope(runtime.sessions) as session:
        return session.scalars(select(Callback)).one()


def test_the_callback_is_opened_once_however_often_the_job_runs(runtime: Runtime, checked: WorkOrder) -> None:
    message_id = waiting(runtime, "callback.open")
    callbacks.open_callback(message_id)
    with session_scope(runtime.sessions) as session:
        session.get_one(OutboxMessage, message_id).settled_at = None  # as if the settling had been lost
    with session_scope(runtime.sessions) as session:
        session.get_one(OutboxMessage, message_id).held_until = None
    callbacks.open_callback(message_id)
    assert callback(runtime).state == "waiting"
    assert row(runtime, message_id).settled_at is not None


def test_a_citizen_who_cannot_be_asked_closes_the_order_unrated(runtime: Runtime, place: City, clock: Clock) -> None:
    with session_scope(runtime.sessions) as session:
        order = order_at(session, place, Status.TO_CALL_BACK, who=caller(session, phone=None))
    clock.forward(timedelta(hours=2))
    callbacks.open_callback(waiting(runtime, "callback.open"))
    assert status(runtime, order) == Status.CLOSED
    with session_scope(runtime.sessions) as session:
        assert session.get_one(WorkOrder, order.id).final_satisfaction == "none"


def test_a_keypad_call_rings_the_citizen_once_and_shows_the_hotlines_number(
    runtime: Runtime, place: City, checked: WorkOrder, carrier: SimulatedTelephony, clock: Clock
) -> None:
    callbacks.open_callback(waiting(runtime, "callback.open"))
    with session_scope(runtime.sessions) as session:
        attempt = service.plan_attempt(
            session,
            callback=session.scalars(select(Callback)).one(),
            way="keypad",
            actor=place.callback_officer,
            now=clock(),
        )
    message_id = waiting(runtime, "callback.dial")
    callbacks.dial(message_id)
    callbacks.dial(message_id)
    (line,) = carrier.lines.values()
    assert (line.to, line.caller_id) == (PHONE, "12345")
    assert line.url == f"http://127.0.0.1:9/ivr/callback/keypad?attempt={attempt.id}"
    with session_scope(runtime.sessions) as session:
        assert session.get_one(Attempt, attempt.id).citizen_provider_id == line.provider_id


def test_what_the_citizen_said_closes_the_order_once(
    runtime: Runtime, place: City, checked: WorkOrder, clock: Clock
) -> None:
    callbacks.open_callback(waiting(runtime, "callback.open"))
    with session_scope(runtime.sessions) as session:
        asked = session.scalars(select(Callback)).one()
        service.take(session, callback=asked, actor=place.callback_officer, now=clock())
        service.evaluate(
            session,
            callback=asked,
            satisfaction="satisfied",
            solved="yes",
            contacted=True,
            way="person",
            actor=place.callback_officer,
            now=clock(),
        )
    message_id = waiting(runtime, "order.evaluated")
    callbacks.apply_evaluation(message_id)
    callbacks.apply_evaluation(message_id)
    assert status(runtime, checked) == Status.CLOSED
    with session_scope(runtime.sessions) as session:
        closed = select(func.count()).where(OrderEvent.order_id == checked.id, OrderEvent.action == "close")
        assert session.scalar(closed) == 1
        texts = select(func.count()).where(
            OutboxMessage.topic == "sms.send", OutboxMessage.payload["template"].as_string() == "closed"
        )
        assert session.scalar(texts) == 1


def test_the_callback_of_a_demand_taken_back_is_withdrawn_and_nobody_is_rung(
    runtime: Runtime, place: City, checked: WorkOrder, carrier: SimulatedTelephony, clock: Clock
) -> None:
    callbacks.open_callback(waiting(runtime, "callback.open"))
    with session_scope(runtime.sessions) as session:
        asked = session.scalars(select(Callback)).one()
        service.plan_attempt(session, callback=asked, way="keypad", actor=place.callback_officer, now=clock())
        order = session.get_one(WorkOrder, checked.id)
        orders.withdraw(
            session, order=order, actor=place.operator, now=clock(), reason="邻居已经修好", read_back_ok=True
        )
    callbacks.dial(waiting(runtime, "callback.dial"))  # was on its way before
    message_id = waiting(runtime, "callback.withdraw")
    callbacks.withdraw_callback(message_id)
    callbacks.withdraw_callback(message_id)
    assert carrier.lines == {}
    assert (callback(runtime).state, row(runtime, message_id).failed) == ("withdrawn", False)


def test_an_order_somebody_changed_at_the_same_moment_is_looked_at_again(
    runtime: Runtime, checked: WorkOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = waiting(runtime, "callback.open")
    real = service.open_callback

    def meanwhile(session, *, order, **rest):  # type: ignore[no-untyped-def]
        session.connection().exec_driver_sql("UPDATE work_orders SET version = version + 1")
        order.caller_kind = "企业"
        return real(session, order=order, **rest)

    monkeypatch.setattr(service, "open_callback", meanwhile)
    callbacks.open_callback(message_id)
    postponed = row(runtime, message_id)
    assert (postponed.settled_at, postponed.failed) == (None, False)
    assert postponed.next_try_at == runtime.now() + outbox.RETRY_AFTER[0]


def test_a_closed_order_is_archived_after_a_quiet_month(runtime: Runtime, place: City, clock: Clock) -> None:
    with session_scope(runtime.sessions) as session:
        order = order_at(session, place, Status.TO_CALL_BACK, who=caller(session, phone=None))
    clock.forward(timedelta(hours=2))
    callbacks.open_callback(waiting(runtime, "callback.open"))
    clock.forward(timedelta(days=29))
    upkeep.archive_orders()
    assert status(runtime, order) == Status.CLOSED
    clock.forward(timedelta(days=2))
    upkeep.archive_orders()
    upkeep.archive_orders()
    assert status(runtime, order) == Status.ARCHIVED


def test_those_who_told_of_one_matter_are_called_back_slice_by_slice(
    runtime: Runtime, place: City, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(merging.follow.__kwdefaults__, "at_most", 2)  # as if the crowd were larger
    with session_scope(runtime.sessions) as session:
        main = order_at(session, place, Status.TO_CHECK_HUB)
        crowd = [
            order_at(session, place, Status.TO_REVIEW, who=caller(session, phone=f"+861990000{n:04}")) for n in range(5)
        ]
        for order in crowd:
            orders.merge(session, order=order, into=main, actor=place.reviewer, now=clock())
        orders.approve(session, order=main, actor=place.reviewer, now=clock(), **WHEN)
    rounds = 0
    while True:
        with session_scope(runtime.sessions) as session:
            due = session.scalars(
                select(OutboxMessage.id).where(OutboxMessage.topic == FOLLOW, OutboxMessage.settled_at.is_(None))
            ).all()
        if not due:
            break
        rounds += 1
        callbacks.follow_main(due[0])
        callbacks.follow_main(due[0])  # delivered twice, done once
    assert rounds == 3
    assert {status(runtime, order) for order in crowd} == {Status.TO_CALL_BACK}
