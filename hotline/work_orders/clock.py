"""Deadlines: pure functions of a profile, a calendar and a moment; each can print how it came about.

A working day is as long as the city's working hours: "5 working days" are five times those hours, counted from
the moment of acceptance, so that whoever accepts at 16:30 loses nothing. 24-hour classes run on wall time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from hotline.calendars.base import Calendar, Day
from hotline.errors import Invalid
from hotline.work_orders.limits import WORKING, Limit, Profile, profile_named
from hotline.work_orders.states import DEMAND_WORDS, URGENCY_WORDS, DemandType, Urgency

_FARTHEST: Final = timedelta(days=3660)  # a calendar without working days must not be searched for ever
_WEEKDAYS: Final = "一二三四五六日"
Pause = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment, whether it still hangs on an unpublished calendar, and how it was counted, a line a step."""

    at: datetime
    provisional: bool
    lines: list[str]


# ---- deadlines


def deadline(  # noqa: PLR0917 - what, when, where: one order everywhere in this module
    profile: Profile | str,
    demand_type: str,
    urgency: str,
    accepted_at: datetime,
    calendar: Calendar,
    tz: tzinfo,
    *,
    hard: bool = False,
    pauses: Sequence[Pause] = (),
) -> Deadline:
    """Return until when an order accepted at ``accepted_at`` must be handled, by a profile or the name of one.

    ``pauses`` give back the time inside them: working time to working limits, wall time to 24-hour ones.
    """
    rules = profile_named(profile) if isinstance(profile, str) else profile
    limit = rules.handling(demand_type, urgency, hard=hard)
    kind = f"{DEMAND_WORDS[DemandType(demand_type)]}·{URGENCY_WORDS[Urgency(urgency)]}{'·疑难' if hard else ''}"
    head = [f"时限方案 {rules.title}：{kind} {limit.word}"]
    return _count(limit, accepted_at, calendar, tz, head, pauses)


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
    if limit is None:
        return None
    return _count(limit, at, calendar, tz, [f"时限方案 {profile.title}：{limit.word}"], ())


def redo_deadline(  # noqa: PLR0917
    profile: Profile, demand_type: str, urgency: str, at: datetime, calendar: Calendar, tz: tzinfo, *, hard: bool
) -> Deadline:
    """Return the deadline of a redo begun at ``at``: half the original limit."""
    limit = profile.redoing(demand_type, urgency, hard=hard)
    return _count(limit, at, calendar, tz, [f"时限方案 {profile.title}：重办 {limit.word}"], ())


def never_shorter(given: Deadline, recounted: Deadline) -> Deadline:
    """Return the later of the two: a changed rule or calendar never takes back time already given."""
    if recounted.at >= given.at:
        return recounted
    return Deadline(given.at, recounted.provisional, [*given.lines, "重新计算后更早，已给出的时限不缩短"])


def explain(  # noqa: PLR0917
    profile: Profile | str,
    demand_type: str,
    urgency: str,
    accepted_at: datetime,
    calendar: Calendar,
    tz: tzinfo,
    *,
    hard: bool = False,
    pauses: Sequence[Pause] = (),
) -> dict[str, Any]:
    """Return a deadline and its derivation as plain values, for the command line and the API."""
    rules = profile_named(profile) if isinstance(profile, str) else profile
    handle = deadline(rules, demand_type, urgency, accepted_at, calendar, tz, hard=hard, pauses=pauses)
    sign = sign_due(rules, urgency, accepted_at, calendar, tz)
    return {
        "profile": rules.name,
        "type": demand_type,
        "urgency": urgency,
        "accepted_at": accepted_at.astimezone(tz).isoformat(),
        "deadline": handle.at.astimezone(tz).isoformat(),
        "provisional": handle.provisional,
        "sign_due": sign.at.astimezone(tz).isoformat() if sign else None,
        "lines": handle.lines,
    }


# ---- counting


def working_spans(start: datetime, calendar: Calendar, tz: tzinfo) -> Iterator[tuple[Day, list[Pause]]]:
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


def _count(  # noqa: PLR0917
    limit: Limit, start: datetime, calendar: Calendar, tz: tzinfo, lines: list[str], pauses: Sequence[Pause]
) -> Deadline:
    lines.append(f"起算 {_moment(start, tz)}")
    if limit.unit in WORKING:
        return _count_working(limit, start, calendar, tz, lines, pauses)
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
    for pause_from, pause_to in pauses:
        at += max(pause_to - max(pause_from, start), timedelta())
        lines.append(f"暂停 {_moment(pause_from, tz)} 至 {_moment(pause_to, tz)}，不计入")
    return _closed(at, provisional, tz, lines)


def _count_working(  # noqa: PLR0917
    limit: Limit, start: datetime, calendar: Calendar, tz: tzinfo, lines: list[str], pauses: Sequence[Pause]
) -> Deadline:
    hours = "、".join(f"{opens:%H:%M}–{closes:%H:%M}" for opens, closes in calendar.hours)
    left = day_length(calendar) * limit.count if limit.unit == "working_days" else timedelta(hours=limit.count)
    lines.append(f"{limit.word} = {span_words(left)}工作时间（每日 {hours}）")
    for pause_from, pause_to in pauses:
        given_back = working_between(max(pause_from, start), pause_to, calendar, tz)
        left += given_back
        lines.append(f"暂停 {_moment(pause_from, tz)} 至 {_moment(pause_to, tz)}，补回 {span_words(given_back)}")
    begin = local_midnight(start, tz) if limit.from_next_day else start
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
                return _closed(opens + left, bool(provisional_years), tz, lines)
            left -= closes - opens
        if spans:
            lines.append(
                f"{_day(day)}：计 {span_words(sum((b - a for a, b in spans), timedelta()))}，余 {span_words(left)}"
            )
    raise AssertionError("working_spans ends by raising")


def _closed(at: datetime, provisional: bool, tz: tzinfo, lines: list[str]) -> Deadline:
    lines.append(f"截止 {_moment(at, tz)}" + ("（暂定）" if provisional else ""))
    return Deadline(at, provisional, lines)


def _moment(at: datetime, tz: tzinfo) -> str:
    local = at.astimezone(tz)
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


def _day(day: Day) -> str:
    return f"{day.day.month}月{day.day.day}日 星期{_WEEKDAYS[day.day.weekday()]} {day.name}"


def span_words(span: timedelta) -> str:
    """``7小时30分``."""
    hours, minutes = divmod(int(span.total_seconds()) // 60, 60)
    return f"{hours}小时{minutes}分" if minutes else f"{hours}小时"
