"""The desk changes its pages while a telephone lives in them: the carrier's own library, which hangs up with the page.

``Twilio.Device`` is a stand-in that writes down what is asked of it. The service itself is not reached from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask
from playwright.sync_api import Page, Route, expect

from hotline.bootstrap import Runtime
from hotline.calls import service
from hotline.calls.models import Call
from hotline.db import SessionFactory, session_scope
from hotline.live.base import Hint
from hotline.telephony.base import HeadsetPass
from hotline.telephony.simulated import SimulatedTelephony
from hotline.work_orders.states import Status
from tests.chromium import Launch
from tests.factories import calls as make
from tests.factories.orders import caller, order_at
from tests.factories.units import City
from tests.web.desk.conftest import Desk, sitting_at

pytestmark = pytest.mark.browser

A_MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
STAND_IN = """
window.asked = [];
const ask = (word) => window.asked.push(word);
class Speaking {
  told = {};
  on(kind, fn) { (this.told[kind] ||= []).push(fn); }
  emit(kind, ...what) { for (const fn of this.told[kind] || []) fn(...what); }
}
class Call extends Speaking {
  parameters = { CallSid: "CA1", From: "12345" };
  accept() { ask("accept"); this.emit("accept", this); }
  mute(on) { ask(on ? "mute" : "unmute"); }
  disconnect() { ask("disconnect"); this.emit("disconnect", this); }
  getLocalStream() { return undefined; }
}
class Device extends Speaking {
  audio = {
    incoming: (on) => ask(`incoming ${on}`),
    outgoing: (on) => ask(`outgoing ${on}`),
    disconnect: (on) => ask(`disconnect ${on}`),
  };
  constructor(token) { super(); ask(`device ${token}`); window.device = this; }
  async register() { ask("register"); this.emit("registered"); }
  destroy() { ask("destroy"); this.emit("unregistered"); }
}
window.Twilio = { Device };
window.ringUp = () => { window.call = new Call(); window.device.emit("incoming", window.call); };
"""
BEGINNING = ["device pass-of-seat07", "incoming false", "outgoing false", "disconnect false", "register"]


class RealService(SimulatedTelephony):
    """A carrier whose headset is its own library."""

    def headset_pass(self, name: str) -> HeadsetPass | None:
        """As for the real service: no address of ours to connect to."""
        return HeadsetPass("twilio", f"pass-of-{name}", "", 3600)


@pytest.fixture
def telephony() -> SimulatedTelephony:
    """The carrier of this file's stories."""
    return RealService()


@dataclass
class Seat:
    """An operator's page, and what the carrier's library in it was asked."""

    page: Page
    expected: list[str] = field(default_factory=list)
    """What the console may complain of, whenever it does: the browser notes every refused answer."""

    def says(self, words: str) -> None:
        """See these words beside the headset."""
        expect(self.page.locator("#headset")).to_contain_text(words)

    def asked(self) -> list[str]:
        """What was asked of the library, in order, after it was registered."""
        found: list[str] = self.page.evaluate("window.asked")
        assert found[: len(BEGINNING)] == BEGINNING
        return found[len(BEGINNING) :]

    def same_document(self) -> bool:
        """Whether no page was loaded since the headset was connected."""
        return bool(self.page.evaluate("Boolean(window.device)"))


@pytest.fixture
def seat(app: Flask, launch: Launch, desk: Callable[..., Desk]) -> Iterator[Seat]:
    """An operator, logged in, headset connected. What the console complains of fails the test."""
    with sitting_at(app, launch(*A_MICROPHONE), desk(), STAND_IN) as (page, complaints):
        sitting = Seat(page)
        sitting.says("耳机未连接")
        page.click("[data-headset-on]")
        sitting.says("耳机已连接")
        yield sitting
    assert [one for one in complaints if not any(word in one for word in sitting.expected)] == []


@pytest.fixture
def in_a_call(
    seat: Seat,
    runtime: Runtime,
    rings: Callable[..., int],
    answered: Callable[[int], None],
    sessions: SessionFactory,
) -> Callable[[], int]:
    """The operator goes ready, accepts, is rung by the carrier and speaks; the answer is the call's id."""

    def take_a_call() -> int:
        page = seat.page
        page.keyboard.press("F10")
        expect(page.locator(".idle")).to_contain_text("等待来电")
        call_id = rings()
        expect(page.locator("#live")).to_contain_text("实时")
        with session_scope(sessions) as session:
            user_id = session.get_one(Call, call_id).offered_to_id
        runtime.bus.publish(Hint(f"desk-{user_id}", "offer"))
        expect(page.locator("[data-ringing]")).to_be_visible()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/desk/calls/{call_id}")
        page.evaluate("ringUp()")
        answered(call_id)
        runtime.bus.publish(Hint(f"call-{call_id}", "state"))
        expect(page.locator("[data-phase=talking]")).to_be_visible()
        seat.says("耳机通话中")
        return call_id

    return take_a_call


def test_one_document_from_ready_to_the_end_and_the_library_is_asked_in_this_order(
    seat: Seat, in_a_call: Callable[[], int]
) -> None:
    page = seat.page
    in_a_call()
    page.keyboard.press("F2")
    seat.says("已静音")
    page.keyboard.press("F2")
    seat.says("耳机通话中")

    page.keyboard.press("F9")
    expect(page.locator("#check .big-number")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(".settled .big-number")).to_be_visible()
    seat.says("耳机通话中")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("[data-phase=wrap_up]")).to_be_visible()
    page.evaluate("call.emit('disconnect', call)")  # the carrier closes the line, as it was asked to
    seat.says("耳机已连接")
    page.keyboard.press("F10")
    page.wait_for_url("**/desk")

    assert seat.same_document()
    page.click("[data-headset-off]")
    seat.says("耳机未连接")
    assert seat.asked() == ["accept", "unmute", "mute", "unmute", "destroy"]


def test_the_back_button_and_links_change_the_page_and_not_the_document(
    seat: Seat, in_a_call: Callable[[], int]
) -> None:
    page = seat.page
    call_id = in_a_call()
    assert page.title().startswith("199****")
    assert page.evaluate("document.activeElement.id") == "main"
    page.fill("#f-title", "停水两天")
    page.click(".brand")  # what was typed is saved first
    page.wait_for_url("**/desk")
    expect(page.locator("#f-title")).to_have_value("停水两天")  # the call in hand is what the desk shows
    page.go_back()
    page.wait_for_url(f"**/desk/calls/{call_id}")
    expect(page.locator("#f-title")).to_have_value("停水两天")
    page.go_back()
    page.wait_for_url("**/desk")
    page.go_forward()
    page.wait_for_url(f"**/desk/calls/{call_id}")
    expect(page.locator("#page-said")).to_have_text(page.title())
    assert seat.same_document()
    seat.says("耳机通话中")
    assert seat.asked() == ["accept", "unmute"]


def test_an_order_that_is_refused_is_shown_again_on_the_same_document_and_a_fault_too(
    seat: Seat, in_a_call: Callable[[], int], app: Flask
) -> None:
    page = seat.page
    in_a_call()
    page.fill("#f-title", "")
    page.evaluate("""() => {
        const send = document.createElement("button");
        Object.assign(send, { type: "submit", id: "unchecked", formAction: location.pathname + "/submit" });
        document.getElementById("draft").append(send);
        document.getElementById("f-content").value = "";
        send.click();
    }""")
    expect(page.locator("[aria-invalid=true]").first).to_be_focused()
    seat.expected.append("status of 422")
    app.view_functions["desk.call"] = lambda call_id: 1 / 0  # type: ignore[assignment]
    page.evaluate("window.hotline.visit(location.href)")
    expect(page.locator("#main")).to_contain_text("系统出错了")
    seat.says("耳机通话中")
    seat.expected.append("status of 500")
    assert seat.same_document()
    assert seat.asked() == ["accept", "unmute"]


def test_an_order_beside_the_call_is_withdrawn_without_the_call_leaving_the_screen(
    seat: Seat, in_a_call: Callable[[], int], sessions: SessionFactory, town: City
) -> None:
    """The caller takes an older order back while they speak: a box left unticked once took the whole desk away."""
    with session_scope(sessions) as session:
        number = order_at(session, town, Status.IN_HAND_TIER3, who=caller(session, phone=make.PHONE)).order_no
    page = seat.page
    call_id = in_a_call()
    peek, talk = page.locator("#peek"), page.locator("#conversation")
    page.fill("#f-desired_result", "尽快来水")
    page.locator(f"#caller a[href*='{number}']").click()
    peek.get_by_role("button", name="补充情况").click()  # nothing was written
    seat.expected.append("422")
    expect(peek.locator("[name=text]")).to_be_focused()
    expect(peek.locator(".error")).to_be_visible()

    peek.locator("details.known-act summary").click()
    peek.locator("[name=reason]").fill("已经来水")
    take_back, tick = peek.get_by_role("button", name="撤诉"), peek.locator("[name=read_back_ok]")
    take_back.click()
    expect(tick).to_be_focused()  # the browser asks for it
    tick.evaluate("box => { box.required = false; }")
    take_back.click()  # and so does the house
    expect(peek).to_contain_text("复述")
    expect(peek.locator("[name=reason]")).to_have_value("已经来水")
    expect(talk).to_be_visible()
    expect(page.locator("#f-desired_result")).to_have_value("尽快来水")

    tick.check()
    take_back.click()
    expect(page.locator("#toasts")).to_contain_text("已撤诉")
    expect(talk).to_be_visible()
    assert page.url.endswith(f"/desk/calls/{call_id}")
    seat.says("耳机通话中")
    assert seat.same_document()


def test_a_fault_between_calls_is_shown_where_one_works_and_nothing_is_asked_twice(seat: Seat, app: Flask) -> None:
    asked: list[str] = []

    def fail() -> str:
        asked.append("desk")
        raise RuntimeError("the database is away")

    app.view_functions["desk.page"] = fail  # type: ignore[assignment]
    seat.page.evaluate("window.hotline.visit('/desk')")
    expect(seat.page.locator("#main")).to_contain_text("系统出错了")
    seat.says("耳机已连接")
    seat.expected.append("status of 500")
    assert seat.same_document()
    assert asked == ["desk"]


def test_a_page_that_is_left_for_good_hangs_up_before_the_library_is_ended(
    seat: Seat, in_a_call: Callable[[], int]
) -> None:
    in_a_call()
    seat.page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide'))")
    assert seat.asked() == ["accept", "unmute", "disconnect", "destroy"]


def test_a_part_asked_of_a_page_that_is_gone_loads_no_document(
    seat: Seat, in_a_call: Callable[[], int], runtime: Runtime, sessions: SessionFactory
) -> None:
    page = seat.page
    call_id = in_a_call()
    late: list[Route] = []

    def hold(route: Route) -> None:
        late.append(route)

    page.route("**/suggestions", hold)
    page.evaluate("document.body.dispatchEvent(new CustomEvent('refresh'))")
    until(page, lambda: late)

    with session_scope(sessions) as session:  # the operator's line falls: the caller is theirs no more
        service.return_to_queue(session, call_id=call_id, now=runtime.now(), why="headset")
    runtime.bus.publish(Hint(f"call-{call_id}", "state"))
    page.wait_for_url("**/desk")
    loaded: list[str] = []
    page.on("request", lambda one: loaded.append(one.url) if one.is_navigation_request() else None)
    with page.expect_response("**/suggestions") as answer:
        late.pop().continue_()
    assert answer.value.headers["hx-redirect"] == "/desk"
    page.evaluate("document.body.dispatchEvent(new CustomEvent('refresh'))")
    with page.expect_response("**/desk/ring"):
        page.evaluate("document.body.dispatchEvent(new CustomEvent('offer'))")
    assert loaded == []
    assert seat.same_document()
    seat.expected.append("status of 404")  # the conversation is found no more


def until(page: Page, condition: Callable[[], object]) -> None:
    """Let the browser work until it is so."""
    for _ in range(200):
        if condition():
            return
        page.evaluate("new Promise(requestAnimationFrame)")
    raise AssertionError("it never came")
