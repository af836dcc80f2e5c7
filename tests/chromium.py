"""Chromium for every test that looks at a page. Starting it takes seconds, so it is started as seldom as can be.

Playwright can be driven once at a time in a process: who wants it asks for ``playwright``, ``launch`` or ``chrome``.
Every test makes contexts of its own and closes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.needs import chromium

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")

WITHIN_MS = 60_000

Launch = Callable[..., Browser]


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Drives every browser of this process. What a page is expected to show is waited for as on a busy machine."""
    chromium()
    expect.set_options(timeout=WITHIN_MS)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chrome(playwright: Playwright) -> Iterator[Browser]:
    """One for all pages that need no flag of their own."""
    browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def launch(playwright: Playwright, chrome: Browser) -> Iterator[Launch]:
    """One for each set of flags in a file: ``launch("--deny-permission-prompts")``."""
    running: dict[tuple[str, ...], Browser] = {(): chrome}
    with ExitStack() as closing:

        def launched(*flags: str) -> Browser:
            if flags not in running:
                browser = playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, *flags])
                running[flags] = browser
                closing.callback(browser.close)
            return running[flags]

        yield launched
