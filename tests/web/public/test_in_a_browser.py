"""A citizen types, on a telephone: answers appear, with keys and without script alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from tests.web.shared.styleguide import serving

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def site(app: Flask, entries: None) -> Iterator[str]:
    """The address of the site."""
    with serving(app) as address:
        yield address


@pytest.fixture
def telephone(chrome: Browser, site: str) -> Iterator[Callable[..., Page]]:
    """Pages of a telephone."""
    with ExitStack() as closing:

        def held(**given: bool) -> Page:
            context = chrome.new_context(viewport=PHONE, base_url=site, **given)  # type: ignore[arg-type]
            closing.callback(context.close)
            return context.new_page()

        yield held


@pytest.fixture
def page(telephone: Callable[..., Page], site: str) -> Iterator[Page]:
    """A telephone at the first page. What the console complains of fails the test."""
    opened = telephone()
    complaints: list[str] = []
    opened.on("pageerror", lambda fault: complaints.append(str(fault)))
    opened.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    opened.goto(f"{site}/answers")
    yield opened
    assert complaints == []


def test_answers_appear_while_somebody_types_and_the_address_can_be_sent_on(page: Page, site: str) -> None:
    page.locator("#q").press_sequentially("井盖")
    expect(page.locator("#found .item")).to_have_count(1)
    expect(page.locator("#found mark")).to_have_text("井盖")
    expect(page.locator(".kinds")).to_be_hidden()
    page.wait_for_url(re.compile(r"/answers/search\?q=%E4%BA%95%E7%9B%96"))
    page.reload()
    expect(page.locator("#found .item")).to_have_count(1)
    page.locator("#found .item a").click()
    expect(page.locator("h1")).to_have_text("井盖丢失怎么反映")
    page.go_back()
    expect(page.locator("#q")).to_have_value("井盖")


def test_keys_lead_from_the_box_through_the_answers_and_back(page: Page) -> None:
    page.locator("#q").press_sequentially("路灯不亮找谁修")
    first = page.locator("#found .item a").first
    expect(first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("路灯不亮找谁修")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()


def test_who_says_where_they_live_sees_what_holds_there(page: Page) -> None:
    expect(page.locator(".kinds li", has_text="市政设施").locator("b")).to_have_text("2")
    page.select_option("#area", "131102")
    expect(page.locator(".kinds li", has_text="市政设施").locator("b")).to_have_text("1")
    expect(page.locator("#area")).to_have_value("131102")
    page.locator("#q").press_sequentially("路灯不亮")
    expect(page.locator("#found .none")).to_be_visible()
    page.select_option("#area", "131103")
    expect(page.locator("#found .item")).to_have_count(1)


def test_an_answer_is_read_and_printed(page: Page) -> None:
    page.goto(page.url + "/entry/K1")
    expect(page.locator("[data-print]")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator(".search")).to_be_hidden()
    expect(page.locator(".answer")).to_be_visible()


def test_without_script_the_search_is_a_plain_form(telephone: Callable[..., Page], site: str) -> None:
    page = telephone(java_script_enabled=False)
    page.goto(f"{site}/answers")
    page.fill("#q", "井盖丢失")
    page.select_option("#area", "131102")
    page.press("#q", "Enter")
    expect(page.locator("#found .item")).to_have_count(1)
    expect(page.locator("#area")).to_have_value("131102")
    page.fill("#q", "？？")
    page.click("button[type=submit]")
    expect(page.locator("#found .none")).to_be_visible()


def test_who_types_too_much_is_told_so(telephone: Callable[..., Page], site: str) -> None:
    page = telephone()
    page.goto(f"{site}/answers")
    page.locator("#q").press_sequentially("井盖")
    expect(page.locator("#found .item")).to_have_count(1)
    page.route("**/answers/search**", lambda route: route.fulfill(status=429, body=""))
    page.locator("#q").press_sequentially("丢失")
    expect(page.locator("#found")).to_have_text("查找得太快了，请稍等一会儿再试。")
