"""Figures, always recounted from raw events; nothing here keeps a total.

Ids K1 to K8 are the trade's indicators. A share without a base is None, never 0 or 100.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import mean
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.calls.models import Call, PresenceEvent, QueueEvent
from hotline.calls.states import Outcome, QueueKind
from hotline.work_orders.models import WorkOrder

IN_TIME = timedelta(seconds=15)  # the norm: a person answers within 15 seconds
SHORT_ABANDON = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Way:
    """One call's way through the queue."""

    entered_at: datetime
    answered_at: datetime | None
    abandoned_at: datetime | None

    @property
    def wait(self) -> timedelta | None:
        """Time until a person answered or the caller gave up; None while still waiting."""
        end = self.answered_at or self.abandoned_at
        return None if end is None else end - self.entered_at


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """Counts of one period and the indicators made of them; shares are between 0 and 1."""

    offered: int
    answered: int
    answered_in_time: int
    abandoned: int
    abandoned_short: int
    mean_wait_s: float | None
    longest_wait_s: float | None

    @property
    def k1(self) -> float | None:
        """15秒接通率: answered within 15 s of all offered."""
        return _share(self.answered_in_time, self.offered)

    @property
    def k1a(self) -> float | None:
        """15秒应答率: answered within 15 s of those answered. Looks good when many abandon."""
        return _share(self.answered_in_time, self.answered)

    @property
    def k1b(self) -> float | None:
        """15秒接通率 less short abandons."""
        return _share(self.answered_in_time, self.offered - self.abandoned_short)

    @property
    def k2(self) -> float | None:
        """接通率: answered of all offered."""
        return _share(self.answered, self.offered)

    @property
    def k3(self) -> float | None:
        """放弃率: abandoned of all offered."""
        return _share(self.abandoned, self.offered)


def _share(part: int, base: int) -> float | None:
    return part / base if base > 0 else None


def day_bounds(day: date, tz: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the first moment of a local day and of the next one."""
    start = datetime.combine(day, time(), tz)
    return start, datetime.combine(day + timedelta(days=1), time(), tz)


def ways(session: Session, start: datetime, end: datetime) -> list[Way]:
    """Return the way of every call that entered the queue from ``start`` up to ``end``."""
    entered = (
        select(QueueEvent.call_id, func.min(QueueEvent.at).label("at"))
        .where(QueueEvent.kind == QueueKind.ENTERED)
        .group_by(QueueEvent.call_id)
        .subquery()
    )
    rows = session.execute(
        select(QueueEvent.call_id, QueueEvent.kind, QueueEvent.at)
        .join(entered, entered.c.call_id == QueueEvent.call_id)
        .where(
            entered.c.at >= start,
            entered.c.at < end,
            QueueEvent.kind.in_([QueueKind.ENTERED, QueueKind.ANSWERED, QueueKind.ABANDONED]),
        )
        .order_by(QueueEvent.at, QueueEvent.id)
    )
    first: dict[int, dict[str, datetime]] = {}
    for call_id, kind, at in rows:
        first.setdefault(call_id, {}).setdefault(kind, at)
    return [
        Way(found[QueueKind.ENTERED], found.get(QueueKind.ANSWERED), found.get(QueueKind.ABANDONED))
        for found in first.values()
    ]


def count(found: Iterable[Way]) -> QueueFigures:
    """Make the figures of some ways."""
    all_ways = list(found)
    answered = [way for way in all_ways if way.answered_at is not None]
    gave_up = [way for way in all_ways if way.answered_at is None and way.abandoned_at is not None]
    waits = [way.wait.total_seconds() for way in all_ways if way.wait is not None]
    return QueueFigures(
        offered=len(all_ways),
        answered=len(answered),
        answered_in_time=sum(way.wait is not None and way.wait <= IN_TIME for way in answered),
        abandoned=len(gave_up),
        abandoned_short=sum(way.wait is not None and way.wait <= SHORT_ABANDON for way in gave_up),
        mean_wait_s=mean(waits) if waits else None,
        longest_wait_s=max(waits, default=None),
    )


def queue_figures(session: Session, start: datetime, end: datetime) -> QueueFigures:
    """Recount the queue's figures of a period from its raw events."""
    return count(ways(session, start, end))


@dataclass(frozen=True, slots=True)
class DemandFigures:
    """What became of the demands recorded in a period."""

    calls: int
    abandoned_greeting: int
    accepted: int
    answered_on_spot: int
    ordered: int
    closed: int

    @property
    def k8(self) -> float | None:
        """直接答复率: answered on the spot of all accepted."""
        return _share(self.answered_on_spot, self.accepted)


def demand_figures(session: Session, start: datetime, end: datetime) -> DemandFigures:
    """Count calls by how they began and orders by how they were taken and closed."""

    def calls(*conditions: object) -> int:
        query = select(func.count()).select_from(Call).where(Call.started_at >= start, Call.started_at < end)
        return session.scalar(query.where(*conditions)) or 0  # type: ignore[arg-type]

    def orders(*conditions: object) -> int:
        return session.scalar(select(func.count()).select_from(WorkOrder).where(*conditions)) or 0  # type: ignore[arg-type]

    taken = (WorkOrder.submitted_at >= start, WorkOrder.submitted_at < end)
    on_spot = orders(*taken, WorkOrder.first_dispatched_at.is_(None), WorkOrder.clock_started_at.is_(None))
    accepted = orders(*taken)
    return DemandFigures(
        calls=calls(),
        abandoned_greeting=calls(Call.outcome == Outcome.ABANDONED_GREETING),
        accepted=accepted,
        answered_on_spot=on_spot,
        ordered=accepted - on_spot,
        closed=orders(WorkOrder.closed_at >= start, WorkOrder.closed_at < end, WorkOrder.clock_started_at.is_not(None)),
    )


def calls_taken_by(session: Session, user_id: int, start: datetime, end: datetime) -> int:
    """Return how many calls one operator answered in a period."""
    return (
        session.scalar(
            select(func.count(func.distinct(QueueEvent.call_id))).where(
                QueueEvent.kind == QueueKind.ANSWERED,
                QueueEvent.user_id == user_id,
                QueueEvent.at >= start,
                QueueEvent.at < end,
            )
        )
        or 0
    )


def presence_minutes(session: Session, user_id: int, start: datetime, end: datetime) -> dict[str, float]:
    """Return minutes spent in each state from ``start`` to ``end``, recounted from presence events."""
    events = session.execute(
        select(PresenceEvent.to_state, PresenceEvent.at)
        .where(PresenceEvent.user_id == user_id, PresenceEvent.at < end)
        .order_by(PresenceEvent.at, PresenceEvent.id)
    ).all()
    minutes: dict[str, float] = {}
    for index, (state, at) in enumerate(events):
        until = events[index + 1][1] if index + 1 < len(events) else end
        held = (min(until, end) - max(at, start)).total_seconds() / 60
        if held > 0:
            minutes[state] = minutes.get(state, 0.0) + held
    return minutes


HOUR_STEP: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class HourLines:
    """The last hour, a point every five minutes, oldest first. Shares leave out the steps without a base."""

    waiting: list[int]
    longest_s: list[float]
    entered: list[int]
    k1: list[float]
    k2: list[float]


def hour_lines(session: Session, now: datetime) -> HourLines:
    """Recount the last hour of the queue for the wall: who waited at each point, what entered in each step."""
    # a call that waits at the hour's first point may have entered before it
    return lines_of(ways(session, now - timedelta(hours=2), now), now)


def lines_of(found: Sequence[Way], now: datetime) -> HourLines:
    """Make the lines of the hour before ``now`` from ways that may have begun earlier."""
    start = now - timedelta(hours=1)
    points = [start + HOUR_STEP * step for step in range(1, 13)]
    waits = [[at - way.entered_at for way in found if _waits_at(way, at)] for at in points]
    steps = [count(way for way in found if at - HOUR_STEP <= way.entered_at < at) for at in points]
    return HourLines(
        waiting=[len(step) for step in waits],
        longest_s=[max((wait.total_seconds() for wait in step), default=0.0) for step in waits],
        entered=[step.offered for step in steps],
        k1=[step.k1 for step in steps if step.k1 is not None],
        k2=[step.k2 for step in steps if step.k2 is not None],
    )


def _waits_at(way: Way, at: datetime) -> bool:
    end = way.answered_at or way.abandoned_at
    return way.entered_at <= at and (end is None or end > at)
