"""The live line over a real socket: what arrives, who may hear, when it ends."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from time import monotonic, sleep
from typing import NamedTuple

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.accounts.service import Actor
from hotline.app import create_app
from hotline.bootstrap import Runtime
from hotline.db import SessionFactory, key_ring, session_scope
from hotline.live.base import MISSED, Hint
from hotline.web import sse
from hotline.web.channels import LISTENERS
from tests.factories import calls
from tests.web.shared.browser import Browser
from tests.web.shared.conftest import PASSWORD, MakeUser
from tests.web.shared.styleguide import serving

BEAT_S = 0.05
PATIENCE_S = 10


class Event(NamedTuple):
    """One server-sent event."""

    kind: str
    text: str
    channel: str


class Ear:
    """One open line, read as a browser reads it."""

    def __init__(self, address: str, cookie: str, query: str) -> None:
        self._connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=PATIENCE_S)
        self._connection.request("GET", f"/live/stream?{query}", headers={"Cookie": cookie})
        self.answer = self._connection.getresponse()

    def next(self) -> Event | None:
        """Return the next event, None at the end of the line."""
        fields: dict[str, list[str]] = {}
        while row := self.answer.readline().decode().rstrip("\n"):
            name, _, value = row.partition(": ")
            fields.setdefault(name, []).append(value)
        if not fields:
            return None
        return Event(fields["event"][0], "\n".join(fields["data"]), fields.get("id", [""])[0])

    def wait_for(self, kind: str) -> Event:
        """Return the next event of this kind; heartbeats alone do not keep it waiting for ever."""
        deadline = monotonic() + PATIENCE_S
        while (event := self.next()) is not None:
            if event.kind == kind:
                return event
            assert monotonic() < deadline, f"nothing but {event.kind} instead of {kind}"
        raise AssertionError(f"the line ended without {kind}")

    def close(self) -> None:
        """Hang up."""
        self.answer.close()
        self._connection.close()


def eventually(fact: Callable[[], bool]) -> None:
    """Wait until it is so."""
    deadline = monotonic() + PATIENCE_S
    while not fact():
        assert monotonic() < deadline, "never became so"
        sleep(0.01)


def own_desk_only(session: Session, actor: Actor, channel: str) -> bool:
    return channel == f"desk-{actor.user_id}"


@pytest.fixture
def permitted() -> set[str]:
    """Channels of calls that may be heard now."""
    return set()


@pytest.fixture
def app(runtime: Runtime, permitted: set[str]) -> Flask:
    app = create_app(runtime, ("web",))
    listeners: dict[str, sse.MayListen] = {
        "desk": own_desk_only,
        "queue": lambda *_: True,
        "call": lambda _session, _actor, channel: channel in permitted,
    }
    sse.init_app(app, listeners, slots=2, heartbeat_s=BEAT_S)
    return app


@pytest.fixture
def lines(app: Flask) -> sse.Lines:
    """The counted lines of the process."""
    counted: sse.Lines = app.extensions["hotline_lines"]
    return counted


Listen = Callable[..., Ear]


@pytest.fixture
def me(user: MakeUser) -> int:
    """The operator who listens."""
    return user("wang")


@pytest.fixture
def listen(app: Flask, browser: Browser, me: int) -> Iterator[Listen]:
    """Open lines as the operator: ``listen("desk-1", "queue")``."""
    browser.log_in("wang", PASSWORD)
    cookie = browser.client.get_cookie("hotline")
    assert cookie is not None
    with serving(app) as address, ExitStack() as open_ears:

        def open_line(*channels: str, cookies: str = f"hotline={cookie.value}") -> Ear:
            ear = Ear(address, cookies, "&".join(f"channel={channel}" for channel in channels))
            open_ears.callback(ear.close)
            return ear

        yield open_line


def test_a_hint_arrives_under_its_kind_with_its_words_deciphered(listen: Listen, me: int, runtime: Runtime) -> None:
    ear = listen(f"desk-{me}", "queue")
    assert ear.answer.status == 200
    assert ear.answer.headers["Content-Type"].startswith("text/event-stream")
    ear.wait_for("heartbeat")
    ear.wait_for("heartbeat")  # by the second one it listens
    runtime.bus.publish(Hint(f"desk-{me}", "partial", key_ring().encrypt("永兴路\n五洲国际".encode())))
    runtime.bus.publish(Hint("queue", "queue-changed"))
    assert ear.wait_for("partial") == Event("partial", "永兴路\n五洲国际", f"desk-{me}")
    assert ear.wait_for("queue-changed") == Event("queue-changed", "", "queue")


def test_missed_or_unreadable_hints_tell_the_page_to_read_again(listen: Listen, me: int, runtime: Runtime) -> None:
    ear = listen(f"desk-{me}")
    ear.wait_for("heartbeat")
    ear.wait_for("heartbeat")
    runtime.bus.publish(Hint(f"desk-{me}", MISSED))
    assert ear.wait_for("refresh").channel == f"desk-{me}"
    runtime.bus.publish(Hint(f"desk-{me}", "partial", b"t0:somebody else's key"))
    assert ear.wait_for("refresh").text == ""


def test_a_silent_line_still_beats(listen: Listen) -> None:
    ear = listen("queue")
    assert [ear.wait_for("heartbeat").kind for _ in range(4)] == ["heartbeat"] * 4


@pytest.mark.parametrize("query", [("desk-999",), ("queue", "desk-999"), ("other",)])
def test_a_channel_one_may_not_hear_looks_like_none(listen: Listen, query: tuple[str, ...]) -> None:
    assert listen(*query).answer.status == 404


def test_nobody_hears_nothing(listen: Listen) -> None:
    assert listen("queue", cookies="").answer.status == 401
    assert listen().answer.status == 400


def test_a_full_house_refuses_and_says_when_to_ask_again(listen: Listen, lines: sse.Lines) -> None:
    first, second = listen("queue"), listen("queue")
    assert first.next() and second.next()
    third = listen("queue")
    assert (third.answer.status, third.answer.headers["Retry-After"]) == (503, "3")
    first.close()
    eventually(lambda: lines.open == 1)  # noticed at the next heartbeat
    assert listen("queue").answer.status == 200


@pytest.mark.parametrize("change", ["session_version", "active", "role"])
def test_a_line_ends_at_the_next_beat_once_its_log_in_is_worth_nothing(
    listen: Listen, lines: sse.Lines, me: int, sessions: SessionFactory, change: str
) -> None:
    ear = listen("queue")
    ear.wait_for("heartbeat")
    with session_scope(sessions) as session:
        setattr(session.get_one(User, me), change, {"session_version": 2, "active": False, "role": "CBK"}[change])
    ear.wait_for("log-in-ended")
    assert ear.next() is None
    eventually(lambda: lines.open == 0)


def test_a_channel_that_may_no_longer_be_heard_is_closed_and_the_log_in_stays(
    listen: Listen, me: int, permitted: set[str]
) -> None:
    permitted.add("call-7")
    ear = listen("queue", "call-7")
    ear.wait_for("heartbeat")
    permitted.clear()
    ear.wait_for("channel-closed")
    assert listen("queue").answer.status == 200


def test_a_busy_channel_does_not_put_off_the_check(
    listen: Listen, me: int, sessions: SessionFactory, runtime: Runtime
) -> None:
    ear = listen("queue")
    ear.wait_for("heartbeat")
    over = threading.Event()

    def chatter() -> None:
        while not over.wait(BEAT_S / 10):
            runtime.bus.publish(Hint("queue", "queue-changed"))

    thread = threading.Thread(target=chatter)
    thread.start()
    try:
        ear.wait_for("queue-changed")
        with session_scope(sessions) as session:
            session.get_one(User, me).active = False
        ear.wait_for("log-in-ended")
    finally:
        over.set()
        thread.join()


def test_each_hears_what_it_may_see(session: Session, user: MakeUser) -> None:
    call, operator, _ = calls.talking(session)
    session.commit()
    me, colleague = operator.user_id, Actor(user("li"), "OPR")
    supervisor, clerk = Actor(user("sup", role="SUP"), "SUP"), Actor(user("zhao", role="CBK"), "CBK")
    lines = sse.Lines(LISTENERS, slots=1)

    def hears(actor: Actor, channel: str) -> bool:
        return lines.may_listen(session, actor, [channel])

    assert hears(operator, f"desk-{me}") and not hears(colleague, f"desk-{me}")
    assert hears(operator, f"call-{call.id}") and hears(supervisor, f"call-{call.id}")
    assert not hears(colleague, f"call-{call.id}") and not hears(clerk, f"call-{call.id}")
    assert hears(colleague, "queue") and not hears(clerk, "queue")
    for nonsense in ("queue-2", "desk-", "desk-x", "call-999999", "call-١", "order-1", ""):
        assert not hears(operator, nonsense)
