"""The hands on the other side, and the telephone page."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import pytest
import requests

from exchange import Exchange, Settings

from .application import ACCOUNT, Application, until
from .conftest import CALLER, NUMBER, Start, call, ended, rest, rules


def lab(exchange: Exchange, method: str, path: str, **given: Any) -> requests.Response:
    return requests.request(method, f"{exchange.url}/lab{path}", timeout=5, **given)


def test_a_person_plays_the_handset_by_hand(exchange: Exchange, application: Application, sounds: Path) -> None:
    application.answer("/ivr/voice", '<Gather numDigits="1" action="/digits"><Say>请按键。</Say></Gather>')
    application.answer("/digits", '<Pause length="60"/>')
    leg = call(exchange)
    until(lambda: leg.listening, what="the prompt")
    shown = lab(exchange, "GET", f"/calls/{leg.sid}").json()
    assert shown["gathering"]
    assert lab(exchange, "POST", f"/calls/{leg.sid}/press", json={"digits": "3"}).status_code == 200
    until(lambda: application.seen("/digits"), what="the key")
    assert lab(exchange, "POST", f"/calls/{leg.sid}/say", json={"wav": "citizen.wav"}).status_code == 200
    assert lab(exchange, "POST", f"/calls/{leg.sid}/say", json={"text": "路灯坏了。"}).status_code == 200
    later = lab(exchange, "GET", f"/calls/{leg.sid}?since={shown['next']}").json()
    assert [entry["text"] for entry in later["timeline"] if entry["kind"] == "said"] == ["路灯坏了", "路灯坏了"]
    live = lab(exchange, "GET", "/calls", params={"live": "1", "handset": CALLER}).json()["calls"]
    assert [one["sid"] for one in live] == [leg.sid]
    assert lab(exchange, "POST", f"/calls/{leg.sid}/hang-up", json={}).json()["status"] == "completed"
    ended(leg)
    assert lab(exchange, "POST", f"/calls/{leg.sid}/press", json={"digits": "3"}).status_code == 409
    until(lambda: not exchange.board.ringing.handsets, what="the handset put down with the call")
    with wave.open(io.BytesIO(lab(exchange, "GET", f"/calls/{leg.sid}/heard.wav").content)) as heard:
        assert (heard.getframerate(), heard.getnchannels(), heard.getsampwidth()) == (8000, 1, 2)
        assert heard.getnframes() == len(leg.heard)


def test_a_ringing_handset_is_answered_by_hand(exchange: Exchange) -> None:
    made = rest(
        exchange, "/Calls.json", To=CALLER, From=NUMBER, Twiml="<Response><Say>请稍候。</Say></Response>"
    ).json()
    leg = exchange.board.calls[made["sid"]]
    until(lambda: leg.status == "ringing", what="ringing")
    assert lab(exchange, "POST", f"/calls/{leg.sid}/answer", json={}).status_code == 200
    assert ended(leg).timeline.texts("caption") == ["请稍候。"]
    assert lab(exchange, "POST", f"/calls/{leg.sid}/answer", json={}).status_code == 409


UNPLAYABLE: list[tuple[Any, int]] = [
    ({"to": NUMBER}, 400),
    ({"from": CALLER, "to": "110"}, 404),
    ({"from": CALLER, "to": NUMBER, "script": [{"dance": 1}]}, 400),
    ({"from": CALLER, "to": NUMBER, "script": [{"say_wav": "/etc/passwd"}]}, 400),
    ({"from": CALLER, "to": NUMBER, "script": [{"say_wav": "../../etc/passwd"}]}, 400),
    ({"from": CALLER, "to": NUMBER, "script": [{"say_wav": "citizen.txt"}]}, 400),
    ({"from": CALLER, "to": NUMBER, "script": [{"press": "x"}]}, 400),
    ({"from": CALLER, "to": NUMBER, "script": [{"wait_for": {"moon": 1}}]}, 400),
    ({"from": CALLER, "to": NUMBER, "script": "hello"}, 400),
    ([], 400),
]


def test_what_cannot_be_played_is_refused_in_words(exchange: Exchange) -> None:
    for given, status in UNPLAYABLE:
        answer = lab(exchange, "POST", "/calls", json=given)
        assert (given, answer.status_code) == (given, status)
        assert answer.json()["error"]
    assert not exchange.board.calls


def test_a_script_that_waits_in_vain_hangs_up_and_says_so(exchange: Exchange, application: Application) -> None:
    application.answer("/ivr/voice", '<Say>请稍候。</Say><Pause length="60"/>')
    leg = ended(call(exchange, {"wait_for": "永远不会说的话", "timeout_s": 0.3}))
    assert any("gave up waiting" in text for text in leg.timeline.texts("error"))


def test_rules_are_kept_and_refused(exchange: Exchange) -> None:
    rule = {"address": "client:*", "answer_after_s": 0.2, "script": [{"wait_s": 1}]}
    rules(exchange, rule)
    kept = lab(exchange, "GET", "/handsets/rules").json()["rules"]
    assert kept[0] | rule == kept[0]
    for wrong in ({"busy": True}, {"address": "a", "mood": 1}, {"address": "a", "answer_after_s": -1}):
        assert lab(exchange, "PUT", "/handsets/rules", json={"rules": [wrong]}).status_code == 400


def test_numbers_can_be_moved(exchange: Exchange, application: Application) -> None:
    application.answer("/elsewhere", "<Say>请稍候。</Say>")
    moved = {"numbers": {"961890": {"voice_url": f"{application.url}/elsewhere"}}}
    assert lab(exchange, "PUT", "/numbers", json=moved).status_code == 200
    answer = lab(exchange, "POST", "/calls", json={"from": CALLER, "to": "961890"})
    assert ended(exchange.board.calls[answer.json()["sid"]]).timeline.texts("caption") == ["请稍候。"]
    assert set(lab(exchange, "GET", "/numbers").json()["numbers"]) == {NUMBER, "961890"}


def test_a_strangers_page_gets_nowhere(exchange: Exchange) -> None:
    assert lab(exchange, "GET", "/", headers={"Host": "evil.example"}).status_code == 403
    assert lab(exchange, "GET", "/", headers={"Origin": "https://evil.example"}).status_code == 403
    assert lab(exchange, "POST", "/calls", data={"from": CALLER, "to": NUMBER}).status_code == 415


def test_the_page_is_whole_by_itself(start: Start, sounds: Path) -> None:
    exchange = start(callers_dir=sounds, notice="演示模型")
    page = requests.get(exchange.url, timeout=5)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "路灯坏了" in page.text
    assert "演示模型" in page.text
    assert f'<option value="{NUMBER}">' in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "style=" not in page.text
    for name in ("phone.js", "line.js", "voice.js", "mic-worklet.js", "ear-worklet.js", "phone.css", "phone.svg"):
        assert requests.get(f"{exchange.url}/static/{name}", timeout=5).status_code == 200


def test_faulty_settings_are_named_all_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"account_sid.*auth_token.*no such folder"):
        Settings(account_sid="AC1", auth_token="", prompts=tmp_path / "none")


def test_the_command_starts_and_stops_cleanly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "exchange", "--port", "0", "--account-sid", ACCOUNT]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [*command, "--number", f"{NUMBER}=http://127.0.0.1:9"],
        cwd=root,
        env=os.environ | {"EXCHANGE_AUTH_TOKEN": "secret"},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        assert "http://127.0.0.1:" in first
        assert "secret" not in first
        process.terminate()
        assert process.wait(10) == 0


def test_many_short_calls_leave_nothing_behind(start: Start, application: Application) -> None:
    exchange = start(keep_calls=20, keep_sound_bytes=5000)
    application.answer("/ivr/voice", "<Say>请稍候。</Say>")
    for _ in range(4):
        for leg in [call(exchange) for _ in range(25)]:
            ended(leg)
    until(lambda: len(exchange.board.calls) <= 45, what="old calls forgotten")
    assert exchange.board.lines.legs == {}
    assert sum(len(leg.heard) for leg in exchange.board.calls.values()) <= 5000
    call(exchange)
    assert len(exchange.board.calls) <= 21
