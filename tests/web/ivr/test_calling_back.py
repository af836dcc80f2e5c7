"""A citizen is asked about the result: by a person, by keys, by SMS."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.accounts.roles import Role
from hotline.accounts.service import SYSTEM, actor_of
from hotline.bootstrap import Runtime
from hotline.calls.links import Links
from hotline.follow_ups import lines, service
from hotline.follow_ups.models import Attempt, Callback, Evaluation
from hotline.outbox import OutboxMessage
from hotline.telephony.base import CarrierRefused
from hotline.telephony.simulated import Line, SimulatedTelephony
from hotline.web import twiml
from hotline.work_orders import service as work
from hotline.work_orders.states import Status
from tests.factories import calls as make
from tests.factories import people
from tests.factories.orders import PHONE, WHEN, order_at
from tests.factories.units import City, city
from tests.web.ivr.conftest import PUBLIC, Carrier, Clock, said

Scope = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def here(scope: Scope, runtime: Runtime) -> City:
    with scope() as session:
        return city(session)


@pytest.fixture
def callback_id(scope: Scope, clock: Clock, here: City) -> int:
    """A settled order's callback that is due."""
    with scope() as session:
        order = order_at(session, here, Status.TO_CALL_BACK, now=clock())
        clock.at += timedelta(hours=2)
        return service.open_callback(session, order=order, now=clock(), **WHEN).id


@pytest.fixture
def officer_id(scope: Scope) -> int:
    """A callback officer with a telephone."""
    with scope() as session:
        row = people.user(session, Role.CBK)
        row.seat = "seat09"
        return row.id


@pytest.fixture
def ring(runtime: Runtime, telephony: SimulatedTelephony, clock: Clock) -> Callable[[int], Line | None]:
    """Do what the worker does with ``callback.dial`` and return the line that was rung by it."""

    def dial(attempt_id: int) -> Line | None:
        before = len(telephony.lines)
        links = Links(runtime.settings.public_url)
        lines.dial(runtime.sessions, telephony, links, attempt_id=attempt_id, caller_id="12345", now=clock())
        return list(telephony.lines.values())[-1] if len(telephony.lines) > before else None

    return dial


def plan(scope: Scope, clock: Clock, callback_id: int, way: str, officer_id: int | None = None) -> int:
    with scope() as session:
        callback = session.get_one(Callback, callback_id)
        who = actor_of(session.get_one(User, officer_id)) if officer_id else SYSTEM
        if officer_id:
            service.take(session, callback=callback, actor=who, now=clock())
        return service.plan_attempt(session, callback=callback, way=way, actor=who, now=clock()).id


def attempt(scope: Scope, attempt_id: int) -> Attempt:
    with scope() as session:
        return session.get_one(Attempt, attempt_id)


def rated(scope: Scope) -> list[tuple[str, str]]:
    with scope() as session:
        return [(row.satisfaction, row.way) for row in session.scalars(select(Evaluation))]


def test_keys_rate_the_result(
    carrier: Carrier, scope: Scope, clock: Clock, callback_id: int, ring: Callable[[int], Line | None]
) -> None:
    attempt_id = plan(scope, clock, callback_id, "keypad")
    line = ring(attempt_id)
    assert line is not None and (line.to, line.caller_id) == (PHONE, "12345")
    assert ring(attempt_id) is None  # rung once, however often the job runs
    document = carrier.ask(line.url.removeprefix(PUBLIC), line.provider_id)
    assert said(document) == [twiml.CALLBACK, twiml.KEYS]
    for wrong in ("9", ""):
        document = carrier.ask(carrier.follow(document, "Gather", "action"), line.provider_id, Digits=wrong)
        assert said(document) == [twiml.WRONG_KEY, twiml.KEYS]
    document = carrier.ask(carrier.follow(document, "Gather", "action"), line.provider_id, Digits="2")
    assert said(document) == [twiml.THANKS_RATED]
    assert document[-1].tag == "Hangup"
    assert rated(scope) == [("fair", "keypad")]
    carrier.post(
        f"/ivr/status?attempt={attempt_id}&party=citizen", {"CallSid": line.provider_id, "CallStatus": "completed"}
    )
    assert rated(scope) == [("fair", "keypad")]


def test_three_wrong_keys_end_politely_and_the_citizen_is_asked_another_time(
    carrier: Carrier, scope: Scope, clock: Clock, callback_id: int, ring: Callable[[int], Line | None]
) -> None:
    attempt_id = plan(scope, clock, callback_id, "keypad")
    line = ring(attempt_id)
    assert line is not None
    document = carrier.ask(line.url.removeprefix(PUBLIC), line.provider_id)
    for _ in range(3):
        document = carrier.ask(carrier.follow(document, "Gather", "action"), line.provider_id, Digits="7")
    assert said(document) == [twiml.GOODBYE]
    carrier.post(
        f"/ivr/status?attempt={attempt_id}&party=citizen", {"CallSid": line.provider_id, "CallStatus": "completed"}
    )
    with scope() as session:
        callback = session.get_one(Callback, callback_id)
        assert callback.state == "waiting"
        assert callback.next_try_at > clock()
    assert rated(scope) == []


def test_dissatisfied_by_key_is_for_a_person(
    carrier: Carrier, scope: Scope, clock: Clock, callback_id: int, ring: Callable[[int], Line | None]
) -> None:
    attempt_id = plan(scope, clock, callback_id, "keypad")
    line = ring(attempt_id)
    assert line is not None
    document = carrier.ask(line.url.removeprefix(PUBLIC), line.provider_id)
    carrier.ask(carrier.follow(document, "Gather", "action"), line.provider_id, Digits="3")
    assert rated(scope) == []
    assert attempt(scope, attempt_id).answer == "dissatisfied"


def test_an_officer_and_the_citizen_meet_and_neither_sees_a_number(
    carrier: Carrier,
    scope: Scope,
    clock: Clock,
    callback_id: int,
    officer_id: int,
    ring: Callable[[int], Line | None],
) -> None:
    attempt_id = plan(scope, clock, callback_id, "person", officer_id)
    officer = ring(attempt_id)
    assert officer is not None and officer.to == "client:seat09"
    assert ring(attempt_id) is None  # the citizen is not rung before the officer is there
    room = next(carrier.ask(officer.url.removeprefix(PUBLIC), officer.provider_id).iter("Conference")).text
    with scope() as session:
        dials = session.scalars(select(OutboxMessage.payload).where(OutboxMessage.topic == "callback.dial")).all()
    assert dials == [{"attempt_id": attempt_id}] * 2
    citizen = ring(attempt_id)
    assert citizen is not None and (citizen.to, citizen.caller_id) == (PHONE, "12345")
    document = carrier.ask(citizen.url.removeprefix(PUBLIC), citizen.provider_id)
    assert said(document) == [twiml.CALLBACK_PERSON]
    assert next(document.iter("Conference")).text == room
    assert attempt(scope, attempt_id).state == "connected"
    for party, line in (("officer", officer), ("citizen", citizen)):
        carrier.post(
            f"/ivr/status?attempt={attempt_id}&party={party}", {"CallSid": line.provider_id, "CallStatus": "completed"}
        )
    assert attempt(scope, attempt_id).state == "ended"


@pytest.mark.parametrize(
    ("word", "state"), [("no-answer", "no_answer"), ("busy", "no_answer"), ("failed", "failed"), ("canceled", "failed")]
)
def test_a_call_the_carrier_could_not_place_is_no_citizen_missed(
    carrier: Carrier,
    scope: Scope,
    clock: Clock,
    callback_id: int,
    officer_id: int,
    telephony: SimulatedTelephony,
    ring: Callable[[int], Line | None],
    word: str,
    state: str,
) -> None:
    attempt_id = plan(scope, clock, callback_id, "person", officer_id)
    officer = ring(attempt_id)
    assert officer is not None
    carrier.ask(officer.url.removeprefix(PUBLIC), officer.provider_id)
    citizen = ring(attempt_id)
    assert citizen is not None
    form = {"CallSid": citizen.provider_id, "CallStatus": word}
    carrier.post(f"/ivr/status?attempt={attempt_id}&party=citizen", form)
    assert attempt(scope, attempt_id).state == state
    assert telephony.hung_up == [officer.provider_id]


@pytest.mark.parametrize("carrier_fails", [False, True])
def test_a_citizen_who_does_not_answer_lets_the_officer_go(
    carrier: Carrier,
    scope: Scope,
    clock: Clock,
    callback_id: int,
    officer_id: int,
    telephony: SimulatedTelephony,
    ring: Callable[[int], Line | None],
    carrier_fails: bool,
) -> None:
    attempt_id = plan(scope, clock, callback_id, "person", officer_id)
    officer = ring(attempt_id)
    assert officer is not None
    carrier.ask(officer.url.removeprefix(PUBLIC), officer.provider_id)
    citizen = ring(attempt_id)
    assert citizen is not None
    if carrier_fails:
        telephony.faults["hang_up"] = CarrierRefused("no")
    answer = carrier.post(
        f"/ivr/status?attempt={attempt_id}&party=citizen", {"CallSid": citizen.provider_id, "CallStatus": "no-answer"}
    )
    assert answer.status_code == 200
    assert telephony.hung_up == ([] if carrier_fails else [officer.provider_id])
    assert attempt(scope, attempt_id).state == "no_answer"
    late = carrier.ask(citizen.url.removeprefix(PUBLIC), citizen.provider_id)
    assert said(late) == [twiml.GOODBYE]


def test_an_officer_without_a_telephone_is_a_failed_try_not_a_missed_citizen(
    scope: Scope, clock: Clock, callback_id: int, officer_id: int, ring: Callable[[int], Line | None]
) -> None:
    with scope() as session:
        session.get_one(User, officer_id).seat = ""
    attempt_id = plan(scope, clock, callback_id, "person", officer_id)
    assert ring(attempt_id) is None
    assert attempt(scope, attempt_id).state == "failed"


@pytest.mark.parametrize(
    ("body", "answered", "kept"),
    [
        ("1", twiml.SMS_THANKS, [("satisfied", "sms")]),
        (" ２ ", twiml.SMS_THANKS, [("fair", "sms")]),
        ("3", twiml.SMS_PERSON, []),
        ("你好", twiml.SMS_CALL_US, []),
        ("", twiml.SMS_CALL_US, []),
    ],
)
def test_a_text_rates_the_last_result(
    carrier: Carrier, scope: Scope, callback_id: int, body: str, answered: str, kept: list[tuple[str, str]]
) -> None:
    sid = make.sid()
    form = {"MessageSid": sid, "From": PHONE, "To": "12345", "Body": body}
    first = carrier.post("/ivr/message", form)
    assert answered in first.get_data(as_text=True)
    assert carrier.post("/ivr/message", form).data == first.data
    assert rated(scope) == kept
    stranger = carrier.post("/ivr/message", {**form, "MessageSid": make.sid(), "From": "+8619900009999", "Body": "1"})
    assert twiml.SMS_CALL_US in stranger.get_data(as_text=True)
    assert rated(scope) == kept


def test_a_text_rates_what_is_still_asked_about_not_what_was_taken_back(
    carrier: Carrier, scope: Scope, clock: Clock, here: City, callback_id: int
) -> None:
    with scope() as session:
        order = order_at(session, here, Status.TO_CALL_BACK, now=clock())
        service.open_callback(session, order=order, now=order.updated_at, **WHEN)
        work.withdraw(
            session, order=order, actor=here.operator, now=order.updated_at, reason="修好了", read_back_ok=True
        )
    form = {"MessageSid": make.sid(), "From": PHONE, "To": "12345", "Body": "1"}
    assert twiml.SMS_THANKS in carrier.post("/ivr/message", form).get_data(as_text=True)
    with scope() as session:
        assert session.scalars(select(Evaluation.callback_id)).all() == [callback_id]


def test_a_citizen_who_took_it_back_and_answers_the_telephone_hears_goodbye(
    carrier: Carrier, scope: Scope, clock: Clock, callback_id: int, ring: Callable[[int], Line | None]
) -> None:
    attempt_id = plan(scope, clock, callback_id, "keypad")
    line = ring(attempt_id)
    assert line is not None
    with scope() as session:
        callback = session.get_one(Callback, callback_id)
        service.withdraw(session, order_id=callback.order_id, round=callback.round, now=clock())
    assert said(carrier.ask(line.url.removeprefix(PUBLIC), line.provider_id)) == [twiml.GOODBYE]


def test_a_callback_nobody_knows_ends_politely(carrier: Carrier) -> None:
    for path in ("officer", "citizen", "keypad", "keyed"):
        assert said(carrier.ask(f"/ivr/callback/{path}?attempt=4711", make.sid(), Digits="1")) == [twiml.GOODBYE]
