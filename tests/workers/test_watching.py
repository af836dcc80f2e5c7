"""No deadline passes unseen, whatever becomes of the worker that watches."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.work_orders import journal, service
from hotline.work_orders.models import Notice, WorkOrder
from hotline.work_orders.states import Status
from hotline.work_orders.supervision import timers
from tests.factories.orders import order_at
from tests.factories.units import City
from tests.workers.conftest import Clock
from workers import schedule, watching

TZ = ZoneInfo("Asia/Shanghai")


def local(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=TZ)


@pytest.fixture
def in_hand(runtime: Runtime, place: City) -> list[int]:
    """Three orders in hand at the county since Wednesday noon."""
    with session_scope(runtime.sessions) as session:
        return [order_at(session, place, Status.IN_HAND, via_township=False).id for _ in range(3)]


def notices(runtime: Runtime) -> list[tuple[int, str]]:
    with session_scope(runtime.sessions) as session:
        return sorted((one.order_id, one.kind) for one in session.scalars(select(Notice)))


def levels(runtime: Runtime) -> list[str]:
    with session_scope(runtime.sessions) as session:
        return list(session.scalars(select(WorkOrder.supervision).order_by(WorkOrder.id)))


def test_the_timetable_watches_every_few_minutes() -> None:
    (entry,) = [one for one in schedule.TIMETABLE if one.job == "workers.watching.watch_deadlines"]
    assert entry.when == schedule.Every(timedelta(minutes=5))


def test_orders_turn_blue_then_yellow_then_red_and_nothing_happens_twice(
    runtime: Runtime, in_hand: list[int], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "SLICE", 2)  # more than one slice
    for moment, seen in (
        (local(11, 24, 9), ["none"] * 3),
        (local(11, 24, 12), ["blue"] * 3),
        (local(11, 26, 8, 30), ["yellow"] * 3),
        (local(12, 3, 8, 30), ["red"] * 3),
    ):
        clock.now = moment
        for _ in range(2):
            watching.watch_deadlines()
        assert levels(runtime) == seen
    assert notices(runtime) == sorted((one, kind) for one in in_hand for kind in ("criticism", "reminder"))
    with session_scope(runtime.sessions) as session:
        assert journal.verify(session) == []
        assert timers.due(session, now=clock.now, limit=10) == []


def test_one_broken_order_keeps_none_of_the_others_waiting(
    runtime: Runtime, in_hand: list[int], clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with session_scope(runtime.sessions) as session:
        session.get_one(WorkOrder, in_hand[0]).profile = "nowhere"
    clock.now = local(11, 26, 9)
    watching.watch_deadlines()
    assert notices(runtime) == [(in_hand[1], "reminder"), (in_hand[2], "reminder")]
    assert f"order {in_hand[0]}: the program is wrong" in caplog.text


def test_a_step_somebody_takes_at_the_same_moment_wins(
    runtime: Runtime, place: City, in_hand: list[int], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.now = local(11, 26, 9)
    real = timers.look

    def meanwhile(session, *, order, **rest):  # type: ignore[no-untyped-def]
        if order.id == in_hand[0]:
            session.connection().exec_driver_sql(f"UPDATE work_orders SET version = version + 1 WHERE id = {order.id}")
        return real(session, order=order, **rest)

    with monkeypatch.context() as patch:
        patch.setattr(timers, "look", meanwhile)
        watching.watch_deadlines()
    assert [order_id for order_id, _kind in notices(runtime)] == in_hand[1:]
    watching.watch_deadlines()
    assert [order_id for order_id, _kind in notices(runtime)] == in_hand


def test_a_settled_order_is_no_longer_looked_at(
    runtime: Runtime, place: City, in_hand: list[int], clock: Clock
) -> None:
    with session_scope(runtime.sessions) as session:
        order = session.get_one(WorkOrder, in_hand[0])
        order.watch_at = clock.now
        service.withdraw(
            session, order=order, actor=place.operator, now=order.updated_at, reason="已自行解决", read_back_ok=True
        )
    clock.now = local(11, 26, 9)
    watching.watch_deadlines()
    assert [order_id for order_id, _kind in notices(runtime)] == in_hand[1:]
