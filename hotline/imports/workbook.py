"""Workbooks (.xlsx): one sheet of one read as a stream into rows of words, and sheets written that hold words only.

A workbook comes from anybody: its parts are measured before they are unpacked, nothing in it is ever worked out, and
what a spreadsheet has damaged is refused by line instead of guessed at.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import IO, Any, Final
from xml.etree.ElementTree import ParseError, iterparse

from defusedxml.common import DefusedXmlException
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._reader import CELL_TAG, FORMULA_TAG, ROW_TAG, WorkSheetParser

from hotline.errors import Invalid

MOST_UNPACKED: Final = 512 * 1024 * 1024
MOST_HELD: Final = 96 * 1024 * 1024  # of parts held whole: shared words, styles
MOST_PARTS: Final = 2000
MOST_COLUMNS: Final = 200
MOST_MERGES: Final = 10_000
LAST_LINE: Final = 1_048_576  # of a sheet, by the format
EXACT_BELOW: Final = 10**15  # a spreadsheet keeps fifteen digits of a number and writes zeros for the rest
ZIP: Final = b"PK\x03\x04"
COMPOUND: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # old .xls, and every workbook under a password
ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
MACROS: Final = "vbaProject.bin"
TEXT_FORMAT: Final = "@"
PLAIN_XML: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*<[^\0]")
MERGE: Final = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=\"([A-Z0-9:$]{1,40})\"")
OVERLAP: Final = 200  # bytes in which what stands on the border of two blocks begins

NO_VALUE: Final = "公式没有存下结果，请在表格软件里打开、保存后再导入，或改填内容"
DAMAGED: Final = "表格软件把长数字的末尾改成了 0，请把这一列设为文本后重填"
MERGED: Final = "这一行有合并的单元格，请取消合并，每一格都填上"
NOT_A_BOOK: Final = "不是正确的 .xlsx 文件，请在表格软件里另存为 .xlsx 或 CSV UTF-8"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a sheet, from 1. ``fault``: why it cannot be taken, empty when it can."""

    number: int
    cells: list[str]
    fault: str = ""


class _Fault(Exception):
    """What forbids one line."""


def check_form(source: IO[bytes]) -> None:
    """Raise ``Invalid`` for what is no plain workbook: an old one, a locked one, one with macros, a bomb."""
    source.seek(0)
    if (head := source.read(len(COMPOUND))) == COMPOUND:
        source.seek(0)
        if ENCRYPTED in source.read():
            raise Invalid("这个文件设了打开密码，请去掉密码再导入", file="有密码")
        raise Invalid("这是旧格式的 .xls 文件，请另存为 .xlsx 再导入", file="旧格式")
    if not head.startswith(ZIP):
        raise Invalid(NOT_A_BOOK, file="不是工作簿")
    try:
        with zipfile.ZipFile(source) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as fault:
        raise Invalid(NOT_A_BOOK, file="压缩包损坏") from fault
    if any(part.filename.endswith(MACROS) for part in parts):
        raise Invalid("这个文件带有宏，请另存为不带宏的 .xlsx 再导入", file="带宏")
    if any(part.flag_bits & 1 for part in parts):
        raise Invalid("这个文件设了打开密码，请去掉密码再导入", file="有密码")
    # a part never unpacks to more than it declares: whoever reads it stops there
    held = sum(part.file_size for part in parts if "/worksheets/" not in part.filename and _is_xml(part.filename))
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED or held > MOST_HELD:
        raise Invalid("文件解压后太大，请分成几个，或另存为 CSV UTF-8", file="解压后太大")


def _is_xml(name: str) -> bool:
    return name.lower().endswith((".xml", ".rels"))


@contextmanager
def opened(source: IO[bytes]) -> Iterator[Any]:
    """Yield the workbook; whatever is wrong with its inside becomes ``Invalid``, as what is no plain workbook does."""
    check_form(source)
    source.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of looks and extensions that are left out
            book = load_workbook(source, read_only=True, data_only=True, keep_links=False)
            try:
                yield book
            finally:
                book.close()
    except Invalid:
        raise
    except (
        zipfile.BadZipFile,
        InvalidFileException,
        DefusedXmlException,
        ParseError,
        EOFError,
        OSError,
        KeyError,
        ValueError,
        TypeError,
        IndexError,
        AttributeError,
    ) as fault:  # what a crooked inside makes of the library
        raise Invalid(NOT_A_BOOK, file=type(fault).__name__) from fault


def chosen(sheets: Sequence[str], wanted: str | None, liked: str) -> str:
    """Return the sheet to read: the one wanted, else the one called as the data are, else the first.

    Raises ``Invalid`` when the wanted one is not there, or none at all.
    """
    if wanted is not None and wanted not in sheets:
        raise Invalid(f"没有工作表“{wanted}”，有：{'、'.join(sheets)}", file="没有这个工作表")
    if not sheets:
        raise Invalid("文件里没有看得见的工作表", file="没有工作表")
    return wanted or (liked if liked in sheets else sheets[0])


def sheets_of(book: Any) -> list[str]:
    """Return the names of the sheets people see, in their order."""
    return [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]


def lines(book: Any, sheet: str) -> Iterator[Line]:
    """Yield the lines of a sheet that hold anything, the first with the headings included.

    A line with a formula that has no value, an error or a damaged number comes with its fault. Ask for ``merged``
    first: it also tells that the sheet may be parsed.
    """
    page = book[sheet]
    parser = _Parser(
        None,
        page._shared_strings,
        data_only=True,
        epoch=book.epoch,
        date_formats=book._date_formats,
        timedelta_formats=book._timedelta_formats,
    )
    with page._get_source() as inside:
        yield from _read(inside, parser)


def merged(book: Any, sheet: str) -> list[tuple[int, int]]:
    """Return the first and last line of every range of merged cells, which stand behind all lines.

    Raises ``Invalid`` for very many, and for a document type: that is where entities that grow are declared, and no
    spreadsheet writes one. The bytes are looked through and not parsed, which takes a tenth of the time.
    """
    found: list[tuple[int, int]] = []
    rest, begun = b"", False
    with book[sheet]._get_source() as inside:
        while block := inside.read(1 << 20):
            if not begun and not PLAIN_XML.match(block):
                raise Invalid(NOT_A_BOOK, file="不是 UTF-8 的 XML")
            begun, text = True, rest + block
            if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
                raise Invalid(NOT_A_BOOK, file="带有文档类型")
            last = 0
            for one in MERGE.finditer(text):
                _, first, _, end = range_boundaries(one[1].decode())
                found.append((int(first or 1), int(end or LAST_LINE)))
                last = one.end()
            if len(found) > MOST_MERGES:
                raise Invalid(f"合并的单元格超过 {MOST_MERGES} 处，请取消合并再导入", file="合并的单元格太多")
            rest = text[max(last, len(text) - OVERLAP) :]
    return found


def _read(inside: IO[bytes], parser: _Parser) -> Iterator[Line]:
    # the quick parser of the standard library: ``merged`` has seen that nothing can grow
    cells, last = 0, 0
    rows: Any = None
    for event, element in iterparse(inside, ("start", "end")):  # noqa: S314
        if event == "start":
            rows = element if element.tag == SHEET_DATA_TAG else rows
            continue
        if element.tag == CELL_TAG:
            cells += 1
            if cells > MOST_COLUMNS:
                raise Invalid(f"第 {last + 1} 行超过 {MOST_COLUMNS} 列，请只留要导入的列", file="列数太多")
        elif element.tag == ROW_TAG:
            number, found = parser.parse_row(element)
            parser.row_dimensions.clear()
            cells = 0
            if not last < number <= LAST_LINE:
                raise Invalid(NOT_A_BOOK, file="行号错乱")
            last = number
            if line := _line(number, found):
                yield line
            element.clear()
            if rows is not None:
                rows.clear()  # or a hundred thousand empty rows would stay


SHEET_DATA_TAG: Final = ROW_TAG.removesuffix("row") + "sheetData"


class _Parser(WorkSheetParser):
    """openpyxl's own, which tells a formula without a value from an empty cell."""

    def parse_cell(self, element: Any) -> dict[str, Any]:
        """Return the cell; a formula nobody has worked out becomes an error."""
        cell: dict[str, Any] = super().parse_cell(element)
        if cell["value"] is None and element.find(FORMULA_TAG) is not None and element.get("t") != "str":
            cell["data_type"], cell["value"] = "e", None
        return cell


def _line(number: int, found: Iterable[dict[str, Any]]) -> Line | None:
    cells: list[str] = []
    fault = ""
    for one in found:
        column = one["column"]
        if column > MOST_COLUMNS and one["value"] is not None:
            raise Invalid(f"第 {number} 行超过 {MOST_COLUMNS} 列，请只留要导入的列", file="列数太多")
        try:
            said = _words(one["value"], one["data_type"])
        except _Fault as wrong:
            fault, said = fault or f"{get_column_letter(column)}{number}：{wrong}", ""
        if said:
            cells.extend([""] * (column - len(cells)))
            cells[column - 1] = said
    return Line(number, cells, fault) if fault or any(cell.strip() for cell in cells) else None


def _words(value: Any, data_type: str) -> str:
    """Return what a person reads in the cell, numbers with all their digits. Raises ``_Fault``."""
    if data_type == "e":
        raise _Fault(NO_VALUE if value is None else f"公式出错 {value}")
    match value:
        case None:
            said = ""
        case bool():
            said = "是" if value else "否"
        case datetime():
            said = value.date().isoformat() if value.time() == time.min else f"{value:%Y-%m-%d %H:%M}"
        case time():
            said = f"{value:%H:%M}"
        case timedelta():
            minutes = int(value.total_seconds()) // 60
            said = f"{minutes // 60:02}:{minutes % 60:02}"
        case int() | float():
            if not abs(value) < EXACT_BELOW:
                raise _Fault(DAMAGED)
            said = str(int(value)) if value == int(value) else f"{value:.15g}"
        case _:  # words, days
            said = str(value)
    return said


Sheet = tuple[str, Sequence[str], Iterable[Sequence[str]]]  # its title, its headings, its rows


def write(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a workbook of one sheet. Every column is text: numbers keep their zeros and nothing is a formula."""
    return write_sheets([(title, head, rows)])


def write_sheets(sheets: Iterable[Sheet]) -> bytes:
    """Return a workbook of several such sheets."""
    book = Workbook(write_only=True)
    for title, head, rows in sheets:
        sheet = book.create_sheet(title[:31])
        sheet.freeze_panes = "A2"
        for column, word in enumerate(head, start=1):
            look = sheet.column_dimensions[get_column_letter(column)]
            look.number_format, look.width = TEXT_FORMAT, max(12, 2 * len(word) + 4)
        sheet.append([_cell(sheet, word, bold=True) for word in head])
        for row in rows:
            sheet.append([_cell(sheet, said) for said in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(sheet: Any, said: str, *, bold: bool = False) -> Any:
    made = WriteOnlyCell(sheet, value="")
    made._value, made.data_type, made.number_format = _clean(said), "s", TEXT_FORMAT
    if bold:
        made.font = Font(bold=True)
    return made


def _clean(said: str) -> str:
    return "".join(char for char in said if char >= " " or char in "\t\n\r")[:32767]
