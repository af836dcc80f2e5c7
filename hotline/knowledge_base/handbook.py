"""Published knowledge as a printed handbook (DOCX). The only file that knows the library which writes it."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any, Final

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.table import CT_Tbl
from docx.shared import Cm, Pt, RGBColor
from docx.table import Table
from docx.text.paragraph import Paragraph
from docx.text.run import Run
from lxml import html

from hotline.knowledge_base import answers
from hotline.knowledge_base.content import Content

OTHER: Final = "其他"
SONG, HEI, KAI = "宋体", "黑体", "楷体"
NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
HEADING_1, HEADING_2, SMALL, GRID = "Heading1", "Heading2", "Small", "TableGrid"
BOLD: Final = frozenset({"strong", "b", "th", "h1", "h2", "h3", "h4", "h5", "h6"})
HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
DEEPEST: Final = 8  # lists in lists
INDENT_CM: Final = 0.74
WIDTH_CM: Final = 15.8

Entries = Iterable[tuple[str, Content]]


def made(title: str, entries: Entries, *, units: Mapping[str, str], printed_on: date) -> bytes:
    """Return a handbook: cover, contents by category, and every entry with answer, spoken form, source and validity.

    ``entries`` are codes and texts; ``units`` names the owners by code.
    """
    chapters = _chapters(entries)
    book = _Book()
    book.cover(title, sum(len(chapter) for _, chapter in chapters), printed_on)
    book.contents(chapters)
    for number, (category, chapter) in enumerate(chapters):
        book.heading(category, HEADING_1, f"c{number}", anew=True)
        for place, (code, content) in enumerate(chapter):
            book.heading(content.question, HEADING_2, f"q{number}x{place}")
            book.answer(content.answer)
            book.facts(_facts(code, content, units))
    return book.saved()


def _chapters(entries: Entries) -> list[tuple[str, list[tuple[str, Content]]]]:
    """Return the entries by category, those without one at the end."""
    told = sorted(entries, key=lambda one: (not one[1].category, one[1].category, one[1].question, one[0]))
    return [(category or OTHER, list(found)) for category, found in groupby(told, key=lambda one: one[1].category)]


def _facts(code: str, content: Content, units: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if content.spoken:
        yield "口语答复", content.spoken
    if content.source:
        yield "依据", f"{content.source} {content.source_url}".strip()
    elif content.source_url:
        yield "依据", content.source_url
    yield "有效期", validity(content.valid_from, content.valid_to)
    if content.owner_unit:
        yield "责任单位", units.get(content.owner_unit, content.owner_unit)
    yield "编号", code


def validity(since: date | None, until: date | None) -> str:
    """Return the days an answer holds, in words."""
    if since and until:
        return f"{_day(since)}至{_day(until)}"
    if until:
        return f"至{_day(until)}"
    return f"{_day(since)}起" if since else "长期有效"


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


class _Book:
    """A document under way; what is added comes after all that is there."""

    def __init__(self) -> None:
        self._document = Document()
        self._body = self._document._body
        self._end = self._document.element.body.sectPr
        section = self._document.sections[0]
        section.page_width, section.page_height = Cm(21), Cm(29.7)
        section.left_margin = section.right_margin = Cm((21 - WIDTH_CM) / 2)
        section.top_margin = section.bottom_margin = Cm(2.5)
        _dress(self._document)
        foot = section.footer.paragraphs[0]
        foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
        section.different_first_page_header_footer = True  # the cover has no number
        _field(foot, "PAGE", "1")

    def saved(self) -> bytes:
        out = io.BytesIO()
        self._document.save(out)
        return out.getvalue()

    def cover(self, title: str, count: int, printed_on: date) -> None:
        for line, size, space in ((title, 30, 180), (f"共 {count} 条", 14, 24), (f"{_day(printed_on)}印制", 14, 300)):
            paragraph = self._paragraph()
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            paragraph.paragraph_format.space_before = Pt(space)
            _write(paragraph, line, size=size, font=HEI if size > 20 else SONG)

    def contents(self, chapters: Sequence[tuple[str, Sequence[tuple[str, Content]]]]) -> None:
        """Write the list of contents: it reads at once, and gets its page numbers when Word renews it (F9)."""
        head = self._paragraph()
        head.paragraph_format.page_break_before = True
        head.alignment = WD_ALIGN_PARAGRAPH.CENTER
        _write(head, "目录", size=18, font=HEI)
        first = self._paragraph("toc1")
        _begin_field(first, 'TOC \\o "1-2" \\h \\z \\u')
        last = first
        for number, (category, chapter) in enumerate(chapters):
            last = first if not number else self._paragraph("toc1")
            _link(last, f"{category}（{len(chapter)} 条）", f"c{number}")
            for place, (_, content) in enumerate(chapter):
                last = self._paragraph("toc2")
                _link(last, content.question, f"q{number}x{place}")
        _end_field(last)

    def heading(self, text: str, style: str, name: str, *, anew: bool = False) -> None:
        paragraph = self._paragraph(style)
        paragraph.paragraph_format.page_break_before = anew or None
        _mark(paragraph, name, text)

    def answer(self, markdown: str) -> None:
        """Write an answer: its paragraphs, lists and tables."""
        told = answers.html(markdown)
        if told.strip():
            for one in html.fragment_fromstring(NOT_XML.sub("", told), create_parent="div"):
                self._block(one, 0)

    def facts(self, facts: Iterable[tuple[str, str]]) -> None:
        for word, value in facts:
            paragraph = self._paragraph(SMALL)
            _write(paragraph, f"{word}：", bold=True)
            _write(paragraph, value)

    def _paragraph(self, style: str = "") -> Paragraph:
        made = OxmlElement("w:p")
        self._end.addprevious(made)  # the library's own ways go through all that is there, each time
        if style:
            made.style = style
        return Paragraph(made, self._body)

    def _block(self, one: Any, deep: int) -> None:
        if one.tag in ("ul", "ol"):
            self._list(one, deep)
        elif one.tag == "table":
            self._table(one)
        elif one.tag == "blockquote":
            for inner in one:
                self._block(inner, min(deep + 1, DEEPEST))
        elif one.tag != "hr":
            _words(self._paragraph_at(deep), one, bold=one.tag in BOLD)

    def _paragraph_at(self, deep: int, style: str = "") -> Paragraph:
        paragraph = self._paragraph(style)
        if deep:
            paragraph.paragraph_format.left_indent = Cm(INDENT_CM * deep)
        return paragraph

    def _list(self, items: Any, deep: int) -> None:
        deep = min(deep + 1, DEEPEST)
        start = int(items.get("start", "1"))
        for number, item in enumerate(items.findall("li"), start):
            sign = f"{number}. " if items.tag == "ol" else "• "
            paragraph = self._paragraph_at(deep)
            paragraph.paragraph_format.first_line_indent = Cm(-INDENT_CM / 2)
            _write(paragraph, sign)
            if (item.text or "").strip() or (len(item) and item[0].tag not in ("p", "ul", "ol", "table", "blockquote")):
                _words(paragraph, item)
                rest = [one for one in item if one.tag in ("ul", "ol", "table", "blockquote", "p")]
            else:
                rest = list(item)
                if rest and rest[0].tag == "p":
                    _words(paragraph, rest.pop(0))
            for one in rest:
                self._block(one, deep)

    def _table(self, told: Any) -> None:
        rows = told.findall(".//tr")
        width = max((len(row) for row in rows), default=0)
        if not width:
            return
        made = CT_Tbl.new_tbl(len(rows), width, Cm(WIDTH_CM))
        self._end.addprevious(made)
        made.tblPr.style = GRID
        cells = Table(made, self._body)._cells  # asked for once: the library gathers them anew each time
        for line, row in enumerate(rows):
            for column, cell in enumerate(row):
                _words(cells[line * width + column].paragraphs[0], cell, bold=cell.tag in BOLD)
        self._paragraph(SMALL)  # or the next table would grow together with this one


def _dress(document: Any) -> None:
    """Give the styles the faces Chinese papers are printed in."""
    for name, font, size in (("Normal", SONG, 11), ("Heading 1", HEI, 18), ("Heading 2", HEI, 13)):
        style = document.styles[name]
        style.font.name, style.font.size = "Times New Roman", Pt(size)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        fonts.set(qn("w:eastAsia"), font)
        for theme in ("asciiTheme", "eastAsiaTheme", "hAnsiTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        style.font.color.rgb = RGBColor(0, 0, 0)
    document.styles["Normal"].paragraph_format.line_spacing = 1.4
    document.styles["Normal"].paragraph_format.space_after = Pt(4)
    document.styles["Heading 2"].paragraph_format.space_before = Pt(14)
    small = document.styles.add_style(SMALL, 1)
    small.base_style = document.styles["Normal"]
    small.font.size, small.font.color.rgb = Pt(9.5), RGBColor(0x44, 0x44, 0x44)
    small.paragraph_format.space_after = Pt(0)
    for level in (1, 2):
        style = document.styles.add_style(f"toc {level}", 1)
        style.base_style = document.styles["Normal"]
        style.paragraph_format.left_indent = Cm(INDENT_CM * (level - 1))
        style.paragraph_format.space_after = Pt(1)


# ---- words


def _write(paragraph: Paragraph, text: str, *, bold: bool = False, size: float | None = None, font: str = "") -> None:
    run = paragraph.add_run(NOT_XML.sub("", text))
    _look(run, bold=bold)
    if size:
        run.font.size = Pt(size)
    if font:
        run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)


def _look(run: Run, *, bold: bool = False, italic: bool = False) -> None:
    if bold:  # to say that it is not takes longer than to write the words
        run.bold = True
    if italic:
        run.italic = True


def _words(paragraph: Paragraph, inside: Any, *, bold: bool = False, italic: bool = False) -> None:
    """Write the words of an element, not those of blocks within; a link shows where it leads."""

    def say(text: str | None) -> None:
        if text and (told := text.strip("\n")):
            _look(paragraph.add_run(told), bold=bold, italic=italic)

    say(inside.text)
    for one in inside:
        if one.tag == "br":
            paragraph.add_run().add_break()
        elif one.tag not in ("ul", "ol", "table", "blockquote", "p"):
            _words(paragraph, one, bold=bold or one.tag in BOLD, italic=italic or one.tag == "em")
            link = one.get("href", "")
            if one.tag == "a" and link and link != one.text_content():
                paragraph.add_run(f"（{link}）")
        say(one.tail)


def _mark(paragraph: Paragraph, name: str, text: str) -> None:
    """Write a text others can refer to by a name."""
    begin, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
    for one in (begin, end):
        one.set(qn("w:id"), str(zlib.crc32(name.encode())))
    begin.set(qn("w:name"), name)
    paragraph._p.append(begin)
    _write(paragraph, text)
    paragraph._p.append(end)


def _link(paragraph: Paragraph, text: str, name: str) -> None:
    link = OxmlElement("w:hyperlink")
    link.set(qn("w:anchor"), name)
    paragraph._p.append(link)
    run = paragraph.add_run(NOT_XML.sub("", text))
    link.append(run._r)


def _sign(paragraph: Paragraph, kind: str) -> None:
    sign = OxmlElement("w:fldChar")
    sign.set(qn("w:fldCharType"), kind)
    paragraph.add_run()._r.append(sign)


def _begin_field(paragraph: Paragraph, code: str) -> None:
    _sign(paragraph, "begin")
    told = OxmlElement("w:instrText")
    told.set(qn("xml:space"), "preserve")
    told.text = f" {code} "
    paragraph.add_run()._r.append(told)
    _sign(paragraph, "separate")


def _end_field(paragraph: Paragraph) -> None:
    _sign(paragraph, "end")


def _field(paragraph: Paragraph, code: str, shown: str) -> None:
    _begin_field(paragraph, code)
    paragraph.add_run(shown)
    _end_field(paragraph)
