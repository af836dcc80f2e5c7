"""What stands still goes on by itself when its day has come, and calendars that are published reach open orders."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from hotline.accounts.roles import Role
from hotline.bootstrap import Runtime
from hotline.calendars.china import ChinaCalendar
from hotline.db import session_scope
from hotline.work_orders import derivation, journal, service
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import CloseKind, Status
from tests.conftest import NOON
from tests.factories import people
from tests.factories.orders import CALENDAR, TZ, WHEN, order_at
from tests.factories.units import City
from tests.workers.conftest import Clock
from workers import schedule, waiting

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def states(runtime: Runtime) -> list[str]:
    with session_scope(runtime.sessions) as session:
        assert journal.verify(session) == []
        return list(session.scalars(select(WorkOrder.status).order_by(WorkOrder.id)))


def suspended(runtime: Runtime, place: City, until: datetime) -> int:
    with session_scope(runtime.sessions) as session:
        order = order_at(session, place, Status.IN_HAND)
        leader = people.actor(session, Role.U2L, unit=place.county)
        asked = {"ground": "court", "waits_for": "法院判决", "review_at": until}
        service.ask_suspension(session, order=order, actor=leader, now=NOON + HOUR, **asked, **WHEN)
        service.suspend(session, order=order, actor=place.supervisor, now=NOON + HOUR, **WHEN)
        return order.id


def test_the_timetable_ends_waits_and_recounts() -> None:
    jobs = {entry.job: entry.when for entry in schedule.TIMETABLE}
    assert jobs["workers.waiting.end_waits"] == schedule.Every(timedelta(minutes=5))
    assert isinstance(jobs["workers.waiting.recount_deadlines"], schedule.Daily)


def test_a_suspended_order_is_in_hand_again_on_its_date(runtime: Runtime, place: City, clock: Clock) -> None:
    suspended(runtime, place, NOON + 5 * DAY)
    clock.now = NOON + 5 * DAY - HOUR
    waiting.end_waits()
    assert states(runtime) == [Status.SUSPENDED]
    clock.forward(HOUR)
    waiting.end_waits()
    waiting.end_waits()
    assert states(runtime) == [Status.IN_HAND]
    with session_scope(runtime.sessions) as session:
        order = session.scalars(select(WorkOrder)).one()
        assert order.events[-1].actor_role == "SYS"
        assert derivation.differs(order, CALENDAR, TZ) == ""


def test_a_caller_who_does_not_answer_is_reminded_and_then_let_go(runtime: Runtime, place: City, clock: Clock) -> None:
    with session_scope(runtime.sessions) as session:
        order = order_at(session, place, Status.TO_REVIEW)
        service.ask_info(session, order=order, actor=place.reviewer, now=NOON + HOUR, missing=["place"], **WHEN)
    for after, status, events in ((1, Status.NEEDS_INFO, 3), (6, Status.NEEDS_INFO, 4), (14, Status.CLOSED, 5)):
        clock.now = NOON + after * DAY
        waiting.end_waits()
        waiting.end_waits()
        assert states(runtime) == [status]
        with session_scope(runtime.sessions) as session:
            assert session.scalars(select(WorkOrder.event_count)).one() == events
    with session_scope(runtime.sessions) as session:
        assert session.scalars(select(WorkOrder.close_kind)).one() == CloseKind.NO_INFO


def test_an_order_the_program_cannot_cope_with_keeps_no_other_waiting(
    runtime: Runtime, place: City, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    broken = suspended(runtime, place, NOON + 5 * DAY)
    suspended(runtime, place, NOON + 5 * DAY)
    with session_scope(runtime.sessions) as session:
        session.get_one(WorkOrder, broken).profile = "no-such"
    clock.now = NOON + 6 * DAY
    with caplog.at_level(logging.INFO):
        waiting.end_waits()
    assert states(runtime) == [Status.SUSPENDED, Status.IN_HAND]
    assert f"order {broken}: the program is wrong" in caplog.text
    assert "1 of 2 waits ended" in caplog.text


def test_a_published_calendar_reaches_every_open_order_and_no_closed_one(
    runtime: Runtime, place: City, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = datetime(2026, 12, 30, 9, tzinfo=TZ)
    with session_scope(runtime.sessions) as session:
        for _ in range(3):
            order_at(session, place, Status.IN_HAND, via_township=False, now=begun)
        done = order_at(session, place, Status.TO_CALL_BACK, now=begun)
        said = {"round": 1, "satisfaction": "satisfied", "solved": "yes", "contacted": True}
        service.record_evaluation(
            session, order=done, actor=place.callback_officer, now=begun + 2 * HOUR, **said, **WHEN
        )
        was = session.scalars(select(WorkOrder.deadline_at).order_by(WorkOrder.id)).all()
    clock.now = begun + DAY
    waiting.recount_deadlines()
    with session_scope(runtime.sessions) as session:
        assert session.scalars(select(WorkOrder.deadline_at).order_by(WorkOrder.id)).all() == was
    days = {date(2027, 1, day): (date(2027, 1, day).weekday() < 5 and day != 1, "") for day in range(1, 32)}
    monkeypatch.setattr(waiting, "SLICE", 2)  # more than one slice
    object.__setattr__(runtime, "calendar", ChinaCalendar(overrides=days))
    waiting.recount_deadlines()
    waiting.recount_deadlines()
    with session_scope(runtime.sessions) as session:
        orders = session.scalars(select(WorkOrder).order_by(WorkOrder.id)).all()
        assert was[0] is not None
        assert [order.deadline_at for order in orders] == [was[0] + DAY] * 3 + [was[3]]
        assert [order.deadline_provisional for order in orders] == [False] * 3 + [True]
        assert [order.events[-1].action for order in orders] == ["recount"] * 3 + ["close"]
    states(runtime)
