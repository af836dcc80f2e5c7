"""``hotline deadline explain``: why a deadline is what it is, of an example and of an order."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from hotline.work_orders.states import Status
from tests.factories.orders import TZ, order_at
from tests.factories.units import city
from tests.unit.cli.conftest import database, hotline

EXPLAIN = ("deadline", "explain")


@pytest.fixture(autouse=True)
def office(place: Path) -> Path:
    """A city that is set up."""
    hotline("setup", "--yes")
    return place


def test_an_example_with_all_that_may_happen_ends_with_its_deadline():
    story = (
        *("--profile", "hebei-default", "--type", "help", "--accepted", "2026-11-18T09:00"),
        *("--event", "pause=2026-11-19T09:00", "--event", "resume=2026-11-20T09:00+08:00"),
        *("--event", "extend=2026-11-30T17:30", "--event", "redo=2026-12-01T09:00"),
    )
    done = hotline(*EXPLAIN, *story)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0] == "时限方案 河北默认时限：求助·一般 5 个工作日"
    assert "暂停 2026年11月19日 09:00 至 2026年11月20日 09:00：暂停时余 28小时工作时间，恢复后接着计" in lines
    assert "同意延期至 2026年11月30日 17:30" in lines
    assert lines[-1] == "截止 2026年12月3日 14:30"
    told = json.loads(hotline(*EXPLAIN, *story, "--json").output)
    assert told["deadline"] == "2026-12-03T14:30:00+08:00"
    assert told["original_deadline"] == "2026-11-26T09:00:00+08:00"
    assert told["lines"] == lines
    assert [event["what"] for event in told["events"]] == ["accept", "pause", "resume", "extend", "redo"]


def test_hard_and_urgent_examples():
    told = json.loads(hotline(*EXPLAIN, "--accepted", "2026-11-18T09:00", "--hard", "--json").output)
    assert told["deadline"] == "2026-12-09T09:00:00+08:00"
    urgent = (*EXPLAIN, "--profile", "tiered-2h-24h-7d-15d", "--urgency", "critical", "--accepted", "2026-11-21T23:30")
    assert hotline(*urgent).output.splitlines()[-1] == "截止 2026年11月22日 01:30"


def test_what_cannot_be_explained_is_said_in_a_line():
    for words, fault in (
        ((), "give either --accepted or --order"),
        (("--accepted", "2026-11-18", "--order", "2611-00042-7"), "give either --accepted or --order"),
        (("--accepted", "yesterday"), "not an ISO moment"),
        (("--accepted", "2026-11-18", "--event", "nap=2026-11-19"), "is none of"),
        (("--accepted", "2026-11-18", "--event", "pause=soon"), "not an ISO moment"),
        (("--accepted", "2026-11-18", "--event", "resume=2026-11-19"), "没有暂停"),
        (("--accepted", "2026-11-18", "--event", "pause=2026-11-17"), "先后"),
        (("--accepted", "2026-11-18", "--profile", "no-such"), "没有时限方案"),
        (("--order", "2611-99999-9"), "没有这张工单"),
    ):
        done = hotline(*EXPLAIN, *words)
        assert done.exit_code != 0
        assert fault in done.output


def test_a_stored_order_is_explained_by_its_own_events(place: Path):
    with database(place)() as session:
        order = order_at(session, city(session), Status.IN_HAND)
        number, deadline = order.order_no, order.deadline_at
        session.commit()
    told = json.loads(hotline(*EXPLAIN, "--order", number, "--json").output)
    assert datetime.fromisoformat(told["deadline"]) == deadline
    assert told["accepted_at"] == datetime(2026, 11, 18, 12, 5, tzinfo=TZ).isoformat()
    assert hotline(*EXPLAIN, "--order", number).output.splitlines() == told["lines"]
