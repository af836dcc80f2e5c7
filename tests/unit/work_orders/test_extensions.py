"""More time is asked for before it is over, with a plan, twice at most, and the citizen hears of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.outbox import OutboxMessage
from hotline.work_orders import derivation, journal, queries, service, story
from hotline.work_orders.asks import extensions
from hotline.work_orders.models import OrderRequest, WorkOrder
from hotline.work_orders.states import Action, RequestState, Status
from tests.conftest import NOON
from tests.factories import people
from tests.factories.orders import CALENDAR, TZ, WHEN, caller, order_at, report_fields
from tests.factories.units import City, city

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# help, five working days from Wednesday 12:05: two in the afternoon of the Wednesday after
DUE = datetime(2026, 11, 25, 12, 0, tzinfo=TZ)
NEW = datetime(2026, 11, 30, 17, 30, tzinfo=TZ)


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


@pytest.fixture
def leader(session: Session, here: City) -> Actor:
    return people.actor(session, Role.U2L, unit=here.county, name="县长老郑")


def ask(session: Session, order: WorkOrder, actor: Actor, now: datetime = NOON + HOUR, **fields: Any) -> OrderRequest:
    asked = {"ground": "several", "plan": "分两段更换管道，11月30日前完工", "until": NEW, **fields}
    return service.ask_extension(session, order=order, actor=actor, now=now, **asked, **WHEN)


def grant(session: Session, order: WorkOrder, actor: Actor, now: datetime = NOON + 2 * HOUR) -> OrderRequest:
    return service.grant_extension(session, order=order, actor=actor, now=now, **WHEN)


def texts(session: Session) -> list[str]:
    sent = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "sms.send").order_by(OutboxMessage.id))
    return [row.payload["template"] for row in sent]


def pushes(session: Session) -> list[tuple[int, str]]:
    rows = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "order.push").order_by(OutboxMessage.id))
    return [(row.payload["unit_id"], row.payload["what"]) for row in rows]


def test_a_township_asks_its_leader_agrees_the_hub_grants(session: Session, here: City, leader: Actor):
    order = order_at(session, here, Status.IN_HAND_TIER3)
    county, township = order.sub_orders
    below = township.deadline_at
    assert order.deadline_at == DUE
    asked = ask(session, order, here.township_clerk)
    assert (asked.state, order.extension) == (RequestState.ASKED, "asked")
    assert (here.county.id, "extension_asked") in pushes(session)
    with pytest.raises(NotPermitted, match="二级单位负责人"):
        grant(session, order, here.supervisor)
    grant(session, order, leader)
    assert (asked.state, order.deadline_at) == (RequestState.PASSED, DUE)
    with pytest.raises(NotPermitted, match="督办员"):
        grant(session, order, leader)
    grant(session, order, here.supervisor)
    assert (asked.state, order.extension, order.extension_count) == (RequestState.GRANTED, "granted", 1)
    assert (order.deadline_at, order.original_deadline_at) == (NEW, DUE)
    assert county.deadline_at == NEW
    assert below is not None and township.deadline_at is not None
    assert below < township.deadline_at < NEW  # the county keeps its time to check
    assert order.step_due_at == township.deadline_at
    assert texts(session)[-1] == "extended"
    assert (asked.details["tell"], extensions.told_ground(order)) == ("text", "需多个单位配合")
    assert pushes(session)[-1] == (here.township.id, "extension_granted")
    assert derivation.differs(order, CALENDAR, TZ) == ""
    assert journal.verify(session) == []


def test_what_a_leader_asks_goes_to_the_hub_at_once(session: Session, here: City, leader: Actor):
    order = order_at(session, here, Status.IN_HAND)
    assert ask(session, order, leader).state == RequestState.PASSED
    grant(session, order, here.supervisor)
    assert order.deadline_at == NEW
    assert order.step_due_at == NEW


def test_two_extensions_and_no_third(session: Session, here: City, leader: Actor):
    order = order_at(session, here, Status.IN_HAND)
    for until in (NEW, NEW + 2 * DAY):
        ask(session, order, leader, until=until)
        grant(session, order, here.supervisor)
    assert (order.deadline_at, order.extension_count) == (NEW + 2 * DAY, 2)
    with pytest.raises(NotAllowedNow, match="最多延期 2 次"):
        ask(session, order, leader, until=NEW + 4 * DAY)
    assert Action.ASK_EXTENSION not in {action for action, _ in queries.allowed_actions(order, leader)}


def test_who_comes_after_the_deadline_comes_too_late(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND)
    ask(session, order, here.county_clerk, now=DUE)
    other = order_at(session, here, Status.IN_HAND, who=caller(session, "+8619900005678"))
    with pytest.raises(NotAllowedNow, match="到期之前"):
        ask(session, other, here.county_clerk, now=DUE + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"ground": "bored"}, "ground"),
        ({"plan": "  "}, "plan"),
        ({"plan": "字" * 501}, "plan"),
        ({"until": DUE}, "until"),
        ({"until": datetime(2026, 12, 2, 12, 1, tzinfo=TZ)}, "until"),  # five working days more are to noon
    ],
)
def test_a_request_says_why_how_and_until_when(session: Session, here: City, fields: dict[str, Any], fault: str):
    order = order_at(session, here, Status.IN_HAND)
    with pytest.raises(Invalid) as found:
        ask(session, order, here.county_clerk, **fields)
    assert set(found.value.details) == {fault}
    assert order.requests == []
    ask(session, order, here.county_clerk, until=datetime(2026, 12, 2, 12, 0, tzinfo=TZ))


def test_only_who_holds_the_order_asks(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND, assisting=True)
    for actor in (here.power_clerk, here.reviewer):
        with pytest.raises(NotPermitted):
            ask(session, order, actor)
    ask(session, order, here.county_clerk)
    with pytest.raises(NotAllowedNow, match="正在审批"):
        ask(session, order, here.county_clerk)


def test_a_refusal_is_told_to_the_unit_and_moves_nothing(session: Session, here: City, leader: Actor):
    order = order_at(session, here, Status.IN_HAND)
    ask(session, order, here.county_clerk)
    with pytest.raises(Invalid):
        service.refuse_extension(session, order=order, actor=leader, now=NOON + 2 * HOUR, reason=" ")
    service.refuse_extension(session, order=order, actor=leader, now=NOON + 2 * HOUR, reason="管材昨天已到")
    assert (order.deadline_at, order.extension, order.extension_count) == (DUE, "refused", 0)
    assert pushes(session)[-1] == (here.county.id, "extension_refused")
    assert "extended" not in texts(session)
    ask(session, order, leader)  # once more, better founded
    grant(session, order, here.supervisor)
    assert order.deadline_at == NEW


def test_a_date_that_passed_while_it_was_decided_is_not_granted(session: Session, here: City, leader: Actor):
    order = order_at(session, here, Status.IN_HAND)
    ask(session, order, leader)
    with pytest.raises(Invalid, match="日期已过"):
        grant(session, order, here.supervisor, now=NEW)


def test_a_date_the_order_has_anyway_is_not_granted(session: Session, here: City, leader: Actor):
    """It stood still while the hub thought it over, and has more time now than it asked for."""
    order = order_at(session, here, Status.IN_HAND)
    ask(session, order, leader, until=DUE + DAY)
    waits = {"ground": "supply", "waits_for": "管材到货", "review_at": NEW}
    service.ask_suspension(session, order=order, actor=leader, now=NOON + HOUR, **waits, **WHEN)
    service.suspend(session, order=order, actor=here.supervisor, now=NOON + HOUR, **WHEN)
    service.resume(session, order=order, actor=leader, now=NOON + 5 * DAY, **WHEN)
    assert order.deadline_at is not None
    assert order.deadline_at > DUE + DAY
    with pytest.raises(Invalid, match="不晚于现在的时限"):
        grant(session, order, here.supervisor, now=NOON + 5 * DAY)
    service.refuse_extension(session, order=order, actor=here.supervisor, now=NOON + 5 * DAY, reason="已有足够时间")
    assert order.extension == "refused"


def test_a_request_the_order_went_on_without_is_dropped(session: Session, here: City, leader: Actor):
    order = order_at(session, here, Status.IN_HAND, via_township=False)
    asked = ask(session, order, here.county_clerk)
    service.report(session, order=order, actor=here.county_clerk, now=NOON + 2 * HOUR, **report_fields(), **WHEN)
    assert (asked.state, order.extension) == (RequestState.DROPPED, "none")
    with pytest.raises(NotAllowedNow):
        grant(session, order, leader)


def test_who_cannot_be_written_to_is_called(session: Session, here: City, leader: Actor):
    """A landline shows no text; who left no number is not looked for."""
    for phone, how in (("+863182024114", "telephone"), (None, "nobody")):
        order = order_at(session, here, Status.IN_HAND, who=caller(session, phone))
        ask(session, order, leader)
        assert grant(session, order, here.supervisor).details["tell"] == how
    (waiting,) = extensions.to_tell(session)
    extensions.told(session, request=waiting, actor=here.callback_officer, now=NOON + 3 * HOUR)
    assert extensions.to_tell(session) == []
    with pytest.raises(NotAllowedNow):
        extensions.told(session, request=waiting, actor=here.callback_officer, now=NOON + 3 * HOUR)


def test_the_plan_is_read_by_the_hub_and_the_units_that_lead(session: Session, here: City, leader: Actor):
    order = order_at(session, here, Status.IN_HAND_TIER3, assisting=True)
    ask(session, order, here.township_clerk)

    def notes(actor: Actor) -> list[tuple[str, str]]:
        return story.story(session, order, actor)[-1].notes

    assert ("办理计划", "分两段更换管道，11月30日前完工") in notes(here.supervisor)
    assert notes(here.county_clerk) == notes(here.supervisor)
    assert notes(here.power_clerk) == []
    assert ("延期原因", "需多个单位配合") in story.story(session, order, here.power_clerk)[-1].facts
