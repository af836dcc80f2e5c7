"""Two people with a browser each: a citizen at the telephone page, an operator at the desk with a headset.

Each speaks through a recording where the microphone would be. What is asserted went over real sockets: the sound each
side heard, and the words the recogniser made of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from hotline.demo.story import Recorded, Teller, asked_by_keypad, handle
from hotline.demo.story import order as order_now
from tests.e2e import voices
from tests.e2e.conftest import House
from tests.needs import chromium, speech_model

pytestmark = [pytest.mark.browser, pytest.mark.speech]

WITHIN_MS = 40_000
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
    # sound flows in a page nobody looks at, as it does in one somebody does
    *("--disable-background-timer-throttling", "--disable-renderer-backgrounding"),
]
CALLER, OPERATOR = "callers/d15.wav", "operator/o01.wav"
OPERATORS_WORDS = ("您好", "热线", "什么", "可以", "帮")
ALIKE = 0.6
ALONE_S = 2.0


@dataclass
class Telephone:
    """The citizen's browser."""

    page: Page
    house: House
    who: Recorded

    def dial(self) -> str:
        """Dial 12345; returns the call's id."""
        self.page.fill("#from", self.who.phone)
        self.page.fill("#to", "12345")
        self.page.click("#dial")
        expect(self.page.locator("#hang-up")).to_be_enabled()
        return str(lines(self.house, self.who.phone)[0]["sid"])


@dataclass
class Desk:
    """The operator's browser."""

    page: Page
    house: House
    seat: str

    def says(self, words: str) -> None:
        """See these words beside the headset."""
        expect(self.page.locator("#headset")).to_contain_text(words)

    def line(self) -> str:
        """The id of the operator's own line."""
        return str(lines(self.house, f"client:{self.seat}")[0]["sid"])

    def accept(self) -> None:
        """Wait for the offer, press Enter and speak: the headset answers by itself."""
        expect(self.page.locator("[data-ringing]")).to_be_visible()
        self.page.keyboard.press("Enter")
        self.says("耳机通话中")
        expect(self.page.locator("[data-phase=talking]")).to_be_visible()

    def hangs_up(self) -> bool:
        """Press Esc twice. Whether that ended the call: a machine under load may take longer than the 1.5 s allowed."""
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Escape")
        return self.page.locator("[data-phase=wrap_up]").count() > 0


def lines(house: House, handset: str) -> list[dict[str, Any]]:
    """What the exchange knows of this telephone's calls, newest first."""
    found: list[dict[str, Any]] = house.world.lab("GET", f"calls?handset={handset.replace('+', '%2B')}")["calls"]
    return found


def heard(house: House, sid: str) -> voices.Sound:
    """What this line heard so far."""
    answer = requests.get(f"{house.world.exchange}/lab/calls/{sid}/heard.wav", timeout=10)
    answer.raise_for_status()
    return voices.read(answer.content)


def words_of(house: House, sid: str, track: str) -> str:
    """What the recogniser wrote down of one side."""
    return "".join(one["text"] for one in house.world.call(sid).get("utterances", []) if one["track"] == track)


def nothing_heard(teller: Teller, house: House, sid: str) -> bool:
    """Whether this line hears nothing at all for a while from now on. The mouth and the wire may hold 0.8 s."""
    begin = len(heard(house, sid)) + int(0.8 * voices.LINE_HZ)
    enough = begin + int(ALONE_S * voices.LINE_HZ)
    teller.until(lambda: len(heard(house, sid)) >= enough, "sound of so many seconds")
    return voices.silent(heard(house, sid)[begin:enough])


def hears(teller: Teller, house: House, sid: str, said: str, *, since: int = 0) -> None:
    """See that this line hears that recording, after the first ``since`` samples."""
    voice = voices.recorded(said)
    best = 0.0

    def alike() -> bool:
        nonlocal best
        best = max(best, voices.likeness(heard(house, sid)[since:], voice))
        return best > ALIKE

    teller.until(alike, f"sound like {said} on the other line")


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Drives both browsers."""
    speech_model()
    with sync_playwright() as running:
        yield running


def browser(playwright: Playwright, microphone: Path) -> Browser:
    """A browser of its own whose microphone hears this file, over and over."""
    flags = [*FLAGS, f"--use-file-for-fake-audio-capture={microphone}"]
    return playwright.chromium.launch(executable_path=str(chromium()), args=flags)


@pytest.fixture
def telephone(house: House, playwright: Playwright, tmp_path: Path) -> Iterator[Telephone]:
    """A citizen at the exchange's telephone page."""
    house.world.lab("PUT", "handsets/rules", {"rules": []})
    running = browser(playwright, voices.for_browser(tmp_path / "caller.wav", [CALLER]))
    page = running.new_page()
    page.set_default_timeout(WITHIN_MS)
    page.goto(house.world.exchange)
    yield Telephone(page, house, Recorded.named(CALLER.removeprefix("callers/")))
    running.close()


@pytest.fixture
def desk(house: House, playwright: Playwright, tmp_path: Path) -> Iterator[Desk]:
    """An operator at the desk, headset connected, ready. What the console complains of fails the test."""
    running = browser(playwright, voices.for_browser(tmp_path / "operator.wav", [OPERATOR]))
    page = running.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(WITHIN_MS)
    complaints: list[str] = []
    page.on("pageerror", lambda fault: complaints.append(str(fault)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(f"{house.world.web}/login")
    page.fill("[name=username]", "op02")
    page.fill("[name=password]", house.world.password)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/desk")
    if page.get_by_text("在此接管").count():  # the browser of the test before was closed without a word
        page.keyboard.press("Enter")
        page.wait_for_selector("#headset")
        complaints.clear()  # the page that says so answers 409
    sitting = Desk(page, house, page.locator("#headset").get_attribute("data-seat") or "")
    sitting.says("耳机未连接")
    page.click("[data-headset-on]")
    sitting.says("耳机已连接")
    page.keyboard.press("F10")
    expect(page.locator(".idle")).to_contain_text("等待来电")
    sitting.says("耳机已连接")  # on a page loaded anew by itself
    yield sitting
    running.close()
    assert complaints == []


@pytest.fixture(autouse=True)
def patient() -> Iterator[None]:
    """A machine under load; what comes comes at once."""
    expect.set_options(timeout=WITHIN_MS)
    yield
    expect.set_options(timeout=5_000)


def test_from_dialling_to_the_evaluation_both_speak_and_hear_with_a_browser(
    house: House, teller: Teller, telephone: Telephone, desk: Desk
) -> None:
    page = desk.page
    sid = telephone.dial()
    teller.until(lambda: telephone.who.keywords[0] in words_of(house, sid, "caller"), "words said while waiting")
    desk.accept()

    # both hear what the other says, and so does the recogniser
    hears(teller, house, sid, OPERATOR)
    hears(teller, house, desk.line(), CALLER)
    teller.until(lambda: sum(one in words_of(house, sid, "operator") for one in OPERATORS_WORDS) >= 3, "her words")
    assert sum(one in words_of(house, sid, "caller") for one in telephone.who.keywords) >= 3

    # on hold the caller hears nothing of the desk, and the page still says so when it is loaded anew
    page.keyboard.press("F3")
    expect(page.locator("#hold")).to_contain_text("保持中")
    assert nothing_heard(teller, house, sid)
    page.reload()
    expect(page.locator("#hold")).to_contain_text("保持中")
    page.keyboard.press("F3")  # a page loaded anew by hand may not sound before it was touched
    desk.says("耳机通话中")
    expect(page.locator("#hold")).not_to_contain_text("保持中")
    since = len(heard(house, sid))
    hears(teller, house, sid, OPERATOR, since=since)

    # muted, too, but she still hears the caller
    page.keyboard.press("F2")
    desk.says("已静音")
    since = len(heard(house, desk.line()))
    assert nothing_heard(teller, house, sid)
    hears(teller, house, desk.line(), CALLER, since=since)
    page.keyboard.press("F2")
    desk.says("耳机通话中")

    # the order goes off in mid-call: the page is loaded anew, the call goes on
    page.select_option("#f-demand_type", "help")
    page.select_option("#f-category_code", "CJ-LD")
    page.select_option("#f-area_code", "131124002")
    page.fill("#f-address", "饶阳县大尹村镇")
    page.fill("#f-title", "大尹村镇路灯不亮")
    page.fill("#f-content", "市民反映：大尹村镇的路灯一个月没亮了。")
    page.fill("#f-desired_result", "尽快修好路灯")
    page.check("#f-read_back_ok")
    page.keyboard.press("F9")
    expect(page.locator("#check .big-number")).to_be_visible()
    page.keyboard.press("Enter")
    number = page.locator(".settled .big-number").inner_text()
    desk.says("耳机通话中")
    since = len(heard(house, sid))
    hears(teller, house, sid, OPERATOR, since=since)

    teller.until(desk.hangs_up, "end of the call")
    expect(telephone.page.locator("#state")).to_have_text("通话结束")
    desk.says("耳机已连接")
    page.keyboard.press("F10")
    page.wait_for_url("**/desk")

    handle(teller, number)
    evaluated_at_the_telephone(teller, telephone, number)


def evaluated_at_the_telephone(teller: Teller, telephone: Telephone, number: str) -> None:
    """The citizen's telephone rings; they take it and press 1."""
    asked_by_keypad(teller, number)
    page = telephone.page
    page.click("#answer")
    expect(page.locator("#captions")).to_contain_text("满意请按")
    page.click('[data-key="1"]')
    teller.until(lambda: order_now(teller, number)["status"] == "closed", "closed order after the evaluation", 60)
    assert order_now(teller, number)["satisfaction"] == "satisfied"


def test_a_citizen_who_hangs_up_is_seen_on_the_desk(telephone: Telephone, desk: Desk) -> None:
    telephone.dial()
    desk.accept()
    telephone.page.click("#hang-up")
    expect(desk.page.locator("[data-phase=wrap_up]")).to_contain_text("市民已挂断")
    desk.says("耳机已连接")


def test_a_second_window_takes_the_headset_over_and_the_first_one_says_so(desk: Desk) -> None:
    other = desk.page.context.new_page()
    other.goto(f"{desk.house.world.web}/desk")
    expect(other.locator("#headset")).to_contain_text("耳机已连接")
    desk.says("耳机已在另一个窗口使用")
    desk.page.click("[data-headset-on]")
    desk.says("耳机已连接")
    expect(other.locator("#headset")).to_contain_text("耳机已在另一个窗口使用")
