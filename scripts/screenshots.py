"""Photograph the main pages of a running demo, at a desk's and a telephone's width: ``make screenshots``.

Places recorded calls of its own, so that the desk is seen at work. Needs Chromium.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import click
import requests
from playwright.sync_api import Browser, Page, sync_playwright

DESK, PHONE = (1440, 900), (390, 844)
LAMP, FUMES = "d15", "d02"
TIMEOUT_S = 20


class Studio:
    """One browser, several members of staff, a folder of pictures."""

    def __init__(self, browser: Browser, where: dict[str, str], into: Path, dark: bool) -> None:
        self._browser = browser
        self._where = where
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
            page.goto(self._where["web"] + "/login")
            page.fill("input[name=username]", user)
            page.fill("input[name=password]", self._where["password"])
            page.click("button[type=submit]")
            page.wait_for_load_state()
            self._state[user] = context.storage_state()
        return page

    def shoot(self, page: Page, name: str) -> None:
        """Keep what the page shows now."""
        size = page.viewport_size
        assert size is not None  # every page of ours was given one
        width = size["width"]
        path = self._into / f"{name}-{width}{'-dark' if self._dark else ''}.png"
        page.screenshot(path=path, full_page=width == PHONE[0])
        click.echo(path)

    def both(self, user: str, address: str, name: str) -> None:
        """Photograph an address at both widths."""
        for size in (DESK, PHONE):
            page = self.page(user, size)
            page.goto(address if address.startswith("http") else self._where["web"] + address)
            page.wait_for_timeout(400)
            self.shoot(page, name)
            page.context.close()

    def lab(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the exchange's lab."""
        answer = requests.request(method, f"{self._where['exchange']}/lab/{path}", json=body, timeout=TIMEOUT_S)
        answer.raise_for_status()
        return answer.json()


def desk_at_work(studio: Studio, web: str, seconds: float) -> None:
    """Photograph the desk idle, ringing and talking."""
    headset = [{"wait_for": "talking"}, {"say_wav": "operator/o01.wav"}, {"wait_s": 1}, {"say_wav": "operator/o11.wav"}]
    studio.lab("PUT", "handsets/rules", {"rules": [{"address": "client:*", "answer_after_s": 0.3, "script": headset}]})
    page = studio.page("op03")
    page.goto(web + "/desk")
    studio.shoot(page, "desk-idle")
    page.click("text=就绪，接听来电 >> visible=true")
    script = [
        {"wait_for": "等候期间"},
        {"say_wav": f"callers/{LAMP}.wav"},
        {"wait_for": "talking"},
        {"wait_s": 6},
        {"say_wav": f"callers/{FUMES}.wav"},
        {"wait_s": 60},
        {"hang_up": True},
    ]
    studio.lab("POST", "calls", {"from": "+8619900000021", "to": "12345", "script": script})
    page.wait_for_selector("#accept", timeout=60_000)
    page.wait_for_timeout(9000)
    studio.shoot(page, "desk-ringing")
    page.click("#accept")
    page.wait_for_timeout(int(seconds * 1000))
    studio.shoot(page, "desk-talking")
    narrow = studio.page("op03", PHONE)
    narrow.context.add_cookies(page.context.cookies())  # the same browser: a second one would be told to take over
    narrow.goto(page.url)
    narrow.wait_for_timeout(500)
    studio.shoot(narrow, "desk-talking")
    page.click("#end-call")
    page.wait_for_timeout(300)
    if page.locator("#end-call").count():
        page.click("#end-call")
    page.wait_for_timeout(1500)
    studio.shoot(page, "desk-wrap-up")


def everyone(studio: Studio, where: dict[str, str]) -> None:
    """Photograph the pages of the other audiences."""
    studio.both("", "/login", "login")
    studio.both("", where["exchange"], "telephone")
    rows = studio.page("rev01")
    rows.goto(where["web"] + "/office/orders")
    found = re.search(r"/office/orders/(\d{4}-\d{5}-\d)", rows.content())
    for user, name, address in (
        ("ry", "portal-county", "/portal"),
        ("ry02", "portal-township", "/portal"),
        ("cbk01", "duty", "/duty"),
        ("rev01", "office-dispatch", "/office/dispatch"),
        ("rev01", "office-check", "/office/check"),
        ("rev01", "office-orders", "/office/orders"),
        ("sup01", "office-board", "/office/board"),
        ("aud01", "office-audit", "/office/audit"),
    ):
        studio.both(user, address, name)
    if found:
        studio.both("rev01", f"/office/orders/{found.group(1)}", "office-order")
        studio.both("ry02", f"/portal/orders/{found.group(1)}", "portal-order")


@click.command()
@click.option("--demo", type=click.Path(file_okay=False, path_type=Path), default=Path("var/demo"))
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), default=Path("var/screenshots"))
@click.option("--dark", is_flag=True)
def main(*, demo: Path, into: Path, dark: bool) -> None:
    """Photograph the demo that runs in the folder DEMO."""
    where = json.loads((demo / "where.json").read_text(encoding="utf-8"))
    where["password"] = json.loads((demo / "secrets.json").read_text(encoding="utf-8"))["password"]
    into.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise click.ClickException("needs Chromium: apt-get install chromium fonts-noto-cjk")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    started = time.monotonic()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=flags)
        studio = Studio(browser, where, into, dark)
        desk_at_work(studio, where["web"], seconds=22)
        everyone(studio, where)
        browser.close()
    click.echo(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
