"""A file of knowledge, from an editor's browser through the worker to what operators find."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from hotline.demo.stage import Teller
from tests.e2e.browsers import WITHIN_MS, log_in
from tests.e2e.conftest import House
from tests.unit.knowledge_base.policies import NOTICE, docx, paragraph

pytestmark = pytest.mark.browser

QUESTION, ANSWER = "流动献血车周末停在哪里", "周末停在人民公园东门，上午九点到下午五点。"
Sit = Callable[[str], Page]


@pytest.fixture
def sit(house: House, chrome: Browser) -> Iterator[Sit]:
    """Seat an editor at a browser, logged in, before the page of files. What a page does wrong fails the test."""
    faults: list[str] = []
    pages: list[Page] = []

    def seated(name: str) -> Page:
        page = chrome.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900}).new_page()
        page.set_default_timeout(WITHIN_MS)
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        log_in(page, house, name, "**/knowledge**")
        page.goto(f"{house.world.web}/knowledge/files")
        pages.append(page)
        return page

    yield seated
    for page in pages:
        page.context.close()
    assert faults == []


def upload(page: Page, name: str, body: bytes) -> None:
    """Send a file in and see, without touching the page, that a worker has looked at it."""
    page.set_input_files("[name=file]", {"name": name, "mimeType": "application/octet-stream", "buffer": body})
    page.keyboard.press("F9")
    page.wait_for_url("**/knowledge/files/*")
    page.evaluate("window.untouched = true")
    expect(page.locator(".figures")).to_be_visible()
    assert page.evaluate("window.untouched")


def found(house: House, question: str) -> list[str]:
    """What a search finds, in another process than the editors'."""
    return [one["question"] for one in house.world.api(f"knowledge/search?q={question}&limit=3")["entries"]]


def test_a_sheet_is_looked_at_sent_to_be_checked_published_and_found(sit: Sit, house: House, teller: Teller) -> None:
    sheet = io.StringIO()
    csv.writer(sheet).writerows([("问题", "答案"), (QUESTION, ANSWER), ("", "没有问题")])
    writer = sit("kbe01")
    upload(writer, "献血.csv", sheet.getvalue().encode("utf-8-sig"))
    expect(writer.locator("#import")).to_contain_text("提交 1 条待审核")
    expect(writer.locator("#import")).to_contain_text("不能导入的行")
    writer.keyboard.press("F9")
    expect(writer.locator("#import")).to_contain_text("已提交 1 条待审核")
    assert QUESTION not in found(house, QUESTION)  # nobody has checked it

    checker = sit("kbe02")
    checker.goto(f"{house.world.web}/knowledge/check")
    checker.get_by_role("link", name=QUESTION).click()
    expect(checker.locator("#main")).to_contain_text(ANSWER)
    checker.get_by_role("button", name="发布").first.click()
    teller.until(lambda: QUESTION in found(house, QUESTION), "the new answer in a search")


def test_a_policy_paper_becomes_drafts_that_keep_their_clauses(sit: Sit) -> None:
    page = sit("kbe01")
    upload(page, "养犬管理办法.docx", docx(*map(paragraph, NOTICE.splitlines())))
    expect(page.locator("#import")).to_contain_text("将要生成的草稿")
    expect(page.locator(".kb-rows-in")).to_contain_text("第四条")
    page.keyboard.press("F9")
    expect(page.locator("#import")).to_contain_text("条草稿，每条都带着原文条款")
    page.get_by_role("link", name="去修改草稿").click()
    page.get_by_role("link", name="养犬登记").first.click()
    expect(page.get_by_label("依据", exact=False).first).to_have_value(re.compile("养犬"))
