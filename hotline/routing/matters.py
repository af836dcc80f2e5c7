"""Words that mean the same matter: what few orders have named yet is known by others of its kind that many have.

The list (``matters.txt``: a name, a colon, words of two signs or more) is general knowledge of what people call a city
about; it names no category of any city and is learnt from no message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from hotline.knowledge_base.language import sounds

Table = Mapping[str, tuple[str, ...]]
LONGEST: Final = 7  # signs of a word of the list
_LIST: Final = Path(__file__).with_name("matters.txt")


def named(said: str) -> Iterator[str]:
    """Yield the matter of each of its words in a text (lower case, ``0`` for numbers); once for each occurrence."""
    return _found(said, *_by_word())


def sounding(said: str) -> Iterator[str]:
    """Yield the matter of whatever sounds like one of its words."""
    return _found(said.translate(sounds.merged_signs()), *_by_sound())


def _found(said: str, table: Table, begin: frozenset[str]) -> Iterator[str]:
    for run in said.split():
        for start in range(len(run) - 1):
            if run[start : start + 2] in begin:
                for end in range(start + 2, min(start + LONGEST, len(run)) + 1):
                    yield from table.get(run[start:end], ())


@cache
def _by_word() -> tuple[Table, frozenset[str]]:
    """The matters of each word, and the pairs of signs that words begin with."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for line in _LIST.read_text(encoding="utf-8").splitlines():
        matter, words = line.split(":")
        for word in words.split():
            found[word].append(matter)
    return _with_beginnings(found)


@cache
def _by_sound() -> tuple[Table, frozenset[str]]:
    """The same by sound; Latin letters have none."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for word, matters in _by_word()[0].items():
        if not any(char.isascii() for char in word):
            found[word.translate(sounds.merged_signs())].update(dict.fromkeys(matters))
    return _with_beginnings(found)


def _with_beginnings(found: Mapping[str, Iterable[str]]) -> tuple[Table, frozenset[str]]:
    return {word: tuple(matters) for word, matters in found.items()}, frozenset(word[:2] for word in found)
