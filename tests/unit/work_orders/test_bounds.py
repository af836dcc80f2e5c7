"""How often and how long is a city's policy: what its profile says holds for the orders that follow it, no others."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import SYSTEM, Actor
from hotline.errors import Invalid, NotAllowedNow
from hotline.follow_ups import service as follow_ups
from hotline.follow_ups.states import CallbackState, Way
from hotline.work_orders import clock, closing, limits, service
from hotline.work_orders.bounds import BOUND_WORDS, RANGES, Bounds
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.rules import put_profile
from hotline.work_orders.states import Status, Supervision
from hotline.work_orders.supervision import timers
from tests.conftest import NOON
from tests.factories import people
from tests.factories.orders import CALENDAR, TZ, WHEN, draft, order_at
from tests.factories.units import City, city
from tests.unit.work_orders.test_returns import accept, ask, cited

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
USUAL = Bounds(
    blue_percent=80,
    returns=3,
    extensions=2,
    suspended_days=30,
    reopened_days=30,
    quiet_days=30,
    tries=3,
    try_days=2,
)


def written(bounds: Any = None) -> dict[str, Any]:
    """Return rules as a city writes them: the shipped limits and these bounds."""
    shipped = json.loads((Path(clock.__file__).parent / "profiles" / "hebei-default.json").read_text("utf-8"))
    rules = {name: shipped[name] for name in ("handle", "steps", "redo")}
    return rules if bounds is None else rules | {"bounds": bounds}


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


@pytest.fixture
def leader(session: Session, here: City) -> Actor:
    return people.actor(session, Role.U2L, unit=here.county, name="县长老郑")


def put(session: Session, rules: dict[str, Any]) -> None:
    """Let new orders follow a profile of the city's own with these rules."""
    told = {"name": "our-city", "title": "本市时限", "active_from": date(2026, 1, 1)}
    put_profile(session, actor=SYSTEM, now=NOON, rules=rules, **told)


def in_force(session: Session, **bounds: int) -> None:
    """Let new orders follow a profile with these bounds, the rest as usual."""
    put(session, written(bounds))


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=TZ)


# ---- what is written


def test_what_a_city_leaves_out_is_as_usual():
    assert limits.profile_named("hebei-default").bounds == USUAL
    assert {name: limits.profile_named(name).bounds for name in limits.profile_names()} == dict.fromkeys(
        limits.profile_names(), USUAL
    )
    own = limits.profile_from({"name": "our", "title": "本市", **written({"extensions": 1})}).bounds
    assert (own.extensions, own.returns, own.quiet_days) == (1, USUAL.returns, USUAL.quiet_days)
    assert set(RANGES) == set(BOUND_WORDS)


@pytest.mark.parametrize(
    ("bounds", "field", "told"),
    [
        ([], "bounds", "应当是一个对象"),
        (None, "bounds", "应当是一个对象"),
        ({"returned": 3}, "bounds", "returns"),
        ({"returns": 0}, "returns", "1 到 3 的整数"),
        ({"returns": 4}, "returns", "1 到 3 的整数"),
        ({"returns": "3"}, "returns", "整数"),
        ({"returns": True}, "returns", "整数"),
        ({"extensions": 1.5}, "extensions", "0 到 10"),
        ({"blue_percent": 100}, "blue_percent", "1 到 99"),
        ({"tries": 6}, "tries", "1 到 5"),
        ({"quiet_days": 10}, "quiet_days", "办结后可复查天数"),
        ({"tries": 1}, "try_days", "次数"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(session: Session, bounds: Any, field: str, told: str):
    with pytest.raises(Invalid, match=told) as found:
        put(session, written() | {"bounds": bounds})
    assert set(found.value.details) == {field}


# ---- what it does


def test_an_order_keeps_the_bounds_it_was_accepted_under(session: Session, here: City, leader: Actor):
    before = order_at(session, here, Status.IN_HAND)
    in_force(session, extensions=0)
    after = order_at(session, here, Status.IN_HAND)
    asked = {"ground": "several", "plan": "分两段更换管道", "until": local(30, 17, 30)}
    service.ask_extension(session, order=before, actor=leader, now=NOON + HOUR, **asked, **WHEN)
    with pytest.raises(NotAllowedNow, match="不能延期"):
        service.ask_extension(session, order=after, actor=leader, now=NOON + HOUR, **asked, **WHEN)


def test_one_extension_and_no_second(session: Session, here: City, leader: Actor):
    in_force(session, extensions=1)
    order = order_at(session, here, Status.IN_HAND)
    asked = {"ground": "several", "plan": "分两段更换管道", "until": local(30, 17, 30)}
    service.ask_extension(session, order=order, actor=leader, now=NOON + HOUR, **asked, **WHEN)
    service.grant_extension(session, order=order, actor=here.supervisor, now=NOON + HOUR, **WHEN)
    with pytest.raises(NotAllowedNow, match="最多延期 1 次"):
        service.ask_extension(session, order=order, actor=leader, now=NOON + HOUR, **asked, **WHEN)


def test_the_second_return_goes_to_a_panel_where_the_city_says_so(session: Session, here: City):
    in_force(session, returns=2)
    line = cited(session)
    order = order_at(session, here, Status.TO_SIGN)
    ask(session, order, here.county_clerk, line)
    accept(session, order, here.reviewer, lead_unit_id=here.other_county.id)
    assert order.status == Status.TO_SIGN
    ask(session, order, here.other_county_clerk, line)
    accept(session, order, here.reviewer, lead_unit_id=here.power.id)
    assert (order.status, order.events[-1].data["cause"]) == (Status.PANEL, "third")


def test_below_a_county_the_same_number_holds(session: Session, here: City):
    in_force(session, returns=1)
    line = cited(session)
    order = order_at(session, here, Status.TO_SIGN_TIER3)
    ask(session, order, here.township_clerk, line)
    accept(session, order, here.county_clerk)
    service.hand_down(
        session, order=order, actor=here.county_clerk, now=NOON + HOUR, unit_id=here.other_township.id, **WHEN
    )
    with pytest.raises(NotAllowedNow, match="不能再退回"):
        ask(session, order, here.other_township_clerk, line)


def test_a_suspension_is_looked_at_within_the_citys_days(session: Session, here: City, leader: Actor):
    in_force(session, suspended_days=10)
    order = order_at(session, here, Status.IN_HAND)
    asked = {"ground": "season", "waits_for": "气温回升后方可铺设沥青"}
    with pytest.raises(Invalid, match="最晚在 10 天之内"):
        service.ask_suspension(
            session, order=order, actor=leader, now=NOON, review_at=NOON + 10 * DAY + HOUR, **asked, **WHEN
        )
    service.ask_suspension(session, order=order, actor=leader, now=NOON, review_at=NOON + 10 * DAY, **asked, **WHEN)


def settled(session: Session, here: City) -> WorkOrder:
    order = order_at(session, here, Status.TO_CALL_BACK)
    said = {"round": 1, "satisfaction": "satisfied", "solved": "yes", "contacted": True}
    return service.record_evaluation(session, order=order, actor=here.callback_officer, now=NOON + HOUR, **said, **WHEN)


def test_a_new_fact_comes_too_late_after_the_citys_days(session: Session, here: City):
    in_force(session, reopened_days=10)
    order = settled(session, here)
    told = {"actor": here.operator, "fact": "昨晚又停水了"}
    with pytest.raises(NotAllowedNow, match="办结已超过 10 天"):
        service.review(session, order=order, now=NOON + 11 * DAY, **told, **WHEN)
    service.review(session, order=order, now=NOON + 10 * DAY, **told, **WHEN)
    assert order.status == Status.REVIEW


def test_each_order_is_archived_after_the_quiet_days_of_its_own_profile(session: Session, here: City):
    soon = settled(session, here)
    in_force(session, quiet_days=60)
    late = settled(session, here)
    for order in (soon, late):
        order.updated_at = NOON + HOUR
    session.flush()

    def due(days: int) -> list[int]:
        return list(closing.quiet_orders(session, now=NOON + 2 * HOUR + days * DAY, limit=10))

    assert (due(29), due(30), due(60)) == ([], [soon.id], [soon.id, late.id])
    with pytest.raises(NotAllowedNow, match="满 60 天"):
        service.archive(session, order=late, actor=SYSTEM, now=NOON + 30 * DAY)
    service.archive(session, order=late, actor=SYSTEM, now=NOON + 2 * HOUR + 60 * DAY)
    assert due(60) == [soon.id]


def test_what_was_refused_is_archived_too(session: Session, here: City):
    order = draft(session, here)
    service.refuse(session, order=order, actor=here.operator, now=NOON, ground="lawsuit")
    assert order.status == Status.REFUSED
    order.updated_at = NOON
    session.flush()
    assert closing.quiet_orders(session, now=NOON + 29 * DAY, limit=10) == []
    assert closing.quiet_orders(session, now=NOON + 31 * DAY, limit=10) == [order.id]


def test_an_order_turns_blue_when_the_citys_share_is_used(session: Session, here: City):
    in_force(session, blue_percent=40)
    order = order_at(session, here, Status.IN_HAND)
    assert order.deadline_at == local(25, 12)  # five working days; two of them are over on Friday noon

    def look(now: datetime) -> str:
        timers.look(session, order=order, now=now, calendar=CALENDAR, tz=TZ)
        return order.supervision

    assert look(local(20, 11, 59)) == Supervision.NONE
    assert look(local(20, 14, 1)) == Supervision.BLUE


def test_one_day_of_two_tries_is_enough_where_the_city_says_so(session: Session, here: City):
    in_force(session, tries=2, try_days=1)
    callback = follow_ups.open_callback(session, order=order_at(session, here, Status.TO_CALL_BACK), now=NOON, **WHEN)
    for at in (local(18, 14), local(18, 17)):
        assert callback.state == CallbackState.WAITING
        attempt = follow_ups.plan_attempt(session, callback=callback, way=Way.KEYPAD, actor=SYSTEM, now=at)
        follow_ups.unreachable(session, attempt=attempt, actor=SYSTEM, now=at, tz=TZ)
    assert callback.state == CallbackState.NOT_REACHED


@pytest.mark.parametrize(
    ("tries", "try_days"), [(tries, days) for tries in RANGES["tries"] for days in range(1, tries + 1)]
)
def test_whoever_follows_the_plan_needs_no_more_tries_than_the_city_asks(
    session: Session, here: City, tries: int, try_days: int
):
    in_force(session, tries=tries, try_days=try_days)
    callback = follow_ups.open_callback(session, order=order_at(session, here, Status.TO_CALL_BACK), now=NOON, **WHEN)
    at = local(18, 14)
    days = set()
    for _ in range(tries):
        assert callback.state == CallbackState.WAITING
        attempt = follow_ups.plan_attempt(session, callback=callback, way=Way.KEYPAD, actor=SYSTEM, now=at)
        follow_ups.unreachable(session, attempt=attempt, actor=SYSTEM, now=at, tz=TZ)
        days.add(at.astimezone(TZ).date())
        at = callback.next_try_at
    assert callback.state == CallbackState.NOT_REACHED
    assert len(days) >= try_days
