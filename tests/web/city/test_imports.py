"""A file is looked at first, written when confirmed, and its refused rows come back by line."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select

from hotline.accounts.roles import Role
from hotline.audit import AccessLog
from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.imports import engine, jobs
from hotline.outbox import OutboxMessage
from hotline.units.models import Category
from tests.factories import people
from tests.factories.units import City
from tests.web.city.conftest import ImportWorker, Look
from tests.web.shared.browser import Browser
from tests.web.staff import Clock, Staff

AT = "/office/city/import"
FILE = "分类编号,分类名称,上级分类编号\nCJ,城建,\nCJ-LD,路灯,CJ\nCJ-XX,,CJ\nYY,环,ZZ\n"

Upload = Callable[..., str]


def send(admin: Browser, kind: str, body: str | bytes, name: str = "rows.csv") -> str:
    """Send a file in and return the address of what becomes of it."""
    raw = body.encode() if isinstance(body, str) else body
    answer = admin.post(f"{AT}/{kind}", {"file": (io.BytesIO(raw), name)})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


@pytest.fixture
def upload(admin: Browser, import_worker: ImportWorker) -> Upload:
    """Send a file in and let it be looked at."""

    def sent(kind: str, body: str | bytes, name: str = "rows.csv") -> str:
        address = send(admin, kind, body, name)
        import_worker()
        return address

    return sent


def test_a_file_is_shown_before_it_is_written_and_then_written(
    admin: Browser, look: Look, upload: Upload, import_worker: ImportWorker
) -> None:
    every = select(func.count(Category.id))
    before = look.one(every)
    address = upload("categories", FILE)
    page = admin.get(address).text
    assert "确认导入 2 行" in page and "必须填写" in page and "没有编号为 ZZ 的分类" in page
    assert look.one(every) == before
    assert admin.post(address).status_code == 303
    assert "正在排队" in admin.get(address).text
    import_worker()
    assert "已导入：新增 2 行" in admin.get(address).text
    assert look.one(select(Category.name).where(Category.code == "CJ-LD")) == "路灯"


def test_the_refused_rows_come_back_with_line_and_reason_before_and_after(
    admin: Browser, upload: Upload, import_worker: ImportWorker
) -> None:
    address = upload("categories", FILE)
    for _ in range(2):
        sheet = admin.get(f"{address}/refused.csv").text.splitlines()
        assert sheet[0].lstrip("\ufeff").startswith("行,原因")
        assert [row.split(",")[0] for row in sheet[1:]] == ["4", "5"]
        admin.post(address)
        import_worker()


def test_a_file_stands_encrypted_and_goes_when_it_is_written(
    admin: Browser, upload: Upload, import_worker: ImportWorker, runtime: Runtime
) -> None:
    kept = jobs.folder(runtime.settings.data_dir)
    address = upload("categories", FILE)
    assert not any("路灯".encode() in path.read_bytes() for path in kept.iterdir())
    admin.post(address)
    import_worker()
    assert {path.suffix for path in kept.iterdir()} == {".state", ".refused"}


def test_a_queue_holds_no_more_than_a_token(admin: Browser, look: Look) -> None:
    address = send(admin, "categories", FILE)
    row = look.one(select(OutboxMessage).where(OutboxMessage.topic == "import.check"))
    assert row.payload == {"token": address.rpartition("/")[2]}


def test_a_confirmed_file_is_not_written_twice(
    admin: Browser, look: Look, upload: Upload, import_worker: ImportWorker
) -> None:
    address = upload("categories", FILE)
    admin.post(address)
    assert admin.post(address).status_code == 409
    import_worker()
    assert admin.post(address).status_code == 409
    assert look.one(select(func.count()).where(AccessLog.act == "import")) == 1


def test_an_import_stands_in_the_history_of_its_kind(
    admin: Browser, upload: Upload, import_worker: ImportWorker
) -> None:
    admin.post(upload("categories", FILE))
    import_worker()
    page = admin.get("/office/city/categories/history").text
    assert "导入：rows.csv" in page and "新增 2 行" in page and "不能导入 2 行" in page


def test_codes_of_newcomers_are_shown_once(admin: Browser, upload: Upload, import_worker: ImportWorker) -> None:
    address = upload("users", "用户名,姓名,岗位\nop77,小周,话务员\n")
    admin.post(address)
    import_worker()
    assert re.search(r"<code>[0-9A-Z]{16}</code>", admin.get(address).text)
    assert "<code>" not in admin.get(address).text


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("rows.xlsx", "PK", "不是正确的 .xlsx"),
        ("rows.xls", "PK", "旧格式"),
        ("rows.pdf", "x", "只能导入"),
    ],
)
def test_a_file_nobody_can_read_is_refused_in_words(admin: Browser, name: str, text: str, words: str) -> None:
    answer = admin.post(f"{AT}/units", {"file": (io.BytesIO(text.encode()), name)})
    assert answer.status_code == 422 and words in answer.text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "第一行应当是列名"),
        ("编号,名字\n1,2\n", "不认识的列：编号、名字"),
        ("单位编号,单位名称,层级\n", "没有数据"),
    ],
)
def test_what_only_a_look_inside_shows_is_told_on_the_page(
    admin: Browser, upload: Upload, text: str, words: str
) -> None:
    assert words in admin.get(upload("units", text)).text


def test_another_ones_file_is_not_there(admin: Browser, staff: Staff, here: City, upload: Upload) -> None:
    address = upload("categories", FILE)
    assert staff(here.reviewer).get(address).status_code == 403
    assert admin.get(f"{AT}/categories/{'0' * 32}").status_code == 404


def test_a_duty_telephone_is_masked_in_what_would_be_written(admin: Browser, upload: Upload) -> None:
    address = upload("units", "单位编号,单位名称,层级,上级单位编号,值班电话\nSW,水务局,二级,HS,19900000077\n")
    page = admin.get(address).text
    assert "199****0077" in page and "19900000077" not in page


def two_sheets() -> bytes:
    book = Workbook()
    book.active.title = "填写说明"
    book.active.append(["先看这里"])
    book.active.append(["第二行"])
    sheet = book.create_sheet("今年的")
    for row in FILE.splitlines():
        sheet.append(row.split(","))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_of_several_sheets_the_page_says_which_was_read_and_another_can_be_chosen(
    admin: Browser, upload: Upload, import_worker: ImportWorker
) -> None:
    address = upload("categories", two_sheets(), "rows.xlsx")
    page = admin.get(address).text
    assert "不认识的列：先看这里" in page and "读的是工作表“填写说明”" in page and 'value="今年的"' in page
    assert admin.post(f"{address}/sheet", {"sheet": "今年的"}).status_code == 303
    import_worker()
    assert "确认导入 2 行" in admin.get(address).text
    admin.post(address)
    import_worker()
    assert "已导入：新增 2 行" in admin.get(address).text


def test_without_a_worker_the_page_says_so_and_nothing_is_lost(
    admin: Browser, clock: Clock, import_worker: ImportWorker
) -> None:
    address = send(admin, "categories", FILE)
    assert "后台还没有开始处理" not in admin.get(address).text
    clock.on(seconds=20)
    page = admin.get(address).text
    assert "后台还没有开始处理" in page and "不用重新上传" in page
    import_worker()
    assert "确认导入 2 行" in admin.get(address).text


class Killed(BaseException):
    """What a killed process leaves undone: nobody catches it."""


def test_a_worker_killed_while_it_writes_leaves_nothing_and_the_page_goes_on(
    admin: Browser,
    look: Look,
    clock: Clock,
    upload: Upload,
    import_worker: ImportWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = upload("categories", FILE)
    before = look.one(select(func.count(Category.id)))
    admin.post(address)

    def killed(*_args: object, **_more: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(engine.audit, "record", killed)  # everything is written, and not yet committed
        with pytest.raises(Killed):
            import_worker()
    assert look.one(select(func.count(Category.id))) == before
    assert "处理中断" not in admin.get(address).text
    clock.on(minutes=1)
    page = admin.get(address).text
    assert "处理中断了，没有改动任何数据" in page and "接着处理" in page
    assert admin.post(f"{address}/again").status_code == 303
    import_worker()
    assert "已导入：新增 2 行" in admin.get(address).text


def test_a_worker_killed_right_after_the_commit_is_not_told_as_nothing_done(
    admin: Browser,
    look: Look,
    clock: Clock,
    upload: Upload,
    import_worker: ImportWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = upload("users", "用户名,姓名,岗位\nop77,小周,话务员\n")
    admin.post(address)

    def killed(*_args: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(jobs.Job, "keep_refused", killed)
        with pytest.raises(Killed):
            import_worker()
    clock.on(minutes=1)
    page = admin.get(address).text
    assert "已导入：新增 1 行" in page and re.search(r"<code>[0-9A-Z]{16}</code>", page)
    assert look.one(select(func.count()).where(AccessLog.act == "import")) == 1


def test_who_brings_the_same_kind_at_the_same_time_is_told(
    admin: Browser, staff: Staff, runtime: Runtime, clock: Clock, import_worker: ImportWorker
) -> None:
    with session_scope(runtime.sessions) as session:
        keeper = people.actor(session, Role.ADM, name="管理员小李")
    other = staff(keeper)
    first = send(admin, "categories", FILE)
    late = other.post(f"{AT}/categories", {"file": (io.BytesIO(FILE.encode()), "rows.csv")})
    assert late.status_code == 409 and "同一种数据正在导入" in late.text
    import_worker()
    second = send(other, "categories", FILE)
    import_worker()
    admin.post(first)
    assert other.post(second).status_code == 409
    import_worker()
    other.post(second)
    import_worker()
    assert "新增 0 行" in other.get(second).text


def test_what_nobody_came_back_to_is_removed_after_a_day(
    admin: Browser, runtime: Runtime, clock: Clock, upload: Upload
) -> None:
    upload("categories", FILE)
    kept = jobs.folder(runtime.settings.data_dir)
    for path in kept.iterdir():
        os.utime(path, (clock.now.timestamp(),) * 2)
    assert jobs.forget(kept, before=clock.now) == 0
    clock.on(days=1, seconds=1)
    assert jobs.forget(kept, before=clock.now - jobs.KEPT_FOR) == 4
    assert list(kept.iterdir()) == []
