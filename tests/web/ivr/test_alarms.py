"""An urgent order at night: duty officers are rung one after the other until one signs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.alarms import queries, service
from hotline.alarms.models import Alarm, AlarmTry
from hotline.alarms.states import AlarmState
from hotline.bootstrap import Runtime
from hotline.errors import NotAllowedNow, NotPermitted
from hotline.outbox import OutboxMessage
from hotline.telephony.base import CarrierRefused, CarrierUnreachable
from hotline.telephony.simulated import Line, SimulatedTelephony
from hotline.units.models import ResponsibilityLine
from hotline.web import ivr_alarms
from hotline.work_orders import service as orders
from hotline.work_orders.models import OrderEvent, WorkOrder
from hotline.work_orders.states import Status
from tests.factories import people, rosters
from tests.factories import units as make_units
from tests.factories.orders import WHEN, order_at
from tests.factories.units import City
from tests.web.ivr.conftest import Carrier, Clock, said
from workers import alarms, process

Scope = Callable[[], AbstractContextManager[Session]]
NAME = "王小明"


@pytest.fixture
def place(scope: Scope, runtime: Runtime) -> City:
    """A small city, and jobs that run on this test's process."""
    process.use(runtime)
    with scope() as session:
        return make_units.city(session)


@pytest.fixture
def two_on_duty(scope: Scope, place: City) -> None:
    with scope() as session:
        officer = people.user(session, Role.DTY, unit=place.county, name="值班员乙")
        rosters.shift(session, place.county, name="值班员甲", phone=rosters.FIRST, position=1)
        rosters.shift(session, place.county, name="值班员乙", phone=rosters.SECOND, position=2, user_id=officer.id)


@pytest.fixture
def urgent(scope: Scope, place: City, two_on_duty: None, clock: Clock) -> WorkOrder:
    """An urgent order that waits for the county to sign."""
    with scope() as session:
        order = order_at(session, place, Status.TO_SIGN, urgency="critical", area_code="131103")
    clock.forward(600)
    return order


def run_jobs(scope: Scope) -> None:
    """What the relay and the worker do with the rows that wait."""
    with scope() as session:
        waiting = session.scalars(
            select(OutboxMessage.id).where(OutboxMessage.topic == "alarm.ring", OutboxMessage.settled_at.is_(None))
        ).all()
    for message_id in waiting:
        alarms.ring(message_id)


def lines(telephony: SimulatedTelephony) -> list[Line]:
    return list(telephony.lines.values())


def tries(scope: Scope) -> list[AlarmTry]:
    with scope() as session:
        return list(session.scalars(select(AlarmTry).order_by(AlarmTry.alarm_id, AlarmTry.turn)))


def alarm(scope: Scope) -> Alarm:
    with scope() as session:
        return session.scalars(select(Alarm).order_by(Alarm.id.desc())).first()  # type: ignore[return-value]


def status(scope: Scope, order: WorkOrder) -> str:
    with scope() as session:
        return session.get_one(WorkOrder, order.id).status


def tell(carrier: Carrier, line: Line, word: str) -> None:
    path = line.status_url.removeprefix("https://hotline.example")
    answer = carrier.post(path, {"CallSid": line.provider_id, "CallStatus": word})
    assert answer.status_code == 200


def pick_up(carrier: Carrier, line: Line) -> str:
    """The officer answers; returns where the key goes."""
    document = carrier.ask(line.url.removeprefix("https://hotline.example"), line.provider_id)
    return carrier.follow(document, "Gather", "action")


def test_the_first_does_not_answer_and_the_second_signs(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, urgent: WorkOrder, clock: Clock
) -> None:
    run_jobs(scope)
    (first,) = lines(telephony)
    assert (first.to, first.caller_id) == (rosters.FIRST, "12345")
    tell(carrier, first, "ringing")
    clock.forward(30)
    tell(carrier, first, "no-answer")
    run_jobs(scope)
    second = lines(telephony)[1]
    assert second.to == rosters.SECOND
    clock.forward(8)
    document = carrier.ask(second.url.removeprefix("https://hotline.example"), second.provider_id)
    (told, keys) = said(document)
    assert "二六一一，零零零零一" in told
    assert "特急" in told and "冀州区政府" in told and "供水·停水" in told
    assert keys == ivr_alarms.KEYS
    assert NAME not in told and "1234" not in told and "五洲国际" not in told
    clock.forward(5)
    document = carrier.ask(carrier.follow(document, "Gather", "action"), second.provider_id, Digits="1")
    assert said(document) == [ivr_alarms.SIGNED]
    assert status(scope, urgent) == Status.IN_HAND
    one, two, *rest = tries(scope)
    assert (one.state, one.ended_at - one.rung_at) == ("no_answer", timedelta(seconds=30))  # type: ignore[operator]
    assert (two.state, two.answered_at - two.rung_at) == ("signed", timedelta(seconds=8))  # type: ignore[operator]
    assert two.ended_at == clock() and {later.state for later in rest} == {"planned"}
    assert (alarm(scope).state, alarm(scope).ended_at) == ("signed", clock())
    with scope() as session:
        event = session.scalars(select(OrderEvent).where(OrderEvent.action == "sign")).one()
        assert (event.actor_role, event.actor_user_id) == ("DTY", two.user_id)
    tell(carrier, second, "completed")
    run_jobs(scope)
    alarms.keep_ringing()
    assert len(lines(telephony)) == 2


def test_an_ordinary_order_rings_nobody(scope: Scope, place: City, two_on_duty: None) -> None:
    with scope() as session:
        order_at(session, place, Status.TO_SIGN)
        assert session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "alarm.ring")).all() == []


@pytest.mark.parametrize(("word", "state"), [("busy", "busy"), ("failed", "failed"), ("canceled", "no_answer")])
def test_whoever_cannot_be_reached_is_passed_over(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, urgent: WorkOrder, word: str, state: str
) -> None:
    run_jobs(scope)
    tell(carrier, lines(telephony)[0], word)
    run_jobs(scope)
    assert [one.state for one in tries(scope)[:2]] == [state, "ringing"]


def test_the_list_is_rung_twice_and_then_the_hub_has_to_act(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, urgent: WorkOrder, place: City, clock: Clock
) -> None:
    run_jobs(scope)
    for turn in range(4):
        line = lines(telephony)[turn]
        if turn == 1:  # pressed 2
            document = carrier.ask(pick_up(carrier, line), line.provider_id, Digits="2")
            assert said(document) == [ivr_alarms.PASSED]
        elif turn == 2:  # hung up after answering
            pick_up(carrier, line)
            tell(carrier, line, "completed")
        else:
            tell(carrier, line, "no-answer")
        clock.forward(20)
        run_jobs(scope)
    assert [line.to for line in lines(telephony)] == [rosters.FIRST, rosters.SECOND] * 2
    assert [one.state for one in tries(scope)] == ["no_answer", "passed", "no_key", "no_answer"]
    assert alarm(scope).state == "failed"
    assert status(scope, urgent) == Status.TO_SIGN
    with scope() as session:
        failed = session.scalars(select(Alarm)).one()
        with pytest.raises(NotPermitted):
            service.again(session, alarm=failed, actor=place.reviewer, now=clock())
        service.again(session, alarm=failed, actor=place.supervisor, now=clock())
    run_jobs(scope)
    assert (alarm(scope).round, alarm(scope).state) == (2, "ringing")
    assert len(lines(telephony)) == 5
    with scope() as session, pytest.raises(NotAllowedNow):
        service.again(session, alarm=session.get_one(Alarm, failed.id), actor=place.supervisor, now=clock())


def test_ringing_stops_when_somebody_signs_in_the_portal(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, urgent: WorkOrder, place: City, clock: Clock
) -> None:
    run_jobs(scope)
    with scope() as session:
        orders.sign(session, order=session.get_one(WorkOrder, urgent.id), actor=place.county_clerk, now=clock())
    run_jobs(scope)
    (line,) = lines(telephony)
    assert line.ended
    assert (alarm(scope).state, tries(scope)[0].state) == ("stopped", "stopped")
    tell(carrier, line, "completed")
    run_jobs(scope)
    assert len(lines(telephony)) == 1


def test_an_officer_who_answers_too_late_is_told_that_it_is_signed(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, urgent: WorkOrder, place: City, clock: Clock
) -> None:
    run_jobs(scope)
    (line,) = lines(telephony)
    key = pick_up(carrier, line)
    with scope() as session:
        orders.sign(session, order=session.get_one(WorkOrder, urgent.id), actor=place.county_clerk, now=clock())
    assert said(carrier.ask(key, line.provider_id, Digits="1")) == [ivr_alarms.NOT_NEEDED]
    with scope() as session:
        assert len(session.scalars(select(OrderEvent).where(OrderEvent.action == "sign")).all()) == 1


def test_words_of_the_carrier_that_come_late_or_again_take_nothing_back(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, urgent: WorkOrder
) -> None:
    run_jobs(scope)
    (line,) = lines(telephony)
    key = pick_up(carrier, line)
    for word in ("ringing", "initiated", "ringing"):
        tell(carrier, line, word)
    assert tries(scope)[0].state == "answered"
    first = said(carrier.ask(key, line.provider_id, Digits="1"))
    assert said(carrier.ask(key, line.provider_id, Digits="1")) == first
    for word in ("no-answer", "busy", "completed"):
        tell(carrier, line, word)
    assert (tries(scope)[0].state, status(scope, urgent)) == ("signed", Status.IN_HAND)


def test_a_second_line_of_a_dial_repeated_is_sent_away(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, urgent: WorkOrder
) -> None:
    run_jobs(scope)
    (line,) = lines(telephony)
    document = carrier.ask(line.url.removeprefix("https://hotline.example"), "CA" + "f" * 32)
    assert said(document) == [ivr_alarms.OVER]
    assert tries(scope)[0].state == "ringing"


def test_a_wrong_key_is_asked_again_and_silence_leads_on(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, urgent: WorkOrder
) -> None:
    run_jobs(scope)
    (line,) = lines(telephony)
    key = pick_up(carrier, line)
    for _ in range(2):
        document = carrier.ask(key, line.provider_id, Digits="7")
        key = carrier.follow(document, "Gather", "action")
    assert said(carrier.ask(key, line.provider_id, Digits="")) == [ivr_alarms.NO_KEY]
    assert tries(scope)[0].state == "no_key"
    run_jobs(scope)
    assert lines(telephony)[1].to == rosters.SECOND


def test_the_try_of_a_dead_worker_is_taken_up_by_the_timetable(
    telephony: SimulatedTelephony, scope: Scope, urgent: WorkOrder, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> str:
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr(SimulatedTelephony, "dial", die)
        with pytest.raises(SystemExit):
            run_jobs(scope)
    alarms.keep_ringing()
    assert lines(telephony) == []  # that worker may still be asking the carrier
    clock.forward(61)
    alarms.keep_ringing()
    alarms.keep_ringing()
    assert [line.to for line in lines(telephony)] == [rosters.FIRST]


def test_a_line_whose_end_is_never_told_does_not_stop_the_chain(
    telephony: SimulatedTelephony, scope: Scope, urgent: WorkOrder, clock: Clock
) -> None:
    run_jobs(scope)
    clock.forward(60)
    alarms.keep_ringing()
    assert len(lines(telephony)) == 1
    clock.forward(60)
    alarms.keep_ringing()
    assert [one.state for one in tries(scope)[:2]] == ["no_answer", "ringing"]


def test_a_number_the_carrier_refuses_is_passed_over_at_once(
    telephony: SimulatedTelephony, scope: Scope, urgent: WorkOrder
) -> None:
    telephony.faults["dial"] = CarrierRefused("no such number")
    run_jobs(scope)
    assert {one.state for one in tries(scope)} == {"failed"}
    assert alarm(scope).state == "failed"


def test_while_the_carrier_is_away_nobody_s_turn_is_used_up_and_the_hub_sees_it(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, urgent: WorkOrder, clock: Clock
) -> None:
    telephony.faults["dial"] = CarrierUnreachable("away")
    run_jobs(scope)
    for _ in range(40):  # ten minutes of the timetable
        clock.forward(15)
        alarms.keep_ringing()
    assert [one.state for one in tries(scope)] == ["no_line", "planned", "planned", "planned"]
    with scope() as session:
        (row,) = queries.recent(session, now=clock())
        assert (row.waits, row.no_line, queries.failing(session)) == (True, True, 1)

    del telephony.faults["dial"]
    clock.forward(15)
    alarms.keep_ringing()
    (line,) = lines(telephony)
    assert line.to == rosters.FIRST
    with scope() as session:
        assert queries.failing(session) == 0
    assert said(carrier.ask(pick_up(carrier, line), line.provider_id, Digits="1")) == [ivr_alarms.SIGNED]
    assert status(scope, urgent) == Status.IN_HAND


def test_a_line_that_rings_although_the_carrier_gave_no_answer_is_the_officer_s(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, urgent: WorkOrder
) -> None:
    telephony.faults["dial"] = CarrierUnreachable("time-out")
    run_jobs(scope)
    (first, *_) = tries(scope)
    key = carrier.follow(carrier.ask(f"/ivr/alarm/officer?try={first.id}&turn=0", "CA-late"), "Gather", "action")
    del telephony.faults["dial"]
    alarms.keep_ringing()
    assert lines(telephony) == []
    assert said(carrier.ask(key, "CA-late", Digits="1")) == [ivr_alarms.SIGNED]


def test_nobody_on_duty_and_no_telephone_is_a_failure_the_hub_sees(
    telephony: SimulatedTelephony, scope: Scope, place: City, clock: Clock
) -> None:
    with scope() as session:
        order_at(session, place, Status.TO_SIGN, urgency="urgent")
    clock.forward(600)
    run_jobs(scope)
    assert (alarm(scope).state, lines(telephony)) == ("failed", [])


def test_of_a_confidential_order_only_number_and_urgency_are_said(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, urgent: WorkOrder
) -> None:
    with scope() as session:
        session.get_one(WorkOrder, urgent.id).confidential = True
    run_jobs(scope)
    (line,) = lines(telephony)
    told = said(carrier.ask(line.url.removeprefix("https://hotline.example"), line.provider_id))[0]
    assert "供水" not in told and "地点" not in told and "二六一一" in told


def test_a_key_pressed_while_somebody_changes_the_order_is_taken_once_it_is_known_how_it_stands(
    carrier: Carrier,
    telephony: SimulatedTelephony,
    scope: Scope,
    urgent: WorkOrder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_jobs(scope)
    (line,) = lines(telephony)
    key = pick_up(carrier, line)
    real, told = orders.sign, []

    def meanwhile(session: Session, **rest: object) -> WorkOrder:
        if not told:
            told.append(1)
            session.connection().exec_driver_sql("UPDATE work_orders SET version = version + 1")
        return real(session, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(orders, "sign", meanwhile)
    assert said(carrier.ask(key, line.provider_id, Digits="1")) == [ivr_alarms.SIGNED]
    assert (status(scope, urgent), tries(scope)[0].state) == (Status.IN_HAND, "signed")


def test_after_a_refused_return_the_officers_are_rung_again(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, urgent: WorkOrder, place: City, clock: Clock
) -> None:
    run_jobs(scope)
    tell(carrier, lines(telephony)[0], "ringing")
    with scope() as session:
        line = ResponsibilityLine(
            version="2026-1",
            code="L01",
            matter="城区供水",
            category_code=make_units.WATER,
            valid_from=date(2026, 1, 1),
            created_at=clock(),
        )
        session.add(line)
        session.flush()
        order = session.get_one(WorkOrder, urgent.id)
        asked = {"ground": "ownership", "responsibility_line_id": line.id, "reason": "权属不清"}
        orders.ask_return(session, order=order, actor=place.county_clerk, now=clock(), **asked, **WHEN)
    run_jobs(scope)
    assert (alarm(scope).state, lines(telephony)[0].ended) == ("stopped", True)
    clock.forward(600)
    with scope() as session:
        order = session.get_one(WorkOrder, urgent.id)
        words = "正是贵单位的职责"
        orders.refuse_return(session, order=order, actor=place.reviewer, now=clock(), reason=words, **WHEN)
    run_jobs(scope)
    assert [line.to for line in lines(telephony)] == [rosters.FIRST, rosters.FIRST]
    assert (alarm(scope).round, alarm(scope).state) == (2, "ringing")


def test_for_an_order_that_follows_another_nobody_is_rung_until_it_stands_alone_again(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, urgent: WorkOrder, place: City, clock: Clock
) -> None:
    run_jobs(scope)
    key = pick_up(carrier, lines(telephony)[0])
    with scope() as session:
        order, main = session.get_one(WorkOrder, urgent.id), order_at(session, place, Status.IN_HAND)
        orders.merge(session, order=order, into=main, actor=place.reviewer, now=clock())
    heard = said(carrier.ask(key, lines(telephony)[0].provider_id, Digits="1"))
    assert heard == [ivr_alarms.NOT_NEEDED]
    run_jobs(scope)
    alarms.keep_ringing()
    with scope() as session:
        assert (alarm(scope).state, queries.failing(session), len(lines(telephony))) == ("stopped", 0, 1)

    with scope() as session:
        orders.unmerge(session, order=session.get_one(WorkOrder, urgent.id), actor=place.reviewer, now=clock())
    run_jobs(scope)
    assert (alarm(scope).round, len(lines(telephony))) == (2, 2)


def test_whoever_is_too_late_is_not_told_that_it_was_signed(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, urgent: WorkOrder, clock: Clock
) -> None:
    run_jobs(scope)
    (first,) = lines(telephony)
    key = pick_up(carrier, first)
    clock.forward(185)
    alarms.keep_ringing()
    assert said(carrier.ask(key, first.provider_id, Digits="1")) == [ivr_alarms.OVER]
    assert status(scope, urgent) == Status.TO_SIGN


def test_what_the_hub_must_act_on_is_shown_behind_a_hundred_newer_rounds(
    scope: Scope, place: City, two_on_duty: None, clock: Clock
) -> None:
    with scope() as session:
        failed = service.begin(
            session, sub=order_at(session, place, Status.TO_SIGN).sub_orders[0], round_=1, now=clock()
        )
        failed.state = AlarmState.FAILED
        done = order_at(session, place, Status.IN_HAND).sub_orders[0]
        for number in range(queries.AT_MOST):
            service.begin(session, sub=done, round_=number + 1, now=clock()).state = AlarmState.SIGNED
        shown = queries.recent(session, now=clock())
        assert (shown[0].alarm, shown[0].waits, len(shown)) == (failed, True, queries.AT_MOST)
