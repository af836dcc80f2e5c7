"""A demand that lacks something waits for its caller, who is asked, reminded once, and told when it is given up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM
from hotline.callers import service as callers
from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.outbox import OutboxMessage
from hotline.work_orders import clock, derivation, journal, service, story
from hotline.work_orders.asks import information
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import CloseKind, Holder, Status
from tests.conftest import NOON
from tests.factories.orders import CALENDAR, TZ, WHEN, caller, order_at
from tests.factories.units import City, city

HOUR = timedelta(hours=1)
DUE = datetime(2026, 11, 25, 12, 0, tzinfo=TZ)
ASKED = datetime(2026, 11, 18, 15, 0, tzinfo=TZ)
TOLD = datetime(2026, 11, 20, 16, 0, tzinfo=TZ)


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def ask(session: Session, order: WorkOrder, here: City, **fields: Any) -> WorkOrder:
    asked = {"missing": ["time", "place"], "text": "请问是哪个单元", **fields}
    return service.ask_info(session, order=order, actor=here.reviewer, now=ASKED, **asked, **WHEN)


def texts(session: Session) -> list[str]:
    sent = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "sms.send").order_by(OutboxMessage.id))
    return [row.payload["template"] for row in sent]


def test_what_the_caller_adds_brings_the_order_back_with_the_pause_given_back(session: Session, here: City):
    order = order_at(session, here, Status.TO_REVIEW)
    ask(session, order, here)
    assert (order.status, texts(session)[-1]) == (Status.NEEDS_INFO, "needs_info")
    assert information.missing_words(order) == "具体地点、发生时间"
    assert order.step_due_at == datetime(2026, 11, 23, 15, 0, tzinfo=TZ)  # three working days
    service.supplement(session, order=order, actor=here.operator, now=TOLD, text="三单元", call_id=None, **WHEN)
    # one of 35 hours was used when it stopped; 1:30 on Friday, four whole days, 4:30 on the Friday after
    assert (order.status, order.deadline_at) == (Status.TO_REVIEW, datetime(2026, 11, 27, 15, 0, tzinfo=TZ))
    assert order.original_deadline_at == order.deadline_at
    assert [(span.holder, span.to_at) for span in order.spans if span.holder == Holder.CALLER] == [
        (Holder.CALLER, TOLD)
    ]
    assert derivation.differs(order, CALENDAR, TZ) == ""
    assert journal.verify(session) == []
    told = story.story(session, order, here.reviewer)
    assert ("需要补充", "具体地点、发生时间") in told[-2].facts
    assert ("补充内容", "三单元") in told[-1].notes


def test_who_does_not_answer_is_reminded_once_and_then_told_it_is_closed(session: Session, here: City):
    order = order_at(session, here, Status.TO_REVIEW)
    ask(session, order, here)
    first = order.step_due_at
    assert first is not None
    with pytest.raises(NotAllowedNow, match="提醒一次"):
        service.close_unanswered(session, order=order, actor=here.reviewer, now=first)
    service.remind_or_close(session, order=order, actor=SYSTEM, now=first, **WHEN)
    second = order.step_due_at
    assert (order.status, second) == (Status.NEEDS_INFO, datetime(2026, 11, 26, 15, 0, tzinfo=TZ))
    assert derivation.paused_since(order) == ASKED
    assert second is not None
    with pytest.raises(NotAllowedNow):
        service.close_unanswered(session, order=order, actor=here.reviewer, now=second - HOUR)
    service.remind_or_close(session, order=order, actor=SYSTEM, now=second, **WHEN)
    assert (order.status, order.close_kind) == (Status.CLOSED, CloseKind.NO_INFO)
    assert texts(session) == ["accepted", "needs_info", "needs_info", "no_info"]
    assert (order.final_satisfaction, order.step_due_at) == ("", None)
    assert journal.verify(session) == []


def test_after_a_reminder_the_caller_may_still_answer_and_be_asked_anew(session: Session, here: City):
    order = order_at(session, here, Status.TO_REVIEW)
    ask(session, order, here)
    later = ASKED + timedelta(days=6)
    service.remind_or_close(session, order=order, actor=SYSTEM, now=later, **WHEN)
    service.supplement(session, order=order, actor=here.operator, now=later, text="三单元", **WHEN)
    service.ask_info(session, order=order, actor=here.reviewer, now=later, missing=["papers"], **WHEN)
    service.remind_or_close(session, order=order, actor=SYSTEM, now=later + timedelta(days=5), **WHEN)
    assert order.status == Status.NEEDS_INFO  # reminded of the second thing, not closed for the first
    assert derivation.differs(order, CALENDAR, TZ) == ""


def test_only_a_reviewer_asks_and_says_what_for(session: Session, here: City):
    order = order_at(session, here, Status.TO_REVIEW)
    for missing in ([], ["everything"]):
        with pytest.raises(Invalid, match="需要补充的内容"):
            ask(session, order, here, missing=missing)
    with pytest.raises(NotPermitted):
        service.ask_info(session, order=order, actor=here.operator, now=ASKED, missing=["place"], **WHEN)
    with pytest.raises(NotAllowedNow):
        ask(session, order_at(session, here, Status.TO_SIGN), here)


def test_nothing_is_sent_to_a_telephone_that_must_not_tell(session: Session, here: City):
    order = order_at(session, here, Status.TO_REVIEW, confidential=True)
    ask(session, order, here)
    withheld = order_at(session, here, Status.TO_REVIEW, who=caller(session, phone=None))
    ask(session, withheld, here)
    landline = order_at(session, here, Status.TO_REVIEW, who=caller(session, phone="+863182024114"))
    ask(session, landline, here)
    assert texts(session) == []
    assert information.to_tell(session) == [order, withheld, landline]


def test_who_withholds_a_number_and_leaves_a_mobile_is_written_to(session: Session, here: City):
    who = callers.remember(session, phone=None, name="王小明", contact="199 0000 7777", now=NOON)
    order = order_at(session, here, Status.TO_REVIEW, who=who)
    ask(session, order, here)
    assert texts(session) == ["accepted", "needs_info"]
    assert information.to_tell(session) == []
    secret = order_at(session, here, Status.TO_REVIEW, who=who, confidential=True)
    ask(session, secret, here)
    assert texts(session) == ["accepted", "needs_info"]


def test_who_cannot_be_written_to_is_called_and_never_closed_unasked(session: Session, here: City):
    order = order_at(session, here, Status.TO_REVIEW, confidential=True)
    ask(session, order, here)
    assert ("告知方式", "收不到短信，须电话告知") in story.story(session, order, here.reviewer)[-1].facts
    assert order.step_due_at is None  # nothing runs before somebody has called
    late = ASKED + timedelta(days=20)
    service.remind_or_close(session, order=order, actor=SYSTEM, now=late, **WHEN)
    assert (order.status, information.to_tell(session), len(order.events)) == (Status.NEEDS_INFO, [order], 4)
    with pytest.raises(NotAllowedNow, match="没有电话告知"):
        service.close_unanswered(session, order=order, actor=here.reviewer, now=late)
    with pytest.raises(NotPermitted):
        service.tell(session, order=order, actor=SYSTEM, now=late, **WHEN)

    called = datetime(2026, 12, 7, 9, 0, tzinfo=TZ)
    for status, due in ((Status.NEEDS_INFO, called), (Status.CLOSED, called + timedelta(days=10))):
        service.tell(session, order=order, actor=here.operator, now=due, **WHEN)
        assert information.to_tell(session) == []
        with pytest.raises(NotAllowedNow, match="不需要电话告知"):
            service.tell(session, order=order, actor=here.operator, now=due, **WHEN)
        assert order.step_due_at == clock.add_working(due, 3 * clock.day_length(CALENDAR), CALENDAR, TZ)
        service.remind_or_close(session, order=order, actor=SYSTEM, now=order.step_due_at, **WHEN)
        assert order.status == status
    assert order.close_kind == CloseKind.NO_INFO
    assert texts(session) == []
    assert derivation.differs(order, CALENDAR, TZ) == ""
    assert journal.verify(session) == []


def test_a_caller_who_was_called_may_answer_as_any_other(session: Session, here: City):
    order = order_at(session, here, Status.TO_REVIEW, who=caller(session, phone="+863182024114"))
    ask(session, order, here)
    service.tell(session, order=order, actor=here.reviewer, now=ASKED + HOUR, **WHEN)
    assert ("需要补充", "具体地点、发生时间") in story.story(session, order, here.reviewer)[-1].facts
    service.supplement(session, order=order, actor=here.operator, now=TOLD, text="三单元", **WHEN)
    assert (order.status, order.deadline_at) == (Status.TO_REVIEW, datetime(2026, 11, 27, 15, 0, tzinfo=TZ))
    with pytest.raises(NotAllowedNow):
        service.tell(session, order=order, actor=here.reviewer, now=TOLD, **WHEN)


def test_who_was_asked_before_such_callers_were_called_is_called_instead_of_closed(session: Session, here: City):
    order = order_at(session, here, Status.TO_REVIEW, who=caller(session, phone=None))
    ask(session, order, here)
    asked = order.events[-1]
    asked.data = {key: value for key, value in asked.data.items() if key != "by_telephone"}
    order.step_due_at = ASKED + timedelta(days=5)  # as it was reckoned then
    service.remind_or_close(session, order=order, actor=SYSTEM, now=order.step_due_at, **WHEN)
    assert (order.status, information.to_tell(session)) == (Status.NEEDS_INFO, [order])
