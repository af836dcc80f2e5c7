"""Every kind of failure as a page, a fragment and JSON."""

from __future__ import annotations

import logging

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from sqlalchemy.orm.exc import StaleDataError

from hotline.app import create_app
from hotline.bootstrap import Runtime
from hotline.errors import Invalid, NotAllowedNow, NotFound, NotPermitted, Unavailable
from hotline.web.access import public
from tests.web.shared.browser import HTMX, PAGE, Browser

FAULTS = {
    "not-found": (NotFound("没有这个工单"), 404, "没有这个工单"),
    "not-permitted": (NotPermitted("只有督办员可以这样做"), 403, "只有督办员可以这样做"),
    "not-allowed-now": (NotAllowedNow("工单已办结", allowed=["review"]), 409, "工单已办结"),
    "invalid": (Invalid("内容不能为空"), 400, "内容不能为空"),
    "invalid-field": (Invalid("请改正", phone="号码少了 4 位"), 422, "请改正"),
    "unavailable": (Unavailable("电话暂时打不出去"), 503, "电话暂时打不出去"),
    "stale": (StaleDataError("version"), 409, "刚刚有人改过"),
    "ours": (ZeroDivisionError("secret words 19900001234"), 500, "编号"),
}


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    app = create_app(runtime, ("web",))

    def fail(kind: str) -> str:
        raise FAULTS[kind][0]

    app.add_url_rule("/fail/<kind>", "fail", public(fail))
    app.add_url_rule("/large", "large", public(lambda: abort(413)))
    return app


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_a_page_for_a_person(client: FlaskClient, kind: str) -> None:
    _, status, words = FAULTS[kind]
    answer = client.get(f"/fail/{kind}", headers=PAGE)
    assert answer.status_code == status
    assert words in answer.text
    assert "<h1" in answer.text or "empty-title" in answer.text
    assert "Traceback" not in answer.text and "19900001234" not in answer.text


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_a_toast_for_htmx_wherever_it_was_aiming(client: FlaskClient, kind: str) -> None:
    _, status, words = FAULTS[kind]
    answer = client.get(f"/fail/{kind}", headers=HTMX)
    assert answer.status_code == status
    assert answer.headers["HX-Retarget"] == "#toasts"
    assert words in answer.text and "data-toast" in answer.text
    assert "<html" not in answer.text


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_json_for_a_program(client: FlaskClient, kind: str) -> None:
    _, status, words = FAULTS[kind]
    answer = client.get(f"/fail/{kind}", headers={"Accept": "application/json"})
    assert answer.status_code == status
    assert words in answer.json["error"]["message"]


def test_details_reach_the_program(client: FlaskClient) -> None:
    answer = client.get("/fail/not-allowed-now", headers={"Accept": "application/json"})
    assert answer.json["error"]["details"] == {"allowed": ["review"]}


def test_an_unexpected_fault_has_an_id_that_is_in_the_log(
    client: FlaskClient, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    fault_id = client.get("/fail/ours", headers={"Accept": "application/json"}).json["error"]["fault_id"]
    assert fault_id in capsys.readouterr().out + caplog.text


@pytest.mark.parametrize(("path", "method", "status", "words"), [
    ("/nowhere", "GET", 404, "这里没有内容"),
    ("/login", "DELETE", 405, "不支持这样的操作"),
    ("/large", "GET", 413, "超过了允许的大小"),
])  # fmt: skip
def test_what_the_framework_refuses_is_said_in_chinese(
    client: FlaskClient, path: str, method: str, status: int, words: str
) -> None:
    answer = client.open(path, method=method, headers=PAGE | {"X-CSRFToken": "x"})
    if method == "DELETE":
        assert answer.headers["Allow"]
    assert answer.status_code == status
    assert words in answer.text


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(app: Flask, browser: Browser) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 1000
    browser.get("/login")
    answer = browser.post("/login", {"username": "x" * 2000})
    assert answer.status_code == 413
    assert "超过了允许的大小" in answer.text


def test_an_htmx_part_of_someone_logged_out_leads_to_the_door(app: Flask) -> None:
    answer = app.test_client().get("/password", headers=HTMX)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login")
    assert app.test_client().get("/password", headers={"Accept": "application/json"}).status_code == 401


def test_a_process_without_pages_answers_in_json(runtime: Runtime) -> None:
    client = create_app(runtime, ("voice",)).test_client()
    answer = client.get("/nowhere", headers=PAGE)
    assert (answer.status_code, answer.mimetype) == (404, "application/json")
