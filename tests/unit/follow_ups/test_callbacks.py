"""The citizen is asked, says what they say, and the order acts on it."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import SYSTEM, Actor
from hotline.errors import Invalid, NotAllowedNow, NotFound, NotPermitted
from hotline.follow_ups import lines, queries, service
from hotline.follow_ups.models import Callback, Evaluation
from hotline.follow_ups.states import AttemptState, CallbackState, Way
from hotline.outbox import OutboxMessage
from hotline.work_orders import journal
from hotline.work_orders import queries as order_reads
from hotline.work_orders import service as work
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import CloseKind, Status, Supervision
from tests.conftest import NOON
from tests.factories import orders, people
from tests.factories.orders import TZ, WHEN, order_at, report_fields
from tests.factories.units import City, city

HOUR = timedelta(hours=1)
OPENED = NOON + 2 * HOUR  # 14:00


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


@pytest.fixture
def order(session: Session, here: City) -> WorkOrder:
    return order_at(session, here, Status.TO_CALL_BACK)


@pytest.fixture
def callback(session: Session, order: WorkOrder) -> Callback:
    return service.open_callback(session, order=order, now=OPENED, **WHEN)


def outgoing(session: Session, topic: str) -> list[dict]:
    rows = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == topic).order_by(OutboxMessage.id))
    return [row.payload for row in rows]


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=TZ)


def asked_by_a_person(session: Session, callback: Callback, here: City, now: datetime = OPENED, **said):
    service.take(session, callback=callback, actor=here.callback_officer, now=now)
    answer = {"satisfaction": "satisfied", "solved": "yes", "contacted": True, **said}
    return service.evaluate(session, callback=callback, way=Way.PERSON, actor=here.callback_officer, now=now, **answer)


def missed(session: Session, callback: Callback, at: datetime) -> None:
    attempt = service.plan_attempt(session, callback=callback, way=Way.KEYPAD, actor=SYSTEM, now=at)
    service.unreachable(session, attempt=attempt, actor=SYSTEM, now=at + timedelta(minutes=1), tz=TZ)


def line_says(session: Session, callback: Callback, word: str, *, line: str, at: datetime) -> None:
    """Let the machine ring the citizen and the carrier tell how that line ended."""
    attempt = service.plan_attempt(session, callback=callback, way=Way.KEYPAD, actor=SYSTEM, now=at)
    service.attempt_update(session, attempt=attempt, now=at, state="ringing", citizen_provider_id=line)
    over = {"attempt_id": attempt.id, "party": lines.CITIZEN, "provider_id": line}
    lines.line_status(session, status=word, now=at + timedelta(minutes=1), tz=TZ, **over)


def test_a_callback_is_due_the_same_working_day_and_opened_once(session: Session, here: City, order, callback):
    assert callback.due_at == local(18, 17, 30)
    assert service.open_callback(session, order=order, now=OPENED + HOUR, **WHEN) is callback
    evening = order_at(session, here, Status.TO_CALL_BACK)
    late = service.open_callback(session, order=evening, now=local(18, 19), **WHEN)
    assert late.due_at == local(19, 17, 30)


def test_an_order_that_does_not_wait_for_a_callback_gets_none(session: Session, here: City):
    with pytest.raises(NotAllowedNow):
        service.open_callback(session, order=order_at(session, here, Status.IN_HAND), now=OPENED, **WHEN)


def test_a_satisfied_citizen_closes_the_order(session: Session, here: City, order, callback):
    evaluation = asked_by_a_person(session, callback, here, satisfaction="fair", comment="修得挺快")
    assert outgoing(session, "order.evaluated") == [{"evaluation_id": evaluation.id}]
    assert order.status == Status.TO_CALL_BACK  # the order acts when the message arrives
    for _ in range(2):  # and twice is once
        service.apply_evaluation(session, evaluation=evaluation, now=OPENED, **WHEN)
    assert (order.status, order.final_satisfaction, callback.state) == (Status.CLOSED, "fair", CallbackState.DONE)
    assert journal.verify(session) == []
    said = queries.evaluation_of(session, order, here.supervisor)
    assert (said.satisfaction, said.comment) == ("fair", "修得挺快")
    assert queries.evaluation_of(session, order, here.township_clerk).comment == ""
    assert queries.evaluation_of(session, order, here.township_clerk).satisfaction == "fair"


def test_a_dissatisfied_citizen_opens_a_second_round(session: Session, here: City, order, callback):
    evaluation = asked_by_a_person(
        session, callback, here, satisfaction="dissatisfied", solved="no", reasons=["not_solved", "slow"]
    )
    service.apply_evaluation(session, evaluation=evaluation, now=OPENED, **WHEN)
    assert order.status == Status.IN_HAND_TIER3
    for verb, actor in (("report", here.township_clerk), ("approve", here.county_clerk), ("approve", here.reviewer)):
        fields = report_fields() if verb == "report" else {}
        getattr(work, verb)(session, order=order, actor=actor, now=OPENED + HOUR, **fields, **WHEN)
    second = service.open_callback(session, order=order, now=OPENED + HOUR, **WHEN)
    assert (second.round, second.state) == (2, CallbackState.WAITING)
    again = asked_by_a_person(session, second, here, now=OPENED + HOUR)  # the same officer may ask again
    service.apply_evaluation(session, evaluation=again, now=OPENED + HOUR, **WHEN)
    assert (order.first_satisfaction, order.final_satisfaction) == ("dissatisfied", "satisfied")
    assert [said.satisfaction for said in queries.evaluations_of(session, order, here.supervisor)] == [
        "dissatisfied",
        "satisfied",
    ]


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"satisfaction": "delighted"}, "satisfaction"),
        ({"satisfaction": "dissatisfied", "solved": "", "reasons": ["slow"]}, "solved"),
        ({"satisfaction": "dissatisfied", "solved": "no", "contacted": None, "reasons": ["slow"]}, "contacted"),
        ({"satisfaction": "dissatisfied", "solved": "no"}, "reasons"),
        ({"satisfaction": "dissatisfied", "solved": "no", "reasons": ["weather"]}, "reasons"),
        ({"solved": "perhaps"}, "solved"),
    ],
)
def test_a_person_has_to_ask_all_of_it(session: Session, here: City, callback, said: dict, named: str):
    with pytest.raises(Invalid) as caught:
        asked_by_a_person(session, callback, here, **said)
    assert list(caught.value.details) == [named]
    assert session.scalar(select(Evaluation)) is None


def test_nobody_asks_about_their_own_work(session: Session, here: City, order, callback):
    for handled in (here.operator, here.reviewer, here.county_clerk, here.township_clerk):
        with pytest.raises(NotPermitted):
            service.take(session, callback=callback, actor=handled, now=OPENED)
    own_unit = people.actor(session, Role.CBK, unit=here.township)
    with pytest.raises(NotPermitted, match="承办单位"):
        service.take(session, callback=callback, actor=own_unit, now=OPENED)
    service.take(session, callback=callback, actor=here.supervisor, now=OPENED)


def test_a_supervisor_who_once_drafted_the_order_may_not_call_back(session: Session, here: City, order, callback):
    order.operator_id = here.supervisor.user_id
    session.flush()
    with pytest.raises(NotPermitted, match="经办过"):
        service.take(session, callback=callback, actor=here.supervisor, now=OPENED)
    assert queries.who_to_call(session, here.supervisor, now=OPENED, tz=TZ) == []


def test_one_officer_at_a_time(session: Session, here: City, callback):
    service.take(session, callback=callback, actor=here.callback_officer, now=OPENED)
    service.take(session, callback=callback, actor=here.callback_officer, now=OPENED)
    with pytest.raises(NotAllowedNow, match="回访员小孙正在回访"):
        service.take(session, callback=callback, actor=here.supervisor, now=OPENED)
    other = people.actor(session, Role.CBK)
    with pytest.raises(NotPermitted):
        service.release(session, callback=callback, actor=other, now=OPENED)
    with pytest.raises(NotAllowedNow, match="先领取"):
        service.evaluate(
            session, callback=callback, satisfaction="fair", way=Way.PERSON, actor=other, now=OPENED, solved="yes"
        )
    at_seven = local(18, 19)
    service.release(session, callback=callback, actor=here.callback_officer, now=OPENED, next_try_at=at_seven)
    assert queries.who_to_call(session, other, now=OPENED, tz=TZ) == []
    assert [item.callback for item in queries.who_to_call(session, other, now=at_seven, tz=TZ)] == [callback]


def held_by(session: Session, actor: Actor, at: datetime) -> list[str]:
    return [item.holder for item in queries.who_to_call(session, actor, now=at, tz=TZ)]


def test_what_an_officer_took_and_left_is_released_by_a_supervisor(session: Session, here: City, callback):
    service.take(session, callback=callback, actor=here.callback_officer, now=OPENED)
    other = people.actor(session, Role.CBK)
    assert held_by(session, here.supervisor, OPENED + HOUR * 2) == []  # they may be at it
    assert held_by(session, here.supervisor, OPENED + HOUR * 3) == ["回访员小孙"]
    assert held_by(session, here.supervisor, local(23, 9)) == ["回访员小孙"]
    assert held_by(session, other, local(23, 9)) == []  # who may not release it need not know
    assert held_by(session, here.callback_officer, local(23, 9)) == [""]
    service.release(session, callback=callback, actor=here.supervisor, now=local(23, 9))
    assert [item.callback for item in queries.who_to_call(session, other, now=local(23, 9), tz=TZ)] == [callback]
    service.take(session, callback=callback, actor=other, now=local(23, 9))


def test_an_overdue_one_counts_as_left_an_hour_after_the_last_try(session: Session, here: City, callback):
    service.take(session, callback=callback, actor=here.callback_officer, now=OPENED)
    evening = local(18, 19)
    service.plan_attempt(session, callback=callback, way=Way.PERSON, actor=here.callback_officer, now=evening)
    assert held_by(session, here.supervisor, evening + HOUR / 2) == []  # on the telephone, or writing what was said
    assert held_by(session, here.supervisor, evening + HOUR) == ["回访员小孙"]
    # nobody told the end of that try: with the callback it is given up, and the next one may begin
    service.release(session, callback=callback, actor=here.supervisor, now=evening + HOUR)
    assert service.live_attempt(callback) is None


def test_a_supervisor_releases_also_what_they_may_not_call(session: Session, here: City, order, callback):
    order.operator_id = here.supervisor.user_id
    service.take(session, callback=callback, actor=here.callback_officer, now=OPENED)
    assert held_by(session, here.supervisor, local(19, 9)) == ["回访员小孙"]
    service.release(session, callback=callback, actor=here.supervisor, now=local(19, 9))
    assert held_by(session, here.supervisor, local(19, 9)) == []


def test_a_key_says_satisfied_and_that_is_all_that_is_asked(session: Session, order, callback):
    attempt = service.plan_attempt(session, callback=callback, way=Way.KEYPAD, actor=SYSTEM, now=OPENED)
    assert outgoing(session, "callback.dial") == [{"attempt_id": attempt.id}]
    evaluation = service.evaluate(
        session, callback=callback, satisfaction="satisfied", way=Way.KEYPAD, actor=SYSTEM, now=OPENED, attempt=attempt
    )
    assert (evaluation.solved, evaluation.contacted, attempt.state) == ("", None, AttemptState.ENDED)
    service.apply_evaluation(session, evaluation=evaluation, now=OPENED, **WHEN)
    assert (order.status, order.final_solved) == (Status.CLOSED, "")


def test_a_dissatisfied_key_brings_a_person(session: Session, here: City, order, callback):
    attempt = service.plan_attempt(session, callback=callback, way=Way.KEYPAD, actor=SYSTEM, now=OPENED)
    said = service.evaluate(
        session,
        callback=callback,
        satisfaction="dissatisfied",
        way=Way.KEYPAD,
        actor=SYSTEM,
        now=OPENED,
        attempt=attempt,
    )
    assert said is None
    assert callback.state == CallbackState.WAITING
    assert outgoing(session, "order.evaluated") == []
    assert queries.ripe_for_keypad(session, now=OPENED) == []
    with pytest.raises(NotAllowedNow, match="人工回访"):
        service.plan_attempt(session, callback=callback, way=Way.KEYPAD, actor=SYSTEM, now=OPENED)
    (item,) = queries.who_to_call(session, here.callback_officer, now=OPENED, tz=TZ)
    assert item.said == "dissatisfied"
    evaluation = asked_by_a_person(
        session, callback, here, satisfaction="dissatisfied", solved="no", contacted=False, reasons=["not_contacted"]
    )
    service.apply_evaluation(session, evaluation=evaluation, now=OPENED, **WHEN)
    assert order.redo_count == 1


def test_a_try_only_moves_forward(session: Session, callback):
    attempt = service.plan_attempt(session, callback=callback, way=Way.KEYPAD, actor=SYSTEM, now=OPENED)
    update = {"session": session, "attempt": attempt, "now": OPENED}
    assert service.attempt_update(state="ringing", citizen_provider_id="CA1", **update)
    assert service.attempt_update(state="connected", **update)
    assert not service.attempt_update(state="ringing", **update)
    assert service.attempt_update(state="ended", **update)
    assert not service.attempt_update(state="no_answer", **update)
    assert (attempt.state, attempt.ended_at, attempt.citizen_provider_id) == ("ended", OPENED, "CA1")
    assert queries.attempt_of_provider(session, "CA1") is attempt
    assert queries.attempt_of_provider(session, "CA2") is None


def test_one_try_at_a_time_unless_nobody_told_its_end(session: Session, callback):
    first = service.plan_attempt(session, callback=callback, way=Way.KEYPAD, actor=SYSTEM, now=OPENED)
    with pytest.raises(NotAllowedNow, match="还没有结束"):
        service.plan_attempt(session, callback=callback, way=Way.KEYPAD, actor=SYSTEM, now=OPENED + HOUR / 2)
    service.plan_attempt(session, callback=callback, way=Way.KEYPAD, actor=SYSTEM, now=OPENED + HOUR)
    assert first.state == AttemptState.FAILED


def test_an_sms_asks_through_the_outbox(session: Session, order, callback):
    service.plan_attempt(session, callback=callback, way=Way.SMS, actor=SYSTEM, now=OPENED)
    assert {"template": "evaluate", "order_id": order.id} in outgoing(session, "sms.send")


def test_three_tries_at_different_hours_over_two_days_and_it_is_given_up(session: Session, order, callback):
    for at in (local(18, 14), local(18, 16, 30), local(19, 9)):
        assert callback.state == CallbackState.WAITING
        missed(session, callback, at)
    assert callback.state == CallbackState.NOT_REACHED
    assert (order.status, order.close_kind, order.final_satisfaction) == (
        Status.CLOSED,
        CloseKind.NOT_REACHED,
        "none",
    )
    assert {"template": "not_reached", "order_id": order.id} in outgoing(session, "sms.send")
    service.unreachable(session, attempt=callback.attempts[-1], actor=SYSTEM, now=local(19, 10), tz=TZ)
    assert len([one for one in outgoing(session, "sms.send") if one["template"] == "not_reached"]) == 1
    assert journal.verify(session) == []


@pytest.mark.parametrize(
    "times",
    [
        [(18, 9), (18, 14), (18, 17)],  # one day
        [(18, 9), (19, 9), (20, 9)],  # one hour
        [(18, 9), (18, 10), (19, 15)],  # two too near
        [(18, 9), (19, 15)],  # two tries
    ],
)
def test_tries_that_prove_nothing_are_not_enough(session: Session, order, callback, times):
    for at in times:
        missed(session, callback, local(*at))
    assert callback.state == CallbackState.WAITING
    assert order.status == Status.TO_CALL_BACK


def test_following_the_plan_ends_the_tries_in_three(session: Session, callback):
    at = local(18, 14)
    for _ in range(3):
        missed(session, callback, at)
        at = callback.next_try_at
    assert callback.state == CallbackState.NOT_REACHED


def test_a_voice_box_that_took_the_call_is_no_citizen_reached(session: Session, here: City, callback):
    service.take(session, callback=callback, actor=here.callback_officer, now=OPENED)
    attempt = service.plan_attempt(session, callback=callback, way=Way.PERSON, actor=here.callback_officer, now=OPENED)
    for state in ("ringing", "connected", "ended"):
        service.attempt_update(session, attempt=attempt, state=state, now=OPENED)
    service.unreachable(session, attempt=attempt, actor=here.callback_officer, now=OPENED, tz=TZ)
    assert (attempt.state, callback.state, callback.officer_id) == ("no_answer", CallbackState.WAITING, None)
    assert callback.next_try_at > OPENED
    (item,) = queries.who_to_call(session, here.callback_officer, now=local(19, 17), tz=TZ)
    assert item.tries == 1


def test_a_carriers_failure_is_no_try_on_the_citizen(session: Session, here: City, callback):
    for at in (local(18, 14), local(18, 16, 30), local(19, 9)):
        attempt = service.plan_attempt(session, callback=callback, way=Way.KEYPAD, actor=SYSTEM, now=at)
        service.attempt_update(session, attempt=attempt, state="failed", now=at)
        service.unreachable(session, attempt=attempt, actor=SYSTEM, now=at, tz=TZ)
    assert callback.state == CallbackState.WAITING
    (item,) = queries.who_to_call(session, here.callback_officer, now=local(20, 9), tz=TZ)
    assert item.tries == 0


@pytest.mark.parametrize("word", ["failed", "canceled"])
def test_a_trunk_fault_on_two_days_closes_nothing(session: Session, here: City, order, callback, word: str):
    for n, at in enumerate((local(18, 14), local(18, 16, 30), local(19, 9))):
        line_says(session, callback, word, line=f"CA{n}", at=at)
        assert callback.next_try_at > at  # tried again, later
    assert {attempt.state for attempt in callback.attempts} == {AttemptState.FAILED}
    assert (callback.state, order.status) == (CallbackState.WAITING, Status.TO_CALL_BACK)


@pytest.mark.parametrize("word", ["busy", "no-answer"])
def test_a_telephone_that_rang_or_was_engaged_is_a_try(session: Session, here: City, order, callback, word: str):
    for n, at in enumerate((local(18, 14), local(18, 16, 30), local(19, 9))):
        line_says(session, callback, word, line=f"CA{n}", at=at)
    assert (callback.state, order.close_kind) == (CallbackState.NOT_REACHED, CloseKind.NOT_REACHED)


def dissatisfied_by_key(session: Session, callback: Callback, at: datetime) -> None:
    attempt = service.plan_attempt(session, callback=callback, way=Way.KEYPAD, actor=SYSTEM, now=at)
    service.evaluate(
        session, callback=callback, satisfaction="dissatisfied", way=Way.KEYPAD, actor=SYSTEM, now=at, attempt=attempt
    )


def missed_by_a_person(session: Session, callback: Callback, here: City, at: datetime) -> None:
    officer = here.callback_officer
    service.take(session, callback=callback, actor=officer, now=at)
    attempt = service.plan_attempt(session, callback=callback, way=Way.PERSON, actor=officer, now=at)
    service.attempt_update(session, attempt=attempt, state="no_answer", now=at)
    service.unreachable(session, attempt=attempt, actor=officer, now=at, tz=TZ)


def test_who_pressed_dissatisfied_and_is_not_reached_any_more_counts_and_is_supervised(
    session: Session, here: City, order, callback
):
    dissatisfied_by_key(session, callback, OPENED)
    for at in (local(18, 14, 30), local(18, 17, 30), local(19, 9, 30)):
        missed_by_a_person(session, callback, here, at)
    assert callback.state == CallbackState.NOT_REACHED
    assert {"template": "not_reached", "order_id": order.id} in outgoing(session, "sms.send")
    evaluation = session.scalars(select(Evaluation)).one()
    assert (evaluation.way, evaluation.satisfaction, evaluation.contacted) == (Way.KEYPAD, "dissatisfied", None)
    assert outgoing(session, "order.evaluated") == [{"evaluation_id": evaluation.id}]
    for _ in range(2):  # and twice is once
        service.apply_evaluation(session, evaluation=evaluation, now=local(19, 10), **WHEN)
    assert (order.status, order.close_kind) == (Status.CLOSED, CloseKind.NOT_HEARD)
    assert (order.first_satisfaction, order.final_satisfaction, order.final_solved) == (
        "dissatisfied",
        "dissatisfied",
        "",
    )
    assert (order.supervision, order.redo_count) == (Supervision.BLUE, 0)
    assert order.appeal_until is not None  # it counts for the unit, so the unit may say that it should not
    assert order_reads.to_supervise(session, here.supervisor).items == [order]
    facts = order_reads.story(session, order, here.supervisor)[-1].facts
    assert ("督办级别", "蓝色督办") in facts
    assert ("办结方式", "不满意，未能问明原因，转督办") in facts
    assert journal.verify(session) == []


@pytest.mark.parametrize(
    ("phone", "wanted", "kind"),
    [(None, True, CloseKind.NO_NUMBER), (orders.PHONE, False, CloseKind.NOT_WANTED)],
)
def test_who_cannot_or_will_not_be_asked_closes_unrated(session: Session, here: City, phone, wanted, kind):
    order = order_at(
        session, here, Status.TO_CALL_BACK, who=orders.caller(session, phone=phone), callback_wanted=wanted
    )
    callback = service.open_callback(session, order=order, now=OPENED, **WHEN)
    assert (callback.state, order.status, order.close_kind) == (CallbackState.NOT_REACHED, Status.CLOSED, kind)
    assert order.final_satisfaction == "none"
    assert service.open_callback(session, order=order, now=OPENED, **WHEN) is callback


def test_who_to_call_is_sorted_by_due_then_hour_then_tries(session: Session, here: City):
    def waiting(phone: str, now: datetime = OPENED) -> Callback:
        who = orders.caller(session, phone=phone)
        order = order_at(session, here, Status.TO_CALL_BACK, who=who)
        return service.open_callback(session, order=order, now=now, **WHEN)

    earlier = waiting("+8619900000001")
    attempt = service.plan_attempt(session, callback=earlier, way=Way.KEYPAD, actor=SYSTEM, now=local(18, 14))
    service.attempt_update(session, attempt=attempt, state="connected", now=local(18, 14))
    service.evaluate(
        session, callback=earlier, satisfaction="fair", way=Way.KEYPAD, actor=SYSTEM, now=OPENED, attempt=attempt
    )
    unknown = waiting("+8619900000002")
    fits = waiting("+8619900000001")  # answered at 14 before
    tomorrow = waiting("+8619900000003", now=local(18, 20))
    mine = waiting("+8619900000004", now=local(18, 20))
    service.take(session, callback=mine, actor=here.callback_officer, now=local(18, 20))
    listed = queries.who_to_call(session, here.callback_officer, now=local(19, 14), tz=TZ)
    assert [item.callback for item in listed] == [mine, fits, unknown, tomorrow]
    assert [item.best_hour for item in listed] == [None, 14, None, None]
    assert len(queries.who_to_call(session, here.callback_officer, now=local(19, 14), tz=TZ, limit=2)) == 2


def test_the_desks_numbers(session: Session, here: City, order, callback):
    count = {"now": OPENED, "tz": TZ}
    assert queries.counts(session, here.callback_officer, **count) == queries.Counts(1, 0, 0, 0, 0, 0)
    asked_by_a_person(session, callback, here)
    assert queries.counts(session, here.callback_officer, **count) == queries.Counts(0, 0, 0, 0, 1, 0)
    assert queries.counts(session, here.callback_officer, now=local(19, 9), tz=TZ).done_today == 0


def test_the_duty_desk_is_for_officers(session: Session, here: City, callback):
    for outsider in (here.operator, here.county_clerk, here.reviewer):
        with pytest.raises(NotPermitted):
            queries.who_to_call(session, outsider, now=OPENED, tz=TZ)
        with pytest.raises(NotPermitted):
            queries.counts(session, outsider, now=OPENED, tz=TZ)
        with pytest.raises(NotFound):
            queries.callback_for(session, outsider, callback.id)
    assert queries.callback_for(session, here.callback_officer, callback.id) is callback


def taken_back(session: Session, here: City, order: WorkOrder, at: datetime = OPENED + HOUR) -> None:
    work.withdraw(session, order=order, actor=here.operator, now=at, reason="邻居已经修好", read_back_ok=True)


def test_who_takes_the_demand_back_is_not_asked_about_it(session: Session, here: City, order, callback):
    later, monday = OPENED + HOUR, local(23, 9)
    taken_back(session, here, order)
    # already now, before the message that withdraws the callback arrives
    assert queries.who_to_call(session, here.callback_officer, now=later, tz=TZ) == []
    assert queries.ripe_for_keypad(session, now=later) == []
    assert queries.counts(session, here.callback_officer, now=monday, tz=TZ) == queries.Counts(0, 0, 0, 0, 0, 0)
    with pytest.raises(NotAllowedNow, match="不用再回访"):
        service.take(session, callback=callback, actor=here.callback_officer, now=later)
    with pytest.raises(NotAllowedNow, match="不用再回访"):
        service.plan_attempt(session, callback=callback, way=Way.KEYPAD, actor=SYSTEM, now=later)
    with pytest.raises(NotAllowedNow, match="不用再回访"):
        service.evaluate(session, callback=callback, satisfaction="fair", way=Way.SMS, actor=SYSTEM, now=later)
    (message,) = outgoing(session, "callback.withdraw")
    for _ in range(2):
        service.withdraw(session, **message, now=later)
    assert (callback.state, callback.done_at) == (CallbackState.WITHDRAWN, later)
    assert queries.counts(session, here.callback_officer, now=later, tz=TZ) == queries.Counts(0, 0, 0, 0, 0, 0)
    assert (order.close_kind, session.scalar(select(Evaluation))) == (CloseKind.WITHDRAWN, None)


def test_who_took_it_back_while_their_telephone_rang_is_not_missed(session: Session, here: City, order, callback):
    for at in (local(18, 14), local(18, 16, 30)):
        missed(session, callback, at)
    ringing = service.plan_attempt(session, callback=callback, way=Way.KEYPAD, actor=SYSTEM, now=local(19, 9))
    taken_back(session, here, order, local(19, 9))
    service.unreachable(session, attempt=ringing, actor=SYSTEM, now=local(19, 9, 1), tz=TZ)
    assert service.live_attempt(callback) is None
    assert "not_reached" not in [one["template"] for one in outgoing(session, "sms.send")]
    assert order.close_kind == CloseKind.WITHDRAWN


@pytest.mark.parametrize(("talking", "state"), [(False, "failed"), (True, "connected")])
def test_a_call_on_its_way_ends_with_the_callback_but_not_while_they_talk(
    session: Session, here: City, order, callback, talking: bool, state: str
):
    service.take(session, callback=callback, actor=here.callback_officer, now=OPENED)
    attempt = service.plan_attempt(session, callback=callback, way=Way.PERSON, actor=here.callback_officer, now=OPENED)
    if talking:
        service.attempt_update(session, attempt=attempt, state="connected", now=OPENED)
    taken_back(session, here, order)
    service.withdraw(session, order_id=order.id, round=callback.round, now=OPENED + HOUR)
    assert (attempt.state, callback.state) == (state, CallbackState.WITHDRAWN)
    with pytest.raises(NotAllowedNow):
        asked_by_a_person(session, callback, here)


def test_a_round_that_was_settled_stays_as_it_was(session: Session, here: City, order, callback):
    asked_by_a_person(session, callback, here)
    service.withdraw(session, order_id=order.id, round=callback.round, now=OPENED + HOUR)
    service.withdraw(session, order_id=order.id, round=callback.round + 1, now=OPENED + HOUR)
    assert callback.state == CallbackState.DONE


def test_a_settled_callback_is_settled(session: Session, here: City, callback):
    asked_by_a_person(session, callback, here)
    with pytest.raises(NotAllowedNow):
        service.evaluate(session, callback=callback, satisfaction="fair", way=Way.KEYPAD, actor=SYSTEM, now=OPENED)
    with pytest.raises(NotAllowedNow):
        service.plan_attempt(session, callback=callback, way=Way.KEYPAD, actor=SYSTEM, now=OPENED)
