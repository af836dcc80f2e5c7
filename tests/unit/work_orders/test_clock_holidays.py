"""Deadlines over every public holiday and every weekend worked in exchange, 2024 to 2026.

The days are those of the notices of the General Office of the State Council (国务院办公厅关于部分节假日安排的通知) for
2024, 2025 and 2026, written out by hand.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from hotline.calendars.china import ChinaCalendar
from hotline.work_orders import clock, limits
from tests.factories.orders import CALENDAR, TZ

# year: ((holiday, first day off, last day off), ...), (weekend days worked, ...)
NOTICES = {
    2024: (
        (
            ("元旦", "01-01", "01-01"),
            ("春节", "02-10", "02-17"),
            ("清明节", "04-04", "04-06"),
            ("劳动节", "05-01", "05-05"),
            ("端午节", "06-10", "06-10"),
            ("中秋节", "09-15", "09-17"),
            ("国庆节", "10-01", "10-07"),
        ),
        ("02-04", "02-18", "04-07", "04-28", "05-11", "09-14", "09-29", "10-12"),
    ),
    2025: (
        (
            ("元旦", "01-01", "01-01"),
            ("春节", "01-28", "02-04"),
            ("清明节", "04-04", "04-06"),
            ("劳动节", "05-01", "05-05"),
            ("端午节", "05-31", "06-02"),
            ("国庆节、中秋节", "10-01", "10-08"),
        ),
        ("01-26", "02-08", "04-27", "09-28", "10-11"),
    ),
    2026: (
        (
            ("元旦", "01-01", "01-03"),
            ("春节", "02-15", "02-23"),
            ("清明节", "04-04", "04-06"),
            ("劳动节", "05-01", "05-05"),
            ("端午节", "06-19", "06-21"),
            ("中秋节", "09-25", "09-27"),
            ("国庆节", "10-01", "10-07"),
        ),
        ("01-04", "02-14", "02-28", "05-09", "09-20", "10-10"),
    ),
}

# the last working day before each holiday, and the first after it
AROUND = (
    ("2023-12-29", "2024-01-02"),
    ("2024-02-09", "2024-02-18"),
    ("2024-04-03", "2024-04-07"),
    ("2024-04-30", "2024-05-06"),
    ("2024-06-07", "2024-06-11"),
    ("2024-09-14", "2024-09-18"),
    ("2024-09-30", "2024-10-08"),
    ("2024-12-31", "2025-01-02"),
    ("2025-01-27", "2025-02-05"),
    ("2025-04-03", "2025-04-07"),
    ("2025-04-30", "2025-05-06"),
    ("2025-05-30", "2025-06-03"),
    ("2025-09-30", "2025-10-09"),
    ("2025-12-31", "2026-01-04"),
    ("2026-02-14", "2026-02-24"),
    ("2026-04-03", "2026-04-07"),
    ("2026-04-30", "2026-05-06"),
    ("2026-06-18", "2026-06-22"),
    ("2026-09-24", "2026-09-28"),
    ("2026-09-30", "2026-10-08"),
)

# each weekend day worked, and the working day after it
MADE_UP = (
    ("2024-02-04", "2024-02-05"),
    ("2024-02-18", "2024-02-19"),
    ("2024-04-07", "2024-04-08"),
    ("2024-04-28", "2024-04-29"),
    ("2024-05-11", "2024-05-13"),
    ("2024-09-14", "2024-09-18"),
    ("2024-09-29", "2024-09-30"),
    ("2024-10-12", "2024-10-14"),
    ("2025-01-26", "2025-01-27"),
    ("2025-02-08", "2025-02-10"),
    ("2025-04-27", "2025-04-28"),
    ("2025-09-28", "2025-09-29"),
    ("2025-10-11", "2025-10-13"),
    ("2026-01-04", "2026-01-05"),
    ("2026-02-14", "2026-02-24"),
    ("2026-02-28", "2026-03-02"),
    ("2026-05-09", "2026-05-11"),
    ("2026-09-20", "2026-09-21"),
    ("2026-10-10", "2026-10-12"),
)


def at(day: str, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(hour, minute), TZ)


def due(kind: str, accepted: datetime, calendar: ChinaCalendar = CALENDAR) -> clock.Deadline:
    return clock.deadline(limits.profile_named("hebei-default"), kind, "normal", accepted, calendar, TZ)


@pytest.mark.parametrize("year", NOTICES)
def test_every_day_of_the_year_is_worked_or_free_as_the_notice_says(year: int):
    holidays, worked = NOTICES[year]
    free: set[date] = set()
    for _name, first, last in holidays:
        day = date.fromisoformat(f"{year}-{first}")
        while day <= date.fromisoformat(f"{year}-{last}"):
            free.add(day)
            day += timedelta(days=1)
    made_up = {date.fromisoformat(f"{year}-{day}") for day in worked}
    day = date(year, 1, 1)
    while day.year == year:
        expected = day in made_up or (day.weekday() < 5 and day not in free)
        found = CALENDAR.day(day)
        assert (found.working, found.provisional) == (expected, False), day
        day += timedelta(days=1)


def test_the_rows_below_are_all_the_holidays_and_all_the_days_made_up():
    assert len(AROUND) == sum(len(holidays) for holidays, _ in NOTICES.values())
    assert {day for day, _ in MADE_UP} == {f"{year}-{day}" for year, (_, worked) in NOTICES.items() for day in worked}


@pytest.mark.parametrize(("before", "after"), AROUND)
def test_one_working_day_reaches_over_the_holiday(before: str, after: str):
    assert due("consult", at(before, 16, 30)).at == at(after, 16, 30)
    assert due("consult", at(before, 20)).at == at(after, 17, 30)  # after hours: the whole day after
    holiday = (date.fromisoformat(before) + timedelta(days=1)).isoformat()
    for hour in (0, 3, 12, 23):
        assert due("consult", at(holiday, hour)).at == at(after, 17, 30)


@pytest.mark.parametrize(("worked", "following"), MADE_UP)
def test_a_weekend_day_worked_in_exchange_counts_like_any_other(worked: str, following: str):
    assert due("consult", at(worked, 8, 30)).at == at(worked, 17, 30)
    assert due("consult", at(worked, 16, 30)).at == at(following, 16, 30)
    line = next(line for line in due("consult", at(worked, 8, 30)).lines if "计到" in line)
    assert "调休上班" in line


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        # ten working days over the Spring Festivals, counted by hand on the notices
        (at("2024-02-05", 9), at("2024-02-23", 9)),
        (at("2025-01-22", 9), at("2025-02-11", 9)),
        (at("2026-02-10", 9), at("2026-03-02", 9)),
        # and over National Day
        (at("2024-09-26", 9), at("2024-10-15", 9)),
        (at("2025-09-26", 9), at("2025-10-16", 9)),
        (at("2026-09-24", 9), at("2026-10-15", 9)),
    ],
)
def test_ten_working_days_over_the_long_holidays(accepted: datetime, expected: datetime):
    assert due("complaint", accepted).at == expected


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        (at("2026-11-18", 12), at("2026-11-19", 12)),  # at noon, to noon
        (at("2026-11-18", 13, 59), at("2026-11-19", 12)),  # in the lunch break
        (at("2026-11-18", 14), at("2026-11-19", 12)),
        (at("2026-11-18", 11, 59), at("2026-11-19", 11, 59)),
        (at("2026-11-18", 17, 30), at("2026-11-19", 17, 30)),  # at closing time: nothing of that day is left
        (at("2026-11-18", 8, 29), at("2026-11-18", 17, 30)),
        (at("2026-11-19", 2), at("2026-11-19", 17, 30)),  # at night
        (at("2026-11-21", 15), at("2026-11-23", 17, 30)),  # on a Saturday
    ],
)
def test_lunch_closing_time_and_night(accepted: datetime, expected: datetime):
    assert due("consult", accepted).at == expected


@pytest.mark.parametrize("accepted", [at("2026-10-03", 2), at("2026-11-21", 22), at("2026-02-17", 12)])
def test_hours_run_over_weekends_and_holidays(accepted: datetime):
    tiered = limits.profile_named("tiered-2h-24h-7d-15d")
    for urgency, span in (("critical", timedelta(hours=2)), ("urgent", timedelta(hours=24))):
        assert clock.deadline(tiered, "help", urgency, accepted, CALENDAR, TZ).at == accepted + span


def test_a_limit_in_working_hours_stops_for_lunch_and_night():
    rules = limits.profile_named("hebei-default")
    asked = clock.step_due(rules, "decide", "normal", at("2026-11-20", 11), CALENDAR, TZ)
    assert asked is not None
    assert asked.at == at("2026-11-20", 17)  # one hour before lunch, three after
    assert asked.lines[2] == "4 个工作小时 = 4小时工作时间（每日 08:30–12:00、14:00–17:30）"
    late = clock.step_due(rules, "decide", "normal", at("2026-11-20", 16), CALENDAR, TZ)
    assert late is not None
    assert late.at == at("2026-11-23", 11)  # 1:30 on Friday, 2:30 on Monday


def test_hard_orders_have_two_days_to_be_returned_in():
    rules = limits.profile_named("hebei-default")
    for hard, day in ((False, "2026-11-19"), (True, "2026-11-20")):
        found = clock.step_due(rules, "return", "normal", at("2026-11-18", 9), CALENDAR, TZ, hard=hard)
        assert found is not None
        assert found.at == at(day, 9)


def test_a_city_that_names_only_the_old_steps_has_the_default_limits_for_the_others():
    steps = {"dispatch": [], "sign": [], "check": [], "call_back": []}
    handle, redo = [{"limit": {"working_days": 5}}], {"half": True, "most": 2}
    own = limits.profile_from({"name": "our", "title": "本市", "handle": handle, "steps": steps, "redo": redo})
    assert own.step("decide", "normal") == limits.Limit("working_hours", 4)
    none = limits.profile_from(
        {"name": "our", "title": "本市", "handle": handle, "steps": {**steps, "decide": []}, "redo": redo}
    )
    assert none.step("decide", "normal") is None
