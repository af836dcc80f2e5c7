"""Media streams: the frames, their numbers, and that a call never depends on one."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import requests

from exchange import Exchange
from exchange.leg import Leg
from exchange.media import dial_address
from exchange.sound import SILENT_FRAME, mulaw_of_file
from exchange.twiml import TwimlError

from .application import Application, Socket, until
from .conftest import Start, call, ended, rest

STOPPED = '<Stop><Stream name="leg"/></Stop>'


def stream(application: Application, path: str = "/media", **attributes: str) -> str:
    """`<Start><Stream>` to the application."""
    written = " ".join(f'{name}="{value}"' for name, value in ({"name": "leg"} | attributes).items())
    url = application.url.replace("http", "wss") + path
    return f'<Start><Stream url="{url}" {written}><Parameter name="leg" value="市民"/></Stream></Start>'


def streaming(exchange: Exchange, application: Application) -> Leg:
    """A call whose stream has begun to carry frames."""
    application.answer("/ivr/voice", f'{stream(application)}<Pause length="30"/>')
    leg = call(exchange)
    until(lambda: application.sockets and application.sockets[0].events("media"), what="frames")
    return leg


def follow(exchange: Exchange, leg: Leg, *script: dict[str, Any]) -> None:
    """What the handset does from now on."""
    answer = requests.post(f"{exchange.url}/lab/calls/{leg.sid}/script", json={"script": script}, timeout=5)
    assert answer.status_code == 200, answer.text


def the_socket(application: Application) -> Socket:
    """The first stream, once it has been closed."""
    socket = until(lambda: application.sockets, what="a stream")[0]
    assert socket.closed.wait(10)
    return socket


def test_frames_are_the_providers_and_carry_what_the_handset_says(
    exchange: Exchange, application: Application, sounds: Path
) -> None:
    leg = streaming(exchange, application)
    follow(exchange, leg, {"say_wav": "citizen.wav"}, {"press": "5"}, {"hang_up": True})
    ended(leg)
    socket = the_socket(application)
    connected, start, *rest_of_it = socket.messages

    assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert start["sequenceNumber"] == "1"
    assert start["start"] == {
        "accountSid": leg.account_sid,
        "streamSid": start["streamSid"],
        "callSid": leg.sid,
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"leg": "市民"},
    }
    assert [message["sequenceNumber"] for message in rest_of_it] == [str(at) for at in range(2, len(rest_of_it) + 2)]
    assert rest_of_it[-1]["event"] == "stop"
    assert rest_of_it[-1]["stop"] == {"accountSid": leg.account_sid, "callSid": leg.sid}
    assert [message["dtmf"] for message in socket.events("dtmf")] == [{"track": "inbound_track", "digit": "5"}]

    media = [message["media"] for message in socket.events("media")]
    assert [frame["chunk"] for frame in media] == [str(at + 1) for at in range(len(media))]
    assert [frame["timestamp"] for frame in media] == [str(at * 20) for at in range(len(media))]
    assert {frame["track"] for frame in media} == {"inbound"}
    frames = [base64.b64decode(frame["payload"]) for frame in media]
    assert {len(frame) for frame in frames} == {160}
    assert frames[0] == SILENT_FRAME
    assert mulaw_of_file(sounds / "citizen.wav") in b"".join(frames), "every frame of the voice, in order, none lost"


def test_fifty_frames_are_a_second(exchange: Exchange, application: Application) -> None:
    leg = streaming(exchange, application)
    follow(exchange, leg, {"press": "1"}, {"wait_s": 1}, {"press": "2"}, {"hang_up": True})
    ended(leg)
    events = [message["event"] for message in the_socket(application).messages]
    first, second = (at for at, event in enumerate(events) if event == "dtmf")
    key_s = 0.2
    assert second - first - 1 == 50 * (1 + key_s), "counted on the line's own clock, whatever the machine's"
    assert leg.streams[0].as_json()["dropped"] == 0


def test_both_tracks_number_their_chunks_apart(exchange: Exchange, application: Application, sounds: Path) -> None:
    application.answer(
        "/ivr/voice", f'{stream(application, track="both_tracks")}<Pause length="1"/><Say>请稍候。</Say>'
    )
    ended(call(exchange))
    media = [message["media"] for message in the_socket(application).events("media")]
    inbound = [frame["chunk"] for frame in media if frame["track"] == "inbound"]
    outbound = [frame["chunk"] for frame in media if frame["track"] == "outbound"]
    assert inbound == outbound == [str(at + 1) for at in range(len(inbound))]
    spoken = b"".join(base64.b64decode(frame["payload"]) for frame in media if frame["track"] == "outbound")
    assert set(spoken) != {0xFF}, "the outbound track is what the leg hears"


def test_a_redirect_leaves_the_stream_running_and_stop_ends_it(exchange: Exchange, application: Application) -> None:
    leg = streaming(exchange, application)
    document = f'<Response><Pause length="1"/>{STOPPED}<Pause length="1"/></Response>'
    rest(exchange, f"/Calls/{leg.sid}.json", Twiml=document)
    ended(leg)
    socket = the_socket(application)
    assert len(application.sockets) == 1
    assert len(socket.events("media")) >= 40
    assert socket.messages[-1]["event"] == "stop"
    assert leg.timeline.texts("stream") == ["stream-started", "stream-stopped"]


def test_a_lost_socket_never_ends_the_call(exchange: Exchange, application: Application) -> None:
    application.hang_up_sockets_after = 10
    leg = streaming(exchange, application)
    until(lambda: leg.streams[0].as_json()["state"] == "lost", what="the loss")
    assert not leg.over
    assert any(text.startswith("31921") for text in leg.timeline.texts("error"))


@pytest.mark.parametrize("path", ["/nothing-here", "/ivr/voice"])
def test_a_refused_handshake_never_ends_the_call(exchange: Exchange, application: Application, path: str) -> None:
    application.answer("/ivr/voice", f'{stream(application, path)}<Pause length="30"/>')
    leg = call(exchange)
    until(lambda: leg.timeline.texts("error"), what="the refusal")
    assert leg.timeline.texts("error")[0].startswith("31920")
    assert not leg.over


def test_events_of_a_stream_are_told(exchange: Exchange, application: Application) -> None:
    application.answer("/ivr/voice", f'{stream(application, statusCallback="/stream")}<Pause length="1"/>')
    ended(call(exchange))
    until(lambda: len(application.seen("/stream")) == 2, what="two events")
    told = [one.params for one in application.seen("/stream")]
    assert [one["StreamEvent"] for one in told] == ["stream-started", "stream-stopped"]
    assert {one["StreamName"] for one in told} == {"leg"}


def test_sound_and_marks_come_back_in_order_and_clear_drops_them(
    exchange: Exchange, application: Application, sounds: Path
) -> None:
    voice = base64.b64encode(mulaw_of_file(sounds / "operator.wav")[:1600]).decode()
    application.to_send = [
        {"event": "media", "media": {"payload": voice}},
        {"event": "mark", "mark": {"name": "said"}},
        {"event": "nonsense"},
        {"event": "media", "media": {"payload": "not base64!"}},
    ]
    application.answer("/ivr/voice", f'{stream(application)}<Pause length="30"/>')
    leg = call(exchange)
    socket = until(lambda: application.sockets, what="a stream")[0]
    until(lambda: socket.events("mark"), what="the mark")
    assert socket.events("mark")[0]["mark"] == {"name": "said"}
    assert mulaw_of_file(sounds / "operator.wav")[:1600] in bytes(leg.heard)
    until(lambda: len(leg.timeline.texts("error")) == 2, what="two messages not understood")
    application.to_send = [
        {"event": "media", "media": {"payload": base64.b64encode(bytes(160 * 5000)).decode()}},
        {"event": "mark", "mark": {"name": "late"}},
        {"event": "clear"},
    ]
    until(lambda: len(socket.events("mark")) == 2, what="the mark of what was dropped")
    leg.finish()
    ended(leg)


def test_only_loopback_goes_without_tls() -> None:
    hosts = frozenset({"127.0.0.1", "media"})
    assert dial_address("wss://127.0.0.1:9/a", hosts) == "ws://127.0.0.1:9/a"
    assert dial_address("wss://media/a", hosts) == "ws://media/a"
    assert dial_address("wss://elsewhere.example/a", hosts) == "wss://elsewhere.example/a"
    with pytest.raises(TwimlError, match="not a wss:// address"):
        dial_address("ws://elsewhere.example/a", hosts)


def test_many_streams_at_once_lose_nothing(start: Start, application: Application) -> None:
    exchange = start()
    application.answer("/ivr/voice", f'{stream(application)}<Pause length="1"/>')
    legs = [call(exchange) for _ in range(12)]
    for leg in legs:
        ended(leg)
    assert sum(leg.streams[0].as_json()["dropped"] for leg in legs) == 0
    assert exchange.board.lines.skipped == 0
    until(lambda: len(application.sockets) == 12 and all(one.closed.is_set() for one in application.sockets))
    for socket in application.sockets:
        media = socket.events("media")
        assert [message["media"]["chunk"] for message in media] == [str(at + 1) for at in range(len(media))]
