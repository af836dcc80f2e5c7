"""Workbooks as people save them, and as somebody who means harm makes them."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy.orm import Session

from hotline.errors import Invalid
from hotline.imports import KINDS, preview, read, workbook
from hotline.imports.files import again
from tests.unit.imports.files import csv_of

UNITS = KINDS["units"]
HEAD = ["单位编号", "单位名称", "层级", "上级单位编号", "值班电话"]


def book(*rows: list[Any], change: Callable[[Workbook], None] | None = None) -> bytes:
    """Return a workbook with these rows on its first sheet."""
    made = Workbook()
    for row in rows:
        made.active.append(row)
    if change:
        change(made)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def rewritten(body: bytes, part: str, change: Callable[[str], str]) -> bytes:
    """Return the workbook with one part of it changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            data = before.read(name)
            after.writestr(name, change(data.decode()).encode() if name == part else data)
    return out.getvalue()


def hub(**more: Any) -> list[Any]:
    """Return a row that is taken."""
    values = dict(zip(HEAD, ["A", "热线中心", "热线中心", "", ""], strict=True)) | more
    return [values[title] for title in HEAD]


def reasons(session: Session, body: bytes) -> dict[int, str]:
    return {one.line: one.reason for one in preview(session, UNITS, read(body, "单位.xlsx")).refused}


def only(body: bytes) -> dict[str, Any]:
    """Return the cells of the only row."""
    return dict(next(iter(read(body, "a.xlsx")))[1])


def test_a_sheet_is_read_like_a_csv_and_empty_lines_are_passed_over(session: Session):
    body = book(HEAD, hub(), [], ["B", "甲局", "二级", "A", "19900000001"])
    rows = read(body, "单位.xlsx")
    assert [line for line, _ in rows] == [2, 4]
    assert preview(session, UNITS, rows).new == 2
    kept = again(rows.kept())
    assert list(kept) == list(rows) and (kept.headings, kept.count) == (rows.headings, 2)


def test_numbers_come_with_all_their_digits_and_days_as_days():
    row = only(
        book(
            ["a", "b", "c", "d", "e", "f", "g"],
            [
                19900000001,
                1.9900000002e10,
                date(2026, 11, 21),
                datetime.fromisoformat("2026-11-21 15:04"),
                time(8, 30),
                True,
                2.5,
            ],
        )
    )
    assert list(row.values()) == ["19900000001", "19900000002", "2026-11-21", "2026-11-21 15:04", "08:30", "是", "2.5"]


def test_a_number_whose_end_the_spreadsheet_has_lost_is_refused_by_line(session: Session):
    told = reasons(session, book(HEAD, hub(), ["B", "甲", "二级", "A", 1311031990010110000]))
    assert told == {3: "E3：表格软件把长数字的末尾改成了 0，请把这一列设为文本后重填"}


def test_a_telephone_rounded_in_a_csv_is_told_as_what_it_is(session: Session):
    rows = read(csv_of("units", [{"code": "A", "name": "甲", "tier": "1", "duty_phone": "1.99E+10"}]), "a.csv")
    assert "科学计数" in preview(session, UNITS, rows).refused[0].reason


def test_a_formula_is_read_by_its_value_and_without_one_refused_by_line(session: Session):
    body = book(HEAD, hub(), ["B", "=CONCATENATE(A2,A2)", "二级", "A", ""])
    assert reasons(session, body) == {3: "B3：公式没有存下结果，请在表格软件里打开、保存后再导入，或改填内容"}
    worked_out = rewritten(
        body,
        "xl/worksheets/sheet1.xml",
        lambda xml: re.sub(r'<c r="B3"[^>]*>(<f>.*?</f>).*?</c>', r'<c r="B3" t="str">\1<v>AA</v></c>', xml),
    )
    assert [cells["单位名称"] for _, cells in read(worked_out, "a.xlsx")] == ["热线中心", "AA"]


def test_an_error_in_a_cell_is_refused_by_line(session: Session):
    told = reasons(session, book(HEAD, hub(), ["B", "#N/A", "二级", "A", ""]))
    assert told == {3: "B3：公式出错 #N/A"}


def test_merged_cells_are_refused_by_line_and_merged_headings_whole(session: Session):
    body = book(HEAD, hub(), *(["B", "甲", "二级", "A", ""],) * 2, change=lambda one: one.active.merge_cells("A3:A4"))
    assert set(reasons(session, body)) == {3, 4}
    assert "合并的单元格" in reasons(session, body)[3]
    with pytest.raises(Invalid, match="不能合并"):
        read(book(["单位表"], HEAD, hub(), change=lambda one: one.active.merge_cells("A1:E1")), "a.xlsx")


def two_sheets(made: Workbook) -> None:
    made.active.title = "说明"
    made.create_sheet("承办单位").append(HEAD)
    made["承办单位"].append(hub())
    made.create_sheet("藏").sheet_state = "hidden"


def test_of_several_sheets_the_one_called_like_the_data_is_taken_or_the_one_asked_for():
    body = book(["怎么填"], ["……"], change=two_sheets)
    assert read(body, "a.xlsx", liked="承办单位").sheet == "承办单位"
    first = read(body, "a.xlsx", liked="人员")
    assert (first.sheet, first.sheets) == ("说明", ("说明", "承办单位"))
    assert read(body, "a.xlsx", sheet="承办单位").count == 1
    with pytest.raises(Invalid, match="没有工作表“藏”，有：说明、承办单位"):
        read(body, "a.xlsx", sheet="藏")


@pytest.mark.parametrize(
    ("body", "name", "why"),
    [
        (b"x", "a.xls", "旧格式"),
        (b"x", "a.xlsm", "带宏"),
        (b"x", "a.xlsx", "不是正确的 .xlsx"),
        (workbook.ZIP + b"x" * 100, "a.xlsx", "不是正确的 .xlsx"),
        (workbook.COMPOUND + b"\0" * 600, "a.xlsx", "旧格式"),
        (workbook.COMPOUND + b"\0" * 600 + workbook.ENCRYPTED, "a.xlsx", "打开密码"),
        (book(), "a.xlsx", "是空的"),
        (book(HEAD), "a.xlsx", "没有数据"),
    ],
)
def test_what_is_no_plain_workbook_is_refused_in_words(body: bytes, name: str, why: str):
    with pytest.raises(Invalid, match=why):
        read(body, name)


def test_macros_under_another_ending_are_refused():
    out = io.BytesIO(book(HEAD, hub()))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"x")
    with pytest.raises(Invalid, match="带有宏"):
        read(out.getvalue(), "a.xlsx")


def test_a_bomb_is_not_unpacked():
    out = io.BytesIO(book(HEAD, hub()))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/more.xml", b" " * (workbook.MOST_HELD + 1))
    assert len(out.getvalue()) < 200_000
    with pytest.raises(Invalid, match="解压后太大"):
        read(out.getvalue(), "a.xlsx")


def test_entities_that_grow_are_not_followed():
    grown = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'

    def bomb(xml: str) -> str:
        return re.sub(r"(<worksheet)", grown.replace("\\", "") + r"\1", xml, count=1)

    with pytest.raises(Invalid, match="不是正确的"):
        read(rewritten(book(HEAD, hub()), "xl/worksheets/sheet1.xml", bomb), "a.xlsx")


def test_a_sheet_far_too_wide_or_with_lines_beyond_the_format_is_refused():
    with pytest.raises(Invalid, match="超过 200 列"):
        read(book(HEAD, ["x"] * 300), "a.xlsx")
    far = rewritten(
        book(HEAD, hub()), "xl/worksheets/sheet1.xml", lambda xml: re.sub(r'r="A2"', 'r="XFD2"', xml, count=1)
    )
    with pytest.raises(Invalid, match="超过 200 列"):
        read(far, "a.xlsx")
    below = rewritten(
        book(HEAD, hub()), "xl/worksheets/sheet1.xml", lambda xml: xml.replace('<row r="2"', '<row r="99999999999"')
    )
    with pytest.raises(Invalid, match="不是正确的"):
        read(below, "a.xlsx")


def test_a_written_sheet_is_text_only_keeps_zeros_and_runs_nothing():
    made = load_workbook(io.BytesIO(workbook.write("单位", ["编号", "名"], [["007", "=1+1"], ["", "\x0b甲"]])))
    sheet = made.active
    assert [cell.data_type for row in sheet.rows for cell in row if cell.value] == ["s"] * 5
    assert sheet.column_dimensions["A"].number_format == "@"
    assert (sheet["A2"].value, sheet["B2"].value, sheet["B3"].value) == ("007", "=1+1", "甲")
    assert only(workbook.write("x", HEAD, [hub(值班电话="007")]))["值班电话"] == "007"


def test_what_a_csv_must_guard_comes_back_as_it_was():
    body = b"a,b\n'=1+1,'quoted'\n'+86199,plain\n"
    assert [list(cells.values()) for _, cells in read(body, "a.csv")] == [["=1+1", "'quoted'"], ["+86199", "plain"]]
