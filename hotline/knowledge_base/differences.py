"""What differs between two texts of an entry, field by field, for people to read. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import SequenceMatcher
from typing import Any, Final

import rjieba

from hotline.knowledge_base.content import DAYS, LISTS, Content

SAME, ADDED, REMOVED, GAP = "same", "added", "removed", "gap"
LONGEST: Final = 1_500  # words of a stretch compared one by one; what was rewritten at greater length is shown whole
AROUND: Final = 40  # characters kept before and after a change
FOLDED: Final = 160  # characters of a stretch that stayed the same, from which on its middle is left out

# every field by the word people know it by, in the order they read them
WORDS: Final[dict[str, str]] = {
    "question": "问题",
    "similar": "相似问",
    "answer": "答案",
    "spoken": "口语短句",
    "category": "分类",
    "owner_unit": "责任单位",
    "source": "依据",
    "source_url": "依据链接",
    "areas": "适用地区",
    "valid_from": "生效日期",
    "valid_to": "失效日期",
    "review_on": "复核日期",
    "public": "对外公开",
    "attachments": "附件",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text. ``kind``: same, added, removed, or gap (same, and too long to be shown)."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One field that differs. Of a list the pieces are its items, of a text stretches that follow each other."""

    name: str
    word: str
    pieces: tuple[Piece, ...]
    is_list: bool


@dataclass(frozen=True, slots=True)
class Names:
    """How people call what a content names by code; a code nobody named stands for itself."""

    units: Mapping[str, str] = field(default_factory=dict)
    areas: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[int, str] = field(default_factory=dict)


def differences(before: Content | None, after: Content, names: Names | None = None) -> list[FieldDifference]:
    """Return the fields that differ, in reading order; every field that says something when there is no ``before``."""
    names = names or Names()
    before = before or Content(question="", public=after.public)
    return [_difference(name, before, after, names) for name in changed(before, after)]


def changed(before: Content, after: Content) -> list[str]:
    """Return the names of the fields that differ, in reading order. The order within areas and attachments is none."""
    return [name for name in WORDS if _weighed(name, before) != _weighed(name, after)]


def as_words(name: str, value: Any, names: Names) -> str:
    """Return what a field says as people read it; items of a list one a line, nothing as an empty text."""
    return "\n".join(_items(name, value, names)) if name in LISTS else _said(name, value, names)


def of_text(before: str, after: str) -> tuple[Piece, ...]:
    """Return how one text became the other: first by lines, then by words within the lines that changed."""
    pieces: list[Piece] = []
    lines, now = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if max(len(lines), len(now)) > LONGEST:
        return tuple(_joined([Piece(REMOVED, before), Piece(ADDED, after)]))
    for op, i, j, k, m in SequenceMatcher(None, lines, now, autojunk=False).get_opcodes():
        if op == "equal":
            pieces.append(Piece(SAME, "".join(lines[i:j])))
        else:
            pieces.extend(_by_words("".join(lines[i:j]), "".join(now[k:m])))
    return tuple(_folded(_joined(pieces)))


def of_items(before: Sequence[str], after: Sequence[str]) -> tuple[Piece, ...]:
    """Return the items of two lists: those that stayed or came in the order of ``after``, then those that went."""
    was, is_now = set(before), set(after)
    stay = [Piece(SAME if item in was else ADDED, item) for item in after]
    return (*stay, *(Piece(REMOVED, item) for item in before if item not in is_now))


def _difference(name: str, before: Content, after: Content, names: Names) -> FieldDifference:
    was, now = getattr(before, name), getattr(after, name)
    if name in LISTS:
        pieces = of_items(_items(name, was, names), _items(name, now, names))
    elif name in ("question", "answer", "spoken"):
        pieces = of_text(was, now)
    else:
        both = ((REMOVED, _said(name, was, names)), (ADDED, _said(name, now, names)))
        pieces = tuple(Piece(kind, text) for kind, text in both if text)
    return FieldDifference(name, WORDS[name], pieces, name in LISTS)


def _weighed(name: str, content: Content) -> Any:
    value = getattr(content, name)
    return frozenset(value) if name in ("areas", "attachments") else value


def _said(name: str, value: Any, names: Names) -> str:
    if name in DAYS:
        return _day(value)
    if name == "public":
        return "是" if value else "否"
    if name == "owner_unit":
        return names.units.get(value, value)
    return str(value)


def _items(name: str, value: Iterable[Any], names: Names) -> list[str]:
    if name == "areas":
        return [names.areas.get(code, code) for code in sorted(value)]
    if name == "attachments":
        return [names.files.get(number, f"附件 {number}") for number in value]
    return list(value)


def _day(value: date | None) -> str:
    return f"{value.year}年{value.month}月{value.day}日" if value else ""


def _by_words(before: str, after: str) -> Iterator[Piece]:
    if not before or not after:
        yield Piece(ADDED if after else REMOVED, before or after)
        return
    was, now = rjieba.cut(before), rjieba.cut(after)
    if len(was) > LONGEST or len(now) > LONGEST:
        yield Piece(REMOVED, before)
        yield Piece(ADDED, after)
        return
    for op, i, j, k, m in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if op == "equal":
            yield Piece(SAME, "".join(was[i:j]))
            continue
        if i < j:
            yield Piece(REMOVED, "".join(was[i:j]))
        if k < m:
            yield Piece(ADDED, "".join(now[k:m]))


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Return the pieces with neighbours of a kind in one; between two unchanged stretches removed stands first."""
    joined: list[Piece] = []
    gone, come = "", ""
    for piece in (*pieces, Piece(SAME, "")):
        if piece.kind == REMOVED:
            gone += piece.text
        elif piece.kind == ADDED:
            come += piece.text
        elif piece.text or gone or come:
            joined += [Piece(kind, text) for kind, text in ((REMOVED, gone), (ADDED, come)) if text]
            gone = come = ""
            if piece.text and joined and joined[-1].kind == SAME:
                joined[-1] = Piece(SAME, joined[-1].text + piece.text)
            elif piece.text:
                joined.append(piece)
    return joined


def _folded(pieces: Sequence[Piece]) -> Iterator[Piece]:
    for number, piece in enumerate(pieces):
        if piece.kind != SAME or len(piece.text) < FOLDED:
            yield piece
            continue
        head = piece.text[:AROUND] if number else ""
        tail = piece.text[-AROUND:] if number < len(pieces) - 1 else ""
        if head:
            yield Piece(SAME, head)
        yield Piece(GAP, piece.text[len(head) : len(piece.text) - len(tail)])
        if tail:
            yield Piece(SAME, tail)
