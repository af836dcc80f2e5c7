"""Every field of every webhook of whole calls is one the provider documents, and those it promises are there."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

import pytest
import requests

from exchange import Exchange
from exchange.leg import Leg

from . import webhook_fields as documented
from .application import Application, Seen, until
from .conftest import CALLER, NUMBER, call, ended, rest, rules

OFFICER = "+8619900005678"
KINDS = {
    "/ivr/voice": documented.VOICE,
    "/ivr/fallback": documented.FALLBACK,
    "/ivr/status": documented.CALL_PROGRESS,
    "/ivr/message": documented.MESSAGE,
    "/keyed": documented.GATHERED,
    "/wait": documented.WAITING,
    "/left": documented.LEFT_QUEUE,
    "/bridge": documented.VOICE,
    "/operator": documented.VOICE,
    "/after-talk": documented.AFTER_CONFERENCE,
    "/room": documented.CONFERENCE,
    "/progress": documented.CALL_PROGRESS,
    "/stream": documented.STREAM,
    "/dialled": documented.DIALLED,
    "/whisper": documented.VOICE,
    "/child": documented.CALL_PROGRESS,
    "/fetch": documented.VOICE,
    "/fetched": documented.FETCHED,
    "/after-fetch": documented.AFTER_QUEUE,
    "/sms": documented.MESSAGE_STATUS,
}
"""What the application below has at each of its addresses."""
EVENT = {
    documented.CALL_PROGRESS.source: "CallStatus",
    documented.CONFERENCE.source: "StatusCallbackEvent",
    documented.STREAM.source: "StreamEvent",
    documented.MESSAGE_STATUS.source: "MessageStatus",
}
ALL_PROGRESS = ["initiated", "ringing", "answered", "completed"]


def faults(seen: Seen) -> list[str]:
    kind = KINDS[seen.path]
    event = seen.params.get(EVENT.get(kind.source, ""), "")
    return [f"{seen.path} {event}: {fault} ({kind.source})" for fault in kind.faults(seen.params, event)]


@pytest.fixture
def hotline(application: Application) -> Application:
    socket = application.url.replace("http", "wss") + "/media"
    application.answer(
        "/ivr/voice",
        f'<Start><Stream name="leg" url="{socket}" statusCallback="/stream"/></Start>'
        '<Gather numDigits="1" action="/keyed"><Say>请按键。</Say></Gather>',
    )
    application.answer("/keyed", '<Enqueue waitUrl="/wait" action="/left">12345</Enqueue>')
    application.answer("/wait", '<Pause length="1"/>')
    application.answer(
        "/bridge",
        '<Dial action="/after-talk"><Conference beep="false" participantLabel="citizen" statusCallback="/room" '
        'statusCallbackEvent="start end join leave mute hold modify">C1</Conference></Dial>',
    )
    application.answer(
        "/operator",
        '<Dial><Conference beep="false" participantLabel="seat" endConferenceOnExit="true">C1</Conference></Dial>',
    )
    application.answer("/fetch", '<Dial action="/after-fetch"><Queue url="/fetched">12345</Queue></Dial>')
    return application


def waiting(exchange: Exchange, hotline: Application, from_: str = CALLER) -> Leg:
    """A citizen who has pressed a key and waits."""
    leg = call(exchange, {"wait_for": "digits_prompt"}, {"press": "1"}, {"wait_s": 60}, from_=from_)
    until(lambda: any(one.params["CallSid"] == leg.sid for one in hotline.seen("/wait")), what="the wait document")
    return leg


def ring(exchange: Exchange, to: str, url: str, **given: object) -> Leg:
    """The application calls somebody and hears of every step."""
    made = rest(
        exchange,
        "/Calls.json",
        To=to,
        From=NUMBER,
        Url=url,
        StatusCallback=url.rpartition("/")[0] + "/progress",
        StatusCallbackEvent=ALL_PROGRESS,
        **given,
    )
    return exchange.board.calls[made.json()["sid"]]


def conference_of(exchange: Exchange) -> str:
    return exchange.board.conferences.all()[-1].sid


def test_every_field_sent_is_documented_and_every_promised_one_is_sent(
    exchange: Exchange, hotline: Application
) -> None:
    rules(
        exchange,
        {"address": "client:busy", "busy": True},
        {"address": "+8619900000000", "undeliverable": True},
        {"address": "client:*", "answer_after_s": 0.05, "script": [{"wait_s": 60}]},
        {"address": OFFICER, "answer_after_s": 0.05, "script": [{"wait_s": 60}]},
    )
    talk_in_a_conference(exchange, hotline)
    fetched_from_the_queue(exchange, hotline)
    dialled_through(exchange, hotline)
    gone_wrong(exchange, hotline)
    messages_both_ways(exchange, hotline)

    assert {one.path for one in hotline.requests} == set(KINDS), "each kind of webhook came"
    assert [fault for one in hotline.requests for fault in faults(one)] == []
    values_are_the_providers(hotline)
    frames_are_the_providers(hotline)


def talk_in_a_conference(exchange: Exchange, hotline: Application) -> None:
    citizen = waiting(exchange, hotline)
    rest(exchange, f"/Calls/{citizen.sid}.json", Url=f"{hotline.url}/bridge")
    until(lambda: citizen.room, what="the citizen in the room")
    operator = ring(exchange, "client:seat07", f"{hotline.url}/operator")
    until(lambda: citizen.talking, what="the talk")
    inside = f"/Conferences/{conference_of(exchange)}/Participants"
    for change in ({"Hold": "true"}, {"Hold": "false"}, {"Muted": "true"}, {"Muted": "false"}):
        assert rest(exchange, f"{inside}/{citizen.sid}.json", **change).status_code == 200
    coach = {"Coaching": "true", "CallSidToCoach": operator.sid}
    assert rest(exchange, f"{inside}/{citizen.sid}.json", **coach).status_code == 200
    exchange.board.hang_up(operator)
    ended(citizen)
    until(lambda: hotline.seen("/ivr/status") and hotline.seen("/after-talk"), what="the end told")
    until(lambda: len(hotline.seen("/stream")) == 2, what="the stream's end told")


def fetched_from_the_queue(exchange: Exchange, hotline: Application) -> None:
    citizen = waiting(exchange, hotline)
    officer = ring(exchange, "client:seat08", f"{hotline.url}/fetch")
    until(lambda: citizen.room and officer.room, what="the two together")
    exchange.board.hang_up(citizen)
    ended(officer)
    until(lambda: hotline.seen("/after-fetch"), what="the action of the dial")


def dialled_through(exchange: Exchange, hotline: Application) -> None:
    told = f'statusCallback="/child" statusCallbackEvent="{" ".join(ALL_PROGRESS)}"'
    hotline.answer("/keyed", f'<Dial action="/dialled"><Number url="/whisper" {told}>{OFFICER}</Number></Dial>')
    hotline.answer("/whisper", "<Say>请接听。</Say>")
    citizen = call(exchange, {"wait_for": "digits_prompt"}, {"press": "1#"}, {"wait_s": 60})
    until(lambda: citizen.room and len(citizen.room.members) == 2, what="the two together")
    exchange.board.hang_up(next(leg for leg in exchange.board.calls.values() if leg.parent is citizen))
    ended(citizen)
    until(lambda: len(hotline.seen("/child")) == len(ALL_PROGRESS), what="each step of the dialled call")


def gone_wrong(exchange: Exchange, hotline: Application) -> None:
    """Nobody there, nobody wanted, a stream that leads nowhere, a document that is none."""
    busy = ring(exchange, "client:busy", f"{hotline.url}/operator")
    canceled = ring(exchange, CALLER, f"{hotline.url}/operator")
    until(lambda: canceled.status == "ringing", what="the ringing")
    exchange.board.hang_up(canceled)
    ended(busy)
    nowhere = '<Start><Stream url="wss://127.0.0.1:9/media" statusCallback="/stream"/></Start>'
    hotline.answer("/ivr/voice", f'{nowhere}<Pause length="1"/><Sing/>')
    hotline.answer("/ivr/fallback", f'{nowhere}<Pause length="1"/>')
    ended(call(exchange))
    until(lambda: any("StreamError" in one.params for one in hotline.seen("/stream")), what="the lost stream told")
    until(lambda: {"busy", "canceled"} <= {one.params["CallStatus"] for one in hotline.seen("/progress")}, what="both")


def messages_both_ways(exchange: Exchange, hotline: Application) -> None:
    for to in (CALLER, "+8619900000000"):
        rest(
            exchange, "/Messages.json", To=to, From=NUMBER, Body="您的诉求已受理。", StatusCallback=f"{hotline.url}/sms"
        )
    given = {"from": CALLER, "to": NUMBER, "body": "满意"}
    assert requests.post(f"{exchange.url}/lab/messages", json=given, timeout=5).status_code == 201
    until(lambda: hotline.seen("/ivr/message") and len(hotline.seen("/sms")) == 4, what="messages told")


def values_are_the_providers(hotline: Application) -> None:
    room = [one.params for one in hotline.seen("/room")]
    assert {one["ReasonParticipantLeft"] for one in room if "ReasonParticipantLeft" in one} <= documented.REASONS_LEFT
    assert {one["ReasonConferenceEnded"] for one in room if "ReasonConferenceEnded" in one} <= documented.REASONS_ENDED
    assert room[-1]["ParticipantLabelEndingConference"] == "seat"
    assert {one.params["QueueResult"] for one in hotline.seen("/left")} <= documented.QUEUE_RESULTS
    for path in ("/progress", "/room", "/ivr/status", "/child"):
        assert all(parsedate_to_datetime(one.params["Timestamp"]).tzinfo for one in hotline.seen(path))
    assert all(datetime.fromisoformat(one.params["Timestamp"]).tzinfo for one in hotline.seen("/stream"))
    told = [one.params["MessageStatus"] for one in hotline.seen("/sms")]
    assert "queued" not in told, "the first status is in the answer to the request, no callback tells it"


def frames_are_the_providers(hotline: Application) -> None:
    messages = [message for socket in hotline.sockets for message in socket.messages]
    assert {message["event"] for message in messages} >= {"connected", "start", "media", "stop", "dtmf"}
    for message in messages:
        event = message["event"]
        assert set(message) == documented.FRAMES[event]
        assert set(message.get(event, ())) == documented.WITHIN.get(event, set())


@pytest.mark.parametrize(
    ("kind", "sent", "event", "fault"),
    [
        (documented.STREAM, "CallStatus", "stream-started", "CallStatus is on no page"),
        (documented.STREAM, "StreamError", "stream-started", "StreamError is not sent with stream-started"),
        (documented.CONFERENCE, "Muted", "conference-start", "Muted is not sent with conference-start"),
        (documented.CALL_PROGRESS, "Duration", "busy", "Duration is not sent with busy"),
    ],
)
def test_what_does_not_belong_is_noticed(kind: documented.Fields, sent: str, event: str, fault: str) -> None:
    due = kind.always | kind.by_event[event]
    assert kind.faults(due, event) == []
    assert kind.faults(due | {sent}, event) == [fault]
    assert kind.faults(due - {"AccountSid"}, event) == ["AccountSid is missing"]
