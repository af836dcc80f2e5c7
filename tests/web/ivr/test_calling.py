"""A citizen dials: greeting, queue, person, goodbye."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM
from hotline.bootstrap import Runtime
from hotline.callers.models import Caller
from hotline.calls import assignment, queries, service
from hotline.calls.models import Call, CallLeg
from hotline.calls.numbers import put_number
from hotline.calls.states import CallState, Outcome, QueueKind
from hotline.clock import utc_now
from hotline.telephony.simulated import SimulatedTelephony
from hotline.web import stream_token, switchboard, twiml
from tests.factories import calls as make
from tests.web.ivr.conftest import PUBLIC, Carrier, Clock, said

Scope = Callable[[], AbstractContextManager[Session]]
CallOf = Callable[[str], Call]


def test_a_caller_hears_the_notice_before_any_sound_is_taken_and_then_waits(
    carrier: Carrier, runtime: Runtime, call_of: CallOf, scope: Scope, clock: Clock
) -> None:
    sid, clock.at = make.sid(), utc_now()  # a token is good for some hours of real time
    document = carrier.ask("/ivr/voice", sid)
    assert [element.tag for element in document] == ["Gather", "Start", "Enqueue"]
    assert said(document) == [make.GREETING]
    stream = next(document.iter("Stream"))
    assert stream.get("url") == "wss://hotline.example/media/stream"
    assert stream.get("track") == "inbound_track"
    parameter = next(document.iter("Parameter"))
    call = call_of(sid)
    with scope() as session:
        leg = queries.legs(session, call.id)[0]
    assert parameter.get("name") == "leg"
    assert stream_token.leg_of(runtime.settings, parameter.get("value") or "") == leg.id
    assert call.state == CallState.GREETING


def test_a_key_during_the_greeting_goes_on_at_once(carrier: Carrier) -> None:
    sid = make.sid()
    greeting = carrier.ask("/ivr/voice", sid)
    document = carrier.ask(carrier.follow(greeting, "Gather", "action"), sid, Digits="0")
    assert [element.tag for element in document] == ["Start", "Enqueue"]


@pytest.mark.parametrize(
    ("dialled", "heard"),
    [
        ("961890", "您好，这里是九六一八九零便民服务热线，您的通话将被录音。"),
        ("+8612345", make.GREETING),
        ("12319", twiml.GREETING),
        ("", twiml.GREETING),
    ],
)
def test_each_number_has_its_own_greeting_and_an_unknown_one_a_general_one(
    carrier: Carrier, dialled: str, heard: str
) -> None:
    document = carrier.ask("/ivr/voice", make.sid(), To=dialled)
    assert said(document) == [heard]
    assert document.find("Enqueue") is not None


@pytest.mark.parametrize(("hour", "served"), [(0, True), (6, False), (9, True)])  # 08:00, 14:00 and 17:00 here
def test_outside_its_hours_a_number_says_so_and_ends_the_call(
    carrier: Carrier, scope: Scope, clock: Clock, hour: int, served: bool
) -> None:
    with scope() as session:
        put_number(
            session,
            actor=SYSTEM,
            now=clock(),
            number="12319",
            name="城管热线",
            greeting="您好，城管热线。",
            hours=["08:00-12:00", "14:30-17:30"],
            closed="现在是非服务时间，请拨打12345。",
        )
    clock.at = clock.at.replace(hour=hour)
    document = carrier.ask("/ivr/voice", make.sid(), To="12319")
    assert said(document) == ["您好，城管热线。" if served else "现在是非服务时间，请拨打12345。"]
    assert (document.find("Enqueue") is not None) is served
    assert (document.find("Hangup") is None) is served


@pytest.mark.parametrize("number", ["anonymous", "", "+266696687", "Restricted", "<b>", "9" * 300])
def test_withheld_and_absurd_numbers_are_answered_like_any_other(
    carrier: Carrier, call_of: CallOf, scope: Scope, number: str
) -> None:
    sid = make.sid()
    document = carrier.ask("/ivr/voice", sid, From=number)
    assert document.find("Enqueue") is not None
    with scope() as session:
        caller = session.get_one(Call, call_of(sid).id).caller
        assert (caller.phone, caller.phone_mask) == (None, "号码保密")


def test_the_same_webhook_again_gets_the_same_answer_and_adds_nothing(
    carrier: Carrier, clock: Clock, scope: Scope
) -> None:
    sid = make.sid()
    form = {"CallSid": sid, "From": make.PHONE, "To": "12345"}
    answers = []
    for token in ("one", "one", "two", ""):  # the carrier's own retry, a foreign one, one without a token
        answers.append(carrier.post("/ivr/voice", form, token=token).data)
        clock.forward(3)
    assert len(set(answers)) == 1
    with scope() as session:
        for table, rows in ((Call, 1), (CallLeg, 1), (Caller, 1)):
            assert session.scalar(select(func.count()).select_from(table)) == rows


def test_a_repeated_wait_tells_the_same_and_enters_once(carrier: Carrier, call_of: CallOf, scope: Scope) -> None:
    sid = make.sid()
    carrier.ask("/ivr/voice", sid)
    form = {"CallSid": sid, "QueuePosition": "1"}
    assert carrier.post("/ivr/wait", form).data == carrier.post("/ivr/wait", form).data
    with scope() as session:
        kinds = [event.kind for event in queries.events(session, call_of(sid).id)]
    assert kinds == [QueueKind.ENTERED]


def test_waiting_is_told_on_arrival_on_change_and_every_half_minute(carrier: Carrier, clock: Clock) -> None:
    first, second = make.sid(), make.sid()
    for sid in (first, second):
        carrier.ask("/ivr/voice", sid)
    carrier.ask("/ivr/wait", first)
    clock.forward(1)
    document = carrier.ask("/ivr/wait", second)
    assert said(document) == [twiml.AHEAD[1], twiml.INVITATION]
    heard = []
    for turn in range(1, 12):
        clock.forward(5)
        if turn == 3:
            carrier.post("/ivr/status", {"CallSid": first, "CallStatus": "completed"})
        document = carrier.ask(carrier.follow(document, "Redirect"), second)
        heard.append(said(document))
    told = [turn for turn, sentences in enumerate(heard, 1) if sentences]
    assert told == [3, 10]  # the place changed; half a minute of quiet had passed
    assert heard[2] == heard[9] == [twiml.CONNECTING]


def test_the_wait_is_told_in_the_words_that_are_recorded() -> None:
    links = twiml.Links(PUBLIC)
    facts = queries.WaitFacts(2, 100, ringing=False)
    document = twiml.waiting(facts, links, turn=0, told=-1, quiet=0)
    assert twiml.AHEAD[2] in document
    assert twiml.TWO_MINUTES in document
    assert twiml.expected(30) == twiml.UNDER_A_MINUTE
    assert twiml.expected(600) == "预计等候时间大约10分钟。"
    assert twiml.expected(7200) == "预计等候时间超过半小时。"


def test_while_an_operators_desk_rings_the_caller_is_not_talked_over() -> None:
    facts = queries.WaitFacts(0, None, ringing=True)
    assert "<Say" not in twiml.waiting(facts, twiml.Links(PUBLIC), turn=5, told=1, quiet=9)


def test_zero_is_a_person_and_other_keys_are_told_so(carrier: Carrier) -> None:
    sid = make.sid()
    carrier.ask("/ivr/voice", sid)
    waiting = carrier.ask("/ivr/wait", sid)
    action = carrier.follow(waiting, "Gather", "action")
    assert said(carrier.ask(action, sid, Digits="0")) == [twiml.CONNECTING]
    document = carrier.ask(action, sid, Digits="7")
    assert said(document) == [twiml.ZERO]
    carrier.ask(carrier.follow(document, "Redirect"), sid)


def test_hanging_up_during_the_greeting_is_a_row(carrier: Carrier, call_of: CallOf) -> None:
    sid = make.sid()
    carrier.ask("/ivr/voice", sid)
    carrier.post("/ivr/status", {"CallSid": sid, "CallStatus": "completed", "SequenceNumber": "1"})
    assert (call_of(sid).state, call_of(sid).outcome) == (CallState.ENDED, Outcome.ABANDONED_GREETING)


def test_the_end_told_before_the_beginning_stays_the_end(carrier: Carrier, call_of: CallOf) -> None:
    sid = make.sid()
    carrier.post("/ivr/status", {"CallSid": sid, "CallStatus": "completed", "From": make.PHONE, "To": "12345"})
    carrier.ask("/ivr/voice", sid)
    carrier.ask("/ivr/wait", sid)
    assert (call_of(sid).state, call_of(sid).outcome) == (CallState.ENDED, Outcome.ABANDONED_GREETING)


def test_hanging_up_in_the_queue_is_an_abandoned_call(carrier: Carrier, call_of: CallOf) -> None:
    sid = make.sid()
    carrier.ask("/ivr/voice", sid)
    waiting = carrier.ask("/ivr/wait", sid)
    assert waiting is not None
    document = carrier.ask("/ivr/after-queue", sid, QueueResult="hangup", CallStatus="completed")
    assert list(document) == []
    assert call_of(sid).outcome == Outcome.ABANDONED


@pytest.mark.parametrize("result", ["error", "system-error", "queue-full", "leave", ""])
def test_a_queue_that_let_go_of_the_caller_takes_them_again(carrier: Carrier, result: str) -> None:
    sid = make.sid()
    carrier.ask("/ivr/voice", sid)
    document = carrier.ask("/ivr/after-queue", sid, QueueResult=result)
    assert said(document) == [twiml.APOLOGY]
    assert document.find("Enqueue") is not None


def test_from_the_queue_to_the_person_to_the_thanks(
    carrier: Carrier, scope: Scope, call_of: CallOf, clock: Clock, telephony: SimulatedTelephony, runtime: Runtime
) -> None:
    sid = make.sid()
    with scope() as session:
        who = make.ready(session, now=clock())
    carrier.ask("/ivr/voice", sid)
    carrier.ask("/ivr/wait", sid)  # entering the queue makes the offer
    with scope() as session:
        call = queries.in_hand(session, who)
        assert call is not None and call.provider_id == sid
        taken = assignment.accept(session, actor=who, call_id=call.id, desk="desk-1", now=clock())
    assert _connect(carrier, runtime, taken.message_id)
    line = next(iter(telephony.lines.values()))
    assert (line.to, line.caller_id) == ("client:seat07", "12345")
    assert telephony.redirects == [(sid, f"{PUBLIC}/ivr/bridge")]

    document = carrier.ask("/ivr/after-queue", sid, QueueResult="redirected")
    assert list(document) == []
    bridge = carrier.ask("/ivr/bridge", sid)
    room = next(bridge.iter("Conference"))
    assert room.get("endConferenceOnExit") == "true"
    operator = carrier.ask(line.url.removeprefix(PUBLIC), line.provider_id)
    assert next(operator.iter("Conference")).text == room.text
    assert next(operator.iter("Stream")).get("track") == "inbound_track"
    joined = {"CallSid": line.provider_id, "StatusCallbackEvent": "participant-join", "SequenceNumber": "2"}
    assert carrier.post("/ivr/conference", joined).status_code == 200

    clock.forward(60)
    with scope() as session:
        service.resolve(session, call_id=call.id, outcome="answered", actor=who, now=clock())
        message_id = service.end_call(session, call_id=call.id, actor=who, now=clock())
    assert message_id is not None
    _connect(carrier, runtime, message_id)
    assert telephony.hung_up == [line.provider_id]
    document = carrier.ask(carrier.follow(bridge, "Dial", "action"), sid, DialCallStatus="completed")
    assert said(document) == [twiml.THANKS]
    assert document[-1].tag == "Hangup"
    carrier.post("/ivr/status", {"CallSid": sid, "CallStatus": "completed"})
    assert (call_of(sid).state, call_of(sid).outcome) == (CallState.ENDED, Outcome.ANSWERED_ON_SPOT)
    with scope() as session:
        kinds = [event.kind for event in queries.events(session, call.id)]
    assert kinds == ["entered", "offered", "answered", "connected", "ended"]


def _connect(carrier: Carrier, runtime: Runtime, message_id: int) -> bool:
    with carrier.client.application.app_context():
        done = switchboard.act_now(message_id)
        return done is not None and done.ok


def test_a_caller_whose_operator_vanished_is_sorry_for_and_first_in_line(
    carrier: Carrier, scope: Scope, call_of: CallOf, clock: Clock
) -> None:
    sid = make.sid()
    carrier.ask("/ivr/voice", sid)
    call_id = call_of(sid).id
    with scope() as session:
        who = make.ready(session, now=clock())
        service.enter_queue(session, call_id=call_id, now=clock())
        offer = assignment.offer_next(session, now=clock())
        assert offer is not None
        taken = assignment.accept(session, actor=who, call_id=offer.call_id, desk="desk-1", now=clock())
        service.operator_answered(session, leg_id=taken.leg_id, provider_id=make.sid(), now=clock())
    document = carrier.ask("/ivr/after-call", sid, DialCallStatus="completed")
    assert said(document) == [twiml.APOLOGY]
    assert document.find("Enqueue") is not None
    assert call_of(sid).state == CallState.WAITING
    waiting = carrier.ask("/ivr/wait", sid)
    assert said(waiting)[0] == twiml.CONNECTING


def test_a_caller_fetched_from_the_queue_too_late_goes_back_there(carrier: Carrier) -> None:
    sid = make.sid()
    carrier.ask("/ivr/voice", sid)
    carrier.ask("/ivr/wait", sid)
    document = carrier.ask("/ivr/bridge", sid)  # the operator's line has failed meanwhile
    assert document.find("Enqueue") is not None


def test_an_operators_line_for_a_call_that_is_over_is_hung_up(carrier: Carrier, scope: Scope, clock: Clock) -> None:
    with scope() as session:
        who = make.ready(session, now=clock())
        call, taken = make.accepted(session, who, now=clock())
        service.caller_gone(session, provider_id=call.provider_id, now=clock())
    document = carrier.ask(f"/ivr/operator?leg={taken.leg_id}", make.sid())
    assert [element.tag for element in document] == ["Hangup"]
