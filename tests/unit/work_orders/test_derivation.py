"""The clock nobody can bend: what happens to an order moves its deadline by rule, and gives no time back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import SYSTEM
from hotline.calendars.base import Calendar
from hotline.calendars.china import ChinaCalendar
from hotline.errors import Invalid
from hotline.work_orders import clock, derivation, journal, limits, recounting, service
from hotline.work_orders.clock import moment_words
from hotline.work_orders.derivation import Derived, Happening, What
from hotline.work_orders.models import OrderEvent, WorkOrder
from hotline.work_orders.states import Action, Status
from tests.conftest import NOON
from tests.factories import people
from tests.factories.orders import CALENDAR, TZ, WHEN, caller, draft, order_at
from tests.factories.units import City, city

HEBEI, TIERED = "hebei-default", "tiered-2h-24h-7d-15d"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def on(month: int, day: int, hour: int = 9, minute: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=TZ)


def tell(
    *story: tuple[What, datetime] | Happening,
    profile: str = HEBEI,
    kind: str = "help",
    urgency: str = "normal",
    calendar: Calendar = CALENDAR,
) -> Derived:
    happened = [one if isinstance(one, Happening) else Happening(*one) for one in story]
    return derivation.derive(limits.profile_named(profile), kind, urgency, happened, calendar, TZ)


def extend(at: datetime, until: datetime) -> Happening:
    return Happening(What.EXTEND, at, until)


# accepted on Wednesday at 9:00: five working days end on the Wednesday after at 9:00
ACCEPT = (What.ACCEPT, on(11, 18))


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (on(11, 19, 9), on(11, 20, 9), on(11, 26, 9)),  # a day for a day
        (on(11, 19, 10), on(11, 19, 11), on(11, 25, 10)),  # inside a morning
        (on(11, 19, 11), on(11, 19, 15), on(11, 25, 11)),  # over lunch: two hours of four
        (on(11, 18, 20), on(11, 19, 2), on(11, 25, 9)),  # inside a night
        (on(11, 18, 17), on(11, 19, 9), on(11, 25, 10)),  # over a night: half an hour on either side
        (on(11, 20, 17, 30), on(11, 23, 8, 30), on(11, 25, 9)),  # over a weekend and no more
        (on(11, 24, 17), on(12, 1, 8, 30), on(12, 1, 9, 30)),  # the last half hour before closing and one after
        (on(11, 25, 9), on(12, 1, 9), on(11, 25, 9)),  # at the very end: nothing was left
        (on(11, 26, 9), on(12, 1, 9), on(11, 25, 9)),  # when it was late already
    ],
)
def test_a_pause_conserves_the_working_time_that_was_left(since: datetime, until: datetime, expected: datetime):
    assert tell(ACCEPT, (What.PAUSE, since), (What.RESUME, until)).at == expected


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (on(11, 18, 20), on(11, 18, 22), on(11, 19, 11)),
        (on(11, 19, 8), on(11, 23, 8), on(11, 23, 9)),  # a weekend inside it is wall time like any other
        (on(11, 19, 10), on(11, 23, 8), on(11, 19, 9)),  # late already
    ],
)
def test_a_pause_of_a_class_of_hours_conserves_wall_time(since: datetime, until: datetime, expected: datetime):
    found = tell(ACCEPT, (What.PAUSE, since), (What.RESUME, until), profile=TIERED, urgency="urgent")
    assert found.at == expected


def test_while_it_stands_still_the_derivation_says_so():
    found = tell(ACCEPT, (What.PAUSE, on(11, 19)))
    assert (found.at, found.paused_since) == (on(11, 25), on(11, 19))
    assert found.lines[-2:] == ["2026年11月19日 09:00 起暂停，恢复后接着计", "截止 2026年11月25日 09:00"]


def test_naming_an_order_hard_keeps_the_pauses_before():
    pause = ((What.PAUSE, on(11, 18, 10)), (What.RESUME, on(11, 19, 10)))
    assert tell(ACCEPT, (What.HARD, on(11, 18, 10))).at == on(12, 9)
    assert tell(ACCEPT, *pause, (What.HARD, on(11, 19, 11))).at == on(12, 10)


def test_an_extension_moves_the_deadline_and_leaves_the_first_one():
    found = tell(ACCEPT, extend(on(11, 24), on(11, 30, 17, 30)))
    assert (found.at, found.original) == (on(11, 30, 17, 30), on(11, 25))
    assert tell(ACCEPT, extend(on(11, 24), on(11, 20))).at == on(11, 25)  # never shorter
    paused = tell(ACCEPT, extend(on(11, 24), on(11, 30, 17, 30)), (What.PAUSE, on(11, 26)), (What.RESUME, on(11, 27)))
    assert (paused.at, paused.original) == (on(12, 1, 17, 30), on(11, 25))  # the first was over before the pause


def test_a_date_granted_outside_of_working_time_is_not_lost_in_a_pause():
    saturday = on(11, 28, 20)
    found = tell(ACCEPT, extend(on(11, 24), saturday), (What.PAUSE, on(11, 28, 10)), (What.RESUME, on(12, 1, 10)))
    assert found.at == on(12, 1, 20)


def test_a_redo_has_half_the_limit_and_a_review_its_own():
    redone = tell(ACCEPT, (What.REDO, on(12, 1)))
    assert (redone.at, redone.original) == (on(12, 3, 14, 30), on(11, 25))  # 17:30 hours of working time
    assert tell(ACCEPT, (What.REDO, on(11, 19))).at == on(11, 25)  # more was left
    hard = tell(ACCEPT, (What.HARD, on(11, 18)), (What.REDO, on(12, 14)))
    assert hard.at == on(12, 23, 14, 30)
    assert tell(ACCEPT, (What.REVIEW, on(12, 1))).at == on(12, 8)
    pause = tell(ACCEPT, (What.REDO, on(12, 1)), (What.PAUSE, on(12, 2)), (What.RESUME, on(12, 3)))
    assert (pause.at, pause.original) == (on(12, 4, 14, 30), on(11, 25))  # the first round is over


def test_every_step_stands_in_the_derivation_and_the_last_line_is_the_deadline():
    story = (
        ACCEPT,
        (What.HARD, on(11, 18, 10)),
        (What.PAUSE, on(11, 20)),
        (What.RESUME, on(11, 23)),
        extend(on(11, 30), on(12, 20, 17, 30)),
        (What.REDO, on(12, 18)),
    )
    found = tell(*story)
    text = "\n".join(found.lines)
    for words in (
        "时限方案 河北默认时限：求助·一般 5 个工作日",
        "求助·一般·疑难 15 个工作日",
        "暂停 2026年11月20日 09:00 至 2026年11月23日 09:00",
        "同意延期至 2026年12月20日 17:30",
        "重办 7.5 个工作日",
    ):
        assert words in text
    assert found.lines[-1].startswith(f"截止 {moment_words(found.at, TZ)}")
    told = derivation.explain(
        limits.profile_named(HEBEI),
        "help",
        "normal",
        [one if isinstance(one, Happening) else Happening(*one) for one in story],
        CALENDAR,
        TZ,
    )
    assert told["lines"] == found.lines
    assert datetime.fromisoformat(told["deadline"]) == found.at
    assert [one["what"] for one in told["events"]] == ["accept", "hard", "pause", "resume", "extend", "redo"]


@pytest.mark.parametrize(
    "story",
    [
        [],
        [(What.PAUSE, on(11, 18))],
        [ACCEPT, ACCEPT],
        [ACCEPT, (What.RESUME, on(11, 19))],
        [ACCEPT, (What.PAUSE, on(11, 19)), (What.RESUME, on(11, 18, 10))],
        [ACCEPT, (What.EXTEND, on(11, 19))],
    ],
)
def test_a_story_that_cannot_be_is_refused_in_words(story: list[tuple[What, datetime]]):
    with pytest.raises(Invalid):
        tell(*story)


# ---- a year nobody has published


NEW_YEAR = {date(2027, 1, 1): (False, "元旦"), date(2027, 1, 2): (True, "元旦调休上班")}
LONGER: Mapping[date, tuple[bool, str]] = {
    date(2027, 1, 1): (False, "元旦"),
    date(2027, 1, 4): (False, "元旦"),
    **{date(2027, 1, day): (date(2027, 1, day).weekday() < 5, "") for day in (2, 3, *range(5, 32))},
}
SHORTER: Mapping[date, tuple[bool, str]] = {date(2027, 1, day): (True, "调休上班") for day in range(1, 32)}


def test_a_provisional_deadline_grows_with_the_published_calendar_and_never_shrinks():
    accepted = Happening(What.ACCEPT, on(12, 30))
    first = tell(accepted)
    assert (first.at, first.provisional) == (on(1, 6, year=2027), True)
    assert first.lines[-1] == "截止 2027年1月6日 09:00（暂定）"
    given_then = Happening(What.ACCEPT, on(12, 30), given=first.at, original=first.original)
    longer = tell(given_then, calendar=ChinaCalendar(overrides=LONGER))
    assert (longer.at, longer.original, longer.provisional) == (on(1, 8, year=2027), on(1, 8, year=2027), False)
    shorter = tell(given_then, calendar=ChinaCalendar(overrides=SHORTER))
    assert (shorter.at, shorter.original, shorter.provisional) == (first.at, first.original, False)
    assert shorter.lines[-2:] == ["已给出的时限更晚，不缩短", "截止 2027年1月6日 09:00"]
    # and from the date that was promised a later pause goes on
    pause = (Happening(What.PAUSE, on(1, 4, year=2027)), Happening(What.RESUME, on(1, 5, year=2027)))
    assert tell(given_then, *pause, calendar=ChinaCalendar(overrides=SHORTER)).at == on(1, 7, year=2027)


def test_orders_of_december_get_the_time_the_new_calendar_brings(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND_TIER3, now=on(12, 30))
    was = order.deadline_at
    below = order.sub_orders[1].deadline_at
    assert was is not None and below is not None
    assert order.deadline_provisional
    at = {"actor": SYSTEM, "now": on(12, 31), "tz": TZ}
    assert not recounting.recount(session, order=order, calendar=CALENDAR, **at)
    later = ChinaCalendar(overrides=LONGER)
    assert recounting.recount(session, order=order, calendar=later, **at)
    assert (order.deadline_at, order.deadline_provisional) == (was + 2 * DAY, False)
    assert order.original_deadline_at == order.deadline_at
    assert [sub.deadline_at for sub in order.sub_orders] == [order.deadline_at, order.step_due_at]
    assert order.step_due_at is not None
    assert order.step_due_at > below
    assert order.events[-1].action == Action.RECOUNT
    assert not recounting.recount(session, order=order, calendar=later, **at)
    assert not recounting.recount(session, order=order, calendar=ChinaCalendar(overrides=SHORTER), **at)
    assert derivation.differs(order, later, TZ) == ""
    assert journal.verify(session) == []


def test_a_calendar_that_brings_nothing_more_still_settles_what_was_provisional(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND, now=on(12, 30))
    was = order.deadline_at
    at = {"actor": SYSTEM, "now": on(12, 31), "calendar": ChinaCalendar(overrides=SHORTER), "tz": TZ}
    assert recounting.recount(session, order=order, **at)
    assert (order.deadline_at, order.deadline_provisional) == (was, False)


# ---- orders against their own events


def test_every_orders_deadline_is_the_one_its_events_make(session: Session, here: City):
    leader = people.actor(session, Role.U2L, unit=here.county)
    for status in (Status.TO_REVIEW, Status.TO_SIGN, Status.IN_HAND, Status.IN_HAND_TIER3, Status.TO_CALL_BACK):
        order_at(session, here, status, who=caller(session), demand_type="complaint")
    hard = order_at(session, here, Status.TO_REVIEW)
    to = {"lead_unit_id": here.county.id, "hard": True}
    service.dispatch(session, order=hard, actor=here.reviewer, now=NOON + HOUR, **to, **WHEN)
    assert hard.deadline_at == on(12, 9, 12)
    assert hard.sub_orders[0].deadline_at == hard.deadline_at
    redo = order_at(session, here, Status.TO_CALL_BACK)
    said = {"round": 1, "satisfaction": "dissatisfied", "solved": "no", "contacted": True}
    service.record_evaluation(session, order=redo, actor=here.callback_officer, now=NOON + 6 * DAY, **said, **WHEN)
    extended = order_at(session, here, Status.IN_HAND)
    more = {"ground": "complex", "plan": "分两步", "until": on(11, 30)}
    service.ask_extension(session, order=extended, actor=leader, now=NOON + HOUR, **more, **WHEN)
    service.grant_extension(session, order=extended, actor=here.supervisor, now=NOON + HOUR, **WHEN)
    orders = session.scalars(select(WorkOrder)).all()
    assert len(orders) == 8
    for order in orders:
        assert derivation.differs(order, CALENDAR, TZ) == "", order.status
    assert journal.verify(session) == []
    assert derivation.of_order(draft(session, here), CALENDAR, TZ) is None


def test_what_goes_out_straight_from_the_desk_is_on_the_clock_from_there(session: Session, here: City):
    order = draft(session, here, urgency="critical", now=NOON)
    to = {"lead_unit_id": here.county.id, "hard": True}
    service.dispatch(session, order=order, actor=here.operator, now=NOON + HOUR, **to, **WHEN)
    assert (order.clock_started_at, order.deadline_at) == (NOON + HOUR, on(12, 9, 12))
    assert order.sub_orders[0].deadline_at == order.deadline_at
    story = derivation.happenings(order.events)
    assert [one.what for one in story] == [What.ACCEPT, What.HARD]
    assert derivation.differs(order, CALENDAR, TZ) == ""
    assert journal.verify(session) == []


def test_a_deadline_moved_without_an_event_shows(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND)
    assert order.deadline_at is not None
    order.deadline_at += DAY
    session.flush()
    assert "时限是 2026年11月26日 12:00，按记录应是 2026年11月25日 12:00" in derivation.differs(order, CALENDAR, TZ)
    (fault,) = journal.verify(session)
    assert "时限" in fault.what


def test_orders_of_before_are_explained_as_well(session: Session, here: City):
    """Their events name a deadline at submission and dispatch, and none of the first one."""
    order = order_at(session, here, Status.IN_HAND)
    for event in session.scalars(select(OrderEvent).where(OrderEvent.order_id == order.id)):
        event.data = {key: value for key, value in event.data.items() if key != "original_deadline_at"}
    session.flush()
    found = derivation.of_order(order, CALENDAR, TZ)
    assert found is not None
    assert (found.at, found.original) == (order.deadline_at, order.original_deadline_at)


# ---- whatever happens


moments = st.integers(0, 1_400_000).map(lambda minutes: on(1, 1, 0, year=2024) + timedelta(minutes=minutes))
profiles = st.sampled_from(limits.profile_names())
kinds = st.sampled_from(["consult", "help", "complaint"])
urgencies = st.sampled_from(["normal", "urgent", "critical"])


@st.composite
def stories(draw: st.DrawFn) -> list[Happening]:
    """An acceptance and up to six things after it, in an order that can be."""
    at = draw(moments)
    story = [Happening(What.ACCEPT, at)]
    paused = False
    for _ in range(draw(st.integers(0, 6))):
        at += timedelta(minutes=draw(st.integers(0, 6000)))
        after_pause = [What.RESUME] if paused else [What.PAUSE, What.HARD, What.EXTEND, What.REDO, What.REVIEW]
        what = draw(st.sampled_from(after_pause))
        given_ = at + timedelta(minutes=draw(st.integers(-2000, 20000))) if what == What.EXTEND else None
        story.append(Happening(what, at, given_))
        paused = what == What.PAUSE
    return story


@settings(deadline=None)
@given(stories(), profiles, kinds, urgencies, st.integers(0, 6000))
def test_a_pause_taken_back_at_once_changes_nothing(
    story: list[Happening], profile: str, kind: str, urgency: str, later: int
):
    before = tell(*story, profile=profile, kind=kind, urgency=urgency)
    assume(before.paused_since is None)
    at = story[-1].at + timedelta(minutes=later)
    after = tell(*story, (What.PAUSE, at), (What.RESUME, at), profile=profile, kind=kind, urgency=urgency)
    assert (after.at, after.original) == (before.at, before.original)


@settings(deadline=None)
@given(stories(), profiles, kinds, urgencies)
def test_nothing_that_happens_ever_shortens_and_the_last_line_says_until_when(
    story: list[Happening], profile: str, kind: str, urgency: str
):
    given_ = on(1, 1, year=2000)
    for length in range(1, len(story) + 1):
        found = tell(*story[:length], profile=profile, kind=kind, urgency=urgency)
        assert found.at >= given_
        assert found.original <= found.at
        assert found.lines[-1].removesuffix("（暂定）") == f"截止 {moment_words(found.at, TZ)}"
        given_ = found.at


@settings(deadline=None)
@given(moments, profiles, kinds, urgencies, st.integers(1, 9000), st.integers(1, 9000))
def test_adding_a_pause_never_shortens_and_gives_no_more_than_it_took(
    accepted: datetime, profile: str, kind: str, urgency: str, after: int, lasting: int
):
    plain = tell((What.ACCEPT, accepted), profile=profile, kind=kind, urgency=urgency)
    since = accepted + timedelta(minutes=after)
    until = since + timedelta(minutes=lasting)
    pause = ((What.PAUSE, since), (What.RESUME, until))
    found = tell((What.ACCEPT, accepted), *pause, profile=profile, kind=kind, urgency=urgency)
    assert found.at >= plain.at
    limit = limits.profile_named(profile).handling(kind, urgency, hard=False)
    if since >= plain.at:
        assert found.at == plain.at
    elif limit.working:
        spent = clock.working_between(since, until, CALENDAR, TZ)
        assert clock.working_between(plain.at, found.at, CALENDAR, TZ) == spent
    else:
        assert found.at - plain.at == until - since


@settings(deadline=None)
@given(moments, moments, profiles, kinds, urgencies, st.integers(0, 9000))
def test_whoever_calls_later_is_due_no_earlier_whatever_pause_both_share(
    a: datetime, b: datetime, profile: str, kind: str, urgency: str, lasting: int
):
    first, second = sorted((a, b))
    assume(second - first < timedelta(days=60))
    found = []
    for accepted in (first, second):
        pause = ((What.PAUSE, second), (What.RESUME, second + timedelta(minutes=lasting)))
        found.append(tell((What.ACCEPT, accepted), *pause, profile=profile, kind=kind, urgency=urgency).at)
    assert found[0] <= found[1]


@settings(deadline=None)
@given(stories(), profiles, kinds, urgencies)
def test_told_what_they_brought_the_events_bring_the_same(
    story: list[Happening], profile: str, kind: str, urgency: str
):
    """What events keep (the deadline told by each) changes nothing while the calendar is the same."""
    kept: list[Happening] = []
    for happening in story:
        found = tell(*kept, happening, profile=profile, kind=kind, urgency=urgency)
        kept.append(Happening(happening.what, happening.at, found.at, found.original))
    plain = tell(*story, profile=profile, kind=kind, urgency=urgency)
    told = tell(*kept, profile=profile, kind=kind, urgency=urgency)
    assert (told.at, told.original, told.provisional) == (plain.at, plain.original, plain.provisional)
