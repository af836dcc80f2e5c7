"""An administrator at a browser in a small city, and a look at the database that holds no connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Select, inspect, select

from hotline.accounts.roles import Role
from hotline.bootstrap import Runtime
from hotline.db import SessionFactory, session_scope
from hotline.outbox import OutboxMessage
from tests.factories import people
from tests.factories.units import City
from tests.web.shared.browser import Browser
from tests.web.staff import Staff, app, clock, here, runtime, staff
from workers import imports, process

__all__ = ["admin", "app", "clock", "here", "import_worker", "look", "runtime", "staff"]

ImportWorker = Callable[[], None]


class Look:
    """Reads that are over when they return: the site has the one connection."""

    def __init__(self, sessions: SessionFactory) -> None:
        self._sessions = sessions

    def one(self, wanted: Select[Any]) -> Any:
        """Return the one row."""
        with self._sessions() as session:
            return session.scalars(wanted).one()

    def all(self, wanted: Select[Any]) -> list[Any]:
        """Return every row."""
        with self._sessions() as session:
            return list(session.scalars(wanted))

    def again(self, row: Any) -> Any:
        """Return the row as it is now."""
        with self._sessions() as session:
            return session.get(type(row), inspect(row).identity)


@pytest.fixture
def look(sessions: SessionFactory) -> Look:
    """What stands in the database."""
    return Look(sessions)


@pytest.fixture
def admin(here: City, staff: Staff, sessions: SessionFactory) -> Browser:
    """The browser of the city's only administrator."""
    with session_scope(sessions) as session:
        keeper = people.actor(session, Role.ADM, name="管理员老陈")
    return staff(keeper)


@pytest.fixture
def import_worker(runtime: Runtime) -> ImportWorker:
    """Do what relay and import worker would do now, without Redis."""
    process.use(runtime)
    jobs = {"import.check": imports.check_file, "import.write": imports.write_file}

    def work() -> None:
        with runtime.sessions() as session:
            wanted = select(OutboxMessage.id, OutboxMessage.topic).where(
                OutboxMessage.topic.in_(jobs), OutboxMessage.settled_at.is_(None)
            )
            rows = session.execute(wanted.order_by(OutboxMessage.id)).all()
        for row in rows:
            jobs[row.topic](row.id)

    return work
