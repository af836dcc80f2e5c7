"""Files of rows: CSV (UTF-8 or GB18030), JSONL and JSON. Read again as often as asked, never held whole."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from hotline.errors import Invalid

MOST_BYTES: Final = 64 * 1024 * 1024
MOST_ROWS: Final = 200_000
ENCODINGS: Final = ("utf-8-sig", "gb18030")
EXTRA: Final = "\0extra"  # cells beyond the last heading
BROKEN: Final = "\0broken"  # the reason a line could not be read at all
FORMATS: Final = (".csv", ".jsonl", ".json")


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one file. ``headings`` are those of a CSV (JSON objects name their own); iterating yields
    (line from 1, cells by heading)."""

    source: Path | bytes
    name: str
    encoding: str
    headings: tuple[str, ...]
    count: int

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Read the file from its beginning."""
        with _open(self.source) as raw:
            yield from _cells(raw, self.name, self.encoding)


def read(source: Path | bytes, name: str) -> Rows:
    """Return the rows of a file; ``name`` tells its format by its ending.

    Raises ``Invalid`` for a format we do not read, an encoding that is neither UTF-8 nor GB18030, a file without
    headings or rows, or one beyond ``MOST_BYTES`` or ``MOST_ROWS``.
    """
    ending = Path(name).suffix.lower()
    if ending == ".xlsx":
        raise Invalid("请在表格软件里把文件另存为 CSV UTF-8，再导入", file="不能读取 .xlsx")
    if ending not in FORMATS:
        raise Invalid(f"只能导入 {'、'.join(FORMATS)} 文件", file=f"不能读取 {ending or name}")
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if size > MOST_BYTES:
        raise Invalid(f"文件超过 {MOST_BYTES // 1024 // 1024} MB，请分成几个", file="文件太大")
    encoding = _encoding(source) if ending == ".csv" else "utf-8-sig"
    if ending != ".csv" and _undecodable(source, encoding):
        raise Invalid(f"{ending} 文件必须是 UTF-8", file="不是 UTF-8")
    headings = _headings(source, encoding) if ending == ".csv" else ()
    rows = Rows(source, name, encoding, headings, 0)
    count = 0
    for count, _ in enumerate(rows, start=1):
        if count > MOST_ROWS:
            raise Invalid(f"超过 {MOST_ROWS} 行，请分成几个文件", file="行数太多")
    if not count:
        raise Invalid("文件里没有数据", file="没有数据")
    return Rows(source, name, encoding, headings, count)


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
    found = tuple(heading.strip() for heading in first)
    if not any(found):
        raise Invalid("第一行应当是列名", file="没有列名")
    if len(set(found)) < len(found):
        twice = next(heading for heading in found if found.count(heading) > 1)
        raise Invalid(f"列名“{twice}”出现了两次", file="列名重复")
    return found


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
            row: dict[str, Any] = dict(zip(headings, cells, strict=False))
            if extra := [cell for cell in cells[len(headings) :] if cell.strip()]:
                row[EXTRA] = "、".join(extra)
            yield line, row


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
