"""One order from the hub to the township and back to the citizen."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.accounts.roles import Role
from hotline.accounts.service import SYSTEM
from hotline.errors import Invalid, NotAllowedNow, NotFound, NotPermitted
from hotline.outbox import OutboxMessage
from hotline.units.service import add_unit, set_active
from hotline.work_orders import journal, queries, service
from hotline.work_orders.models import Report, SubOrder
from hotline.work_orders.states import Action, CloseKind, Status, SubState
from tests.conftest import NOON
from tests.factories import people
from tests.factories.orders import WHEN, order_at, report_fields
from tests.factories.units import City, city

HOUR = timedelta(hours=1)
LATER = NOON + 3 * HOUR


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def pushes(session: Session) -> list[tuple[int, str]]:
    rows = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "order.push").order_by(OutboxMessage.id))
    return [(row.payload["unit_id"], row.payload["what"]) for row in rows]


def topics(session: Session) -> list[str]:
    return list(session.scalars(select(OutboxMessage.topic).order_by(OutboxMessage.id)))


def heard(session: Session, order, here: City, now=LATER, **said):
    answer = {"satisfaction": "satisfied", "solved": "yes", "contacted": True, "round": order.round, **said}
    return service.record_evaluation(session, order=order, actor=here.callback_officer, now=now, **answer, **WHEN)


def test_the_whole_line_from_hub_to_township_to_citizen(session: Session, here: City):
    order = order_at(session, here, Status.TO_CALL_BACK)
    heard(session, order, here)
    assert (order.status, order.close_kind) == (Status.CLOSED, CloseKind.EVALUATED)
    assert (order.first_satisfaction, order.final_satisfaction, order.final_solved) == ("satisfied", "satisfied", "yes")
    assert {sub.state for sub in order.sub_orders} == {SubState.CLOSED}
    assert [event.to_status for event in order.events] == [
        "draft",
        "to_review",
        "to_sign",
        "in_hand",
        "to_sign_tier3",
        "in_hand_tier3",
        "to_check_tier2",
        "to_check_hub",
        "to_call_back",
        "closed",
    ]
    assert pushes(session) == [
        (here.county.id, "to_sign"),
        (here.township.id, "to_sign"),
        (here.county.id, "to_check"),
    ]
    assert topics(session).count("callback.open") == 1
    assert topics(session).count("sms.send") == 2
    assert journal.verify(session) == []
    with pytest.raises(NotAllowedNow, match="30 天"):
        service.archive(session, order=order, actor=SYSTEM, now=LATER + timedelta(days=29))
    service.archive(session, order=order, actor=SYSTEM, now=LATER + timedelta(days=30))
    assert order.status == Status.ARCHIVED
    assert order.closed_at == LATER


def test_tier_two_may_handle_it_itself(session: Session, here: City):
    order = order_at(session, here, Status.TO_CALL_BACK, via_township=False)
    assert [sub.tier for sub in order.sub_orders] == [2]
    assert "to_check_tier2" not in [event.to_status for event in order.events]


def test_an_order_to_a_unit_without_anybody_is_said_before_anything_is_written(session: Session, here: City):
    empty = add_unit(session, code="XX", name="水务集团", parent=here.hub)
    order = order_at(session, here, Status.TO_REVIEW)
    events, outgoing = len(order.events), len(topics(session))
    with pytest.raises(Invalid, match="水务集团没有可签收的人员，工单不会发出"):
        service.dispatch(session, order=order, actor=here.reviewer, now=LATER, lead_unit_id=empty.id, **WHEN)
    assert order.status == Status.TO_REVIEW
    assert len(order.events) == events
    assert len(topics(session)) == outgoing
    assert session.scalar(select(func.count()).select_from(SubOrder)) == 0


def test_every_unit_at_fault_is_named(session: Session, here: City):
    set_active(session, unit=here.power, active=False)
    order = order_at(session, here, Status.TO_REVIEW)
    with pytest.raises(Invalid) as caught:
        service.dispatch(
            session,
            order=order,
            actor=here.reviewer,
            now=LATER,
            lead_unit_id=here.township.id,
            assisting_ids=[here.power.id, 999],
            **WHEN,
        )
    assert caught.value.details["lead_unit"] == "冀州镇不是二级承办单位，不能直接派单"
    assert caught.value.details["assisting"] == "电力公司已停用，工单不会发出；没有编号 999 的单位"
    with pytest.raises(Invalid, match="重复"):
        service.dispatch(
            session,
            order=order,
            actor=here.reviewer,
            now=LATER,
            lead_unit_id=here.county.id,
            assisting_ids=[here.county.id],
            **WHEN,
        )
    with pytest.raises(Invalid, match="责任清单"):
        service.dispatch(
            session,
            order=order,
            actor=here.reviewer,
            now=LATER,
            lead_unit_id=here.county.id,
            responsibility_line_id=77,
            **WHEN,
        )


def test_an_urgent_order_is_to_be_signed_within_the_half_hour(session: Session, here: City):
    order = order_at(session, here, Status.TO_SIGN, urgency="urgent")
    assert order.step_due_at == order.dispatched_at + timedelta(minutes=30)
    service.sign(session, order=order, actor=here.county_clerk, now=order.dispatched_at + timedelta(minutes=31))
    assert order.events[-1].data["in_time"] is False


def test_naming_an_order_hard_lengthens_its_limit(session: Session, here: City):
    order = order_at(session, here, Status.TO_REVIEW)
    before = order.deadline_at
    service.dispatch(
        session, order=order, actor=here.reviewer, now=LATER, lead_unit_id=here.county.id, hard=True, **WHEN
    )
    assert order.deadline_at > before
    assert order.sub_orders[0].deadline_at == order.deadline_at


def test_an_assisting_unit_signs_and_reports_its_own_part_only(session: Session, here: City):
    order = order_at(session, here, Status.TO_SIGN, assisting=True)
    service.sign(session, order=order, actor=here.power_clerk, now=LATER)
    assert order.status == Status.TO_SIGN
    assisting = next(sub for sub in order.sub_orders if sub.part == "assisting")
    assert (assisting.state, assisting.signed_at) == (SubState.SIGNED, LATER)
    with pytest.raises(NotAllowedNow):
        service.sign(session, order=order, actor=here.power_clerk, now=LATER)
    service.sign(session, order=order, actor=here.county_clerk, now=LATER)
    service.report(session, order=order, actor=here.power_clerk, now=LATER, **report_fields(), **WHEN)
    assert (order.status, assisting.state) == (Status.IN_HAND, SubState.REPORTED)
    # the lead reads what the assisting unit found; the citizen's holder is the lead all along
    notes = queries.story(session, order, here.county_clerk)[-1].notes
    assert ("办理情况", "更换DN40闸阀一只") in notes
    assert {span.unit_id for span in order.spans if span.holder == "unit"} == {here.county.id}
    assert journal.verify(session) == []


def test_an_assisting_county_hands_its_part_down_to_its_own_township(session: Session, here: City):
    order = order_at(session, here, Status.TO_REVIEW)
    service.dispatch(
        session,
        order=order,
        actor=here.reviewer,
        now=LATER,
        lead_unit_id=here.power.id,
        assisting_ids=[here.county.id],
        **WHEN,
    )
    service.sign(session, order=order, actor=here.county_clerk, now=LATER)
    service.hand_down(session, order=order, actor=here.county_clerk, now=LATER, unit_id=here.township.id, **WHEN)
    service.sign(session, order=order, actor=here.township_clerk, now=LATER)
    assert order.status == Status.TO_SIGN
    assert [(sub.unit.name, sub.part, sub.state) for sub in order.sub_orders] == [
        ("电力公司", "lead", "to_sign"),
        ("冀州区政府", "assisting", "in_hand"),
        ("冀州镇", "assisting", "signed"),
    ]
    assert journal.verify(session) == []


def test_a_unit_hands_down_only_into_its_own_subtree(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND)
    empty = add_unit(session, code="JZ09", name="空镇", parent=here.county)
    for unit, words in (
        (here.far_township, "下属"),
        (here.county, "下属"),
        (here.power, "下属"),
        (empty, "没有可签收的人员"),
    ):
        with pytest.raises(Invalid, match=words):
            service.hand_down(session, order=order, actor=here.county_clerk, now=LATER, unit_id=unit.id, **WHEN)
    assert order.status == Status.IN_HAND


def test_a_sub_deadline_never_reaches_past_what_is_left(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND)
    down = {"session": session, "order": order, "actor": here.county_clerk, "now": LATER, "unit_id": here.township.id}
    with pytest.raises(Invalid, match="办理时限最晚到 2026年11月25日"):
        service.hand_down(due_at=order.deadline_at + HOUR, **down, **WHEN)
    with pytest.raises(Invalid, match="现在之后"):
        service.hand_down(due_at=LATER, **down, **WHEN)
    service.hand_down(**down, **WHEN)
    below = order.sub_orders[-1]
    assert below.deadline_at == order.deadline_at - timedelta(days=1)  # a working day is kept for checking


def test_an_overdue_order_can_still_be_handed_down(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND)
    late = order.deadline_at + timedelta(days=3)
    service.hand_down(session, order=order, actor=here.county_clerk, now=late, unit_id=here.township.id, **WHEN)
    assert order.sub_orders[-1].deadline_at == order.deadline_at


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"public_reply": "请联系王主任19900001234"}, "public_reply"),
        ({"public_reply": "户主身份证131182198001012345已核实"}, "public_reply"),
        ({"public_reply": "  "}, "public_reply"),
        ({"solved": "no"}, "unsolved_reason"),
        ({"solved": "maybe"}, "solved"),
        ({"contact_way": ""}, "contact_way"),
        ({"contacted_at": None}, "contacted_at"),
        ({"contacted_at": LATER + HOUR}, "contacted_at"),
    ],
)
def test_a_report_that_will_not_do_names_what_is_wrong(session: Session, here: City, changes: dict, named: str):
    order = order_at(session, here, Status.IN_HAND_TIER3)
    with pytest.raises(Invalid) as caught:
        service.report(session, order=order, actor=here.township_clerk, now=LATER, **report_fields(**changes), **WHEN)
    assert list(caught.value.details) == [named]
    assert "19900001234" not in str(caught.value)
    assert order.status == Status.IN_HAND_TIER3
    assert session.scalar(select(func.count()).select_from(Report)) == 0


def test_a_county_sends_its_townships_report_back_with_a_reason(session: Session, here: City):
    order = order_at(session, here, Status.TO_CHECK_TIER2)
    with pytest.raises(Invalid, match="驳回原因"):
        service.reject(session, order=order, actor=here.county_clerk, now=LATER, reason=" ")
    service.reject(session, order=order, actor=here.county_clerk, now=LATER, reason="没有附现场照片")
    assert order.status == Status.IN_HAND_TIER3
    assert [event.to_status for event in order.events][-2:] == ["sent_back", "in_hand_tier3"]
    assert pushes(session)[-1] == (here.township.id, "sent_back")
    told = queries.story(session, order, here.township_clerk)[-2]
    assert ("原因", "没有附现场照片") in told.notes
    assert order.spans[-1].unit_id == here.township.id
    service.report(session, order=order, actor=here.township_clerk, now=LATER, **report_fields(), **WHEN)
    assert order.status == Status.TO_CHECK_TIER2


def test_the_hubs_rejection_goes_to_whoever_reported(session: Session, here: City):
    by_township = order_at(session, here, Status.TO_CHECK_HUB)
    service.reject(session, order=by_township, actor=here.reviewer, now=LATER, reason="答非所问")
    assert by_township.status == Status.IN_HAND_TIER3
    by_county = order_at(session, here, Status.TO_CHECK_HUB, via_township=False)
    service.reject(session, order=by_county, actor=here.reviewer, now=LATER, reason="答非所问")
    assert by_county.status == Status.IN_HAND
    service.report(session, order=by_county, actor=here.county_clerk, now=LATER, **report_fields(), **WHEN)
    assert by_county.status == Status.TO_CHECK_HUB


def test_a_dissatisfied_citizen_has_it_redone_in_half_the_time(session: Session, here: City):
    order = order_at(session, here, Status.TO_CALL_BACK, demand_type="consult")
    given = order.deadline_at
    late = given + timedelta(days=10)
    heard(session, order, here, now=late, satisfaction="dissatisfied", solved="no", reasons=["not_solved"])
    assert (order.status, order.redo_count) == (Status.IN_HAND_TIER3, 1)
    assert [event.to_status for event in order.events][-2:] == ["redo", "in_hand_tier3"]
    assert order.deadline_at > late  # half of one working day: 3.5 hours
    assert order.original_deadline_at == given
    assert order.sub_orders[-1].deadline_at == order.deadline_at
    assert pushes(session)[-1] == (here.township.id, "redo")
    assert order.first_satisfaction == "dissatisfied"
    assert order.final_satisfaction == ""


def test_a_redo_never_takes_back_time_already_given(session: Session, here: City):
    order = order_at(session, here, Status.TO_CALL_BACK, demand_type="complaint")
    given = order.deadline_at
    heard(session, order, here, satisfaction="dissatisfied", solved="no")
    assert order.deadline_at == given


def test_after_two_redos_it_closes_for_a_supervisor(session: Session, here: City):
    order = order_at(session, here, Status.TO_CALL_BACK)
    for number in (1, 2):
        now = LATER + number * HOUR
        heard(session, order, here, now=now, satisfaction="dissatisfied", solved="no")
        assert order.redo_count == number
        service.report(session, order=order, actor=here.township_clerk, now=now, **report_fields(), **WHEN)
        service.approve(session, order=order, actor=here.county_clerk, now=now, **WHEN)
        service.approve(session, order=order, actor=here.reviewer, now=now, **WHEN)
    heard(session, order, here, now=LATER + 4 * HOUR, satisfaction="dissatisfied", solved="no")
    assert (order.status, order.close_kind) == (Status.CLOSED, CloseKind.REDO_EXHAUSTED)
    assert (order.final_satisfaction, order.supervision) == ("dissatisfied", "blue")
    assert queries.to_supervise(session, here.supervisor).items == [order]
    assert journal.verify(session) == []


@pytest.mark.parametrize(
    ("satisfaction", "solved", "contacted", "what"),
    [
        ("satisfied", "no", False, Action.CLOSE),
        ("fair", "partly", True, Action.CLOSE),
        ("satisfied", "", None, Action.CLOSE),  # by keypad
        ("dissatisfied", "yes", True, Action.CLOSE),  # solved is enough
        ("dissatisfied", "yes", False, Action.REDO),
        ("dissatisfied", "partly", True, Action.REDO),
        ("dissatisfied", "impossible", True, Action.REDO),
        ("none", "yes", True, Action.CLOSE),
        ("none", "", None, Action.CLOSE),
        ("none", "no", True, Action.REDO),
    ],
)
def test_what_a_verdict_leads_to(session: Session, here: City, satisfaction, solved, contacted, what):
    order = order_at(session, here, Status.TO_CALL_BACK)
    heard(session, order, here, satisfaction=satisfaction, solved=solved, contacted=contacted)
    assert order.status == (Status.CLOSED if what == Action.CLOSE else Status.IN_HAND_TIER3)


def test_an_evaluation_delivered_twice_acts_once(session: Session, here: City):
    order = order_at(session, here, Status.TO_CALL_BACK)
    for _ in range(2):
        heard(session, order, here, round=1, satisfaction="dissatisfied", solved="no")
    assert order.redo_count == 1
    closed = order_at(session, here, Status.TO_CALL_BACK)
    heard(session, closed, here, round=1)
    events = len(closed.events)
    heard(session, closed, here, round=1, satisfaction="dissatisfied", solved="no")
    assert len(closed.events) == events
    assert closed.final_satisfaction == "satisfied"


def test_who_could_not_be_reached_is_never_counted_as_satisfied(session: Session, here: City):
    order = order_at(session, here, Status.TO_CALL_BACK)
    service.not_reached(session, order=order, actor=SYSTEM, now=LATER, round=1)
    assert (order.status, order.close_kind) == (Status.CLOSED, CloseKind.NOT_REACHED)
    assert (order.first_satisfaction, order.final_satisfaction) == ("none", "none")
    with pytest.raises(Invalid):
        service.not_reached(session, order=order, actor=SYSTEM, now=LATER, round=1, kind=CloseKind.EVALUATED)


def test_what_the_caller_adds_reaches_every_unit_that_holds_the_order(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND_TIER3, assisting=True)
    service.supplement(session, order=order, actor=here.operator, now=LATER, text="三单元也停了", **WHEN)
    service.urge(session, order=order, actor=here.operator, now=LATER)
    holding = [here.county.id, here.power.id, here.township.id]
    assert [unit for unit, what in pushes(session) if what == "supplement"] == holding
    assert [unit for unit, what in pushes(session) if what == "urge"] == holding
    assert order.status == Status.IN_HAND_TIER3
    item = queries.story(session, order, here.power_clerk)[-2]
    assert item.notes == [("补充内容", "三单元也停了")]
    with pytest.raises(Invalid):
        service.supplement(session, order=order, actor=here.operator, now=LATER, text="", **WHEN)
    assert journal.verify(session) == []


def test_what_is_not_allowed_now_says_what_is(session: Session, here: City):
    order = order_at(session, here, Status.TO_SIGN)
    with pytest.raises(NotAllowedNow) as caught:
        service.report(session, order=order, actor=here.county_clerk, now=LATER, **report_fields(), **WHEN)
    assert caught.value.message == "工单待签收，不能反馈结果；现在可以：签收、申请退回"
    assert caught.value.details["allowed"] == ["签收", "申请退回"]
    assert queries.allowed_actions(order, here.county_clerk) == [(Action.SIGN, "签收"), (Action.RETURN, "申请退回")]


def test_every_step_belongs_to_one_role_of_one_unit(session: Session, here: City):
    order = order_at(session, here, Status.TO_SIGN)
    with pytest.raises(NotFound):
        service.sign(session, order=order, actor=here.other_county_clerk, now=LATER)
    with pytest.raises(NotPermitted):
        service.sign(session, order=order, actor=here.operator, now=LATER)
    with pytest.raises(NotFound):
        service.sign(session, order=order, actor=here.township_clerk, now=LATER)
    pretender = people.actor(session, Role.U3, unit=here.county)
    with pytest.raises(NotPermitted):
        service.sign(session, order=order, actor=pretender, now=LATER)
    service.sign(session, order=order, actor=here.county_clerk, now=LATER)
    service.hand_down(session, order=order, actor=here.county_clerk, now=LATER, unit_id=here.township.id, **WHEN)
    with pytest.raises(NotPermitted):  # tier 2 does not sign for its tier 3
        service.sign(session, order=order, actor=here.county_clerk, now=LATER)
    assert order.status == Status.TO_SIGN_TIER3


def test_an_orders_own_time_never_runs_backward(session: Session, here: City):
    order = order_at(session, here, Status.TO_SIGN)
    service.sign(session, order=order, actor=here.county_clerk, now=NOON - HOUR)  # another machine's slow clock
    assert order.events[-1].at == order.events[-2].at
    assert sum(held.minutes for held in queries.held_minutes(order, LATER)) == 180


def test_every_minute_is_charged_to_somebody(session: Session, here: City):
    order = order_at(session, here, Status.TO_CALL_BACK, step=timedelta(seconds=90))
    heard(session, order, here, now=NOON + HOUR)
    held = {(item.holder, item.unit_name): item.minutes for item in queries.held_minutes(order, LATER)}
    assert sum(held.values()) == 60
    assert set(held) == {("hub", ""), ("unit", "冀州区政府"), ("unit", "冀州镇")}


def test_users_who_left_keep_their_name_in_the_story(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND)
    session.get_one(User, here.county_clerk.user_id).active = False
    assert queries.story(session, order, here.supervisor)[-1].who.startswith("冀州区政府")
