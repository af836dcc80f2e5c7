"""Who rewrites a whole chain is found by the day's anchor; who rewrites anchors too, by a digest kept elsewhere."""

from datetime import date, timedelta

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from hotline.work_orders import anchors, journal, service
from hotline.work_orders.anchors import Anchor, AnchorHead
from hotline.work_orders.models import OrderEvent, WorkOrder
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories.orders import order_at
from tests.factories.units import City, city

DAY = date(2026, 11, 21)
NEXT = DAY + timedelta(days=1)
MIDNIGHT = NOON + timedelta(hours=12)


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def forge(session: Session, order: WorkOrder, seq: int) -> None:
    """Rewrite an event and every hash after it, so that the chain itself holds again."""
    session.refresh(order)
    previous = order.events[seq - 2].hash if seq > 1 else journal.first_link(order.order_no)
    for event in order.events[seq - 1 :]:
        if event.seq == seq:
            event.actor_user_id = None
        event.prev_hash = previous
        event.hash = previous = journal.seal(event, order.order_no)
    order.head_hash = previous
    session.flush()


def do_away_with(session: Session, order_id: int, tables: list[str]) -> None:
    """Delete an order's rows from these tables, as whoever owns the database can: nothing that points at them minds."""
    session.flush()
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    session.execute(text("PRAGMA defer_foreign_keys=ON" if on_sqlite else "SET LOCAL session_replication_role=replica"))
    for table in tables:
        column = "id" if table == "work_orders" else "order_id"
        session.execute(text(f"DELETE FROM {table} WHERE {column} = :id"), {"id": order_id})


def test_a_day_has_one_anchor_of_every_chain(session: Session, here: City):
    orders = [order_at(session, here, Status.TO_SIGN), order_at(session, here, Status.IN_HAND)]
    anchor = anchors.take(session, day=DAY, now=MIDNIGHT)
    assert anchor.orders == 2
    assert anchors.take(session, day=DAY, now=MIDNIGHT).id == anchor.id
    heads = {row.order_id: (row.seq, row.hash) for row in session.query(AnchorHead)}
    assert heads == {order.id: (order.event_count, order.head_hash) for order in orders}


def test_the_next_day_lists_only_what_went_on(session: Session, here: City):
    quiet, busy = order_at(session, here, Status.TO_SIGN), order_at(session, here, Status.TO_SIGN)
    anchors.take(session, day=DAY, now=MIDNIGHT)
    service.sign(session, order=busy, actor=here.county_clerk, now=MIDNIGHT + timedelta(hours=9))
    anchor = anchors.take(session, day=NEXT, now=MIDNIGHT + timedelta(days=1))
    assert [row.order_id for row in session.query(AnchorHead).filter_by(anchor_id=anchor.id)] == [busy.id]
    assert quiet.event_count < busy.event_count
    assert list(anchors.verify(session)) == []


def test_an_order_committed_late_is_in_the_next_anchor(session: Session, here: City):
    """Its transaction began before the anchor was taken and ended after it."""
    order_at(session, here, Status.TO_SIGN)
    anchors.take(session, day=DAY, now=MIDNIGHT)
    late = order_at(session, here, Status.TO_SIGN, now=MIDNIGHT - timedelta(minutes=20))
    anchor = anchors.take(session, day=NEXT, now=MIDNIGHT + timedelta(days=1))
    assert [row.order_id for row in session.query(AnchorHead).filter_by(anchor_id=anchor.id)] == [late.id]


def test_a_chain_rewritten_to_its_end_is_found_by_its_anchor(session: Session, here: City):
    whole, forged = order_at(session, here, Status.IN_HAND), order_at(session, here, Status.TO_CHECK_HUB)
    anchors.take(session, day=DAY, now=MIDNIGHT)
    forge(session, forged, 3)
    assert journal.verify(session) == []  # the chain alone does not show it
    (fault,) = anchors.verify(session)
    assert fault.order_no == forged.order_no != whole.order_no
    assert fault.seq == 1


def test_what_was_anchored_before_the_forgery_still_holds(session: Session, here: City):
    order = order_at(session, here, Status.TO_SIGN)
    anchors.take(session, day=DAY, now=MIDNIGHT)
    anchored = order.event_count
    service.sign(session, order=order, actor=here.county_clerk, now=MIDNIGHT + timedelta(hours=9))
    anchors.take(session, day=NEXT, now=MIDNIGHT + timedelta(days=1))
    forge(session, order, anchored + 1)
    (fault,) = anchors.verify(session)
    assert (fault.order_no, fault.seq) == (order.order_no, anchored + 1)


def test_a_cut_chain_is_found(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND)
    anchors.take(session, day=DAY, now=MIDNIGHT)
    last = order.event_count
    session.execute(delete(OrderEvent).where(OrderEvent.order_id == order.id, OrderEvent.seq == last))
    (fault,) = anchors.verify(session)
    assert fault.order_no == order.order_no


@pytest.mark.parametrize("tables", [["work_orders", "order_events"], ["work_orders"]])
def test_an_order_done_away_with_is_missed(session: Session, here: City, tables: list[str]):
    """Chains are looked at order by order: without its row nothing but the anchor tells that there was one."""
    gone, kept = order_at(session, here, Status.TO_SIGN), order_at(session, here, Status.TO_SIGN)
    anchors.take(session, day=DAY, now=MIDNIGHT)
    for order in (gone, kept):
        service.sign(session, order=order, actor=here.county_clerk, now=MIDNIGHT + timedelta(hours=9))
    anchors.take(session, day=NEXT, now=MIDNIGHT + timedelta(days=1))
    outside = dict(anchors.digests(session))
    do_away_with(session, gone.id, tables)
    assert journal.verify(session) == []
    for against in (outside, None):
        assert [str(fault) for fault in anchors.verify(session, against)] == [f"编号 {gone.id} 工单：锚定过，现已不在"]


def test_a_touched_anchor_says_so(session: Session, here: City):
    order_at(session, here, Status.IN_HAND)
    anchors.take(session, day=DAY, now=MIDNIGHT)
    session.execute(update(AnchorHead).values(hash="0" * 64))
    found = [str(fault) for fault in anchors.verify(session)]
    assert any("锚点被改动" in words for words in found)


def test_anchors_rewritten_with_the_chain_are_found_by_a_digest_kept_elsewhere(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND)
    anchor = anchors.take(session, day=DAY, now=MIDNIGHT)
    kept = dict(anchors.digests(session))
    assert list(anchors.verify(session, kept)) == []
    forge(session, order, 2)
    session.execute(delete(AnchorHead))
    session.delete(anchor)
    session.flush()
    anchors.take(session, day=DAY, now=MIDNIGHT)
    assert list(anchors.verify(session)) == []
    (fault,) = anchors.verify(session, kept)
    assert "另存的摘要不符" in str(fault)
    session.execute(delete(AnchorHead))
    session.execute(delete(Anchor))
    (fault,) = anchors.verify(session, kept)
    assert "锚点不见了" in str(fault)
