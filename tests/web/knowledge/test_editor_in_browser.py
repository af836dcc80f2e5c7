"""Two editors in real browsers: one writes and the page saves, the other checks; both at once; and an operator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from sqlalchemy import select

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.knowledge_base.models import Version
from hotline.knowledge_base.service import import_entries
from tests.conftest import NOON
from tests.factories import calls as make
from tests.factories import people
from tests.factories.units import City
from tests.unit.knowledge_base.test_attachments import PDF
from tests.web.shared.styleguide import serving
from tests.web.staff import Staff

pytestmark = pytest.mark.browser

AXE = next((Path(__file__).parents[2] / "vendor").glob("axe-core-*/axe.min.js"))
QUESTION = "社保卡丢了怎么补办"
SAVED = "自动保存"
Sit = Callable[[Actor], Page]


@pytest.fixture
def sit(app: Flask, chrome: Browser, staff: Staff, here: City) -> Iterator[Sit]:
    """Seat somebody at a browser of their own; what it complains of, but for a refused saving, fails the test."""
    assert here
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    name = app.config["SESSION_COOKIE_NAME"]
    with serving(app) as address:

        def seat(who: Actor) -> Page:
            browser = staff(who)
            if who.role == Role.OPR:
                with browser.client.session_transaction() as told:
                    told["desk"] = "desk-1"
            cookie = browser.client.get_cookie(name)
            assert cookie is not None
            context = chrome.new_context(base_url=address, locale="zh-CN", viewport={"width": 1440, "height": 900})
            context.add_cookies([{"name": name, "value": cookie.value, "url": address}])
            contexts.append(context)
            page = context.new_page()
            page.on("pageerror", lambda fault: complaints.append(str(fault)))
            page.on("dialog", lambda dialog: complaints.append(dialog.message))
            return page

        yield seat
        for context in contexts:
            context.close()
    assert complaints == []


@pytest.fixture
def editors(here: City, runtime: Runtime) -> tuple[Actor, Actor]:
    """Who writes and who checks."""
    assert here
    with session_scope(runtime.sessions) as session:
        one, other = (people.actor(session, Role.KBE, name=name) for name in ("编辑小钱", "审核小吴"))
    return one, other


def kept(runtime: Runtime, page: Page) -> Version:
    """Return the text the page writes in, as it is in the database."""
    with runtime.sessions() as session:
        return session.get_one(Version, int(page.url.rpartition("/drafts/")[2].partition("/")[0]))


def begin(page: Page) -> None:
    """Begin an entry from the list by its key."""
    page.goto("/knowledge")
    page.keyboard.press("n")
    arrived(page, "新条目")


def arrived(page: Page, heading: str) -> None:
    """Wait until a page is there with its scripts: a key pressed before is nobody's."""
    expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
    page.wait_for_load_state("load")


def saved(page: Page) -> None:
    """Wait until the page has nothing left to save."""
    expect(page.locator("#saved")).to_contain_text(SAVED)


def examine(page: Page) -> None:
    """Let axe look at the page, and see that nothing is wider than it."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(
        "async () => (await axe.run()).violations.filter((one) => ['serious', 'critical'].includes(one.impact))"
        ".map((one) => [one.id, one.nodes.map((node) => node.target.join(' '))])"
    )
    assert found == []
    over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(over) <= 0, width


def test_one_writes_another_checks_and_an_operator_finds_it(
    sit: Sit, editors: tuple[Actor, Actor], runtime: Runtime
) -> None:
    with session_scope(runtime.sessions) as session:
        call, operator, _leg = make.talking(session)
    page, other = (sit(one) for one in editors)
    begin(page)
    page.get_by_label("问题").fill(QUESTION)
    ways = page.get_by_label("相似问")
    ways.fill("社保卡掉了")
    ways.press("Enter")
    ways.evaluate(
        """(field) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text", "社保卡遗失\\n卡找不到了\\n");
            field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        }"""
    )
    expect(page.locator(".kb-chip")).to_have_text(["社保卡掉了", "社保卡遗失", "卡找不到了"])
    page.get_by_role("button", name="去掉：卡找不到了").click()
    answer = page.get_by_label("答案")
    answer.fill("先挂失")
    answer.press("Control+a")
    answer.press("Control+b")
    expect(page.locator("#preview strong")).to_have_text("先挂失")
    answer.press("End")
    answer.type("。<script>alert(1)</script>")
    expect(page.locator("#preview")).to_contain_text("<script>alert(1)</script>")
    page.get_by_label("口语短句").fill("先挂失，再补办。")
    saved(page)
    content = kept(runtime, page).content
    assert (content["similar"], content["spoken"]) == (["社保卡掉了", "社保卡遗失"], "先挂失，再补办。")
    assert content["answer"] == "**先挂失**。<script>alert(1)</script>"
    page.set_input_files("[name=files]", {"name": "申请表.pdf", "mimeType": "application/pdf", "buffer": PDF})
    page.get_by_role("button", name="添加", exact=True).click()
    expect(page.get_by_label("申请表.pdf")).to_be_checked()
    page.wait_for_load_state("load")
    examine(page)
    page.keyboard.press("F9")
    expect(page.locator("#toasts")).to_contain_text("已提交")
    # the other one reads what is new, and misses something
    other.goto("/knowledge/check")
    examine(other)
    other.get_by_role("link", name=QUESTION).click()
    expect(other.locator(".diff")).to_contain_text("社保卡遗失")
    examine(other)
    other.get_by_label("退回的原因").fill("请写明工本费")
    other.get_by_role("button", name="退回修改").click()
    expect(other.locator("#toasts")).to_contain_text("已退回")
    # mended
    page.goto("/knowledge?show=mine")
    page.get_by_role("link", name=QUESTION).click()
    arrived(page, "新条目")
    expect(page.get_by_text("请写明工本费")).to_be_visible()
    page.get_by_label("答案").fill("先挂失，工本费 20 元。<script>alert(1)</script>")
    page.keyboard.press("F9")
    expect(page.locator("#toasts")).to_contain_text("已提交")
    other.goto("/knowledge/check")
    other.get_by_role("link", name=QUESTION).click()
    arrived(other, QUESTION)
    other.keyboard.press("F9")
    expect(other.locator("#toasts")).to_contain_text("已发布")
    # what an operator finds is a text, whatever it holds
    desk = sit(operator)
    desk.goto(f"/desk/calls/{call.id}/search?q=社保卡掉了")
    expect(desk.locator("main")).to_contain_text("工本费 20 元。<script>alert(1)</script>")


def test_two_who_write_at_once_choose_field_by_field_and_lose_nothing(
    sit: Sit, editors: tuple[Actor, Actor], runtime: Runtime
) -> None:
    page, other = (sit(one) for one in editors)
    begin(page)
    page.get_by_label("问题").fill(QUESTION)
    page.get_by_label("答案").fill("带身份证。")
    saved(page)
    other.goto(page.url)
    other.get_by_label("答案").fill("带户口本。")
    other.get_by_label("分类").fill("社保")
    saved(other)
    page.get_by_label("答案").fill("带身份证和照片。")
    page.get_by_label("口语短句").fill("带证件来。")
    choose = page.get_by_role("button", name="对照两稿")
    expect(choose).to_be_visible()
    assert kept(runtime, page).content["answer"] == "带户口本。"
    choose.click()
    arrived(page, "对照两稿")
    examine(page)
    # each changed something alone, and both the answer
    expect(page.get_by_role("group", name="口语短句").get_by_label("用我的")).to_be_checked()
    expect(page.get_by_role("group", name="分类").get_by_label("用同事的")).to_be_checked()
    page.get_by_label("合并后的答案").fill("带身份证、户口本和照片。")
    expect(page.get_by_role("group", name="答案").get_by_label("合在一起写")).to_be_checked()
    page.keyboard.press("F9")
    expect(page.locator("#toasts")).to_contain_text("已合并保存")
    expect(page.get_by_label("答案")).to_have_value("带身份证、户口本和照片。")
    content = kept(runtime, page).content
    assert (content["category"], content["spoken"]) == ("社保", "带证件来。")


def test_what_is_typed_while_the_line_is_gone_is_saved_once_it_is_back(
    sit: Sit, editors: tuple[Actor, Actor], runtime: Runtime
) -> None:
    page = sit(editors[0])
    begin(page)
    lost: list[str] = []

    def lose(route: Route) -> None:  # the site saves, and its answer never arrives
        if lost:
            route.fallback()
            return
        lost.append(route.request.url)
        route.fetch()
        route.abort()

    page.route("**/save", lose)
    page.get_by_label("问题").fill(QUESTION)
    expect(page.locator("#saved")).to_contain_text("没有保存，稍后自动重试")
    page.get_by_label("答案").fill("断线时写的")
    expect(page.locator("#saved")).to_contain_text(SAVED, timeout=20_000)
    content = kept(runtime, page).content
    assert (content["question"], content["answer"]) == (QUESTION, "断线时写的")
    expect(page.get_by_role("button", name="对照两稿")).to_be_hidden()


def test_whoever_logged_in_again_elsewhere_goes_on_writing(
    sit: Sit, editors: tuple[Actor, Actor], runtime: Runtime
) -> None:
    page = sit(editors[0])
    begin(page)
    page.evaluate("document.querySelector('#editor [name=csrf_token]').value = 'of an earlier session'")
    page.get_by_label("问题").fill(QUESTION)
    saved(page)
    assert kept(runtime, page).content["question"] == QUESTION


def test_a_wrong_field_is_told_beside_it_while_the_rest_is_saved(
    sit: Sit, editors: tuple[Actor, Actor], runtime: Runtime
) -> None:
    page = sit(editors[0])
    begin(page)
    page.get_by_label("问题").fill(QUESTION)
    page.get_by_label("依据链接").fill("www.example.org")
    expect(page.locator(".field", has=page.locator("#f-source_url")).locator(".error")).to_contain_text("应以 https://")
    assert kept(runtime, page).content["question"] == QUESTION
    examine(page)
    page.get_by_label("依据链接").fill("https://www.example.org")
    saved(page)
    expect(page.locator(".field .error")).to_have_count(0)
    assert kept(runtime, page).content["source_url"] == "https://www.example.org"


def test_many_are_ticked_at_once_and_published(sit: Sit, editors: tuple[Actor, Actor], runtime: Runtime) -> None:
    page, other = (sit(one) for one in editors)
    for number in (1, 2):
        begin(page)
        page.get_by_label("问题").fill(f"第{number}个问题")
        page.get_by_label("答案").fill("答案")
        page.keyboard.press("F9")
        expect(page.locator("#toasts")).to_contain_text("已提交")
    other.goto("/knowledge/check")
    other.get_by_label("全选别人写的").check()
    other.get_by_role("button", name="发布勾选的 2 条").click()
    expect(other.locator("#toasts")).to_contain_text("已发布 2 条")
    with runtime.sessions() as session:
        assert set(session.scalars(select(Version.state))) == {"published"}


def test_an_entry_is_found_stopped_and_brought_back_by_keyboard_and_toast(
    sit: Sit, editors: tuple[Actor, Actor], runtime: Runtime
) -> None:
    with session_scope(runtime.sessions) as session:
        import_entries(session, [{"id": "K1", "question": QUESTION, "answer": "x"}], actor_id=None, now=NOON)
    page = sit(editors[0])
    page.goto("/knowledge")
    examine(page)
    page.keyboard.press("/")
    page.keyboard.type("社保卡")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=*")
    page.wait_for_load_state("load")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    arrived(page, QUESTION)
    examine(page)
    page.get_by_role("link", name="停用").click()
    page.get_by_label("为什么停用").fill("政策改了")
    page.get_by_role("button", name="停用").click()
    page.get_by_role("button", name="撤销").click()
    expect(page.locator("#toasts")).to_contain_text("已恢复")
    expect(page.locator(".page-head")).to_contain_text("已发布")
