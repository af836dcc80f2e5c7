"""Settled by the hub's own coordination, checked where nobody called, and what a leader wrote."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.follow_ups import guards
from hotline.follow_ups import service as follow_ups
from hotline.outbox import OutboxMessage
from hotline.work_orders import evidence, journal, queries, service
from hotline.work_orders.models import OrderFile, Report, WorkOrder
from hotline.work_orders.states import UNASKED, Action, CloseKind, FileKind, Status, SubState
from tests.conftest import NOON
from tests.factories.orders import DRAFT, TZ, WHEN, order_at, report_fields
from tests.factories.units import City, city

HOUR = timedelta(hours=1)
SETTLED = {
    "spoke_to": "供水公司值班经理",
    "result": "已关闭检修阀并恢复供水",
    "public_reply": "经中心协调，供水已于今日恢复。",
}


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def settled(session: Session, here: City, order: WorkOrder, **changes) -> Report:
    return service.settle(
        session, order=order, actor=here.supervisor, now=order.updated_at, **{**SETTLED, **changes}, **WHEN
    )


def heard(session: Session, here: City, order: WorkOrder, **said) -> None:
    answer = {"satisfaction": "dissatisfied", "solved": "no", "contacted": False, "round": order.round, **said}
    now = order.updated_at + HOUR
    service.record_evaluation(session, order=order, actor=here.callback_officer, now=now, **answer, **WHEN)


def found_on_patrol(session: Session, here: City) -> WorkOrder:
    """An order nobody called about, whose result waits for the hub."""
    order = service.start_draft(
        session, call=None, caller=None, actor=here.operator, now=NOON, tz=TZ, source_channel="巡查"
    )
    service.save_draft(session, order=order, fields=DRAFT, typed=True, actor=here.operator, now=NOON)
    service.submit(session, order=order, actor=here.operator, now=NOON, **WHEN)
    service.dispatch(session, order=order, actor=here.reviewer, now=NOON, lead_unit_id=here.county.id, **WHEN)
    service.sign(session, order=order, actor=here.county_clerk, now=NOON)
    return order


def reported(session: Session, here: City, order: WorkOrder, *kinds: FileKind) -> WorkOrder:
    for number, kind in enumerate(kinds):
        order.files.append(
            OrderFile(
                kind=kind,
                round=order.round,
                name="井盖.webp",
                mime="image/webp",
                size=1,
                sha256=f"{number:064x}",
                unit_id=here.county.id,
                added_by=here.county_clerk.user_id,
                added_at=NOON,
            )
        )
    session.flush()
    files = [row.id for row in order.files]
    service.report(
        session, order=order, actor=here.county_clerk, now=NOON, **report_fields(), files=files or None, **WHEN
    )
    return order


# ---- the hub settles it (T39)


def test_a_supervisor_settles_a_matter_and_the_citizen_is_called_back(session: Session, here: City):
    order = order_at(session, here, Status.TO_REVIEW)
    row = settled(session, here, order)
    assert (order.status, row.sub_order_id, row.solved) == (Status.TO_CALL_BACK, None, "yes")
    topics = session.scalars(select(OutboxMessage.topic)).all()
    assert topics.count("callback.open") == 1
    read = queries.story(session, order, here.reviewer)[-1]
    assert ("协调对象", "供水公司值班经理") in read.notes
    assert queries.last_report(session, order, here.callback_officer).public_reply == SETTLED["public_reply"]
    heard(session, here, order, satisfaction="satisfied", solved="yes")
    assert (order.status, order.close_kind) == (Status.CLOSED, CloseKind.EVALUATED)
    assert journal.verify(session) == []


def test_whoever_settled_it_does_not_call_back(session: Session, here: City):
    order = order_at(session, here, Status.TO_REVIEW)
    settled(session, here, order)
    callback = follow_ups.open_callback(session, order=order, now=order.updated_at, **WHEN)
    assert "不能回访" in guards.why_not(session, callback, here.supervisor)


def test_a_citizen_the_hub_did_not_satisfy_gets_a_unit(session: Session, here: City):
    order = order_at(session, here, Status.TO_REVIEW)
    settled(session, here, order)
    before = order.deadline_at
    heard(session, here, order)
    assert (order.status, order.redo_count, order.round) == (Status.TO_REVIEW, 1, 2)
    assert order.deadline_at >= before
    assert order.step_due_at is not None
    assert journal.verify(session) == []
    now = order.updated_at
    service.dispatch(session, order=order, actor=here.reviewer, now=now, lead_unit_id=here.county.id, **WHEN)
    service.sign(session, order=order, actor=here.county_clerk, now=now)
    service.report(session, order=order, actor=here.county_clerk, now=now, **report_fields(), **WHEN)
    service.approve(session, order=order, actor=here.reviewer, now=now, **WHEN)
    heard(session, here, order, contacted=True)
    assert (order.status, order.redo_count) == (Status.IN_HAND, 2)  # now a unit's report is done again by the unit
    assert journal.verify(session) == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"spoke_to": " "}, ["spoke_to"]),
        ({"result": ""}, ["result"]),
        ({"public_reply": ""}, ["public_reply"]),
        ({"public_reply": "请联系张经理 19900001234"}, ["public_reply"]),
        ({"solved": "perhaps"}, ["solved"]),
        ({"solved": "no"}, ["unsolved_reason"]),
        ({"spoke_to": "", "result": "", "public_reply": ""}, ["public_reply", "spoke_to", "result"]),
    ],
)
def test_what_is_wrong_with_a_settlement_is_all_told(session: Session, here: City, changes: dict, named: list[str]):
    order = order_at(session, here, Status.TO_REVIEW)
    with pytest.raises(Invalid) as caught:
        settled(session, here, order, **changes)
    assert list(caught.value.details) == named
    assert order.status == Status.TO_REVIEW


def test_only_a_supervisor_settles_and_only_before_a_unit_has_it(session: Session, here: City):
    order = order_at(session, here, Status.TO_REVIEW)
    with pytest.raises(NotPermitted):
        service.settle(session, order=order, actor=here.reviewer, now=order.updated_at, **SETTLED, **WHEN)
    with pytest.raises((NotAllowedNow, NotPermitted)):
        settled(session, here, order_at(session, here, Status.TO_SIGN))


# ---- nobody called (T40)


def test_a_patrols_order_is_closed_by_comparing_before_and_after(session: Session, here: City):
    order = reported(session, here, found_on_patrol(session, here), FileKind.BEFORE, FileKind.AFTER)
    assert evidence.has_before_and_after(order)
    allowed = {action for action, _ in queries.allowed_actions(order, here.reviewer)}
    assert Action.CLOSE in allowed
    assert Action.APPROVE not in allowed
    service.close_checked(session, order=order, actor=here.reviewer, now=NOON + HOUR, note="对比属实")
    assert (order.status, order.close_kind) == (Status.CLOSED, CloseKind.CHECKED)
    assert order.close_kind in UNASKED
    assert (order.first_satisfaction, order.final_satisfaction, order.final_solved) == ("", "", "")
    assert {sub.state for sub in order.sub_orders} == {SubState.CLOSED}
    assert len(order.events[-1].data["files"]) == 2
    topics = session.scalars(select(OutboxMessage.topic)).all()
    assert "callback.open" not in topics
    assert "sms.send" not in topics
    assert journal.verify(session) == []


@pytest.mark.parametrize("kinds", [(), (FileKind.BEFORE,), (FileKind.AFTER,), (FileKind.AFTER, FileKind.CONTACT)])
def test_without_both_photographs_it_is_not_closed(session: Session, here: City, kinds: tuple[FileKind, ...]):
    order = reported(session, here, found_on_patrol(session, here), *kinds)
    with pytest.raises(Invalid) as caught:
        service.close_checked(session, order=order, actor=here.reviewer, now=NOON)
    assert list(caught.value.details) == ["files"]
    with pytest.raises(NotAllowedNow, match="核对办理前后的照片"):
        service.approve(session, order=order, actor=here.reviewer, now=NOON, **WHEN)
    service.reject(session, order=order, actor=here.reviewer, now=NOON, reason="请补办理后的照片")
    assert order.status == Status.IN_HAND


def test_who_called_is_asked_and_not_passed_over(session: Session, here: City):
    order = order_at(session, here, Status.TO_CHECK_HUB)
    with pytest.raises(NotAllowedNow, match="应当回访"):
        service.close_checked(session, order=order, actor=here.reviewer, now=order.updated_at)
    early = order_at(session, here, Status.IN_HAND)
    with pytest.raises(NotAllowedNow):
        service.close_checked(session, order=early, actor=here.reviewer, now=early.updated_at)
    with pytest.raises(NotPermitted):
        service.close_checked(session, order=order, actor=here.supervisor, now=order.updated_at)


# ---- leaders


def test_a_leaders_words_reach_everybody_who_holds_the_order(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND_TIER3, assisting=True)
    now = order.updated_at
    service.note_leader(
        session, order=order, actor=here.supervisor, now=now, leader="李副市长", text="请冀州区三日内办结并回告"
    )
    assert order.leader_note is True
    rows = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "order.push")).all()
    told = {row.payload["unit_id"] for row in rows if row.payload["what"] == "leader_note"}
    assert told == {here.county.id, here.township.id, here.power.id}
    for reader in (here.reviewer, here.county_clerk, here.power_clerk):
        notes = queries.story(session, order, reader)[-1].notes
        assert notes == [("批示领导", "李副市长"), ("批示", "请冀州区三日内办结并回告")]
    assert "李副市长" not in str(order.events[-1].data)
    assert journal.verify(session) == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"leader": ""}, ["leader"]),
        ({"text": " "}, ["text"]),
        ({"leader": "长" * 41, "text": "批" * 1001}, ["leader", "text"]),
    ],
)
def test_a_note_without_a_leader_or_words_is_refused(session: Session, here: City, changes: dict, named: list[str]):
    order = order_at(session, here, Status.IN_HAND)
    fields = {"leader": "李副市长", "text": "请办理", **changes}
    with pytest.raises(Invalid) as caught:
        service.note_leader(session, order=order, actor=here.supervisor, now=order.updated_at, **fields)
    assert list(caught.value.details) == named
    with pytest.raises(NotPermitted):
        service.note_leader(
            session, order=order, actor=here.reviewer, now=order.updated_at, leader="李副市长", text="请办理"
        )
