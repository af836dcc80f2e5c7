"""The hub finds an order by what people remember of it, and is told how many there are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from hotline.errors import Invalid, NotPermitted
from hotline.work_orders import finding
from hotline.work_orders.finding import find
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories import units as make_units
from tests.factories.orders import order_at
from tests.factories.units import City


@pytest.fixture
def session(either_engine: Engine) -> Session:
    """What is searched differently on each database is tried on both."""
    with Session(either_engine, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def city(session: Session) -> City:
    return make_units.city(session)


@pytest.fixture
def dark(session: Session, city: City) -> WorkOrder:
    return order_at(session, city, Status.TO_REVIEW, address="冀州区德政大道", title="路灯不亮快一年")


@pytest.fixture
def dry(session: Session, city: City) -> WorkOrder:
    return order_at(session, city, Status.IN_HAND, title="停水两天", now=NOON + timedelta(minutes=1))


def test_without_words_the_latest_change_is_first(session: Session, city: City, dark: WorkOrder, dry: WorkOrder):
    found = find(session, city.reviewer)
    assert list(found.items) == [dry, dark]
    assert (found.total, found.more, found.has_next) == (2, False, False)
    assert found.counts == {"to_review": 1, "in_hand": 1}


@pytest.mark.parametrize("words", ["德政大道", "路灯", "灯", "不亮快", " 德政大道 "])
def test_words_of_title_or_place(session: Session, city: City, dark: WorkOrder, dry: WorkOrder, words: str):
    assert list(find(session, city.reviewer, text=words).items) == [dark]


@pytest.mark.parametrize("words", ["道路", "大道路灯", "%", "_", "灯路", "不亮的"])
def test_words_that_stand_nowhere(session: Session, city: City, dark: WorkOrder, dry: WorkOrder, words: str):
    """Neither across two texts, nor pairs that stand apart, nor signs with a meaning of their own."""
    found = find(session, city.reviewer, text=words)
    assert (list(found.items), found.total, found.counts) == ([], 0, {})


def test_numbers_whole_and_in_part(session: Session, city: City, dark: WorkOrder, dry: WorkOrder):
    month, running, check = dry.order_no.split("-")
    for typed in (
        dry.order_no,
        f"{month}{running}{check}",
        f"{month} {running} {check}",
        running,
        f"{running}-{check}",
        f"{month}-{running}",
    ):
        assert list(find(session, city.reviewer, text=typed).items) == [dry], typed
    assert list(find(session, city.reviewer, text=month).items) == [dry, dark]
    wrong = (int(check) + 1) % 10
    assert find(session, city.reviewer, text=f"{month}-{running}-{wrong}").total == 0
    assert find(session, city.reviewer, text="9" * 40).total == 0


def test_a_house_number_is_not_taken_for_that_of_an_order(session: Session, city: City):
    order = order_at(session, city, Status.TO_REVIEW, address="永兴路388号")
    assert list(find(session, city.reviewer, text="388").items) == [order]


def test_states_narrow_the_list_and_not_the_counts(session: Session, city: City, dark: WorkOrder, dry: WorkOrder):
    found = find(session, city.reviewer, statuses=["in_hand"])
    assert (list(found.items), found.total) == ([dry], 1)
    assert found.counts == {"to_review": 1, "in_hand": 1}


@pytest.mark.parametrize("older", [0, 4], ids=["the index tells", "a sample tells"])
def test_what_many_orders_hold_is_found_without_being_counted(
    session: Session, city: City, dark: WorkOrder, dry: WorkOrder, monkeypatch: pytest.MonkeyPatch, older: int
):
    monkeypatch.setattr(finding, "COUNTED", 1)
    monkeypatch.setattr(finding, "PER_PAGE", 1)
    for hours in range(older):
        order_at(session, city, Status.TO_REVIEW, title="停水几天", now=NOON - timedelta(hours=1 + hours))
    session.flush()
    third = order_at(session, city, Status.TO_REVIEW, title="停水三天", now=NOON + timedelta(hours=1))
    found = find(session, city.reviewer, text="停水")
    assert (list(found.items), found.total, found.more, found.counts) == ([third], 1, True, None)
    assert list(find(session, city.reviewer, text="停水", page=2).items) == [dry]
    assert list(find(session, city.reviewer, text="停水", statuses=["in_hand"]).items) == [dry]
    assert find(session, city.reviewer).more
    assert find(session, city.reviewer, text="路灯").counts == {"to_review": 1}


def test_only_the_hub_searches(session: Session, city: City):
    with pytest.raises(NotPermitted):
        find(session, city.county_clerk)
    with pytest.raises(Invalid):
        find(session, city.reviewer, page=0)
