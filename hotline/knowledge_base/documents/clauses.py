"""A document as questions with their answers: one draft for each article, section or question of it.

Every word of the document stands in the ``text`` of exactly one draft, in its order; what a draft answers is that text
without the headings above it. Nothing here reads or writes anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any, Final

from hotline.knowledge_base.documents import asking, marking
from hotline.knowledge_base.documents.blocks import Block, Document
from hotline.knowledge_base.documents.marks import (
    ANNEX,
    ANNEX_TITLE,
    ANSWER_INSIDE,
    ANSWERS,
    ANY,
    ARTICLE,
    ASKS,
    CALLED,
    DATE_ONLY,
    FILE_NUMBER,
    FIRST,
    NAMED_ARTICLE,
    RUN_IN,
    RUN_IN_CHARS,
    STOPS,
    TITLE_CHARS,
    is_heading,
    mark_of,
    may_head,
)

QUESTION: Final = 50.0  # the rank of a question: below every number
TOGETHER: Final = 400  # characters of a section that is left whole although it has sections of its own
LONG_ITEM: Final = 80
MOST_CHARS: Final = 4_000  # of one paragraph
BITE_CHARS: Final = 12_000  # of Markdown in one draft, where the document itself does not divide
SIGNATURE_CHARS: Final = 25
TITLE_WITHIN: Final = 8  # the first paragraphs, in which a document says what it is called


@dataclass(frozen=True, slots=True)
class Draft:
    """A question with its answer (Markdown), and where in the document it stands.

    ``clause`` is its number as people cite it ("第三条", "二、（一）"), ``path`` the headings down to it, ``text`` the
    words as the document has them.
    """

    question: str
    answer: str
    document: str
    clause: str
    path: tuple[str, ...]
    text: str

    @property
    def source(self) -> str:
        """Return what the answer rests on, as people cite it."""
        return f"{asking.cited(self.document)}{self.clause}"

    def origin(self) -> dict[str, Any]:
        """Return it as a version keeps it."""
        return {"document": self.document, "clause": self.clause, "path": list(self.path), "text": self.text}


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


@dataclass(slots=True)
class Node:
    """A heading with what stands beneath it; the whole document is one without a heading."""

    head: Piece | None
    lead: list[Piece] = field(default_factory=list)
    below: list[Node] = field(default_factory=list)

    @property
    def rank(self) -> float:
        """Return how high it stands."""
        return self.head.rank if self.head and self.head.rank is not None else -1

    def pieces(self) -> Iterator[Piece]:
        """Yield everything of it in order."""
        if self.head:
            yield self.head
        yield from self.lead
        for node in self.below:
            yield from node.pieces()

    def size(self) -> int:
        """Return how many characters it has."""
        return sum(len(piece.block.text) for piece in self.pieces())


def split(document: Document) -> list[Draft]:
    """Return the drafts of a document, in its order; none for a document without a word."""
    pieces = list(_pieces(document.blocks))
    title = document.title or _title_of(pieces) or PurePath(document.name).stem
    return _Cutter(title).cut(_tree(pieces))


# ---- paragraphs


def _pieces(blocks: Sequence[Block]) -> Iterator[Piece]:
    """Yield the paragraphs with their marks, in pieces that an answer can hold."""
    pieces = [_piece(part) for block in blocks for part in _in_parts(block) if part.text]
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
        piece.rank, piece.title, piece.own_line = float("nan"), block.text, True
    return piece


def _find_questions(pieces: list[Piece]) -> None:
    """Mark what asks: 问：, Q:, a numbered line with a question mark, or lines with one where there are several."""
    bare = [piece for piece in pieces if piece.rank is None and _asks_bare(piece)]
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
        elif len(bare) > 1 and any(piece is one for one in bare):
            piece.rank, piece.title, piece.own_line = QUESTION, text, True


def _asks_bare(piece: Piece) -> bool:
    text = piece.block.text
    return text.endswith(("？", "?")) and len(text) <= TITLE_CHARS and "\n" not in text and not piece.block.rows


def _find_annex_titles(pieces: list[Piece]) -> None:
    """Mark a title in the midst of a document: what a notice issues stands behind it, with a title of its own."""
    for number, piece in enumerate(pieces):
        if number == 0 or piece.rank is not None or piece.block.rows or not may_head(piece.block.text):
            continue
        follows = [one for one in pieces[number + 1 : number + 5] if one.rank is not None]
        begins = bool(follows) and follows[0].number.replace(" ", "") in {"第一章", "第一条", "一、", "第一编"}
        earlier = any(one.rank is not None and one.rank <= FIRST for one in pieces[:number])
        inside = any(f"《{piece.block.text}》" in one.block.text for one in pieces[:number])
        under = pieces[number - 1].rank == ANNEX and not pieces[number - 1].title
        if under or (begins and CALLED.search(piece.block.text) and (earlier or inside)):
            piece.rank, piece.title, piece.own_line = ANNEX_TITLE, piece.block.text, True


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


def _title_of(pieces: Sequence[Piece]) -> str:
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


# ---- the tree


def _tree(pieces: Sequence[Piece]) -> Node:
    root = Node(None)
    open_nodes = [root]
    for piece in pieces:
        if piece.rank is None:
            open_nodes[-1].lead.append(piece)
            continue
        while open_nodes[-1].rank >= piece.rank:
            open_nodes.pop()
        node = Node(piece)
        open_nodes[-1].below.append(node)
        open_nodes.append(node)
    return root


def _is_section(node: Node) -> bool:
    """Whether a numbered paragraph heads something, rather than being one of a list."""
    head = node.head
    if head is None or node.rank <= ARTICLE or node.rank == QUESTION or head.block.level:
        return True
    if head.own_line:
        return bool(node.lead or node.below)
    return bool(head.title) and node.size() >= LONG_ITEM


def _divides(node: Node) -> bool:
    """Whether each part below becomes a draft of its own."""
    if not node.below or node.rank in (ARTICLE, QUESTION):
        return False
    sections = [_is_section(one) for one in node.below]
    if any(one.rank <= ARTICLE or one.rank == QUESTION for one in node.below):
        return True
    if 2 * sum(sections) < len(sections):
        return any(_divides(one) for one in node.below)
    titled = all(one.head is not None and one.head.title for one in node.below)
    long = node.size() > TOGETHER or min(one.size() for one in node.below) >= LONG_ITEM
    return long or (node.rank < FIRST and titled) or any(_divides(one) for one in node.below)


# ---- drafts


class _Cutter:
    """Goes through the tree once; ``_carried`` are headings that wait for the words they head."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._carried: list[Piece] = []
        self._drafts: list[Draft] = []

    def cut(self, root: Node) -> list[Draft]:
        self._go(root, self._title, ())
        if self._carried:  # headings without a word beneath them
            self._end(self._carried)
        return self._drafts

    def _go(self, node: Node, document: str, above: tuple[Node, ...]) -> None:
        if node.head is not None:
            above = (*above, node)
            if node.rank in (ANNEX, ANNEX_TITLE) and node.head.title:
                document = node.head.title
        if not _divides(node):
            self._finish(document, above, node.head, list(node.pieces())[1 if node.head else 0 :])
            return
        if node.head is not None:
            self._carried.append(node.head)
        lead, sections = _lead_of(node)
        if _says_something(node, lead):
            self._finish(document, above, None, lead)
        else:
            self._carried += lead
        for one in sections:
            self._go(one, document, above)

    def _finish(self, document: str, above: tuple[Node, ...], head: Piece | None, body: list[Piece]) -> None:
        """Make a draft of this, or keep it waiting when there is nothing to answer with."""
        parts = [(piece, "") for piece in self._carried]
        if head is not None:
            alone = not body and not head.rest and head.rank is not None and head.rank >= ARTICLE
            parts.append((head, head.whole if alone else marking.paragraph(head.rest)))
        parts += _answered(body, opening=not above)
        self._carried = []
        if not any(words for _, words in parts):
            self._carried = [piece for piece, _ in parts]
            return
        path = tuple(
            one.head.title if one.rank == QUESTION else one.head.heading
            for one in above
            if one.head and one.head.title != document
        )
        clause = _clause_of(above)
        last = above[-1] if above else None
        question = asking.propose(
            document,
            path,
            clause,
            title=last.head.title if last and last.head else "",
            asked=last is not None and last.rank == QUESTION,
            text=next(words for _, words in parts if words),
        )
        for number, bite in enumerate(_in_bites(parts)):
            self._drafts.append(
                Draft(
                    f"{question}（续{number}）" if number else question,
                    "\n\n".join(words for _, words in bite if words),
                    document,
                    clause,
                    path,
                    _text_of(piece for piece, _ in bite),
                )
            )

    def _end(self, rest: Sequence[Piece]) -> None:
        """Leave words that head nothing with what they follow; a document of nothing else is one draft."""
        text = _text_of(rest)
        if self._drafts:
            self._drafts[-1] = replace(self._drafts[-1], text=f"{self._drafts[-1].text}\n{text}")
        else:
            words = "\n\n".join(piece.whole for piece in rest)
            self._drafts.append(Draft(self._title, words, self._title, "", (), text))


def _lead_of(node: Node) -> tuple[list[Piece], list[Node]]:
    """Return what stands before the first section, and the sections: a list that is numbered lower belongs to it."""
    highest = min(one.rank for one in node.below)
    lead, sections = list(node.lead), list(node.below)
    while sections[0].rank > highest and not (_is_section(sections[0]) and _counts_from_one(sections[0])):
        lead += sections.pop(0).pieces()
    return lead, sections


def _counts_from_one(node: Node) -> bool:
    return node.head is None or not node.head.number or bool(re.search(r"[一1１①]", node.head.number))


def _says_something(node: Node, lead: Sequence[Piece]) -> bool:
    """Whether the words before the first section are worth a draft: a title, a number and an address are not."""
    if node.rank > ANNEX_TITLE:
        return bool(lead)
    return any(piece.block.rows or piece.block.text.endswith("。") for piece in lead)


def _in_bites(parts: Sequence[tuple[Piece, str]]) -> Iterator[Sequence[tuple[Piece, str]]]:
    """Yield them in runs an answer can hold, each of which says something."""
    begins, size = 0, 0
    for number, (_, words) in enumerate(parts):
        if words and size and size + len(words) > BITE_CHARS:
            yield parts[begins:number]
            begins, size = number, 0
        size += len(words)
    yield parts[begins:]


def _text_of(pieces: Iterable[Piece]) -> str:
    return "\n".join(piece.block.text for piece in pieces)


def _answered(body: Sequence[Piece], *, opening: bool) -> list[tuple[Piece, str]]:
    """Return these paragraphs with their Markdown: none for who signed and when, nor (``opening`` a document) for its
    title, number and addressees."""
    last = len(body)
    while last and DATE_ONLY.match(body[last - 1].block.text):
        last -= 1
        if last and _signs(body[last - 1]):
            last -= 1
    told = []
    begun = not opening
    for number, piece in enumerate(body):
        text = piece.block.text
        begun = begun or bool(piece.block.rows) or len(text) > TITLE_CHARS or text.endswith(tuple(STOPS))
        answers = ANSWERS.match(text) if number == 0 and not piece.block.rows else None
        words = marking.paragraph(text[answers.end() :]) if answers else piece.whole
        told.append((piece, words if begun and number < last else ""))
    if not any(words for _, words in told):  # nothing else is there
        return [(piece, piece.whole if opening else "") for piece in body]
    return told


def _signs(piece: Piece) -> bool:
    text = piece.block.text
    return (
        piece.rank is None and not piece.block.rows and len(text) <= SIGNATURE_CHARS and text[-1] not in f"{STOPS}：:"
    )


def _clause_of(above: tuple[Node, ...]) -> str:
    """Return the number as people cite it: an article by itself, a section with those above it."""
    numbers = [(one.rank, one.head.number.replace(" ", "")) for one in above if one.head and one.head.number]
    if articles := [number for rank, number in numbers if rank == ARTICLE]:
        return articles[-1]
    if numbers and numbers[-1][0] == QUESTION:
        found = re.search(rf"{ANY}+", numbers[-1][1])
        return f"问题{found[0]}" if found else ""
    told = "".join(number for rank, number in numbers if rank > ARTICLE)
    title = above[-1].head.title if above and above[-1].head and above[-1].head.number else ""
    return f"{told}{title}" if told and 0 < len(title) <= RUN_IN_CHARS else told.rstrip("、.．")
