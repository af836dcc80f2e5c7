"""``hotline caller erase``: who called is forgotten, by an administrator, with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from hotline.accounts.roles import Role
from hotline.audit import AccessLog
from hotline.callers.models import Caller
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.factories import people
from tests.factories.orders import caller, order_at
from tests.factories.units import city
from tests.unit.cli.conftest import database, hotline

TOLD = ("--as", "sec01", "--reason", "本人书面申请")


@pytest.fixture
def numbers(place: Path) -> dict[str, str]:
    """The numbers of an order withdrawn, by another contact of the same person, and of one still open."""
    assert hotline("setup", "--yes").exit_code == 1  # the tables are there now; nobody has called yet
    with database(place)() as session:
        here = city(session)
        people.user(session, Role.SEC, username="sec01")
        people.user(session, Role.SUP, username="sup01")
        made = {"open": order_at(session, here, Status.IN_HAND, who=caller(session, "+8619900005678", "赵六"))}
        for name in ("one", "two"):
            made[name] = order_at(session, here, Status.TO_REVIEW)
            made[name].status = Status.CLOSED
        session.commit()
        return {name: order.order_no for name, order in made.items()}


def names(place: Path) -> list[str | None]:
    with database(place)() as session:
        return list(session.scalars(select(Caller.name).join(WorkOrder).order_by(WorkOrder.id)))


def test_the_caller_of_one_order_is_forgotten(place: Path, numbers: dict[str, str]) -> None:
    done = hotline("caller", "erase", numbers["one"], *TOLD, said=["y"])
    assert done.exit_code == 0, done.output
    assert "forgot 1 contacts in 1 orders" in done.output
    assert names(place) == ["赵六", None, "王小明"]
    with database(place)() as session:
        assert session.scalars(select(AccessLog.reason).where(AccessLog.act == "erase")).all() == ["本人书面申请"]
    again = hotline("caller", "erase", numbers["one"], *TOLD, "--yes")
    assert again.exit_code == 0  # twice changes nothing
    assert names(place) == ["赵六", None, "王小明"]


def test_everything_of_a_number_is_forgotten_and_no_history_keeps_it(place: Path, numbers: dict[str, str]) -> None:
    done = hotline("caller", "erase", "--phone", *TOLD, "--yes", said=["199 0000 1234"])
    assert "forgot 2 contacts in 2 orders" in done.output
    assert "1234" not in done.output
    assert names(place) == ["赵六", None, None]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("open", *TOLD, "--yes"), "还没有办结"),
        (("one", "--as", "sup01", "--reason", "本人书面申请", "--yes"), "管理员"),
        (("one", "--as", "nobody", "--reason", "本人书面申请", "--yes"), "nobody"),
        (("one", "--as", "sec01", "--reason", "删", "--yes"), "理由"),
        (("2611-99999-9", *TOLD, "--yes"), "没有这张工单"),
        (("one", *TOLD), "Aborted"),
    ],
)
def test_what_may_not_be_forgotten_stays(
    place: Path, numbers: dict[str, str], words: tuple[str, ...], told: str
) -> None:
    done = hotline("caller", "erase", *(numbers.get(word, word) for word in words))
    assert done.exit_code == 1
    assert told in done.output
    assert names(place) == ["赵六", "王小明", "王小明"]


def test_either_an_order_or_a_number(place: Path) -> None:
    assert hotline("caller", "erase", *TOLD).exit_code == 2
    assert hotline("caller", "erase", "2611-00001-5", "--phone", *TOLD).exit_code == 2
