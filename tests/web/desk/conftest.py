"""An operator's browser before a small city, and callers whose words are already heard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from html import unescape
from itertools import count

import pytest
from flask import Flask
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from hotline.accounts.models import User
from hotline.accounts.service import Actor, actor_of, create_user
from hotline.app import create_app
from hotline.bootstrap import Runtime
from hotline.calendars.china import ChinaCalendar
from hotline.calls import assignment, service
from hotline.calls.events import leg_on
from hotline.calls.states import Track
from hotline.config import Settings
from hotline.db import SessionFactory, session_scope
from hotline.knowledge_base.service import import_entries
from hotline.live.memory import MemoryBus
from hotline.telephony.simulated import SimulatedTelephony
from hotline.units.service import add_line
from tests.factories import calls as make
from tests.factories.units import WATER, City, city
from tests.web.ivr.conftest import Clock
from tests.web.shared.browser import Browser
from tests.web.shared.styleguide import serving

PASSWORD = "a long password"
WORDS = "我们小区停水两天了，在桃城区永兴路五洲国际"
ANSWERS = [
    {"id": "K1", "question": "小区停水怎么报修", "answer": "请拨打供水公司抢修电话，或由热线登记派单。"},
    {"id": "K2", "question": "路灯不亮找谁修", "answer": "请说明路名和灯杆编号，由热线登记派单。"},
    {"id": "K3", "question": "新生儿医保怎么办理", "answer": "请带户口本到医保窗口办理。"},
    {"id": "K4", "question": "暖气不热怎么反映", "answer": "请先联系供热公司，仍不热由热线登记派单。"},
    {"id": "K5", "question": "井盖丢失怎么反映", "answer": "请先远离并提醒旁人，由热线按紧急事项登记。"},
]
_callers = count(1)


@pytest.fixture
def clock(now: datetime) -> Clock:
    """The time of this test."""
    return Clock(now)


@pytest.fixture
def telephony() -> SimulatedTelephony:
    """What the carrier was asked."""
    return SimulatedTelephony()


@pytest.fixture
def runtime(engine: object, sessions: SessionFactory, clock: Clock, telephony: SimulatedTelephony) -> Runtime:
    """A process on this test's database."""
    settings = Settings("http://localhost", "sqlite://", "k" * 40, (("t1", b"0" * 32),))
    return Runtime(settings, engine, sessions, telephony, MemoryBus(), ChinaCalendar(), now=clock)  # type: ignore[arg-type]


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    """Pages and the live line."""
    return create_app(runtime, ("web", "live"))


@pytest.fixture
def town(sessions: SessionFactory, now: datetime) -> City:
    """Units, a responsibility line for water, one entry of knowledge, a number to dial."""
    with session_scope(sessions) as session:
        made = city(session)
        made.other_county.name = "桃城区人民政府"
        add_line(
            session,
            version="2026",
            code="L1",
            matter="停水抢修",
            category_code=WATER,
            lead_unit=made.other_county,
            valid_from=date(2026, 1, 1),
            now=now,
        )
        make.number(session)
        import_entries(session, ANSWERS, actor_id=None, now=now)
        return made


@dataclass
class Desk:
    """An operator in one browser."""

    browser: Browser
    actor: Actor
    at: str = "/desk"
    page: str = field(default="", repr=False)

    def open(self, path: str = "/desk") -> str:
        """Open a page and return it."""
        answer = self.browser.get(path)
        assert answer.status_code == 200, (answer.status_code, answer.text[:400])
        self.page = answer.text
        return self.page

    def send(self, path: str, data: dict[str, str] | None = None) -> TestResponse:
        """Send a plain form."""
        return self.browser.post(path, data)

    def fields(self) -> dict[str, str]:
        """What the draft form on the page last opened would send, as a browser reads it."""
        form = re.search(r'<form id="draft".*?</form>', self.page, re.S)
        assert form is not None
        html = form[0]
        values: dict[str, str] = {}
        for tag in re.findall(r"<input[^>]*>", html):
            name, value = _attr(tag, "name"), _attr(tag, "value")
            if name and ('type="checkbox"' not in tag or " checked" in tag):
                values[name] = value
        for name, text in re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>(.*?)</textarea>', html, re.S):
            values[name] = unescape(text)
        for name, options in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', html, re.S):
            chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
            assert chosen is not None
            values[name] = chosen[1]
        return values


def _attr(tag: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', tag)
    return unescape(found[1]) if found else ""


@pytest.fixture
def desk(app: Flask, town: City, sessions: SessionFactory, now: datetime) -> Callable[..., Desk]:
    """Log an operator in: ``desk()``, ``desk("second")``; the same name again is another browser of theirs."""

    def sit(username: str = "wang", seat: str = "seat07") -> Desk:
        with session_scope(sessions) as session:
            user = session.scalar(select(User).where(User.username == username))
            user = user or create_user(
                session, username=username, display_name="王敏", password=PASSWORD, role="OPR", now=now, seat=seat
            )
            actor = actor_of(user)
        browser = Browser(app.test_client())
        browser.log_in(username, PASSWORD)
        return Desk(browser, actor)

    return sit


@contextmanager
def sitting_at(app: Flask, chrome: Chromium, desk: Desk, stand_in: str = "") -> Iterator[tuple[Page, list[str]]]:
    """Take an operator's log-in over into a real browser: its page at the desk, and what the console complains of.

    ``stand_in`` is served for the carrier's own library.
    """
    name = app.config["SESSION_COOKIE_NAME"]
    cookie = desk.browser.client.get_cookie(name)
    assert cookie is not None
    with serving(app) as address:
        context = chrome.new_context(viewport={"width": 1440, "height": 900}, base_url=address)
        context.add_cookies([{"name": name, "value": cookie.value, "url": address}])
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda fault: complaints.append(str(fault)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        if stand_in:
            page.route("**/twilio.min.js*", lambda route: route.fulfill(body=stand_in, content_type="text/javascript"))
        page.goto("/desk")
        yield page, complaints
        context.close()


@pytest.fixture
def page(app: Flask, chrome: Chromium, desk: Callable[..., Desk]) -> Iterator[Page]:
    """An operator's page at the desk, in a real browser. What the console complains of fails the test."""
    with sitting_at(app, chrome, desk()) as (opened, complaints):
        yield opened
    assert complaints == []


@pytest.fixture
def ready(desk: Callable[..., Desk]) -> Desk:
    """An operator who waits for calls."""
    sitting = desk()
    sitting.open()
    assert sitting.send("/desk/ready").status_code == 303
    return sitting


def say(
    session: Session, call_id: int, text: str, *, at: datetime, start_ms: int = 1000, track: str = "caller"
) -> None:
    """Write down what one side said."""
    leg = leg_on(session, call_id, Track(track))
    assert leg is not None
    service.record_utterance(session, leg_id=leg.id, text=text, start_ms=start_ms, end_ms=start_ms + 900, now=at)


@pytest.fixture
def rings(sessions: SessionFactory, runtime: Runtime, clock: Clock) -> Callable[..., int]:
    """Let somebody call and wait, say something, and be offered to whoever is ready; returns the call's id."""

    def ring(said: str | None = WORDS, phone: str | None = make.PHONE) -> int:
        with session_scope(sessions) as session:
            # another form of id than the simulated carrier gives to the lines it is asked for
            sid = f"C{next(_callers):06}"
            call_id = service.open_call(session, provider_id=sid, dialled="12345", phone=phone, now=clock()).call_id
            service.enter_queue(session, call_id=call_id, now=clock())
            if said is not None:
                say(session, call_id, said, at=clock())
                make.suggested(session, runtime.knowledge, call_id, said, clock())
            assignment.run(session, now=clock())
            return call_id

    return ring


@pytest.fixture
def answered(sessions: SessionFactory, clock: Clock) -> Callable[[int], None]:
    """Let the operator's telephone be picked up."""

    def pick_up(call_id: int) -> None:
        with session_scope(sessions) as session:
            leg = leg_on(session, call_id, Track.OPERATOR)
            assert leg is not None and leg.provider_id is not None
            clock.forward(3)
            service.operator_answered(session, leg_id=leg.id, provider_id=leg.provider_id, now=clock())
            service.operator_joined(session, provider_id=leg.provider_id, now=clock())

    return pick_up


@pytest.fixture
def talking(ready: Desk, rings: Callable[..., int], answered: Callable[[int], None]) -> int:
    """A call the ready operator talks in; returns its id."""
    call_id = rings()
    ready.open()
    assert ready.send(f"/desk/calls/{call_id}/accept").status_code == 303
    answered(call_id)
    return call_id
