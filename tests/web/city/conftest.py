"""An administrator at a browser in a small city, and a look at the database that holds no connection."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Select, inspect

from hotline.accounts.roles import Role
from hotline.db import SessionFactory, session_scope
from tests.factories import people
from tests.factories.units import City
from tests.web.shared.browser import Browser
from tests.web.staff import Staff, app, clock, here, runtime, staff

__all__ = ["admin", "app", "clock", "here", "look", "runtime", "staff"]


class Look:
    """Reads that are over when they return: the site has the one connection."""

    def __init__(self, sessions: SessionFactory) -> None:
        self._sessions = sessions

    def one(self, wanted: Select[Any]) -> Any:
        """Return the one row."""
        with self._sessions() as session:
            return session.scalars(wanted).one()

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
