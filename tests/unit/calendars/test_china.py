"""Days as the city counts them."""

from datetime import date

import chinese_calendar
import pytest

from hotline.calendars.china import ChinaCalendar


def first_year_without_a_list() -> int:
    year = 2026
    while True:
        try:
            chinese_calendar.is_workday(date(year, 6, 1))
        except NotImplementedError:
            return year
        year += 1


def test_holidays_and_the_weekends_worked_for_them_have_their_names():
    calendar = ChinaCalendar()
    assert calendar.day(date(2026, 10, 1)).name == "国庆节"
    assert not calendar.day(date(2026, 10, 1)).working
    made_up_for = calendar.day(date(2026, 10, 10))  # a Saturday
    assert made_up_for.working
    assert made_up_for.name == "国庆节调休上班"
    assert calendar.day(date(2026, 11, 18)).name == "工作日"
    assert calendar.day(date(2026, 11, 21)).name == "周末"
    assert not calendar.day(date(2026, 11, 21)).provisional


def test_a_year_nobody_published_counts_weekends_only_and_says_so():
    year = first_year_without_a_list()
    new_year = ChinaCalendar().day(date(year, 1, 1))
    assert new_year.provisional
    assert new_year.working == (date(year, 1, 1).weekday() < 5)
    assert not ChinaCalendar().day(date(year - 1, 12, 31)).provisional


@pytest.mark.parametrize("working", [True, False])
def test_what_the_city_enters_itself_is_certain(working: bool):
    day = date(first_year_without_a_list(), 2, 10)
    calendar = ChinaCalendar(overrides={day: (working, "市定")})
    assert calendar.day(day).working is working
    assert calendar.day(day).name == "市定"
    assert not calendar.day(day).provisional
