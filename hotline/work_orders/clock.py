"""Counting: pure functions of a limit, a calendar and a moment; each can print how it came about.

A working day is as long as the city's working hours: "5 working days" are five times those hours, counted from
the moment of acceptance, so that whoever accepts at 16:30 loses nothing. 24-hour classes run on wall time.
What happens to an order after its acceptance (pauses, extensions, redoes) is counted in ``derivation``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from hotline.calendars.base import Calendar, Day
from hotline.errors import Invalid
from hotline.work_orders.limits import WORKING, Limit, Profile
from hotline.work_orders.states import DemandType, Urgency
from hotline.work_orders.words import DEMAND_WORDS, URGENCY_WORDS

_FARTHEST: Final = timedelta(days=3660)  # a calendar without working days must not be searched for ever
_WEEKDAYS: Final = "一二三四五六日"
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment, whether it still hangs on an unpublished calendar, and how it was counted, a line a step."""

    at: datetime
    provisional: bool
    lines: list[str]


# ---- deadlines


def deadline(  # noqa: PLR0917 - what, when, where: one order everywhere in this module
    profile: Profile,
    demand_type: str,
    urgency: str,
    accepted_at: datetime,
    calendar: Calendar,
    tz: tzinfo,
    *,
    hard: bool = False,
) -> Deadline:
    """Return until when an order accepted at ``accepted_at`` must be handled if nothing comes between."""
    limit = profile.handling(demand_type, urgency, hard=hard)
    kind = f"{DEMAND_WORDS[DemandType(demand_type)]}·{URGENCY_WORDS[Urgency(urgency)]}{'·疑难' if hard else ''}"
    return count(limit, accepted_at, calendar, tz, f"时限方案 {profile.title}：{kind} {limit.word}")


def sign_due(profile: Profile, urgency: str, at: datetime, calendar: Calendar, tz: tzinfo) -> Deadline | None:
    """Return until when a unit must sign what it was given at ``at``; None where the profile sets no limit."""
    return step_due(profile, "sign", urgency, at, calendar, tz)


def step_due(  # noqa: PLR0917
    profile: Profile, step: str, urgency: str, at: datetime, calendar: Calendar, tz: tzinfo, *, hard: bool = False
) -> Deadline | None:
    """Return until when one step begun at ``at`` is due; None: no limit set.

    Steps: ``dispatch sign check call_back`` and ``return decide panel review info``. ``hard`` orders may have more.
    """
    limit = profile.step(step, urgency, hard=hard)
    return None if limit is None else count(limit, at, calendar, tz, f"时限方案 {profile.title}：{limit.word}")


def count(limit: Limit, start: datetime, calendar: Calendar, tz: tzinfo, head: str) -> Deadline:
    """Return when ``limit`` is over that began at ``start``; ``head`` is the first line of the derivation."""
    lines = [head, f"起算 {moment_words(start, tz)}"]
    if limit.unit in WORKING:
        hours = "、".join(f"{opens:%H:%M}–{closes:%H:%M}" for opens, closes in calendar.hours)
        left = day_length(calendar) * limit.count if limit.unit == "working_days" else timedelta(hours=limit.count)
        lines.append(f"{limit.word} = {span_words(left)}工作时间（每日 {hours}）")
        return _run(local_midnight(start, tz) if limit.from_next_day else start, left, calendar, tz, lines)
    provisional = False
    if limit.unit == "same_day":
        at = local_midnight(start, tz)
    elif limit.unit == "same_working_day":
        at = end_of_working_day(start, calendar, tz)
        provisional = calendar.day(at.astimezone(tz).date()).provisional
    else:
        begin = local_midnight(start, tz) if limit.from_next_day else start
        at = begin + timedelta(**{limit.unit: limit.count})
        lines.append("按自然时间连续计算，不分工作日")
    return closed(at, provisional, tz, lines)


def resumed(  # noqa: PLR0917
    at: datetime, working: bool, since: datetime, until: datetime, calendar: Calendar, tz: tzinfo
) -> Deadline:
    """Return what becomes of the deadline ``at`` by a pause from ``since`` to ``until``; never earlier than ``at``.

    What was left at ``since`` is left again at ``until``: working time of a ``working`` limit, wall time of all
    others. A deadline already over gets nothing back.
    """
    lines = [f"暂停 {moment_words(since, tz)} 至 {moment_words(until, tz)}"]
    if at <= since:
        lines[0] += "：此前已到期，不补"
        return closed(at, False, tz, lines)
    left = working_between(since, at, calendar, tz) if working else timedelta()
    if left:
        lines[0] += f"：暂停时余 {span_words(left)}工作时间，恢复后接着计"
        found = _run(until, left, calendar, tz, lines)
    else:  # wall time, or a date that was granted outside of working time
        lines[0] += f"：暂停时余 {span_words(at - since)}，恢复后接着计"
        found = closed(until + (at - since), False, tz, lines)
    return never_shorter(at, found, tz)


def never_shorter(given: datetime, counted: Deadline, tz: tzinfo) -> Deadline:
    """Return ``counted``, but not before ``given``: no change of rules, calendar or plans takes given time back."""
    if counted.at >= given:
        return counted
    return closed(given, counted.provisional, tz, [*counted.lines, "已给出的时限更晚，不缩短"])


def closed(at: datetime, provisional: bool, tz: tzinfo, lines: list[str]) -> Deadline:
    """Return a deadline whose derivation ends by naming it."""
    return Deadline(at, provisional, [*lines, f"截止 {moment_words(at, tz)}" + ("（暂定）" if provisional else "")])


# ---- counting


def working_spans(start: datetime, calendar: Calendar, tz: tzinfo) -> Iterator[tuple[Day, list[Span]]]:
    """Yield day after day from ``start`` on, each with its working spans (UTC) not yet over at ``start``."""
    local = start.astimezone(tz).date()
    for offset in range(_FARTHEST.days):
        day = calendar.day(local + timedelta(days=offset))
        spans = []
        if day.working:
            for opens, closes in calendar.hours:
                span = (_at(day.day, opens, tz), _at(day.day, closes, tz))
                if span[1] > start:
                    spans.append((max(span[0], start), span[1]))
        yield day, spans
    raise Invalid("工作日历里十年内没有工作日")


def working_between(start: datetime, end: datetime, calendar: Calendar, tz: tzinfo) -> timedelta:
    """Return the working time between two moments; zero when ``end`` is not after ``start``."""
    total = timedelta()
    if end <= start:
        return total
    for day, spans in working_spans(start, calendar, tz):
        if _at(day.day, time.min, tz) >= end:
            break
        total += sum((max(min(closes, end) - opens, timedelta()) for opens, closes in spans), timedelta())
    return total


def add_working(start: datetime, span: timedelta, calendar: Calendar, tz: tzinfo) -> datetime:
    """Return the moment at which ``span`` (more than zero) of working time has passed since ``start``."""
    for _day, spans in working_spans(start, calendar, tz):
        for opens, closes in spans:
            if closes - opens >= span:
                return opens + span
            span -= closes - opens
    raise AssertionError("working_spans ends by raising")


def day_length(calendar: Calendar) -> timedelta:
    """Return how long a working day is."""
    base = date(2000, 1, 1)
    return sum(
        (datetime.combine(base, closes) - datetime.combine(base, opens) for opens, closes in calendar.hours),
        timedelta(),
    )


def end_of_working_day(at: datetime, calendar: Calendar, tz: tzinfo) -> datetime:
    """Return the closing time of the working day ``at`` falls in, or of the next one."""
    for _day, spans in working_spans(at, calendar, tz):
        if spans:
            return spans[-1][1]
    raise AssertionError("working_spans ends by raising")


def local_midnight(at: datetime, tz: tzinfo) -> datetime:
    """Return 24:00 of the local day ``at`` falls in."""
    return _at(at.astimezone(tz).date() + timedelta(days=1), time.min, tz)


def start_of_local_day(at: datetime, tz: tzinfo) -> datetime:
    """Return 0:00 of the local day ``at`` falls in."""
    return _at(at.astimezone(tz).date(), time.min, tz)


def _at(day: date, clock: time, tz: tzinfo) -> datetime:
    return datetime.combine(day, clock, tz).astimezone(UTC)


def _run(begin: datetime, left: timedelta, calendar: Calendar, tz: tzinfo, lines: list[str]) -> Deadline:
    """Let ``left`` of working time run from ``begin``, a line a day."""
    provisional_years: set[int] = set()
    for day, spans in working_spans(begin, calendar, tz):
        if day.provisional:
            provisional_years.add(day.day.year)
        if not day.working:
            lines.append(f"{_day(day)}：不计")
            continue
        for opens, closes in spans:
            if closes - opens >= left:
                lines.append(f"{_day(day)}：计到 {(opens + left).astimezone(tz):%H:%M}")
                lines += [
                    f"{year}年放假安排尚未公布，暂按周末计算；公布后重新计算，不会缩短"
                    for year in sorted(provisional_years)
                ]
                return closed(opens + left, bool(provisional_years), tz, lines)
            left -= closes - opens
        if spans:
            counted = span_words(sum((closes - opens for opens, closes in spans), timedelta()))
            lines.append(f"{_day(day)}：计 {counted}，余 {span_words(left)}")
    raise AssertionError("working_spans ends by raising")


def moment_words(at: datetime, tz: tzinfo) -> str:
    """``2026年11月21日 15:04``."""
    local = at.astimezone(tz)
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


def span_words(span: timedelta) -> str:
    """``7小时30分``."""
    hours, minutes = divmod(int(span.total_seconds()) // 60, 60)
    return f"{hours}小时{minutes}分" if minutes else f"{hours}小时"


def _day(day: Day) -> str:
    return f"{day.day.month}月{day.day.day}日 星期{_WEEKDAYS[day.day.weekday()]} {day.name}"
