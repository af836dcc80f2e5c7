"""Web pages: their words only. Nothing is fetched, scripts and styles are left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from lxml import etree
from lxml import html as parser

from hotline.errors import Invalid
from hotline.knowledge_base.documents.blocks import Block, clean
from hotline.knowledge_base.documents.text import decoded

DECLARED: Final = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_-]{3,20})", re.IGNORECASE)
DECLARATION: Final = re.compile(r"^\s*<\?xml[^>]*\?>")
SILENT: Final = re.compile(
    "script|style|noscript|template|head|nav|header|footer|aside|form|button|select|option|iframe|object|embed|svg"
    "|canvas|audio|video|map|math|input|textarea"
)
PARAGRAPHS: Final = re.compile(
    "html|body|main|article|section|div|p|h[1-6]|[uo]l|li|d[ltd]|blockquote|pre|table|thead|tbody|tfoot|t[rdh]"
    "|caption|figure|figcaption|fieldset|legend|details|summary|address|center|hr"
)
HIDDEN: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
HEADING: Final = re.compile(r"h([1-6])")
ANY_TAG: Final = re.compile(r"<[a-zA-Z!/]")
MOST_DEEP: Final = 250


def read(body: bytes) -> tuple[str, list[Block]]:
    """Return the title of a page and what it says. Raises ``Invalid`` for what is no page and for wrong encodings."""
    said = DECLARED.search(body[:4096])
    text = DECLARATION.sub("", decoded(body, said[1].decode("ascii") if said else ""))
    if not ANY_TAG.search(text):
        raise Invalid("这个文件不是网页，请上传原来的文件", file="不是网页")
    try:
        root = parser.document_fromstring(
            text, parser=parser.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
        )
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as fault:
        raise Invalid("网页读不出来，请在浏览器里打开后另存一次", file=type(fault).__name__) from fault
    inside = [*root.iter("article"), *root.iter("main")]
    page = inside[0] if len(inside) == 1 and len(clean("".join(inside[0].itertext()))) > 200 else root
    walk = _Walk()
    walk.go(page, 0)
    walk.end()
    return _title_of(root), walk.blocks


def _title_of(root: Any) -> str:
    headings = [clean("".join(one.itertext())).replace("\n", "") for one in root.iter("h1")]
    return headings[0] if len(headings) == 1 else ""


class _Walk:
    """Gathers words until a paragraph ends."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._words: list[str] = []
        self._level = 0
        self._items: dict[Any, int] = {}  # of ordered lists

    def end(self) -> None:
        """End the paragraph; each line of it is one."""
        level, self._level = self._level, 0
        lines = clean("".join(self._words)).split("\n")
        self._words = []
        self.blocks += [Block(line, level) for line in lines if line]

    def go(self, one: Any, deep: int) -> None:
        """Take in an element, not what follows it."""
        if not isinstance(one.tag, str) or SILENT.fullmatch(one.tag) or _is_hidden(one):
            return
        if deep > MOST_DEEP:
            raise Invalid("网页的结构太复杂，请把正文复制到文档里再上传", file="层次太多")
        if one.tag == "br":
            self._words.append("\n")
            return
        if one.tag == "table" and _is_data(one):
            self.end()
            if (block := Block.table(_rows(one))).text:
                self.blocks.append(block)
            return
        apart = PARAGRAPHS.fullmatch(one.tag)
        if apart:
            self.end()
        heading = HEADING.fullmatch(one.tag)
        if heading:
            self._level = int(heading[1])
        if one.tag == "li" and (above := one.getparent()) is not None and above.tag == "ol":
            self._items[above] = self._items.get(above, 0) + 1
            self._words.append(f"{self._items[above]}. ")
        self._words.append(_flat(one.text) if one.tag != "pre" else one.text or "")
        for inner in one:
            self.go(inner, deep + 1)
            self._words.append(_flat(inner.tail) if one.tag != "pre" else inner.tail or "")
        if apart:
            self.end()


def _flat(text: str | None) -> str:
    """Return words as a browser shows them: lines of the source are no lines."""
    return re.sub(r"[ \t\r\n\f]+", " ", text or "")


def _is_hidden(one: Any) -> bool:
    return one.get("hidden") is not None or bool(HIDDEN.search(one.get("style") or ""))


def _is_data(table: Any) -> bool:
    """Whether a table holds cells rather than the page: no table within, and more than one column."""
    if next(table.iterdescendants("table"), None) is not None:
        return False
    widths = [sum(1 for cell in row if cell.tag in ("td", "th")) for row in table.iter("tr")]
    return max(widths, default=0) > 1 and len(widths) > 1


def _rows(table: Any) -> Iterator[list[str]]:
    for row in table.iter("tr"):
        cells = []
        for cell in row:
            if cell.tag not in ("td", "th"):
                continue
            walk = _Walk()
            for inner in (None, *cell):
                if inner is not None:
                    walk.go(inner, 1)
                walk._words.append(_flat(cell.text if inner is None else inner.tail))
            walk.end()
            span = cell.get("colspan", "1")
            wide = min(int(span), 60) if span.isdecimal() else 1
            cells += ["\n".join(block.text for block in walk.blocks), *[""] * (wide - 1)]
        yield cells
