"""Photograph the main pages of a running demo, at a desk's and a telephone's width: ``make screenshots``.

Gives the demo a past first (``scripts.lived_in``) and places a recorded call of its own, so that everybody is seen at
work. A second run finds the same past. Needs Chromium and a font with Chinese characters.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Final

import click
import requests
from playwright.sync_api import Browser, Page, sync_playwright

from hotline.demo.places import VOICES
from scripts.lived_in import give_a_past

DESK: Final = (1440, 900)
PHONE: Final = (390, 844)
LAMP: Final = "d15"
GREETING, READ_BACK = "o01", "o11"
CALLER: Final = "+8619900000015"
OPERATOR: Final = "op03"
TIMEOUT_S: Final = 20
SENTENCE_MS: Final = 6000
FLAGS: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
    "--autoplay-policy=no-user-gesture-required",
)
# a microphone that says what it is given, when it is given
MICROPHONE: Final = """
const mouth = new AudioContext(), microphone = mouth.createMediaStreamDestination();
navigator.mediaDevices.getUserMedia = async () => microphone.stream;
window.say = async (wav) => {
  const bytes = Uint8Array.from(atob(wav), (one) => one.charCodeAt(0));
  const words = new AudioBufferSourceNode(mouth, { buffer: await mouth.decodeAudioData(bytes.buffer) });
  words.connect(microphone);
  words.start();
};
"""
UNITS_FILE: Final = """单位编号,单位名称,层级,上级单位编号,类型,行政区划代码,值班电话
HS-RY-08,饶阳县开发区管委会,三级,HS-RY,乡镇街道,131124008,19900009001
HS-RY-09,饶阳县综合执法大队,三级,HS-RY,内设机构,,19900009002
HS-RY-10,饶阳县供水站,三级,HS-XX,公用企业,,
"""

README: Final = {"desk": "desk-talking", "board": "office-board-busy", "dispatch": "office-dispatch"}
README_BYTES: Final = 250_000

# who, what the picture is called, where; {order} is one of the township's orders
PAGES: Final = (
    ("", "login", "/login"),
    ("op01", "desk-idle", "/desk"),
    ("ry", "portal-county", "/portal"),
    ("ry", "portal-board", "/portal/board"),
    ("ry02", "portal-inbox", "/portal"),
    ("ry02", "portal-order", "/portal/orders/{order}"),
    ("ry02", "portal-report", "/portal/orders/{order}/report"),
    ("cbk01", "duty", "/duty"),
    ("rev01", "office-dispatch", "/office/dispatch"),
    ("rev01", "office-check", "/office/check"),
    ("rev01", "office-orders", "/office/orders"),
    ("rev01", "office-order", "/office/orders/{order}"),
    ("sup01", "office-board", "/office/board"),
    ("sup01", "office-messages", "/office/messages"),
    ("ldr01", "office-home", "/office"),
    ("aud01", "office-audit", "/office/audit"),
    ("adm01", "city-setup", "/office/city/setup"),
    ("adm01", "city-units", "/office/city/units"),
    ("adm01", "city-users", "/office/city/users"),
    ("adm01", "city-numbers", "/office/city/numbers"),
    ("adm01", "city-categories", "/office/city/categories"),
    ("adm01", "city-responsibility", "/office/city/responsibility"),
    ("adm01", "city-gazetteer", "/office/city/gazetteer"),
    ("adm01", "city-profiles", "/office/city/profiles"),
    ("adm01", "city-calendar", "/office/city/calendar"),
    ("adm01", "city-texts", "/office/city/texts"),
)


class Studio:
    """One browser, several members of staff, a folder of pictures."""

    def __init__(self, browser: Browser, where: dict[str, str], into: Path, dark: bool) -> None:
        self._browser = browser
        self.where = where
        self._into = into
        self._dark = dark
        self._state: dict[str, Any] = {}

    def page(self, user: str, size: tuple[int, int] = DESK) -> Page:
        """Return a page of that size, logged in as ``user`` ("" for nobody)."""
        context = self._browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if self._dark else "light",
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            storage_state=self._state.get(user),
        )
        page = context.new_page()
        if user and user not in self._state:
            page.goto(self.where["web"] + "/login")
            page.fill("input[name=username]", user)
            page.fill("input[name=password]", self.where["password"])
            page.click("button[type=submit]")
            page.wait_for_url(lambda address: "/login" not in address)
            self._state[user] = context.storage_state()
        return page

    def shoot(self, page: Page, name: str) -> None:
        """Keep what the page shows now."""
        size = page.viewport_size
        assert size is not None  # every page of ours was given one
        width = size["width"]
        path = self._into / f"{name}-{width}{'-dark' if self._dark else ''}.png"
        if width == PHONE[0]:  # as long as the page: what sticks to the screen's foot stands at the page's
            page.set_viewport_size({"width": width, "height": page.evaluate("document.documentElement.scrollHeight")})
            page.wait_for_timeout(100)
        page.screenshot(path=path)
        click.echo(path)

    def both(self, user: str, address: str, name: str) -> None:
        """Photograph an address at both widths."""
        for size in (DESK, PHONE):
            page = self.page(user, size)
            page.goto(self.where["web"] + address)
            page.wait_for_timeout(300)
            self.shoot(page, name)
            page.context.close()

    def lab(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the exchange's lab."""
        answer = requests.request(method, f"{self.where['exchange']}/lab/{path}", json=body, timeout=TIMEOUT_S)
        answer.raise_for_status()
        return answer.json()


def a_call(studio: Studio) -> None:
    """Photograph the desk idle, ringing, talking through the headset and settling, and the wall meanwhile."""
    web = studio.where["web"]
    page = studio.page(OPERATOR)
    page.add_init_script(MICROPHONE)
    page.goto(web + "/desk")
    page.click("text=连接耳机 >> visible=true")
    page.click("text=就绪，接听来电 >> visible=true")
    page.wait_for_timeout(1500)
    studio.shoot(page, "desk-ready")
    script = [
        {"wait_for": "请稍候"},
        {"say_wav": f"callers/{LAMP}.wav"},
        {"wait_for": "talking"},
        {"wait_for": {"peer_silent_s": 600}, "timeout_s": 900},  # listens on until the line is closed
    ]
    studio.lab("POST", "calls", {"from": CALLER, "to": "12345", "script": script})
    page.wait_for_selector("#accept", timeout=60_000)
    page.wait_for_timeout(9000)
    studio.shoot(page, "desk-ringing")
    page.click("#accept")
    for voice in (GREETING, READ_BACK):
        page.wait_for_timeout(SENTENCE_MS)
        wav = base64.b64encode((VOICES / "operator" / f"{voice}.wav").read_bytes()).decode()
        page.evaluate("window.say", wav)
    page.wait_for_timeout(2 * SENTENCE_MS)
    studio.shoot(page, "desk-talking")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})  # the same desk: a second one would take over
    page.wait_for_timeout(300)
    studio.shoot(page, "desk-talking")
    page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    watch = studio.page("sup01")
    watch.goto(web + "/office/board")
    watch.wait_for_timeout(500)
    studio.shoot(watch, "office-board-busy")
    watch.context.close()
    for _ in range(2):  # the first press asks for the second
        if page.locator("#end-call").count():
            page.click("#end-call")
            page.wait_for_timeout(400)
    page.wait_for_timeout(1500)
    studio.shoot(page, "desk-wrap-up")
    page.context.close()


def telephone(studio: Studio) -> None:
    """Photograph the citizen's telephone, with a recorded caller on the line and the short messages received."""
    for size in (DESK, PHONE):
        page = studio.page("", size)
        page.goto(studio.where["exchange"])
        page.fill("#from", CALLER)
        page.wait_for_timeout(500)
        studio.shoot(page, "telephone")
        page.context.close()


def import_preview(studio: Studio, folder: Path) -> None:
    """Photograph what an import would do, before anything is written."""
    file = folder / "units.csv"
    file.write_text(UNITS_FILE, encoding="utf-8")
    page = studio.page("adm01")
    page.goto(studio.where["web"] + "/office/city/import/units")
    studio.shoot(page, "city-import")
    page.set_input_files("input[type=file]", file)
    page.click("main button[type=submit]")
    page.wait_for_url(re.compile(r"/import/units/\w+"))
    page.wait_for_timeout(3000)
    studio.shoot(page, "city-import-preview")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    studio.shoot(page, "city-import-preview")
    page.context.close()
    file.unlink()


def everyone(studio: Studio) -> None:
    """Photograph the pages of all audiences."""
    inbox = studio.page("ry02")
    inbox.goto(studio.where["web"] + "/portal?show=in_hand")
    found = re.search(r"/portal/orders/(\d{4}-\d{5}-\d)", inbox.content())
    inbox.context.close()
    if found is None:
        raise click.ClickException("the township has no order in hand")
    for user, name, address in PAGES:
        studio.both(user, address.format(order=found.group(1)), name)


def for_readme(studio: Studio, folder: Path, into: Path) -> None:
    """Renew the README's pictures: the first screen of a telephone, and three pages as they were photographed."""
    for name, picture in README.items():
        shutil.copyfile(folder / f"{picture}-{DESK[0]}.png", into / f"{name}.png")
    page = studio.page("ry02", PHONE)
    page.goto(studio.where["web"] + "/portal")
    page.wait_for_timeout(300)
    page.screenshot(path=into / "portal.png")
    page.context.close()
    for made in into.glob("*.png"):
        if made.stat().st_size > README_BYTES:
            raise click.ClickException(f"{made} is larger than {README_BYTES // 1000} kB")


def readable() -> str:
    """Return Chromium's path. Raises ``ClickException`` for what is missing, with the command that mends it."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise click.ClickException("needs Chromium: apt-get install chromium")
    fonts = shutil.which("fc-list")
    # the program is the one found on the path
    known = subprocess.run([fonts, ":lang=zh-cn"], capture_output=True, check=True).stdout if fonts else b""  # noqa: S603
    if not known.strip():
        raise click.ClickException("needs a font with Chinese characters: apt-get install fontconfig fonts-noto-cjk")
    return chromium


@click.command()
@click.option("--demo", type=click.Path(file_okay=False, path_type=Path), default=Path("var/demo"))
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), default=Path("var/screenshots"))
@click.option("--dark", is_flag=True)
@click.option("--no-call", is_flag=True, help="Only the pages that need no call on the line.")
@click.option("--readme", type=click.Path(file_okay=False, path_type=Path), help="Renew the README's pictures there.")
def main(*, demo: Path, into: Path, dark: bool, no_call: bool, readme: Path | None) -> None:
    """Photograph the demo that runs in the folder DEMO."""
    if not (demo / "where.json").exists():
        raise click.ClickException(f"no demo runs in {demo}: make demo, in another terminal")
    where = json.loads((demo / "where.json").read_text(encoding="utf-8"))
    where["password"] = json.loads((demo / "secrets.json").read_text(encoding="utf-8"))["password"]
    into.mkdir(parents=True, exist_ok=True)
    chromium = readable()
    started = time.monotonic()
    give_a_past(demo)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
        studio = Studio(browser, where, into, dark)
        if not no_call:
            a_call(studio)
        telephone(studio)
        everyone(studio)
        import_preview(studio, into)
        if readme:
            for_readme(studio, into, readme)
        browser.close()
    click.echo(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
