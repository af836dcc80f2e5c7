"""Forms are sent by our pages only, and act once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from hotline.accounts.service import create_token
from hotline.app import create_app
from hotline.bootstrap import Runtime
from hotline.db import SessionFactory, session_scope
from hotline.errors import NotAllowedNow
from hotline.web import pages
from hotline.web.access import roles
from hotline.web.context import transaction
from hotline.web.idempotency import IdempotencyKey, forget, once
from tests.web.shared.browser import HTMX, PAGE, Browser
from tests.web.shared.conftest import PASSWORD, MakeUser


@pytest.fixture
def acts() -> list[str]:
    """What was done."""
    return []


@pytest.fixture
def app(runtime: Runtime, acts: list[str]) -> Flask:
    app = create_app(runtime, ("web",))

    @roles()
    def sign() -> ResponseReturnValue:
        with transaction() as session:

            def act() -> ResponseReturnValue:
                if request.form.get("note") == "too late":
                    raise NotAllowedNow("工单已办结")
                acts.append(request.form.get("note", ""))
                pages.toast("已签收")
                return pages.go(f"/orders/{len(acts)}")

            return once(session, act)

    @roles()
    def api() -> ResponseReturnValue:
        with transaction() as session:

            def act() -> ResponseReturnValue:
                acts.append(request.get_json()["title"])
                return jsonify(order_no=f"2611-0000{len(acts)}"), 201

            return once(session, act, required=True)

    app.add_url_rule("/sign", "sign", sign, methods=["POST"])
    app.add_url_rule("/api/v1/things", "things", api, methods=["POST"])
    return app


@pytest.fixture
def operator(browser: Browser, user: MakeUser) -> Browser:
    """A logged-in operator's browser."""
    user("wang")
    browser.log_in("wang", PASSWORD)
    return browser


@pytest.fixture
def bearer(user: MakeUser, sessions: SessionFactory, runtime: Runtime) -> Iterator[dict[str, str]]:
    """Headers of a program."""
    user_id = user("program", role="REV")
    with session_scope(sessions) as session:
        token = create_token(session, user_id=user_id, now=runtime.now())
    yield {"Authorization": f"Bearer {token}", "Accept": "application/json"}


def test_a_form_without_the_token_is_refused_and_does_nothing(operator: Browser, acts: list[str]) -> None:
    answer = operator.client.post("/sign", data={"note": "x"}, headers=PAGE)
    assert answer.status_code == 400
    assert "页面已过期" in answer.text
    assert acts == []


def test_the_token_of_another_session_is_refused(app: Flask, operator: Browser, acts: list[str]) -> None:
    stranger = Browser(app.test_client())
    stranger.get("/login")
    assert operator.client.post("/sign", data={"csrf_token": stranger.token}, headers=PAGE).status_code == 400
    assert acts == []


def test_htmx_sends_the_token_in_a_header(operator: Browser, acts: list[str]) -> None:
    answer = operator.htmx("/sign", {"note": "by htmx"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/orders/1")
    assert operator.client.post("/sign", data={}, headers=HTMX).status_code == 400
    assert acts == ["by htmx"]


def test_a_form_sent_twice_acts_once_and_answers_the_same(operator: Browser, acts: list[str]) -> None:
    first = operator.post("/sign", {"note": "once", "once": "k1"})
    again = operator.post("/sign", {"note": "once", "once": "k1"})
    assert acts == ["once"]
    assert (first.status_code, first.location) == (again.status_code, again.location) == (303, "/orders/1")
    assert again.headers["Idempotent-Replay"] == "true"


def test_the_same_key_with_other_content_is_refused_in_words(operator: Browser, acts: list[str]) -> None:
    operator.post("/sign", {"note": "this", "once": "k1"})
    answer = operator.post("/sign", {"note": "that", "once": "k1"})
    assert answer.status_code == 422
    assert "已用于另一个请求" in answer.text
    assert acts == ["this"]


def test_an_act_that_failed_leaves_its_key_free(operator: Browser, acts: list[str]) -> None:
    assert operator.post("/sign", {"note": "too late", "once": "k1"}).status_code == 409
    assert operator.post("/sign", {"note": "in time", "once": "k1"}).status_code == 303
    assert acts == ["in time"]


def test_two_people_may_use_the_same_key(app: Flask, operator: Browser, user: MakeUser, acts: list[str]) -> None:
    user("li")
    other = Browser(app.test_client())
    other.log_in("li", PASSWORD)
    operator.post("/sign", {"note": "mine", "once": "k1"})
    other.post("/sign", {"note": "also mine", "once": "k1"})
    assert acts == ["mine", "also mine"]


def test_a_program_must_name_a_key_and_gets_the_same_answer_again(
    app: Flask, bearer: dict[str, str], acts: list[str]
) -> None:
    client = app.test_client()
    without = client.post("/api/v1/things", json={"title": "a"}, headers=bearer)
    assert (without.status_code, acts) == (422, [])
    keyed = bearer | {"Idempotency-Key": "8c1f"}
    first = client.post("/api/v1/things", json={"title": "a"}, headers=keyed)
    again = client.post("/api/v1/things", json={"title": "a"}, headers=keyed)
    assert first.json == again.json == {"order_no": "2611-00001"}
    assert (first.status_code, again.status_code, acts) == (201, 201, ["a"])
    assert client.post("/api/v1/things", json={"title": "b"}, headers=keyed).status_code == 422
    assert client.post("/api/v1/things", json={"title": "a"}, headers=bearer | {"Idempotency-Key": "k" * 101}).status_code == 422  # fmt: skip  # noqa: E501


def test_answers_are_kept_encrypted_and_forgotten_in_time(
    app: Flask, bearer: dict[str, str], sessions: SessionFactory, runtime: Runtime
) -> None:
    keyed = bearer | {"Idempotency-Key": "8c1f"}
    app.test_client().post("/api/v1/things", json={"title": "永兴路"}, headers=keyed)
    with sessions() as session:
        raw = session.connection().exec_driver_sql("SELECT body, asked FROM idempotency_keys").one()
        assert b"2611" not in raw.body and "永兴路" not in raw.asked
    with session_scope(sessions) as session:
        assert forget(session, before=runtime.now()) == 0
        assert forget(session, before=runtime.now() + timedelta(seconds=1)) == 1
        assert session.scalar(select(func.count()).select_from(IdempotencyKey)) == 0
