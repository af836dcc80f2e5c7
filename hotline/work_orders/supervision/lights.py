"""When an order turns blue (T27): pure functions of the order, its limit and the calendar.

Blue when the profile's share of the time is used, or as soon as it was not dispatched or not signed in time. Working
limits are measured in working time, 24-hour classes on wall time, and time inside pauses is nobody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from hotline.calendars.base import Calendar
from hotline.work_orders import clock
from hotline.work_orders.guards import live_subs
from hotline.work_orders.limits import Limit
from hotline.work_orders.models import SubOrder, WorkOrder
from hotline.work_orders.states import Action, Holder, Status, SubState
from hotline.work_orders.transitions import WITH_UNITS

ON_THE_CLOCK: Final = WITH_UNITS | {Status.TO_REVIEW}
NOT_DONE: Final = frozenset({SubState.TO_SIGN, SubState.SIGNED, SubState.IN_HAND})
_PAUSES: Final = frozenset({Holder.PAUSE, Holder.CALLER})
Span = tuple[datetime, datetime]


class Ground(StrEnum):
    """Why an order turns blue."""

    TIME = "time"
    DISPATCH = "dispatch"
    SIGN = "sign"


GROUND_WORDS: Final = {
    Ground.TIME: "临近办理时限",
    Ground.DISPATCH: "未按时派单",
    Ground.SIGN: "未按时签收",
}


@dataclass(frozen=True, slots=True)
class Alert:
    """The moment from which there is a ground; ``unit_id``: whose it is, None: the hub's or the whole order's."""

    at: datetime
    ground: Ground
    unit_id: int | None = None


def is_watched(order: WorkOrder) -> bool:
    """Whether the timers have anything to do with the order as it stands: on the clock, and not with another's."""
    return order.status in ON_THE_CLOCK and order.merged_into_id is None


def alerts(order: WorkOrder, limit: Limit, used: float, calendar: Calendar, tz: tzinfo) -> list[Alert]:
    """Return the grounds as the order stands, past and still to come, the first first; none while it is paused.

    ``limit`` is that of its kind (``Profile.handling``): it says whether working time counts or wall time. ``used``: at
    which share of the time (0 to 1) it turns blue.
    """
    if not is_watched(order):
        return []
    found = [
        Alert(sub.sign_due_at, Ground.SIGN, sub.unit_id)
        for sub in live_subs(order)
        if sub.state == SubState.TO_SIGN and sub.sign_due_at is not None
    ]
    if order.status == Status.TO_REVIEW and order.step_due_at is not None:
        found.append(Alert(order.step_due_at, Ground.DISPATCH))
    began = _began(order)
    if began is not None and order.deadline_at is not None:
        at = blue_at(began, order.deadline_at, limit, used, _pauses(order), calendar, tz)
        found.append(Alert(at, Ground.TIME))
    return sorted(found, key=lambda alert: alert.at)


def blue_at(  # noqa: PLR0917 - what, when, where: as in ``clock``
    began: datetime,
    deadline: datetime,
    limit: Limit,
    used: float,
    pauses: Sequence[Span],
    calendar: Calendar,
    tz: tzinfo,
) -> datetime:
    """Return the moment at which ``used`` of the time from ``began`` to ``deadline`` has passed, pauses left out."""
    if limit.from_next_day:
        began = clock.local_midnight(began, tz)
    inside = [(max(since, began), min(until, deadline)) for since, until in pauses]
    if not limit.working:
        paused = sum((max(until - since, timedelta()) for since, until in inside), timedelta())
        return max(deadline - (deadline - began - paused) * (1 - used), began)
    whole = clock.working_between(began, deadline, calendar, tz)
    paused = sum((clock.working_between(since, until, calendar, tz) for since, until in inside), timedelta())
    before = whole - (whole - paused) * (1 - used)
    return clock.add_working(began, before, calendar, tz) if before > timedelta() else deadline


def overdue_parts(order: WorkOrder, now: datetime) -> list[SubOrder]:
    """Return the parts nobody has reported on though the order and they themselves are past their deadline."""
    if not is_watched(order) or order.deadline_at is None or order.deadline_at >= now:
        return []
    return [
        sub for sub in live_subs(order) if sub.state in NOT_DONE and (sub.deadline_at is None or sub.deadline_at < now)
    ]


def reminder_at(expired: datetime, calendar: Calendar, tz: tzinfo) -> datetime:
    """Return when a reminder is due: at the opening of the first working day after the one it expired on."""
    for _day, spans in clock.working_spans(clock.local_midnight(expired, tz), calendar, tz):
        if spans:
            return spans[0][0]
    raise AssertionError("working_spans ends by raising")


def _began(order: WorkOrder) -> datetime | None:
    """When the present handling began: a redo and a review have a time of their own."""
    if order.round == 1:
        return order.clock_started_at
    again = (
        event.at
        for event in reversed(order.events)
        if event.action == Action.REDO or (event.action, event.from_status) == (Action.TAKE_UP, Status.REVIEW)
    )
    return next(again, order.clock_started_at)


def _pauses(order: WorkOrder) -> list[Span]:
    return [(span.from_at, span.to_at) for span in order.spans if span.holder in _PAUSES and span.to_at is not None]
