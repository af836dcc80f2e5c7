"""When to try again to reach a citizen, and when the tries were enough. All moments are local to the city."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import combinations
from typing import Final

HOURS_APART: Final = 2
DAYS_AHEAD: Final = 3
# hours at which a next try may be planned, the likeliest first in the day
_HOURS: Final = (9, 11, 15, 17, 19)


def enough_tries(missed: Sequence[datetime], *, tries: int, days: int) -> bool:
    """Whether ``tries`` of these local moments lie at different times of day over at least so many ``days``."""
    return any(
        len({at.date() for at in some}) >= days and all(_apart(a, b) for a, b in combinations(some, 2))
        for some in combinations(missed, tries)
    )


def next_try(missed: Sequence[datetime], local_now: datetime, *, tries: int, days: int) -> datetime:
    """Return when to try next: the first hour from now on that differs from every missed one, else tomorrow morning.

    It falls on a day without a try as soon as the tries left could else not lie over ``days``.
    """
    seen = {at.date() for at in missed}
    another_day = len(seen) < days and days - len(seen) >= tries - len(missed)
    for offset in range(DAYS_AHEAD):
        for hour in _HOURS:
            day = local_now + timedelta(days=offset)
            planned = day.replace(hour=hour, minute=0, second=0, microsecond=0)
            fresh = planned > local_now and all(_apart(planned, at) for at in missed)
            if fresh and not (another_day and planned.date() in seen):
                return planned
    tomorrow = local_now + timedelta(days=1)
    return tomorrow.replace(hour=_HOURS[0], minute=0, second=0, microsecond=0)


def _apart(a: datetime, b: datetime) -> bool:
    minutes = abs((a.hour * 60 + a.minute) - (b.hour * 60 + b.minute))
    return minutes >= HOURS_APART * 60
