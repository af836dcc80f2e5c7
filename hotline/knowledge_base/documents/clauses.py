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

from hotline.knowledge_base.documents import asking, marking, tables
from hotline.knowledge_base.documents.blocks import Document
from hotline.knowledge_base.documents.marks import (
    ANNEX,
    ANNEX_TITLE,
    ANSWERS,
    ANY,
    ARTICLE,
    DATE_ONLY,
    ENCLOSED,
    FIRST,
    HEADING_CHARS,
    RUN_IN_CHARS,
    STOPS,
    TITLE_CHARS,
)
from hotline.knowledge_base.documents.pieces import LABEL, QUESTION, Piece, pieces_of, title_of

TOGETHER: Final = 400  # characters of a section that is left whole although it has sections of its own
LONG_ITEM: Final = 80
BITE_CHARS: Final = 12_000  # of Markdown in one draft, where the document itself does not divide
SIGNATURE_CHARS: Final = 25


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
    pieces = list(pieces_of(document.blocks))
    title = document.title or title_of(pieces) or PurePath(document.name).stem
    return _Cutter(title).cut(_tree(pieces))


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
    if head is None or node.rank <= ARTICLE or node.rank in (QUESTION, LABEL) or head.block.level:
        return True
    if node.rank == FIRST and not head.title:
        return node.size() >= LONG_ITEM
    if head.own_line:
        return bool(node.lead or node.below)
    return bool(head.title) and node.size() >= LONG_ITEM


def _divides(node: Node) -> bool:
    """Whether each part below becomes a draft of its own."""
    if not node.below or node.rank in (ARTICLE, QUESTION, LABEL):
        return False
    sections = [_is_section(one) for one in node.below]
    if any(one.rank <= ARTICLE or one.rank in (QUESTION, LABEL) for one in node.below):
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
        self._subject = ""  # what a form says it is about

    def cut(self, root: Node) -> list[Draft]:
        self._go(root, self._title, ())
        if self._carried:  # headings without a word beneath them
            self._end(self._carried)
        return self._drafts

    def _go(self, node: Node, document: str, above: tuple[Node, ...]) -> None:
        if node.head is not None:
            above = (*above, node)
            if node.rank in (ANNEX, ANNEX_TITLE) and node.head.title:
                document, self._subject = node.head.title, ""
            if node.rank == LABEL and tables.NAMED.fullmatch(node.head.title):
                self._subject = node.head.rest
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
            alone = not body and not head.rest and head.rank is not None and head.rank >= ARTICLE and head.rank != LABEL
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
            subject=self._subject,
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
    enclosed = next((place for place in range(int(opening), last) if ENCLOSED.match(body[place].block.text)), last)
    if all(len(piece.block.text) <= HEADING_CHARS for piece in body[enclosed:]):
        last = enclosed  # the list of what is enclosed, and who signed
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
    if numbers and numbers[-1][0] == FIRST and above[-1].head and not above[-1].head.title:
        return f"第{numbers[-1][1].rstrip('、.．')}项"
    told = "".join(number for rank, number in numbers if rank > ARTICLE)
    title = above[-1].head.title if above and above[-1].head and above[-1].head.number else ""
    return f"{told}{title}" if told and 0 < len(title) <= RUN_IN_CHARS else told.rstrip("、.．")
