"""Word documents (.docx): paragraphs with the numbers Word writes by itself, and tables. Nothing is followed or run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from hotline.knowledge_base.documents.blocks import Block, clean
from hotline.knowledge_base.documents.numbering import Numbering, W
from hotline.knowledge_base.documents.package import Package

HEADING: Final = re.compile(r"(?:heading|标题)\s*([1-9])", re.IGNORECASE)
CONTENTS: Final = re.compile(r"(?:toc|目录)\s*[1-9]?$|toc heading|table of contents", re.IGNORECASE)
TITLE: Final = frozenset({"title", "标题"})
FALLBACK: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
GONE: Final = frozenset({f"{W}del", f"{W}moveFrom", f"{W}pPr", f"{W}rPr", f"{W}instrText", f"{W}tblPr", FALLBACK})
BREAKS: Final = frozenset({f"{W}br", f"{W}cr"})
MOST_DEEP: Final = 40  # tables in tables


class _Style:
    """What a style says of a paragraph: how high it stands, whether a list of contents, and its numbering."""

    def __init__(self, one: Any) -> None:
        name = one.find(f"{W}name")
        self.name = name.get(f"{W}val", "") if name is not None else ""
        based = one.find(f"{W}basedOn")
        self.based = based.get(f"{W}val", "") if based is not None else ""
        heading = HEADING.fullmatch(self.name.strip())
        self.level = int(heading[1]) if heading else _outline(one.find(f"{W}pPr"))
        self.numbered = _numbered(one.find(f"{W}pPr"))


def read(body: bytes) -> tuple[str, list[Block]]:
    """Return the title (empty when no style says so) and everything the document says. Raises ``Invalid`` for what is
    no document, an old one, one with macros or a password, and one that unpacks to too much."""
    package = Package(body)
    return _Reader(package).read(package.part(package.main))


class _Reader:
    def __init__(self, package: Package) -> None:
        styles = package.beside("styles.xml")
        found = styles.iter(f"{W}style") if styles is not None else ()
        self._styles = {one.get(f"{W}styleId"): _Style(one) for one in found}
        self._numbering = Numbering(package.beside("numbering.xml"))
        self._title: list[str] = []

    def read(self, root: Any) -> tuple[str, list[Block]]:
        body = root.find(f"{W}body")
        blocks = list(self._blocks(body, 0)) if body is not None else []
        return "".join(self._title), blocks

    def _blocks(self, inside: Any, deep: int) -> Iterator[Block]:
        for one in inside:
            if one.tag == f"{W}p":
                if block := self._paragraph(one):
                    yield block
                for framed in _frames(one):
                    yield from self._blocks(framed, deep)
            elif one.tag == f"{W}tbl":
                yield from self._table(one, deep)
            elif one.tag in GONE or _is_contents(one):
                continue
            elif isinstance(one.tag, str) and len(one):  # a content control, an insertion, custom markup
                yield from self._blocks(one, deep)

    def _paragraph(self, one: Any) -> Block | None:
        about = one.find(f"{W}pPr")
        style_id = about.find(f"{W}pStyle") if about is not None else None
        chain = list(self._chain(style_id.get(f"{W}val") if style_id is not None else None))
        if any(CONTENTS.fullmatch(style.name.strip()) for style in chain):
            return None
        text = clean("".join(_words(one)))
        level = _outline(about) or next((style.level for style in chain if style.level), 0)
        numbered = _numbered(about) or next((style.numbered for style in chain if style.numbered), None)
        number = self._numbering.next(*numbered) if numbered and numbered[0] != "0" else ""  # empty ones count too
        if not text:
            return None
        text = clean(f"{number}{text}")
        if chain and chain[0].name.strip().lower() in TITLE:
            self._title.append(text.replace("\n", ""))
        return Block(text, level)

    def _chain(self, style_id: str | None) -> Iterator[_Style]:
        """Yield a style and those it rests on."""
        seen: set[str] = set()
        while style_id and style_id in self._styles and style_id not in seen:
            seen.add(style_id)
            yield (style := self._styles[style_id])
            style_id = style.based

    def _table(self, table: Any, deep: int) -> Iterator[Block]:
        rows = []
        for row in table.iter(f"{W}tr"):
            if next(row.iterancestors(f"{W}tbl")) is not table:
                continue
            cells: list[str] = []
            for cell in row.iter(f"{W}tc"):
                if next(cell.iterancestors(f"{W}tr")) is not row:
                    continue
                inside = [] if deep > MOST_DEEP or _goes_on(cell) else list(self._blocks(cell, deep + 1))
                cells += ["\n".join(block.text for block in inside), *[""] * (_span(cell) - 1)]
            rows.append(cells)
        if max(map(len, rows), default=0) == 1:  # a frame around text
            for cells in rows:
                yield from (Block(clean(cell)) for cell in cells if clean(cell))
        elif (block := Block.table(rows)).text:
            yield block


def _words(inside: Any) -> Iterator[str]:
    """Yield the words of a paragraph in order: inserted ones, links and fields' results; deleted ones not, nor those of
    a frame, which is a text of its own."""
    for one in inside:
        if one.tag == f"{W}t":
            yield "".join(one.itertext())
        elif one.tag == f"{W}tab":
            yield " "
        elif one.tag in BREAKS:
            yield "\n"
        elif one.tag == f"{W}noBreakHyphen":
            yield "-"
        elif isinstance(one.tag, str) and one.tag not in GONE and one.tag != f"{W}txbxContent":
            yield from _words(one)


def _frames(paragraph: Any) -> Iterator[Any]:
    """Yield what stands in frames that hang on this paragraph."""
    for one in paragraph.iter(f"{W}txbxContent"):
        if next(one.iterancestors(f"{W}p")) is paragraph and next(one.iterancestors(FALLBACK), None) is None:
            yield one


def _is_contents(one: Any) -> bool:
    if one.tag != f"{W}sdt":
        return False
    gallery = one.find(f"{W}sdtPr/{W}docPartObj/{W}docPartGallery")
    return gallery is not None and gallery.get(f"{W}val") == "Table of Contents"


def _goes_on(cell: Any) -> bool:
    merge = cell.find(f"{W}tcPr/{W}vMerge")
    return merge is not None and merge.get(f"{W}val", "continue") == "continue"


def _span(cell: Any) -> int:
    span = cell.find(f"{W}tcPr/{W}gridSpan")
    told = span.get(f"{W}val", "1") if span is not None else "1"
    return min(int(told), 60) if told.isdecimal() else 1


def _outline(about: Any) -> int:
    level = about.find(f"{W}outlineLvl") if about is not None else None
    told = level.get(f"{W}val", "9") if level is not None else "9"
    return int(told) + 1 if told.isdecimal() and int(told) < 9 else 0


def _numbered(about: Any) -> tuple[str, int] | None:
    found = about.find(f"{W}numPr") if about is not None else None
    number = found.find(f"{W}numId") if found is not None else None
    if found is None or number is None:
        return None
    level = found.find(f"{W}ilvl")
    told = level.get(f"{W}val", "0") if level is not None else "0"
    return number.get(f"{W}val", "0"), int(told) if told.isdecimal() else 0
