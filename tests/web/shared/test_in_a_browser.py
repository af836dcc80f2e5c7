"""What only a real browser shows: the policy holds, keys work, the live line comes, goes and comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask, render_template_string
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from hotline.accounts.models import User
from hotline.app import create_app
from hotline.bootstrap import Runtime
from hotline.db import SessionFactory, key_ring, session_scope
from hotline.live.base import Hint
from hotline.web import sse
from hotline.web.access import public, roles
from tests.waiting import until
from tests.web.shared.conftest import PASSWORD, MakeUser
from tests.web.shared.styleguide import add_page, serving

pytestmark = pytest.mark.browser

LIVE_PAGE = """
{% extends "base.html" %}
{% block body_attrs %} data-live="queue"{% endblock %}
{% block main %}<h1>Q</h1>
<div id="part" hx-get="/part" hx-trigger="queue-changed from:body, refresh from:body">old</div>
{% endblock %}
"""


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    app = create_app(runtime, ("web",))
    add_page(app)
    asked: list[int] = []

    def part() -> str:
        asked.append(1)
        return f"asked {len(asked)} times"

    app.add_url_rule("/live-page", "live_page", roles()(lambda: render_template_string(LIVE_PAGE)))
    app.add_url_rule("/part", "part", public(part))
    sse.init_app(app, {"queue": lambda *_: True}, slots=1, heartbeat_s=0.2)
    return app


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Where the app is served."""
    with serving(app) as found:
        yield found


@pytest.fixture
def page(chrome: Browser, address: str, user: MakeUser) -> Iterator[Page]:
    """A logged-in operator's tab; whatever the browser complained of fails the test."""
    user("wang")
    context = chrome.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda fault: complaints.append(str(fault)))
    page.goto(f"{address}/login?next=/password")
    page.fill("[name=username]", "wang")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="修改密码")).to_be_visible()
    yield page
    context.close()
    expected = ("Failed to load resource", "net::ERR")  # said by tests that take the server away
    assert [text for text in complaints if not any(word in text for word in expected)] == []


def test_the_whole_kit_lives_under_the_policy(page: Page, address: str) -> None:
    page.goto(f"{address}/styleguide")
    expect(page.locator(".timeleft").first).to_contain_text("已超")
    policy_faults = page.evaluate("document.querySelectorAll('[style]').length")
    assert policy_faults == 0


def test_a_list_is_walked_by_arrows_and_function_keys_work_while_typing(page: Page, address: str) -> None:
    page.goto(f"{address}/styleguide")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="德政大道路灯近一年不亮")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("link", name="永兴路五洲国际小区")).to_be_focused()
    page.locator("[name=reply]").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[name=reply]")).to_be_focused()
    page.keyboard.press("F7")
    expect(page.get_by_role("dialog", name="申请退回")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_theme_is_kept_for_the_next_page(page: Page, address: str) -> None:
    page.goto(f"{address}/styleguide")
    page.get_by_role("button", name="切换深浅色").click()
    page.goto(f"{address}/password")
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"


def test_a_hint_makes_a_part_of_the_page_true_again(page: Page, address: str, app: Flask, runtime: Runtime) -> None:
    page.goto(f"{address}/live-page")
    page.evaluate("document.body.addEventListener('queue-changed', (e) => { window.heard = e.detail.text; })")
    expect(page.locator("#live")).to_contain_text("实时")
    expect(page.locator("#part")).to_have_text("asked 1 times")  # once the line stands: what was said before is there

    def told() -> bool:
        runtime.bus.publish(Hint("queue", "queue-changed", key_ring().encrypt("三人等候".encode())))
        return page.evaluate("window.heard") == "三人等候"

    until(told, "the hint")
    expect(page.locator("#part")).not_to_have_text("asked 1 times")


def test_a_page_that_finds_the_house_full_says_so_and_polls(page: Page, address: str, app: Flask) -> None:
    lines: sse.Lines = app.extensions["hotline_lines"]
    assert lines.take(), "somebody else holds the only slot"
    page.goto(f"{address}/live-page")
    expect(page.locator("#live")).to_contain_text("连接中断，每3秒刷新")
    expect(page.locator("#part")).to_contain_text("asked")


def test_logging_out_in_one_tab_closes_the_others(page: Page, address: str) -> None:
    other = page.context.new_page()
    other.goto(f"{address}/live-page")
    page.locator(".who summary").click()
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url("**/login")
    other.wait_for_url(re.compile("/login.next="))
    other.close()


def test_a_password_changed_elsewhere_takes_a_live_page_to_the_door(
    page: Page, address: str, sessions: SessionFactory
) -> None:
    page.goto(f"{address}/live-page")
    expect(page.locator("#live")).to_contain_text("实时")
    with session_scope(sessions) as session:
        session.scalars(select(User)).one().session_version += 1
    page.wait_for_url(re.compile("/login.next="))
