"""A new fact opens a closed order again within thirty days, or leaves it as it was."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM
from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.follow_ups import service as follow_ups
from hotline.outbox import OutboxMessage
from hotline.work_orders import derivation, journal, service, story
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import CloseKind, Status, SubState
from tests.conftest import NOON
from tests.factories.orders import CALENDAR, TZ, WHEN, order_at, report_fields
from tests.factories.units import City, city

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CLOSED = NOON + 2 * HOUR
ASKED = datetime(2026, 12, 1, 10, 0, tzinfo=TZ)


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def closed(session: Session, here: City, *, via_township: bool = True) -> WorkOrder:
    order = order_at(session, here, Status.TO_CALL_BACK, via_township=via_township)
    said = {"round": 1, "satisfaction": "satisfied", "solved": "yes", "contacted": True}
    return service.record_evaluation(session, order=order, actor=here.callback_officer, now=CLOSED, **said, **WHEN)


def review(session: Session, order: WorkOrder, here: City, now: datetime = ASKED) -> WorkOrder:
    return service.review(session, order=order, actor=here.operator, now=now, fact="昨晚又停水了", **WHEN)


def texts(session: Session) -> list[str]:
    sent = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "sms.send").order_by(OutboxMessage.id))
    return [row.payload["template"] for row in sent]


def test_a_new_fact_brings_the_order_back_to_whoever_had_it(session: Session, here: City):
    order = closed(session, here)
    first = order.original_deadline_at
    review(session, order, here)
    assert (order.status, order.step_due_at) == (Status.REVIEW, datetime(2026, 12, 8, 10, 0, tzinfo=TZ))
    with pytest.raises(Invalid):
        service.reopen(session, order=order, actor=here.supervisor, now=ASKED + DAY, reason=" ", **WHEN)
    service.reopen(session, order=order, actor=here.supervisor, now=ASKED + DAY, reason="水压仍不足", **WHEN)
    assert (order.status, order.round, order.review_count) == (Status.IN_HAND_TIER3, 2, 1)
    assert order.deadline_at == datetime(2026, 12, 9, 10, 0, tzinfo=TZ)  # five working days
    assert order.original_deadline_at == first
    assert [(sub.state, sub.deadline_at) for sub in order.sub_orders] == [(SubState.IN_HAND, order.deadline_at)] * 2
    assert (order.closed_at, order.close_kind, order.final_satisfaction) == (None, "", "")
    assert texts(session)[-2:] == ["in_review", "reopened"]
    assert derivation.differs(order, CALENDAR, TZ) == ""
    assert journal.verify(session) == []


def test_a_reopened_order_is_reported_called_back_and_closed_once_more(session: Session, here: City):
    order = closed(session, here, via_township=False)
    review(session, order, here)
    service.reopen(session, order=order, actor=here.supervisor, now=ASKED, reason="水压仍不足", **WHEN)
    service.report(session, order=order, actor=here.county_clerk, now=ASKED + HOUR, **report_fields(), **WHEN)
    service.approve(session, order=order, actor=here.reviewer, now=ASKED + 2 * HOUR, **WHEN)
    callback = follow_ups.open_callback(session, order=order, now=ASKED + 2 * HOUR, **WHEN)
    assert callback.round == 2
    said = {"satisfaction": "dissatisfied", "solved": "no", "contacted": True}
    service.record_evaluation(  # what is told of the first round comes late and moves nothing
        session, order=order, actor=here.callback_officer, now=ASKED + 3 * HOUR, round=1, **said, **WHEN
    )
    assert order.status == Status.TO_CALL_BACK
    service.record_evaluation(
        session, order=order, actor=here.callback_officer, now=ASKED + 3 * HOUR, round=2, **said, **WHEN
    )
    assert (order.status, order.round) == (Status.IN_HAND, 3)
    assert derivation.differs(order, CALENDAR, TZ) == ""


def test_kept_as_it_was_it_keeps_its_day_and_its_kind(session: Session, here: City):
    order = closed(session, here)
    at = order.closed_at
    review(session, order, here)
    with pytest.raises(NotPermitted):
        service.keep_closed(session, order=order, actor=here.reviewer, now=ASKED + DAY, reason="已修复")
    service.keep_closed(session, order=order, actor=here.supervisor, now=ASKED + DAY, reason="与原诉求无关")
    assert (order.status, order.close_kind, order.closed_at) == (Status.CLOSED, CloseKind.EVALUATED, at)
    assert (order.final_satisfaction, order.round) == ("satisfied", 1)
    assert texts(session)[-1] == "review_kept"
    assert ("复查结果", "维持原办理结果") in story.story(session, order, here.supervisor)[-1].facts
    assert journal.verify(session) == []


def test_thirty_days_after_its_closing_it_is_too_late(session: Session, here: City):
    order = closed(session, here)
    with pytest.raises(NotAllowedNow, match="30 天"):
        review(session, order, here, now=CLOSED + 30 * DAY + HOUR)
    with pytest.raises(Invalid, match="新情况"):
        service.review(session, order=order, actor=here.operator, now=ASKED, fact=" ", **WHEN)
    review(session, order, here, now=CLOSED + 30 * DAY)


def test_what_no_unit_had_cannot_be_reopened(session: Session, here: City):
    order = order_at(session, here, Status.TO_REVIEW)
    ask = {"missing": ["place"]}
    service.ask_info(session, order=order, actor=here.reviewer, now=NOON + HOUR, **ask, **WHEN)
    for _ in range(2):
        assert order.step_due_at is not None
        service.remind_or_close(session, order=order, actor=SYSTEM, now=order.step_due_at, **WHEN)
    assert order.status == Status.CLOSED
    review(session, order, here)
    with pytest.raises(Invalid, match="没有单位办理过"):
        service.reopen(session, order=order, actor=here.supervisor, now=ASKED, reason="补充了地点", **WHEN)
    service.keep_closed(session, order=order, actor=here.supervisor, now=ASKED, reason="请重新登记")


def test_a_word_of_the_closing_that_comes_again_during_the_review_changes_nothing(session: Session, here: City):
    order = closed(session, here)
    review(session, order, here)
    events = order.event_count
    said = {"round": 1, "satisfaction": "satisfied", "solved": "yes", "contacted": True}
    service.record_evaluation(session, order=order, actor=here.callback_officer, now=ASKED, **said, **WHEN)
    service.not_reached(session, order=order, actor=SYSTEM, now=ASKED, round=1)
    assert (order.status, order.event_count) == (Status.REVIEW, events)
