"""What only a real browser shows: a pool stays true while a dispatcher decides, and leaves their hands alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from hotline.accounts.models import User
from hotline.accounts.service import Actor, set_password
from hotline.db import SessionFactory, session_scope
from hotline.work_orders.states import Status
from tests.factories.orders import order_at
from tests.factories.units import City
from tests.web.shared.styleguide import serving

pytestmark = pytest.mark.browser

PASSWORD = "a long password"
A_WHILE_MS = 16_000


OpenPage = Callable[[Actor], Page]


@pytest.fixture
def desk(app: Flask, chrome: Browser, sessions: SessionFactory) -> Iterator[OpenPage]:
    """Log in as somebody, with a clock the test can move; whatever the browser complains of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    with serving(app) as address:

        def open_page(actor: Actor) -> Page:
            with session_scope(sessions) as session:
                user = session.get_one(User, actor.user_id)
                set_password(session, user=user, password=PASSWORD)
                username = user.username
            context = chrome.new_context(base_url=address)
            contexts.append(context)
            page = context.new_page()
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            page.on("pageerror", lambda fault: complaints.append(str(fault)))
            page.clock.install()
            page.goto("/login")
            page.fill("[name=username]", username)
            page.fill("[name=password]", PASSWORD)
            page.keyboard.press("Enter")
            page.wait_for_url(lambda where: "/login" not in where)
            return page

        yield open_page
        for context in contexts:
            context.close()
    assert complaints == []


POOLS = pytest.mark.parametrize(
    ("room", "status"), [("dispatch", Status.TO_REVIEW), ("check", Status.TO_CHECK_HUB)], ids=["dispatch", "check"]
)


@POOLS
def test_an_empty_pool_shows_what_arrives(
    here: City, sessions: SessionFactory, desk: OpenPage, room: str, status: Status
) -> None:
    page = desk(here.reviewer)
    page.goto(f"/office/{room}")
    expect(page.locator("#pool")).to_contain_text("没有待")
    with session_scope(sessions) as session:
        number = order_at(session, here, status).order_no
    page.clock.fast_forward(A_WHILE_MS)
    expect(page.locator("#pool .card-row")).to_have_count(1)
    expect(page.locator(f"#pool a[href='/office/{room}/{number}']")).to_be_visible()


@POOLS
def test_a_pool_counts_what_arrives_beside_the_order_somebody_decides(
    here: City, sessions: SessionFactory, desk: OpenPage, room: str, status: Status
) -> None:
    with session_scope(sessions) as session:
        order_at(session, here, status)
    page = desk(here.reviewer)
    page.goto(f"/office/{room}")
    if room == "dispatch":
        page.fill("[name=advice]", "请核实路灯")
    with session_scope(sessions) as session:
        order_at(session, here, status)
    page.clock.fast_forward(A_WHILE_MS)
    expect(page.locator("#pool .card-row")).to_have_count(2)
    expect(page.locator("h1 .count")).to_have_text("2")
    expect(page.locator("#rooms [aria-current] b")).to_have_text("2")
    expect(page.locator("#toasts")).to_contain_text("新到 1 件")
    if room == "dispatch":
        expect(page.locator("[name=advice]")).to_have_value("请核实路灯")


@pytest.mark.parametrize(
    ("path", "row"),
    [("/office/alarms", ".rooms"), ("/office/messages", ".rooms"), ("/office/orders?show=done", ".chips")],
)
def test_on_a_telephone_what_is_chosen_of_a_long_row_stands_where_it_is_seen(
    here: City, desk: OpenPage, path: str, row: str
) -> None:
    page = desk(here.supervisor)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(path)
    expect(page.locator(f"{row} [aria-current]")).to_be_in_viewport(ratio=1)
