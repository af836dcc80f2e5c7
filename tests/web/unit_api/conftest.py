"""Units' own systems with keys, each answer held against the API's description."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hotline.accounts.service import SYSTEM
from hotline.db import SessionFactory, session_scope
from hotline.units import keys
from hotline.units.models import Unit
from hotline.work_orders.states import Status
from tests.factories.orders import order_at
from tests.factories.units import City
from tests.web.api.conftest import Description
from tests.web.staff import Clock, app, clock, here, runtime, staff

__all__ = ["app", "clock", "here", "runtime", "staff"]

ROOT = "/api/unit/v1"


def sign(secret: str, method: str, path: str, time: str, body: bytes) -> str:
    """What the description says, written anew."""
    words = f"{method}\n{path}\n{time}\n{hashlib.sha256(body).hexdigest()}"
    return hmac.new(secret.encode(), words.encode(), hashlib.sha256).hexdigest()


@dataclass
class System:
    """A unit's own system."""

    client: FlaskClient
    description: Description
    clock: Clock
    key_id: str
    secret: str

    def headers(self, method: str, path: str, body: bytes = b"") -> dict[str, str]:
        """The headers of a request signed now."""
        time = str(int(self.clock.now.timestamp()))
        signed = sign(self.secret, method, path, time, body)
        return {"X-Hotline-Key": self.key_id, "X-Hotline-Time": time, "X-Hotline-Signature": signed}

    def get(self, path: str, **query: str) -> TestResponse:
        """Ask, and hold the answer against the description."""
        whole = ROOT + path + (f"?{urlencode(query)}" if query else "")
        answer = self.client.get(whole, headers=self.headers("GET", whole))
        self.description.judge("GET", path, None, answer)
        return answer

    def act(self, order_no: str, action: str, *, key: str = "", **fields: object) -> TestResponse:
        """Do something to an order."""
        path, told = f"/orders/{order_no}/actions", {"action": action, **fields}
        body = json.dumps(told).encode()
        headers = self.headers("POST", ROOT + path, body) | {"Idempotency-Key": key or uuid.uuid4().hex}
        answer = self.client.post(ROOT + path, data=body, content_type="application/json", headers=headers)
        self.description.judge("POST", path, told, answer)
        return answer


@pytest.fixture
def description(app: Flask) -> Description:
    """What the API says of itself."""
    return Description(app.test_client().get(f"{ROOT}/openapi.json").json)


MakeSystem = Callable[[Unit], System]


@pytest.fixture
def system(app: Flask, description: Description, sessions: SessionFactory, clock: Clock) -> MakeSystem:
    """The system of a unit: ``system(here.county)``."""

    def make(unit: Unit) -> System:
        with session_scope(sessions) as session:
            key, secret = keys.create_key(session, unit=session.get_one(Unit, unit.id), actor=SYSTEM, now=clock.now)
        return System(app.test_client(), description, clock, key.key_id, secret)

    return make


@pytest.fixture
def order_no(sessions: SessionFactory, here: City) -> str:
    """An order the county is to sign."""
    with session_scope(sessions) as session:
        number: str = order_at(session, here, Status.TO_SIGN).order_no
    return number


def walk(told: Any) -> str:
    """All words of an answer."""
    return json.dumps(told, ensure_ascii=False)
