"""The carrier's side of the webhooks: signs as it does, sends what it sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from exchange.twiml import grammar
from exchange.twiml.parse import check, check_message
from hotline.app import create_app
from hotline.bootstrap import Runtime
from hotline.calendars.china import ChinaCalendar
from hotline.calls.models import Call
from hotline.calls.queries import by_provider_id
from hotline.config import Settings
from hotline.db import SessionFactory, session_scope
from hotline.live.memory import MemoryBus
from hotline.telephony.simulated import SimulatedTelephony
from tests.factories import calls as make

TOKEN = "the-carrier-signs-with-this"
PUBLIC = "https://hotline.example"
SETTINGS = Settings(
    public_url=PUBLIC,
    database_url="sqlite://",
    secret_key="k" * 40,
    data_keys=(("t1", b"0" * 32),),
    twilio_account_sid="AC" + "0" * 32,
    twilio_auth_token=TOKEN,
    numbers=("12345",),
)


@dataclass
class Clock:
    """A moment that moves only when told."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Carrier:
    """Posts webhooks and reads the answers as the carrier would."""

    client: FlaskClient
    sent: list[tuple[str, int]] = field(default_factory=list)

    def post(
        self, path: str, form: dict[str, str] | None = None, *, signature: str | None = "", token: str = ""
    ) -> TestResponse:
        """Send a webhook; ``signature`` None leaves it out, "" computes the right one."""
        form = form or {}
        headers = {"I-Twilio-Idempotency-Token": token} if token else {}
        if signature is not None:
            right = RequestValidator(TOKEN).compute_signature(PUBLIC + path, form)
            headers["X-Twilio-Signature"] = signature or right
        answer = self.client.post(
            path, data=urlencode(form), headers=headers, content_type="application/x-www-form-urlencoded"
        )
        self.sent.append((path, answer.status_code))
        return answer

    def ask(self, path: str, call_sid: str, **form: str) -> ElementTree.Element:
        """Send a call's webhook and return the document, checked by the carrier's own grammar."""
        fields = {"CallSid": call_sid, "From": make.PHONE, "To": "12345", "CallStatus": "in-progress", **form}
        answer = self.post(path, fields)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        assert answer.content_type.startswith("text/xml")
        place = grammar.QUEUE_WAIT if path.startswith(("/ivr/wait", "/ivr/key?place=queue")) else grammar.CALL
        if path.startswith("/ivr/message"):
            check_message(answer.data)
        else:
            check(answer.data, place)
        return ElementTree.fromstring(answer.data)

    def follow(self, document: ElementTree.Element, tag: str, attribute: str = "") -> str:
        """Return the path a document leads to, by an attribute of an element or by its text."""
        element = next(document.iter(tag))
        url = element.get(attribute, "") if attribute else (element.text or "")
        assert url.startswith(PUBLIC), url
        return url.removeprefix(PUBLIC)


def said(document: ElementTree.Element) -> list[str]:
    """Return the sentences a document speaks."""
    return [element.text or "" for element in document.iter("Say")]


@pytest.fixture
def clock(now: datetime) -> Clock:
    """The time of this test."""
    return Clock(now)


@pytest.fixture
def telephony() -> SimulatedTelephony:
    """What the carrier was asked."""
    return SimulatedTelephony()


@pytest.fixture
def runtime(
    engine: Engine, sessions: SessionFactory, clock: Clock, telephony: SimulatedTelephony, tmp_path: Path
) -> Runtime:
    """A voice process on this test's database."""
    with session_scope(sessions) as session:
        make.number(session)
        make.number(session, "961890", greeting="您好，这里是九六一八九零便民服务热线，您的通话将被录音。")
    return Runtime(
        settings=SETTINGS,
        engine=engine,
        sessions=sessions,
        telephony=telephony,
        bus=MemoryBus(),
        calendar=ChinaCalendar(),
        now=clock,
    )


@pytest.fixture
def carrier(runtime: Runtime) -> Carrier:
    """The carrier before the voice process."""
    return Carrier(create_app(runtime, ("voice",)).test_client())


@pytest.fixture
def scope(sessions: SessionFactory) -> Callable[[], object]:
    """A committed transaction: ``with scope() as session``."""

    @contextmanager
    def begin() -> Iterator[Session]:
        with session_scope(sessions) as session:
            yield session

    return begin


@pytest.fixture
def call_of(sessions: SessionFactory) -> Callable[[str], Call]:
    """The call behind a carrier's id as it is committed now."""

    def read(call_sid: str) -> Call:
        with session_scope(sessions) as session:
            call = by_provider_id(session, call_sid)
            assert call is not None
            return call

    return read
