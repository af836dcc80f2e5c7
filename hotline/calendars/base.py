"""What the clocks ask of a calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Day:
    """One day as the trade counts it. ``provisional``: the public calendar of its year is not out yet."""

    day: date
    working: bool
    name: str  # 春节, 调休上班, 周末, 工作日 ...
    provisional: bool


class Calendar(Protocol):
    """Working days and working hours of one city."""

    hours: tuple[tuple[time, time], ...]  # local working hours of a working day, e.g. 8:30-12:00, 14:00-17:30

    def day(self, day: date) -> Day:
        """Return what kind of day it is. Years not published yet count weekends only and say so."""
        ...
