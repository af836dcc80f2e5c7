"""Files of rows: CSV (UTF-8 or GB18030), a sheet of a workbook, JSONL and JSON. Read again as often as asked, never
held whole."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Final

from hotline.errors import Invalid
from hotline.imports import workbook

MOST_BYTES: Final = 64 * 1024 * 1024
MOST_ROWS: Final = 200_000
ENCODINGS: Final = ("utf-8-sig", "gb18030")
EXTRA: Final = "\0extra"  # cells beyond the last heading
BROKEN: Final = "\0broken"  # the reason a line could not be read at all
FORMATS: Final = (".xlsx", ".csv", ".jsonl", ".json")
BOOK: Final = ".xlsx"
REFUSED_FORMATS: Final = {
    ".xls": "这是旧格式的 .xls 文件，请另存为 .xlsx 再导入",
    ".xlsm": "带宏的 .xlsm 文件不能导入，请另存为不带宏的 .xlsx 再导入",
    ".xlsb": "请把 .xlsb 文件另存为 .xlsx 再导入",
    ".et": "请把 .et 文件另存为 .xlsx 再导入",
    ".numbers": "请把 .numbers 文件导出为 .xlsx 再导入",
}
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def guarded(cell: str) -> str:
    """Return a cell as a CSV may hold it: what a table program would run as a formula gets an apostrophe."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def unguarded(cell: str) -> str:
    """Return the cell that ``guarded`` was given."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA) else cell


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one file. ``headings`` are those of a table (JSON objects name their own); iterating yields
    (line from 1, cells by heading). Of a workbook ``sheets`` are all that could be read, ``sheet`` the one that was."""

    source: Path | bytes
    name: str
    encoding: str
    headings: tuple[str, ...]
    count: int
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)  # by English key: what a row says that does not say it

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Read the file from its beginning."""
        if self.sheet:
            assert isinstance(self.source, bytes), "a sheet is kept as read"
            yield from _kept_lines(self.source)
            return
        with _open(self.source) as raw:
            yield from _cells(raw, self.name, self.encoding)

    def giving(self, given: Mapping[str, str]) -> Rows:
        """Return these rows with what each says that does not say it itself."""
        return replace(self, given=given)

    def kept(self) -> bytes:
        """Return a sheet as ``again`` takes it: unpacking a workbook once more would cost as much as the first time."""
        assert isinstance(self.source, bytes) and self.sheet, "only a sheet is kept"
        about = {
            "name": self.name,
            "headings": self.headings,
            "count": self.count,
            "sheet": self.sheet,
            "sheets": self.sheets,
        }
        return json.dumps(about).encode() + b"\n" + self.source


def packed(name: str, sheet: str, headings: tuple[str, ...], rows: Iterable[tuple[int, dict[str, Any]]]) -> Rows:
    """Return rows worked out of a file, as a sheet of it; each comes with its number."""
    told, out = list(rows), io.BytesIO()
    with gzip.open(out, "wt", encoding="utf-8", compresslevel=1) as lines:
        lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in told)
    return Rows(out.getvalue(), name, "", headings, len(told), sheet, (sheet,))


def again(kept: bytes) -> Rows:
    """Return the rows that gave ``kept``."""
    about, _, source = kept.partition(b"\n")
    told = json.loads(about)
    return Rows(source, told["name"], "", tuple(told["headings"]), told["count"], told["sheet"], tuple(told["sheets"]))


def check(source: Path | bytes, name: str) -> None:
    """Raise ``Invalid`` for a file one glance tells we cannot read; ``read`` looks at the rest."""
    ending = Path(name).suffix.lower()
    if ending in REFUSED_FORMATS:
        raise Invalid(REFUSED_FORMATS[ending], file=f"不能读取 {ending}")
    if ending not in FORMATS:
        raise Invalid(f"只能导入 {'、'.join(FORMATS)} 文件", file=f"不能读取 {ending or name}")
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if size > MOST_BYTES:
        raise Invalid(f"文件超过 {MOST_BYTES // 1024 // 1024} MB，请分成几个", file="文件太大")
    if ending == BOOK:
        with _open(source) as raw:
            workbook.check_form(raw)


def nobody_waits() -> None:
    """Tell nobody that it goes on."""


def read(
    source: Path | bytes,
    name: str,
    *,
    sheet: str | None = None,
    liked: str = "",
    still_here: Callable[[], None] = nobody_waits,
) -> Rows:
    """Return the rows of a file; ``name`` tells its format by its ending. Of a workbook ``sheet`` is read, else the
    one called ``liked``, else the first; ``still_here`` is called now and then while it is unpacked.

    Raises ``Invalid`` for a format we do not read, an encoding that is neither UTF-8 nor GB18030, a workbook that is
    old, locked, has macros or unpacks to too much, a file without headings or rows, or one beyond ``MOST_BYTES`` or
    ``MOST_ROWS``.
    """
    check(source, name)
    ending = Path(name).suffix.lower()
    if ending == BOOK:
        return _read_sheet(source, name, sheet, liked, still_here)
    encoding = _encoding(source) if ending == ".csv" else "utf-8-sig"
    if ending != ".csv" and _undecodable(source, encoding):
        raise Invalid(f"{ending} 文件必须是 UTF-8", file="不是 UTF-8")
    headings = _headings(source, encoding) if ending == ".csv" else ()
    rows = Rows(source, name, encoding, headings, 0)
    count = 0
    for count, _ in enumerate(rows, start=1):
        if count > MOST_ROWS:
            raise _too_many()
    if not count:
        raise Invalid("文件里没有数据", file="没有数据")
    return replace(rows, count=count)


def _too_many() -> Invalid:
    return Invalid(f"超过 {MOST_ROWS} 行，请分成几个文件", file="行数太多")


# ---- workbooks


def _read_sheet(
    source: Path | bytes, name: str, wanted: str | None, liked: str, still_here: Callable[[], None]
) -> Rows:
    """Go once through the sheet and keep its rows packed: a hundred thousand take a few megabytes."""
    with _open(source) as raw, workbook.opened(raw) as book:
        sheets = workbook.sheets_of(book)
        sheet = workbook.chosen(sheets, wanted, liked)
        ranges = workbook.merged(book, sheet)
        found = workbook.lines(book, sheet)
        first = next(found, None)
        if first is None:
            raise Invalid(f"工作表“{sheet}”是空的", file="没有数据")
        if first.fault or any(start <= first.number <= end for start, end in ranges):
            raise Invalid(f"工作表“{sheet}”的第一行应当是列名，不能合并单元格", file="没有列名")
        headings = _checked(first.cells)
        count, packed = 0, io.BytesIO()
        with gzip.open(packed, "wt", encoding="utf-8", compresslevel=1) as out:
            for count, line in enumerate(found, start=1):
                if count > MOST_ROWS:
                    raise _too_many()
                if count % 2000 == 0:
                    still_here()
                out.write(json.dumps([line.number, _row(headings, line, ranges)], ensure_ascii=False) + "\n")
    if not count:
        raise Invalid("文件里没有数据", file="没有数据")
    return Rows(packed.getvalue(), name, "", headings, count, sheet, tuple(sheets))


def _row(headings: tuple[str, ...], line: workbook.Line, ranges: list[tuple[int, int]]) -> dict[str, Any]:
    row = _by_heading(headings, line.cells)
    if line.fault:
        return row | {BROKEN: line.fault}
    if any(start <= line.number <= end for start, end in ranges):
        return row | {BROKEN: workbook.MERGED}
    return row


def _kept_lines(packed: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    with gzip.open(io.BytesIO(packed), "rt", encoding="utf-8") as lines:
        for line in lines:
            number, row = json.loads(line)
            yield number, row


# ---- text


def _open(source: Path | bytes) -> IO[bytes]:
    return source.open("rb") if isinstance(source, Path) else io.BytesIO(source)


def _undecodable(source: Path | bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with _open(source) as raw:
        try:
            while block := raw.read(1 << 20):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return True
    return False


def _encoding(source: Path | bytes) -> str:
    for encoding in ENCODINGS:
        if not _undecodable(source, encoding):
            return encoding
    raise Invalid("文件既不是 UTF-8 也不是 GB18030 编码，请另存为 CSV UTF-8", file="编码不对")


def _headings(source: Path | bytes, encoding: str) -> tuple[str, ...]:
    with _open(source) as raw, io.TextIOWrapper(raw, encoding, newline="") as lines:
        try:
            first = next(csv.reader(lines), [])
        except csv.Error as fault:
            raise Invalid("第一行应当是列名", file=str(fault)) from fault
    return _checked(first)


def _checked(first: list[str]) -> tuple[str, ...]:
    found = tuple(heading.strip() for heading in first)
    if not any(found):
        raise Invalid("第一行应当是列名", file="没有列名")
    named = [heading for heading in found if heading]
    if len(set(named)) < len(named):
        twice = next(heading for heading in named if named.count(heading) > 1)
        raise Invalid(f"列名“{twice}”出现了两次", file="列名重复")
    return found


def _by_heading(headings: tuple[str, ...] | list[str], cells: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = {heading: cell for heading, cell in zip(headings, cells, strict=False) if heading}
    nameless = [cell for heading, cell in zip(headings, cells, strict=False) if not heading]
    if extra := [cell for cell in (*nameless, *cells[len(headings) :]) if cell.strip()]:
        row[EXTRA] = "、".join(extra)
    return row


def _cells(raw: IO[bytes], name: str, encoding: str) -> Iterator[tuple[int, dict[str, Any]]]:
    lines = io.TextIOWrapper(raw, encoding, newline="" if name.lower().endswith(".csv") else None)
    if name.lower().endswith(".csv"):
        yield from _csv(lines)
    elif name.lower().endswith(".jsonl"):
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield number, _object(line)
    else:
        yield from _json(lines.read())


def _csv(lines: io.TextIOWrapper) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.reader(lines)
    headings = [heading.strip() for heading in next(reader)]
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as fault:
            yield line, {BROKEN: f"这一行读不出来：{fault}"}
            continue
        if any(cell.strip() for cell in cells):
            yield line, _by_heading(headings, [unguarded(cell) for cell in cells])


def _object(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {BROKEN: "这一行不是正确的 JSON"}
    return found if isinstance(found, dict) else {BROKEN: "这一行应当是一个 JSON 对象"}


def _json(body: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """A JSON file is one object, or a list of them; its rows are counted, not its lines."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise Invalid("文件不是正确的 JSON", file=str(fault)[:200]) from fault
    for number, row in enumerate(found if isinstance(found, list) else [found], start=1):
        yield number, row if isinstance(row, dict) else {BROKEN: "应当是一个 JSON 对象"}
