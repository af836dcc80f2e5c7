"""Browsers as telephones: registration, ringing, sound both ways, lost and replaced sockets, hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange import Exchange
from exchange.leg import Leg
from exchange.sound import SILENT_FRAME, frames_of, mulaw_of_file

from .application import Application, until
from .conftest import CALLER, Start, call, pieces
from .handheld import KEY_SECRET, KEY_SID, Handheld, token

DESK = "client:desk-7"
DESK_PAGE = "http://127.0.0.1:8000"
AHEAD_FRAMES = 15
ENOUGH = 0.6


@pytest.fixture
def exchange(start: Start) -> Exchange:
    """One that knows the key of the headsets and the page they are on."""
    return start(api_key_sid=KEY_SID, api_key_secret=KEY_SECRET, origins=frozenset({DESK_PAGE}))


def headset(exchange: Exchange, identity: str = "desk-7") -> Handheld:
    return Handheld(exchange, DESK_PAGE, token=token(identity))


def speak(exchange: Exchange, handheld: Handheld, mulaw: bytes) -> None:
    """As a microphone would, in the time of the exchange's own clock: a little ahead of it, never far. Breath after."""
    began = exchange.board.lines.ticks
    for at, frame in enumerate(frames_of(mulaw) + [SILENT_FRAME] * 25):
        until(lambda at=at: at <= exchange.board.lines.ticks - began + AHEAD_FRAMES, what="the clock")  # type: ignore[misc]
        handheld.speak(frame)
    until(lambda: exchange.board.lines.ticks > began + at, what="all to be spoken")


def dialled(exchange: Exchange, application: Application) -> tuple[Leg, Leg]:
    """A caller whom the application connects with the desk, and the desk's own leg."""
    application.answer("/ivr/voice", '<Dial action="/after"><Client>desk-7</Client></Dial>')
    caller = call(exchange)
    child = until(lambda: [leg for leg in exchange.board.calls.values() if leg.parent is caller], what="the dialling")
    return caller, child[0]


def test_a_call_rings_at_the_headset_and_both_hear_each_other(
    exchange: Exchange, application: Application, sounds: Path
) -> None:
    desk = headset(exchange)
    assert desk.told == [{"event": "registered", "address": DESK}]
    caller, child = dialled(exchange, application)
    assert desk.wait_for("ringing") == {"event": "ringing", "call": child.sid, "from": CALLER}
    citizen = Handheld(exchange, call=caller.sid)
    assert citizen.told[0] == {"event": "registered", "address": CALLER}
    desk.say("answer")
    assert desk.wait_for("answered") == {"event": "answered", "call": child.sid}
    until(lambda: caller.talking, what="talk")
    speak(exchange, citizen, mulaw_of_file(sounds / "citizen.wav"))
    speak(exchange, desk, mulaw_of_file(sounds / "operator.wav"))
    desk.say("hang-up")
    assert desk.wait_for("ended") == {"event": "ended", "call": child.sid, "reason": "completed"}
    citizen.wait_for("ended")
    assert pieces(bytes(child.heard), sounds / "citizen.wav") > ENOUGH
    assert pieces(bytes(desk.heard), sounds / "citizen.wav") > ENOUGH
    assert pieces(bytes(caller.heard), sounds / "operator.wav") > ENOUGH
    assert pieces(bytes(citizen.heard), sounds / "operator.wav") > ENOUGH
