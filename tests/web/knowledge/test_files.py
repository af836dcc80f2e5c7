"""Knowledge goes in and out by the file: looked at first, then waiting for a colleague; never published on the way."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from docx import Document
from openpyxl import load_workbook
from sqlalchemy import func, select

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.imports import jobs
from hotline.knowledge_base.models import Entry, Version
from hotline.knowledge_base.service import import_entries
from tests.conftest import NOON
from tests.factories import people
from tests.factories.units import City
from tests.unit.knowledge_base.policies import NOTICE, docx, paragraph
from tests.web.city.conftest import ImportWorker, import_worker, look
from tests.web.shared.browser import Browser
from tests.web.staff import Clock, Staff

__all__ = ["import_worker", "look"]

AT = "/knowledge/files"
SHEET = "问题,答案,责任单位\n路灯坏了找谁,请拨打12345。,\n,没有问题,\n停水怎么报修,联系供水公司。,没有的局\n"
STATES = select(Version.state, func.count()).group_by(Version.state)
Upload = Callable[..., str]


@pytest.fixture
def writer(here: City, runtime: Runtime) -> Actor:
    """Somebody who writes; the city knows one entry."""
    with session_scope(runtime.sessions) as session:
        row = {"id": "K1", "question": "=社保卡丢了", "answer": "补办。", "category": "社保"}
        import_entries(session, [row], actor_id=None, now=NOON)
        return people.actor(session, Role.KBE, name="编辑小钱")


@pytest.fixture
def page(staff: Staff, writer: Actor) -> Browser:
    """Their browser."""
    return staff(writer)


def send(page: Browser, body: str | bytes, name: str, **form: str) -> str:
    raw = body.encode() if isinstance(body, str) else body
    answer = page.post(AT, {"file": (io.BytesIO(raw), name), **form})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


@pytest.fixture
def upload(page: Browser, import_worker: ImportWorker) -> Upload:
    """Send a file in and let it be looked at."""

    def sent(body: str | bytes, name: str, **form: str) -> str:
        address = send(page, body, name, **form)
        import_worker()
        return address

    return sent


def states(runtime: Runtime) -> dict[str, int]:
    with runtime.sessions() as session:
        return {state: count for state, count in session.execute(STATES)}


def test_a_sheet_is_shown_then_waits_for_a_colleague(
    page: Browser, runtime: Runtime, upload: Upload, import_worker: ImportWorker
) -> None:
    address = upload(SHEET, "知识.csv", category="市政")
    shown = page.get(address).text
    assert "提交 1 条待审核" in shown and "必须填写" in shown and "没有编码为 没有的局 的单位" in shown
    assert states(runtime) == {"published": 1}
    assert page.post(address).status_code == 303
    assert "正在排队" in page.get(address).text
    import_worker()
    assert "已提交 1 条待审核" in page.get(address).text
    assert states(runtime) == {"published": 1, "review": 1}
    refused = page.get(f"{address}/refused.csv").text.splitlines()
    assert [row.split(",")[0] for row in refused[1:]] == ["3", "4"]
    with runtime.sessions() as session:
        assert session.scalars(select(Entry.category).where(Entry.question == "路灯坏了找谁")).one() == "市政"


def test_a_document_becomes_drafts(
    page: Browser, runtime: Runtime, upload: Upload, import_worker: ImportWorker
) -> None:
    body = docx(*[paragraph(line) for line in NOTICE.split("\n")])
    address = upload(body, "通知.docx", source_url="https://example.gov.cn/dogs")
    shown = page.get(address).text
    assert (
        "生成 7 条草稿" in shown
        and "个人申请养犬登记需要符合哪些条件" in shown
        and "《衡水市养犬管理办法》第四条" in shown
    )
    page.post(address)
    import_worker()
    assert "去修改草稿" in page.get(address).text
    assert states(runtime) == {"published": 1, "draft": 7}


@pytest.mark.parametrize(
    ("body", "name", "reason"),
    [
        (b"", "a.docx", "文件是空的"),
        (b"x", "a.docm", "带宏的 .docm"),
        (b"x", "a.xlsm", "带宏的 .xlsm"),
        (b"x", "a.doc", "旧格式的 .doc"),
        (b"x", "a.exe", "只能读取"),
        (b"x" * (21 << 20), "a.pdf", "超过 20 MB"),
    ],
)
def test_what_a_glance_tells_is_refused_at_once(page: Browser, body: bytes, name: str, reason: str) -> None:
    answer = page.post(AT, {"file": (io.BytesIO(body), name)})
    assert answer.status_code == 422 and reason in answer.text


@pytest.mark.parametrize(
    ("body", "name", "reason"),
    [
        (b"PK\x03\x04 crooked", "a.docx", "不是正确的 .docx"),
        (docx(paragraph("甲"), parts={"word/vbaProject.bin": b"x"}), "a.docx", "带有宏"),
        (b"%PDF-1.7 nothing", "a.pdf", "读不出来"),
        (b"\0\0", "a.txt", "不是文本"),
        ("问题,答按\n问,答\n".encode(), "a.csv", "不认识的列：答按"),
    ],
)
def test_what_only_reading_tells_is_said_on_the_page(
    page: Browser, runtime: Runtime, upload: Upload, body: bytes, name: str, reason: str
) -> None:
    answer = page.get(upload(body, name)).text
    assert reason in answer and "重新上传" in answer
    assert states(runtime) == {"published": 1}


def test_a_wrong_link_for_all_rows_is_told_at_its_field(page: Browser) -> None:
    answer = page.post(AT, {"file": (io.BytesIO(SHEET.encode()), "a.csv"), "source_url": "ftp://x", "category": "市政"})
    assert answer.status_code == 422
    assert "应以 https://" in answer.text and 'value="市政"' in answer.text


def test_without_a_file_the_page_says_so(page: Browser) -> None:
    assert "请选择一个文件" in page.post(AT, {}).text


def test_an_import_can_be_left_and_found_again_by_its_owner_alone(
    page: Browser, upload: Upload, staff: Staff, runtime: Runtime
) -> None:
    address = upload(SHEET, "知识.csv")
    assert address in page.get(AT).text and "等您确认" in page.get(AT).text
    with session_scope(runtime.sessions) as session:
        colleague = people.actor(session, Role.KBE, name="编辑小孙")
    other = staff(colleague)
    assert address not in other.get(AT).text
    assert other.get(address).status_code == 404


def test_one_that_was_cut_off_can_go_on(
    page: Browser, upload: Upload, runtime: Runtime, clock: Clock, import_worker: ImportWorker
) -> None:
    address = upload(SHEET, "知识.csv")
    job = jobs.Job(jobs.folder(runtime.settings.data_dir), address.rsplit("/", 1)[1])
    job.put(state=jobs.WRITING, at=runtime.now().isoformat())
    clock.on(minutes=2)
    assert "处理中断了" in page.get(address).text
    assert page.post(f"{address}/again").status_code == 303
    import_worker()
    assert "已提交 1 条待审核" in page.get(address).text


def test_the_template_is_filled_in_as_it_says_and_taken(
    page: Browser, runtime: Runtime, upload: Upload, import_worker: ImportWorker
) -> None:
    body = page.get(f"{AT}/template.xlsx").data
    book = load_workbook(io.BytesIO(body))
    assert book.sheetnames == ["知识", "填写说明"]
    assert [cell.value for cell in book["知识"][1]][:3] == ["编号", "问题", "相似问"]
    address = upload(body, "知识导入模板.xlsx")
    shown = page.get(address).text
    assert "提交 1 条待审核" in shown and re.search(r'value="填写说明"', shown)
    assert page.post(f"{address}/sheet", {"sheet": "填写说明"}).status_code == 303
    import_worker()
    assert "不认识的列" in page.get(address).text


@pytest.mark.parametrize("category", ["", "?category=*", "?category=社保"])
def test_what_is_published_is_taken_away_as_a_sheet(page: Browser, upload: Upload, category: str) -> None:
    answer = page.get(f"{AT}/export.xlsx{category}")
    row = load_workbook(io.BytesIO(answer.data))["知识" if category != "?category=社保" else "知识-社保"][2]
    assert (row[1].value, row[1].data_type) == ("=社保卡丢了", "s")
    assert "没有变化" in page.get(upload(answer.data, "知识.xlsx")).text
    assert "'=社保卡丢了" in page.get(f"{AT}/export.csv{category}").text


def test_a_handbook_is_taken_away_to_be_printed(page: Browser) -> None:
    answer = page.get(f"{AT}/export.docx?category=社保")
    assert "filename*=UTF-8''" in answer.headers["Content-Disposition"]
    told = [one.text for one in Document(io.BytesIO(answer.data)).paragraphs]
    assert told[0] == "12345政务服务热线知识手册" and "=社保卡丢了" in told


def test_what_there_is_none_of_or_too_much_is_told_on_the_page(page: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = page.get(f"{AT}/export.xlsx?category=没有")
    assert answer.status_code == 422 and "这个分类里没有已发布的条目" in answer.text
    monkeypatch.setattr("hotline.web.knowledge.files.MOST_PRINTED", 0)
    answer = page.get(f"{AT}/export.docx")
    assert answer.status_code == 422 and "一次最多导出 0 条" in answer.text


def test_only_editors_come_in(staff: Staff, here: City) -> None:
    assert staff(here.reviewer).get(AT).status_code == 403
