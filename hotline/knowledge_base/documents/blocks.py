"""What a document says, in the order in which it says it: paragraphs and tables, without looks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

INVISIBLE: Final = str.maketrans(dict.fromkeys("\ufeff\u200b\u200c\u200d\u2060\u00ad", ""))
# what PDF files have instead of a character: the radical that looks like it
RADICALS: Final = str.maketrans(
    {chr(code): unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)}
    | dict(
        zip(
            "⺟⺠⻁⻄⻅⻆⻉⻋⻓⻔⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻨⻩⻬⻮⻰⻳",
            "母民虎西见角贝车长门青韦页风飞食马骨鬼鱼鸟麦黄齐齿龙龟",
            strict=True,
        )
    )
    | {"⼾": "户"}
)
LINES: Final = str.maketrans({"\r": "\n", "\x0b": "\n"})
BLANKS: Final = re.compile(r"[ \t\u00a0\u2000-\u200a\u3000]+")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, or a table with its ``rows`` of cells. ``level``: of a heading, as its style says (1 is the
    highest), 0 for what is none. ``text`` is all of its words, of a table row by row."""

    text: str
    level: int = 0
    rows: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def table(cls, rows: Iterable[Sequence[str]]) -> Self:
        """Return a table; rows without a word are left out, every other has as many cells as the widest."""
        told = [tuple(" ".join(clean(cell).split()) for cell in row) for row in rows]
        told = [row for row in told if any(row)]
        width = max(map(len, told), default=0)
        filled = tuple(row + ("",) * (width - len(row)) for row in told)
        return cls("\n".join("\t".join(row).rstrip("\t") for row in told), rows=filled)


@dataclass(frozen=True, slots=True)
class Document:
    """A document as read. ``title`` is what it calls itself, empty when it does not say; ``name`` that of its file."""

    name: str
    title: str
    blocks: tuple[Block, ...]


def clean(text: str) -> str:
    """Return a text without what nobody sees and no database keeps; runs of blanks become one, lines stay."""
    told = text.replace("\r\n", "\n").translate(LINES | INVISIBLE | RADICALS)
    kept = "".join(char for char in told if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs"))
    return "\n".join(filter(None, (BLANKS.sub(" ", line).strip() for line in kept.split("\n"))))
