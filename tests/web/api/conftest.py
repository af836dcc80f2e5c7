"""Programs with tokens of every role, each of whose answers is held against the API's own description."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from hotline.accounts.service import create_program, create_token
from hotline.app import create_app
from hotline.bootstrap import Runtime
from hotline.db import SessionFactory, session_scope
from tests.factories.units import WATER, City
from tests.web.simulated import process, small_site
from tests.web.staff import here

__all__ = ["here"]

ROOT = "/api/v1"

NEW_ORDER: dict[str, Any] = {
    "source_channel": "微信",
    "caller": {"name": "王小明", "phone": "19900001234", "contact": "桃城区永兴路5号楼"},
    "demand_type": "help",
    "category_code": WATER,
    "content": "五洲国际小区停水两天，请尽快处理。",
    "address": "桃城区永兴路五洲国际5号楼3单元",
}


class Description:
    """The API's description as a judge of requests and answers: what it does not name may not appear."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._exact = deepcopy(document)
        _close(self._exact["components"])
        self.operations = {
            (method.upper(), path): operation
            for path, methods in self._exact["paths"].items()
            for method, operation in methods.items()
        }

    def judge(self, method: str, path: str, sent: object, answer: TestResponse) -> None:
        """Fail unless the answer, and what was sent if it was taken, are as described."""
        operation = self._operation(method, path.partition("?")[0])
        described = operation["responses"].get(str(answer.status_code))
        assert described, f"{method} {path} answers {answer.status_code}, which is not described: {answer.text}"
        assert answer.mimetype == "application/json"
        self._hold(answer.json, described["content"]["application/json"]["schema"])
        if answer.status_code < 300 and "requestBody" in operation:
            self._hold(sent, operation["requestBody"]["content"]["application/json"]["schema"])

    def _operation(self, method: str, path: str) -> dict[str, Any]:
        for (known, template), operation in self.operations.items():
            if known == method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path):
                return operation
        raise AssertionError(f"{method} {path} is not described")

    def _hold(self, value: object, schema: dict[str, Any]) -> None:
        whole = schema | {"components": self._exact["components"]}
        Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)


def _close(schema: Any) -> None:
    """Let objects hold only what is named, so that an answer's undescribed field fails."""
    for child in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        _close(child)
    if isinstance(schema, dict) and schema.get("type") == "object" and schema.get("properties"):
        schema.setdefault("additionalProperties", False)


@dataclass
class Program:
    """Another system that holds a token."""

    client: FlaskClient
    description: Description
    token: str

    def get(self, path: str, **query: str) -> TestResponse:
        """Ask, and hold the answer against the description."""
        answer = self.client.get(ROOT + path, query_string=query, headers=self._headers())
        self.description.judge("GET", path, None, answer)
        return answer

    def post(self, path: str, body: object, *, key: str = "") -> TestResponse:
        """Send JSON, and hold the answer against the description."""
        headers = self._headers() | ({"Idempotency-Key": key} if key else {})
        answer = self.client.post(ROOT + path, json=body, headers=headers)
        self.description.judge("POST", path, body, answer)
        return answer

    def send(self, path: str, data: bytes, content_type: str = "application/json") -> TestResponse:
        """Send any bytes."""
        answer = self.client.post(ROOT + path, data=data, content_type=content_type, headers=self._headers())
        self.description.judge("POST", path, None, answer)
        return answer

    def act(self, order_no: str, action: str, **fields: object) -> TestResponse:
        """Do something to an order."""
        return self.post(f"/work-orders/{order_no}/actions", {"action": action, **fields})

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


@pytest.fixture
def runtime(engine: Engine, sessions: SessionFactory, now: datetime, tmp_path: Path) -> Runtime:
    """A process on this test's database at a fixed moment."""
    return process(small_site(tmp_path), engine, sessions, lambda: now)


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    """What serves programs serves pages too."""
    return create_app(runtime, ("web",))


@pytest.fixture
def description(app: Flask) -> Description:
    """What the API says of itself."""
    return Description(app.test_client().get(f"{ROOT}/openapi.json").json)


MakeProgram = Callable[..., Program]


@pytest.fixture
def program(app: Flask, description: Description, sessions: SessionFactory, now: datetime) -> MakeProgram:
    """A program in the place of an actor (``program(here.reviewer)``), of a role (``role="KBE"``), or a raw token."""

    def make(actor: Any = None, *, role: str = "", token: str | None = None) -> Program:
        if token is None:
            with session_scope(sessions) as session:
                user_id = create_program(session, role=role, unit_id=None, now=now).id if role else actor.user_id
                token = create_token(session, user_id=user_id, now=now)
        return Program(app.test_client(), description, token)

    return make


@pytest.fixture
def order_no(program: MakeProgram, here: City) -> str:
    """The number of an order that came by another channel and waits for review."""
    answer = program(here.operator).post("/work-orders", NEW_ORDER)
    assert answer.status_code == 201, answer.text
    number: str = answer.json["order_no"]
    return number
