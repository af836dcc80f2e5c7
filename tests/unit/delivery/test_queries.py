"""Who looks at deliveries sees what became of each, and what is stuck and why."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from hotline import outbox
from hotline.audit import AccessLog
from hotline.delivery import queries, service
from hotline.errors import NotAllowedNow, NotFound
from hotline.work_orders.states import Status
from tests.factories.orders import order_at
from tests.factories.units import city


def test_a_unit_sees_the_deliveries_to_its_own_subtree_only(session: Session, now: datetime) -> None:
    place = city(session)
    order = order_at(session, place, Status.TO_SIGN)
    for unit in (place.county, place.township, place.power):
        message = outbox.add(session, "order.push", now=now, order_id=order.id, unit_id=unit.id, what="to_sign")
        service.begin(session, message=message, channel="portal", order_id=order.id, unit_id=unit.id)
    mine = queries.of_order(session, order.id, unit_ids=[place.county.id, place.township.id])
    assert [delivery.unit_id for delivery in mine] == [place.county.id, place.township.id]
    assert len(queries.of_order(session, order.id)) == 3


def test_what_nobody_worked_on_for_two_minutes_is_stuck_and_says_so(session: Session, now: datetime) -> None:
    message = outbox.add(session, "order.push", now=now, order_id=7, unit_id=1, what="to_sign")
    assert queries.stuck(session, now=now + timedelta(seconds=119)) == []
    (stuck,) = queries.stuck(session, now=now + timedelta(seconds=120))
    assert (stuck.outbox_id, stuck.order_id, stuck.tries) == (message.id, 7, 0)
    assert "工作进程" in stuck.reason


def test_what_waits_for_its_next_try_says_when_and_why(session: Session, now: datetime) -> None:
    message = outbox.add(session, "sms.send", now=now, template="accepted", order_id=7)
    outbox.claim_one(session, message.id, now=now)
    outbox.postpone(session, message.id, now=now, error="运营商无应答")
    (stuck,) = queries.stuck(session, now=now + timedelta(minutes=3))
    assert (stuck.reason, stuck.next_try_at) == ("运营商无应答", now + outbox.RETRY_AFTER[0])


def test_sending_again_is_for_what_failed_and_leaves_a_row_of_who(session: Session, now: datetime) -> None:
    message = outbox.add(session, "sms.send", now=now, template="accepted", order_id=7)
    with pytest.raises(NotAllowedNow):
        service.send_again(session, outbox_id=message.id, user_id=None, now=now)
    with pytest.raises(NotFound):
        service.send_again(session, outbox_id=999, user_id=None, now=now)
    outbox.fail(session, message.id, now=now, error="拒收")
    service.send_again(session, outbox_id=message.id, user_id=None, now=now)
    assert session.query(AccessLog).filter_by(act="send_again").count() == 1
    assert outbox.claim_one(session, message.id, now=now) is not None
