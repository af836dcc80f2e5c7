"""A callback officer calls a citizen back with a headset in the browser; the citizen is a telephone of the exchange."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, expect
from rich.console import Console

from hotline.demo.stage import Recorded, Teller
from hotline.demo.story import accept, callback_of, handle, order, place_call, ready, submit_order, wrapped_up
from tests.e2e.browsers import CALLER, OPERATOR, WITHIN_MS, browser, hears, lines, log_in, speaking
from tests.e2e.conftest import PATIENCE_S, House

pytestmark = pytest.mark.browser

PHONE = "+8619900000088"
SEAT = "client:seat09"


@pytest.fixture
def to_call_back(house: House) -> str:
    """The number of an order whose citizen is to be called; nobody listens to what was said on the way."""
    world = replace(house.world, hears=False)
    teller = Teller(world, Console(), house.supervisor.check, patience_s=PATIENCE_S)
    desk = ready(teller, "op02")
    sid = place_call(teller, replace(Recorded.named("d15.wav"), phone=PHONE), [])
    number = submit_order(teller, desk, accept(teller, desk, sid))
    world.lab("POST", f"calls/{sid}/hang-up", {})
    teller.until(lambda: world.call(sid).get("state") == "ended", "end of the call")
    wrapped_up(teller, desk)
    handle(teller, number)
    return number


def test_the_officer_calls_from_the_browser_and_both_hear_each_other(
    house: House, teller: Teller, to_call_back: str, playwright: Playwright, tmp_path: Path
) -> None:
    world = house.world
    speaks = [{"say_wav": CALLER}] * 6
    rule = {"address": PHONE, "answer_after_s": 0.3, "script": [{"wait_for": "talking"}, *speaks]}
    world.lab("PUT", "handsets/rules", {"rules": [rule]})
    path = callback_of(teller, to_call_back)
    running = browser(playwright, *speaking(tmp_path, OPERATOR))
    page = running.new_page()
    page.set_default_timeout(WITHIN_MS)
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    log_in(page, house, "cbk01", "**/duty")
    page.goto(world.web + path)
    headset = page.locator("#headset")
    expect(headset).to_contain_text("耳机未连接")
    page.click("[data-headset-on]")
    expect(headset).to_contain_text("耳机已连接")

    page.keyboard.press("F2")  # her own call: the headset answers by itself
    expect(headset).to_contain_text("耳机通话中")
    expect(page.locator("#line")).to_contain_text("通话中")
    hears(teller, house, str(lines(house, SEAT)[0]["sid"]), CALLER)
    hears(teller, house, str(lines(house, PHONE)[0]["sid"]), OPERATOR)
    page.keyboard.press("F2")  # in the call the same key mutes
    expect(headset).to_contain_text("已静音")

    page.keyboard.press("F4")
    expect(headset).to_contain_text("耳机已连接")
    expect(page.locator("#line")).to_contain_text("通话已结束")

    page.check("[name=contacted][value=yes]", force=True)  # its picture lies over it
    page.check("[name=satisfaction][value=satisfied]", force=True)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toasts")).to_contain_text("已记录：满意")
    running.close()
    assert faults == []
    assert order(teller, to_call_back)["status"] == "closed"
