"""Every kind of failure as a page, a fragment and JSON."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from sqlalchemy.orm.exc import StaleDataError

from hotline.app import create_app
from hotline.bootstrap import Runtime
from hotline.errors import Invalid, NotAllowedNow, NotFound, NotPermitted, Unavailable
from hotline.web import errors
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

    app.add_url_rule("/fail/<kind>", "fail", public(fail), methods=["GET", "POST"])
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
    assert (answer.headers["HX-Retarget"], answer.headers["HX-Reselect"]) == ("#toasts", "[data-toast]")
    assert words in answer.text and "data-toast" in answer.text
    assert "<html" not in answer.text


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_json_for_a_program(client: FlaskClient, kind: str) -> None:
    _, status, words = FAULTS[kind]
    answer = client.get(f"/fail/{kind}", headers={"Accept": "application/json"})
    assert answer.status_code == status
    assert words in answer.json["error"]["message"]


TYPED = {"reason": "到现场三次，<b>井盖</b>写了很久", "text": "好"}
WHO = {
    **{name: f"{name} 19900001234" for name in ("password", "old", "new", "again", "pin", "phone", "contact", "name")},
    **{"username": "username 1", "once": "once 1", "next": "/next-1", "notice": "notice 1"},
}


@pytest.mark.parametrize("kind", FAULTS)
def test_what_was_written_is_handed_back_by_the_page_that_refuses_it(
    app: Flask, browser: Browser, kind: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    browser.get("/login")
    answer = browser.post(f"/fail/{kind}", TYPED | WHO)
    assert answer.status_code == FAULTS[kind][1]
    handed_back = answer.text.partition("您刚才写的（可复制留用）")[2].partition("</section>")[0]
    assert re.findall(r"readonly[^>]*>([^<]*)</textarea>", handed_back) == [
        "到现场三次，&lt;b&gt;井盖&lt;/b&gt;写了很久",
        "好",
    ]
    assert not [name for name, value in WHO.items() if value in answer.text]
    assert "写了很久" not in "".join(capfd.readouterr()) + caplog.text


def test_nothing_is_handed_back_where_nothing_was_written(client: FlaskClient, browser: Browser) -> None:
    assert "您刚才写的" not in client.get("/fail/not-found?reason=写在地址里的", headers=PAGE).text
    browser.get("/login")
    assert "您刚才写的" not in browser.post("/fail/not-found", {"reason": "  "} | WHO).text
    assert "写了很久" not in browser.htmx("/fail/not-found", TYPED).text  # its form is still on the screen


def test_who_was_logged_out_while_writing_has_the_words_on_the_answer_and_nowhere_else(browser: Browser) -> None:
    browser.get("/login")
    answer = browser.post("/password", TYPED)
    assert (answer.status_code, "请先登录" in answer.text, "写了很久" in answer.text) == (401, True, True)
    assert "Location" not in answer.headers
    with browser.client.session_transaction() as cookie:
        assert "写了很久" not in str(dict(cookie))
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_form_whose_token_is_stale_loses_no_words_either(browser: Browser) -> None:
    answer = browser.post("/fail/not-found", TYPED)
    assert (answer.status_code, "页面已过期" in answer.text, "写了很久" in answer.text) == (400, True, True)


def test_every_field_for_long_text_of_our_forms_is_known(app: Flask) -> None:
    pages = "".join(page.read_text() for page in (Path(app.root_path) / "templates").rglob("*.html"))
    plain = re.findall(r"<textarea[^>]* name=\"(\w+)", pages)
    ours = re.findall(r"(?:field|cell)\(\"(\w+)\",(?:(?!}}).)*?type=\"textarea\"", pages, re.DOTALL)
    assert {*plain, *ours} == {re.sub("^merged_.*", "merged_", name) for name in errors.WRITTEN}


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
