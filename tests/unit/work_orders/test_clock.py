"""Deadlines, hand-counted."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.calendars.base import Calendar, Day
from hotline.calendars.china import ChinaCalendar
from hotline.errors import Invalid
from hotline.work_orders import clock, limits
from tests.factories.orders import CALENDAR, TZ


def local(month: int, day: int, hour: int, minute: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=TZ)


def count(
    profile: str, kind: str, at: datetime, urgency: str = "normal", calendar: Calendar = CALENDAR, **more: bool
) -> clock.Deadline:
    return clock.deadline(limits.profile_named(profile), kind, urgency, at, calendar, TZ, **more)


def due(profile: str, kind: str, at: datetime, urgency: str = "normal", **more: bool) -> datetime:
    return count(profile, kind, at, urgency, **more).at.astimezone(TZ)


@pytest.mark.parametrize(
    ("profile", "kind", "urgency", "accepted", "expected"),
    [
        # Friday 16:30: one hour on Friday, four whole days, six hours on the Friday after
        ("hebei-default", "help", "normal", local(11, 20, 16, 30), local(11, 27, 16, 30)),
        ("hebei-default", "consult", "normal", local(11, 18, 12, 30), local(11, 19, 12)),  # accepted at lunch
        ("hebei-default", "consult", "normal", local(11, 21, 10), local(11, 23, 17, 30)),  # Saturday: the whole Monday
        ("hebei-default", "complaint", "normal", local(11, 18, 9), local(12, 2, 9)),
        # over National Day: 1 to 7 October off, the 10th (Saturday) worked
        ("hebei-default", "help", "normal", local(9, 30, 8, 30), local(10, 12, 17, 30)),
        ("hebei-default", "consult", "normal", local(10, 9, 9), local(10, 10, 9)),
        ("redyellow-2-5", "consult", "normal", local(11, 18, 9), local(11, 20, 9)),
        ("bureau-3-13", "help", "normal", local(11, 18, 9), local(11, 23, 17, 30)),  # from the next day
        ("bureau-3-13", "help", "urgent", local(11, 18, 9), local(11, 19, 0)),
        ("bureau-3-13", "suggestion", "normal", local(11, 18, 9), local(12, 7, 17, 30)),
        ("tiered-2h-24h-7d-15d", "help", "critical", local(11, 21, 23, 30), local(11, 22, 1, 30)),
        ("tiered-2h-24h-7d-15d", "help", "urgent", local(10, 1, 3), local(10, 2, 3)),  # wall time, holiday or not
        ("tiered-2h-24h-7d-15d", "help", "normal", local(11, 18, 9), local(11, 25, 9)),
    ],
)
def test_a_deadline_counted_by_hand(profile: str, kind: str, urgency: str, accepted: datetime, expected: datetime):
    assert due(profile, kind, accepted, urgency) == expected


def test_hard_orders_have_the_longest_limit():
    assert due("hebei-default", "help", local(11, 18, 9), hard=True) == local(12, 9, 9)
    assert due("tiered-2h-24h-7d-15d", "help", local(11, 18, 9), hard=True) == local(12, 3, 9)


@pytest.mark.parametrize(
    ("urgency", "at", "expected"),
    [
        ("critical", local(11, 21, 3), local(11, 21, 3, 15)),  # life: any hour of any day
        ("urgent", local(10, 1, 22, 45), local(10, 1, 23, 15)),
        ("normal", local(11, 20, 16), local(11, 23, 16)),
    ],
)
def test_signing_is_urgent_where_life_or_water_is(urgency: str, at: datetime, expected: datetime):
    found = clock.sign_due(limits.profile_named("hebei-default"), urgency, at, CALENDAR, TZ)
    assert found is not None
    assert found.at == expected


@pytest.mark.parametrize("name", limits.profile_names())
@pytest.mark.parametrize("hour", [9, 13, 16, 23])
def test_what_is_urgent_is_never_dispatched_later_than_what_is_not(name: str, hour: int):
    """Day and night, at once: a dispatcher must not see more time left for a danger to life than for a lamp."""
    at, profile = datetime(2026, 11, 18, hour, 5, tzinfo=TZ), limits.profile_named(name)
    due = [
        clock.step_due(profile, "dispatch", urgency, at, CALENDAR, TZ) for urgency in ("critical", "urgent", "normal")
    ]
    assert None not in due
    assert due[0].at - at == timedelta(minutes=15)
    assert due[0].at <= due[1].at <= due[2].at


def test_a_profile_without_a_signing_limit_sets_none():
    assert (
        clock.sign_due(limits.profile_named("tiered-2h-24h-7d-15d"), "normal", local(11, 18, 9), CALENDAR, TZ) is None
    )


def test_a_year_not_published_yet_is_provisional_and_says_so():
    found = count("hebei-default", "complaint", local(12, 28, 9))
    assert found.provisional
    assert any("2027年放假安排尚未公布" in line for line in found.lines)
    assert found.lines[-1].endswith("（暂定）")
    assert not count("hebei-default", "help", local(11, 18, 9)).provisional


def test_published_holidays_lengthen_a_provisional_deadline_and_never_shorten_it():
    given_ = count("hebei-default", "help", local(12, 30, 9))
    published = ChinaCalendar(overrides={date(2027, 1, 1): (False, "元旦"), date(2027, 1, 2): (True, "元旦调休上班")})
    later = count("hebei-default", "help", local(12, 30, 9), calendar=published)
    assert clock.never_shorter(given_.at, later, TZ).at == max(given_.at, later.at)
    worked = ChinaCalendar(overrides={date(2027, 1, 2): (True, "调休上班"), date(2027, 1, 3): (True, "调休上班")})
    sooner = count("hebei-default", "help", local(12, 30, 9), calendar=worked)
    assert sooner.at < given_.at
    kept = clock.never_shorter(given_.at, sooner, TZ)
    assert kept.at == given_.at
    assert kept.lines[-1] == f"截止 {clock.moment_words(given_.at, TZ)}（暂定）"


def test_the_derivation_names_every_day_and_what_it_counted():
    lines = count("hebei-default", "help", local(9, 30, 16, 30)).lines
    text = "\n".join(lines)
    assert "求助·一般 5 个工作日" in lines[0]
    assert "9月30日 星期三 工作日：计 1小时，余 34小时" in text
    assert "10月1日 星期四 国庆节：不计" in text
    assert "10月10日 星期六 国庆节调休上班：计 7小时" in text
    assert lines[-1] == "截止 2026年10月13日 16:30"


def test_every_profile_covers_every_kind_and_step():
    assert set(limits.profile_names()) == {
        "bureau-3-13",
        "hebei-default",
        "redyellow-2-5",
        "tiered-2h-24h-7d-15d",
        "urgent-first",
    }
    for name in limits.profile_names():
        for kind in clock.DemandType:
            for urgency in clock.Urgency:
                assert due(name, kind, local(11, 18, 9), urgency) > local(11, 18, 9)
        for step in (*limits.STEPS, *limits.FURTHER_STEPS):
            clock.step_due(limits.profile_named(name), step, "normal", local(11, 18, 9), CALENDAR, TZ)


def test_what_nobody_named_is_refused_in_words():
    for profile, kind, urgency in (
        ("no-such", "help", "normal"),
        ("hebei-default", "ask", "normal"),
        ("hebei-default", "help", "very"),
    ):
        with pytest.raises(Invalid):
            count(profile, kind, local(11, 18, 9), urgency)


class NeverOpen:
    """A calendar somebody entered wrongly."""

    hours = ((time(9), time(17)),)

    def day(self, day: date) -> Day:
        return Day(day, False, "休", False)


def test_a_calendar_without_working_days_is_said_and_does_not_hang():
    with pytest.raises(Invalid, match="没有工作日"):
        count("hebei-default", "help", local(11, 18, 9), calendar=NeverOpen())


moments = st.integers(0, 1_500_000).map(lambda minutes: local(1, 1, 0, year=2024) + timedelta(minutes=minutes))


@given(moments, st.integers(1, 6000))
def test_working_time_added_is_working_time_found(start: datetime, minutes: int):
    span = timedelta(minutes=minutes)
    end = clock.add_working(start, span, CALENDAR, TZ)
    assert clock.working_between(start, end, CALENDAR, TZ) == span
    assert CALENDAR.day(end.astimezone(TZ).date()).working


@given(moments, moments, st.sampled_from(["consult", "help", "complaint"]))
def test_whoever_calls_later_is_due_no_earlier(a: datetime, b: datetime, kind: str):
    first, second = sorted((a, b))
    assert due("hebei-default", kind, first) <= due("hebei-default", kind, second)
