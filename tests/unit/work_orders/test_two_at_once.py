"""Two people act on one order at the same time: the second is told, and nothing is half done."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select

from hotline.db import SessionFactory, session_scope
from hotline.errors import NotAllowedNow
from hotline.follow_ups import service as follow_ups
from hotline.follow_ups.models import Callback
from hotline.outbox import OutboxMessage
from hotline.work_orders import journal, service
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories.orders import TZ, WHEN, order_at
from tests.factories.units import City, city

LATER = NOON + timedelta(hours=1)


def prepared(sessions: SessionFactory, status: Status, **more: object) -> tuple[City, int]:
    with session_scope(sessions) as session:
        here = city(session)
        return here, order_at(session, here, status, **more).id  # type: ignore[arg-type]


def test_the_second_dispatcher_is_told_and_sends_nothing(either_sessions: SessionFactory):
    here, order_id = prepared(either_sessions, Status.TO_REVIEW)
    with either_sessions() as slow:
        seen_by_slow = slow.get_one(WorkOrder, order_id)  # the page is open
        assert [event.seq for event in seen_by_slow.events] == [1, 2]
        slow.commit()
        with session_scope(either_sessions) as quick:
            order = quick.get_one(WorkOrder, order_id)
            service.dispatch(quick, order=order, actor=here.reviewer, now=LATER, lead_unit_id=here.county.id, **WHEN)
        with pytest.raises(NotAllowedNow, match="刚刚有人处理过"):
            service.dispatch(
                slow, order=seen_by_slow, actor=here.reviewer, now=LATER, lead_unit_id=here.power.id, **WHEN
            )
        slow.rollback()
    with either_sessions() as session:
        order = session.get_one(WorkOrder, order_id)
        assert [sub.unit_id for sub in order.sub_orders] == [here.county.id]
        pushes = select(func.count()).select_from(OutboxMessage).where(OutboxMessage.topic == "order.push")
        assert session.scalar(pushes) == 1
        assert journal.verify(session) == []


def test_notes_of_two_assisting_hands_never_fork_the_chain(either_sessions: SessionFactory):
    here, order_id = prepared(either_sessions, Status.IN_HAND)
    with either_sessions() as slow:
        stale = slow.get_one(WorkOrder, order_id)
        assert stale.events
        slow.commit()
        with session_scope(either_sessions) as quick:
            service.urge(quick, order=quick.get_one(WorkOrder, order_id), actor=here.operator, now=LATER)
        with pytest.raises(NotAllowedNow, match="刚刚有人处理过"):
            service.urge(slow, order=stale, actor=here.operator, now=LATER)
        slow.rollback()
        service.urge(slow, order=slow.get_one(WorkOrder, order_id), actor=here.operator, now=LATER)
        slow.commit()
        assert journal.verify(slow) == []


def test_two_officers_take_one_callback(either_sessions: SessionFactory):
    here, order_id = prepared(either_sessions, Status.TO_CALL_BACK)
    with session_scope(either_sessions) as session:
        order = session.get_one(WorkOrder, order_id)
        callback_id = follow_ups.open_callback(session, order=order, now=LATER, **WHEN).id
    with either_sessions() as slow:
        stale = slow.get_one(Callback, callback_id)
        slow.commit()
        with session_scope(either_sessions) as quick:
            callback = quick.get_one(Callback, callback_id)
            follow_ups.take(quick, callback=callback, actor=here.callback_officer, now=LATER)
        with pytest.raises(NotAllowedNow, match="刚刚有人处理过"):
            follow_ups.take(slow, callback=stale, actor=here.supervisor, now=LATER)


def test_orders_begun_at_once_have_numbers_of_their_own(either_sessions: SessionFactory):
    with session_scope(either_sessions) as session:
        here = city(session)
    together = Barrier(6)

    def begin(_: int) -> str:
        together.wait(timeout=10)
        with session_scope(either_sessions) as session:
            order = service.start_draft(session, call=None, caller=None, actor=here.operator, now=NOON, tz=TZ)
            return order.order_no

    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(begin, range(6)))
    assert sorted(number[5:10] for number in numbers) == [f"{running:05}" for running in range(1, 7)]


def test_of_many_who_sign_at_once_one_does(either_sessions: SessionFactory):
    here, order_id = prepared(either_sessions, Status.TO_SIGN)
    together = Barrier(4)

    def sign(_: int) -> bool:
        together.wait(timeout=10)
        try:
            with session_scope(either_sessions) as session:
                order = session.get_one(WorkOrder, order_id)
                service.sign(session, order=order, actor=here.county_clerk, now=LATER)
        except NotAllowedNow:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(sign, range(4))) == [False, False, False, True]
    with either_sessions() as session:
        assert journal.verify(session) == []
        signed = [event for event in session.get_one(WorkOrder, order_id).events if event.action == "sign"]
        assert len(signed) == 1
