"""Tokens: whoever has none, a wrong one or only a browser's cookie is told so in JSON."""

from __future__ import annotations

from datetime import datetime

from flask import Flask
from sqlalchemy import update

from hotline.accounts.models import ApiToken
from hotline.accounts.service import create_user
from hotline.db import SessionFactory, session_scope
from tests.factories.units import City
from tests.web.api.conftest import NEW_ORDER, ROOT, MakeProgram, Program
from tests.web.shared.browser import Browser

PASSWORD = "a long password"


def everything(who: Program) -> dict[str, int]:
    """Ask for everything the API has; return the statuses."""
    return {
        "calls": who.get("/calls", provider_id="CA1").status_code,
        "search": who.get("/knowledge/search", q="医保").status_code,
        "entries": who.post("/knowledge/entries", []).status_code,
        "open": who.post("/work-orders", NEW_ORDER).status_code,
        "order": who.get("/work-orders/2611-00001-6").status_code,
        "events": who.get("/work-orders/2611-00001-6/events").status_code,
        "act": who.act("2611-00001-6", "sign").status_code,
    }


def test_nobody_gets_401_and_a_made_up_token_403(program: MakeProgram) -> None:
    assert set(everything(program(token="")).values()) == {401}
    assert set(everything(program(token="hl_made-up")).values()) == {403}


def test_a_revoked_token_opens_nothing(
    program: MakeProgram, here: City, sessions: SessionFactory, now: datetime
) -> None:
    operator = program(here.operator)
    assert operator.get("/knowledge/search", q="医保").status_code == 200
    with session_scope(sessions) as session:
        session.execute(update(ApiToken).values(revoked_at=now))
    assert set(everything(operator).values()) == {403}


def test_a_browsers_cookie_opens_nothing_here(
    app: Flask, program: MakeProgram, sessions: SessionFactory, now: datetime
) -> None:
    with session_scope(sessions) as session:
        create_user(session, username="wang", display_name="王敏", password=PASSWORD, role="OPR", now=now)
    browser = Browser(app.test_client())
    assert browser.log_in("wang", PASSWORD).status_code == 303
    logged_in = program(token="")
    logged_in.client = browser.client
    assert set(everything(logged_in).values()) == {401}


def test_a_fault_is_told_in_json_even_to_who_prefers_pages(app: Flask) -> None:
    for path in ("/calls", "/work-orders/2611-00001-6"):
        answer = app.test_client().get(ROOT + path, headers={"Accept": "text/html"})
        assert (answer.status_code, answer.mimetype) == (401, "application/json")
    assert app.test_client().get(f"{ROOT}/openapi.json").status_code == 200
