"""What a message is judged by: its words, its characters side by side, and how these sound.

Sounds stand beside words so that what a recogniser wrote wrongly still counts: 拖前公资 sounds like 拖欠工资.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import cache
from types import MappingProxyType
from typing import Final

import rjieba

from hotline.knowledge_base.language import sounds

LONGEST: Final = 2_000  # characters looked at, title included: what comes later hardly ever changes the matter
# a term's first character tells its family; a family's terms are weighed together
WORD, SIGNS, SOUND = FAMILIES = ("w", "c", "s")
SIGN_RUN: Final = (1, 3)  # neighbouring characters taken together
SOUND_RUN: Final = (2, 3)  # neighbouring syllables
_SYLLABLES: Final = "'"  # between syllables when a term is written down
# as sounds.merged_signs writes them; letters and digits have none
_SYLLABLE_RUN: Final = re.compile("[\ue000-\uf8ff]+")
_NO_LETTERS: Final = re.compile(r"[\W_]+")
_DIGITS: Final = re.compile(r"\d+")


def plain(title: str, text: str) -> str:
    """Return one text of both: one width, lower case, blanks for punctuation, ``0`` for any number.

    Numbers are telephones, house numbers and dates: they say nothing of the matter and a model must not keep them.
    """
    joined = unicodedata.normalize("NFKC", f"{title} {text}"[:LONGEST]).lower()
    return _DIGITS.sub("0", _NO_LETTERS.sub(" ", joined)).strip()


def terms(said: str) -> Counter[str]:
    """Return the terms of a ``plain`` text with how often each occurs."""
    found = Counter(WORD + word for word in rjieba.cut_for_search(said) if word.strip())
    found.update(_neighbours(said))
    return found


def terms_of_word(word: str) -> list[str]:
    """Return the terms that lie within one word of a ``plain`` text."""
    return [WORD + word, *_neighbours(word)]


def _neighbours(said: str) -> Iterator[str]:
    for run in said.split():
        yield from _runs(SIGNS, run, *SIGN_RUN)
    for run in _SYLLABLE_RUN.findall(said.translate(sounds.merged_signs())):
        yield from _runs(SOUND, run, *SOUND_RUN)


def _runs(family: str, text: str, least: int, most: int) -> Iterator[str]:
    for length in range(least, most + 1):
        for start in range(len(text) - length + 1):
            yield family + text[start : start + length]


# ---- terms written down: the signs that stand for syllables are of this process alone


@cache
def _names() -> MappingProxyType[str, str]:
    """The syllable that each sign stands for."""
    signs = sounds.merged_signs()
    return MappingProxyType({signs[ord(char)]: syllable for char, syllable in sounds.table().items()})


@cache
def _signs() -> MappingProxyType[str, str]:
    return MappingProxyType({syllable: sign for sign, syllable in _names().items()})


def written(term: str) -> str:
    """Return a term as it may be kept: syllables in letters."""
    if term[0] != SOUND:
        return term
    return SOUND + _SYLLABLES.join(_names()[sign] for sign in term[1:])


def read(kept: str) -> str:
    """Return the term that was ``written``; raises ``KeyError`` for a syllable that does not exist."""
    if kept[:1] != SOUND:
        return kept
    return SOUND + "".join(_signs()[part] for part in kept[1:].split(_SYLLABLES))
