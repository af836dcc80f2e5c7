"""The printed handbook: everything published, by category, as people read it."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date

import pytest
from docx import Document
from lxml import etree

from hotline.knowledge_base import handbook
from hotline.knowledge_base.content import Content

DAY = date(2026, 11, 22)
CARD = Content(
    question="社保卡丢了怎么补办",
    answer="先拨打 **12333** 挂失，再：\n\n1. 带身份证\n2. 到网点\n   - 即时制卡\n\n3. 领卡\n\n"
    "| 网点 | 时间 |\n| --- | --- |\n| 市区 | 当场 |\n\n> 引文\n\n---\n\n见[官网](https://example.gov.cn)。\n第二行",
    category="社会保障",
    spoken="请先挂失。",
    source="《指南》三",
    source_url="https://example.gov.cn/card",
    valid_from=date(2026, 1, 1),
    owner_unit="RS",
)
LAMP = Content(question="路灯坏了", answer="<script>alert(1)</script>\ufffe报修。", valid_to=date(2026, 12, 31))


def made(*entries: tuple[str, Content]) -> bytes:
    return handbook.made("知识手册", entries, units={"RS": "市人社局"}, printed_on=DAY)


def lines(body: bytes) -> list[str]:
    """Return what a reader of the paper sees, tables as their rows."""
    told = []
    for one in Document(io.BytesIO(body)).iter_inner_content():
        if hasattr(one, "rows"):
            told += [" | ".join(cell.text for cell in row.cells) for row in one.rows]
        elif one.text:
            told.append(one.text)
    return told


def test_a_handbook_has_cover_contents_and_every_entry_by_category() -> None:
    assert lines(made(("L1", LAMP), ("K1", CARD))) == [
        *("知识手册", "共 2 条", "2026年11月22日印制", "目录"),
        *("社会保障（1 条）", "社保卡丢了怎么补办", "其他（1 条）", "路灯坏了"),
        *("社会保障", "社保卡丢了怎么补办", "先拨打 12333 挂失，再："),
        *("1. 带身份证", "2. 到网点", "• 即时制卡", "3. 领卡", "网点 | 时间", "市区 | 当场"),
        *("引文", "见官网（https://example.gov.cn）。\n第二行"),
        *("口语答复：请先挂失。", "依据：《指南》三 https://example.gov.cn/card", "有效期：2026年1月1日起"),
        *("责任单位：市人社局", "编号：K1", "其他", "路灯坏了"),
        *("<script>alert(1)</script>报修。", "有效期：至2026年12月31日", "编号：L1"),
    ]


def test_the_contents_lead_to_the_questions_and_word_can_renew_them() -> None:
    with zipfile.ZipFile(io.BytesIO(made(("K1", CARD), ("L1", LAMP)))) as archive:
        told = archive.read("word/document.xml").decode()
        foot = archive.read("word/footer1.xml").decode()
        styles = archive.read("word/styles.xml").decode()
    assert set(re.findall(r'w:anchor="(\w+)"', told)) == set(re.findall(r'bookmarkStart[^>]*w:name="(\w+)"', told))
    assert told.count('fldCharType="begin"') == told.count('fldCharType="end"') == 1
    assert "TOC" in told and "PAGE" in foot
    used = set(re.findall(r'<w:(?:pStyle|tblStyle) w:val="(\w+)"', told))
    assert used <= set(re.findall(r'w:styleId="(\w+)"', styles))
    assert 'w:eastAsia="宋体"' in styles


def test_nothing_a_handbook_holds_can_be_run_or_leads_outside() -> None:
    sly = Content(question="=cmd|'/C calc'!A0", answer="[点](javascript:alert(1)) ![](http://127.0.0.1:9/x.png)")
    with zipfile.ZipFile(io.BytesIO(made(("x", sly)))) as archive:
        assert not [name for name in archive.namelist() if "vba" in name.lower()]
        relations = etree.fromstring(archive.read("word/_rels/document.xml.rels"))
    assert all(one.get("TargetMode") != "External" for one in relations)


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        (None, None, "长期有效"),
        (DAY, None, "2026年11月22日起"),
        (None, DAY, "至2026年11月22日"),
        (DAY, date(2027, 1, 1), "2026年11月22日至2027年1月1日"),
    ],
)
def test_validity_is_told_in_words(since: date | None, until: date | None, words: str) -> None:
    assert handbook.validity(since, until) == words


def test_a_handbook_of_nothing_is_a_cover() -> None:
    assert lines(made()) == ["知识手册", "共 0 条", "2026年11月22日印制", "目录"]
