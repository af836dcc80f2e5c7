"""The paragraphs of a document with their part in it: headings, questions, titles, and what stands beneath."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from hotline.knowledge_base.documents import marking, tables
from hotline.knowledge_base.documents.blocks import Block
from hotline.knowledge_base.documents.marks import (
    ANNEX,
    ANNEX_TITLE,
    ANSWER_INSIDE,
    ARTICLE,
    ASKS,
    CALLED,
    DATE_ONLY,
    FILE_NUMBER,
    FIRST,
    NAMED_ARTICLE,
    RUN_IN,
    STOPS,
    TITLE_CHARS,
    is_heading,
    mark_of,
    may_head,
)

QUESTION: Final = 50.0  # the rank of a question: below every number
LABEL: Final = 40.0  # that of a line of a service's form
MOST_CHARS: Final = 4_000  # of one paragraph
BEGINS: Final = frozenset({"第一章", "第一条", "一、", "第一编"})
CITED: Final = re.compile(r"《([^《》]{2,60})》")
TITLE_WITHIN: Final = 8  # the first paragraphs, in which a document says what it is called


@dataclass(slots=True)
class Piece:
    """A paragraph and its part: ``title`` are the words of a heading, ``rest`` what follows them on the same line."""

    block: Block
    rank: float | None = None
    number: str = ""
    title: str = ""
    rest: str = ""
    own_line: bool = False

    @property
    def whole(self) -> str:
        """Return all of it as Markdown."""
        return marking.table(self.block.rows) if self.block.rows else marking.paragraph(self.block.text)

    @property
    def heading(self) -> str:
        """Return number and title as people say them."""
        gap = " " if self.number and self.title and self.number[-1] not in "、）)．." else ""
        return f"{self.number}{gap}{self.title}".strip() or self.block.text[:TITLE_CHARS]


def pieces_of(blocks: Sequence[Block]) -> Iterator[Piece]:
    """Yield the paragraphs with their marks, in pieces that an answer can hold."""
    pieces = [piece for block in blocks for piece in _of_block(block)]
    _find_questions(pieces)
    _find_annex_titles(pieces)
    _rank_styles(pieces)
    asked = False  # inside an answer numbers are its own, until the next question or what heads one
    for number, piece in enumerate(pieces):
        after = pieces[number + 1] if number + 1 < len(pieces) else None
        if piece.rank == QUESTION:
            asked = True
        elif asked and piece.rank is not None:
            heads = after is not None and after.rank == QUESTION and piece.own_line
            if heads or piece.rank <= ARTICLE or piece.block.level:
                asked = False
            else:
                piece.rank = None
        yield piece


def _of_block(block: Block) -> Iterator[Piece]:
    """Yield a block as pieces an answer can hold; a table of questions or of a service's terms row by row."""
    rows = tables.parts_of(block) if block.rows else []
    if rows and all(len(row.text) <= MOST_CHARS for row in rows):
        for row in rows:
            rank = QUESTION if row.asked else LABEL
            yield Piece(Block(row.text), rank, title=row.title, rest=row.rest, own_line=not row.rest)
    else:
        yield from (_piece(part) for part in _in_parts(block) if part.text)


def _in_parts(block: Block) -> Iterator[Block]:
    if len(block.text) <= MOST_CHARS:
        yield block
    elif block.rows:
        yield from _table_in_parts(block)
    else:
        rest = block.text
        while rest:
            cut = MOST_CHARS if len(rest) > MOST_CHARS else len(rest)
            if cut < len(rest) and (stop := max(rest.rfind(sign, 0, cut) for sign in "。；\n")) > 0:
                cut = stop + 1
            yield Block(rest[:cut], block.level)
            rest = rest[cut:]


def _table_in_parts(block: Block) -> Iterator[Block]:
    rows: list[tuple[str, ...]] = []
    size = 0
    for row in block.rows:
        long = sum(map(len, row))
        if long > MOST_CHARS:  # no table any more: a text somebody put into a frame
            if rows:
                yield Block.table(rows)
            rows, size = [], 0
            for cell in row:
                yield from _in_parts(Block(cell))
            continue
        if rows and size + long > MOST_CHARS:
            yield Block.table(rows)
            rows, size = [], 0
        rows.append(row)
        size += long
    if rows:
        yield Block.table(rows)


def _piece(block: Block) -> Piece:
    piece = Piece(block)
    if block.rows:
        return piece
    if mark := mark_of(block.text):
        piece.rank, piece.number = mark.rank, mark.number
        if mark.rank == ARTICLE and (named := NAMED_ARTICLE.match(mark.rest)):
            piece.title, piece.rest = named[1], mark.rest[named.end() :]
            piece.own_line = not piece.rest
        elif is_heading(mark) or (block.level and len(mark.rest) <= TITLE_CHARS):
            piece.title, piece.own_line = mark.rest.rstrip("：:"), True
        elif mark.rank != ARTICLE and (run_in := RUN_IN.match(mark.rest)):
            piece.title, piece.rest = run_in[1], mark.rest[run_in.end() :]
        else:  # the first sentence of an article is no heading
            piece.rest = mark.rest
    elif block.level and len(block.text) <= TITLE_CHARS * 2:
        piece.rank, piece.title, piece.own_line = math.nan, block.text, True
    return piece


def _find_questions(pieces: list[Piece]) -> None:
    """Mark what asks: 问：, Q:, a numbered line with a question mark, or lines with one where there are several."""
    bare = {id(piece) for piece in pieces if piece.rank is None and _asks_bare(piece)}
    for piece, after in zip(pieces, (*pieces[1:], None), strict=False):
        if piece.block.rows:
            continue
        text = piece.block.text
        if asks := ASKS.match(text):
            words = text[asks.end() :]
            inside = ANSWER_INSIDE.search(words)
            question = words[: inside.start()] if inside else words
            rest = words[inside.end() :] if inside else ""
            if question.strip():
                piece.rank, piece.number = QUESTION, asks[0].rstrip(" ：:")
                piece.title, piece.rest, piece.own_line = question.strip(), rest, not rest
        elif after is None or (after.rank is None and _asks_bare(after)):
            continue
        elif piece.own_line and piece.rank is not None and piece.title.endswith(("？", "?")):
            piece.rank = QUESTION
        elif len(bare) > 1 and id(piece) in bare:
            piece.rank, piece.title, piece.own_line = QUESTION, text, True


def _asks_bare(piece: Piece) -> bool:
    text = piece.block.text
    return text.endswith(("？", "?")) and len(text) <= TITLE_CHARS and "\n" not in text and not piece.block.rows


def _find_annex_titles(pieces: list[Piece]) -> None:
    """Mark a title in the midst of a document: what a notice issues stands behind it, with a title of its own."""
    divided, cited = False, set[str]()  # whether a section stands before; what is named in brackets
    for number, piece in enumerate(pieces):
        text = piece.block.text
        if number and piece.rank is None and not piece.block.rows and may_head(text):
            follows = next((one for one in pieces[number + 1 : number + 5] if one.rank is not None), None)
            begins = follows is not None and follows.number.replace(" ", "") in BEGINS
            under = pieces[number - 1].rank == ANNEX and not pieces[number - 1].title
            if under or (begins and CALLED.search(text) and (divided or text in cited)):
                piece.rank, piece.title, piece.own_line = ANNEX_TITLE, text, True
        divided = divided or (piece.rank is not None and piece.rank <= FIRST)
        cited.update(CITED.findall(text))


def _rank_styles(pieces: list[Piece]) -> None:
    """Give a heading that only its style tells the rank its fellows of the same style have by their numbers."""
    ranks: dict[int, float] = {}
    for piece in pieces:
        if piece.block.level and piece.rank is not None and piece.rank == piece.rank:
            ranks[piece.block.level] = min(piece.rank, ranks.get(piece.block.level, piece.rank))
    for piece in pieces:
        if piece.rank is not None and piece.rank != piece.rank:
            level = piece.block.level
            above = max((one for one in ranks if one <= level), default=None)
            piece.rank = ranks[above] + 0.01 * (level - above) if above else ANNEX_TITLE + 0.1 + 0.01 * level


def title_of(pieces: Sequence[Piece]) -> str:
    """Return what a document calls itself on its first lines, joined where it runs over two."""
    lines: list[str] = []
    for piece in pieces[:TITLE_WITHIN]:
        text = piece.block.text.replace("\n", "")
        if piece.rank is not None and not piece.block.level:
            break
        if len(text) > TITLE_CHARS or text.endswith((*STOPS, "：", ":")) or piece.block.rows:
            break
        if not FILE_NUMBER.match(text) and not DATE_ONLY.match(text):
            lines.append(text)
    for number, line in enumerate(lines):
        if CALLED.search(line):
            begins = number - 1 if number and line.startswith(("关于", "印发")) else number
            return "".join(lines[begins : number + 1])
    return lines[0] if lines else ""
