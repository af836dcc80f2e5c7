"""What was sent to the wrong place comes back before anybody there has to object."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.db import SessionFactory, session_scope
from hotline.errors import Invalid, NotAllowedNow, NotFound, NotPermitted
from hotline.outbox import OutboxMessage
from hotline.units.service import add_line
from hotline.work_orders import journal, queries, service
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Action, RequestState, Status, SubState
from tests.conftest import NOON
from tests.factories.orders import WHEN, order_at, report_fields
from tests.factories.units import WATER, City, city

SOON = NOON + timedelta(hours=1)


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def recall(session: Session, order: WorkOrder, actor: Actor, now: datetime = SOON, reason: str = "派错了乡镇"):
    return service.recall(session, order=order, actor=actor, now=now, reason=reason, **WHEN)


def states(order: WorkOrder) -> list[tuple[int, str]]:
    return [(sub.unit_id, sub.state) for sub in order.sub_orders]


@pytest.mark.parametrize("status", [Status.TO_SIGN_TIER3, Status.IN_HAND_TIER3])
def test_a_county_takes_back_what_it_handed_down_and_hands_it_down_again(session: Session, here: City, status: Status):
    order = order_at(session, here, status)
    for actor in (here.reviewer, here.township_clerk):
        with pytest.raises(NotPermitted):
            recall(session, order, actor)
    with pytest.raises(NotFound):
        recall(session, order, here.other_county_clerk)
    with pytest.raises(Invalid):
        recall(session, order, here.county_clerk, reason=" ")
    recall(session, order, here.county_clerk)
    assert order.status == Status.IN_HAND
    assert states(order) == [(here.county.id, SubState.IN_HAND), (here.township.id, SubState.LEFT)]
    assert queries.story(session, order, here.township_clerk)[-1].notes == [("原因", "派错了乡镇")]
    with pytest.raises(NotFound):
        service.sign(session, order=order, actor=here.township_clerk, now=SOON)
    service.hand_down(session, order=order, actor=here.county_clerk, now=SOON, unit_id=here.township.id, **WHEN)
    assert order.status == Status.TO_SIGN_TIER3
    # it was taken back, not returned: the township may still ask
    assert Action.RETURN in {action for action, _word in queries.allowed_actions(order, here.township_clerk)}
    assert journal.verify(session) == []


def test_the_hub_takes_back_what_nobody_signed_and_nothing_has_failed(session: Session, here: City):
    order = order_at(session, here, Status.TO_SIGN, assisting=True)
    service.sign(session, order=order, actor=here.power_clerk, now=SOON)
    recall(session, order, here.reviewer, reason="应派桃城区")
    assert order.status == Status.TO_REVIEW
    assert states(order) == [(here.county.id, SubState.LEFT), (here.power.id, SubState.LEFT)]
    assert (order.return_count, order.first_unit_id, order.lead_unit) == (0, None, None)
    assert order.step_due_at is not None and order.step_due_at > SOON
    told = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "order.push")).all()
    recalled = {row.payload["unit_id"] for row in told if row.payload["what"] == "recalled"}
    assert recalled == {here.county.id, here.power.id}
    later = SOON + timedelta(minutes=30)
    service.dispatch(session, order=order, actor=here.reviewer, now=later, lead_unit_id=here.other_county.id, **WHEN)
    assert (order.status, order.first_unit_id) == (Status.TO_SIGN, here.other_county.id)
    held = queries.held_minutes(order, later)
    assert sum(one.minutes for one in held) == 90
    assert {one.unit_name or one.holder: one.minutes for one in held}["冀州区政府"] == 50
    assert journal.verify(session) == []


def test_of_a_recall_and_a_signature_at_once_the_second_is_told(either_sessions: SessionFactory):
    with session_scope(either_sessions) as session:
        here = city(session)
        order_id = order_at(session, here, Status.TO_SIGN).id
    with either_sessions() as slow:
        stale = slow.get_one(WorkOrder, order_id)
        assert stale.sub_orders and stale.events and stale.requests == []
        slow.commit()
        with session_scope(either_sessions) as quick:
            service.sign(quick, order=quick.get_one(WorkOrder, order_id), actor=here.county_clerk, now=SOON)
        with pytest.raises(NotAllowedNow, match="刚刚有人处理过"):
            recall(slow, stale, here.reviewer)
        slow.rollback()
    with either_sessions() as session:
        order = session.get_one(WorkOrder, order_id)
        assert (order.status, states(order)) == (Status.IN_HAND, [(here.county.id, SubState.SIGNED)])
        assert journal.verify(session) == []


def test_what_an_assisting_unit_has_reported_is_kept(session: Session, here: City):
    order = order_at(session, here, Status.TO_SIGN, assisting=True)
    service.sign(session, order=order, actor=here.power_clerk, now=SOON)
    service.report(session, order=order, actor=here.power_clerk, now=SOON, **report_fields(), **WHEN)
    recall(session, order, here.reviewer)
    service.dispatch(
        session,
        order=order,
        actor=here.reviewer,
        now=SOON,
        lead_unit_id=here.other_county.id,
        assisting_ids=[here.power.id],
        **WHEN,
    )
    assert [state for unit, state in states(order) if unit == here.power.id] == [SubState.REPORTED]


def test_what_is_signed_stays_where_it_is(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND)
    with pytest.raises(NotAllowedNow):
        recall(session, order, here.reviewer)
    with pytest.raises(NotAllowedNow):
        recall(session, order, here.county_clerk)  # it has handed nothing down


def test_an_assisting_county_takes_back_its_own_part_and_what_was_asked_of_it(session: Session, here: City):
    line = add_line(
        session,
        version="2026-01",
        code="GS-01",
        matter="居民小区停水",
        category_code=WATER,
        lead_unit=None,
        valid_from=date(2026, 1, 1),
        now=NOON,
    )
    order = order_at(session, here, Status.TO_REVIEW)
    service.dispatch(
        session,
        order=order,
        actor=here.reviewer,
        now=NOON,
        lead_unit_id=here.power.id,
        assisting_ids=[here.county.id],
        **WHEN,
    )
    service.sign(session, order=order, actor=here.county_clerk, now=SOON)
    with pytest.raises(NotAllowedNow, match="没有转派"):
        recall(session, order, here.county_clerk)
    service.hand_down(session, order=order, actor=here.county_clerk, now=SOON, unit_id=here.township.id, **WHEN)
    service.ask_return(
        session,
        order=order,
        actor=here.township_clerk,
        now=SOON,
        ground="incomplete",
        responsibility_line_id=line.id,
        reason="没有写明楼号",
        **WHEN,
    )
    recall(session, order, here.county_clerk)
    assert order.status == Status.TO_SIGN
    assert states(order)[1:] == [(here.county.id, SubState.IN_HAND), (here.township.id, SubState.LEFT)]
    assert [row.state for row in order.requests] == [RequestState.DROPPED]
    assert journal.verify(session) == []
