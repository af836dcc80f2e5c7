"""How alike a query and a few phrasings are, told in numbers that ``weighing`` makes a score of.

Callers tell stories around their matter, so each phrasing is compared with the stretch of the query that fits it
best; how much stands outside that stretch is a number of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import LCSseq, Levenshtein, Postfix, Prefix

from hotline.knowledge_base.language.sounds import merged_signs
from hotline.knowledge_base.language.tokens import Said, matters_of
from hotline.knowledge_base.search.shelf import (
    MERGED,
    MERGED_PAIR,
    SIGN,
    SIGN_PAIR,
    Counts,
    Ints,
    Shelf,
    Signs,
    pairs,
    read,
    signs,
    spread,
)

Floats = NDArray[np.float32]

ASIDE: Final = 0.3  # how much what does not fit weighs when the stretch is looked for that fits best
SUMMED: Final = (SIGN, SIGN_PAIR, MERGED_PAIR)  # families that overlap is the sum of
LONG: Final = np.float32(0.05)  # how much each sign of an entry takes from its overlap, as in BM25
OTHERS: Final = 50  # phrasings imagined beside the real ones, without which a few would make every sign common
LITTLE: Final = np.float32(1e-3)
FAMILIES: Final = ("signs", "merged", "sign_pairs", "merged_pairs")
WRITINGS: Final = ("signs", "merged")
MATTERS: Final = ("matter", "matter_merged")  # without what any question is full of
NAMES: Final = (
    "overlap_of_best",
    "overlap",
    *(f"{name}_{what}" for name in WRITINGS for what in ("lcs_entry", "lcs_query", "lcs_both", "edits")),
    "merged_start",
    "merged_end",
    "merged_part",
    *(
        f"{name}_{what}"
        for name in FAMILIES
        for what in ("said", "asked", "both", "most_unsaid", "most_unasked", "common", "unsaid", "unasked", "whole")
    ),
    "length",
    "stretch",
    "lengths",
    "query",
    "inside",
    "outside",
    "phrasings",
    *(
        f"{name}_{what}"
        for name in MATTERS
        for what in ("lcs_entry", "lcs_query", "lcs_both", "edits", "unsaid", "unasked", "order", "whole", "left")
    ),
)


@dataclass(frozen=True, slots=True)
class Group:
    """Phrasings to compare with, from one shelf or several, end to end."""

    writings: tuple[Signs, Signs]
    texts: tuple[list[str], list[str]]
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, chosen: Sequence[tuple[Shelf, NDArray[np.int64]]]) -> Group:
        """Gather phrasings by their numbers; none of them may be empty."""
        rows: list[tuple[Signs, ...]] = []
        texts: tuple[list[str], list[str]] = ([], [])
        lengths = []
        for shelf, numbers in chosen:
            at, long, _ = spread(shelf.ends, numbers)
            rows.append(tuple(row[at] for row in shelf.writings))
            lengths.append(long)
            begin, stop = shelf.ends[numbers].tolist(), shelf.ends[numbers + 1].tolist()
            for into, whole in zip(texts, shelf.written, strict=True):
                into += [read(whole, start, end) for start, end in zip(begin, stop, strict=True)]
        one, two = (np.concatenate([row[place] for row in rows]) for place in range(2))
        return cls((one, two), texts, np.concatenate(lengths))

    def __len__(self) -> int:
        return len(self.lengths)


@dataclass(frozen=True)
class Query:
    """What was said, as numbers, with how telling each is by the counts of an index."""

    said: Said
    counts: Counts

    @cached_property
    def tokens(self) -> tuple[NDArray[Any], ...]:
        """The tokens of each family; the last pair has no second sign and counts nothing."""
        one, two = signs(self.said.text), signs(self.said.merged)
        return one, two, pairs(one), pairs(two)

    def telling(self, family: int, tokens: NDArray[Any]) -> Floats:
        """Return how telling tokens are, 0..1: the inverse document frequency, beside that of what nobody ever said."""
        seen = self.counts.seen[family][tokens].astype(np.float32)
        total = np.float32(self.counts.phrasings + OTHERS)
        rare = np.log1p(np.maximum(total - seen, 0) / (seen + np.float32(0.5)))
        return rare / np.log1p(2 * total + 1)


def likeness(query: Query, group: Group) -> Floats:
    """Return a row of ``NAMES`` for each phrasing of a group."""
    lengths, count, long = group.lengths, len(group), len(query.said.text)
    starts = np.cumsum(lengths) - lengths
    lasts = np.cumsum(lengths) - 1
    tokens: tuple[NDArray[Any], ...] = (*group.writings, pairs(group.writings[0]), pairs(group.writings[1]))
    equal = [theirs[:, None] == ours[None, :] for theirs, ours in zip(tokens, query.tokens, strict=True)]
    covered = np.logical_or.reduceat(equal[MERGED], starts, axis=0)
    begin, stop = _stretches(covered, query.telling(MERGED, query.tokens[MERGED]))
    place = np.arange(long)
    inside = (place >= begin[:, None]) & (place < stop[:, None])
    within = np.repeat(inside, lengths, axis=0)
    entry, stretch = lengths.astype(np.float32), (stop - begin).astype(np.float32)

    columns: list[Any] = []
    spans = [slice(*span) for span in zip(begin.tolist(), stop.tolist(), strict=True)]
    told_in = [[whole[span] for span in spans] for whole in (query.said.text, query.said.merged)]
    for told, texts in zip(told_in, group.texts, strict=True):
        common = process.cpdist(told, texts, scorer=LCSseq.similarity, dtype=np.int32).astype(np.float32)
        columns += [common / entry, common / np.maximum(stretch, 1), 2 * common / (entry + stretch)]
        columns.append(process.cpdist(told, texts, scorer=Levenshtein.normalized_similarity, dtype=np.float32))
        if texts is group.texts[1]:
            edges = [
                process.cpdist(told, texts, scorer=scorer.similarity, dtype=np.int32) / entry
                for scorer in (Prefix, Postfix)
            ]
            edges.append(process.cpdist(told, texts, scorer=fuzz.partial_ratio, dtype=np.float32) / 100)
    columns += edges

    overlap = np.zeros(count, np.float32)
    for family, (theirs, ours) in enumerate(zip(tokens, query.tokens, strict=True)):
        has, asked = query.telling(family, theirs), query.telling(family, ours)
        same = equal[family] & within
        wanted = inside
        if family >= len(WRITINGS):  # pairs: no last one
            has[lasts] = asked[-1] = 0
            wanted = inside & (place < stop[:, None] - 1)
            same &= np.repeat(wanted, lengths, axis=0)
            same[lasts] = False
        said, covered = same.any(axis=1), np.logical_or.reduceat(same, starts, axis=0)
        common, all_theirs = np.add.reduceat(has * said, starts), np.add.reduceat(has, starts) + LITTLE
        answered, all_ours = covered @ asked, wanted @ asked + LITTLE
        columns += [
            common / all_theirs,
            answered / all_ours,
            (common + answered) / (all_theirs + all_ours),
            np.maximum.reduceat(has * ~said, starts),
            (asked * (wanted & ~covered)).max(axis=1),
            common,
            all_theirs - common,
            all_ours - answered,
            answered / (asked.sum() + LITTLE),
        ]
        if family in SUMMED:
            overlap += common
        if family == MERGED:
            whole_mass = float(asked.sum()) + LITTLE
            mass = (all_ours / whole_mass, np.minimum((whole_mass - all_ours) / all_theirs, 3))
    columns += [
        entry / 20,
        stretch / 20,
        np.minimum(entry, stretch) / np.maximum(entry, stretch),
        np.full(count, long / 20),
        *mass,
        np.full(count, np.log10(query.counts.phrasings + 1)),
        *_matters(query.said.text, told_in[0], group.texts[0]),
    ]
    overlap /= 1 + LONG * entry
    best = max(float(overlap.max()), float(LITTLE))
    return np.stack([overlap / best, overlap, *columns], axis=1).astype(np.float32)


def _matters(whole: str, told: Sequence[str], texts: Sequence[str]) -> list[Any]:
    """Return the columns of ``MATTERS`` for what was told, in stretches of the whole, and texts beside them."""
    columns: list[Any] = []
    plain = [matters_of([*told, whole]), matters_of(texts)]
    for ours, entry in (plain, map(_merged, plain)):
        *said, all_ours = ours
        common = process.cpdist(said, entry, scorer=LCSseq.similarity, dtype=np.int32).astype(np.float32)
        mixed = process.cpdist(_sorted(said), _sorted(entry), scorer=LCSseq.similarity, dtype=np.int32)
        asked, answer = (np.fromiter(map(len, side), np.float32, len(side)) for side in (said, entry))
        columns += [
            common / np.maximum(answer, 1),
            common / np.maximum(asked, 1),
            2 * common / np.maximum(asked + answer, 1),
            process.cpdist(said, entry, scorer=Levenshtein.normalized_similarity, dtype=np.float32),
            (answer - common) / 10,
            (asked - common) / 10,
            (mixed - common) / np.maximum(np.minimum(asked, answer), 1),
            common / max(len(all_ours), 1),
            (len(all_ours) - common) / 10,
        ]
    return columns


def _merged(texts: Sequence[str]) -> list[str]:
    return "\n".join(texts).translate(merged_signs()).split("\n")


def _sorted(texts: Sequence[str]) -> list[str]:
    return ["".join(sorted(text)) for text in texts]


def _stretches(covered: NDArray[np.bool_], asked: Floats) -> tuple[Ints, Ints]:
    """Return where the stretch begins and ends, for each row, that holds the most of what is covered and the least of
    what is not."""
    gain = np.where(covered, asked, -ASIDE * asked)
    reach = np.concatenate([np.zeros((len(gain), 1), np.float32), np.cumsum(gain, axis=1)], axis=1)
    low = np.minimum.accumulate(reach, axis=1)
    stop = (reach - low).argmax(axis=1)
    lowest = np.maximum.accumulate(np.where(reach <= low, np.arange(reach.shape[1]), 0), axis=1)
    begin = np.take_along_axis(lowest, stop[:, None], axis=1)[:, 0]
    return begin.astype(np.int32), stop.astype(np.int32)
