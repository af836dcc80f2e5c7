"""Units tell how they get on and whom they wait for; those that wait for each other are brought together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotAllowedNow, NotFound, NotPermitted
from hotline.outbox import OutboxMessage
from hotline.units.models import Unit
from hotline.units.service import add_unit
from hotline.work_orders import journal, queries, service
from hotline.work_orders.asks import waits
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Action, Part, Status, SubState, Supervision
from tests.conftest import NOON
from tests.factories import people
from tests.factories.orders import WHEN, order_at, report_fields
from tests.factories.orders import caller as a_caller
from tests.factories.units import City, city

SOON = NOON + timedelta(hours=1)


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def office(session: Session, here: City, code: str, name: str) -> tuple[Unit, Actor]:
    unit = add_unit(session, code=code, name=name, parent=here.hub, kind="department")
    return unit, people.actor(session, Role.U2, unit=unit)


def tell(session: Session, order: WorkOrder, actor: Actor, waits_for: Unit | None = None, **fields: Any):
    fields = {"text": "正在核实", "now": SOON, **fields}
    waits_for_unit_id = waits_for.id if waits_for else None
    return service.progress(session, order=order, actor=actor, waits_for_unit_id=waits_for_unit_id, **fields, **WHEN)


def sent_to(session: Session, here: City, lead: Unit, *assisting: Unit, **fields: Any) -> WorkOrder:
    order = order_at(session, here, Status.TO_REVIEW, **fields)
    assisting_ids = [unit.id for unit in assisting]
    service.dispatch(
        session, order=order, actor=here.reviewer, now=NOON, lead_unit_id=lead.id, assisting_ids=assisting_ids, **WHEN
    )
    return order


def waiting(session: Session, order: WorkOrder) -> list[tuple[int, int]]:
    return [(wait.unit_id, wait.for_unit_id) for wait in waits.waits_of(session, order)]


def joins(order: WorkOrder) -> list[dict[str, Any]]:
    return [event.data for event in order.events if event.action == Action.JOIN]


def pushes(session: Session, order: WorkOrder) -> set[tuple[int, str]]:
    rows = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "order.push"))
    return {(row.payload["unit_id"], row.payload["what"]) for row in rows if row.payload["order_id"] == order.id}


def test_the_lost_marriage_certificate_gets_one_who_answers_for_it(session: Session, here: City):
    registry, registrar = office(session, here, "MZJ", "民政局婚姻登记处")
    police, officer = office(session, here, "GAJ", "公安局户政大队")
    order = sent_to(session, here, registry, police, content="结婚证丢失，登记处要求先改户口页，派出所要求先出结婚证")
    service.sign(session, order=order, actor=registrar, now=SOON)
    service.sign(session, order=order, actor=officer, now=SOON)
    tell(session, order, registrar, police, text="需户口婚姻状况页先更正")
    assert not order.joint
    assert waiting(session, order) == [(registry.id, police.id)]
    assert (police.id, "waited_for") in pushes(session, order)
    [told] = [item for item in queries.story(session, order, officer) if item.action == Action.PROGRESS]
    assert ("等待单位", "公安局户政大队") in told.facts
    assert told.notes == [("进展情况", "需户口婚姻状况页先更正")]

    tell(session, order, officer, registry, text="需先补领结婚证")
    assert order.joint
    assert order.supervision == Supervision.JOINT
    assert order.lead_unit is registry
    [join] = joins(order)
    assert join["lead"] == registry.id
    assert set(join["units"]) == {registry.id, police.id}
    assert {(registry.id, "joint"), (police.id, "joint")} <= pushes(session, order)
    assert ("互相等待", "公安局户政大队、民政局婚姻登记处") in queries.story(session, order, here.supervisor)[-1].facts

    tell(session, order, officer, registry, text="仍需结婚证")  # said once more: nothing new
    assert len(joins(order)) == 1
    done = SOON + timedelta(hours=20)
    service.report(session, order=order, actor=officer, now=done, **report_fields(contacted_at=SOON), **WHEN)
    assert waiting(session, order) == []
    service.report(session, order=order, actor=registrar, now=done, **report_fields(contacted_at=SOON), **WHEN)
    assert order.status == Status.TO_CHECK_HUB
    held = queries.held_minutes(order, done)
    assert sum(one.minutes for one in held) == int((done - order.created_at).total_seconds() // 60)
    assert journal.verify(session) == []


def test_two_orders_of_one_caller_that_wait_for_each_other_are_both_joint(session: Session, here: City):
    registry, registrar = office(session, here, "MZJ", "民政局婚姻登记处")
    police, officer = office(session, here, "GAJ", "公安局户政大队")
    one = sent_to(session, here, registry, who=a_caller(session))
    two = sent_to(session, here, police, who=a_caller(session))  # a second call, from the same number
    service.sign(session, order=one, actor=registrar, now=SOON)
    service.sign(session, order=two, actor=officer, now=SOON)
    tell(session, one, registrar, police)
    tell(session, two, officer, registry)
    for order, other in ((one, police), (two, registry)):
        assert order.joint
        assert joins(order)[0]["lead"] == registry.id  # of what was asked first
        part = next(sub for sub in order.sub_orders if sub.unit_id == other.id)
        assert (part.part, part.state, part.returnable) == (Part.ASSISTING, SubState.TO_SIGN, False)
        assert part.sign_due_at is not None
        assert (other.id, "to_sign") in pushes(session, order)
    assert (one.lead_unit, two.lead_unit) == (registry, police)
    assert journal.verify(session) == []


def test_orders_of_strangers_are_no_circle_but_merged_ones_are(session: Session, here: City):
    registry, registrar = office(session, here, "MZJ", "民政局婚姻登记处")
    police, officer = office(session, here, "GAJ", "公安局户政大队")
    one = sent_to(session, here, registry, who=a_caller(session, "+8619900000001", "甲"))
    two = sent_to(session, here, police, who=a_caller(session, "+8619900000002", "乙"))
    service.sign(session, order=one, actor=registrar, now=SOON)
    service.sign(session, order=two, actor=officer, now=SOON)
    tell(session, one, registrar, police)
    tell(session, two, officer, registry)
    assert not one.joint and not two.joint
    two.merged_into_id = one.id
    session.flush()
    tell(session, one, registrar, police, text="仍在等待")
    assert one.joint and two.joint


def released_to(session: Session, here: City, lead: Unit, *assisting: Unit) -> WorkOrder:
    """Return a confidential order of the caller of every other story, sent to these units in other words."""
    order = order_at(session, here, Status.TO_REVIEW, confidential=True)
    service.release(session, order=order, actor=here.reviewer, now=NOON, content="反映某单位办事拖延")
    assisting_ids = [unit.id for unit in assisting]
    service.dispatch(
        session, order=order, actor=here.reviewer, now=NOON, lead_unit_id=lead.id, assisting_ids=assisting_ids, **WHEN
    )
    return order


@pytest.mark.parametrize("confidential_closes_it", [True, False])
def test_no_circle_leads_a_unit_to_what_its_caller_told_in_confidence(
    session: Session, here: City, confidential_closes_it: bool
):
    """Whoever is drawn into a joint order reads it, and may know from its own order who called."""
    registry, registrar = office(session, here, "MZJ", "民政局婚姻登记处")
    police, officer = office(session, here, "GAJ", "公安局户政大队")
    told = sent_to(session, here, registry)
    whispered = released_to(session, here, police)
    service.sign(session, order=told, actor=registrar, now=SOON)
    service.sign(session, order=whispered, actor=officer, now=SOON)
    steps = [(told, registrar, police), (whispered, officer, registry)]
    for order, actor, waits_for in steps if confidential_closes_it else reversed(steps):
        tell(session, order, actor, waits_for)
    assert not told.joint and not whispered.joint
    assert not queries.sees(session, registrar, whispered)
    assert not queries.sees(session, officer, told)
    whispered.merged_into_id = told.id  # held for the same matter, it is told to nobody either
    session.flush()
    tell(session, told, registrar, police, text="仍在等待")
    assert not told.joint and not whispered.joint


def test_what_is_done_in_one_order_ends_no_wait_in_a_confidential_one(session: Session, here: City):
    registry, registrar = office(session, here, "MZJ", "民政局婚姻登记处")
    police, officer = office(session, here, "GAJ", "公安局户政大队")
    told = sent_to(session, here, registry)
    whispered = released_to(session, here, police)
    service.sign(session, order=told, actor=registrar, now=SOON)
    service.sign(session, order=whispered, actor=officer, now=SOON)
    tell(session, whispered, officer, registry)
    done = SOON + timedelta(hours=20)
    service.report(session, order=told, actor=registrar, now=done, **report_fields(contacted_at=SOON), **WHEN)
    assert waiting(session, whispered) == [(police.id, registry.id)]  # its end would tell that both have one caller


def test_units_of_one_confidential_order_that_wait_for_each_other_are_brought_together(session: Session, here: City):
    registry, registrar = office(session, here, "MZJ", "民政局婚姻登记处")
    police, officer = office(session, here, "GAJ", "公安局户政大队")
    order = released_to(session, here, registry, police)
    service.sign(session, order=order, actor=registrar, now=SOON)
    service.sign(session, order=order, actor=officer, now=SOON)
    tell(session, order, registrar, police)
    tell(session, order, officer, registry)
    assert order.joint
    assert set(joins(order)[0]["units"]) == {registry.id, police.id}


def test_a_longer_circle_through_a_station_is_found(session: Session, here: City):
    registry, registrar = office(session, here, "MZJ", "民政局")
    station = add_unit(session, code="JZ09", name="冀州派出所", parent=here.county, kind="township")
    stationed = people.actor(session, Role.U3, unit=station)
    order = sent_to(session, here, here.county, here.power)
    service.sign(session, order=order, actor=here.county_clerk, now=SOON)
    service.hand_down(session, order=order, actor=here.county_clerk, now=SOON, unit_id=station.id, **WHEN)
    service.sign(session, order=order, actor=stationed, now=SOON)
    service.sign(session, order=order, actor=here.power_clerk, now=SOON)
    other = sent_to(session, here, registry)
    service.sign(session, order=other, actor=registrar, now=SOON)
    tell(session, order, stationed, here.power)
    tell(session, order, here.power_clerk, registry)
    assert not order.joint
    tell(session, other, registrar, station)  # of the same caller; the station's wait counts as the county's
    assert order.joint and other.joint
    assert joins(other)[0]["units"] == [registry.id, here.county.id, here.power.id]
    assert {sub.unit_id for sub in other.sub_orders} == {registry.id, here.county.id, here.power.id}
    assert registry.id in {sub.unit_id for sub in order.sub_orders}


def test_a_wait_ends_when_another_is_told_or_the_unit_has_left(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND, assisting=True)
    service.sign(session, order=order, actor=here.power_clerk, now=SOON)
    tell(session, order, here.county_clerk, here.power)
    tell(session, order, here.county_clerk, here.other_county)
    assert waiting(session, order) == [(here.county.id, here.other_county.id)]
    tell(session, order, here.power_clerk, here.county)
    assert not order.joint  # the county does not wait for it any more
    tell(session, order, here.county_clerk)
    assert waiting(session, order) == [(here.power.id, here.county.id)]
    sub = next(one for one in order.sub_orders if one.unit_id == here.power.id)
    assert (sub.state, sub.progress_at) == (SubState.IN_HAND, SOON)
    sub.state = SubState.LEFT
    session.flush()
    assert waiting(session, order) == []


def test_progress_is_refused_in_words_where_it_makes_no_sense(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND_TIER3, assisting=True)
    for field, change in [
        ("text", {"text": "  "}),
        ("waits_for_unit", {"waits_for": here.township}),
        ("waits_for_unit", {"waits_for": here.county}),
        ("waits_for_unit", {"waits_for": here.hub}),
    ]:
        with pytest.raises(Invalid) as caught:
            tell(session, order, here.township_clerk, **change)
        assert set(caught.value.details) == {field}
    with pytest.raises(Invalid):
        service.progress(
            session,
            order=order,
            actor=here.township_clerk,
            now=SOON,
            text="等",
            waits_for_unit_id=987654,
            **WHEN,
        )
    with pytest.raises(NotAllowedNow):
        tell(session, order, here.power_clerk)  # it has not signed
    with pytest.raises(NotFound):
        tell(session, order, here.other_county_clerk)
    with pytest.raises(NotPermitted):
        tell(session, order, here.reviewer)


def test_a_supervisor_may_bring_units_together(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND)
    common: dict[str, Any] = {"order": order, "now": SOON, **WHEN}
    for unit_ids in ([], [987654], [here.township.id]):
        with pytest.raises(Invalid):
            service.join(session, actor=here.supervisor, unit_ids=unit_ids, reason="两家推诿", **common)
    with pytest.raises(Invalid):
        service.join(session, actor=here.supervisor, unit_ids=[here.power.id], reason="", **common)
    with pytest.raises(NotPermitted):
        service.join(session, actor=here.county_clerk, unit_ids=[here.power.id], reason="两家推诿", **common)
    service.join(session, actor=here.supervisor, unit_ids=[here.power.id], reason="两家推诿", **common)
    assert order.joint
    assert {sub.unit_id for sub in order.sub_orders if sub.part == Part.ASSISTING} == {here.power.id}
