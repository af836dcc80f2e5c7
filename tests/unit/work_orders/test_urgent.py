"""Danger does not wait for a review: the desk itself sends what is urgent."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.outbox import OutboxMessage
from hotline.work_orders import journal, service
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status, SubState
from hotline.work_orders.story import story
from tests.conftest import NOON
from tests.factories.orders import DRAFT, WHEN, draft
from tests.factories.units import City, city

LATER = NOON + timedelta(minutes=2)


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def send(session: Session, here: City, order: WorkOrder) -> None:
    service.dispatch(session, order=order, actor=here.operator, now=LATER, lead_unit_id=here.county.id, **WHEN)


def test_one_step_from_the_draft_to_the_unit(session: Session, here: City):
    order = draft(session, here, urgency="critical", title="")
    send(session, here, order)
    assert (order.status, order.submitted_at, order.clock_started_at) == (Status.TO_SIGN, LATER, LATER)
    assert order.deadline_at is not None
    assert order.title == DRAFT["content"]
    assert [sub.state for sub in order.sub_orders] == [SubState.TO_SIGN]
    assert order.step_due_at == LATER + timedelta(minutes=15)
    sent = [(row.topic, row.payload) for row in session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))]
    assert ("sms.send", {"template": "accepted", "order_id": order.id}) in sent
    assert ("alarm.ring", {"order_id": order.id, "unit_id": here.county.id}) in sent
    assert order.events[-1].data["category_code"] == order.category_code
    assert order.events[-1].private["content"] == DRAFT["content"]
    assert journal.verify(session) == []
    assert DRAFT["content"] not in str(story(session, order, here.county_clerk)[-1].notes)


def test_what_is_not_urgent_goes_through_the_review(session: Session, here: City):
    order = draft(session, here)
    with pytest.raises(NotAllowedNow, match="先提交"):
        send(session, here, order)


def test_what_is_confidential_is_released_first(session: Session, here: City):
    order = draft(session, here, urgency="urgent", confidential=True)
    with pytest.raises(NotAllowedNow, match="脱敏放行"):
        send(session, here, order)


def test_what_is_incomplete_does_not_leave_the_desk(session: Session, here: City):
    order = draft(session, here, urgency="urgent", category_code="")
    with pytest.raises(Invalid) as caught:
        send(session, here, order)
    assert set(caught.value.details) == {"category_code"}
    assert (order.status, order.clock_started_at, order.sub_orders) == (Status.DRAFT, None, [])


def test_only_the_desk_sends_a_draft(session: Session, here: City):
    order = draft(session, here, urgency="urgent")
    with pytest.raises(NotPermitted):
        service.dispatch(session, order=order, actor=here.reviewer, now=LATER, lead_unit_id=here.county.id, **WHEN)
