"""Entries laid end to end in flat arrays: little memory, cheap to compare with, never changed once made."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import islice
from typing import Any, Final, Generic, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from hotline.knowledge_base.language.local_words import NO_SYNONYMS, Synonyms
from hotline.knowledge_base.language.tokens import Said, normalised, signs_of
from hotline.knowledge_base.published import areas_around, holds_around

ASCII: Final = 128  # signs before this are Latin letters and digits
CODE: Final = "utf-16-le"
SIGNS: Final = 1 << 16  # a sign is two bytes
PAIRS: Final = 1 << 18  # pairs of signs are told apart by 18 bits of a product
# families of tokens that are counted
SIGN, MERGED, SIGN_PAIR, MERGED_PAIR = range(4)
ALWAYS: Final = (date.min.toordinal(), date.max.toordinal())

Ints = NDArray[np.int32]
Signs = NDArray[np.uint16]
Mark = TypeVar("Mark", bound=Hashable)


class Row(NamedTuple):
    """A published entry as it is read: ``phrasings`` are its question and its similar questions.

    ``areas`` are the codes of the areas it is limited to; without any it holds everywhere.
    """

    entry_id: int
    code: str
    question: str
    category: str
    valid_from: date | None
    valid_to: date | None
    phrasings: tuple[str, ...]
    areas: tuple[str, ...] = ()


def signs(text: str) -> Signs:
    """Return a text of the basic plane as numbers."""
    return np.frombuffer(text.encode(CODE), np.uint16)


def read(row: bytes, start: int, stop: int) -> str:
    """Return signs of a writing as text."""
    return row[2 * start : 2 * stop].decode(CODE)


def _written(said: Said) -> tuple[bytes, bytes]:
    return said.text.encode(CODE), said.merged.encode(CODE)


def pairs(row: Signs) -> NDArray[np.uint32]:
    """Return the numbers of neighbouring signs; the last sign is taken with nothing."""
    after = np.append(row[1:], np.uint16(0)).astype(np.uint32)
    return (row.astype(np.uint32) * np.uint32(0x9E3779B1) ^ after * np.uint32(0x85EBCA6B)) >> np.uint32(14)


@dataclass(frozen=True, slots=True)
class Texts:
    """Short texts in one piece of memory, for those few that will be shown."""

    whole: bytes
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Lay these texts end to end. Half characters cannot be told apart any more."""
        pieces = [text.encode(errors="replace") for text in texts]
        return cls(b"".join(pieces), np.cumsum([0, *map(len, pieces)], dtype=np.int64))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Lay the texts of all parts end to end."""
        return cls(b"".join(part.whole for part in parts), joined_ends([part.ends for part in parts]))

    def taken(self, places: NDArray[np.int64]) -> Self:
        """Return the texts at ``places`` alone."""
        at, lengths, _ = spread(self.ends, places)
        whole = np.frombuffer(self.whole, np.uint8)[at].tobytes()
        return type(self)(whole, np.cumsum([0, *lengths], dtype=np.int64))

    def __getitem__(self, place: int) -> str:
        return self.whole[self.ends[place] : self.ends[place + 1]].decode()


def joined_ends(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the ends of what was laid behind each other, each part's starting at nought."""
    ends, reach = [np.zeros(1, np.int64)], 0
    for part in parts:
        ends.append(part[1:] + reach)
        reach += int(part[-1])
    return np.concatenate(ends)


@dataclass(frozen=True, slots=True)
class Marks(Generic[Mark]):
    """One mark for each entry, of a few different ones: ``each`` are places in ``known``."""

    known: tuple[Mark, ...]
    each: Ints

    @classmethod
    def of(cls, marks: Sequence[Mark]) -> Self:
        """Take the mark of each entry."""
        known = {mark: place for place, mark in enumerate(dict.fromkeys(marks))}
        return cls(tuple(known), np.array([known[mark] for mark in marks], np.int32))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Put those of all parts behind each other."""
        known = {mark: place for place, mark in enumerate(dict.fromkeys(mark for part in parts for mark in part.known))}
        each = [np.array([known[mark] for mark in part.known], np.int32)[part.each] for part in parts]
        return cls(tuple(known), np.concatenate(each))

    def taken(self, places: NDArray[np.int64]) -> Self:
        """Return the marks of the entries at ``places`` alone."""
        return type(self)(self.known, self.each[places])

    def __getitem__(self, place: int) -> Mark:
        return self.known[self.each[place]]

    def fit(self, places: NDArray[Any], test: Callable[[Mark], bool]) -> NDArray[np.bool_]:
        """Return for each of these entries whether its mark passes."""
        return np.array([test(mark) for mark in self.known], bool)[self.each[places]]


def _cut(phrasings: Sequence[Sequence[str]], synonyms: Synonyms) -> list[list[str]]:
    """Return each entry's phrasings as they are compared, without repeats and without empty ones."""
    plain = synonyms.read(normalised([text for texts in phrasings for text in texts]))
    every = iter(signs_of("\n".join(plain)).split("\n"))
    return [[text for text in dict.fromkeys(islice(every, len(texts))) if text] for texts in phrasings]


@dataclass(frozen=True)
class Shelf:
    """Entries by place (0, 1, …) and their phrasings by number, each entry's side by side.

    ``written`` holds both writings (see ``Said``) of all phrasings end to end, two bytes a sign, cut at ``ends``;
    ``owners`` tells the place of each phrasing's entry.
    ``since`` and ``until`` are day numbers; ``areas`` limit an entry, those without any hold everywhere.
    """

    ids: NDArray[np.int64]
    codes: Texts
    questions: Texts
    categories: Marks[str]
    areas: Marks[tuple[str, ...]]
    since: Ints
    until: Ints
    owners: Ints
    ends: NDArray[np.int64]
    written: tuple[bytes, bytes]

    @classmethod
    def of(cls, rows: Sequence[Row], synonyms: Synonyms = NO_SYNONYMS) -> Self:
        """Put rows on a shelf, in their order. A phrasing without a letter or digit is left out."""
        asked = _cut([row.phrasings for row in rows], synonyms)
        first, last = ALWAYS
        every = [text for texts in asked for text in texts]
        return cls(
            ids=np.array([row.entry_id for row in rows], np.int64),
            codes=Texts.of([row.code for row in rows]),
            questions=Texts.of([row.question for row in rows]),
            categories=Marks.of([row.category for row in rows]),
            areas=Marks.of([row.areas for row in rows]),
            since=np.array([row.valid_from.toordinal() if row.valid_from else first for row in rows], np.int32),
            until=np.array([row.valid_to.toordinal() if row.valid_to else last for row in rows], np.int32),
            owners=np.repeat(np.arange(len(rows), dtype=np.int32), [len(texts) for texts in asked]),
            ends=np.cumsum([0, *map(len, every)], dtype=np.int64),
            written=_written(Said.of("".join(every))),
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Put the entries of all parts on one shelf, in their order."""
        if not parts:
            return cls.of([])
        owners, before = [], 0
        for part in parts:
            owners.append(part.owners + np.int32(before))
            before += len(part)
        return cls(
            ids=np.concatenate([part.ids for part in parts]),
            codes=Texts.joined([part.codes for part in parts]),
            questions=Texts.joined([part.questions for part in parts]),
            categories=Marks.joined([part.categories for part in parts]),
            areas=Marks.joined([part.areas for part in parts]),
            since=np.concatenate([part.since for part in parts]),
            until=np.concatenate([part.until for part in parts]),
            owners=np.concatenate(owners),
            ends=joined_ends([part.ends for part in parts]),
            written=(b"".join(part.written[0] for part in parts), b"".join(part.written[1] for part in parts)),
        )

    def taken(self, places: NDArray[np.int64]) -> Self:
        """Return a shelf of the entries at ``places`` alone, in that order."""
        numbers = phrasings_of(self, places)
        at, lengths, _ = spread(self.ends, numbers)
        text, merged = (row[at].tobytes() for row in self.writings)
        each = self.firsts[places + 1] - self.firsts[places]
        return type(self)(
            ids=self.ids[places],
            codes=self.codes.taken(places),
            questions=self.questions.taken(places),
            categories=self.categories.taken(places),
            areas=self.areas.taken(places),
            since=self.since[places],
            until=self.until[places],
            owners=np.repeat(np.arange(len(places), dtype=np.int32), each),
            ends=np.cumsum([0, *lengths], dtype=np.int64),
            written=(text, merged),
        )

    def phrasings(self, place: int) -> list[Said]:
        """Return the phrasings of the entry at ``place``."""
        numbers = range(int(self.firsts[place]), int(self.firsts[place + 1]))
        spans = [slice(int(self.ends[number]), int(self.ends[number + 1])) for number in numbers]
        return [Said(*(read(row, one.start, one.stop) for row in self.written)) for one in spans]

    def said(self) -> Said:
        """Return all phrasings end to end, as they are read when an index is made."""
        return Said(*(row.decode(CODE) for row in self.written))

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def writings(self) -> tuple[Signs, Signs]:
        """Both writings as numbers, in the same memory."""
        text, merged = (np.frombuffer(row, np.uint16) for row in self.written)
        return text, merged

    @cached_property
    def firsts(self) -> NDArray[np.int64]:
        """The number of each entry's first phrasing, and behind them the count of all."""
        return np.searchsorted(self.owners, np.arange(len(self) + 1))

    def holding(self, places: NDArray[Any], on: date, area: str, subjects: Sequence[str] | None) -> NDArray[np.bool_]:
        """Return for each of these entries whether it holds that day and in that area (empty: anywhere) and has one of
        the subjects (none: any)."""
        day = on.toordinal()
        holds = (self.since[places] <= day) & (day <= self.until[places])
        if area:
            around = areas_around(area)
            holds &= self.areas.fit(places, lambda limits: holds_around(limits, around))
        if subjects:
            holds &= self.categories.fit(places, lambda name: name in subjects)
        return holds


@dataclass(frozen=True, slots=True)
class Counts:
    """How often each sign of both writings, and each pair of them, stands in any phrasing: by family.

    ``phrasings`` is how many there are. Counts add and subtract, so that an index renewed piece by piece has the
    same ones as an index built anew.
    """

    phrasings: int
    seen: tuple[Ints, Ints, Ints, Ints]

    @classmethod
    def none(cls) -> Self:
        """Counts of nothing."""
        sizes = (SIGNS, SIGNS, PAIRS, PAIRS)
        return cls(0, tuple(np.zeros(size, np.int32) for size in sizes))  # type: ignore[arg-type]

    def changed(self, shelf: Shelf, places: NDArray[np.int64] | None, sign: int) -> Self:
        """Return these counts with the phrasings of the entries at ``places`` (None: all) added (1) or taken (-1)."""
        numbers = np.arange(len(shelf.owners)) if places is None else phrasings_of(shelf, places)
        seen = [one.copy() for one in self.seen]
        if len(numbers):
            at, _, lasts = spread(shelf.ends, numbers)
            inside = np.ones(len(at), bool)
            inside[lasts] = False
            families = [row[at] for row in shelf.writings]
            tokens: list[NDArray[Any]] = [*families, pairs(families[0])[inside], pairs(families[1])[inside]]
            for count, row in zip(seen, tokens, strict=True):
                np.add.at(count, row, np.int32(sign))
        return type(self)(self.phrasings + sign * len(numbers), tuple(seen))  # type: ignore[arg-type]


def phrasings_of(shelf: Shelf, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers of all phrasings of the entries at ``places``."""
    begin, stop = shelf.firsts[places], shelf.firsts[places + 1]
    return runs(begin, stop - begin)


def runs(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return ``start, start + 1, …`` of each length, behind each other."""
    before = np.cumsum(lengths) - lengths
    return np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths)


def spread(
    ends: NDArray[np.int64], numbers: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return where the signs of these phrasings stand, how many each has, and which signs are the last of one."""
    lengths = ends[numbers + 1] - ends[numbers]
    return runs(ends[numbers], lengths), lengths, np.cumsum(lengths)[lengths > 0] - 1
