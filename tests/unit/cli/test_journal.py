"""An administrator proves that nobody rewrote what happened."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from hotline.work_orders import anchors
from hotline.work_orders.models import OrderEvent
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories.orders import order_at
from tests.factories.units import city
from tests.unit.cli.conftest import database, hotline

DAY = date(2026, 11, 21)


@pytest.fixture
def anchored(place: Path) -> Path:
    """A city with one order, anchored; its digests kept in a file."""
    hotline("setup", "--yes")
    with database(place)() as session:
        order_at(session, city(session), Status.IN_HAND)
        anchors.take(session, day=DAY, now=NOON + timedelta(hours=12))
        session.commit()
    (place / "digests.txt").write_text(hotline("journal", "anchors").output, encoding="utf-8")
    return place


def test_whole_journals_agree_with_the_digests_kept_elsewhere(anchored: Path):
    done = hotline("journal", "verify", "--against", "digests.txt")
    assert done.exit_code == 0, done.output
    assert "every chain is whole" in done.output


def test_the_first_touched_event_is_named(anchored: Path):
    with database(anchored)() as session:
        event = session.scalars(select(OrderEvent).where(OrderEvent.seq == 2)).one()
        event.actor_role = "SUP"
        order_no = event.order.order_no
        session.commit()
    done = hotline("journal", "verify")
    assert done.exit_code == 1
    assert f"{order_no} 第 2 条：记录内容被改动" in done.output


def test_a_digest_of_another_history_is_told(anchored: Path):
    (anchored / "digests.txt").write_text(f"{DAY.isoformat()} {'0' * 64}\n", encoding="utf-8")
    done = hotline("journal", "verify", "--against", "digests.txt")
    assert done.exit_code == 1
    assert "与另存的摘要不符" in done.output


def test_a_file_that_holds_no_digests_is_refused_in_words(anchored: Path):
    (anchored / "digests.txt").write_text("昨天的摘要\n", encoding="utf-8")
    done = hotline("journal", "verify", "--against", "digests.txt")
    assert done.exit_code == 1
    assert "第 1 行不是" in done.output
