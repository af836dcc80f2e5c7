"""What a message is judged by: its words, its characters side by side, how these sound, and what its words are about.

A message that a person wrote is judged by other families of terms than one a recogniser heard: there words are wrong as
often as right, and sounds nearly always right (拖前公资 sounds like 拖欠工资).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cache
from itertools import chain, repeat
from operator import add
from types import MappingProxyType
from typing import Final

import numpy as np
import rjieba
from numpy.typing import NDArray

from hotline.knowledge_base.language import sounds
from hotline.routing import matters

LONGEST: Final = 2_000  # characters looked at, title included: what comes later hardly ever changes the matter
# a term's first character tells its family; the order lets the families of each form stand side by side
WORD, MATTER, SIGNS, SOUND, SOUNDING = FAMILIES = ("w", "m", "c", "s", "n")
_SYLLABLES: Final = "'"  # between syllables when a term is written down
# as sounds.merged_signs writes them; letters and digits have none
_SYLLABLE_RUN: Final = re.compile("[\ue000-\uf8ff]+")
_NO_LETTERS: Final = re.compile(r"[\W_]+")
_DIGITS: Final = re.compile(r"\d+")
_HEARD_FROM: Final = 12  # characters without a stop: shorter ones people write so too
_STOPS: Final = re.compile(r"[^\w\s]|\n")


class Form(StrEnum):
    """How a message came to be text."""

    WRITTEN = "written"
    HEARD = "heard"


# how long each family's stretch of a text's vector is, and what a machine that knows this family alone counts; chosen
# by cross-validation
WEIGHTS: Final[dict[Form, dict[str, float]]] = {
    Form.WRITTEN: {WORD: 1.0, MATTER: 0.5, SIGNS: 1.0, SOUND: 1.0},
    Form.HEARD: {SIGNS: 1.0, SOUND: 1.0, SOUNDING: 0.3},
}
SHARES: Final[dict[Form, dict[str, float]]] = {
    Form.WRITTEN: {WORD: 1.0, MATTER: 0.25, SIGNS: 1.0, SOUND: 1.0},
    Form.HEARD: {SIGNS: 1.0, SOUND: 1.0, SOUNDING: 0.3},
}


def form_of(text: str) -> Form:
    """Return how a text came to be: recognisers write no stops."""
    return Form.HEARD if len(text) >= _HEARD_FROM and not _STOPS.search(text.strip()) else Form.WRITTEN


def plain(title: str, text: str) -> str:
    """Return one text of both: one width, lower case, blanks for punctuation, ``0`` for any number.

    Numbers are telephones, house numbers and dates: they say nothing of the matter and a model must not keep them.
    """
    joined = unicodedata.normalize("NFKC", f"{title} {text}"[:LONGEST]).lower()
    return _DIGITS.sub("0", _NO_LETTERS.sub(" ", joined)).strip()


def terms(said: str, form: Form) -> Counter[str]:
    """Return the terms by which a ``plain`` text of a form is judged, with how often each occurs."""
    found = Counter(_neighbours(said))
    if form == Form.WRITTEN:
        found.update(WORD + word for word in rjieba.cut_for_search(said) if word != " ")
        found.update(MATTER + matter for matter in matters.named(said))
    else:
        found.update(SOUNDING + matter for matter in matters.sounding(said))
    return found


def words(said: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each word of two signs or more of a ``plain`` text, once, with the terms that lie within it."""
    sounded, start, known = said.translate(sounds.merged_signs()), 0, set()
    for word in rjieba.cut(said):
        end = start + len(word)
        if len(word) > 1 and word not in known:
            known.add(word)
            yield (
                word,
                [WORD + word, *_of(SIGNS, word), *_of(SIGNS, _pairs(word)), *_of(SOUND, _pairs(sounded[start:end]))],
            )
        start = end


def _neighbours(said: str) -> Iterator[str]:
    """Signs and pairs of them, pairs of syllables. Maps of maps: this is most of what a message costs."""
    runs = said.split()
    syllables = _SYLLABLE_RUN.findall(said.translate(sounds.merged_signs()))
    return chain(
        _of(SIGNS, chain.from_iterable(runs)),
        _of(SIGNS, chain.from_iterable(map(_pairs, runs))),
        _of(SOUND, chain.from_iterable(map(_pairs, syllables))),
    )


def _pairs(run: str) -> Iterator[str]:
    return map(add, run, run[1:])


def _of(family: str, texts: Iterable[str]) -> Iterator[str]:
    return map(add, repeat(family), texts)


# ---- where families stand in a vocabulary


def in_order(term: str) -> tuple[int, str]:
    """Return what a vocabulary is sorted by."""
    return FAMILIES.index(term[0]), term


def bounds_of(ordered: Sequence[str]) -> NDArray[np.int64]:
    """Return where each family begins in an ordered vocabulary, and where the last one ends."""
    return np.searchsorted([FAMILIES.index(term[0]) for term in ordered], range(len(FAMILIES) + 1))


def stretch(bounds: NDArray[np.int64], form: Form) -> slice:
    """Return the part of an ordered vocabulary that the families of a form are."""
    places = [FAMILIES.index(family) for family in WEIGHTS[form]]
    return slice(int(bounds[min(places)]), int(bounds[max(places) + 1]))


def shares(bounds: NDArray[np.int64], form: Form) -> list[tuple[slice, float]]:
    """Return where each family with any term stands in the form's stretch, and its share of what all count."""
    begin = stretch(bounds, form).start
    found = []
    for family, counts in SHARES[form].items():
        place = FAMILIES.index(family)
        found.append((slice(int(bounds[place]) - begin, int(bounds[place + 1]) - begin), counts))
    found = [(part, counts) for part, counts in found if part.stop > part.start]
    total = sum(counts for _, counts in found)
    return [(part, counts / total) for part, counts in found]


def weigh(
    places: NDArray[np.int64],
    counts: NDArray[np.float32],
    idf: NDArray[np.float32],
    bounds: NDArray[np.int64],
    form: Form,
) -> NDArray[np.float32]:
    """Return the weights of one text's terms: damped counts times rarity, each family as long as it counts.

    ``places`` in a vocabulary of terms of this form only, with families at ``bounds``.
    """
    values = (1 + np.log(counts)) * idf[places]
    family = np.searchsorted(bounds, places, side="right") - 1
    lengths = np.sqrt(np.bincount(family, values * values, len(FAMILIES)))
    counted = np.array([WEIGHTS[form].get(name, 0.0) for name in FAMILIES])
    weighed: NDArray[np.float32] = (values * counted[family] / lengths[family]).astype(np.float32)
    return weighed


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
