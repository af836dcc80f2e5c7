"""People with a browser each before the whole house: a citizen at the telephone page, an operator at the desk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import requests
from playwright.sync_api import Browser, Page, Playwright, expect

from hotline.demo.stage import Recorded, Teller
from tests.chromium import FLAGS as PLAIN
from tests.e2e import voices
from tests.e2e.conftest import PATIENCE_S, House
from tests.needs import chromium

WITHIN_MS: Final = int(PATIENCE_S * 1000)
FLAGS: Final = (
    *PLAIN,
    # sound flows in a page nobody looks at, as it does in one somebody does
    *("--disable-background-timer-throttling", "--disable-renderer-backgrounding"),
)
A_MICROPHONE: Final = "--use-fake-device-for-media-stream"
ITS_USE_ALLOWED: Final = "--use-fake-ui-for-media-stream"
CALLER, OPERATOR = "callers/d15.wav", "operator/o01.wav"
OPERATORS_WORDS: Final = ("您好", "热线", "什么", "可以", "帮")
ALIKE: Final = 0.6
ALONE_S: Final = 2.0


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
    """The operator's browser. ``complaints``: what its console said was wrong."""

    page: Page
    house: House
    seat: str
    complaints: list[str] = field(default_factory=list)

    def says(self, words: str) -> None:
        """See these words beside the headset."""
        expect(self.page.locator("#headset")).to_contain_text(words)

    def connect(self) -> None:
        """Make this browser the operator's telephone."""
        self.says("耳机未连接")
        self.page.click("[data-headset-on]")

    def ready(self) -> None:
        """Take calls from now on."""
        self.page.keyboard.press("F10")
        expect(self.page.locator(".idle")).to_contain_text("等待来电")

    def line(self) -> str:
        """The id of the operator's own line."""
        return str(lines(self.house, f"client:{self.seat}")[0]["sid"])

    def takes_the_call(self) -> None:
        """Wait for the offer, press Enter, and see that the two are talking."""
        expect(self.page.locator("[data-ringing]")).to_be_visible()
        self.page.keyboard.press("Enter")
        expect(self.page.locator("[data-phase=talking]")).to_be_visible()

    def accept(self) -> None:
        """Take the call; the headset answers by itself."""
        self.takes_the_call()
        self.says("耳机通话中")

    def mark(self) -> None:
        """Write something on the window: it is gone when the document is loaded anew."""
        self.page.evaluate("window.marked = true")

    def is_the_same_document(self) -> bool:
        """Whether no page was loaded since it was marked."""
        return bool(self.page.evaluate("window.marked === true"))

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


def both_hear(teller: Teller, desk: Desk, callers_line: str) -> None:
    """See that from now on each hears what the other says."""
    house, own = desk.house, desk.line()
    begun = {line: len(heard(house, line)) for line in (callers_line, own)}
    hears(teller, house, callers_line, OPERATOR, since=begun[callers_line])
    hears(teller, house, own, CALLER, since=begun[own])


def browser(playwright: Playwright, *flags: str) -> Browser:
    """A browser of its own."""
    return playwright.chromium.launch(executable_path=str(chromium()), args=[*FLAGS, *flags])


def log_in(page: Page, house: House, name: str, lands: str) -> None:
    """Log somebody of the demo city in, and wait until they are where their work begins."""
    page.goto(f"{house.world.web}/login")
    page.fill("[name=username]", name)
    page.fill("[name=password]", house.world.password)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lands)


def speaking(path: Path, voice: str) -> tuple[str, ...]:
    """Flags of a browser whose microphone hears this recording over and over, and may be used."""
    written = voices.for_browser(path / f"{Path(voice).stem}.wav", [voice])
    return (A_MICROPHONE, ITS_USE_ALLOWED, f"--use-file-for-fake-audio-capture={written}")


@contextmanager
def citizen(house: House, playwright: Playwright, folder: Path) -> Iterator[Telephone]:
    """A citizen at the exchange's telephone page, in a browser that speaks."""
    house.world.lab("PUT", "handsets/rules", {"rules": []})
    running = browser(playwright, *speaking(folder, CALLER))
    page = running.new_page()
    page.set_default_timeout(WITHIN_MS)
    page.goto(house.world.exchange)
    yield Telephone(page, house, Recorded.named(CALLER.removeprefix("callers/")))
    running.close()


# the desk is free for whoever comes next, in whatever browser
LEAVES: Final = """() => fetch("/desk/leave", {
    method: "POST", headers: JSON.parse(document.body.getAttribute("hx-headers")),
})"""


@contextmanager
def operator(house: House, playwright: Playwright, *flags: str, before: str = "", name: str = "op02") -> Iterator[Desk]:
    """An operator logged in at the desk, no headset yet. ``before``: a script that runs before any of the page's.

    Nobody is at the desk any more afterwards. What a page did wrong fails the test; what the console said of the
    network is the test's to judge, in ``complaints``.
    """
    running = browser(playwright, *flags)
    context = running.new_context(viewport={"width": 1440, "height": 900})
    if before:
        context.add_init_script(before)
    page = context.new_page()
    page.set_default_timeout(WITHIN_MS)
    faults: list[str] = []
    complaints: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    log_in(page, house, name, "**/desk")
    if page.get_by_text("在此接管").count():  # the browser of the test before was closed without a word
        page.keyboard.press("Enter")
        page.wait_for_selector("#headset")
        complaints.clear()  # the page that says so answers 409
    yield Desk(page, house, page.locator("#headset").get_attribute("data-seat") or "", complaints)
    page.evaluate(LEAVES)
    running.close()
    assert faults == []
