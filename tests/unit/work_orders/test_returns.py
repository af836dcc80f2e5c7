"""No free bounce: a return is asked once, in time and by the list, and decided by whoever gave the order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.db import SessionFactory, session_scope
from hotline.errors import Invalid, NotAllowedNow, NotFound, NotPermitted
from hotline.outbox import OutboxMessage
from hotline.units.models import ResponsibilityLine, Unit
from hotline.units.service import add_line, add_unit
from hotline.work_orders import derivation, journal, queries, service
from hotline.work_orders.models import SubOrder, WorkOrder
from hotline.work_orders.states import Action, Part, RequestKind, RequestState, Status, SubState, Supervision
from hotline.work_orders.supervision import timers
from tests.conftest import NOON
from tests.factories import people
from tests.factories.orders import CALENDAR, TZ, WHEN, order_at, report_fields
from tests.factories.units import WATER, City, city

SOON = NOON + timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


@pytest.fixture
def line(session: Session) -> ResponsibilityLine:
    return cited(session)


def cited(session: Session, version: str = "2026-01", valid_from: date = date(2026, 1, 1)) -> ResponsibilityLine:
    return add_line(
        session,
        version=version,
        code="GS-01",
        matter="居民小区停水",
        category_code=WATER,
        lead_unit=None,
        valid_from=valid_from,
        now=NOON,
    )


def ask(
    session: Session, order: WorkOrder, actor: Actor, line: ResponsibilityLine, now: datetime = SOON, **fields: Any
):
    asked = {"ground": "incomplete", "responsibility_line_id": line.id, "reason": "没有写明楼号", **fields}
    return service.ask_return(session, order=order, actor=actor, now=now, **asked, **WHEN)


def accept(session: Session, order: WorkOrder, actor: Actor, now: datetime = SOON, **fields: Any):
    return service.accept_return(session, order=order, actor=actor, now=now, **fields, **WHEN)


def refuse(
    session: Session, order: WorkOrder, actor: Actor, now: datetime = SOON, reason: str = "清单写明由你单位办理"
):
    return service.refuse_return(session, order=order, actor=actor, now=now, reason=reason, **WHEN)


def part_of(order: WorkOrder, unit: Unit) -> SubOrder:
    return [sub for sub in order.sub_orders if sub.unit_id == unit.id][-1]


def minutes(order: WorkOrder, now: datetime) -> dict[str, int]:
    held = queries.held_minutes(order, now)
    assert sum(one.minutes for one in held) == int((now - order.created_at).total_seconds() // 60)
    return {one.unit_name or one.holder: one.minutes for one in held}


def pushes(session: Session) -> list[tuple[int, str]]:
    rows = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "order.push").order_by(OutboxMessage.id))
    return [(row.payload["unit_id"], row.payload["what"]) for row in rows]


def actions(order: WorkOrder, actor: Actor) -> set[Action]:
    return {action for action, _word in queries.allowed_actions(order, actor)}


# ---- tier 3


def test_return_by_township_is_decided_by_its_county_first(session: Session, here: City, line: ResponsibilityLine):
    order = order_at(session, here, Status.IN_HAND_TIER3)
    asked = ask(session, order, here.township_clerk, line, ground="place", suggested_unit_id=here.other_township.id)
    assert order.status == Status.RETURN_ASKED
    assert asked.due_at is not None and order.step_due_at == asked.due_at
    assert (here.county.id, "return_asked") in pushes(session)
    assert Action.ACCEPT_RETURN not in actions(order, here.reviewer)
    with pytest.raises(NotPermitted, match="上级二级单位"):
        accept(session, order, here.reviewer, lead_unit_id=here.power.id)
    with pytest.raises(NotFound):
        refuse(session, order, here.other_county_clerk)
    with pytest.raises(NotPermitted):
        accept(session, order, here.township_clerk)

    accept(session, order, here.county_clerk, SOON + timedelta(hours=2), advice="转官道李镇")
    assert order.status == Status.IN_HAND
    assert part_of(order, here.township).state == SubState.LEFT
    assert part_of(order, here.county).returns == 1
    assert order.return_count == 0  # nothing came back to the hub
    with pytest.raises(NotFound):
        service.report(session, order=order, actor=here.township_clerk, now=SOON, **report_fields(), **WHEN)
    later = SOON + timedelta(hours=3)
    service.hand_down(session, order=order, actor=here.county_clerk, now=later, unit_id=here.other_township.id, **WHEN)
    assert order.status == Status.TO_SIGN_TIER3
    # while it was being decided, the county held it
    held = minutes(order, later)
    assert held["冀州区政府"] >= 180
    assert held["冀州镇"] == 60 - 20
    assert journal.verify(session) == []


def test_a_refused_return_is_back_exactly_where_it_was_and_cannot_be_asked_again(
    session: Session, here: City, line: ResponsibilityLine
):
    for status, actor, decider in [
        (Status.TO_SIGN, here.county_clerk, here.reviewer),
        (Status.IN_HAND, here.county_clerk, here.reviewer),
        (Status.TO_SIGN_TIER3, here.township_clerk, here.county_clerk),
        (Status.IN_HAND_TIER3, here.township_clerk, here.county_clerk),
    ]:
        order = order_at(session, here, status)
        sub = next(one for one in order.sub_orders if one.unit_id == actor.unit_id)
        before = (sub.state, order.step_due_at, order.deadline_at, order.return_count)
        ask(session, order, actor, line)
        assert sub.state == SubState.RETURNING
        refuse(session, order, decider)
        assert order.status == status
        assert (sub.state, order.step_due_at, order.deadline_at, order.return_count) == before
        assert order.requests[-1].state == RequestState.REFUSED
        assert Action.RETURN not in actions(order, actor)
        with pytest.raises(NotAllowedNow, match="不能再退回"):
            ask(session, order, actor, line)
    assert journal.verify(session) == []


def test_the_hours_of_the_hub_are_not_taken_from_the_time_to_sign(
    session: Session, here: City, line: ResponsibilityLine
):
    order = order_at(session, here, Status.TO_SIGN, urgency="critical", assisting=True)
    sent, deadline = order.updated_at, order.deadline_at
    lead, beside = part_of(order, here.county), part_of(order, here.power)
    assert lead.sign_due_at == beside.sign_due_at == sent + 15 * MINUTE
    ask(session, order, here.power_clerk, line, sent + 3 * MINUTE)
    ask(session, order, here.county_clerk, line, sent + 5 * MINUTE)
    decided = sent + timedelta(hours=1)
    refuse(session, order, here.reviewer, decided)
    assert lead.sign_due_at == order.step_due_at == decided + 10 * MINUTE
    assert order.deadline_at == deadline  # the citizen's clock ran on
    timers.look(session, order=order, now=decided, calendar=CALENDAR, tz=TZ)
    assert order.supervision == Supervision.NONE
    refuse(session, order, here.reviewer, decided + MINUTE)  # now the unit beside, which asked two minutes earlier
    assert beside.sign_due_at == decided + 13 * MINUTE
    service.sign(session, order=order, actor=here.county_clerk, now=decided + 2 * MINUTE)
    assert order.events[-1].data["in_time"]
    timers.look(session, order=order, now=decided + 13 * MINUTE, calendar=CALENDAR, tz=TZ)
    assert order.supervision == Supervision.BLUE
    assert derivation.differs(order, CALENDAR, TZ) == ""
    assert journal.verify(session) == []


def test_who_asked_for_a_return_when_it_was_late_to_sign_stays_late(
    session: Session, here: City, line: ResponsibilityLine
):
    order = order_at(session, here, Status.TO_SIGN, urgency="critical")
    sub, sent = part_of(order, here.county), order.updated_at
    ask(session, order, here.county_clerk, line, sent + 20 * MINUTE)
    refuse(session, order, here.reviewer, sent + timedelta(hours=1))
    assert sub.sign_due_at == sent + 15 * MINUTE
    service.sign(session, order=order, actor=here.county_clerk, now=sent + timedelta(hours=1))
    assert not order.events[-1].data["in_time"]


def test_after_three_returns_from_below_what_is_handed_down_stays_there(
    session: Session, here: City, line: ResponsibilityLine
):
    townships = [here.township, here.other_township]
    clerks = [here.township_clerk, here.other_township_clerk]
    for number in (3, 4):
        unit = add_unit(session, code=f"JZ0{number}", name=f"第{number}镇", parent=here.county, kind="township")
        townships.append(unit)
        clerks.append(people.actor(session, Role.U3, unit=unit))
    order = order_at(session, here, Status.TO_SIGN_TIER3)
    for clerk, following in zip(clerks[:3], townships[1:], strict=True):
        ask(session, order, clerk, line)
        accept(session, order, here.county_clerk)
        service.hand_down(session, order=order, actor=here.county_clerk, now=SOON, unit_id=following.id, **WHEN)
    assert part_of(order, here.county).returns == 3
    with pytest.raises(NotAllowedNow, match="不能再退回"):
        ask(session, order, clerks[3], line)


def test_a_township_the_county_comes_back_to_cannot_return_it_once_more(
    session: Session, here: City, line: ResponsibilityLine
):
    order = order_at(session, here, Status.TO_SIGN_TIER3)
    ask(session, order, here.township_clerk, line)
    accept(session, order, here.county_clerk)
    service.hand_down(session, order=order, actor=here.county_clerk, now=SOON, unit_id=here.township.id, **WHEN)
    assert Action.RETURN not in actions(order, here.township_clerk)


# ---- tier 2


def test_the_hub_takes_back_and_sends_on_with_all_that_goes_with_a_dispatch(
    session: Session, here: City, line: ResponsibilityLine
):
    order = order_at(session, here, Status.IN_HAND, assisting=True)
    deadline = order.deadline_at
    ask(session, order, here.county_clerk, line, ground="duty", suggested_unit_id=here.other_county.id)
    asked_at, decided_at = SOON, SOON + timedelta(minutes=90)
    asked = accept(
        session,
        order,
        here.reviewer,
        decided_at,
        lead_unit_id=here.other_county.id,
        assisting_ids=[here.power.id],
        responsibility_line_id=line.id,
        advice="请桃城区核实",
        correction="GS-01 应注明老旧小区二次供水由所在区负责",
    )
    assert order.status == Status.TO_SIGN
    assert order.lead_unit is here.other_county
    assert (order.dispatch_count, order.return_count) == (2, 1)
    assert order.first_unit_id == here.county.id
    assert order.responsibility_line_id == line.id
    assert order.deadline_at == deadline  # the clock was never set back
    leading = part_of(order, here.other_county)
    assert leading.part == Part.LEAD
    assert leading.sign_due_at is not None and leading.sign_due_at > decided_at and leading.return_until is not None
    assert part_of(order, here.county).state == SubState.LEFT
    assert part_of(order, here.county).left_at == decided_at
    assert len([sub for sub in order.sub_orders if sub.unit_id == here.power.id]) == 1  # it goes on with what it has
    assert asked.details["correction"].startswith("GS-01")
    assert asked.state == RequestState.GRANTED
    assert (here.other_county.id, "to_sign") in pushes(session)
    held = minutes(order, decided_at)
    assert held["hub"] == 10 + 90
    assert held["冀州区政府"] == int((asked_at - NOON).total_seconds() // 60) - 10
    item = queries.story(session, order, here.reviewer)[-1]
    assert ("退回单位", "冀州区政府") in item.facts and ("主办", "桃城区政府") in item.facts
    asked_item = queries.story(session, order, here.reviewer)[-2]
    assert ("责任清单", "2026-01 GS-01 居民小区停水") in asked_item.facts
    assert ("建议单位", "桃城区政府") in asked_item.facts
    assert asked_item.notes == [("原因", "没有写明楼号")]
    assert queries.story(session, order, here.power_clerk)[-2].notes == []  # not for another unit's eyes
    assert journal.verify(session) == []


def test_an_assisting_part_is_returned_beside_and_the_order_goes_on(
    session: Session, here: City, line: ResponsibilityLine
):
    order = order_at(session, here, Status.IN_HAND_TIER3, assisting=True)
    ask(session, order, here.power_clerk, line)
    assert order.status == Status.IN_HAND_TIER3
    assert part_of(order, here.power).state == SubState.RETURNING
    assert Action.ACCEPT_RETURN not in actions(order, here.county_clerk)
    accept(session, order, here.reviewer, assisting_ids=[here.other_county.id])
    assert order.status == Status.IN_HAND_TIER3
    assert part_of(order, here.power).state == SubState.LEFT
    assert part_of(order, here.other_county).part == Part.ASSISTING
    ask(session, order, here.other_county_clerk, line)
    refuse(session, order, here.reviewer)
    assert part_of(order, here.other_county).state == SubState.TO_SIGN
    with pytest.raises(NotAllowedNow):
        ask(session, order, here.other_county_clerk, line)
    assert order.return_count == 0
    assert journal.verify(session) == []


def test_an_assisting_unit_let_go_and_asked_again_must_stay(session: Session, here: City, line: ResponsibilityLine):
    order = order_at(session, here, Status.IN_HAND, assisting=True)
    ask(session, order, here.power_clerk, line)
    accept(session, order, here.reviewer, assisting_ids=[here.other_county.id])
    ask(session, order, here.other_county_clerk, line)
    accept(session, order, here.reviewer, assisting_ids=[here.power.id])
    assert part_of(order, here.power).state == SubState.TO_SIGN
    with pytest.raises(NotAllowedNow, match="不能再退回"):
        ask(session, order, here.power_clerk, line)


def test_who_has_reported_cannot_return_any_more(session: Session, here: City, line: ResponsibilityLine):
    order = order_at(session, here, Status.TO_CHECK_HUB, via_township=False)
    service.reject(session, order=order, actor=here.reviewer, now=SOON, reason="答复不完整")
    assert order.status == Status.IN_HAND
    with pytest.raises(NotAllowedNow, match="已反馈"):
        ask(session, order, here.county_clerk, line)


def test_a_recall_hides_no_circle(session: Session, here: City, line: ResponsibilityLine):
    order = order_at(session, here, Status.TO_SIGN)
    ask(session, order, here.county_clerk, line)
    accept(session, order, here.reviewer, lead_unit_id=here.power.id)
    service.recall(session, order=order, actor=here.reviewer, now=SOON, reason="再核实", **WHEN)
    assert (order.status, order.return_count, order.first_unit_id) == (Status.TO_REVIEW, 1, here.county.id)
    with pytest.raises(Invalid, match="退回过这张工单"):
        service.dispatch(session, order=order, actor=here.reviewer, now=SOON, lead_unit_id=here.county.id, **WHEN)
    assert order.status == Status.TO_REVIEW


def test_of_several_assisting_returns_the_one_meant_is_decided(session: Session, here: City, line: ResponsibilityLine):
    order = order_at(session, here, Status.TO_REVIEW)
    service.dispatch(
        session,
        order=order,
        actor=here.reviewer,
        now=NOON,
        lead_unit_id=here.county.id,
        assisting_ids=[here.power.id, here.other_county.id],
        **WHEN,
    )
    ask(session, order, here.power_clerk, line)
    second = ask(session, order, here.other_county_clerk, line)
    no = {"reason": "应协办", "request_id": second.id}
    service.refuse_return(session, order=order, actor=here.reviewer, now=SOON, **no, **WHEN)
    assert part_of(order, here.power).state == SubState.RETURNING
    assert part_of(order, here.other_county).state == SubState.TO_SIGN
    with pytest.raises(NotAllowedNow):
        service.refuse_return(session, order=order, actor=here.reviewer, now=SOON, **no, **WHEN)


def test_what_an_order_closed_meanwhile_asked_is_dropped(session: Session, here: City, line: ResponsibilityLine):
    order = order_at(session, here, Status.IN_HAND, assisting=True, via_township=False)
    ask(session, order, here.power_clerk, line)
    service.report(session, order=order, actor=here.county_clerk, now=SOON, **report_fields(), **WHEN)
    service.approve(session, order=order, actor=here.reviewer, now=SOON, **WHEN)
    assert order.requests[-1].state == RequestState.DROPPED
    assert part_of(order, here.power).state == SubState.TO_SIGN


# ---- bad input


def test_a_return_without_a_line_in_force_a_reason_or_a_known_unit_is_refused(
    session: Session, here: City, line: ResponsibilityLine
):
    order = order_at(session, here, Status.IN_HAND)
    old = line
    cited(session, "2026-10", date(2026, 10, 1))
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("responsibility_line", {"responsibility_line_id": None}),
        ("responsibility_line", {"responsibility_line_id": 987654}),
        ("responsibility_line", {"responsibility_line_id": old.id}),
        ("ground", {"ground": "tired"}),
        ("suggested_unit", {"suggested_unit_id": 987654}),
        ("suggested_unit", {"suggested_unit_id": here.county.id}),
        ("suggested_unit", {"ground": "place"}),
        ("reason", {"reason": "  "}),
    ]
    new = session.scalars(select(ResponsibilityLine).where(ResponsibilityLine.version == "2026-10")).one()
    before = order.event_count
    for field, change in wrong:
        with pytest.raises(Invalid) as caught:
            ask(session, order, here.county_clerk, new, **change)
        assert set(caught.value.details) == {field}
    assert (order.event_count, order.status, order.requests) == (before, Status.IN_HAND, [])
    with pytest.raises(Invalid) as caught:
        ask(session, order, here.county_clerk, old)
    assert "2026-01" in caught.value.message
    ask(session, order, here.county_clerk, new)
    with pytest.raises(NotAllowedNow):
        ask(session, order, here.county_clerk, new)  # a second time


def test_a_return_comes_too_late_after_a_working_day_or_two_for_a_hard_matter(
    session: Session, here: City, line: ResponsibilityLine
):
    # 18 November 2026 is a Wednesday
    order = order_at(session, here, Status.IN_HAND)
    until = part_of(order, here.county).return_until
    assert until is not None
    ask(session, order, here.county_clerk, line, until)
    late = order_at(session, here, Status.IN_HAND)
    with pytest.raises(NotAllowedNow, match="已过申请退回的时限"):
        ask(session, late, here.county_clerk, line, until + timedelta(minutes=1))
    hard = order_at(session, here, Status.TO_REVIEW)
    service.dispatch(session, order=hard, actor=here.reviewer, now=NOON, lead_unit_id=here.county.id, hard=True, **WHEN)
    assert part_of(hard, here.county).return_until == until + timedelta(days=1)


def test_whoever_decides_must_name_units_that_can_take_it(session: Session, here: City, line: ResponsibilityLine):
    order = order_at(session, here, Status.IN_HAND)
    ask(session, order, here.county_clerk, line)
    for field, change in [
        ("lead_unit", {}),
        ("lead_unit", {"lead_unit_id": 987654}),
        ("lead_unit", {"lead_unit_id": here.county.id}),
        ("lead_unit", {"lead_unit_id": here.township.id}),
        ("assisting", {"lead_unit_id": here.power.id, "assisting_ids": [here.power.id]}),
        ("responsibility_line", {"lead_unit_id": here.power.id, "responsibility_line_id": 987654}),
        ("correction", {"lead_unit_id": here.power.id, "correction": "请联系 19900001234"}),
    ]:
        with pytest.raises(Invalid) as caught:
            accept(session, order, here.reviewer, **change)
        assert field in caught.value.details
    with pytest.raises(Invalid):
        refuse(session, order, here.reviewer, reason=" ")
    assert order.status == Status.RETURN_ASKED
    assert order.requests[-1].state == RequestState.ASKED
    assert order.requests[-1].details == {}


def test_of_two_who_decide_at_once_the_second_is_told(either_sessions: SessionFactory):
    with session_scope(either_sessions) as session:
        here = city(session)
        order = order_at(session, here, Status.IN_HAND)
        ask(session, order, here.county_clerk, cited(session))
        order_id = order.id
    with either_sessions() as slow:
        stale = slow.get_one(WorkOrder, order_id)
        assert [row.state for row in stale.requests] == [RequestState.ASKED]
        assert stale.events and stale.sub_orders
        slow.commit()
        with session_scope(either_sessions) as quick:
            refuse(quick, quick.get_one(WorkOrder, order_id), here.reviewer)
        with pytest.raises(NotAllowedNow, match="刚刚有人处理过"):
            accept(slow, stale, here.reviewer, lead_unit_id=here.power.id)
        slow.rollback()
    with either_sessions() as session:
        order = session.get_one(WorkOrder, order_id)
        assert order.status == Status.IN_HAND
        assert [row.state for row in order.requests] == [RequestState.REFUSED]
        assert [sub.unit_id for sub in order.sub_orders] == [here.county.id]
        assert journal.verify(session) == []


# ---- no bounce without end


def bounce(
    session: Session,
    order: WorkOrder,
    here: City,
    line: ResponsibilityLine,
    *steps: tuple[Actor, Unit | None],
    every: timedelta = timedelta(minutes=10),
) -> datetime:
    """Each clerk in turn returns what they were sent; the hub means to send it to the unit named. Returns when."""
    now = SOON
    for clerk, following in steps:
        now += every
        ask(session, order, clerk, line, now)
        now += every
        accept(session, order, here.reviewer, now, lead_unit_id=following.id if following else None)
    return now


def test_the_third_return_goes_to_a_panel_and_the_first_unit_answers_meanwhile(
    session: Session, here: City, line: ResponsibilityLine
):
    order = order_at(session, here, Status.TO_SIGN)
    now = bounce(
        session,
        order,
        here,
        line,
        (here.county_clerk, here.other_county),
        (here.other_county_clerk, here.power),
        (here.power_clerk, None),
    )
    assert order.status == Status.PANEL
    assert (order.return_count, order.dispatch_count) == (3, 3)
    assert order.lead_unit is here.county  # 首接
    assert part_of(order, here.county).part == Part.LEAD
    assert part_of(order, here.county).state == SubState.SIGNED
    assert order.step_due_at is not None and order.step_due_at > now
    event = order.events[-1]
    assert (event.action, event.actor_role, event.data["cause"]) == (Action.TO_PANEL, "SYS", "third")
    assert event.data["accepted_by"] == here.reviewer.user_id
    assert not order.joint
    minutes(order, now)
    assert journal.verify(session) == []


def test_a_circle_is_seen_when_the_next_unit_led_before(session: Session, here: City, line: ResponsibilityLine):
    order = order_at(session, here, Status.TO_SIGN)
    bounce(session, order, here, line, (here.county_clerk, here.power), (here.power_clerk, here.county))
    assert order.status == Status.PANEL
    assert order.joint
    event = order.events[-1]
    assert (event.data["cause"], event.data["circle"]) == ("cycle", [here.county.id, here.power.id])
    facts = queries.story(session, order, here.county_clerk)[-1].facts
    assert ("会商原因", "循环退回") in facts
    assert ("循环退回", "冀州区政府、电力公司") in facts


def test_two_leaders_who_object_are_heard_by_a_panel(session: Session, here: City, line: ResponsibilityLine):
    one, other = (people.actor(session, Role.U2L, unit=unit) for unit in (here.county, here.power))
    order = order_at(session, here, Status.TO_SIGN)
    bounce(session, order, here, line, (one, here.power))
    assert order.status == Status.TO_SIGN
    bounce(session, order, here, line, (other, here.other_county))
    assert order.status == Status.PANEL
    assert order.events[-1].data["cause"] == "leaders"
    assert not order.joint


def test_the_hub_may_refer_a_return_to_a_panel_itself(session: Session, here: City, line: ResponsibilityLine):
    order = order_at(session, here, Status.IN_HAND)
    ask(session, order, here.county_clerk, line)
    refer: Callable[[Actor, str], object] = lambda actor, why: service.to_panel(  # noqa: E731
        session, order=order, actor=actor, now=SOON, reason=why, **WHEN
    )
    with pytest.raises(NotPermitted):
        refer(here.supervisor, "权属有争议")
    with pytest.raises(Invalid):
        refer(here.reviewer, "")
    refer(here.reviewer, "权属有争议")
    assert order.status == Status.PANEL
    assert order.events[-1].actor_role == "REV"
    assert order.requests[-1].kind == RequestKind.RETURN
    assert order.requests[-1].state == RequestState.GRANTED
