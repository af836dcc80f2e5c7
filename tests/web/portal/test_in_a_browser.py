"""What only a real browser shows: a report in steps under a thumb, without network too; keys; a narrow screen."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from hotline.db import SessionFactory, session_scope
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.factories.orders import order_at
from tests.factories.units import City
from tests.web.portal.conftest import TELEPHONE, OpenPage

pytestmark = pytest.mark.browser


def made(sessions: SessionFactory, here: City, status: Status) -> str:
    with session_scope(sessions) as session:
        return order_at(session, here, status).order_no


def state_of(sessions: SessionFactory, number: str) -> str:
    with sessions() as session:
        return session.query(WorkOrder.status).filter_by(order_no=number).scalar()


def test_a_report_goes_step_by_step_survives_a_reload_and_a_dead_spot(
    here: City, sessions: SessionFactory, telephone: OpenPage
) -> None:
    number = made(sessions, here, Status.IN_HAND_TIER3)
    page = telephone(here.township_clerk)
    page.goto(f"/portal/orders/{number}/report")
    onward, send = page.get_by_role("button", name="下一步"), page.get_by_role("button", name="提交反馈")
    expect(page.get_by_role("heading", name="联系市民了吗")).to_be_visible()
    expect(page.get_by_role("heading", name="问题解决了吗")).to_be_hidden()
    expect(send).to_be_hidden()
    onward.click()  # nothing chosen yet: the browser says so and stays
    expect(page.get_by_role("heading", name="联系市民了吗")).to_be_visible()
    page.get_by_role("radio", name="没有联系", exact=True).check()
    expect(page.get_by_label("联系时间")).to_be_hidden()
    page.get_by_role("radio", name="已联系", exact=True).check()
    page.get_by_label("联系时间").fill("2026-11-18T13:30")
    onward.click()
    page.get_by_role("radio", name="部分解决", exact=True).check()
    page.get_by_label("未解决原因").select_option("客观条件限制")
    onward.click()
    expect(page.get_by_role("heading", name="现场照片")).to_be_visible()
    onward.click()
    page.get_by_label("何人何时到场").fill("更换DN40闸阀一只")
    expect(page.get_by_text("已存在这台手机上")).to_be_visible()
    page.reload()
    for heading in ("联系市民了吗", "问题解决了吗", "现场照片"):
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        onward.click()
    expect(page.get_by_label("何人何时到场")).to_have_value("更换DN40闸阀一只")
    onward.click()
    page.get_by_label("答复内容").fill("您好，水管已修复。")
    onward.click()
    expect(page.locator("[data-review=solved]")).to_have_text("部分解决")
    page.context.set_offline(True)
    send.click()
    expect(page.locator("#drafts")).to_contain_text("已保存，联网后自动提交")
    assert state_of(sessions, number) == Status.IN_HAND_TIER3
    page.context.set_offline(False)
    # by itself; the words that say so stay eight seconds only
    expect(page.get_by_text("待二级审核").first).to_be_visible()
    page.wait_for_url(f"**/portal/orders/{number}")
    assert state_of(sessions, number) == Status.TO_CHECK_TIER2
    expect(page.locator("#drafts")).to_have_count(0)


def test_enter_does_the_next_step_and_the_reveal_replaces_the_mask(
    here: City, sessions: SessionFactory, telephone: OpenPage
) -> None:
    number = made(sessions, here, Status.TO_SIGN_TIER3)
    page = telephone(here.township_clerk)
    page.goto(f"/portal/orders/{number}")
    page.get_by_role("button", name="显示").click()
    page.get_by_label("查看理由").fill("上门前联系市民")
    page.get_by_role("button", name="显示号码").click()
    expect(page.get_by_text("本次查看已记录")).to_be_visible()
    page.locator("main").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".order-line .status").first).to_have_text("办理中")
    assert state_of(sessions, number) == Status.IN_HAND_TIER3


def test_no_page_is_wider_than_a_telephone(here: City, sessions: SessionFactory, telephone: OpenPage) -> None:
    to_sign, in_hand, to_check = (
        made(sessions, here, status) for status in (Status.TO_SIGN, Status.IN_HAND, Status.TO_CHECK_TIER2)
    )
    page = telephone(here.county_clerk)
    for path in (
        "",
        "?show=done",
        "/board",
        f"/orders/{to_sign}",
        f"/orders/{in_hand}/hand-down",
        f"/orders/{in_hand}/report",
        f"/orders/{to_check}",
        f"/orders/{to_check}/reject",
    ):
        page.goto(f"/portal{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= TELEPHONE["width"], path


def test_the_inbox_tells_by_itself_what_is_new_but_not_under_a_hand(
    here: City, sessions: SessionFactory, telephone: OpenPage
) -> None:
    first = made(sessions, here, Status.TO_SIGN_TIER3)
    page = telephone(here.township_clerk)
    page.clock.install()
    page.goto("/portal")
    rows = page.locator("#inbox [data-row]")
    expect(rows).to_have_count(1)
    page.get_by_role("link", name="五洲国际").focus()

    made(sessions, here, Status.TO_SIGN_TIER3)
    page.clock.run_for("00:16")
    expect(rows).to_have_count(2)
    expect(page.get_by_text("新到 1 件")).to_be_visible()
    expect(page).to_have_title("收件箱 2 · 12345热线")
    expect(page.locator(f"a[href='/portal/orders/{first}']")).to_be_focused()

    page.get_by_role("checkbox").first.check()
    made(sessions, here, Status.TO_SIGN_TIER3)
    page.clock.run_for("00:16")
    expect(page.get_by_role("checkbox").first).to_be_checked()
    expect(rows).to_have_count(2)
    page.get_by_role("checkbox").first.uncheck()
    page.clock.run_for("00:16")
    expect(rows).to_have_count(3)
    expect(page.get_by_role("checkbox").first).to_be_focused()


def test_the_button_on_a_card_signs_and_the_rest_of_the_card_opens(
    here: City, sessions: SessionFactory, telephone: OpenPage
) -> None:
    number, other = (made(sessions, here, Status.TO_SIGN_TIER3) for _ in range(2))
    page = telephone(here.township_clerk)
    page.locator(f"button[value='{number}']").tap()
    expect(page.get_by_text("已签收").first).to_be_visible()
    assert (state_of(sessions, number), state_of(sessions, other)) == (Status.IN_HAND_TIER3, Status.TO_SIGN_TIER3)
    page.goto("/portal")
    page.locator("[data-row]", has=page.locator(f"[href$='{other}']")).tap()
    page.wait_for_url(f"**/portal/orders/{other}")
