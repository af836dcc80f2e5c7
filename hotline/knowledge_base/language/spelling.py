"""What may be typed for a text: its signs, the initials of their pinyin, whole syllables, all of these mixed.

Each letter may be an initial or part of a syllable, and of a sign that is read in several ways each one counts.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import accumulate
from typing import Final

import numpy as np
import rjieba
from numpy.typing import NDArray

from hotline.knowledge_base.language import sounds

LONGEST: Final = 40  # letters looked at
LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz")
DOUBLE: Final = ("zh", "ch", "sh")  # initials of two letters
SIGNS: Final = 1 << 16
RAREST: Final = 3
NEVER: Final = 255  # how rarely a sign is read so

Signs = NDArray[np.uint16]
Rareness = NDArray[np.uint8]


def folded(text: str) -> str:
    """Return what can be typed of a text: its letters and digits in one width and lower case, those of the basic
    plane."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return "".join(char for char in plain if char.isalnum() and char < "\U00010000")


def typed_signs(text: str) -> str:
    """Return what counts of what was typed: the first ``LONGEST`` signs of any text."""
    return folded(text[: LONGEST * 4])[:LONGEST]


def asks_by_letters(text: str) -> bool:
    """Whether a text may be pinyin: two signs or more, a Latin letter among them."""
    plain = typed_signs(text)
    return len(plain) > 1 and not LETTERS.isdisjoint(plain)


# ---- the ways to read what was typed


@cache
def _readers() -> dict[str, tuple[Signs, Rareness]]:
    """The signs that are read as each syllable, and how rarely (0: commonly)."""
    found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for char, readings in sounds.readings().items():
        if char < "\U00010000":
            for rank, reading in enumerate(readings):
                found[reading].append((ord(char), min(rank, RAREST)))
    return {
        syllable: (np.array([point for point, _ in read], np.uint16), np.array([rank for _, rank in read], np.uint8))
        for syllable, read in found.items()
    }


def _steps(typed: str, at: int) -> Iterator[tuple[int, str, bool]]:
    """Yield how one sign may take up letters from ``at``: up to where, and the beginning of its reading or (True) the
    whole of it."""
    letter = typed[at]
    if letter not in LETTERS:
        return
    yield at + 1, letter, False
    if typed[at : at + 2] in DOUBLE:
        yield at + 2, typed[at : at + 2], False
    left = len(typed) - at
    for length in range(2, min(left, 6) + 1):
        part = typed[at : at + length]
        if part in _readers():
            yield at + length, part, True
    if 2 <= left <= 6 and typed[at:] not in DOUBLE:
        yield len(typed), typed[at:], False  # somebody is still typing it


def lattice(typed: str) -> list[dict[int, Rareness]]:
    """Return, for each place in what was typed, up to where a sign may take it, and how rarely each sign does."""
    found = []
    for at, char in enumerate(typed):
        edges: defaultdict[int, Rareness] = defaultdict(lambda: np.full(SIGNS, NEVER, np.uint8))
        for until, part, whole in _steps(typed, at):
            rareness = edges[until]
            for syllable, (signs, ranks) in _readers().items():
                if syllable == part if whole else syllable.startswith(part):
                    rareness[signs] = np.minimum(rareness[signs], ranks)
        edges[at + 1][ord(char)] = 0
        found.append(dict(edges))
    return found


# ---- which part of a phrasing it was


def pieces(text: str, typed: str) -> list[str]:
    """Return the pieces of a text that what was typed spells: one stretch of it, or whole words; none when it does not.

    ``typed`` may be anything; its first ``LONGEST`` letters count.
    """
    wanted = typed_signs(typed)
    chars, origins = [], []
    for origin, char in enumerate(text):
        for one in folded(char):
            chars.append(one)
            origins.append(origin)
    words = set(accumulate(map(len, rjieba.cut("".join(chars))), initial=0))
    for picked in (False, True):
        for begin in range(len(chars)):
            if wanted and (not picked or begin in words):
                signs = _way(chars, words if picked else set(), begin, wanted)
                if signs:
                    return list(_runs(text, [origins[sign] for sign in signs]))
    return []


def _way(chars: Sequence[str], words: set[int], begin: int, wanted: str) -> list[int]:
    """Return which signs are typed by ``wanted``, the first of them ``begin``; empty when they cannot be."""
    dead: set[tuple[int, int]] = set()

    def onward(sign: int, at: int) -> list[int] | None:
        if at == len(wanted):
            return []
        if sign == len(chars) or (sign, at) in dead:
            return None
        for until in _taken(chars[sign], wanted, at):
            for following in [sign + 1, *(one for one in words if one > sign + 1 and sign + 1 in words)]:
                if (rest := onward(following, until)) is not None:
                    return [sign, *rest]
        dead.add((sign, at))
        return None

    return onward(begin, 0) or []


def _taken(char: str, wanted: str, at: int) -> list[int]:
    """Return up to where one sign may take up what was typed from ``at``, the farthest first."""
    readings = sounds.readings().get(char, ())
    found = {at + 1} if wanted[at] == char else set()
    for until, part, whole in _steps(wanted, at):
        if any(reading == part if whole else reading.startswith(part) for reading in readings):
            found.add(until)
    return sorted(found, reverse=True)


def _runs(text: str, places: Iterable[int]) -> Iterator[str]:
    """Yield the stretches of a text at these rising places; neighbours are one."""
    begin = last = -2
    for place in places:
        if place > last + 1:
            if begin >= 0:
                yield text[begin : last + 1]
            begin = place
        last = place
    if begin >= 0:
        yield text[begin : last + 1]
