"""Finding entries by pinyin: initials (``sbkbb`` for 社保卡补办), whole syllables, and both mixed with characters.

A disposable table in memory over the published entries: their phrasings' signs in one row, two bytes each, looked
through by numpy for every way in which the letters can be read (see ``spelling``). What is typed is a stretch of a
phrasing, or whole words of it with others left out in between.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from typing import Final, Self

import numpy as np
import rjieba
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.knowledge_base.language.spelling import NEVER, Signs, asks_by_letters, folded, lattice, typed_signs
from hotline.knowledge_base.models import Entry, EntryArea, SimilarQuestion
from hotline.knowledge_base.published import areas_around, state_of
from hotline.knowledge_base.states import EntryState

BATCH: Final = 5_000
ALWAYS: Final = (date.min.toordinal(), date.max.toordinal())
GAPS: Final = 2  # words are left out at this many places at most: single signs from all over fit anything
STRETCH, PICKED = 0.55, 0.35  # a stretch is better than words picked out …
# … the question than another way to ask, its beginning than its midst, more of it than less …
AT_BEGIN, AT_WORD, SHARE, OWN_WORDS = 0.15, 0.1, 0.15, 0.05
RARE: Final = 0.05  # … and common readings than rare ones, for each step in the order of a sign's readings

Places = NDArray[np.int64]
# where stretches begin, how far they have come, how many gaps they have, and how rare their readings are
Reached = tuple[Places, Places, Places, Places]


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that fits. ``phrasing`` is 0 for its question, else the number of a similar one from 1."""

    entry_id: int
    phrasing: int
    score: float


# ---- the table


@dataclass(frozen=True)
class Table:
    """Phrasings of entries. ``signs`` of all, each phrasing followed by 0; ``words``: a word begins at this sign;
    ``starts`` and ``owners`` (the entry's place) by phrasing; ``areas`` with the places of the entries they limit; the
    rest by entry.
    """

    signs: Signs
    words: NDArray[np.bool_]
    starts: Places
    owners: Places
    ids: Places
    days: Places
    public: NDArray[np.bool_]
    limited: Places
    areas: NDArray[np.str_]

    @classmethod
    def of(cls, rows: Sequence[tuple[int, date | None, date | None, bool, Sequence[str], Sequence[str]]]) -> Self:
        """Build it of (id, since, until, public, areas, phrasings)."""
        texts = [folded(text) for row in rows for text in row[5]]
        words = bytearray()
        for text in texts:
            flags = bytearray(len(text) + 1)
            for begin in accumulate(map(len, rjieba.cut(text)), initial=0):
                flags[begin] = 1
            flags[len(text)] = 0
            words += flags
        lengths = [len(text) + 1 for text in texts]
        return cls(
            signs=np.frombuffer("".join(f"{text}\0" for text in texts).encode("utf-16-le"), np.uint16),
            words=np.frombuffer(words, np.bool_),
            starts=np.cumsum([0, *lengths[:-1]] if lengths else [], dtype=np.int64),
            owners=np.repeat(np.arange(len(rows)), [len(row[5]) for row in rows]),
            ids=np.array([row[0] for row in rows], np.int64),
            days=np.array(
                [
                    (row[1].toordinal() if row[1] else ALWAYS[0], row[2].toordinal() if row[2] else ALWAYS[1])
                    for row in rows
                ],
                np.int64,
            ).reshape(-1, 2),
            public=np.array([row[3] for row in rows], np.bool_),
            limited=np.array([place for place, row in enumerate(rows) for _ in row[4]], np.int64),
            areas=np.array([code for row in rows for code in row[4]], "U12"),
        )

    def without(self, gone: Places) -> Self:
        """Return the table without some entries."""
        stays = ~np.isin(self.ids, gone)
        if stays.all():
            return self
        phrasings = stays[self.owners]
        ends = np.append(self.starts[1:], len(self.signs))
        lengths = ends - self.starts
        signs = np.repeat(phrasings, lengths)
        place = np.cumsum(stays) - 1
        limits = stays[self.limited]
        return type(self)(
            signs=self.signs[signs],
            words=self.words[signs],
            starts=np.cumsum(np.append(0, lengths[phrasings][:-1])) if phrasings.any() else self.starts[:0],
            owners=place[self.owners[phrasings]],
            ids=self.ids[stays],
            days=self.days[stays],
            public=self.public[stays],
            limited=place[self.limited[limits]],
            areas=self.areas[limits],
        )

    @classmethod
    def joined(cls, tables: Sequence[Self]) -> Self:
        """Return several tables as one."""
        if not tables:
            return cls.of([])
        entries = np.cumsum([0, *(len(one.ids) for one in tables)])
        signs = np.cumsum([0, *(len(one.signs) for one in tables)])
        parts = list(zip(tables, entries, signs, strict=False))
        return cls(
            signs=np.concatenate([one.signs for one in tables]),
            words=np.concatenate([one.words for one in tables]),
            starts=np.concatenate([one.starts + before for one, _, before in parts]),
            owners=np.concatenate([one.owners + before for one, before, _ in parts]),
            ids=np.concatenate([one.ids for one in tables]),
            days=np.concatenate([one.days for one in tables]),
            public=np.concatenate([one.public for one in tables]),
            limited=np.concatenate([one.limited + before for one, before, _ in parts]),
            areas=np.concatenate([one.areas for one in tables]),
        )

    def holding(self, on: date, area: str, *, for_site: bool) -> NDArray[np.bool_]:
        """Return which entries may be shown."""
        day = on.toordinal()
        holds = (self.days[:, 0] <= day) & (day <= self.days[:, 1])
        if area:
            there = np.ones(len(self.ids), bool)
            there[self.limited] = False
            there[self.limited[np.isin(self.areas, list(areas_around(area)))]] = True
            holds &= there
        return holds & self.public if for_site else holds

    def spelled(self, typed: str, *, picked: bool) -> Reached:
        """Return the stretches that can be typed so. ``picked``: words may be left out in between."""
        ways = lattice(typed)
        words = np.flatnonzero(self.words) if picked else None
        reached: list[list[Reached]] = [[] for _ in range(len(typed) + 1)]
        places = np.flatnonzero(np.minimum.reduce(list(ways[0].values()))[self.signs] != NEVER)
        if picked:  # a word is not left in its midst
            places = places[self.words[places]]
        none = np.zeros(len(places), np.int64)
        reached[0].append((places, places, none, none))
        for at, edges in enumerate(ways):
            begins, here, gaps, rare = _together(reached[at])
            if words is not None and at:
                begins, here, gaps, rare = self._onward(words, begins, here, gaps, rare)
            signs = self.signs[here]
            for until, rareness in edges.items():
                taken = np.flatnonzero(rareness[signs] != NEVER)
                more = rare[taken] + rareness[signs[taken]]
                reached[until].append((begins[taken], here[taken] + 1, gaps[taken], more))
        return _together(reached[-1])

    def _onward(self, words: Places, begins: Places, here: Places, gaps: Places, rare: Places) -> Reached:
        """Add the beginnings of all later words of a phrasing to where its words were left, from the first on."""
        left = np.flatnonzero(self.words[here] & (gaps < GAPS))
        kinds = self.phrasing(here[left]) * (GAPS + 1) + gaps[left]
        order = np.lexsort((rare[left], here[left], kinds))
        kinds, firsts = np.unique(kinds[order], return_index=True)
        left = left[order][firsts]
        ends = np.append(self.starts[1:], len(self.signs))[kinds // (GAPS + 1)]
        low, high = np.searchsorted(words, here[left], "right"), np.searchsorted(words, ends, "left")
        many = high - low
        later = words[np.repeat(low - np.cumsum(many) + many, many) + np.arange(many.sum())]
        left = np.repeat(left, many)
        return _together([(begins, here, gaps, rare), (begins[left], later, gaps[left] + 1, rare[left])])

    def phrasing(self, places: Places) -> Places:
        """Return the phrasing each place lies in."""
        return np.searchsorted(self.starts, places, "right") - 1

    def entries_with(self, word: str) -> int:
        """Return how many entries have a word (folded) in one of their phrasings."""
        wanted = np.frombuffer(word.encode("utf-16-le"), np.uint16)
        places = np.flatnonzero(self.signs == wanted[0]) if len(wanted) else np.zeros(0, np.int64)
        for after, sign in enumerate(wanted[1:], 1):
            places = places[places + after < len(self.signs)]
            places = places[self.signs[places + after] == sign]
        return len(np.unique(self.owners[self.phrasing(places)]))


def _together(parts: Sequence[Reached]) -> Reached:
    if not parts:
        return (np.zeros(0, np.int64),) * 4
    begins, here, gaps, rare = (np.concatenate(one) for one in zip(*parts, strict=True))
    return begins, here, gaps, rare


def matches(table: Table, typed: str, *, limit: int, on: date, area: str = "", for_site: bool = False) -> list[Match]:
    """Return at most ``limit`` entries of a table that may be typed so, best first. ``typed`` is folded."""
    holding = table.holding(on, area, for_site=for_site)
    found: dict[int, Match] = {}
    for picked in (False, True) if len(typed) > 2 else (False,):
        if len(found) >= limit:
            break
        reached = table.spelled(typed, picked=picked)
        shown = holding[table.owners[table.phrasing(reached[0])]]
        begins, ends, _, rare = (one[shown] for one in reached)
        scores = _scores(table, typed, begins, ends) - RARE * rare + (PICKED if picked else STRETCH)
        phrasings = table.phrasing(begins)
        for best in np.lexsort((table.ids[table.owners[phrasings]], -scores)):
            place = int(table.owners[phrasings[best]])
            entry_id = int(table.ids[place])
            if entry_id not in found:
                number = int(phrasings[best] - np.searchsorted(table.owners, place))
                found[entry_id] = Match(entry_id, number, max(float(scores[best]), 0.0))
                if len(found) == limit:
                    break
    return sorted(found.values(), key=lambda one: -one.score)


def _scores(table: Table, typed: str, begins: Places, ends: Places) -> NDArray[np.float64]:
    """Return what each stretch is worth beyond its kind: how much of its phrasing it is, and how well it begins."""
    phrasings = table.phrasing(begins)
    lengths = np.append(table.starts[1:], len(table.signs))[phrasings] - table.starts[phrasings] - 1
    return (
        AT_BEGIN * (begins == table.starts[phrasings])
        + AT_WORD * table.words[begins]
        + SHARE * np.minimum(ends - begins, len(typed)) / lengths
        + OWN_WORDS * (phrasings == np.searchsorted(table.owners, table.owners[phrasings]))
    )


class InitialsIndex:
    """The published entries by their pinyin. One per process; any number of threads may search while one refreshes."""

    def __init__(self) -> None:
        self._state: tuple[int, Table] = (0, Table.of([]))
        self._refreshing = threading.Lock()

    def __len__(self) -> int:
        return len(self._state[1].ids)

    def refresh(self, session: Session) -> None:
        """Take in what changed since the last time (nothing: one small read). A database whose sequence went back
        (restored) is read from the beginning."""
        with self._refreshing:
            seq, table = self._state
            latest = state_of(session).seq
            if latest == seq:
                return
            if latest < seq:
                seq, table = 0, Table.of([])
            changed: list[int] = []
            parts = []
            for ids, part in _read(session, since=seq):
                changed += ids
                parts.append(part)
            self._state = (latest, Table.joined([table.without(np.array(changed, np.int64)), *parts]))

    def entries_with(self, words: Iterable[str]) -> dict[str, int]:
        """Return, for each word, how many published entries have it in their question or a similar one."""
        table = self._state[1]
        return {word: table.entries_with(folded(word)) for word in words}

    def search(self, text: str, *, limit: int, on: date, area: str = "", for_site: bool = False) -> list[Match]:
        """Return at most ``limit`` entries that hold on that day and in that area (empty: anywhere) and may be typed
        so, best first. Any text may be asked for; only one with Latin letters finds anything."""
        if not asks_by_letters(text):
            return []
        return matches(self._state[1], typed_signs(text), limit=limit, on=on, area=area, for_site=for_site)


def _read(session: Session, *, since: int) -> Iterator[tuple[list[int], Table]]:
    """Yield every entry changed after ``since`` in batches: the ids of all, and a table of the published."""
    new = (Entry.change_seq > since, Entry.state == EntryState.PUBLISHED)
    similar: defaultdict[int, list[str]] = defaultdict(list)
    asked = select(SimilarQuestion.entry_id, SimilarQuestion.text).join(Entry, Entry.id == SimilarQuestion.entry_id)
    for entry_id, text in session.execute(asked.where(*new).order_by(SimilarQuestion.id)):
        similar[entry_id].append(text)
    areas: defaultdict[int, list[str]] = defaultdict(list)
    limits = select(EntryArea.entry_id, EntryArea.area_code).join(Entry, Entry.id == EntryArea.entry_id)
    for entry_id, code in session.execute(limits.where(*new)):
        areas[entry_id].append(code)
    columns = (Entry.id, Entry.state, Entry.question, Entry.valid_from, Entry.valid_to, Entry.public)
    entries = select(*columns).where(Entry.change_seq > since).order_by(Entry.id)
    for batch in session.execute(entries, execution_options={"yield_per": BATCH}).partitions():
        rows = [
            (row.id, row.valid_from, row.valid_to, row.public, areas[row.id], [row.question, *similar[row.id]])
            for row in batch
            if row.state == EntryState.PUBLISHED
        ]
        yield [row.id for row in batch], Table.of(rows)
