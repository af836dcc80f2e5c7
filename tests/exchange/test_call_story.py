"""A whole call: greeting, queue, waiting, an operator, two people who hear each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange import Exchange

from .application import Application, until
from .conftest import NUMBER, call, ended, likeness, rest, rules


@pytest.fixture
def hotline(application: Application) -> Application:
    application.answer(
        "/ivr/voice", '<Say>您好，这里是热线。</Say><Enqueue waitUrl="/wait" action="/left">12345</Enqueue>'
    )
    application.answer("/wait", '<Say>请稍候。</Say><Pause length="1"/>')
    application.answer(
        "/bridge",
        '<Dial action="/after"><Conference endConferenceOnExit="true" beep="false" statusCallback="/room" '
        'statusCallbackEvent="start end join leave">C1</Conference></Dial>',
    )
    application.answer("/operator", '<Dial><Conference beep="false" endConferenceOnExit="true">C1</Conference></Dial>')
    return application


def test_a_citizen_waits_and_then_talks_with_an_operator(
    exchange: Exchange, hotline: Application, sounds: Path
) -> None:
    rules(
        exchange,
        {
            "address": "client:*",
            "answer_after_s": 0.1,
            "script": [{"wait_for": "talking"}, {"say_wav": "operator.wav"}, {"wait_s": 5}],
        },
    )
    citizen = call(
        exchange,
        {"wait_for": {"peer_silent_s": 0.4}},
        {"say_wav": "citizen.wav"},
        {"wait_s": 0.3},
        {"hang_up": True},
    )
    until(lambda: len(hotline.seen("/wait")) > 1, what="the wait document a second time")
    assert rest(exchange, f"/Calls/{citizen.sid}.json", Url=f"{hotline.url}/bridge").status_code == 200
    made = rest(exchange, "/Calls.json", To="client:seat07", From=NUMBER, Url=f"{hotline.url}/operator")
    operator = exchange.board.calls[made.json()["sid"]]
    ended(citizen)
    ended(operator)

    assert likeness(bytes(citizen.heard), sounds / "operator.wav") > 0.99
    assert likeness(bytes(operator.heard), sounds / "citizen.wav") > 0.99
    assert likeness(bytes(citizen.heard), sounds / "citizen.wav") < 0.2, "nobody hears himself"
    assert citizen.timeline.texts("said") == operator.timeline.texts("peer") == ["路灯坏了"]
    first, second = hotline.seen("/wait")[:2]
    assert first.params["QueuePosition"] == "1"
    assert first.params["CurrentQueueSize"] == "1"
    assert int(second.params["QueueTime"]) >= 1
    assert first.params["QueueSid"].startswith("QU")
    assert [one.params["QueueResult"] for one in hotline.seen("/left")] == ["redirected"]
    assert hotline.seen("/ivr/voice")[0].params["CallStatus"] == "ringing"
    told = until(lambda: hotline.seen("/ivr/status"), what="the end of the call")[0].params
    assert told["CallStatus"] == "completed"
    assert int(told["CallDuration"]) >= 1
    assert told["CallbackSource"] == "call-progress-events"


def test_a_conference_tells_its_story_in_order(exchange: Exchange, hotline: Application) -> None:
    rules(exchange, {"address": "client:*", "script": [{"wait_for": "talking"}, {"wait_s": 0.2}]})
    hotline.answer("/ivr/voice", hotline.replies["/bridge"])
    citizen = call(exchange, {"wait_for": "talking"}, {"wait_s": 0.2}, {"hang_up": True})
    until(lambda: citizen.room, what="the citizen in the room")
    made = rest(exchange, "/Calls.json", To="client:seat07", From=NUMBER, Url=f"{hotline.url}/operator").json()
    ended(citizen)
    until(lambda: len(hotline.seen("/room")) >= 6, what="six events")
    events = [one.params for one in hotline.seen("/room")]
    assert [event["StatusCallbackEvent"] for event in events] == [
        "participant-join",
        "participant-join",
        "conference-start",
        "participant-leave",
        "participant-leave",
        "conference-end",
    ]
    assert [int(event["SequenceNumber"]) for event in events] == [1, 2, 3, 4, 5, 6]
    assert events[1]["CallSid"] == made["sid"]
    assert events[-1]["ReasonConferenceEnded"] == "participant-with-end-conference-on-exit-left"
    assert events[-1]["CallSidEndingConference"] == citizen.sid


def test_leaving_the_queue_asks_the_action(exchange: Exchange, hotline: Application) -> None:
    hotline.answer("/wait", '<Gather numDigits="1" timeout="5" action="/out"><Say>按一留下号码</Say></Gather>')
    hotline.answer("/out", "<Leave/>")
    hotline.answer("/left", "<Say>再见</Say>")
    citizen = ended(call(exchange, {"wait_for": "digits_prompt"}, {"press": "1"}))
    outcome = hotline.seen("/left")[0].params
    assert outcome["QueueResult"] == "leave"
    assert outcome["QueueTime"] == "0"
    assert citizen.timeline.texts("caption")[-1] == "再见"


def test_hanging_up_in_the_queue_is_told_to_the_action(exchange: Exchange, hotline: Application) -> None:
    ended(call(exchange, {"wait_for": "请稍候"}, {"hang_up": True}))
    until(lambda: hotline.seen("/left"), what="the action")
    assert hotline.seen("/left")[0].params["QueueResult"] == "hangup"


def test_a_fault_in_the_wait_document_goes_to_the_action_as_error(exchange: Exchange, hotline: Application) -> None:
    hotline.answer("/wait", "<Dial>+8619900005678</Dial>")
    citizen = ended(call(exchange))
    assert hotline.seen("/left")[0].params["QueueResult"] == "error"
    assert any("<Dial> is not allowed in the waitUrl of <Enqueue>" in text for text in citizen.timeline.texts("error"))


def test_a_document_that_ends_with_a_stream_ends_the_call(exchange: Exchange, hotline: Application) -> None:
    hotline.answer("/ivr/voice", f'<Start><Stream url="{hotline.url.replace("http", "wss")}/media"/></Start>')
    assert ended(call(exchange)).status == "completed"


def test_a_rejected_call_never_opens(exchange: Exchange, hotline: Application) -> None:
    hotline.answer("/ivr/voice", '<Reject reason="busy"/>')
    citizen = ended(call(exchange))
    assert citizen.status == "busy"
    assert citizen.answered is None


def test_hanging_up_during_the_greeting_is_a_completed_call(exchange: Exchange, hotline: Application) -> None:
    hotline.answer("/ivr/voice", '<Say loop="0">您好，这里是热线。</Say>')
    assert ended(call(exchange, {"wait_s": 0.3}, {"hang_up": True})).status == "completed"
