"""Staff at their browsers in a small city, and on telephones."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page

from hotline.accounts.models import User
from hotline.accounts.service import Actor, set_password
from hotline.db import SessionFactory, session_scope
from tests.web.shared.styleguide import serving
from tests.web.staff import app, clock, here, runtime, staff

__all__ = ["OpenPage", "app", "clock", "here", "log_in", "runtime", "staff", "telephone"]

PASSWORD = "a long password"
TELEPHONE = {"width": 390, "height": 844}

OpenPage = Callable[[Actor], Page]


def log_in(page: Page, sessions: SessionFactory, actor: Actor) -> None:
    """Log in through the page."""
    with session_scope(sessions) as session:
        user = session.get_one(User, actor.user_id)
        set_password(session, user=user, password=PASSWORD)
        username = user.username
    page.goto("/login")
    page.fill("[name=username]", username)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/portal")


@pytest.fixture
def telephone(app: Flask, chrome: Browser, sessions: SessionFactory) -> Iterator[OpenPage]:
    """Log in on a telephone as somebody; whatever the browser complains of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    with serving(app) as address:

        def open_page(actor: Actor) -> Page:
            context = chrome.new_context(viewport=TELEPHONE, has_touch=True, is_mobile=True, base_url=address)
            contexts.append(context)
            page = context.new_page()
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            page.on("pageerror", lambda fault: complaints.append(str(fault)))
            log_in(page, sessions, actor)
            return page

        yield open_page
        for context in contexts:
            context.close()
    expected = ("Failed to load resource", "net::ERR")
    assert [text for text in complaints if not any(word in text for word in expected)] == []
