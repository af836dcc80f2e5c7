"""Browsers as telephones: registration, ringing, sound both ways, lost and replaced sockets, hold."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket

from exchange import Exchange, Settings
from exchange.leg import Leg
from exchange.line import BrowserLink
from exchange.sound import SILENT_FRAME, frames_of, mulaw_of_file
from exchange.telephones import GATHERED_FRAMES, LATE_FRAMES, Mouth

from .application import ACCOUNT, TOKEN, Application, until
from .conftest import CALLER, NUMBER, Start, call, ended, pieces, rest, rules
from .handheld import KEY_SECRET, KEY_SID, Handheld, tampered, token

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


# -- who is let in --------------------------------------------------------------------------------------------------

FORGED = {
    "garbage": "not.a.token",
    "another key": token(secret="some-other-secret-of-thirty-two-characters"),
    "another account": token(account="AC" + "0" * 32),
    "a key nobody knows": token(key="SK" + "0" * 32),
    "other claims": tampered(token(), grants={"identity": "desk-8", "voice": {"incoming": {"allow": True}}}),
    "expired": token(ttl=-60),
    "not yet": token(nbf=int(time.time()) + 3600),
    "no calls to it": token(incoming=False),
    "no identity": token(identity=""),
}


@pytest.mark.parametrize("given", FORGED.values(), ids=FORGED)
def test_a_token_that_is_no_ticket_is_refused_in_words(exchange: Exchange, given: str) -> None:
    handheld = Handheld(exchange, DESK_PAGE, token=given)
    assert [one["event"] for one in handheld.told] == ["refused"]
    assert handheld.told[0]["reason"].startswith(("令牌", "交换机"))
    assert handheld.wait_for_close() == 1008
    assert exchange.board.ringing.telephones.at(DESK) is None


def test_an_exchange_without_a_key_lets_no_headset_in(start: Start) -> None:
    handheld = Handheld(start(), token=token())
    assert handheld.told == [{"event": "refused", "reason": "交换机没有配置耳机密钥"}]
    assert handheld.wait_for_close() == 1008


def test_settings_of_the_line_are_checked() -> None:
    with pytest.raises(ValueError, match=r"belong together.*no origin.*line_grace_s"):
        Settings(ACCOUNT, TOKEN, api_key_sid=KEY_SID, origins=frozenset({"desk.example/"}), line_grace_s=-1)


@pytest.mark.parametrize("asked", [{"call": "CA0"}, {"number": "12345"}, {"number": "anonymous"}, {"desk": "7"}])
def test_a_registration_for_nothing_is_refused(exchange: Exchange, asked: dict[str, str]) -> None:
    handheld = Handheld(exchange, **asked)
    assert [one["event"] for one in handheld.told] == ["refused"]
    assert handheld.wait_for_close() == 1008


def test_whoever_does_not_register_first_is_refused(exchange: Exchange) -> None:
    handheld = Handheld(exchange)
    handheld.say("answer")
    assert handheld.wait_for("refused")["reason"] == "请先登记"
    assert handheld.wait_for_close() == 1008


def test_a_strangers_page_does_not_get_a_socket(exchange: Exchange) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        Handheld(exchange, "http://evil.example", token=token())


def test_the_desks_page_may_be_a_headset_and_nothing_else(exchange: Exchange, application: Application) -> None:
    application.answer("/ivr/voice", '<Pause length="60"/>')
    leg = call(exchange)
    for asked in ({"call": leg.sid}, {"number": CALLER}):
        assert [one["event"] for one in Handheld(exchange, DESK_PAGE, **asked).told] == ["refused"]
    lab = requests.get(f"{exchange.url}/lab/", headers={"Origin": DESK_PAGE}, timeout=5)
    assert lab.status_code == 403
    assert "Access-Control-Allow-Origin" not in lab.headers


def test_the_call_of_a_headset_is_not_the_pages_to_take(exchange: Exchange, application: Application) -> None:
    desk = headset(exchange)
    _, child = dialled(exchange, application)
    desk.wait_for("ringing")
    assert [one["event"] for one in Handheld(exchange, call=child.sid).told] == ["refused"]
    assert desk.closed_with is None


# -- ringing --------------------------------------------------------------------------------------------------------


def test_a_registered_headset_is_not_answered_by_a_rule(exchange: Exchange, application: Application) -> None:
    rules(exchange, {"address": "client:*", "script": [{"wait_for": "talking"}, {"hang_up": True}]})
    desk = headset(exchange)
    caller, _ = dialled(exchange, application)
    desk.wait_for("ringing")
    assert not caller.talking
    desk.say("answer")
    until(lambda: caller.talking, what="talk")
    desk.say("hang-up")
    desk.wait_for("ended")
    exchange.board.hang_up(caller)
    until(lambda: not exchange.board.lines.legs, what="both put down")
    desk.lose()
    until(lambda: exchange.board.ringing.telephones.at(DESK) is None, what="the headset to be away")
    again, child = dialled(exchange, application)
    ended(child)
    assert "hangs up" in child.timeline.texts("script"), "the rule holds again"
    ended(again)


def test_declining_is_busy_for_the_application(exchange: Exchange, application: Application) -> None:
    desk = headset(exchange)
    caller, child = dialled(exchange, application)
    desk.wait_for("ringing")
    desk.say("hang-up")
    assert desk.wait_for("ended") == {"event": "ended", "call": child.sid, "reason": "busy"}
    ended(caller)
    assert application.seen("/after")[0].params["DialCallStatus"] == "busy"


def test_a_caller_who_gives_up_ends_the_ringing_and_the_next_one_rings(
    exchange: Exchange, application: Application
) -> None:
    desk = headset(exchange)
    caller, _ = dialled(exchange, application)
    desk.wait_for("ringing")
    exchange.board.hang_up(caller)
    assert desk.wait_for("ended")["reason"] == "canceled"
    desk.say("answer")  # too late, and no harm
    _, second = dialled(exchange, application)
    assert desk.wait_for("ringing", 2)["call"] == second.sid
    assert not second.answered


def test_a_telephone_in_a_call_is_busy_for_others(exchange: Exchange, application: Application) -> None:
    desk = headset(exchange)
    caller, _ = dialled(exchange, application)
    desk.wait_for("ringing")
    desk.say("answer")
    until(lambda: caller.talking, what="talk")
    second = ended(call(exchange))
    assert application.seen("/after")[0].params["DialCallStatus"] == "busy"
    assert second.status == "completed"
    assert len(desk.events("ringing")) == 1


def test_a_headset_that_comes_while_it_rings_is_told(exchange: Exchange, application: Application) -> None:
    caller, child = dialled(exchange, application)
    until(lambda: child.status == "ringing", what="ringing")
    desk = headset(exchange)
    assert desk.wait_for("ringing")["call"] == child.sid
    desk.say("answer")
    until(lambda: caller.talking, what="talk")


def test_a_telephone_waits_for_calls_to_its_number(exchange: Exchange, application: Application) -> None:
    application.answer("/call", "<Say>您好，这里是热线。</Say>")
    home = Handheld(exchange, number=CALLER)
    assert home.told == [{"event": "registered", "address": CALLER}]
    rest(exchange, "/Calls.json", To=CALLER, From=NUMBER, Url=f"{application.url}/call")
    assert home.wait_for("ringing")["from"] == NUMBER
    home.say("answer")
    assert home.wait_for("caption")["text"] == "您好，这里是热线。"
    assert home.wait_for("ended")["reason"] == "completed"


# -- words and sound ------------------------------------------------------------------------------------------------


def test_an_announcement_is_heard_and_its_words_are_told_and_keys_are_gathered(
    exchange: Exchange, application: Application, sounds: Path
) -> None:
    asking = '<Pause length="1"/><Gather numDigits="2" action="/digits"><Say>请稍候。</Say></Gather>'
    application.answer("/ivr/voice", asking)
    citizen_leg = call(exchange)
    citizen = Handheld(exchange, call=citizen_leg.sid)
    assert citizen.wait_for("caption") == {"event": "caption", "text": "请稍候。"}
    until(lambda: citizen_leg.listening, what="the prompt")
    citizen.say("press", digits="1")
    citizen.say("press", digits="#")
    citizen.wait_for("ended")
    until(lambda: application.seen("/digits") or citizen_leg.timeline.texts("error"), what="the keys")
    assert citizen_leg.timeline.texts("digits") == ["1", "#"]
    assert citizen.events("answered")[0]["call"] == citizen_leg.sid
    heard = bytes(citizen.heard)
    assert heard in bytes(citizen_leg.heard), "what the browser was sent is what the leg heard, in order"
    assert citizen.messages_of_sound * 160 == len(heard)


def test_a_recording_from_the_shelf_is_heard_instead_of_the_microphone(
    exchange: Exchange, application: Application, sounds: Path
) -> None:
    desk = headset(exchange)
    caller, child = dialled(exchange, application)
    desk.wait_for("ringing")
    citizen = Handheld(exchange, call=caller.sid)
    desk.say("answer")
    until(lambda: caller.talking, what="talk")
    requests.post(f"{exchange.url}/lab/calls/{caller.sid}/say", json={"wav": "citizen.wav"}, timeout=5)
    speak(exchange, citizen, mulaw_of_file(sounds / "operator.wav"))
    assert pieces(bytes(child.heard), sounds / "citizen.wav") == 1


def test_a_muted_microphone_is_not_heard(exchange: Exchange, application: Application, sounds: Path) -> None:
    desk = headset(exchange)
    caller, _ = dialled(exchange, application)
    desk.wait_for("ringing")
    desk.say("answer")
    until(lambda: caller.talking, what="talk")
    desk.say("mute", on=True)
    speak(exchange, desk, mulaw_of_file(sounds / "operator.wav"))
    assert caller.peer_spoke_at is None
    desk.say("mute", on=False)
    speak(exchange, desk, mulaw_of_file(sounds / "operator.wav"))
    assert pieces(bytes(caller.heard), sounds / "operator.wav") > ENOUGH


def test_what_is_not_understood_is_noted_and_the_call_goes_on(exchange: Exchange, application: Application) -> None:
    application.answer("/ivr/voice", '<Pause length="60"/>')
    leg = call(exchange)
    until(lambda: leg.answered or leg.status == "ringing", what="the call")
    citizen = Handheld(exchange, call=leg.sid)
    for nonsense in ({"event": "dance"}, {"event": "press", "digits": "x"}, {"event": "press"}, {"event": "mute"}):
        citizen.say(**nonsense)
    citizen._socket.send("{")
    until(lambda: len(leg.timeline.texts("error")) == 5, what="five notes")
    assert not leg.over


def test_a_message_too_large_to_be_sound_closes_the_line(exchange: Exchange) -> None:
    home = Handheld(exchange, number=CALLER)
    home.speak(bytes(1 << 17))
    assert home.wait_for_close() == 1009


def test_late_sound_is_dropped_and_never_piled_up() -> None:
    mouth = Mouth()
    mouth.take(b"".join(bytes([at]) * 160 for at in range(100)))
    spoken = [mouth.tick() for _ in range(100)]
    assert spoken[:LATE_FRAMES] == [bytes([at]) * 160 for at in range(100 - LATE_FRAMES, 100)]
    assert set(spoken[LATE_FRAMES:]) == {None}


def test_a_little_is_gathered_before_speaking_but_nothing_is_kept_back() -> None:
    mouth = Mouth()
    for at in range(GATHERED_FRAMES - 1):
        mouth.take(bytes([at]) * 160)
        assert mouth.tick() is None
    mouth.take(bytes([9]) * 160)
    assert mouth.tick() == bytes(160)
    assert [mouth.tick() for _ in range(GATHERED_FRAMES)][-2:] == [bytes([9]) * 160, None]
    mouth.take(b"x" * 100)
    rest_of_it = [mouth.tick() for _ in range(GATHERED_FRAMES + 1)]
    assert b"x" * 100 + b"\xff" * 60 in rest_of_it, "a short word after a pause is spoken too"


class _SlowWire:
    """A browser that takes nothing until it is let."""

    def __init__(self) -> None:
        self.sent: list[str | bytes] = []
        self.closed: int | None = None

    def send(self, message: str | bytes) -> None:
        self.sent.append(message)

    def close(self, code: int, reason: str = "") -> None:
        self.closed = code


def test_a_browser_that_does_not_keep_up_loses_the_oldest_sound_and_no_words() -> None:
    wire: Any = _SlowWire()
    link = BrowserLink(wire)
    for at in range(100):
        link.sound(bytes([at]) * 160)
        link.tell("caption", text=str(at))
    link.start()
    until(lambda: len(wire.sent) == 100 + LATE_FRAMES, what="all that is kept")
    assert all(isinstance(one, str) for one in wire.sent[:100])
    assert wire.sent[100:] == [bytes([at]) * 160 for at in range(100 - LATE_FRAMES, 100)]
    link.end(1000)
    link.join(5)
    assert wire.closed == 1000


# -- lost and replaced ----------------------------------------------------------------------------------------------


def test_a_lost_line_is_taken_up_by_whoever_registers_again(
    exchange: Exchange, application: Application, sounds: Path
) -> None:
    desk = headset(exchange)
    caller, child = dialled(exchange, application)
    desk.wait_for("ringing")
    desk.say("answer")
    until(lambda: caller.talking, what="talk")
    desk.say("mute", on=True)
    desk.lose()
    until(lambda: len(child.timeline.texts("line")) == 1, what="the loss")
    assert caller.talking, "nobody has hung up"
    again = headset(exchange)
    assert again.told[:2] == [
        {"event": "registered", "address": DESK},
        {"event": "answered", "call": child.sid},
    ]
    speak(exchange, again, mulaw_of_file(sounds / "operator.wav"))
    assert pieces(bytes(caller.heard), sounds / "operator.wav") > ENOUGH
    requests.post(f"{exchange.url}/lab/calls/{caller.sid}/say", json={"wav": "citizen.wav"}, timeout=5)
    until(lambda: pieces(bytes(again.heard), sounds / "citizen.wav") > ENOUGH, what="the citizen at the new socket")


def test_a_page_takes_its_own_call_up_again(exchange: Exchange, application: Application) -> None:
    application.answer("/ivr/voice", '<Say>请稍候。</Say><Pause length="60"/>')
    leg = call(exchange)
    first = Handheld(exchange, call=leg.sid)
    first.wait_for("answered")
    first.lose()
    until(lambda: "lost" in "".join(leg.timeline.texts("line")), what="the loss")
    assert Handheld(exchange, call=leg.sid).wait_for("answered")["call"] == leg.sid
    assert not leg.over


def test_a_line_that_stays_lost_hangs_up(start: Start, application: Application) -> None:
    exchange = start(api_key_sid=KEY_SID, api_key_secret=KEY_SECRET, origins=frozenset({DESK_PAGE}), line_grace_s=0.2)
    desk = headset(exchange)
    caller, child = dialled(exchange, application)
    desk.wait_for("ringing")
    desk.say("answer")
    until(lambda: caller.talking, what="talk")
    desk.lose()
    ended(child)
    assert child.timeline.texts("line")[-1] == "line lost"
    ended(caller)
    assert application.seen("/after")[0].params["DialCallStatus"] == "completed"
    assert exchange.board.ringing.telephones.at(DESK) is None
    late = headset(exchange)
    assert late.told == [{"event": "registered", "address": DESK}], "free for the next call"


def test_a_ringing_headset_that_is_loaded_anew_rings_again(exchange: Exchange, application: Application) -> None:
    desk = headset(exchange)
    _, child = dialled(exchange, application)
    desk.wait_for("ringing")
    desk.lose()
    assert headset(exchange).wait_for("ringing")["call"] == child.sid


def test_the_newest_registration_wins(exchange: Exchange, application: Application, sounds: Path) -> None:
    old = headset(exchange)
    caller, child = dialled(exchange, application)
    old.wait_for("ringing")
    old.say("answer")
    until(lambda: caller.talking, what="talk")
    new = headset(exchange)
    assert old.wait_for("replaced") == {"event": "replaced"}
    assert old.wait_for_close() == 4001
    assert new.wait_for("answered")["call"] == child.sid
    heard_before = len(old.heard)
    speak(exchange, new, mulaw_of_file(sounds / "operator.wav"))
    assert pieces(bytes(caller.heard), sounds / "operator.wav") > ENOUGH
    assert len(old.heard) == heard_before
    assert exchange.board.ringing.telephones.at(DESK) is not None


def test_the_end_of_the_exchange_is_told(start: Start) -> None:
    exchange = start()
    home = Handheld(exchange, number=CALLER)
    exchange.stop()
    assert home.wait_for_close() == 1001


# -- hold and mute in a conference ----------------------------------------------------------------------------------


@pytest.fixture
def conference(exchange: Exchange, application: Application) -> Iterator[tuple[Handheld, Leg, Handheld, Leg]]:
    """A citizen and an operator in one, each on a telephone."""
    room = '<Dial><Conference beep="false" endConferenceOnExit="true">c</Conference></Dial>'
    application.answer("/ivr/voice", room)
    application.answer("/join", room)
    desk = headset(exchange)
    caller = call(exchange)
    citizen = Handheld(exchange, call=caller.sid)
    made = rest(exchange, "/Calls.json", To=DESK, From=NUMBER, Url=f"{application.url}/join").json()
    operator = exchange.board.calls[made["sid"]]
    desk.wait_for("ringing")
    desk.say("answer")
    until(lambda: caller.talking, what="talk")
    yield citizen, caller, desk, operator


def change(exchange: Exchange, leg: Leg, **given: str) -> dict[str, Any]:
    answer = rest(exchange, f"/Conferences/{leg.room.sid}/Participants/{leg.sid}.json", **given)  # type: ignore[union-attr]
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_hold_stops_the_sound_both_ways_and_is_told(
    exchange: Exchange, conference: tuple[Handheld, Leg, Handheld, Leg], sounds: Path
) -> None:
    citizen, caller, desk, operator = conference
    voice, answer = mulaw_of_file(sounds / "citizen.wav"), mulaw_of_file(sounds / "operator.wav")
    assert change(exchange, caller, Hold="true")["hold"] is True
    assert citizen.wait_for("held") == {"event": "held", "on": True}
    assert citizen.wait_for("caption")["text"] == "(通话保持)"
    at_caller, at_operator = len(caller.heard), len(operator.heard)
    speak(exchange, citizen, voice)
    speak(exchange, desk, answer)
    assert set(caller.heard[at_caller:]) == set(operator.heard[at_operator:]) == {0xFF}, "not a sound"
    assert change(exchange, caller, Hold="false")["hold"] is False
    assert citizen.wait_for("held", 2) == {"event": "held", "on": False}
    speak(exchange, citizen, voice)
    speak(exchange, desk, answer)
    assert pieces(bytes(operator.heard), sounds / "citizen.wav") > ENOUGH
    assert pieces(bytes(caller.heard), sounds / "operator.wav") > ENOUGH
    assert desk.events("held") == [], "only who is held is told"


def test_hold_lasts_over_a_lost_line_and_ends_with_the_conference(
    exchange: Exchange, conference: tuple[Handheld, Leg, Handheld, Leg]
) -> None:
    citizen, caller, _, _ = conference
    change(exchange, caller, Hold="true")
    citizen.wait_for("held")
    citizen.lose()
    again = Handheld(exchange, call=caller.sid)
    assert again.wait_for("held")["on"] is True
    rest(exchange, f"/Calls/{caller.sid}.json", Twiml='<Response><Pause length="60"/></Response>')
    assert again.wait_for("held", 2)["on"] is False


def test_a_muted_participant_hears_and_is_not_heard(
    exchange: Exchange, conference: tuple[Handheld, Leg, Handheld, Leg], sounds: Path
) -> None:
    citizen, caller, desk, operator = conference
    assert change(exchange, caller, Muted="true")["muted"] is True
    at_operator = len(operator.heard)
    speak(exchange, citizen, mulaw_of_file(sounds / "citizen.wav"))
    assert set(operator.heard[at_operator:]) == {0xFF}
    speak(exchange, desk, mulaw_of_file(sounds / "operator.wav"))
    assert pieces(bytes(caller.heard), sounds / "operator.wav") > ENOUGH
    assert citizen.events("held") == []


def test_nobody_on_hold_hears_the_beep_of_a_third(
    exchange: Exchange, conference: tuple[Handheld, Leg, Handheld, Leg], application: Application
) -> None:
    _, caller, _, operator = conference
    change(exchange, caller, Hold="true")
    at_caller, at_operator = len(caller.heard), len(operator.heard)
    application.answer("/ivr/voice", "<Dial><Conference>c</Conference></Dial>")
    call(exchange, from_="+8619900005678")
    until(lambda: set(operator.heard[at_operator:]) - {0xFF}, what="the beep")
    later = exchange.board.lines.ticks + 5
    until(lambda: exchange.board.lines.ticks > later, what="a few ticks more")
    assert set(caller.heard[at_caller:]) == {0xFF}
