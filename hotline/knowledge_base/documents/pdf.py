"""PDF with text: lines put together to paragraphs, without what stands at the head and foot of every page."""

from __future__ import annotations

import io
import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from hotline.errors import Invalid
from hotline.knowledge_base.documents.blocks import Block, clean
from hotline.knowledge_base.documents.marks import mark_of

MOST_PAGES: Final = 500
MOST_CHARS: Final = 2_000_000
MOST_STREAM: Final = 20 * 1024 * 1024  # of one page's drawing, unpacked
OUTER_LINES: Final = 2
REPEATED_ON: Final = 0.4  # of the pages
PAGE_NUMBER: Final = re.compile(
    r"[-—–－·•\s]*(?:第\s*)?[0-9０-９IVXivx]{1,5}(?:\s*页)?(?:\s*[/／,，]?\s*(?:共\s*)?[0-9０-９]{1,5}\s*页?)?[-—–－·•\s]*"
)
HEAD_CHARS: Final = 30
APART: Final = 3.2  # heights of a sign between two lines, from which on the second begins anew
FULL: Final = 0.86  # of the usual width, from which on a line is taken to go on in the next
ENDS: Final = tuple("。！？；：!?;:")
SPOILT: Final = 0.3  # share of signs that are none: a font without a table of its characters
SCANNED: Final = "这个 PDF 没有文字层（多半是扫描件），请先做文字识别，或上传 Word 文档"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page; ``x`` and ``y`` are where it begins in points from the lower left, ``size`` of its signs."""

    text: str
    page: int
    x: float
    y: float
    size: float

    @property
    def width(self) -> float:
        """Return its length in signs, a Latin letter counting half."""
        return sum(1.0 if unicodedata.east_asian_width(char) in "WF" else 0.5 for char in self.text)


def nobody_waits() -> None:
    """Tell nobody that it goes on."""


def read(body: bytes, still_here: Callable[[], None] = nobody_waits) -> tuple[str, list[Block]]:
    """Return no title and the paragraphs of a PDF; ``still_here`` is called for each page.

    Raises ``Invalid`` for what is no PDF, one under a password, one without text, and one that is too long.
    """
    if b"%PDF-" not in body[:1024]:
        raise Invalid("这个文件不是 PDF，请上传原来的文件", file="不是 PDF")
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # every crooked page has a warning of its own
    try:
        reader = PdfReader(io.BytesIO(body))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Invalid("这个 PDF 设了打开密码，请去掉密码再上传", file="有密码")
        count = len(reader.pages)
        if count > MOST_PAGES:
            raise Invalid(f"这个 PDF 超过 {MOST_PAGES} 页，请分成几个再上传", file="页数太多")
        pages = []
        for number, page in enumerate(reader.pages):
            pages.append(_lines(page, number))
            if sum(len(line.text) for lines in pages for line in lines) > MOST_CHARS:
                raise Invalid("这个 PDF 的文字太多，请分成几个再上传", file="文字太多")
            still_here()
    except (PyPdfError, ValueError, TypeError, KeyError, IndexError, AttributeError, OSError, RecursionError) as fault:
        raise Invalid("这个 PDF 读不出来，请重新导出一份再上传", file=type(fault).__name__) from fault
    _check_words(pages)
    return "", [Block(text) for text in _paragraphs(_without_edges(pages)) if text]


def _lines(page: Any, number: int) -> list[Line]:
    contents = page.get_contents()
    if contents is not None and len(contents.get_data()) > MOST_STREAM:
        raise Invalid(f"第 {number + 1} 页太复杂，读不了，请重新导出一份再上传", file="页面太大")
    found: list[Line] = []
    text, place = "", (0.0, 0.0, 0.0)

    def end() -> None:
        nonlocal text
        if told := clean(text):
            found.append(Line(told.replace("\n", " "), number, *place))
        text = ""

    def take(said: str, shift: Sequence[float], at: Sequence[float], _font: Any, size: float) -> None:
        nonlocal text, place
        for turn, part in enumerate(said.split("\n")):
            if turn:
                end()
            if part.strip() and not text.strip():
                x = at[4] * shift[0] + at[5] * shift[2] + shift[4]
                y = at[4] * shift[1] + at[5] * shift[3] + shift[5]
                place = (float(x), float(y), float(size) * abs(float(shift[3]) or 1.0) * (abs(float(at[3])) or 1.0))
            text += part

    page.extract_text(visitor_text=take)
    end()
    return found


def _check_words(pages: Sequence[Sequence[Line]]) -> None:
    words = "".join(line.text for lines in pages for line in lines)
    letters = [char for char in words if char.isalnum()]
    if len(letters) < 20 * min(len(pages), 3) / 3:
        raise Invalid(SCANNED, file="没有文字层")
    strange = sum(1 for char in words if char == "\ufffd" or unicodedata.category(char) == "Co")
    if strange > SPOILT * len(words):
        raise Invalid("这个 PDF 的文字读出来是乱码，请先做文字识别，或上传 Word 文档", file="乱码")


def _without_edges(pages: Sequence[Sequence[Line]]) -> list[Line]:
    """Leave out page numbers, and what stands in the same place of many pages."""
    edges = [_edges(lines) for lines in pages]
    seen = Counter(_alike(line) for lines in edges for line in lines)
    enough = max(2, len(pages) if len(pages) <= 3 else round(REPEATED_ON * len(pages)))
    kept = []
    for lines, outer in zip(pages, edges, strict=True):
        outermost = {outer[0], outer[-1]} if len(outer) > 1 else set()
        for line in lines:
            if line in outer and seen[_alike(line)] >= enough:
                continue
            if line in outermost and PAGE_NUMBER.fullmatch(line.text):
                continue
            kept.append(line)
    return kept


def _edges(lines: Sequence[Line]) -> list[Line]:
    by_height = sorted(lines, key=lambda line: -line.y)
    return [*by_height[:OUTER_LINES], *by_height[OUTER_LINES:][-OUTER_LINES:]]


def _alike(line: Line) -> tuple[str, int]:
    numbered = len(line.text) <= HEAD_CHARS  # "第 3 页" is another on each page
    return re.sub(r"[0-9０-９]+", "#", line.text) if numbered else line.text, round(line.y / 6)


def _paragraphs(lines: Sequence[Line]) -> Iterator[str]:
    if not lines:
        return
    widths = sorted(line.width for line in lines)
    usual = widths[int(0.9 * (len(widths) - 1))]
    margin = sorted(line.x for line in lines)[len(lines) // 20]
    indents = sum(line.x > margin + line.size for line in lines) > len(lines) / 20
    paragraph = lines[0].text
    for line, after in pairwise(lines):
        if _goes_on(line, after, usual, margin, indents=indents):
            gap = " " if paragraph[-1:].isascii() and after.text[:1].isascii() and paragraph[-1:].isalnum() else ""
            paragraph += gap + after.text
        else:
            yield paragraph
            paragraph = after.text
    yield paragraph


def _goes_on(line: Line, after: Line, usual: float, margin: float, *, indents: bool) -> bool:
    """Whether the next line belongs to the same paragraph: this one is full, and the next not set in."""
    # signs of a mark at the end of a full line may be set half as wide
    if line.width < FULL * (usual - max(0.0, line.x - margin) / max(line.size, 1.0)) or abs(line.size - after.size) > 1:
        return False
    if line.page == after.page and not 0 <= line.y - after.y <= APART * max(line.size, 1.0):
        return False
    if indents:
        set_in = after.x > margin + 0.8 * max(after.size, 1.0)
        return not set_in and not (line.text.endswith(ENDS) and mark_of(after.text) is not None)
    return not line.text.endswith(ENDS) and mark_of(after.text) is None
