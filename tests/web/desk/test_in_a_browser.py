"""The desk under an operator's hands: words arrive while they type, and nothing they typed moves or goes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from hotline.accounts.service import SYSTEM
from hotline.bootstrap import Runtime
from hotline.calls.models import Call
from hotline.calls.states import CallState
from hotline.db import SessionFactory, session_scope
from hotline.gazetteer.service import put_place
from hotline.live.base import Hint
from hotline.units.queries import by_code
from hotline.work_orders import queries as orders
from tests.waiting import PATIENCE_S, until
from tests.web.desk.conftest import WORDS, say
from tests.web.ivr.conftest import Clock

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

pytestmark = pytest.mark.browser


@pytest.fixture
def talking(
    page: Page,
    runtime: Runtime,
    rings: Callable[..., int],
    answered: Callable[[int], None],
    sessions: SessionFactory,
) -> Callable[..., int]:
    """The operator goes ready, is rung and speaks with the caller, by keyboard; the answer is the call's id."""

    def take_a_call(said: str = WORDS) -> int:
        page.keyboard.press("F10")
        expect(page.locator("#bar")).to_contain_text("就绪")
        expect(page.locator(".idle")).to_contain_text("等待来电")
        call_id = rings(said)
        expect(page.locator("#live")).to_contain_text("实时")
        with session_scope(sessions) as session:
            user_id = session.get_one(Call, call_id).offered_to_id
        runtime.bus.publish(Hint(f"desk-{user_id}", "offer"))
        expect(page.locator("[data-ringing]")).to_contain_text(said)

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
    with page.expect_response(f"**/desk/calls/{call_id}/draft"):
        page.evaluate("""() => {
            document.querySelector("#draft [data-key=F9]").click();
            document.getElementById("draft").dispatchEvent(new Event("change", { bubbles: true }));
        }""")
    expect(page.locator("#check .big-number")).to_be_visible()
    with session_scope(sessions) as session:
        assert [order.status for order in orders.of_call(session, call_id)] == ["draft"]


def test_which_of_two_places_is_meant_is_chosen_by_keyboard(
    page: Page, talking: Callable[..., int], sessions: SessionFactory, now: datetime
) -> None:
    with session_scope(sessions) as session:
        for code in ("JZ", "TC"):
            county = by_code(session, code)
            put_place(session, actor=SYSTEM, now=now, name="五洲国际", kind="estate", county=county)
    call_id = talking("五洲国际停水两天了")
    asked = page.locator(".which-place")
    expect(asked).to_contain_text("“五洲国际”不止一处")
    page.keyboard.press("F4")
    expect(asked.get_by_role("button").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    with page.expect_response(lambda answer: answer.url.endswith("/draft")):
        page.keyboard.press("Enter")
    expect(asked).to_have_count(0)
    expect(page.locator("#f-area_code")).to_be_focused()  # where one goes on
    with session_scope(sessions) as session:
        order = orders.of_call(session, call_id)[0]
        assert (order.area_code, order.touched) == ("131102", ["area_code"])


def test_accepting_leads_to_the_call_also_when_the_bar_hears_of_it_first(
    page: Page, app: Flask, runtime: Runtime, rings: Callable[..., int], sessions: SessionFactory
) -> None:
    """The bar's poll once saw "talking" before the answer to 接听 was there, and led the page away from it."""
    arrives, inner = threading.Event(), app.wsgi_app

    def hold_back(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        answer = inner(environ, start)
        if environ["PATH_INFO"].endswith("/accept"):
            arrives.wait(PATIENCE_S)
        return answer

    app.wsgi_app = hold_back  # type: ignore[assignment,method-assign]
    page.keyboard.press("F10")
    expect(page.locator(".idle")).to_contain_text("等待来电")
    call_id = rings()
    with session_scope(sessions) as session:
        desk = f"desk-{session.get_one(Call, call_id).offered_to_id}"
    runtime.bus.publish(Hint(desk, "offer"))
    expect(page.locator("[data-ringing]")).to_be_visible()
    loaded: list[str] = []
    page.on("request", lambda sent: loaded.append(sent.url) if sent.url.endswith("/desk") else None)
    try:
        page.keyboard.press("Enter")
        until(lambda: _state(sessions, call_id) == CallState.TALKING, "accepted call")
        runtime.bus.publish(Hint(desk, "presence"))
        expect(page.locator("#bar [data-state=talking]")).to_be_visible()
        expect(page.locator("[data-ringing]")).to_have_count(0)
    finally:
        arrives.set()
    page.wait_for_url(f"**/desk/calls/{call_id}")
    expect(page.locator("#conversation li")).to_have_count(1)
    assert loaded == []


def _state(sessions: SessionFactory, call_id: int) -> str:
    with session_scope(sessions) as session:
        return session.get_one(Call, call_id).state
