"""Finding answers in what was heard: a disposable index in memory over the published entries.

Candidates by rare terms first; those few are then compared exactly (``likeness``), each with the stretch of the query
that fits it best, and weighed by what was learned (``weighing``). An entry scores as the best of its phrasings.

The index is two shelves: one with terms to look candidates up by, and a small one for what changed since, which is
compared without. The small one is put with the large one in a thread of its own.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from hotline.knowledge_base.language.local_words import NO_SYNONYMS, Synonyms
from hotline.knowledge_base.language.tokens import Said, has_matter, normalise, signs_of
from hotline.knowledge_base.search import reading
from hotline.knowledge_base.search.candidates import Candidates
from hotline.knowledge_base.search.hits import Hit, hit_of, telling_words
from hotline.knowledge_base.search.likeness import Group, Query, likeness
from hotline.knowledge_base.search.shelf import (
    ASCII,
    MERGED_PAIR,
    SIGN,
    Counts,
    Shelf,
    pairs,
    phrasings_of,
    spread,
)
from hotline.knowledge_base.search.weighing import shares, weights

AT_LEAST: Final = 0.35  # less sure than this, nothing fits
BESIDE: Final = 0.6  # beside what fits, others are shown down to this share of what the best must have
COMPARED: Final = 30  # phrasings compared exactly
ENOUGH: Final = 15  # fewer than this left of them by day, area and subject, and more are asked for …
ASKED: Final = (COMPARED, 240, 960, 3_840)  # … so many at a time and in the end
SMALL: Final = 2_048  # phrasings so few that they are looked through without terms
WORN: Final = 0.25  # more than this share of a shelf gone, and it is made anew
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class _Layer:
    """A shelf in use: which entries still stand as they are on it, and how to look its phrasings up (None: all)."""

    shelf: Shelf
    standing: NDArray[np.bool_]
    candidates: Candidates | None = None

    @classmethod
    def of(cls, shelf: Shelf, small: int = SMALL) -> Self:
        """Put a shelf to use, with terms when it is large."""
        large = len(shelf.owners) > small
        return cls(shelf, np.ones(len(shelf), bool), Candidates.of(shelf) if large else None)

    def without(self, entry_ids: NDArray[np.int64]) -> tuple[Self, NDArray[np.int64]]:
        """Return this layer without some entries, and at which places they stood."""
        gone = np.isin(self.shelf.ids, entry_ids) & self.standing
        places = np.flatnonzero(gone)
        return (replace(self, standing=self.standing & ~gone) if len(places) else self), places

    def best(self, query: Query, on: date, area: str, subjects: Sequence[str] | None) -> NDArray[np.int64]:
        """Return the numbers of the phrasings worth comparing, of entries that may be shown."""
        shelf = self.shelf
        if self.candidates is None:
            places = np.flatnonzero(self.standing)
            return looked_through(query, shelf, places[shelf.holding(places, on, area, subjects)])
        for wanted in ASKED:
            found = self.candidates.best(query.said, query.counts, wanted, subjects)
            owners = shelf.owners[found]
            left = found[self.standing[owners] & shelf.holding(owners, on, area, subjects)]
            if len(left) >= ENOUGH or len(found) < wanted:
                break
        return left[:COMPARED]


@dataclass(frozen=True)
class _Snapshot:
    """One state of the index; never changed once it is in use. ``fresh`` is only ever added to at its end."""

    seq: int
    base: _Layer
    fresh: _Layer
    counts: Counts
    synonyms: Synonyms

    @classmethod
    def empty(cls, synonyms: Synonyms = NO_SYNONYMS) -> Self:
        nothing = _Layer.of(Shelf.of([]))
        return cls(0, nothing, nothing, Counts.none(), synonyms)

    def __len__(self) -> int:
        return int(self.base.standing.sum() + self.fresh.standing.sum())


@dataclass(frozen=True)
class Folded:
    """What was base and fresh in one layer; ``kept`` are the places of the two that it keeps (None: all)."""

    start: _Snapshot
    base: _Layer
    kept: NDArray[np.int64] | None


class KnowledgeIndex:
    """The published entries, searchable. One per process; any number of threads may search while one refreshes.

    Up to ``small`` changed phrasings are looked through one by one before a thread puts them with the rest.
    """

    def __init__(self, *, small: int = SMALL) -> None:
        self._small = small
        self._snapshot = _Snapshot.empty()
        self._refreshing = threading.Lock()
        self._folding: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._snapshot)

    @property
    def seq(self) -> int:
        """The number of the last change that searches see."""
        return self._snapshot.seq

    def refresh(self, session: Session, told: Told | None = None) -> int:
        """Take in what changed since the last time and return how many entries that was (0 costs one small read).

        Call it in a transaction that changed no entry itself: the index would keep what is later rolled back.
        Everything is read from the beginning when synonyms changed, or the sequence went back (a restored database).
        ``told`` is called with how many entries were read of how many.
        """
        with self._refreshing:
            old = self._snapshot
            latest = reading.latest_change(session)
            if latest == old.seq:
                return 0
            if old.seq == 0 or latest < old.seq or reading.synonyms_changed(session, since=old.seq):
                old = _Snapshot.empty(reading.synonyms(session))
            total = reading.count_changed(session, since=old.seq) if told else 0
            ids: list[int] = []
            parts: list[Shelf] = []
            for read, rows in reading.changed(session, since=old.seq):
                ids += read
                parts.append(Shelf.of(rows, old.synonyms))
                if told:
                    told(len(ids), total)
            changed = np.array(ids, np.int64)
            come = Shelf.joined(parts)
            del parts
            self._snapshot = _renewed(old, changed, come, seq=latest, small=self._small)
            if len(ids) > SMALL:
                _give_back_memory()
            self._fold_if_due()
            return len(ids)

    def settle(self) -> None:
        """Wait until what changed is put with the rest."""
        while (thread := self._folding) is not None:
            thread.join()

    def search(
        self,
        text: str,
        *,
        limit: int = 5,
        on: date,
        area: str = "",
        subjects: Collection[str] | None = None,
        at_least: float = AT_LEAST,
    ) -> list[Hit]:
        """Return at most ``limit`` entries that hold on day ``on``, best first; none when nothing fits.

        ``text`` may be anything of any length (see ``tokens.LONGEST``). ``area`` is the code of the county or township
        in question; what is limited to others is left out then, and shown with its areas while it is not known.
        ``subjects`` limits to these categories; without any, every category is searched. Nothing is shown when the
        best would score less than ``at_least``.
        """
        snapshot = self._snapshot
        (plain,) = snapshot.synonyms.read([normalise(text)])
        if not has_matter(plain):
            return []
        query = Query(Said.of(signs_of(plain)), snapshot.counts)
        wanted = list(subjects) if subjects else None
        found = [(layer.shelf, layer.best(query, on, area, wanted)) for layer in (snapshot.base, snapshot.fresh)]
        found = [(shelf, numbers) for shelf, numbers in found if len(numbers)]
        if not found:
            return []
        learned = weights()
        scaled = learned.scaled(likeness(query, Group.of(found)))
        scores = learned.scores(scaled)
        order, best = _entries(found, scores)
        scores = scores[best]
        sure = learned.sureness(scores, scaled[best[0]])
        if sure < at_least:
            return []
        beside = shares(scores)
        words = telling_words(snapshot.counts, query, plain)
        ranked = sorted(
            (-round(sure * share, 6), order[place][0].codes[order[place][1]], place)
            for place, share in enumerate(beside[: 4 * limit].tolist())
            if sure * share >= BESIDE * at_least
        )
        return [hit_of(*order[place], -score, words) for score, _, place in ranked[:limit]]

    def _fold_if_due(self) -> None:
        if self._folding is None and len(self._snapshot.fresh.shelf.owners) > self._small:
            self._folding = threading.Thread(target=self._fold, name="fold", daemon=True)
            self._folding.start()

    def _fold(self) -> None:
        try:
            self.take(self.folded())
            _give_back_memory()
        finally:
            self._folding = None

    def folded(self) -> Folded:
        """Return what changed put with the rest. Takes its time; searches and changes go on meanwhile."""
        start = self._snapshot
        base, kept = _folded(start, self._small)
        return Folded(start, base, kept)

    def take(self, folded: Folded) -> None:
        """Serve what was folded; what changed meanwhile stays fresh. Nothing when the index was started over."""
        with self._refreshing:
            now = self._snapshot
            if now.base.shelf is folded.start.base.shelf:
                self._snapshot = _swapped(now, folded.base, folded.kept, len(folded.start.fresh.shelf))


def _give_back_memory() -> None:
    """Give the system back what reading and writing took for a while; glibc would keep it, others have no such call."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)


def _renewed(old: _Snapshot, changed: NDArray[np.int64], come: Shelf, *, seq: int, small: int) -> _Snapshot:
    """Return a snapshot with the changes in it; ``old`` stays as it is for those who are searching it."""
    counts = old.counts
    layers = []
    for layer in (old.base, old.fresh):
        left, places = layer.without(changed)
        if len(places):
            counts = counts.changed(layer.shelf, places, -1)
        layers.append(left)
    base, fresh = layers
    counts = counts.changed(come, None, 1)
    if not len(base.shelf):
        return _Snapshot(seq, _Layer.of(come, small), fresh, counts, old.synonyms)
    shelf = Shelf.joined([fresh.shelf, come])
    fresh = _Layer(shelf, np.append(fresh.standing, np.ones(len(come), bool)))
    return _Snapshot(seq, base, fresh, counts, old.synonyms)


def _folded(snapshot: _Snapshot, small: int) -> tuple[_Layer, NDArray[np.int64] | None]:
    """Return base and fresh as one layer, and which places of the two it keeps (None: all)."""
    base, fresh = snapshot.base, snapshot.fresh
    shelf = Shelf.joined([base.shelf, fresh.shelf])
    standing = np.append(base.standing, fresh.standing)
    kept = None
    if (~standing).mean() > WORN:
        kept = np.flatnonzero(standing)
        return _Layer.of(shelf.taken(kept), small), kept
    candidates = base.candidates.grown(shelf) if base.candidates else Candidates.of(shelf)
    return _Layer(shelf, standing, candidates), None


def _swapped(now: _Snapshot, base: _Layer, kept: NDArray[np.int64] | None, folded: int) -> _Snapshot:
    """Return the snapshot with a new base, in which the first ``folded`` fresh entries are."""
    standing = np.append(now.base.standing, now.fresh.standing[:folded])
    base = replace(base, standing=standing if kept is None else standing[kept])
    fresh = now.fresh.shelf.taken(np.arange(folded, len(now.fresh.shelf)))
    return replace(now, base=base, fresh=_Layer(fresh, now.fresh.standing[folded:]))


def looked_through(query: Query, shelf: Shelf, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers of the phrasings with most in common with the query, of some entries of a small shelf."""
    numbers = phrasings_of(shelf, places)
    if not len(numbers):
        return numbers
    at, lengths, lasts = spread(shelf.ends, numbers)
    starts = np.cumsum(lengths) - lengths
    # the same families as have terms
    tokens: dict[int, NDArray[Any]] = {SIGN: shelf.writings[0][at], MERGED_PAIR: pairs(shelf.writings[1][at])}
    common = np.zeros(len(numbers), np.float32)
    for family, row in tokens.items():
        asked = np.unique(query.tokens[family])
        weight = np.zeros(len(query.counts.seen[family]), np.float32)
        weight[asked] = query.telling(family, asked)
        if family == SIGN:
            weight[:ASCII] = 0
        each = weight[row]
        if family == MERGED_PAIR:
            each[lasts] = 0
        common += np.add.reduceat(each, starts)
    best = np.argsort(-common, kind="stable")[:COMPARED]
    return numbers[best[common[best] > 0]]


def _entries(
    found: Sequence[tuple[Shelf, NDArray[np.int64]]], scores: NDArray[np.float32]
) -> tuple[list[tuple[Shelf, int]], NDArray[np.int64]]:
    """Return each entry's shelf and place, best first, and which of ``scores`` is its best phrasing's."""
    owners = [(shelf, place) for shelf, numbers in found for place in shelf.owners[numbers].tolist()]
    seen: dict[tuple[int, int], int] = {}
    for number in np.argsort(-scores, kind="stable").tolist():
        shelf, place = owners[number]
        seen.setdefault((id(shelf), place), number)
    best = list(seen.values())
    return [owners[number] for number in best], np.array(best, np.int64)
