"""When to try again to reach a citizen, and when the tries were enough. All moments are local to the city."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import combinations
from typing import Final

TRIES: Final = 3
DAYS: Final = 2
HOURS_APART: Final = 2
# hours at which a next try may be planned, the likeliest first in the day
_HOURS: Final = (9, 11, 15, 17, 19)


def enough_tries(missed: Sequence[datetime]) -> bool:
    """Whether three of these local moments lie at different times of day over at least two days."""
    return any(
        len({at.date() for at in three}) >= DAYS and all(_apart(a, b) for a, b in combinations(three, 2))
        for three in combinations(missed, TRIES)
    )


def next_try(missed: Sequence[datetime], local_now: datetime) -> datetime:
    """Return when to try next: the first hour from now on that differs from every missed one, else tomorrow morning.

    With two missed on one day the third falls on another day.
    """
    one_day = len(missed) >= TRIES - 1 and len({at.date() for at in missed}) < DAYS
    for offset in range(3):
        for hour in _HOURS:
            day = local_now + timedelta(days=offset)
            planned = day.replace(hour=hour, minute=0, second=0, microsecond=0)
            fresh = planned > local_now and all(_apart(planned, at) for at in missed)
            if fresh and not (one_day and planned.date() == missed[-1].date()):
                return planned
    tomorrow = local_now + timedelta(days=1)
    return tomorrow.replace(hour=_HOURS[0], minute=0, second=0, microsecond=0)


def _apart(a: datetime, b: datetime) -> bool:
    minutes = abs((a.hour * 60 + a.minute) - (b.hour * 60 + b.minute))
    return minutes >= HOURS_APART * 60
