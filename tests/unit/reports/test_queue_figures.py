"""Figures are recounted from raw events, and say nothing where there is no base."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hotline.reports.queries import QueueFigures, Way, count, lines_of

START = datetime.fromisoformat("2026-11-18T04:00:00+00:00")


def way(answered: float | None = None, abandoned: float | None = None) -> Way:
    return Way(
        START,
        None if answered is None else START + timedelta(seconds=answered),
        None if abandoned is None else START + timedelta(seconds=abandoned),
    )


def test_a_day_of_five_calls_counted_by_hand() -> None:
    found = count([way(answered=4), way(answered=15), way(answered=16), way(abandoned=3), way(abandoned=40)])
    assert (found.offered, found.answered, found.answered_in_time, found.abandoned, found.abandoned_short) == (
        *(5, 3, 2, 2, 1),
    )
    assert found.k1 == 2 / 5  # of all offered
    assert found.k1a == 2 / 3  # of those answered: looks better because two gave up
    assert found.k1b == 2 / 4  # less the one who gave up within five seconds
    assert found.k2 == 3 / 5
    assert found.k3 == 2 / 5
    assert found.longest_wait_s == 40


def test_an_empty_day_has_no_shares() -> None:
    found = count([])
    assert found == QueueFigures(0, 0, 0, 0, 0, None, None)
    assert found.k1 is found.k1a is found.k1b is found.k2 is found.k3 is None


seconds = st.one_of(st.none(), st.floats(0, 600))


@given(st.lists(st.builds(way, answered=seconds, abandoned=seconds)))
def test_the_parts_never_exceed_the_whole(found: list[Way]) -> None:
    figures = count(found)
    waiting = sum(one.answered_at is None and one.abandoned_at is None for one in found)
    assert figures.answered + figures.abandoned + waiting == figures.offered
    assert figures.answered_in_time <= figures.answered
    assert figures.abandoned_short <= figures.abandoned
    if figures.k1 is not None and figures.k1a is not None:
        assert figures.k1 <= figures.k1a


def test_the_last_hour_tells_who_waited_at_each_point_and_what_entered_in_between() -> None:
    now = START + timedelta(hours=1)
    early = Way(START - timedelta(minutes=2), START + timedelta(minutes=6), None)  # waits over the first point
    late = Way(now - timedelta(minutes=1), None, None)  # waits still
    lines = lines_of([early, late], now)
    assert lines.waiting == [1] + [0] * 10 + [1]
    assert lines.longest_s[0] == 7 * 60
    assert lines.entered == [0] * 11 + [1]
    assert lines.k1 == [0.0]  # only the last step has a base
