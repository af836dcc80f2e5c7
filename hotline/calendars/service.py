"""Verbs on a city's own days, and how a process keeps up with them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Final

from sqlalchemy import Connection, event, select
from sqlalchemy.orm import Session, SessionTransaction

from hotline import audit
from hotline.calendars.models import CityDay
from hotline.db import SessionFactory

FRESH_FOR_S: Final = 10.0
Own = tuple[bool, str]


def put_day(session: Session, *, user_id: int | None, now: datetime, day: date, working: bool, name: str) -> CityDay:
    """Declare a day working or free; leaves an audit row where something changed.

    Deadlines already given stay: they are never shortened.
    """
    found = session.get(CityDay, day)
    before = {"working": found.working, "name": found.name} if found else None
    kept = found or CityDay(day=day)
    kept.working, kept.name = working, name
    if found is None:
        session.add(kept)
    audit.changed(
        session,
        at=now,
        user_id=user_id,
        subject="city_day",
        subject_id=day.isoformat(),
        before=before,
        after={"working": working, "name": name},
    )
    return kept


def remove_day(session: Session, *, user_id: int | None, now: datetime, day: date) -> bool:
    """Leave a day to the public calendar again; returns whether it was the city's own."""
    found = session.get(CityDay, day)
    if found is None:
        return False
    before = {"working": found.working, "name": found.name}
    session.delete(found)
    audit.changed(
        session,
        at=now,
        user_id=user_id,
        subject="city_day",
        subject_id=day.isoformat(),
        before=before,
        after={"working": None, "name": None},
        act="remove",
    )
    return True


class OwnDays(Mapping[date, Own]):
    """The city's days as a mapping that follows the database, at most ``FRESH_FOR_S`` late."""

    def __init__(self) -> None:
        self._days: dict[date, Own] = {}
        self._read_at = float("-inf")

    def follow(self, sessions: SessionFactory) -> None:
        """Read the days anew as transactions of these sessions begin: on their own connection, as a thread may have
        no second one."""

        @event.listens_for(sessions, "after_begin")
        def read(_session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
            if time.monotonic() - self._read_at >= FRESH_FOR_S:
                self.read(connection)

    def read(self, connection: Connection) -> None:
        """Read the days now."""
        rows = connection.execute(select(CityDay.day, CityDay.working, CityDay.name))
        self._days = {day: (working, name) for day, working, name in rows}
        self._read_at = time.monotonic()

    def __getitem__(self, day: date) -> Own:
        """Return whether the day is worked, and its name."""
        return self._days[day]

    def __iter__(self) -> Iterator[date]:
        """Iterate over the days."""
        return iter(self._days)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._days)
