"""What nobody wants is settled by a panel, and hard matters are gone through at meetings with minutes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.audit import AccessLog
from hotline.errors import Invalid, NotAllowedNow, NotFound, NotPermitted
from hotline.outbox import OutboxMessage
from hotline.units.models import ResponsibilityLine
from hotline.units.service import add_line, add_unit
from hotline.work_orders import journal, queries, service
from hotline.work_orders.asks import agenda, panels
from hotline.work_orders.asks.models import Panel
from hotline.work_orders.models import SubOrder, WorkOrder
from hotline.work_orders.states import Action, PanelState, Part, Status, SubState
from tests.conftest import NOON
from tests.factories import people
from tests.factories.orders import TZ, WHEN, order_at, report_fields
from tests.factories.units import WATER, City, city

SOON = NOON + timedelta(hours=1)
MEETING = NOON + timedelta(days=1)


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


@pytest.fixture
def panel_member(session: Session, here: City) -> Actor:
    return people.actor(session, Role.ADJ, name="会商组老郑")


@pytest.fixture
def line(session: Session) -> ResponsibilityLine:
    return add_line(
        session,
        version="2026-01",
        code="CG-07",
        matter="城市道路照明",
        category_code=WATER,
        lead_unit=None,
        valid_from=date(2026, 1, 1),
        now=NOON,
    )


def give_back(
    session: Session,
    order: WorkOrder,
    here: City,
    line: ResponsibilityLine,
    clerk: Actor,
    to: int,
    now: datetime,
    **fields: Any,
):
    service.ask_return(
        session,
        order=order,
        actor=clerk,
        now=now,
        responsibility_line_id=line.id,
        **{"ground": "duty", "reason": "不属本单位职责", "suggested_unit_id": to, **fields},
        **WHEN,
    )
    service.accept_return(
        session, order=order, actor=here.reviewer, now=now + timedelta(minutes=30), lead_unit_id=to, **WHEN
    )


def in_panel(session: Session, here: City, line: ResponsibilityLine) -> WorkOrder:
    order = order_at(session, here, Status.TO_SIGN)
    service.ask_return(
        session,
        order=order,
        actor=here.county_clerk,
        now=SOON,
        ground="ownership",
        responsibility_line_id=line.id,
        reason="管网权属不清",
        **WHEN,
    )
    service.to_panel(session, order=order, actor=here.reviewer, now=SOON, reason="两家各执一词", **WHEN)
    assert order.status == Status.PANEL
    return order


def designate(session: Session, order: WorkOrder, actor: Actor, lead: int, *assisting: int, **fields: Any):
    fields = {"now": MEETING, "reason": "按三定方案由其负责", **fields}
    return service.designate(
        session, order=order, actor=actor, lead_unit_id=lead, assisting_ids=assisting, **fields, **WHEN
    )


def live(order: WorkOrder) -> dict[int, SubOrder]:
    return {sub.unit_id: sub for sub in order.sub_orders if sub.state not in (SubState.LEFT, SubState.CLOSED)}


def minutes(order: WorkOrder, now: datetime) -> dict[str, int]:
    held = queries.held_minutes(order, now)
    assert sum(one.minutes for one in held) == int((now - order.created_at).total_seconds() // 60)
    return {one.unit_name or one.holder: one.minutes for one in held}


def test_the_street_lights_of_dezheng_road_find_who_answers_for_them(
    session: Session, here: City, panel_member: Actor, line: ResponsibilityLine
):
    lights = add_unit(session, code="CGJ", name="城管局", parent=here.hub, kind="department")
    keeper = people.actor(session, Role.U2, unit=lights)
    order = order_at(session, here, Status.TO_REVIEW, content="冀州区德政大道路灯不亮近一年", address="冀州区德政大道")
    deadline = order.deadline_at
    at = NOON + timedelta(minutes=10)
    service.dispatch(
        session, order=order, actor=here.reviewer, now=at, lead_unit_id=lights.id, assisting_ids=[here.power.id], **WHEN
    )
    deadline = order.deadline_at
    give_back(session, order, here, line, keeper, here.power.id, at + timedelta(minutes=50))
    assert (order.status, order.lead_unit) == (Status.TO_SIGN, here.power)
    give_back(session, order, here, line, here.power_clerk, lights.id, at + timedelta(minutes=120))

    assert order.status == Status.PANEL
    assert order.joint
    assert order.lead_unit is lights  # 首接, until the panel says otherwise
    assert order.events[-1].data["circle"] == [lights.id, here.power.id]
    assert order.deadline_at == deadline
    met = at + timedelta(minutes=400)
    designate(session, order, panel_member, lights.id, here.power.id, now=met)
    assert (order.status, order.lead_unit) == (Status.IN_HAND, lights)
    assert not order.returnable
    parts = live(order)
    assert (parts[lights.id].part, parts[lights.id].state) == (Part.LEAD, SubState.SIGNED)
    assert (parts[here.power.id].part, parts[here.power.id].state) == (Part.ASSISTING, SubState.TO_SIGN)
    for clerk in (keeper, here.power_clerk):
        assert Action.RETURN not in {action for action, _word in queries.allowed_actions(order, clerk)}
        with pytest.raises(NotAllowedNow, match="不能再退回"):
            service.ask_return(
                session,
                order=order,
                actor=clerk,
                now=met,
                ground="ownership",
                responsibility_line_id=line.id,
                reason="灯杆属电力公司",
                **WHEN,
            )
    done = met + timedelta(minutes=600)
    service.report(session, order=order, actor=keeper, now=done, **report_fields(contacted_at=met), **WHEN)
    service.approve(session, order=order, actor=here.reviewer, now=done, **WHEN)
    assert order.status == Status.TO_CALL_BACK
    assert order.deadline_at == deadline  # no bounce ever set it back
    held = minutes(order, done)
    assert held["hub"] == 10 + 30 + (400 - 120)
    assert held["城管局"] == 50 + 600
    assert held["电力公司"] == 120 - 80
    assert [turn.unit for turn in agenda.turns(session, order)] == ["城管局", "电力公司", "城管局"]
    assert journal.verify(session) == []


def test_a_unit_that_had_left_gets_a_new_part_and_those_not_named_go(
    session: Session, here: City, panel_member: Actor, line: ResponsibilityLine
):
    order = order_at(session, here, Status.IN_HAND, assisting=True)
    give_back(session, order, here, line, here.county_clerk, here.other_county.id, SOON)
    give_back(session, order, here, line, here.other_county_clerk, here.county.id, SOON + timedelta(hours=1))
    assert order.status == Status.PANEL
    designate(session, order, panel_member, here.other_county.id)
    parts = live(order)
    assert set(parts) == {here.other_county.id}
    assert [sub.state for sub in order.sub_orders if sub.unit_id == here.other_county.id] == ["left", "signed"]
    told = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "order.push")).all()
    assert (here.other_county.id, "designated") in {(row.payload["unit_id"], row.payload["what"]) for row in told}
    service.hand_down(
        session, order=order, actor=here.other_county_clerk, now=MEETING, unit_id=here.far_township.id, **WHEN
    )
    # the county must do it; its township may still say to the county that it is not its matter
    service.ask_return(
        session,
        order=order,
        actor=here.far_township_clerk,
        now=MEETING,
        ground="incomplete",
        responsibility_line_id=line.id,
        reason="没有写明地点",
        **WHEN,
    )
    assert order.status == Status.RETURN_ASKED


def test_an_assisting_unit_that_has_signed_goes_on_when_designated(
    session: Session, here: City, panel_member: Actor, line: ResponsibilityLine
):
    order = order_at(session, here, Status.TO_SIGN, assisting=True)
    service.sign(session, order=order, actor=here.power_clerk, now=SOON)
    asked = {"ground": "incomplete", "responsibility_line_id": line.id, "reason": "没有写明楼号"}
    service.ask_return(session, order=order, actor=here.county_clerk, now=SOON, **asked, **WHEN)
    service.ask_return(session, order=order, actor=here.power_clerk, now=SOON, **asked, **WHEN)
    service.to_panel(session, order=order, actor=here.reviewer, now=SOON, reason="各执一词", **WHEN)
    designate(session, order, panel_member, here.power.id, here.county.id)
    parts = live(order)
    assert (parts[here.power.id].part, parts[here.power.id].state) == (Part.LEAD, SubState.SIGNED)
    assert parts[here.county.id].part == Part.ASSISTING
    assert len([sub for sub in order.sub_orders if sub.unit_id == here.power.id]) == 1
    assert [row.state for row in order.requests] == ["granted", "dropped"]
    service.report(
        session, order=order, actor=here.power_clerk, now=MEETING, **report_fields(contacted_at=SOON), **WHEN
    )
    assert order.status == Status.TO_CHECK_HUB


def test_only_the_panel_designates_and_only_units_that_can_take_it(
    session: Session, here: City, panel_member: Actor, line: ResponsibilityLine
):
    order = in_panel(session, here, line)
    for actor in (here.reviewer, here.supervisor, here.county_clerk):
        with pytest.raises(NotPermitted):
            designate(session, order, actor, here.power.id)
    for field, lead, change in [
        ("lead_unit", 987654, {}),
        ("lead_unit", here.township.id, {}),
        ("reason", here.power.id, {"reason": " "}),
    ]:
        with pytest.raises(Invalid) as caught:
            designate(session, order, panel_member, lead, **change)
        assert field in caught.value.details
    assert order.status == Status.PANEL
    designate(session, order, panel_member, here.power.id)
    with pytest.raises(NotAllowedNow):
        designate(session, order, panel_member, here.county.id)


# ---- meetings


def test_a_meeting_has_what_waits_for_it_on_its_agenda_and_its_minutes_designate(
    session: Session, here: City, panel_member: Actor, line: ResponsibilityLine
):
    hard = order_at(session, here, Status.TO_REVIEW)
    service.dispatch(session, order=hard, actor=here.reviewer, now=NOON, lead_unit_id=here.power.id, hard=True, **WHEN)
    plain = order_at(session, here, Status.IN_HAND)
    waiting = in_panel(session, here, line)
    panel = service.plan_panel(
        session,
        actor=here.supervisor,
        now=SOON,
        held_at=MEETING,
        title="11月19日疑难工单会商",
        place="三楼会议室",
        attendants="编办、司法局",
    )
    assert [item.order for item in panel.items] == [waiting, hard]
    [first, second] = agenda.agenda(session, panel_member, panel.id, now=MEETING)
    assert [(turn.unit, turn.ground, turn.line, turn.reason) for turn in first.turns] == [
        ("冀州区政府", "权属不清", "2026-01 CG-07 城市道路照明", "管网权属不清"),
        ("冀州区政府", "", "", ""),
    ]
    assert sum(held.minutes for held in first.held) == int((MEETING - waiting.created_at).total_seconds() // 60)
    added = service.put_on_agenda(
        session, panel=panel, order=plain, actor=panel_member, now=SOON, question="是否列入年度计划"
    )
    assert added.position == 3
    service.take_off_agenda(session, item=second.item, actor=panel_member, now=SOON)
    assert [(item.order, item.position) for item in panel.items] == [(waiting, 1), (plain, 2)]

    common: dict[str, Any] = {"now": MEETING, **WHEN}
    with pytest.raises(NotPermitted):  # a supervisor keeps minutes; whom it falls to the panel's own people say
        service.minute(
            session, item=first.item, actor=here.supervisor, text="由电力公司办理", lead_unit_id=here.power.id, **common
        )
    with pytest.raises(Invalid, match="纪要"):
        service.close_panel(session, panel=panel, actor=panel_member, now=MEETING)
    service.minute(
        session, item=first.item, actor=panel_member, text="由电力公司办理", lead_unit_id=here.power.id, **common
    )
    assert (waiting.status, waiting.lead_unit) == (Status.IN_HAND, here.power)
    service.minute(session, item=added, actor=here.supervisor, text="列入2027年计划", **common)
    with pytest.raises(NotAllowedNow):
        service.take_off_agenda(session, item=added, actor=panel_member, now=MEETING)
    service.close_panel(session, panel=panel, actor=panel_member, now=MEETING)
    assert panel.state == PanelState.HELD
    with pytest.raises(NotAllowedNow, match="已经结束"):
        service.minute(session, item=added, actor=panel_member, text="再议", **common)
    acts = session.scalars(select(AccessLog.act).where(AccessLog.subject == "panel").order_by(AccessLog.id)).all()
    assert acts == ["plan_panel", "minute_panel", "minute_panel", "close_panel"]
    assert agenda.meetings(session, panel_member) == [panel]
    assert journal.verify(session) == []


def test_a_meeting_is_refused_in_words_what_makes_no_sense(session: Session, here: City, panel_member: Actor):
    with pytest.raises(Invalid) as caught:
        service.plan_panel(session, actor=panel_member, now=SOON, held_at=NOON, title=" ", place="地" * 81)
    assert set(caught.value.details) == {"held_at", "title", "place"}
    with pytest.raises(NotPermitted):
        service.plan_panel(session, actor=here.county_clerk, now=SOON, held_at=MEETING, title="会商")
    with pytest.raises(NotPermitted):
        agenda.meetings(session, here.county_clerk)
    with pytest.raises(NotFound):
        agenda.panel(session, panel_member, 987654)
    panel = service.plan_panel(session, actor=panel_member, now=SOON, held_at=MEETING, title="会商")
    with pytest.raises(NotAllowedNow):
        service.close_panel(session, panel=panel, actor=panel_member, now=SOON)
    with pytest.raises(Invalid):
        service.cancel_panel(session, panel=panel, actor=panel_member, now=SOON, reason="")
    service.cancel_panel(session, panel=panel, actor=panel_member, now=SOON, reason="与会单位时间冲突")
    order = order_at(session, here, Status.IN_HAND)
    with pytest.raises(NotAllowedNow, match="已经取消"):
        service.put_on_agenda(session, panel=panel, order=order, actor=panel_member, now=SOON)


def test_the_weekly_agenda_prepares_itself_once(session: Session, here: City, line: ResponsibilityLine):
    friday = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
    prepare: dict[str, Any] = {"now": friday, **WHEN}
    assert panels.prepare_periodic(session, **prepare) is None  # nothing to talk about
    first = in_panel(session, here, line)
    panel = panels.prepare_periodic(session, **prepare)
    assert panel is not None
    assert panel.held_at.astimezone(TZ) == datetime(2026, 11, 23, 9, 0, tzinfo=TZ)  # Monday
    assert [item.order for item in panel.items] == [first]
    second = in_panel(session, here, line)
    assert panels.prepare_periodic(session, **prepare) is panel
    assert panels.prepare_periodic(session, **prepare) is panel
    assert [item.order for item in panel.items] == [first, second]
    assert len(session.scalars(select(Panel)).all()) == 1


def test_what_the_list_should_say_reaches_its_keeper(session: Session, here: City, line: ResponsibilityLine):
    order = order_at(session, here, Status.TO_SIGN)
    service.ask_return(
        session,
        order=order,
        actor=here.county_clerk,
        now=SOON,
        ground="duty",
        responsibility_line_id=line.id,
        suggested_unit_id=here.power.id,
        reason="灯杆属电力公司",
        **WHEN,
    )
    service.accept_return(
        session,
        order=order,
        actor=here.reviewer,
        now=SOON,
        lead_unit_id=here.power.id,
        correction="CG-07 应注明城郊道路由电力公司负责",
        **WHEN,
    )
    [found] = agenda.corrections(session, here.reviewer)
    assert (found.order_no, found.line) == (order.order_no, "2026-01 CG-07 城市道路照明")
    assert found.words == "CG-07 应注明城郊道路由电力公司负责"
    with pytest.raises(NotPermitted):
        agenda.corrections(session, here.county_clerk)
