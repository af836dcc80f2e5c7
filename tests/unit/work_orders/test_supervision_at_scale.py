"""However many orders are done, the timers and the supervisors' lists only touch the rows they show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM
from hotline.db import SessionFactory
from hotline.work_orders.supervision import queries as boards
from hotline.work_orders.supervision import timers
from tests.conftest import NOON

Read = Callable[[Session], object]

# without figures of the tables a planner may also count by an index that holds little more
OPEN_ONES = "ix_work_orders_closed_at"
BY_REPLY = "ix_order_notices_unit_id_replied_at"
READS: dict[str, tuple[str, Read]] = {
    "timers": ("ix_work_orders_watch_at", lambda session: timers.due(session, now=NOON, limit=200)),
    "levels": ("ix_work_orders_supervision_open", lambda session: boards.level_counts(session, SYSTEM)),
    "one level": (
        "ix_work_orders_supervision_open",
        lambda session: boards.orders_at(session, SYSTEM, level="red"),
    ),
    "waiting": ("ix_order_notices_waiting", lambda session: boards.waiting(session, SYSTEM, now=NOON)),
    "late": (
        "ix_order_notices_waiting",
        lambda session: boards.waiting(session, SYSTEM, now=NOON, late_only=True),
    ),
    "to read": ("ix_order_notices_unread", lambda session: boards.to_read(session, SYSTEM)),
    "unread, for the navigation of every page": (
        "ix_order_notices_unread",
        lambda session: boards.unread(session, SYSTEM),
    ),
}


@contextmanager
def statements_of(session: Session) -> Iterator[list[tuple[str, Any]]]:
    """Collect what is sent to the database."""
    seen: list[tuple[str, Any]] = []
    engine = session.get_bind()

    def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", keep)
    yield seen
    event.remove(engine, "before_cursor_execute", keep)


@pytest.mark.parametrize("name", READS)
def test_a_list_reads_the_index_made_for_it(either_sessions: SessionFactory, name: str) -> None:
    index, read = READS[name]
    with either_sessions() as session:
        on_server = session.get_bind().dialect.name == "postgresql"
        if on_server:  # of an empty table the planner would rather read all
            session.execute(text("SET LOCAL enable_seqscan = off"))
        with statements_of(session) as seen:
            read(session)
        explain = "EXPLAIN " if on_server else "EXPLAIN QUERY PLAN "
        for statement, parameters in seen:
            rows = session.connection().exec_driver_sql(explain + statement, parameters)
            plan = "\n".join(str(row) for row in rows)
            also = (OPEN_ONES, BY_REPLY) if "count(" in statement else ()
            assert any(one in plan for one in (index, *also)), f"{statement}\n{plan}"
