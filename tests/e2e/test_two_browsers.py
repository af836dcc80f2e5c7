"""Two people with a browser each: a citizen at the telephone page, an operator at the desk with a headset.

Each speaks through a recording where the microphone would be. What is asserted went over real sockets: the sound each
side heard, and the words the recogniser made of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, expect

from hotline.demo.stage import Teller
from hotline.demo.story import asked_by_keypad, handle
from hotline.demo.story import order as order_now
from tests.e2e.browsers import (
    CALLER,
    OPERATOR,
    OPERATORS_WORDS,
    Desk,
    Telephone,
    citizen,
    heard,
    hears,
    nothing_heard,
    operator,
    speaking,
    words_of,
)
from tests.e2e.conftest import House
from tests.needs import speech_model

pytestmark = [pytest.mark.browser, pytest.mark.speech]


@pytest.fixture(scope="module", autouse=True)
def ears() -> None:
    """What is said is asked of a recogniser."""
    speech_model()


@pytest.fixture
def telephone(house: House, playwright: Playwright, tmp_path: Path) -> Iterator[Telephone]:
    """A citizen at the exchange's telephone page."""
    with citizen(house, playwright, tmp_path) as somebody:
        yield somebody


@pytest.fixture
def desk(house: House, playwright: Playwright, tmp_path: Path) -> Iterator[Desk]:
    """An operator at the desk, headset connected, ready. What the console complains of fails the test."""
    with operator(house, playwright, *speaking(tmp_path, OPERATOR)) as sitting:
        sitting.mark()
        sitting.connect()
        sitting.says("耳机已连接")
        sitting.ready()
        yield sitting
        assert sitting.complaints == []


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
    assert desk.is_the_same_document()
    page.reload()
    desk.mark()
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

    # the order goes off in mid-call: the page changes, the call goes on
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

    assert desk.is_the_same_document()

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
