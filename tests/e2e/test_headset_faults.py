"""What can go wrong with a headset in a browser: said in words on the desk, and the call goes on or ends cleanly.

The operator's browser is a real one. The caller is a recording on a telephone of the exchange.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect

from hotline.demo.stage import Teller
from tests.e2e.browsers import (
    A_MICROPHONE,
    CALLER,
    ITS_USE_ALLOWED,
    OPERATOR,
    Desk,
    both_hear,
    heard,
    hears,
    lines,
    nothing_heard,
    operator,
    speaking,
)
from tests.e2e.conftest import House
from tests.needs import speech_model

pytestmark = [pytest.mark.browser, pytest.mark.speech]

PHONE = "+8619900000077"
NO_WORKLET = "delete window.AudioWorkletNode;"
# what lies outside of the page, and can fail: its sockets, its microphones
OUTSIDE = """
window.sockets = [];
window.microphones = [];
const Socket = window.WebSocket;
window.WebSocket = class extends Socket {
  constructor(url) { super(window.lineIsDown ? `${url}-that-is-down` : url); window.sockets.push(this); }
};
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  if (window.nothingPluggedIn) throw new DOMException("none", "NotFoundError");
  const stream = await ask(wanted);
  window.microphones.push(...stream.getAudioTracks());
  return stream;
};
window.unplug = () => {
  window.nothingPluggedIn = true;
  window.microphones.forEach((track) => { track.stop(); track.dispatchEvent(new Event("ended")); });
  navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
};
window.plugIn = () => {
  window.nothingPluggedIn = false;
  navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
};
window.cut = (down) => {
  window.lineIsDown = down;
  window.sockets.at(-1).close();
};
"""


@pytest.fixture(scope="module", autouse=True)
def ears() -> None:
    """What is said is asked of a recogniser."""
    speech_model()


@pytest.fixture
def desk(house: House, playwright: Playwright, tmp_path: Path) -> Iterator[Desk]:
    """An operator at the desk with a headset whose line and microphone can fail, ready."""
    house.world.lab("PUT", "handsets/rules", {"rules": []})
    with operator(house, playwright, *speaking(tmp_path, OPERATOR), before=OUTSIDE) as sitting:
        sitting.connect()
        sitting.says("耳机已连接")
        sitting.mark()
        yield sitting
        for one in lines(house, PHONE):  # a caller left over would ring in the next story
            house.world.lab("POST", f"calls/{one['sid']}/hang-up", {})


def calls(house: House) -> str:
    """Somebody calls and speaks, over and over, once they are answered; returns the call's id."""
    script = [{"wait_for": "talking", "timeout_s": 300}, *[{"say_wav": CALLER}, {"wait_s": 1}] * 20]
    return str(house.world.lab("POST", "calls", {"from": PHONE, "to": "12345", "script": script})["sid"])


def in_a_call(desk: Desk) -> str:
    """The operator goes ready, is called and speaks with the caller; returns the caller's line."""
    desk.ready()
    sid = calls(desk.house)
    desk.accept()
    return sid


def ends(teller: Teller, desk: Desk, sid: str) -> None:
    """The operator hangs up, and the caller's line ends too."""
    teller.until(desk.hangs_up, "end of the call")
    teller.until(lambda: _state(desk.house, sid) == "completed", "end of the caller's line")
    desk.page.keyboard.press("F10")
    desk.page.wait_for_url("**/desk")


def _state(house: House, sid: str) -> str:
    return next(str(one["status"]) for one in lines(house, PHONE) if one["sid"] == sid)


# ---- there is no headset to begin with: the operator's other telephone does


@pytest.mark.parametrize(
    ("flags", "before", "words"),
    [
        ((A_MICROPHONE, "--deny-permission-prompts"), "", "麦克风未获允许"),
        ((ITS_USE_ALLOWED,), "", "没有找到麦克风"),
        ((A_MICROPHONE, ITS_USE_ALLOWED), NO_WORKLET, "不支持通话声音处理"),
    ],
    ids=["permission refused", "no microphone", "no AudioWorklet"],
)
def test_without_a_headset_the_desk_says_why_and_calls_come_to_the_seats_own_telephone(
    house: House, playwright: Playwright, teller: Teller, flags: tuple[str, ...], before: str, words: str
) -> None:
    with operator(house, playwright, *flags, before=before) as desk:
        desk.connect()
        desk.says(words)
        desk.says("座席话机")
        rule = {"address": f"client:{desk.seat}", "answer_after_s": 0.2, "script": [{"say_wav": OPERATOR}]}
        house.world.lab("PUT", "handsets/rules", {"rules": [rule]})
        desk.ready()
        desk.says(words)
        sid = calls(house)
        desk.takes_the_call()
        desk.says(words)
        hears(teller, house, sid, OPERATOR)
        ends(teller, desk, sid)
        assert desk.complaints == []


# ---- in mid-call


def test_a_line_that_is_cut_comes_back_by_itself_and_both_hear_each_other_again(desk: Desk, teller: Teller) -> None:
    sid = in_a_call(desk)
    own = desk.line()
    desk.page.evaluate("cut(true)")
    desk.says("耳机断线，正在重连，通话还在")
    desk.page.evaluate("window.lineIsDown = false")
    desk.says("耳机通话中")
    assert desk.line() == own
    both_hear(teller, desk, sid)
    assert desk.is_the_same_document()
    ends(teller, desk, sid)
    desk.says("耳机已连接")


def test_a_line_that_stays_away_is_said_and_the_caller_waits_first_in_line(desk: Desk, teller: Teller) -> None:
    sid = in_a_call(desk)
    desk.page.evaluate("cut(true)")
    desk.says("正在重连，通话还在")
    desk.says("这通电话已断开")
    expect(desk.page.locator("[data-phase=wrap_up], [data-phase=over]")).to_be_visible()
    assert _state(desk.house, sid) == "in-progress"  # they wait
    desk.page.evaluate("window.lineIsDown = false")
    desk.says("耳机已连接")
    desk.page.keyboard.press("F10")  # and is offered the caller at once
    desk.accept()
    both_hear(teller, desk, sid)
    ends(teller, desk, sid)


def test_a_headset_pulled_out_in_mid_call_is_said_and_goes_on_when_it_is_plugged_in(desk: Desk, teller: Teller) -> None:
    sid = in_a_call(desk)
    hears(teller, desk.house, sid, OPERATOR)
    desk.page.evaluate("unplug()")
    desk.says("市民听不到您")
    assert nothing_heard(teller, desk.house, sid)
    since = len(heard(desk.house, desk.line()))
    hears(teller, desk.house, desk.line(), CALLER, since=since)
    desk.page.click("[data-headset-on]")  # too early
    desk.says("没有找到麦克风")
    desk.page.evaluate("plugIn()")
    desk.says("耳机通话中")
    both_hear(teller, desk, sid)
    ends(teller, desk, sid)


def test_a_headset_pulled_out_between_calls_is_said_and_comes_back_by_itself(desk: Desk) -> None:
    desk.page.evaluate("unplug()")
    desk.says("没有找到麦克风")
    desk.page.evaluate("plugIn()")
    desk.says("耳机已连接")


# ---- two windows of one operator


def test_the_call_goes_on_in_the_window_that_takes_it_and_both_say_where_it_is(desk: Desk, teller: Teller) -> None:
    sid = in_a_call(desk)
    other = desk.page.context.new_page()
    other.goto(f"{desk.house.world.web}/desk")
    headset = other.locator("#headset")
    expect(headset).to_contain_text("耳机已在另一个窗口使用")
    desk.says("耳机通话中")  # nothing was taken from it

    take(other)
    expect(headset).to_contain_text("耳机通话中")
    desk.says("耳机已在另一个窗口使用")
    both_hear(teller, desk, sid)

    other.close()  # whoever is left takes the call up by itself
    desk.says("耳机通话中")
    both_hear(teller, desk, sid)
    ends(teller, desk, sid)


def take(page: Page) -> None:
    """Use the headset in this window."""
    page.get_by_role("button", name="改在这里用").click()
