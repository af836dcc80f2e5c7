"""The look: what every answer carries, what templates may hold, what the kit draws."""

from __future__ import annotations

import json
import logging
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, render_template_string
from flask.testing import FlaskClient

import hotline
from hotline.accounts.roles import Role
from hotline.app import create_app
from hotline.bootstrap import Runtime
from hotline.calls.states import CallState, Outcome, PresenceState
from hotline.follow_ups.states import CallbackState
from hotline.web import formats, pages, request_log
from hotline.web.access import public, undeclared
from hotline.web.words import SIGNS, TABLES
from hotline.work_orders.states import Holder, Part, Status, SubState
from tests.web.shared.browser import PAGE, Browser
from tests.web.shared.conftest import PASSWORD, MakeUser
from tests.web.shared.styleguide import add_page

HOTLINE = Path(hotline.__file__).parent
TEMPLATES = sorted((HOTLINE / "templates").rglob("*.html"))
KIT = "{% import 'ui/kit.html' as ui with context %}"
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


def test_every_answer_forbids_foreign_and_inline_scripts_and_styles(app: Flask) -> None:
    for path in ("/login", "/nowhere", "/healthz", "/static/css/hotline.css"):
        headers = app.test_client().get(path, headers=PAGE).headers
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'self'"
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert not {"script-src", "style-src"} & set(policy), "they fall back to default-src"
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(HOTLINE / "templates")))
def test_a_template_holds_no_inline_script_or_style_nor_anything_from_elsewhere(template: Path) -> None:
    text = re.sub(r"\{#.*?#\}", "", template.read_text(), flags=re.DOTALL)
    assert not re.search(r"<style|\sstyle=", text), "the policy would ignore it"
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"\son[a-z]+=|hx-on|javascript:|hx-vals=.js|hx-trigger=[^>]*\[", text), "needs eval"
    assert not re.search(r"(?:src|href)=\"?(?:https?:)?//", text), "works on a closed network"


def test_pages_are_not_kept_by_a_shared_computer_but_files_are(app: Flask, client: FlaskClient) -> None:
    assert client.get("/login").headers["Cache-Control"] == "no-store"
    page = client.get("/login").text
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert "max-age=31536000" in answer.headers["Cache-Control"]
        answer.close()


def test_every_vendored_library_has_its_licence() -> None:
    for folder in (HOTLINE / "static" / "vendor").iterdir():
        assert (folder / "LICENSE").stat().st_size > 300, folder


def test_every_icon_that_templates_and_pages_ask_for_is_in_the_sprite() -> None:
    sprite = next((HOTLINE / "static" / "vendor").glob("bootstrap-icons-*/sprite.svg")).read_text()
    drawn = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    asked = {name for path in TEMPLATES for name in re.findall(r'\bicon\("([a-z0-9-]+)"', path.read_text())}
    asked |= {name for path in TEMPLATES for name in re.findall(r'icon_name="([a-z0-9-]+)"', path.read_text())}
    assert asked <= drawn


def test_every_route_says_whom_it_admits(app: Flask) -> None:
    assert undeclared(app) == []


def test_the_style_guide_draws_every_macro(runtime: Runtime) -> None:
    app = create_app(runtime, ("web",))
    add_page(app)
    page = app.test_client().get("/styleguide").text
    kit = (HOTLINE / "templates/ui/kit.html").read_text()
    shown = (Path(__file__).parent / "styleguide.html").read_text()
    assert "待签收" in page and "还剩" in page and "已超 1天2小时" in page
    for name in re.findall(r"macro (\w+)\(", kit):
        inside_others = len(re.findall(rf"\b{name}\(", kit)) > 1
        assert inside_others or f"ui.{name}(" in shown, f"{name} is drawn nowhere"


def test_words_shown_are_escaped(app: Flask) -> None:
    with app.test_request_context("/"):
        page = render_template_string(
            KIT + "{{ ui.field('a', 'A', '<b>\"x') }}{{ ui.toast('<i>') }}{{ ui.said('caller', '<u>', '1') }}"
            "{{ ui.facts([('<s>', '<s>')]) }}{{ ui.masked('<q>', '/x') }}"
        )
    assert not re.search(r"<(b|i|u|s|q)>", page.replace("<i>识别中</i>", ""))


def test_a_field_with_a_fault_says_it_to_readers_too_and_keeps_what_was_typed(app: Flask) -> None:
    with app.test_request_context("/"):
        page = render_template_string(
            KIT + "{{ ui.field('phone', '电话', '1990000', error='少了 4 位', help='手机或座机') }}"
        )
    assert 'aria-describedby="f-phone-error f-phone-help"' in page
    assert 'aria-invalid="true"' in page and 'value="1990000"' in page and "少了 4 位" in page


def test_what_was_said_after_a_post_is_shown_once_with_its_undo(runtime: Runtime, user: MakeUser) -> None:
    app = create_app(runtime, ("web",))
    app.add_url_rule("/say", "say", public(lambda: (pages.toast("已签收", undo="/undo"), pages.go("/login"))[1]))
    browser = Browser(app.test_client())
    browser.get("/say")
    first, second = browser.get("/login").text, browser.get("/login").text
    assert "已签收" in first and 'action="/undo"' in first
    assert "已签收" not in second


def test_readiness_names_each_part_and_only_the_database_decides(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json["ready"] is True
    assert answer.json["database"] == {"ok": True, "word": "正常"}
    assert answer.json["model"]["ok"] is False, "calls go on without a model"
    assert client.get("/healthz").json == {"ok": True}


def test_figures_count_requests_by_rule_and_not_by_path(client: FlaskClient) -> None:
    client.get("/login?name=19900001234")
    text = client.get("/metrics").text
    assert 'rule="/login"' in text
    assert "19900001234" not in text


def test_a_request_has_an_id_that_a_proxy_may_choose_within_reason(client: FlaskClient) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": "abcd-1234-ef"}).headers["X-Request-Id"] == "abcd-1234-ef"
    assert len(client.get("/healthz", headers={"X-Request-Id": "x\x01y" * 9}).headers["X-Request-Id"]) == 16


def test_the_front_door_leads_everyone_to_their_place(browser: Browser, user: MakeUser) -> None:
    assert browser.get("/").location == "/login"
    user("wang")
    browser.log_in("wang", PASSWORD)
    assert browser.get("/").location == "/desk"


# ---------- how things are written ----------


def test_moments_are_written_in_the_citys_time() -> None:
    late = datetime(2026, 11, 20, 16, 4, tzinfo=UTC)
    assert formats.moment(late, SHANGHAI) == "2026年11月21日 00:04"
    assert formats.day(late, SHANGHAI) == "2026年11月21日"
    assert formats.clock(late, SHANGHAI) == "00:04"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0秒"), (59, "59秒"), (60, "1分"), (3600, "1小时"), (12000, "3小时20分"), (86400, "1天"), (93600, "1天2小时")],
)
def test_durations_name_their_two_largest_parts(seconds: int, words: str) -> None:
    assert formats.duration(seconds) == formats.duration(timedelta(seconds=seconds)) == words


def test_a_running_clock() -> None:
    assert [formats.timer(s) for s in (0, 12, 192, 3729)] == ["0:00", "0:12", "3:12", "1:02:09"]


@pytest.mark.parametrize(
    ("before_noon", "words"),
    [
        (timedelta(seconds=20), "刚刚"),
        (timedelta(minutes=5), "5分钟前"),
        (timedelta(minutes=-20), "20分钟后"),
        (timedelta(hours=3), "今天 09:00"),
        (timedelta(hours=20), "昨天 16:00"),
        (timedelta(hours=-20), "明天 08:00"),
        (timedelta(days=40), "10月12日 12:00"),
        (timedelta(days=400), "2025年10月17日 12:00"),
    ],
)
def test_times_are_relative_near_now(before_noon: timedelta, words: str) -> None:
    assert formats.ago(NOON - before_noon, NOON, SHANGHAI) == words


def test_time_left_turns_amber_in_its_last_fifth_and_red_after() -> None:
    start, deadline = NOON - timedelta(hours=8), NOON + timedelta(hours=2)
    assert formats.time_left(deadline, NOON) == "还剩 2小时"
    assert formats.time_tone(deadline, NOON, start) == "soon"
    assert formats.time_tone(deadline, NOON - timedelta(minutes=1), start) == "plain"
    assert formats.time_tone(deadline, deadline + timedelta(seconds=1), start) == "late"
    assert formats.time_left(deadline, deadline + timedelta(hours=26)) == "已超 1天2小时"
    assert formats.time_used(deadline, NOON, start) == 80
    assert formats.time_used(deadline, deadline + timedelta(days=9), start) == 100
    assert formats.time_used(deadline, NOON, deadline) == 100, "a deadline at its own start is used up"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+8619900001234", "199****1234"),
        ("19900001234", "199****1234"),
        ("+85298765432", "852****5432"),
        ("03182345678", "031****5678"),
        ("12345", "***45"),
        ("", "号码保密"),
        (None, "号码保密"),
        ("anonymous", "号码保密"),
    ],
)
def test_numbers_are_masked(number: str | None, shown: str) -> None:
    assert formats.mask_phone(number) == shown


def test_order_numbers_are_shown_with_their_dashes() -> None:
    assert formats.order_no("2611000427") == formats.order_no(" 2611-00042-7") == "2611-00042-7"
    assert formats.order_no("永兴路") == "永兴路"


def test_every_code_of_the_trade_has_a_word() -> None:
    assert {*Role} <= set(TABLES["role"])
    assert {*Status} == set(SIGNS["state"])
    assert {*SubState} == set(SIGNS["sub_state"])
    assert {*CallbackState} == set(SIGNS["callback"])
    assert {*Holder} == set(TABLES["holder"])
    assert {*Part} == set(TABLES["part"])
    assert {*CallState} == set(SIGNS["call"])
    assert {*Outcome} == set(SIGNS["outcome"])
    assert {*PresenceState} == set(SIGNS["presence"])


def test_every_request_leaves_one_line_with_its_id_and_no_numbers(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO, "hotline.request")
    answer = client.get("/somewhere/2611-00001-3?phone=19900001234", headers={"X-Request-Id": "abc-12345"})
    (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines() if '"hotline.request"' in line]
    assert (line["request_id"], line["status"], line["rule"]) == ("abc-12345", 404, "-")
    assert answer.headers["X-Request-Id"] == "abc-12345"
    assert "19900001234" not in str(line) and "2611" not in str(line)


def test_wrong_settings_stop_the_server_with_every_fault_on_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import hotline.wsgi

    for name in [name for name in os.environ if name.startswith("HOTLINE_")]:
        monkeypatch.delenv(name)
    configured: list[bool] = []
    monkeypatch.setattr(request_log, "configure", lambda: configured.append(True))
    with pytest.raises(SystemExit) as stopped:
        hotline.wsgi.web  # noqa: B018 - building is what is looked at
    assert stopped.value.code == 3
    said = capsys.readouterr().err
    assert "HOTLINE_DATABASE_URL: is not set" in said and "HOTLINE_SECRET_KEY: is not set" in said
    assert configured, "logs go where they should before anything can be wrong"
    with pytest.raises(AttributeError):
        hotline.wsgi.kitchen  # noqa: B018
