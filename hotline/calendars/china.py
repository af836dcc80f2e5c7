"""China's public calendar: weekends, holidays, and the weekends worked in exchange for them (调休)."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import date, time
from typing import Final

import chinese_calendar

from hotline.calendars.base import Day

HOURS: Final = ((time(8, 30), time(12, 0)), (time(14, 0), time(17, 30)))
_SATURDAY: Final = 5
_CHINESE: Final[dict[str, str]] = {holiday.value: holiday.chinese for holiday in chinese_calendar.Holiday}


class ChinaCalendar:
    """A ``Calendar`` from the ``chinesecalendar`` package, with a city's own days on top.

    A year the package does not cover yet counts weekends only and is marked provisional. ``overrides`` maps a day
    to (working?, name) and is certain: a city that knows the official list early enters it there.
    """

    def __init__(
        self,
        *,
        hours: tuple[tuple[time, time], ...] = HOURS,
        overrides: Mapping[date, tuple[bool, str]] | None = None,
    ) -> None:
        self.hours = hours
        self._overrides = {} if overrides is None else overrides  # not copied: it may follow the database

    def day(self, day: date) -> Day:
        """Return what kind of day it is."""
        if day in self._overrides:
            working, name = self._overrides[day]
            return Day(day, working, name, provisional=False)
        return _public_day(day)


@functools.lru_cache(maxsize=4096)
def _public_day(day: date) -> Day:
    weekend = day.weekday() >= _SATURDAY
    plain = "周末" if weekend else "工作日"
    try:
        off, holiday = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:  # the package's word for a year it has no list of
        return Day(day, not weekend, plain, provisional=True)
    if holiday is None:
        return Day(day, not off, plain, provisional=False)
    name = _CHINESE.get(holiday, holiday)
    return Day(day, not off, name if off else f"{name}调休上班", provisional=False)
