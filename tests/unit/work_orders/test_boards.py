"""Boards: what a county sees of its townships, orders by light."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from hotline.errors import NotPermitted
from hotline.work_orders import boards, service
from hotline.work_orders.states import Status
from tests.factories import units as make_units
from tests.factories.orders import order_at

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("used", "shown"),
    [(0.5, "green"), (0.79, "green"), (0.8, "yellow"), (1.0, "yellow"), (1.001, "red")],
)
def test_a_light_turns_yellow_in_the_last_fifth_and_red_after_the_deadline(
    session: Session, used: float, shown: str
) -> None:
    order = order_at(session, make_units.city(session), Status.IN_HAND)
    assert order.deadline_at is not None
    assert order.clock_started_at is not None
    moment = order.clock_started_at + (order.deadline_at - order.clock_started_at) * used
    lights = boards.lights(session, moment)
    assert {"green": lights.green, "yellow": lights.yellow, "red": lights.red} == {
        "green": 0,
        "yellow": 0,
        "red": 0,
        shown: 1,
    }


def test_only_open_orders_whose_clock_runs_have_a_light(session: Session, now: datetime) -> None:
    city = make_units.city(session)
    order_at(session, city, Status.DRAFT)
    order_at(session, city, Status.IN_HAND)
    assert boards.lights(session, now) == boards.Lights(green=1, yellow=0, red=0)
    assert boards.lights(session, now + DAY * 30) == boards.Lights(green=0, yellow=0, red=1)


def test_a_county_sees_its_own_townships_by_state_and_nobody_else_s(session: Session, now: datetime) -> None:
    city = make_units.city(session)
    waiting = order_at(session, city, Status.TO_SIGN_TIER3)
    working = order_at(session, city, Status.IN_HAND_TIER3)
    checked = order_at(session, city, Status.TO_CHECK_TIER2)
    board = boards.county_board(session, city.county_clerk, now=now)
    assert [sub.order for sub in board.lanes[boards.Lane.TO_SIGN].items] == [waiting]
    assert [sub.order for sub in board.lanes[boards.Lane.IN_HAND].items] == [working]
    assert [sub.order for sub in board.lanes[boards.Lane.TO_CHECK].items] == [checked]
    busy = [township for township in board.townships if township.busy]
    assert [(one.unit, *(one.held[lane] for lane in boards.Lane), one.overdue) for one in busy] == [
        (city.township, 1, 1, 1, 0, 0)
    ]
    late = boards.county_board(session, city.county_clerk, now=now + DAY * 30)
    assert late.townships[0].overdue == 2  # what was reported is not late any more
    other = boards.county_board(session, city.other_county_clerk, now=now)
    assert not any(township.busy for township in other.townships)
    with pytest.raises(NotPermitted):
        boards.county_board(session, city.township_clerk, now=now)


def test_a_full_column_shows_what_is_due_first_and_counts_the_rest(session: Session, now: datetime) -> None:
    city = make_units.city(session)
    first, *_ = [
        order_at(session, city, Status.IN_HAND_TIER3, now=now + timedelta(minutes=minute))
        for minute in range(boards.LANE_SHOWS + 3)
    ]
    board = boards.county_board(session, city.county_clerk, now=now)
    shown = board.lanes[boards.Lane.IN_HAND]
    assert (shown.items[0].order, len(shown.items), shown.total) == (first, boards.LANE_SHOWS, boards.LANE_SHOWS + 3)
    assert board.townships[0].held[boards.Lane.IN_HAND] == shown.total
    whole = boards.county_board(session, city.county_clerk, now=now, whole=boards.Lane.IN_HAND)
    assert len(whole.lanes[boards.Lane.IN_HAND].items) == shown.total


def test_what_a_unit_has_to_do_itself_is_told_from_what_it_handed_down(session: Session) -> None:
    city = make_units.city(session)
    own = order_at(session, city, Status.IN_HAND)
    below = order_at(session, city, Status.IN_HAND_TIER3)
    assert [sub.order for sub in boards.to_work(session, city.county_clerk).items] == [own]
    assert [sub.order for sub in boards.to_work(session, city.township_clerk).items] == [below]


def test_a_list_names_who_holds_each_order_and_how_often_it_was_urged(session: Session) -> None:
    city = make_units.city(session)
    held = order_at(session, city, Status.IN_HAND_TIER3)
    hub = order_at(session, city, Status.TO_REVIEW)
    for _ in range(2):
        service.urge(session, order=held, actor=city.operator, now=held.updated_at)
    ids = [held.id, hub.id]
    assert boards.holders(session, ids) == {held.id: city.township.name}
    assert boards.urges(session, ids) == {held.id: 2}
