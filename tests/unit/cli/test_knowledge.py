"""What an administrator does from a shell with knowledge in files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from docx import Document
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.db import session_scope
from hotline.imports import read
from hotline.knowledge_base.models import Entry, Version
from tests.unit.cli.conftest import database, hotline
from tests.unit.knowledge_base.policies import NOTICE

CSV = "问题,答案,失效日期\n路灯坏了,请拨打12345。,2027-01-01\n停水了,,\n结婚登记,带身份证。,明天\n"


@pytest.fixture
def city(place: Path) -> Path:
    """A folder whose settings name a database with a city."""
    hotline("setup", "--yes", "--units", "units.csv")
    return place


def states(session: Session) -> list[tuple[str, str]]:
    wanted = select(Entry.question, Version.state).join(Entry, Entry.id == Version.entry_id).order_by(Version.id)
    return [(question, state) for question, state in session.execute(wanted)]


def test_a_sheet_is_published_and_its_wrong_lines_are_told(city: Path) -> None:
    (city / "知识.csv").write_text(CSV, encoding="gb18030")
    done = hotline("kb", "import", "知识.csv", "--category", "市政")
    assert done.exit_code == 1
    assert "added 1, updated 0, unchanged 0, refused 2" in done.output
    assert "line 3: 答案：必须填写" in done.output and "line 4: 失效日期：日期应写成" in done.output
    assert (city / "知识.csv.refused.csv").exists()
    with database(city)() as session:
        assert states(session) == [("路灯坏了", "published")]
        assert session.scalars(select(Entry.category)).one() == "市政"


def test_rows_may_be_left_for_an_editor(city: Path) -> None:
    (city / "知识.csv").write_text("问题,答案\n路灯坏了,修。\n", encoding="utf-8")
    assert hotline("kb", "import", "知识.csv", "--draft").exit_code == 0
    with database(city)() as session:
        assert states(session) == [("路灯坏了", "review")]


def test_a_document_becomes_drafts_and_can_be_looked_at_before(city: Path) -> None:
    (city / "通知.txt").write_text(NOTICE, encoding="utf-8")
    told = [json.loads(line) for line in hotline("kb", "split", "通知.txt").stdout.splitlines()]
    assert [one["clause"] for one in told][1:3] == ["第一条", "第二条"]
    assert "added 7" in hotline("kb", "import", "通知.txt").output
    assert "added 0, updated 0, unchanged 7" in hotline("kb", "import", "通知.txt").output
    with database(city)() as session:
        assert {state for _, state in states(session)} == {"draft"}


def test_what_cannot_be_read_is_told_in_one_sentence(city: Path) -> None:
    (city / "假.docx").write_bytes(b"%PDF-1.7")
    done = hotline("kb", "import", "假.docx")
    assert done.exit_code == 1 and done.output.startswith("Error: 不是正确的 .docx")
    assert hotline("kb", "export", "知识.pdf").exit_code == 2
    assert hotline("kb", "import", "假.docx", "--questions-only").exit_code == 2


def test_lines_with_every_field_come_in_and_go_out_again(city: Path) -> None:
    told = {
        "id": "card",
        "question": "社保卡丢了怎么办",
        "similar": ["补卡"],
        "answer": "补办。",
        "spoken": "",
        "category": "社保",
        "owner_unit": "HS-JZ",
        "source": "《指南》",
        "source_url": "https://example.gov.cn/card",
        "areas": [],
        "valid_from": "2026-01-01",
        "valid_to": None,
        "review_on": "2026-12-31",
        "public": False,
    }
    (city / "in.jsonl").write_text(json.dumps(told, ensure_ascii=False) + "\n", encoding="utf-8")
    assert "added 1" in hotline("kb", "import", "in.jsonl").output
    assert "wrote 1 entries" in hotline("kb", "export", "out.jsonl").output
    assert json.loads((city / "out.jsonl").read_text(encoding="utf-8")) == told
    hotline("kb", "export", "out.xlsx")
    ((_, row),) = read(city / "out.xlsx", "out.xlsx")
    assert (row["编号"], row["复核日期"], row["对外公开"]) == ("card", "2026-12-31", "否")
    assert "unchanged 1" in hotline("kb", "import", "out.xlsx").output
    hotline("kb", "export", "out.docx", "--category", "社保", "--title", "社保手册")
    assert Document(str(city / "out.docx")).paragraphs[0].text == "社保手册"
    with session_scope(database(city)) as session:
        assert states(session) == [("社保卡丢了怎么办", "published")]


def test_what_an_operator_would_be_shown_is_shown(city: Path) -> None:
    (city / "知识.csv").write_text("问题,答案\n路灯坏了找谁,请拨打12345。\n", encoding="utf-8")
    hotline("kb", "import", "知识.csv")
    found = hotline("kb", "search", "门口鹿灯坏了")
    assert found.exit_code == 0 and "路灯坏了找谁" in found.output
    assert "路灯" not in hotline("kb", "search", "结婚登记").output
