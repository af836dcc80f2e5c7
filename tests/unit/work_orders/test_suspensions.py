"""An objective condition stops the clock until a date; the minutes are charged to the pause and nobody else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import SYSTEM, Actor
from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.work_orders import boards, derivation, journal, queries, service
from hotline.work_orders.models import OrderRequest, WorkOrder
from hotline.work_orders.states import Holder, RequestState, Status, Supervision
from hotline.work_orders.supervision import timers
from tests.conftest import NOON
from tests.factories import people
from tests.factories.orders import CALENDAR, TZ, WHEN, order_at
from tests.factories.units import City, city

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
DUE = datetime(2026, 11, 25, 12, 0, tzinfo=TZ)
THEN = datetime(2026, 12, 7, 9, 0, tzinfo=TZ)


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


@pytest.fixture
def leader(session: Session, here: City) -> Actor:
    return people.actor(session, Role.U2L, unit=here.county, name="县长老郑")


def ask(session: Session, order: WorkOrder, actor: Actor, now: datetime = NOON + HOUR, **fields: Any) -> OrderRequest:
    asked = {"ground": "season", "waits_for": "气温回升后方可铺设沥青", "review_at": THEN, **fields}
    return service.ask_suspension(session, order=order, actor=actor, now=now, **asked, **WHEN)


def suspend(session: Session, order: WorkOrder, actor: Actor, now: datetime) -> WorkOrder:
    return service.suspend(session, order=order, actor=actor, now=now, **WHEN)


def resume(session: Session, order: WorkOrder, actor: Actor, now: datetime) -> WorkOrder:
    return service.resume(session, order=order, actor=actor, now=now, **WHEN)


def test_an_order_stands_still_and_goes_on_with_what_it_had_left(session: Session, here: City, leader: Actor):
    order = order_at(session, here, Status.IN_HAND_TIER3)
    county, township = order.sub_orders
    below = township.deadline_at
    assert below is not None
    thursday = datetime(2026, 11, 19, 12, 0, tzinfo=TZ)
    asked = ask(session, order, leader)
    suspend(session, order, here.supervisor, thursday)
    assert (order.status, order.step_due_at, asked.state) == (Status.SUSPENDED, THEN, RequestState.GRANTED)
    assert order.deadline_at == DUE
    assert derivation.paused_since(order) == thursday
    resume(session, order, SYSTEM, THEN)
    # four working days were left at Thursday noon; from Monday 9:00 they end on Friday at 9:00
    assert (order.status, order.deadline_at) == (Status.IN_HAND_TIER3, datetime(2026, 12, 11, 9, 0, tzinfo=TZ))
    assert order.original_deadline_at == order.deadline_at  # no fault of the unit's: its first deadline moves as well
    assert county.deadline_at == order.deadline_at
    assert township.deadline_at is not None and order.step_due_at == township.deadline_at
    assert township.deadline_at - below == order.deadline_at - DUE
    held = {span.holder: (span.from_at, span.to_at) for span in order.spans}
    assert held[Holder.PAUSE] == (thursday, THEN)
    assert derivation.differs(order, CALENDAR, TZ) == ""
    assert journal.verify(session) == []


def test_the_leader_asks_the_hub_decides_and_either_takes_it_up_early(session: Session, here: City, leader: Actor):
    order = order_at(session, here, Status.IN_HAND)
    with pytest.raises(NotPermitted):
        ask(session, order, here.county_clerk)
    with pytest.raises(NotAllowedNow, match="没有待审批"):
        suspend(session, order, here.supervisor, NOON + HOUR)
    ask(session, order, leader)
    with pytest.raises(NotPermitted):
        suspend(session, order, leader, NOON + HOUR)
    suspend(session, order, here.supervisor, NOON + 2 * HOUR)
    with pytest.raises(NotPermitted):
        resume(session, order, here.county_clerk, NOON + DAY)
    resume(session, order, leader, NOON + DAY)
    assert order.status == Status.IN_HAND


def test_a_suspension_taken_back_at_once_changes_nothing(session: Session, here: City, leader: Actor):
    order = order_at(session, here, Status.IN_HAND_TIER3)
    before = [order.deadline_at, *(sub.deadline_at for sub in order.sub_orders)]
    ask(session, order, leader)
    suspend(session, order, here.supervisor, NOON + 2 * HOUR)
    resume(session, order, here.supervisor, NOON + 2 * HOUR)
    assert [order.deadline_at, *(sub.deadline_at for sub in order.sub_orders)] == before


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"ground": "mood"}, "ground"),
        ({"waits_for": " "}, "waits_for"),
        ({"waits_for": "字" * 501}, "waits_for"),
        ({"review_at": NOON}, "review_at"),
        ({"review_at": NOON + HOUR + 30 * DAY + timedelta(seconds=1)}, "review_at"),
    ],
)
def test_a_request_names_the_ground_what_is_waited_for_and_a_date(
    session: Session, here: City, leader: Actor, fields: dict[str, Any], fault: str
):
    order = order_at(session, here, Status.IN_HAND)
    with pytest.raises(Invalid) as found:
        ask(session, order, leader, **fields)
    assert set(found.value.details) == {fault}


def test_a_refused_suspension_lets_the_clock_run_on(session: Session, here: City, leader: Actor):
    order = order_at(session, here, Status.IN_HAND)
    asked = ask(session, order, leader)
    service.refuse_suspension(session, order=order, actor=here.supervisor, now=NOON + 2 * HOUR, reason="可先铺冷补料")
    assert (asked.state, order.status, order.deadline_at) == (RequestState.REFUSED, Status.IN_HAND, DUE)
    assert [span.holder for span in order.spans][-1] == Holder.UNIT
    ask(session, order, leader)


def test_an_order_already_late_gets_nothing_back_by_standing_still(session: Session, here: City, leader: Actor):
    order = order_at(session, here, Status.IN_HAND)
    late = DUE + DAY
    ask(session, order, leader, now=late)
    suspend(session, order, here.supervisor, late)
    resume(session, order, here.supervisor, THEN)
    assert order.deadline_at == DUE


def test_a_date_that_passed_while_it_was_decided_is_not_granted(session: Session, here: City, leader: Actor):
    order = order_at(session, here, Status.IN_HAND)
    ask(session, order, leader)
    with pytest.raises(Invalid, match="复核日期已过"):
        suspend(session, order, here.supervisor, THEN)


def test_the_minutes_of_every_holder_add_up(session: Session, here: City, leader: Actor):
    order = order_at(session, here, Status.IN_HAND)
    ask(session, order, leader)
    suspend(session, order, here.supervisor, NOON + 2 * HOUR)
    resume(session, order, leader, NOON + DAY)
    now = NOON + 2 * DAY
    assert sum(held.minutes for held in queries.held_minutes(order, now)) == (now - NOON).total_seconds() / 60


def test_nobody_is_late_while_the_clock_stands_still(session: Session, here: City, leader: Actor):
    order = order_at(session, here, Status.IN_HAND)
    ask(session, order, leader)
    suspend(session, order, here.supervisor, NOON + 2 * HOUR)
    past = DUE + 5 * DAY
    assert order.paused
    assert boards.lights(session, past) == boards.Lights(0, 0, 0)
    assert queries.inbox_counts(session, here.county_clerk, now=past)["overdue"] == 0
    resume(session, order, leader, past)
    assert queries.inbox_counts(session, here.county_clerk, now=past)["overdue"] == 0  # it has its four days and more
    later = past + 20 * DAY
    assert queries.inbox_counts(session, here.county_clerk, now=later)["overdue"] == 1
    assert boards.lights(session, later).red == 1


def test_a_unit_that_could_not_sign_in_the_pause_has_left_what_it_had_left(session: Session, here: City, leader: Actor):
    order = order_at(session, here, Status.IN_HAND, assisting=True)
    part = next(sub for sub in order.sub_orders if sub.unit_id == here.power.id)
    assert part.sign_due_at == datetime(2026, 11, 19, 12, 0, tzinfo=TZ)  # one working day
    ask(session, order, leader)
    suspend(session, order, here.supervisor, datetime(2026, 11, 19, 11, 0, tzinfo=TZ))
    with pytest.raises(NotAllowedNow):
        service.sign(session, order=order, actor=here.power_clerk, now=THEN - DAY)
    resume(session, order, SYSTEM, THEN)
    assert part.sign_due_at == THEN + HOUR
    timers.look(session, order=order, now=THEN, calendar=CALENDAR, tz=TZ)
    assert order.supervision == Supervision.NONE
    service.sign(session, order=order, actor=here.power_clerk, now=THEN + HOUR)
    assert order.events[-1].data["in_time"]
    assert derivation.differs(order, CALENDAR, TZ) == ""
    assert journal.verify(session) == []
