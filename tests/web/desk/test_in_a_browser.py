"""The desk under an operator's hands: words arrive while they type, and nothing they typed moves or goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect, sync_playwright

from hotline.bootstrap import Runtime
from hotline.calls.models import Call
from hotline.db import SessionFactory, session_scope
from hotline.live.base import Hint
from hotline.work_orders import queries as orders
from tests.needs import chromium
from tests.web.desk.conftest import PASSWORD, WORDS, Desk, say
from tests.web.ivr.conftest import Clock
from tests.web.shared.styleguide import FLAGS, serving

pytestmark = pytest.mark.browser
expect.set_options(timeout=15_000)  # a machine under load; what comes comes at once


@pytest.fixture
def page(app: Flask, desk: Callable[..., Desk]) -> Iterator[Page]:
    """An operator's browser, logged in. What the console complains of fails the test."""
    desk()
    with serving(app) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium()), args=FLAGS)
        opened = browser.new_page(viewport={"width": 1440, "height": 900})
        complaints: list[str] = []
        opened.on("pageerror", lambda fault: complaints.append(str(fault)))
        opened.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        opened.goto(f"{address}/login")
        opened.fill("[name=username]", "wang")
        opened.fill("[name=password]", PASSWORD)
        opened.press("[name=password]", "Enter")
        opened.wait_for_url("**/desk")
        yield opened
        browser.close()
    assert complaints == []


@pytest.fixture
def talking(
    page: Page,
    runtime: Runtime,
    rings: Callable[..., int],
    answered: Callable[[int], None],
    sessions: SessionFactory,
) -> Callable[[], int]:
    """The operator goes ready, is rung and speaks with the caller, by keyboard; the answer is the call's id."""

    def take_a_call() -> int:
        page.keyboard.press("F10")
        expect(page.locator("#bar")).to_contain_text("就绪")
        expect(page.locator(".idle")).to_contain_text("等待来电")
        call_id = rings()
        expect(page.locator("#live")).to_contain_text("实时")
        with session_scope(sessions) as session:
            user_id = session.get_one(Call, call_id).offered_to_id
        runtime.bus.publish(Hint(f"desk-{user_id}", "offer"))
        expect(page.locator("[data-ringing]")).to_contain_text("停水两天")

        page.keyboard.press("Enter")
        page.wait_for_url(f"**/desk/calls/{call_id}")
        expect(page.locator("#conversation li")).to_have_count(1)
        answered(call_id)
        expect(page.locator("#live")).to_contain_text("实时")
        runtime.bus.publish(Hint(f"call-{call_id}", "state"))
        expect(page.locator("[data-phase=talking]")).to_be_visible()
        return call_id

    return take_a_call


def test_a_whole_call_by_keyboard_while_words_arrive(
    page: Page, runtime: Runtime, talking: Callable[[], int], sessions: SessionFactory, clock: Clock
) -> None:
    call_id = talking()
    page.focus("#f-desired_result")
    page.keyboard.type("尽快")
    with session_scope(sessions) as session:
        say(session, call_id, "五号楼三单元", at=clock(), start_ms=9000)
    runtime.bus.publish(Hint(f"call-{call_id}", "utterance"))
    expect(page.locator("#conversation li")).to_have_count(2)
    expect(page.locator("#f-content")).to_have_value(f"市民反映：{WORDS.replace('，', '')}，五号楼三单元。")
    page.keyboard.type("恢复供水")  # the cursor is where it was
    expect(page.locator("#f-desired_result")).to_have_value("尽快恢复供水")

    page.keyboard.press("Alt+1")
    expect(page.locator(".answer.is-used")).to_be_visible()
    page.keyboard.press("F9")
    expect(page.locator("#check .big-number")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(".settled .big-number")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-end-words]")).to_contain_text("再按一次")
    page.keyboard.press("Escape")
    expect(page.locator("[data-phase=wrap_up]")).to_be_visible()
    page.keyboard.press("F10")
    page.wait_for_url("**/desk")
    with session_scope(sessions) as session:
        order = orders.of_call(session, call_id)[0]
        assert (order.desired_result, order.touched) == ("尽快恢复供水", ["desired_result"])


def test_saving_by_itself_never_sends_the_order_off(
    page: Page, talking: Callable[[], int], sessions: SessionFactory
) -> None:
    """The draft's own saving once went where the last pressed button leads: F9 within a second of typing submitted."""
    call_id = talking()
    # F9 while a change still waits to be saved: both within one turn, so that no machine is too quick to see it
    with page.expect_response(lambda answer: answer.request.method == "POST" and "/check" not in answer.url) as saved:
        page.evaluate("""() => {
            document.querySelector("#draft [data-key=F9]").click();
            document.getElementById("draft").dispatchEvent(new Event("change", { bubbles: true }));
        }""")
    expect(page.locator("#check .big-number")).to_be_visible()
    assert saved.value.url.endswith(f"/desk/calls/{call_id}/draft")
    with session_scope(sessions) as session:
        assert [order.status for order in orders.of_call(session, call_id)] == ["draft"]
