"""What only a real browser shows: a page stays true while somebody decides or writes, and leaves their hands alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from hotline.accounts.models import User
from hotline.accounts.roles import Role
from hotline.accounts.service import Actor, set_password
from hotline.db import SessionFactory, session_scope
from hotline.work_orders.states import Status
from tests.factories import people
from tests.factories.orders import order_at
from tests.factories.units import City
from tests.web.shared.styleguide import serving
from tests.web.staff import Clock, Staff

pytestmark = pytest.mark.browser

PASSWORD = "a long password"
A_WHILE_MS = 16_000


OpenPage = Callable[[Actor], Page]


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complains of."""
    return []


@pytest.fixture
def desk(app: Flask, chrome: Browser, sessions: SessionFactory, complaints: list[str]) -> Iterator[OpenPage]:
    """Log in as somebody, with a clock the test can move; whatever the browser complains of fails the test."""
    contexts: list[BrowserContext] = []
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


def test_the_minutes_of_one_order_are_saved_and_those_half_written_of_the_others_stay(
    here: City, staff: Staff, sessions: SessionFactory, desk: OpenPage, complaints: list[str], clock: Clock
) -> None:
    with session_scope(sessions) as session:
        member = people.actor(session, Role.ADJ)
        numbers = [order_at(session, here, Status.IN_HAND).order_no for _ in range(4)]
    prepared = staff(member)
    at = prepared.post("/office/panels", {"title": "第 47 周会商", "held_at": "2026-11-24T09:00"}).headers["Location"]
    for number in numbers[:3]:
        assert prepared.post(f"{at}/agenda", {"number": number}).status_code == 303
    page = desk(member)
    page.goto(at)
    first, second, third = (page.locator(".agenda > section").filter(has_text=number[-7:]) for number in numbers[:3])
    words = first.locator("[name=text]")

    def save(section: Locator) -> None:
        section.get_by_role("button", name="保存").click()

    words.fill("写了半页纪要")
    save(second)  # nothing was written
    expect(second.locator(".error")).to_contain_text("请填写会商纪要")
    second.locator("[name=text]").fill("电力公司负责")
    save(second)
    expect(second.locator("blockquote")).to_have_text("电力公司负责")
    expect(second.locator("details.minutes")).not_to_have_attribute("open", "")
    expect(page.locator("#toasts")).to_contain_text("纪要已记录")
    expect(words).to_have_value("写了半页纪要")

    page.fill("[name=number]", numbers[3])
    page.get_by_role("button", name="列入", exact=True).click()
    expect(page.locator("h1 .count")).to_have_text("4")
    third.get_by_role("button", name="移出议程").click()
    expect(page.locator("h1 .count")).to_have_text("3")
    end = page.get_by_role("button", name="会商结束")
    end.click()
    expect(page.locator("#toasts")).to_contain_text("会商还没有到时间")
    clock.on(days=7)
    end.click()
    expect(page.get_by_text("还有 2 件没有纪要")).to_be_in_viewport()
    expect(words).to_have_value("写了半页纪要")
    save(first)
    expect(first.locator("blockquote")).to_have_text("写了半页纪要")
    complaints[:] = [one for one in complaints if "422" not in one and "409" not in one]
