"""`<Dial>`: telephones, clients, queues; who answers, who hears what, and what the action is told."""

from __future__ import annotations

from pathlib import Path

from exchange import Exchange

from .application import Application, until
from .conftest import call, ended, likeness, rest, rules

OTHER = "+8619900005678"


def dial(application: Application, inside: str, attributes: str = "") -> None:
    application.answer("/ivr/voice", f'<Dial action="/after" {attributes}>{inside}</Dial>')


def test_two_telephones_hear_each_other_after_a_whisper(
    exchange: Exchange, application: Application, sounds: Path
) -> None:
    dial(
        application,
        f'<Number url="/whisper" statusCallback="/progress" statusCallbackEvent="initiated ringing answered completed">'
        f"{OTHER}</Number>",
        'callerId="12345"',
    )
    application.answer("/whisper", "<Say>请稍候。</Say>")
    rules(
        exchange,
        {"address": OTHER, "answer_after_s": 0.1, "script": [{"wait_for": "bridged"}, {"say_wav": "operator.wav"}]},
    )
    caller = call(exchange, {"wait_for": {"peer_silent_s": 0.3}}, {"say_wav": "citizen.wav"}, {"hang_up": True})
    ended(caller)
    child = next(leg for leg in exchange.board.calls.values() if leg.parent is caller)
    ended(child)
    assert child.from_ == "12345"
    assert child.timeline.texts("caption") == ["请稍候。"]
    assert caller.timeline.texts("caption") == [], "the whisper is for the called side"
    assert likeness(bytes(caller.heard), sounds / "operator.wav") > 0.99
    assert likeness(bytes(child.heard), sounds / "citizen.wav") > 0.99
    until(lambda: len(application.seen("/progress")) == 4 and application.seen("/after"), what="callbacks")
    told = [one.params for one in application.seen("/progress")]
    assert [one["CallStatus"] for one in told] == ["initiated", "ringing", "in-progress", "completed"]
    assert {one["ParentCallSid"] for one in told} == {caller.sid}
    after = application.seen("/after")[0].params
    assert after["DialCallStatus"] == "completed"
    assert after["DialBridged"] == "true"
    assert after["DialCallSid"] == child.sid


def test_when_the_called_side_hangs_up_the_call_goes_on(exchange: Exchange, application: Application) -> None:
    dial(application, "<Client>seat07</Client>")
    application.answer("/after", "<Say>请稍候。</Say>")
    rules(exchange, {"address": "client:*", "script": [{"wait_for": "talking"}, {"hang_up": True}]})
    caller = ended(call(exchange))
    assert caller.timeline.texts("caption") == ["请稍候。"]
    assert int(application.seen("/after")[0].params["DialCallDuration"]) >= 0


def test_busy_and_no_answer_are_told(exchange: Exchange, application: Application) -> None:
    rules(exchange, {"address": OTHER, "busy": True}, {"address": "client:*", "no_answer": True})
    dial(application, f"<Number>{OTHER}</Number>")
    ended(call(exchange))
    dial(application, "<Client>seat07</Client>", 'timeout="1"')
    ended(call(exchange))
    assert [one.params["DialCallStatus"] for one in application.seen("/after")] == ["busy", "no-answer"]


def test_the_first_to_answer_wins_and_the_others_stop_ringing(exchange: Exchange, application: Application) -> None:
    rules(
        exchange,
        {"address": "client:quick", "answer_after_s": 0.1, "script": [{"wait_for": "talking"}, {"hang_up": True}]},
        {"address": "client:slow", "answer_after_s": 20},
    )
    dial(application, "<Client>slow</Client><Client>quick</Client>")
    ended(call(exchange))
    statuses = {leg.to: leg.status for leg in exchange.board.calls.values() if leg.parent}
    assert statuses == {"client:slow": "canceled", "client:quick": "completed"}


def test_a_caller_who_gives_up_cancels_the_ringing(exchange: Exchange, application: Application) -> None:
    dial(application, "<Client>seat07</Client>")
    ended(call(exchange, {"wait_s": 0.3}, {"hang_up": True}))
    child = next(leg for leg in exchange.board.calls.values() if leg.parent)
    assert ended(child).status == "canceled"
    until(lambda: application.seen("/after"), what="the action")
    assert application.seen("/after")[0].params["DialCallStatus"] == "canceled"


def test_a_redirect_ends_the_dial_and_frees_the_other(exchange: Exchange, application: Application) -> None:
    dial(application, "<Client>seat07</Client>")
    rules(exchange, {"address": "client:*", "answer_after_s": 0})
    caller = call(exchange)
    until(lambda: caller.talking, what="talk")
    rest(exchange, f"/Calls/{caller.sid}.json", Twiml="<Response><Say>请稍候。</Say></Response>")
    assert ended(caller).timeline.texts("caption") == ["请稍候。"]
    assert ended(next(leg for leg in exchange.board.calls.values() if leg.parent)).status == "completed"
    assert application.seen("/after") == []


def test_the_called_side_can_be_sent_elsewhere(exchange: Exchange, application: Application) -> None:
    dial(application, "<Client>seat07</Client>")
    application.answer("/after", "<Say>请稍候。</Say>")
    rules(exchange, {"address": "client:*", "answer_after_s": 0})
    caller = call(exchange)
    until(lambda: caller.talking, what="talk")
    child = next(leg for leg in exchange.board.calls.values() if leg.parent)
    rest(exchange, f"/Calls/{child.sid}.json", Twiml="<Response><Say>您好，这里是热线。</Say></Response>")
    assert ended(caller).timeline.texts("caption") == ["请稍候。"]
    assert ended(child).timeline.texts("caption") == ["您好，这里是热线。"]


def test_a_queue_gives_its_longest_waiting_caller(exchange: Exchange, application: Application, sounds: Path) -> None:
    application.answer("/ivr/voice", '<Enqueue waitUrl="/wait" action="/left">q</Enqueue>')
    application.answer("/wait", '<Say>请稍候。</Say><Pause length="5"/>')
    application.answer("/take", '<Dial action="/after"><Queue url="/told">q</Queue></Dial>')
    application.answer("/told", "<Say>您好，这里是热线。</Say>")
    rules(exchange, {"address": "client:*", "script": [{"wait_for": "talking"}, {"say_wav": "operator.wav"}]})
    first = call(exchange, {"wait_for": {"peer_silent_s": 0.3}}, {"hang_up": True})
    until(lambda: "请稍候。" in first.timeline.texts("caption"), what="waiting")
    second = call(exchange)
    until(lambda: "请稍候。" in second.timeline.texts("caption"), what="waiting")
    rest(exchange, "/Calls.json", To="client:seat07", From="12345", Url=f"{application.url}/take")
    ended(first)
    assert first.timeline.texts("caption") == ["请稍候。", "您好，这里是热线。"]
    assert likeness(bytes(first.heard), sounds / "operator.wav") > 0.99
    assert not second.over
    until(lambda: application.seen("/after") and application.seen("/left"), what="both actions")
    assert application.seen("/after")[0].params["DequeueResult"] == "bridged"
    assert application.seen("/after")[0].params["DequeuedCallSid"] == first.sid
    second.finish()
    ended(second)


def test_an_unknown_queue_is_an_error_for_the_action(exchange: Exchange, application: Application) -> None:
    dial(application, "<Queue>nobody</Queue>")
    ended(call(exchange))
    assert application.seen("/after")[0].params["DequeueResult"] == "error"


def test_a_number_that_cannot_be_called_is_named(exchange: Exchange, application: Application) -> None:
    dial(application, f"<Number>{OTHER}</Number><Number>110</Number>")
    application.answer("/ivr/fallback", "<Hangup/>")
    leg = ended(call(exchange))
    assert "12200: <Number> '110' cannot be called" in leg.timeline.texts("error")
    assert len(exchange.board.calls) == 1, "nobody was rung"


def test_a_conference_waits_with_its_document_and_refuses_other_verbs(
    exchange: Exchange, application: Application
) -> None:
    dial(application, '<Conference waitUrl="/music" startConferenceOnEnter="false">c</Conference>')
    application.answer("/music", '<Gather numDigits="1"/>')
    leg = call(exchange)
    until(lambda: leg.timeline.texts("error"), what="the error")
    assert "13238" in leg.timeline.texts("error")[0]
    assert not leg.over, "the conference itself is not at fault"
    application.answer("/music", "<Say>请稍候。</Say>")
    again = call(exchange)
    until(lambda: again.timeline.texts("caption").count("请稍候。") > 1, what="the music twice")
    assert again.room is not None
    assert not again.room.mixing, "nobody in it may start it"
