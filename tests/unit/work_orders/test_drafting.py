"""From the first word of the call to a submitted order."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.knowledge_base.models import Entry
from hotline.outbox import OutboxMessage
from hotline.work_orders import numbers, service
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories import orders
from tests.factories.orders import DRAFT, TZ, WHEN
from tests.factories.units import City, city


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def start(session: Session, here: City):
    who = orders.caller(session)
    return service.start_draft(session, call=None, caller=who, actor=here.operator, now=NOON, tz=TZ)


def messages(session: Session) -> list[tuple[str, dict]]:
    return [(row.topic, row.payload) for row in session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))]


def test_a_draft_has_a_number_that_can_be_said_on_the_telephone(session: Session, here: City):
    order = start(session, here)
    assert order.status == Status.DRAFT
    assert numbers.parse(order.order_no) == order.order_no
    assert order.order_no.startswith("2611-00001-")
    assert order.receipt_code is not None
    assert len(order.receipt_code) == 6
    assert messages(session) == []


def test_what_the_operator_typed_is_never_overwritten_by_the_transcript(session: Session, here: City):
    order = start(session, here)
    save = {"session": session, "order": order, "actor": here.operator, "now": NOON}
    assert service.save_draft(fields={"content": "停水", "address": "永兴路"}, typed=False, **save) == [
        "content",
        "address",
    ]
    service.save_draft(fields={"content": "停水两天，家有老人"}, typed=True, **save)
    assert service.save_draft(fields={"content": "听水", "address": "永兴路五洲国际"}, typed=False, **save) == [
        "address"
    ]
    assert order.content == "停水两天，家有老人"
    assert order.touched == ["content"]


def test_a_field_the_operator_cleared_stays_clear(session: Session, here: City):
    order = start(session, here)
    save = {"session": session, "order": order, "actor": here.operator, "now": NOON}
    service.save_draft(fields={"accused_name": "张某"}, typed=False, **save)
    service.save_draft(fields={"accused_name": ""}, typed=True, **save)
    service.save_draft(fields={"accused_name": "张某"}, typed=False, **save)
    assert order.accused_name == ""


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"status": "closed"}, "status"),
        ({"order_no": "2611-00042-7"}, "order_no"),
        ({"demand_type": "dance"}, "demand_type"),
        ({"confidential": "yes"}, "confidential"),
        ({"content": "长" * 4001}, "content"),
        ({"address": 5}, "address"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_written(session: Session, here: City, fields: dict, named: str):
    order = start(session, here)
    with pytest.raises(Invalid) as caught:
        service.save_draft(
            session, order=order, fields={"title": "停水", **fields}, typed=True, actor=here.operator, now=NOON
        )
    assert named in caught.value.details
    assert order.title in (None, "")


def test_answered_on_the_spot_says_by_which_entry_or_why_by_none(session: Session, here: City):
    entry = Entry(code="water", question="停水怎么报修", answer="拨打水务", created_at=NOON, updated_at=NOON)
    session.add(entry)
    session.flush()
    first = start(session, here)
    service.answer(session, order=first, actor=here.operator, now=NOON, entry_id=entry.id)
    assert (first.status, first.closed_at) == (Status.ANSWERED, NOON)
    second = start(session, here)
    for wrong in ({}, {"entry_id": entry.id, "no_entry_reason": "两样都填"}, {"entry_id": 999}):
        with pytest.raises(Invalid):
            service.answer(session, order=second, actor=here.operator, now=NOON, **wrong)
    service.answer(session, order=second, actor=here.operator, now=NOON, no_entry_reason="询问天气")
    assert second.status == Status.ANSWERED


def test_submitting_starts_the_clock_and_tells_the_citizen(session: Session, here: City):
    order = orders.draft(session, here)
    at = NOON + timedelta(minutes=3)
    service.submit(session, order=order, actor=here.operator, now=at, **WHEN)
    assert (order.status, order.clock_started_at, order.submitted_at) == (Status.TO_REVIEW, at, at)
    assert order.deadline_at == order.original_deadline_at
    # 12:03 is lunch: five working days from 14:00
    assert order.deadline_at.astimezone(TZ).strftime("%m-%d %H:%M") == "11-25 12:00"
    assert order.step_due_at.astimezone(TZ).strftime("%m-%d %H:%M") == "11-18 17:30"  # to be dispatched the same day
    assert order.title == "五洲国际小区停水两天，请尽快处理。"
    assert messages(session) == [("sms.send", {"template": "accepted", "order_id": order.id})]
    event = order.events[-1]
    assert len(event.data["caller"]) == 64
    assert "五洲国际" not in str(event.data)


@pytest.mark.parametrize("missing", ["content", "address", "category_code"])
def test_a_required_field_left_empty_is_named(session: Session, here: City, missing: str):
    order = orders.draft(session, here, **{missing: ""})
    with pytest.raises(Invalid) as caught:
        service.submit(session, order=order, actor=here.operator, now=NOON, **WHEN)
    assert missing in caught.value.details
    assert order.status == Status.DRAFT
    assert len(order.events) == 1


def test_a_kind_of_matter_the_city_does_not_know_is_refused(session: Session, here: City):
    order = orders.draft(session, here, category_code="9999")
    with pytest.raises(Invalid, match="没有这个问题分类"):
        service.submit(session, order=order, actor=here.operator, now=NOON, **WHEN)


def test_nobody_to_write_to_means_no_sms(session: Session, here: City):
    withheld = orders.draft(session, here, who=orders.caller(session, phone=None))
    secret = orders.draft(session, here, confidential=True)
    for order in (withheld, secret):
        service.submit(session, order=order, actor=here.operator, now=NOON, **WHEN)
    assert messages(session) == []


def test_a_submitted_order_is_no_draft_any_more(session: Session, here: City):
    order = orders.order_at(session, here, Status.TO_REVIEW)
    with pytest.raises(NotAllowedNow, match="待预审") as caught:
        service.save_draft(session, order=order, fields=DRAFT, typed=True, actor=here.operator, now=NOON)
    assert caught.value.details["allowed"] == ["撤诉", "补充情况", "催单"]


def test_only_an_operator_begins_an_order(session: Session, here: City):
    with pytest.raises(NotPermitted):
        service.start_draft(session, call=None, caller=None, actor=here.county_clerk, now=NOON, tz=TZ)
    order = orders.draft(session, here)
    with pytest.raises(NotPermitted):
        service.submit(session, order=order, actor=here.reviewer, now=NOON, **WHEN)
