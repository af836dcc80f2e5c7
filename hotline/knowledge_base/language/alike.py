"""Whether two sentences ask the same thing, as far as their characters and sounds tell. No index, no state.

Coarser than the search: it decides what stands together on a list that people read, not what is answered.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cache
from itertools import combinations, pairwise
from types import MappingProxyType
from typing import Final, TypeVar

from hotline.knowledge_base.language.tokens import IDLE, normalise, sound_of

Key = TypeVar("Key", bound=Hashable)

# From here on two sentences ask the same thing. Tried on 3,000 questions of general life and their rewordings.
SAME: Final = 0.45
LITTLE: Final = 0.15

Marks = Mapping[str, float]


def marks_of(sentence: str) -> Marks:
    """Return what a sentence is compared by, and how much each counts: characters, pairs of merged syllables."""
    plain = normalise(sentence).replace(" ", "")
    marks = {sign: LITTLE if sign in IDLE else 1.0 for sign in plain}
    for one, two in pairwise(sound_of(plain).split()):
        idle = (one in _idle_sounds()) + (two in _idle_sounds())
        marks[f"{one} {two}"] = (1.0, 0.5, LITTLE)[idle]
    return marks


@cache
def _idle_sounds() -> frozenset[str]:
    return frozenset(sound_of("".join(sorted(IDLE))).split())


def likeness(one: Marks, other: Marks) -> float:
    """Return 0..1: how much of what either has both have. Nothing is like nothing else."""
    common = sum(one[mark] for mark in one.keys() & other.keys())
    return common / (sum(one.values()) + sum(other.values()) - common) if common else 0.0


def groups(
    sentences: Mapping[Key, str], *, settled: Mapping[Key, Hashable] = MappingProxyType({}), at_least: float = SAME
) -> list[list[Key]]:
    """Return the keys in groups: two are together when they are alike, or both are alike to others of the group.

    Whatever the order of the sentences, the groups are the same; groups and their members come in the order given.
    ``settled`` tells of some keys which group they are in already; these are not compared with each other again.
    """
    marks = {key: marks_of(sentence) for key, sentence in sentences.items()}
    leader = {key: key for key in marks}

    def lead(key: Key) -> Key:
        while leader[key] != key:
            leader[key] = leader[leader[key]]
            key = leader[key]
        return key

    of_group: dict[Hashable, Key] = {}
    having: defaultdict[str, list[Key]] = defaultdict(list)
    telling = {
        key: [mark for mark, weight in own.items() if weight > LITTLE] or list(own) for key, own in marks.items()
    }
    for key in settled.keys() & marks.keys():
        leader[lead(key)] = lead(of_group.setdefault(settled[key], key))
        for mark in telling[key]:
            having[mark].append(key)
    first: dict[str, Key] = {sentences[key]: key for key in settled if key in sentences}
    for key, sentence in sentences.items():
        if key in settled:
            continue
        if sentence in first:  # said word for word before
            leader[lead(key)] = lead(first[sentence])
            continue
        first[sentence] = key
        for other in dict.fromkeys(other for mark in telling[key] for other in having[mark]):
            if lead(other) != lead(key) and likeness(marks[key], marks[other]) >= at_least:
                leader[lead(key)] = lead(other)
        for mark in telling[key]:
            having[mark].append(key)
    found: defaultdict[Key, list[Key]] = defaultdict(list)
    for key in sentences:
        found[lead(key)].append(key)
    return list(found.values())


def by_typicality(sentences: Iterable[str]) -> list[str]:
    """Return the distinct sentences, the one most like all the others first; how often each was said counts."""
    said = Counter(sentences)
    marks = {sentence: marks_of(sentence) for sentence in said}
    close = dict.fromkeys(said, 0.0)
    for one, other in combinations(said, 2):
        shared = likeness(marks[one], marks[other])
        close[one] += said[other] * shared
        close[other] += said[one] * shared
    return sorted(said, key=lambda sentence: (-said[sentence] - close[sentence], len(sentence), sentence))


def nearest(sentence: str, phrasings: Sequence[str]) -> float:
    """Return how like a sentence is to the one of ``phrasings`` it is most like; 0 for none."""
    own = marks_of(sentence)
    return max((likeness(own, marks_of(one)) for one in phrasings), default=0.0)
