"""A file of thousands of rows in a browser, while a worker of its own goes through it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import func, select

from hotline.accounts.roles import Role
from hotline.bootstrap import Runtime
from hotline.db import make_engine, make_sessions, session_scope
from hotline.gazetteer.models import Place
from hotline.outbox import OutboxMessage
from tests.factories import people
from tests.web.city.conftest import Look
from tests.web.shared.styleguide import serving
from tests.web.staff import Staff
from workers import imports, process

pytestmark = pytest.mark.browser
ROWS, WRONG = 5000, 150
PATIENCE_MS = 120_000


@pytest.fixture
def page(app: Flask, staff: Staff, runtime: Runtime, here: object, chrome: Browser) -> Iterator[Page]:
    """A browser in which the administrator has logged in."""
    with session_scope(runtime.sessions) as session:
        keeper = people.actor(session, Role.ADM, name="管理员老陈")
    name = app.config["SESSION_COOKIE_NAME"]
    cookie = staff(keeper).client.get_cookie(name)
    assert cookie is not None
    with serving(app) as address:
        context = chrome.new_context(base_url=address, accept_downloads=True)
        context.add_cookies([{"name": name, "value": cookie.value, "url": address}])
        yield context.new_page()
        context.close()


@pytest.fixture
def worker(runtime: Runtime) -> Iterator[None]:
    """An import worker with a connection of its own, as the process has; finds its work without Redis."""
    engine = make_engine(runtime.engine.url.render_as_string(hide_password=False))
    mine = replace(runtime, engine=engine, sessions=make_sessions(engine))
    process.use(mine)
    jobs = {"import.check": imports.check_file, "import.write": imports.write_file}
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.2):
            with mine.sessions() as session:
                wanted = select(OutboxMessage.id, OutboxMessage.topic).where(
                    OutboxMessage.topic.in_(jobs), OutboxMessage.settled_at.is_(None)
                )
                rows = session.execute(wanted).all()
            for row in rows:
                jobs[row.topic](row.id)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()
    engine.dispose()


def places() -> bytes:
    """Return a CSV of roads, some of which are rivers."""
    every = ROWS // WRONG
    wrong = {every * number + 7 for number in range(WRONG)}
    lines = [f"第{number}号路,{'河流' if number in wrong else '道路'},JZ" for number in range(ROWS)]
    return "\n".join(["地名,类型,所属县区", *lines]).encode()


@pytest.mark.usefixtures("worker")
def test_thousands_of_rows_are_looked_at_written_and_the_wrong_ones_come_back(
    page: Page, look: Look, tmp_path: Path
) -> None:
    page.goto("/office/city/import/gazetteer")
    page.set_input_files("input[type=file]", {"name": "地名.csv", "mimeType": "text/csv", "buffer": places()})
    page.get_by_role("button", name="上传并核对").click()
    expect(page.locator("#import")).to_contain_text("可以离开这一页", timeout=PATIENCE_MS)
    confirm = page.get_by_role("button", name=f"确认导入 {ROWS - WRONG} 行")
    expect(confirm).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#import")).to_contain_text("只能是：片区、道路、小区")
    assert look.one(select(func.count(Place.id))) == 0
    with page.expect_download() as taken:
        page.get_by_role("link", name="下载这些行").click()
    sheet = Path(tmp_path / "refused.csv")
    taken.value.save_as(sheet)
    assert len(sheet.read_text(encoding="utf-8-sig").splitlines()) == WRONG + 1
    confirm.click()
    expect(page.locator("#import")).to_contain_text(f"已导入：新增 {ROWS - WRONG} 行", timeout=PATIENCE_MS)
    assert look.one(select(func.count(Place.id))) == ROWS - WRONG
    page.goto("/office/city/gazetteer?q=第4999号路")
    expect(page.locator("tbody tr")).to_have_count(1)
