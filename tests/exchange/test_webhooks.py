"""Signed requests, the budget, the one retry, the fallback."""

from __future__ import annotations

import socket
import threading

from flask import Response

from exchange import Exchange, Number
from exchange.twiml.run import SORRY

from .application import Application, twiml, until
from .conftest import NUMBER, Start, call, ended, rest, rules


def test_a_call_is_announced_as_the_provider_does(exchange: Exchange, application: Application) -> None:
    application.answer("/ivr/voice", "<Hangup/>")
    leg = ended(call(exchange))
    seen = application.seen("/ivr/voice")[0]
    assert seen.method == "POST"
    assert seen.params | {"From": leg.from_, "To": NUMBER, "Caller": leg.from_, "Called": NUMBER} == seen.params
    assert seen.params["CallSid"] == leg.sid
    assert seen.params["AccountSid"] == leg.account_sid
    assert seen.params["Direction"] == "inbound"
    assert seen.params["ApiVersion"] == "2010-04-01"
    assert seen.params["FromCity"] == ""
    assert seen.token


def test_a_get_is_signed_over_its_query(exchange: Exchange, application: Application) -> None:
    application.answer("/ivr/voice", '<Redirect method="GET">/next?say=%E4%BD%A0%E5%A5%BD&amp;a=1</Redirect>')
    ended(call(exchange))
    seen = application.seen("/next")[0]
    assert seen.method == "GET"
    assert seen.params["say"] == "你好"
    assert seen.genuine


def test_a_withheld_number_is_the_providers_number_for_it(exchange: Exchange, application: Application) -> None:
    ended(call(exchange, from_="anonymous"))
    assert application.seen("/ivr/voice")[0].params["From"] == "+266696687"


def test_slow_answers_end_at_the_budget_and_go_to_the_fallback(start: Start, application: Application) -> None:
    exchange = start(webhook_budget_s=0.5)
    free = threading.Event()

    def slow(params: dict[str, str]) -> str:
        free.wait(5)
        return "<Hangup/>"

    application.answer("/ivr/voice", slow)
    application.answer("/ivr/fallback", "<Say>正在为您转接。</Say>")
    leg = ended(call(exchange))
    free.set()
    assert leg.timeline.texts("caption") == ["正在为您转接。"]
    told = application.seen("/ivr/fallback")[0].params
    assert told["ErrorCode"] == "11200"
    assert told["ErrorUrl"] == f"{application.url}/ivr/voice"
    assert len(application.seen("/ivr/voice")) == 1, "a time-out is not retried"


def test_a_broken_connection_is_tried_once_more_with_the_same_token(start: Start, application: Application) -> None:
    tokens = []
    with socket.create_server(("127.0.0.1", 0)) as door:

        def slam() -> None:
            for _ in range(2):
                visitor, _ = door.accept()
                with visitor:
                    head = visitor.recv(65536).decode("latin-1")
                tokens.extend(line for line in head.split("\r\n") if line.startswith("I-Twilio-Idempotency-Token"))

        slamming = threading.Thread(target=slam)
        slamming.start()
        broken = f"http://127.0.0.1:{door.getsockname()[1]}"
        number = Number(voice_url=f"{broken}/voice", voice_fallback_url=f"{application.url}/ivr/fallback")
        exchange = start(numbers={NUMBER: number})
        application.answer("/ivr/fallback", "<Hangup/>")
        ended(call(exchange))
        slamming.join()
    assert len(tokens) == 2
    assert tokens[0] == tokens[1]
    assert application.seen("/ivr/fallback")[0].params["ErrorCode"] == "11205"


def test_when_the_fallback_fails_too_the_caller_is_told(exchange: Exchange, application: Application) -> None:
    application.answer("/ivr/voice", Response("broken", 500))
    application.answer("/ivr/fallback", Response("broken", 503))
    leg = ended(call(exchange))
    assert leg.timeline.texts("caption") == [SORRY]
    assert len(application.seen("/ivr/fallback")) == 1
    assert leg.status == "completed"


def test_an_unknown_verb_is_named_and_goes_to_the_fallback(exchange: Exchange, application: Application) -> None:
    application.answer("/ivr/voice", "<Say>您好，这里是热线。</Say><Sing>啦</Sing>")
    application.answer("/ivr/fallback", "<Hangup/>")
    leg = ended(call(exchange))
    assert application.seen("/ivr/fallback")[0].params["ErrorCode"] == "12200"
    assert "12200: <Sing> is an unknown verb in <Response>" in leg.timeline.texts("error")
    assert leg.timeline.texts("caption") == [], "a document with a fault is not begun"


def test_html_without_twiml_and_wrong_types_are_faults(exchange: Exchange, application: Application) -> None:
    application.answer("/ivr/voice", Response("{}", mimetype="application/json"))
    application.answer("/ivr/fallback", "<Hangup/>")
    ended(call(exchange))
    assert application.seen("/ivr/fallback")[0].params["ErrorCode"] == "12300"


def test_redirections_are_followed_and_signed_anew(exchange: Exchange, application: Application) -> None:
    application.answer("/ivr/voice", Response("", 302, headers={"Location": "/moved"}))
    application.answer("/moved", "<Say>请稍候。</Say>")
    assert ended(call(exchange)).timeline.texts("caption") == ["请稍候。"]
    assert application.seen("/moved")[0].method == "GET"


def test_progress_of_an_outgoing_call_is_told_in_order(exchange: Exchange, application: Application) -> None:
    rules(exchange, {"address": "+86*", "answer_after_s": 0.1})
    form = {
        "To": "+8619900005678",
        "From": NUMBER,
        "Twiml": "<Response><Say>请稍候。</Say></Response>",
        "StatusCallback": f"{application.url}/progress",
        "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
    }
    made = rest(exchange, "/Calls.json", **form).json()
    until(lambda: len(application.seen("/progress")) == 4, what="four callbacks")
    told = [one.params for one in application.seen("/progress")]
    assert [one["CallStatus"] for one in told] == ["initiated", "ringing", "in-progress", "completed"]
    assert [one["SequenceNumber"] for one in told] == ["0", "1", "2", "3"]
    assert {one["CallSid"] for one in told} == {made["sid"]}
    assert told[0]["Direction"] == "outbound-api"


def test_a_play_that_cannot_be_had_is_silence_with_a_named_error(exchange: Exchange, application: Application) -> None:
    application.answer("/ivr/voice", "<Play>/sound.wav</Play><Say>请稍候。</Say>")
    application.answer("/sound.wav", Response("not sound", mimetype="audio/wav"))
    leg = ended(call(exchange))
    assert any("not a WAV file" in text for text in leg.timeline.texts("error"))
    assert leg.timeline.texts("caption")[-1] == "请稍候。"


def test_a_play_is_heard(start: Start, application: Application, sounds) -> None:
    from .conftest import likeness

    exchange = start(speak_speed=1.0)
    application.answer("/ivr/voice", "<Play>/sound.wav</Play>")
    application.answer("/sound.wav", Response((sounds / "operator.wav").read_bytes(), mimetype="audio/wav"))
    assert likeness(bytes(ended(call(exchange)).heard), sounds / "operator.wav") > 0.99


def test_an_endless_circle_of_faults_ends(exchange: Exchange, application: Application) -> None:
    application.answer("/ivr/voice", Response("broken", 500))
    application.answer("/ivr/fallback", twiml("<Redirect>/ivr/voice</Redirect>"))
    leg = ended(call(exchange))
    assert leg.timeline.texts("caption") == [SORRY]
    assert len(application.seen("/ivr/fallback")) <= 5
