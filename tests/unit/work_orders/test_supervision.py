"""Orders that go badly are seen early, and units answer for it in writing."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import SYSTEM
from hotline.db import SessionFactory, session_scope
from hotline.errors import Invalid, NotAllowedNow, NotFound, NotPermitted
from hotline.outbox import OutboxMessage
from hotline.work_orders import journal, queries, service
from hotline.work_orders.limits import Limit, profile_named
from hotline.work_orders.models import HolderSpan, Notice, WorkOrder
from hotline.work_orders.states import Action, CloseKind, Holder, Status, SubState, Supervision
from hotline.work_orders.supervision import lights, timers
from hotline.work_orders.supervision import queries as boards
from tests.conftest import NOON
from tests.factories import people
from tests.factories.orders import CALENDAR, TZ, WHEN, order_at, report_fields
from tests.factories.units import City, city

HELP = profile_named("hebei-default").handling("help", "normal", hard=False)


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def local(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=TZ)


def look(session: Session, order: WorkOrder, now: datetime) -> datetime | None:
    return timers.look(session, order=order, now=now, **WHEN)


def days_pass(session: Session, order: WorkOrder, until: datetime) -> None:
    """Look whenever it is time to, as the timetable does."""
    session.refresh(order, ["watch_at"])
    while order.watch_at is not None and order.watch_at <= until:
        look(session, order, order.watch_at)
        session.refresh(order, ["watch_at"])


def pushes(session: Session) -> list[int]:
    rows = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "order.push").order_by(OutboxMessage.id))
    return [row.payload["unit_id"] for row in rows if row.payload["what"] == "notice"]


def sent_to(order: WorkOrder, unit_id: int) -> list[tuple[str, datetime]]:
    return [(notice.kind, notice.issued_at) for notice in order.notices if notice.unit_id == unit_id]


def supervised(session: Session, here: City, order: WorkOrder, now: datetime = NOON, **changes) -> Notice | None:
    fields = {
        "level": "red",
        "kind": "supervision",
        "unit_id": here.county.id,
        "words": "请立即核实处置",
        "reply_due": now + timedelta(days=2),
        **changes,
    }
    return service.supervise(session, order=order, actor=here.supervisor, now=now, **fields)


# ---- lights


def test_four_fifths_of_five_working_days_are_four_of_them():
    wednesday, following = local(11, 18, 8, 30), local(11, 24, 17, 30)
    assert lights.blue_at(wednesday, following, HELP, 0.8, [], CALENDAR, TZ) == local(11, 23, 17, 30)


def test_a_weekend_uses_up_no_working_time():
    friday = local(11, 20, 16, 30)
    due = local(11, 27, 16, 30)
    # five days from Friday 16:30; four of them end on Thursday at the same hour
    assert lights.blue_at(friday, due, HELP, 0.8, [], CALENDAR, TZ) == local(11, 26, 16, 30)


def test_a_24_hour_limit_runs_through_the_night():
    due = local(11, 22, 15)
    assert lights.blue_at(local(11, 21, 15), due, Limit("hours", 24), 0.8, [], CALENDAR, TZ) == local(11, 22, 10, 12)


def test_time_inside_a_pause_is_used_by_nobody():
    wednesday, paused = local(11, 18, 8, 30), (local(11, 19, 8, 30), local(11, 20, 17, 30))
    due = local(11, 26, 17, 30)  # five working days and the two of the pause
    assert lights.blue_at(wednesday, due, HELP, 0.8, [paused], CALENDAR, TZ) == local(11, 25, 17, 30)


def test_a_limit_from_the_next_day_counts_from_there():
    limit = Limit("working_days", 5, from_next_day=True)
    assert lights.blue_at(local(11, 18, 9), local(11, 25, 17, 30), limit, 0.8, [], CALENDAR, TZ) == local(
        11, 24, 17, 30
    )


def test_an_order_nobody_dispatched_in_time_turns_blue(session: Session, here: City):
    order = order_at(session, here, Status.TO_REVIEW)
    assert order.step_due_at == local(11, 18, 17, 30)
    days_pass(session, order, local(11, 18, 17, 29))
    assert order.supervision == Supervision.NONE
    days_pass(session, order, local(11, 18, 17, 30))
    assert order.supervision == Supervision.BLUE
    assert order.events[-1].data["alert"] == "dispatch"
    assert ("缘由", "未按时派单") in queries.story(session, order, here.supervisor)[-1].facts


def test_a_unit_that_did_not_sign_in_time_turns_it_blue_even_where_it_only_assists(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND, assisting=True)
    days_pass(session, order, local(11, 20, 17, 30))
    assert (order.supervision, order.events[-1].data["alert"]) == (Supervision.BLUE, "sign")
    assert order.events[-1].data["unit"] == here.power.id
    assert ("单位", "电力公司") in queries.story(session, order, here.supervisor)[-1].facts


def test_an_order_turns_blue_once_with_a_fifth_of_its_time_left(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND_TIER3)
    assert order.deadline_at == local(11, 25, 12)  # accepted on Wednesday in the lunch break
    days_pass(session, order, local(11, 24, 11, 59))
    assert order.supervision == Supervision.NONE
    for _ in range(3):
        look(session, order, local(11, 24, 12))
    assert order.supervision == Supervision.BLUE
    assert [event.action for event in order.events].count("supervise") == 1
    assert pushes(session) == []
    assert journal.verify(session) == []


def test_a_supervisor_who_lowered_the_level_is_not_contradicted_by_the_same_ground(session: Session, here: City):
    order = order_at(session, here, Status.TO_SIGN)
    late = local(11, 20, 8, 30)
    look(session, order, late)
    assert order.supervision == Supervision.BLUE
    supervised(session, here, order, late, level="none", kind="", unit_id=None, words="已电话催促，今日签收")
    look(session, order, late + timedelta(hours=1))
    assert order.supervision == Supervision.NONE
    look(session, order, local(11, 24, 14))  # another ground: four fifths of the time
    assert (order.supervision, order.events[-1].data["alert"]) == (Supervision.BLUE, "time")


def test_what_is_paused_settled_or_goes_with_another_order_is_left_alone(session: Session, here: City):
    order, main = order_at(session, here, Status.IN_HAND), order_at(session, here, Status.IN_HAND)
    order.merged_into_id = main.id
    session.flush()
    assert look(session, order, local(12, 20, 9)) is None
    assert (order.supervision, list(order.notices)) == (Supervision.NONE, [])
    assert look(session, order_at(session, here, Status.TO_CALL_BACK), local(12, 20, 9)) is None
    assert look(session, order_at(session, here, Status.DRAFT), local(12, 20, 9)) is None


def test_a_redo_has_a_time_of_its_own(session: Session, here: City):
    order = order_at(session, here, Status.TO_CALL_BACK, via_township=False)
    said = {"satisfaction": "dissatisfied", "solved": "no", "contacted": True, "round": 1}
    at = local(11, 25, 8, 30)
    service.record_evaluation(session, order=order, actor=here.callback_officer, now=at, **said, **WHEN)
    assert order.deadline_at == local(11, 27, 12)  # half of five working days
    (alert,) = lights.alerts(order, HELP, 0.8, CALENDAR, TZ)
    assert alert.at == local(11, 26, 17, 30)


# ---- timers


def test_a_unit_is_reminded_on_the_next_working_day_and_criticised_five_later(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND, via_township=False)
    expired = order.deadline_at
    assert expired == local(11, 25, 12)
    days_pass(session, order, local(11, 26, 8, 29))
    assert list(order.notices) == []
    days_pass(session, order, local(11, 26, 8, 30))
    assert sent_to(order, here.county.id) == [("reminder", local(11, 26, 8, 30))]
    assert order.supervision == Supervision.YELLOW
    assert order.notices[0].reply_due_at == local(11, 27, 17, 30)
    assert "2026年11月25日 12:00" in order.notices[0].words
    days_pass(session, order, local(12, 2, 17, 29))
    assert len(order.notices) == 1
    days_pass(session, order, local(12, 2, 17, 30))
    assert sent_to(order, here.county.id)[1:] == [("criticism", local(12, 2, 17, 30))]
    assert order.supervision == Supervision.RED
    days_pass(session, order, local(12, 31, 17))
    assert len(order.notices) == 2
    assert pushes(session) == [here.county.id] * 2
    assert [event.data.get("notice") for event in order.events if event.action == "supervise"] == [
        None,  # blue
        "reminder",
        "criticism",
    ]
    assert journal.verify(session) == []


def test_an_order_that_ran_out_on_friday_is_reminded_of_on_monday():
    assert lights.reminder_at(local(11, 20, 15), CALENDAR, TZ) == local(11, 23, 8, 30)
    assert lights.reminder_at(local(11, 21, 23), CALENDAR, TZ) == local(11, 23, 8, 30)
    assert lights.reminder_at(local(9, 30, 17, 30), CALENDAR, TZ) == local(10, 8, 8, 30)  # 国庆


def test_a_worker_that_comes_two_weeks_late_makes_up_and_still_gives_five_days(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND, via_township=False)
    late = local(12, 10, 9)
    for _ in range(2):
        look(session, order, late)
    assert sent_to(order, here.county.id) == [("reminder", late)]
    days_pass(session, order, local(12, 17, 9))
    assert [kind for kind, _ in sent_to(order, here.county.id)] == ["reminder", "criticism"]
    assert order.notices[1].issued_at == local(12, 17, 9)


def test_every_unit_that_has_not_reported_is_reminded_and_none_that_has(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND_TIER3, assisting=True)
    service.sign(session, order=order, actor=here.power_clerk, now=order.updated_at)
    service.report(session, order=order, actor=here.power_clerk, now=order.updated_at, **report_fields(), **WHEN)
    look(session, order, local(11, 26, 9))
    assert {notice.unit_id for notice in order.notices} == {here.county.id, here.township.id}
    told = order_at(session, here, Status.TO_CHECK_HUB)
    look(session, told, local(11, 30, 9))
    assert list(told.notices) == []  # the hub's own lateness is nobody's fault below
    assert told.supervision == Supervision.BLUE


def test_two_notices_of_a_kind_for_one_expiry_cannot_be_stored(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND, via_township=False)
    look(session, order, local(11, 26, 9))
    (one,) = order.notices
    again = Notice(order_id=order.id, unit_id=one.unit_id, kind=one.kind, level="yellow", issued_at=NOON)
    again.expired_at = one.expired_at
    session.add(again)
    with pytest.raises(IntegrityError):
        session.flush()


def test_the_supervisor_was_first_with_the_reminder(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND, via_township=False)
    evening = local(11, 25, 16)
    supervised(session, here, order, evening, level="yellow", kind="reminder", reply_due=local(11, 26, 17))
    days_pass(session, order, local(11, 27, 17))
    assert sent_to(order, here.county.id) == [("reminder", evening)]
    service.reply_notice(session, order=order, actor=here.county_clerk, now=local(11, 27, 9), text="明日办结")
    with pytest.raises(Invalid, match="这次超期已向该单位发过催办通知"):
        supervised(session, here, order, local(11, 27, 10), level="yellow", kind="reminder")


def test_a_listed_order_stays_listed_when_the_criticism_comes(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND, via_township=False)
    supervised(session, here, order, level="listed", kind="", unit_id=None, words="群众反映强烈，挂牌督办")
    days_pass(session, order, local(12, 4, 9))
    assert [notice.kind for notice in order.notices] == ["reminder", "criticism"]
    assert order.supervision == Supervision.LISTED


def test_a_second_expiry_brings_notices_of_its_own(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND, via_township=False)
    look(session, order, local(11, 26, 9))
    order.deadline_at = order.sub_orders[0].deadline_at = local(12, 4, 17)
    session.flush()
    assert look(session, order, local(12, 4, 16)) is not None
    assert len(order.notices) == 1
    look(session, order, local(12, 7, 9))
    assert [notice.expired_at for notice in order.notices] == [local(11, 25, 12), local(12, 4, 17)]


def test_any_step_brings_the_order_before_the_timers_again(session: Session, here: City):
    order = order_at(session, here, Status.TO_SIGN)
    following = look(session, order, order.updated_at)
    assert following == order.step_due_at  # when it should have been signed
    assert timers.due(session, now=order.updated_at, limit=10) == []
    later = order.updated_at + timedelta(minutes=10)
    service.sign(session, order=order, actor=here.county_clerk, now=later)
    assert timers.due(session, now=later, limit=10) == [order.id]
    assert timers.due(session, now=later, skip=[order.id], limit=10) == []
    version = order.version
    look(session, order, later)
    session.refresh(order)
    assert order.version == version  # nobody who works on it is told that somebody was faster


def test_a_step_taken_meanwhile_is_not_overlooked(session: Session, here: City):
    order = order_at(session, here, Status.TO_SIGN)
    session.flush()
    table = WorkOrder.__table__
    session.execute(update(table).values(event_count=table.c.event_count + 1))  # somebody else's, just committed
    look(session, order, order.updated_at)
    assert timers.due(session, now=order.updated_at, limit=10) == [order.id]


# ---- a supervisor's own notices


def test_a_supervisor_sends_a_notice_and_the_unit_replies_in_writing(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND, via_township=False)
    now = order.updated_at
    notice = supervised(session, here, order, now)
    assert (order.supervision, notice.level, notice.issued_by) == ("red", "red", here.supervisor.user_id)
    assert pushes(session) == [here.county.id]
    read = queries.story(session, order, here.county_clerk)[-1]
    assert ("通知内容", "请立即核实处置") in read.notes
    assert ("督办级别", "红色督办") in read.facts
    with pytest.raises(NotFound):
        service.reply_notice(session, order=order, actor=here.power_clerk, now=now, text="不是我们")
    replied = service.reply_notice(session, order=order, actor=here.county_clerk, now=now, text="今日到场处置")
    assert (replied.reply, replied.replied_by) == ("今日到场处置", here.county_clerk.user_id)
    assert order.events[-1].data["in_time"] is True
    with pytest.raises(NotAllowedNow):
        service.reply_notice(session, order=order, actor=here.county_clerk, now=now, text="再补充一句")
    with pytest.raises(NotPermitted):
        service.read_reply(session, notice=notice, actor=here.reviewer, now=now)
    service.read_reply(session, notice=notice, actor=here.supervisor, now=now)
    service.read_reply(session, notice=notice, actor=here.supervisor, now=now + timedelta(hours=1))
    assert notice.read_at == now
    supervised(session, here, order, now, level="yellow", kind="", words="已到场，降为黄色")
    assert order.supervision == "yellow"
    assert journal.verify(session) == []


def test_a_reply_that_comes_late_is_taken_and_told(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND, via_township=False)
    now = order.updated_at
    supervised(session, here, order, now)
    service.reply_notice(session, order=order, actor=here.county_clerk, now=now + timedelta(days=3), text="已处置")
    assert order.events[-1].data["in_time"] is False
    assert ("时限", "已超时限") in queries.story(session, order, here.supervisor)[-1].facts


def test_a_notice_outlives_its_order_and_can_still_be_replied_to(session: Session, here: City):
    """Else it would stand as late on the board of the supervisors for ever."""
    closed = order_at(session, here, Status.TO_CALL_BACK, via_township=False)
    refused = order_at(session, here, Status.TO_SIGN)
    sent = max(closed.updated_at, refused.updated_at)
    for order in (closed, refused):
        supervised(session, here, order, sent)
    service.not_reached(session, order=closed, actor=SYSTEM, now=sent, round=1, kind=CloseKind.NOT_WANTED)
    service.recall(session, order=refused, actor=here.reviewer, now=sent, reason="不归热线受理", **WHEN)
    service.refuse(session, order=refused, actor=here.reviewer, now=sent, ground="lawsuit")
    assert refused.status == Status.REFUSED

    later = sent + timedelta(days=40)
    service.archive(session, order=closed, actor=SYSTEM, now=later)
    assert boards.notice_counts(session, here.supervisor, now=later).late == 2
    for order in (closed, refused):
        offered = [action for action, _word in queries.allowed_actions(order, here.county_clerk, later)]
        assert offered == [Action.REPLY_NOTICE]
        service.reply_notice(session, order=order, actor=here.county_clerk, now=later, text="已处置，迟复")
        assert order.events[-1].data["in_time"] is False
        assert queries.allowed_actions(order, here.county_clerk, later) == []
    assert boards.notice_counts(session, here.supervisor, now=later).late == 0
    assert (closed.status, refused.status) == (Status.ARCHIVED, Status.REFUSED)
    assert {notice.order_id for notice in boards.to_read(session, here.supervisor).items} == {closed.id, refused.id}
    assert journal.verify(session) == []


def test_a_township_replies_to_its_own_notice_and_a_unit_whose_part_is_over_to_its(session: Session, here: City):
    order = order_at(session, here, Status.TO_CHECK_TIER2, assisting=True)
    now = order.updated_at
    supervised(session, here, order, now, unit_id=here.township.id)
    supervised(session, here, order, now, unit_id=here.power.id)
    power = next(sub for sub in order.sub_orders if sub.unit_id == here.power.id)
    power.state = SubState.CLOSED
    session.flush()
    with pytest.raises(NotAllowedNow, match="没有待回复"):
        service.reply_notice(session, order=order, actor=here.county_clerk, now=now, text="代为回复")
    service.reply_notice(session, order=order, actor=here.township_clerk, now=now, text="已到场")
    service.reply_notice(session, order=order, actor=here.power_clerk, now=now, text="已配合")
    told = queries.story(session, order, here.county_clerk)
    assert [item.notes for item in told][-2:] == [[("书面回复", "已到场")], []]  # its own township's, not the other's


def test_of_two_notices_the_unit_says_which_it_replies_to(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND, via_township=False)
    now = order.updated_at
    first, second = supervised(session, here, order, now), supervised(session, here, order, now, kind="talk")
    reply = {"order": order, "actor": here.county_clerk, "now": now}
    service.reply_notice(session, text="分管负责人按时参加", notice_id=second.id, **reply)
    assert (first.reply, second.reply) == (None, "分管负责人按时参加")
    with pytest.raises(NotAllowedNow, match="已经回复"):
        service.reply_notice(session, text="改期", notice_id=second.id, **reply)
    with pytest.raises(Invalid, match="没有这份"):
        service.reply_notice(session, text="改期", notice_id=9999, **reply)
    with pytest.raises(Invalid) as caught:
        service.reply_notice(session, text="  ", **reply)
    assert list(caught.value.details) == ["text"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"level": "purple"}, ["level"]),
        ({"level": "none"}, ["level"]),
        ({"level": "none", "kind": "", "unit_id": None}, ["level"]),
        ({"kind": "telegram"}, ["kind"]),
        ({"words": " "}, ["words"]),
        ({"words": "催" * 1001}, ["words"]),
        ({"reply_due": None}, ["reply_due"]),
        ({"reply_due": NOON - timedelta(days=1)}, ["reply_due"]),
        ({"unit_id": None}, ["unit"]),
        ({"unit_id": 9999}, ["unit"]),
        ({"level": "purple", "words": "", "unit_id": 9999}, ["level", "words", "unit"]),
    ],
)
def test_what_is_wrong_with_a_notice_is_said_before_anything_is_written(
    session: Session, here: City, changes: dict, named: list[str]
):
    order = order_at(session, here, Status.IN_HAND, via_township=False)
    events = order.event_count
    with pytest.raises(Invalid) as caught:
        supervised(session, here, order, order.updated_at, **changes)
    assert list(caught.value.details) == named
    assert (order.supervision, order.event_count, list(order.notices)) == ("none", events, [])


def test_a_notice_the_unit_has_not_replied_to_is_not_sent_again(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND, via_township=False)
    supervised(session, here, order, order.updated_at)
    with pytest.raises(Invalid, match="还有一份督办通知没有回复"):
        supervised(session, here, order, order.updated_at)


def test_only_supervisors_supervise(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND, via_township=False)
    for other in (here.reviewer, here.callback_officer, here.county_clerk):
        with pytest.raises(NotPermitted):
            service.supervise(session, order=order, actor=other, now=NOON, level="red", words="请办理")
    with pytest.raises(NotAllowedNow):
        draft = order_at(session, here, Status.DRAFT)
        service.supervise(session, order=draft, actor=here.supervisor, now=NOON, level="red", words="请办理")


# ---- the board


def test_the_board_shows_levels_and_notices_to_the_hub_and_to_each_line_its_own(session: Session, here: City):
    mine = order_at(session, here, Status.IN_HAND_TIER3)
    now = mine.updated_at
    supervised(session, here, mine, now, unit_id=here.township.id)
    listed = order_at(session, here, Status.IN_HAND, via_township=False)
    supervised(session, here, listed, now, level="listed", reply_due=now + timedelta(hours=1))
    done = order_at(session, here, Status.TO_CALL_BACK)
    supervised(session, here, done, now, level="blue", kind="", words="请关注")
    service.not_reached(session, order=done, actor=SYSTEM, now=now, round=1, kind=CloseKind.NOT_WANTED)

    sup, later = here.supervisor, now + timedelta(hours=2)
    assert boards.level_counts(session, sup) == {"blue": 0, "yellow": 0, "red": 1, "listed": 1, "joint": 0}
    page = boards.orders_at(session, sup, level="red")
    assert ([order.id for order in page.items], page.total) == ([mine.id], 1)
    assert [one.order_id for one in boards.waiting(session, sup, now=later).items] == [listed.id, mine.id]
    assert [one.order_id for one in boards.waiting(session, sup, now=later, late_only=True).items] == [listed.id]
    assert boards.waiting(session, sup, now=later, under=here.township.id).total == 1
    (figures,) = boards.by_unit(session, sup, now=later)
    assert (figures.unit.name, figures.orders, figures.waiting, figures.late, figures.unread) == (
        "冀州区政府",
        2,
        2,
        1,
        0,
    )
    inside = {
        one.unit.name: (one.orders, one.waiting)
        for one in boards.by_unit(session, sup, now=later, under=here.county.id)
    }
    assert inside == {"冀州区政府": (2, 1), "冀州镇": (0, 1)}

    service.reply_notice(session, order=mine, actor=here.township_clerk, now=now, text="已到场")
    assert [one.reply for one in boards.to_read(session, sup).items] == ["已到场"]
    assert boards.by_unit(session, sup, now=later)[0].unread == 1
    service.read_reply(session, notice=mine.notices[0], actor=sup, now=now)
    assert boards.to_read(session, sup).total == 0

    assert boards.waiting(session, here.county_clerk, now=later).total == 1
    assert boards.waiting(session, here.township_clerk, now=later).total == 0  # replied; its county's is not its own
    assert len(boards.of_order(session, here.county_clerk, mine)) == 1
    assert list(boards.of_order(session, here.power_clerk, mine)) == []
    assert boards.level_counts(session, here.power_clerk)["red"] == 0
    assert boards.by_unit(session, here.other_county_clerk, now=later) == []
    leader = people.actor(session, Role.LDR)
    for read in (boards.level_counts, boards.to_read):
        with pytest.raises(NotPermitted):
            read(session, leader)


def test_a_list_has_pages_and_refuses_what_does_not_exist(session: Session, here: City):
    for _ in range(3):
        order = order_at(session, here, Status.IN_HAND, via_township=False)
        supervised(session, here, order, order.updated_at)
    page = boards.orders_at(session, here.supervisor, level="red", page=2, per_page=2)
    assert (len(page.items), page.total) == (1, 3)
    with pytest.raises(Invalid):
        boards.orders_at(session, here.supervisor, level="none")
    with pytest.raises(Invalid):
        boards.orders_at(session, here.supervisor, level="red", page=0)
    with pytest.raises(Invalid, match="没有这个单位"):
        boards.level_counts(session, here.supervisor, under=9999)


def test_pauses_of_the_order_are_those_of_its_holders(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND, via_township=False)
    before = lights.alerts(order, HELP, 0.8, CALENDAR, TZ)[-1].at
    order.spans.append(HolderSpan(holder=Holder.PAUSE, from_at=local(11, 19, 8, 30), to_at=local(11, 19, 17, 30)))
    order.deadline_at = local(11, 26, 14)
    assert lights.alerts(order, HELP, 0.8, CALENDAR, TZ)[-1].at == before + timedelta(days=1)


def test_two_workers_that_look_at_once_send_one_notice(either_sessions: SessionFactory):
    with session_scope(either_sessions) as session:
        order_id = order_at(session, city(session), Status.IN_HAND, via_township=False).id
    late = local(11, 26, 9)
    with either_sessions() as slow:
        stale = slow.get_one(WorkOrder, order_id)
        assert (list(stale.notices), len(stale.events)) == ([], 4)
        slow.commit()
        with session_scope(either_sessions) as quick:
            look(quick, quick.get_one(WorkOrder, order_id), late)
        with pytest.raises(NotAllowedNow, match="刚刚有人处理过"):
            look(slow, stale, late)
        slow.rollback()
    with either_sessions() as session:
        order = session.get_one(WorkOrder, order_id)
        assert [notice.kind for notice in order.notices] == ["reminder"]
        assert len(pushes(session)) == 1
        assert journal.verify(session) == []


def test_an_order_closed_after_its_last_redo_tells_that_it_is_watched(session: Session, here: City):
    order = order_at(session, here, Status.TO_CALL_BACK, via_township=False)
    order.redo_count = 2
    said = {"satisfaction": "dissatisfied", "solved": "no", "contacted": True, "round": 3}
    service.record_evaluation(session, order=order, actor=here.callback_officer, now=order.updated_at, **said, **WHEN)
    assert (order.close_kind, order.supervision) == (CloseKind.REDO_EXHAUSTED, Supervision.BLUE)
    assert ("督办级别", "蓝色督办") in queries.story(session, order, here.supervisor)[-1].facts
    assert order.watch_at is None
