"""The operator's telephone in the browser, and the caller on hold: what the server says and refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import jwt
import pytest
from flask import Flask

from hotline.app import create_app
from hotline.bootstrap import Runtime
from hotline.calls import queries
from hotline.calls.states import QueueKind
from hotline.config import Settings
from hotline.db import SessionFactory, session_scope
from hotline.telephony.simulated import SimulatedTelephony
from hotline.telephony.twilio import TwilioTelephony
from hotline.web.desk_headset import NO_SEAT, NOT_SET_UP
from tests.web.desk.conftest import Desk
from tests.web.ivr.conftest import Clock

KEYS = {"twilio_api_key": "SK1", "twilio_api_secret": "s" * 32, "twilio_account_sid": "AC1", "twilio_auth_token": "t"}


def settings(**more: str) -> Settings:
    return Settings("http://localhost", "sqlite://", "k" * 40, (("t1", b"0" * 32),), **more)  # type: ignore[arg-type]


def policy(app: Flask, path: str) -> dict[str, str]:
    """The content security policy of a page, asked by nobody in particular."""
    given = app.test_client().get(path).headers["Content-Security-Policy"]
    return dict(part.partition(" ")[::2] for part in given.split("; "))


# ---- the pass


def test_a_desk_gets_a_pass_for_its_own_telephone_only(
    desk: Callable[..., Desk], telephony: SimulatedTelephony
) -> None:
    telephony.headsets = True
    answer = desk(seat="seat07").browser.get("/desk/headset")
    assert answer.json == {
        **{"adapter": "exchange", "token": "pass-of-seat07", "url": "ws://127.0.0.1:9/line"},
        **{"ttl_s": 3600, "address": "client:seat07"},
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_a_key_or_a_seat_the_desk_says_why_there_is_no_headset(
    desk: Callable[..., Desk], telephony: SimulatedTelephony
) -> None:
    assert desk().browser.get("/desk/headset").json == {"adapter": "none", "reason": NOT_SET_UP}
    telephony.headsets = True
    assert desk("new", seat="").browser.get("/desk/headset").json == {"adapter": "none", "reason": NO_SEAT}


def test_the_pass_is_the_carriers_own_token_and_lets_ring_but_not_dial() -> None:
    found = TwilioTelephony(settings(**KEYS, twilio_api_url="https://exchange.example:4020")).headset_pass("seat07")
    assert found is not None
    assert (found.adapter, found.url) == ("exchange", "wss://exchange.example:4020/line")
    told = jwt.decode(found.token, "s" * 32, algorithms=["HS256"], issuer="SK1", subject="AC1")
    assert told["grants"] == {"identity": "seat07", "voice": {"incoming": {"allow": True}}}
    assert found.ttl_s == 3600
    assert "token" not in repr(found)

    real = TwilioTelephony(settings(**KEYS)).headset_pass("seat07")
    assert real is not None
    assert (real.adapter, real.url) == ("twilio", "")
    assert TwilioTelephony(settings(**KEYS | {"twilio_api_secret": ""})).headset_pass("seat07") is None


# ---- where the page may connect to


@pytest.mark.parametrize(
    ("more", "sources"),
    [
        (KEYS | {"twilio_api_url": "http://127.0.0.1:4020"}, "'self' ws://127.0.0.1:4020"),
        (KEYS, "'self' wss://voice-js.roaming.twilio.com https://eventgw.twilio.com"),
        ({}, None),
    ],
    ids=["exchange", "the real service", "no key"],
)
def test_only_pages_with_a_headset_may_connect_to_where_it_speaks(
    runtime: Runtime, more: dict[str, str], sources: str | None
) -> None:
    app = create_app(replace(runtime, settings=settings(**more)), ("web",))
    for page in ("/desk", "/duty"):
        assert policy(app, page).get("connect-src") == sources
    for page in ("/login", "/portal"):
        assert "connect-src" not in policy(app, page)


# ---- on hold


def test_the_caller_is_put_on_hold_at_the_carrier_and_taken_off_again(
    ready: Desk, talking: int, telephony: SimulatedTelephony
) -> None:
    at = f"/desk/calls/{talking}/hold"
    assert "保持中" not in ready.open(at)
    assert ready.send(at, {"on": "1"}).status_code == 303
    assert len(telephony.held) == 1
    line, room = telephony.held.copy().pop()
    assert line.startswith("C0")  # the caller's line, not the operator's
    assert room == f"call-{talking}"
    page = ready.open(at)  # a page loaded anew asks the carrier
    assert "市民听不到您" in page
    assert re.search(r'name="on" value="0"', page)
    assert ready.send(at, {"on": "1"}).status_code == 303
    assert ready.send(at, {"on": "0"}).status_code == 303
    assert telephony.held == set()
    assert "保持中" not in ready.open(at)


def test_every_hold_leaves_rows_from_which_its_time_can_be_recounted(
    ready: Desk, talking: int, telephony: SimulatedTelephony, sessions: SessionFactory, clock: Clock
) -> None:
    at = f"/desk/calls/{talking}/hold"
    begun = clock()
    for wanted in ("0", "1", "1", "0"):  # what changes nothing leaves no row
        clock.forward(10)
        assert ready.send(at, {"on": wanted}).status_code == 303
    clock.forward(10)
    telephony.go_silent()
    ready.send(at, {"on": "1"})  # nor does what the carrier did not do
    with session_scope(sessions) as session:
        rows = [one for one in queries.events(session, talking) if one.kind in {QueueKind.HELD, QueueKind.RESUMED}]
        assert [(one.kind, (one.at - begun).total_seconds(), one.user_id) for one in rows] == [
            (QueueKind.HELD, 20, ready.actor.user_id),
            (QueueKind.RESUMED, 40, ready.actor.user_id),
        ]


def test_hold_is_refused_in_words_when_there_is_nothing_to_hold(
    ready: Desk, talking: int, telephony: SimulatedTelephony, desk: Callable[..., Desk]
) -> None:
    at = f"/desk/calls/{talking}/hold"
    assert ready.send(at, {"on": "maybe"}).status_code == 422
    stranger = desk("li", seat="seat08")
    stranger.open()
    assert stranger.send(at, {"on": "1"}).status_code == 404
    assert ready.send(f"/desk/calls/{talking}/end").status_code == 303
    assert ready.send(at, {"on": "1"}).status_code == 409
    assert "保持" not in ready.open(at)
    assert telephony.held == set()


def test_a_silent_carrier_is_told_and_the_page_does_not_pretend_to_know(
    ready: Desk, talking: int, telephony: SimulatedTelephony
) -> None:
    telephony.go_silent()
    at = f"/desk/calls/{talking}/hold"
    assert "问不到是否在保持" in ready.open(at)
    assert ready.send(at, {"on": "1"}).status_code == 303
    assert "没有做成" in ready.open(f"/desk/calls/{talking}")
