"""A chain that was touched says where; a chain whose words were erased is whole."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from hotline.work_orders import journal, service
from hotline.work_orders.models import OrderEvent, WorkOrder
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories.orders import WHEN, order_at
from tests.factories.units import City, city


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


@pytest.fixture
def order(session: Session, here: City) -> WorkOrder:
    return order_at(session, here, Status.TO_CHECK_HUB)


def touch(session: Session, order: WorkOrder, seq: int, **values: object) -> None:
    session.execute(update(OrderEvent).where(OrderEvent.order_id == order.id, OrderEvent.seq == seq).values(**values))


def test_untouched_chains_hold(session: Session, here: City, order: WorkOrder):
    order_at(session, here, Status.IN_HAND)
    assert journal.verify(session) == []


@pytest.mark.parametrize(
    "values",
    [
        {"data": {"unit": 99}},
        {"at": NOON - timedelta(days=1)},
        {"actor_role": "SUP"},
        {"actor_user_id": None},
        {"action": "approve"},
        {"to_status": "closed"},
        {"private": {"advice": "另一种说法"}},
        {"private_commitment": "0" * 64},
        {"prev_hash": "0" * 64},
        {"hash": "0" * 64},
    ],
)
def test_the_first_touched_event_is_named(session: Session, here: City, order: WorkOrder, values: dict):
    whole = order_at(session, here, Status.IN_HAND)
    touch(session, order, 3, **values)
    (fault,) = journal.verify(session)
    assert (fault.order_no, fault.seq) == (order.order_no, 3)
    assert order.order_no in str(fault)
    assert whole.order_no not in str(fault)


def test_a_rewritten_event_with_a_fitting_hash_is_found_by_the_next(session: Session, order: WorkOrder):
    event = order.events[3]
    event.data = {**event.data, "in_time": False}
    event.hash = journal.seal(event, order.order_no)
    session.flush()
    (fault,) = journal.verify(session)
    assert fault.seq == 5


def test_a_status_written_past_the_table_is_found(session: Session, order: WorkOrder):
    session.execute(update(WorkOrder).where(WorkOrder.id == order.id).values(status="closed"))
    (fault,) = journal.verify(session)
    assert fault.seq is None
    assert "to_check_hub" in fault.what


def test_a_missing_event_is_found_in_the_middle_and_at_the_end(session: Session, here: City, order: WorkOrder):
    other = order_at(session, here, Status.IN_HAND)
    session.execute(delete(OrderEvent).where(OrderEvent.order_id == order.id, OrderEvent.seq == 2))
    session.execute(delete(OrderEvent).where(OrderEvent.order_id == other.id, OrderEvent.seq == other.event_count))
    session.execute(update(WorkOrder).where(WorkOrder.id == other.id).values(status="to_sign"))
    assert [(fault.order_no, fault.seq) for fault in journal.verify(session)] == [
        (order.order_no, 2),
        (other.order_no, 4),
    ]


def test_a_chain_cannot_be_moved_to_another_order(session: Session, here: City, order: WorkOrder):
    other = order_at(session, here, Status.DRAFT)
    session.execute(update(WorkOrder).where(WorkOrder.id == order.id).values(order_no="2611-09999-0"))
    assert [fault.seq for fault in journal.verify(session)] == [1]
    assert other.order_no not in str(journal.verify(session))


def test_a_step_the_table_does_not_know_is_found_even_when_well_sealed(session: Session, here: City):
    order = order_at(session, here, Status.DRAFT)
    event = OrderEvent(
        order=order,
        seq=2,
        action="close",
        from_status="draft",
        to_status="closed",
        at=NOON,
        actor_role="SYS",
        data={},
        private_commitment="",
        prev_hash=order.head_hash,
    )
    event.hash = journal.seal(event, order.order_no)
    session.add(event)
    order.status, order.event_count, order.head_hash = "closed", 2, event.hash
    session.flush()
    (fault,) = journal.verify(session)
    assert (fault.seq, "没有从 draft" in fault.what) == (2, True)


def test_erasing_personal_words_and_their_salts_leaves_the_chain_verifiable(session: Session, order: WorkOrder):
    assert any("五洲国际" in str(event.private) for event in order.events)
    session.execute(update(OrderEvent).where(OrderEvent.order_id == order.id).values(private=None, private_salt=None))
    assert order.caller is not None
    order.caller.phone = order.caller.name = order.caller.salt = None
    session.flush()
    assert journal.verify(session) == []
    session.expire_all()
    assert {event.private for event in order.events} == {None}


def test_no_personal_words_stand_outside_the_encrypted_column(session: Session, here: City):
    order = order_at(session, here, Status.TO_CALL_BACK)
    service.supplement(session, order=order, actor=here.operator, now=NOON, text="王小明的电话是19900001234", **WHEN)
    for event in order.events:
        assert "王小明" not in str(event.data)
        assert "五洲国际" not in str(event.data)
        assert "闸阀" not in str(event.data)
