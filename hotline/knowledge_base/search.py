"""Finding answers in what was heard: a disposable index in memory over the published entries.

Two steps. Rare tokens first, until a fixed amount of work is spent, gather candidates; those few are then compared
exactly, each with the stretch of the query that fits it best: callers tell stories around their matter. An entry
scores as the best of its phrasings. Everything derives from document frequencies at the time of the search, so an
index renewed piece by piece answers exactly like one built anew.
"""

from __future__ import annotations

import heapq
import math
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.knowledge_base.models import Change, Entry, SimilarQuestion
from hotline.knowledge_base.states import EntryState
from hotline.knowledge_base.tokens import Tokens, matter_of, sound_of, tokens_of, words_of

# Characters, syllables, words, pairs of syllables (the order of Tokens.families). Tried on 5,000 questions of general
# life with 300 garbled queries of each kind: single signs carry most; halving the first two or doubling the last two,
# or UNSAID and UNASKED, moved recall at 5 by a point or so either way, which 300 queries cannot tell from chance.
WEIGHTS: Final = (1.0, 1.0, 0.5, 0.5)
# AROUND and AT_LEAST belong together, chosen on bases of 60 such questions: either one lower shows more halves of
# questions told in the midst of a story, and more stories without any question.
UNSAID: Final = 0.3  # how much what an entry has and the caller did not say counts against it
UNASKED: Final = 0.3  # how much what the caller said beyond the entry counts against it …
AROUND: Final = 1.3  # … of which the story before and after is counted up to this many times the entry's weight
ASIDE: Final = 0.6  # how much what does not fit weighs when the stretch is looked for that fits best
AT_LEAST: Final = 0.31  # below this nothing fits
BESIDE_BEST: Final = 0.5  # nor does what scores less than this share of the best
WORK: Final = 3_000  # postings read for candidates: what bounds the time of one search
CANDIDATES: Final = 24  # entries compared exactly
COMMON: Final = 0.25  # a word in more than this share of entries is not worth highlighting
# words of any talk, which a small knowledge base has too few entries to know as common
IDLE: Final = frozenset(
    "什么 怎么 怎么办 没有 需要 问题 反映 可以 今年 我家 家里 有人 没人 知道 希望".split()  # noqa: SIM905
)
NEAR: Final = 0.05  # scores closer than this do not change who leads


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that fits. ``score`` is 0..1, for showing and comparing.

    ``matched`` are words of the query that stand in the entry, ``sounded`` words that only sound like something in
    it; both are for highlighting what was said, in the query's order, blanks left out.
    """

    entry_id: int
    code: str
    question: str
    answer: str
    spoken: str
    category: str
    score: float
    matched: tuple[str, ...] = ()
    sounded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Phrasing:
    """One way of asking for an entry: see ``Tokens``, of which this keeps what a comparison needs."""

    text: str
    sound: str
    families: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class _Indexed:
    """One published entry as the index holds it: its columns and its phrasings."""

    entry_id: int
    code: str
    question: str
    answer: str
    spoken: str
    category: str
    valid_from: date | None
    valid_to: date | None
    phrasings: tuple[_Phrasing, ...]

    def tokens(self) -> set[str]:
        """Every token of any phrasing."""
        return {token for phrase in self.phrasings for family in phrase.families for token in family}

    def fits(self, on: date, subjects: Collection[str] | None) -> bool:
        """Whether it holds on that day and belongs to one of the subjects."""
        return (
            (self.valid_from is None or self.valid_from <= on)
            and (self.valid_to is None or on <= self.valid_to)
            and (not subjects or self.category in subjects)
        )


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """One state of the index; never changed once it is in use, except for what ``masses`` remembers."""

    seq: int = 0
    entries: Mapping[int, _Indexed] = field(default_factory=lambda: MappingProxyType({}))
    postings: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    masses: dict[int, list[tuple[float, ...]]] = field(default_factory=dict)

    def weight(self, token: str) -> float:
        """Return how telling a token is: its inverse document frequency; unknown tokens tell most."""
        seen = len(self.postings.get(token, ()))
        return math.log(1 + (len(self.entries) - seen + 0.5) / (seen + 0.5))

    def mass(self, entry_id: int) -> list[tuple[float, ...]]:
        """Return the weight of each family of each phrasing of an entry. Remembered; two threads may both find it."""
        known = self.masses.get(entry_id)
        if known is None:
            known = self.masses[entry_id] = [
                tuple(math.fsum(map(self.weight, family)) for family in phrase.families)
                for phrase in self.entries[entry_id].phrasings
            ]
        return known


class KnowledgeIndex:
    """The published entries, searchable. One per process; any number of threads may search while one refreshes."""

    def __init__(self) -> None:
        self._snapshot = _Snapshot()
        self._refreshing = threading.Lock()

    def __len__(self) -> int:
        return len(self._snapshot.entries)

    def refresh(self, session: Session) -> int:
        """Take in what changed since the last time and return how many entries that was (0 costs one small read).

        Call it in a transaction that changed no entry itself: the index would keep what is later rolled back.
        A database whose sequence went back (restored) is read from the beginning.
        """
        with self._refreshing:
            old = self._snapshot
            latest = session.scalar(select(func.max(Change.seq))) or 0
            if latest == old.seq:
                return 0
            if latest < old.seq:
                old = _Snapshot()
            changed = _read_changed(session, since=old.seq)
            self._snapshot = _renewed(old, changed, seq=latest)
            return len(changed)

    def search(self, text: str, *, limit: int = 5, on: date, subjects: Collection[str] | None = None) -> list[Hit]:
        """Return at most ``limit`` entries that hold on day ``on``, best first; none when nothing fits.

        ``text`` may be anything of any length (see ``tokens.LONGEST``). ``subjects`` limits to these categories;
        without any, every category is searched.
        """
        snapshot, tokens = self._snapshot, tokens_of(matter_of(text))
        query = _Query(snapshot, tokens)
        found = _candidates(snapshot, query, lambda entry: entry.fits(on, subjects))
        scored = ((entry, _score(snapshot, entry, query)) for entry in found)
        fitting = (one for one in scored if one[1] >= AT_LEAST)
        best = heapq.nsmallest(limit, fitting, key=lambda one: (-one[1], one[0].code))
        words = _telling_words(snapshot, tokens) if best else []
        return [_hit(entry, score, words) for entry, score in best if score >= BESIDE_BEST * best[0][1]]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Part of what was asked, or all of it: each family's tokens with their weights, and the sums of these."""

    families: tuple[dict[str, float], ...]
    masses: tuple[float, ...]

    @classmethod
    def of(cls, *families: dict[str, float]) -> _Stretch:
        return cls(families, tuple(math.fsum(family.values()) for family in families))


class _Query:
    """What was asked, and the stretches of it that have been compared so far (many entries share one)."""

    def __init__(self, snapshot: _Snapshot, tokens: Tokens) -> None:
        self.whole = _Stretch.of(*({token: snapshot.weight(token) for token in one} for one in tokens.families))
        self._signs = tokens.text.replace(" ", "")
        self._syllables = [f"s{syllable}" for syllable in tokens.sound.split()]
        weights = self.whole.families[1]
        self._reach = [0.0, *accumulate(weights[syllable] for syllable in self._syllables)]
        self._places: defaultdict[str, list[int]] = defaultdict(list)
        for place, syllable in enumerate(self._syllables):
            self._places[syllable].append(place)
        self._stretches: dict[tuple[int, int], _Stretch] = {}

    def stretch(self, syllables: frozenset[str]) -> _Stretch:
        """Return the stretch with the most of these syllables and the least of others."""
        run = most = 0.0
        first = after = start = end = 0
        for place in sorted(place for known in syllables & self._places.keys() for place in self._places[known]):
            run -= ASIDE * (self._reach[place] - self._reach[after])
            if run <= 0:
                run, first = 0.0, place
            after = place + 1
            run += self._reach[after] - self._reach[place]
            if run > most:
                most, start, end = run, first, after
        if (start, end) not in self._stretches:
            self._stretches[start, end] = self._cut(start, end)
        return self._stretches[start, end]

    def _cut(self, start: int, end: int) -> _Stretch:
        """Return the stretch of the signs ``start`` to ``end``; every sign has one syllable."""
        characters, syllables, words, pairs = self.whole.families
        signs, said = self._signs[start:end], self._syllables[start:end]
        return _Stretch.of(
            {f"c{sign}": characters[f"c{sign}"] for sign in signs},
            {syllable: syllables[syllable] for syllable in said},
            {word: weight for word, weight in words.items() if word[1:] in signs},
            {pair: pairs[pair] for pair in (f"p{one[1:]} {two[1:]}" for one, two in pairwise(said))},
        )


def _candidates(snapshot: _Snapshot, query: _Query, fits: Callable[[_Indexed], bool]) -> list[_Indexed]:
    """Return the entries with the most weight in common with the query: rare tokens first, common ones as far as
    ``WORK`` goes."""
    telling = sorted(
        (
            (weight, share, token)
            for share, family in zip(WEIGHTS, query.whole.families, strict=True)
            for token, weight in family.items()
        ),
        reverse=True,
    )
    gathered: defaultdict[int, float] = defaultdict(float)
    work = WORK
    for weight, share, token in telling:
        entry_ids = snapshot.postings.get(token, ())
        work -= len(entry_ids)
        if work < 0:
            break
        for entry_id in entry_ids:
            gathered[entry_id] += weight * share
    heap = [(-weight, entry_id) for entry_id, weight in gathered.items()]
    heapq.heapify(heap)  # asking each entry whether it fits would cost more than finding it
    found: list[_Indexed] = []
    while heap and len(found) < CANDIDATES:
        entry = snapshot.entries[heapq.heappop(heap)[1]]
        if fits(entry):
            found.append(entry)
    return found


def _score(snapshot: _Snapshot, entry: _Indexed, query: _Query) -> float:
    """Return 0..1: how well the best phrasing and the stretch of the query that fits it best cover each other (a
    Tversky ratio per family, averaged)."""
    best = 0.0
    for phrase, masses in zip(entry.phrasings, snapshot.mass(entry.entry_id), strict=True):
        stretch = query.stretch(phrase.families[1])
        total = shares = 0.0
        for share, weights, asked, said, has, mass in zip(
            WEIGHTS, stretch.families, stretch.masses, query.whole.masses, phrase.families, masses, strict=True
        ):
            if said:
                shares += share
                common = math.fsum(map(weights.__getitem__, has.intersection(weights)))
                if common:
                    beyond = asked - common + min(said - asked, AROUND * mass)
                    total += share * common / (common + UNASKED * beyond + UNSAID * (mass - common))
        best = max(best, total / shares if shares else 0.0)
    return best


def _telling_words(snapshot: _Snapshot, query: Tokens) -> list[str]:
    """Return the query's words that are worth highlighting: not those that many entries have or any talk is full of."""
    limit = max(COMMON * len(snapshot.entries), 1)
    words = words_of(query.text)
    return [word for word in words if word not in IDLE and len(snapshot.postings.get(f"w{word}", ())) <= limit]


def _hit(entry: _Indexed, score: float, words: Sequence[str]) -> Hit:
    """Return the hit of an entry; each of the query's telling words is looked for by letter, then by sound."""
    matched = [word for word in words if any(word in phrase.text for phrase in entry.phrasings)]
    sounded = [
        word
        for word in words
        if word not in matched and any(f" {sound_of(word)}" in f" {phrase.sound}" for phrase in entry.phrasings)
    ]
    matched, sounded = _longest(matched), _longest(sounded)
    return Hit(
        entry_id=entry.entry_id,
        code=entry.code,
        question=entry.question,
        answer=entry.answer,
        spoken=entry.spoken,
        category=entry.category,
        score=score,
        matched=tuple(matched),
        sounded=tuple(sounded),
    )


def _longest(words: Sequence[str]) -> list[str]:
    """Return the words that are not part of another of them."""
    return [word for word in words if not any(word != other and word in other for other in words)]


def _read_changed(session: Session, *, since: int) -> dict[int, _Indexed | None]:
    """Return every entry changed after ``since`` by id; None for one that is not published (any more)."""
    phrasings: defaultdict[int, list[str]] = defaultdict(list)
    similar = (
        select(SimilarQuestion.entry_id, SimilarQuestion.text)
        .join(Entry, Entry.id == SimilarQuestion.entry_id)
        .where(Entry.change_seq > since, Entry.state == EntryState.PUBLISHED)
        .order_by(SimilarQuestion.id)
    )
    for entry_id, text in session.execute(similar):
        phrasings[entry_id].append(text)
    changed: dict[int, _Indexed | None] = {}
    columns = (Entry.code, Entry.question, Entry.answer, Entry.spoken, Entry.category, Entry.valid_from, Entry.valid_to)
    for row in session.execute(
        select(Entry.id, Entry.state, *columns).where(Entry.change_seq > since).order_by(Entry.id)
    ):
        entry_id, state, question = row.id, row.state, row.question
        changed[entry_id] = None
        if state == EntryState.PUBLISHED:
            texts = dict.fromkeys([question, *phrasings[entry_id]])
            changed[entry_id] = _Indexed(entry_id, *row[2:], phrasings=tuple(map(_phrasing, texts)))
    return changed


def _phrasing(text: str) -> _Phrasing:
    tokens = tokens_of(text)
    return _Phrasing(tokens.text, tokens.sound, tuple(map(frozenset, tokens.families)))


def _renewed(old: _Snapshot, changed: Mapping[int, _Indexed | None], *, seq: int) -> _Snapshot:
    """Return a snapshot with the changes in it; ``old`` stays as it is for those who are searching it.

    Only the posting lists that the changes touch are made anew, each in rising order of entry ids.
    """
    entries = dict(old.entries)
    gone: defaultdict[str, set[int]] = defaultdict(set)
    come: defaultdict[str, set[int]] = defaultdict(set)
    for entry_id, entry in changed.items():
        if before := entries.pop(entry_id, None):
            _note(gone, before)
        if entry:
            entries[entry_id] = entry
            _note(come, entry)
    postings = dict(old.postings)
    for token in gone.keys() | come.keys():
        kept = (entry_id for entry_id in postings.get(token, ()) if entry_id not in gone[token])
        if renewed := tuple(sorted({*kept, *come[token]})):
            postings[token] = renewed
        else:
            postings.pop(token, None)
    return _Snapshot(seq=seq, entries=entries, postings=postings)


def _note(into: defaultdict[str, set[int]], entry: _Indexed) -> None:
    for token in entry.tokens():
        into[token].add(entry.entry_id)


def window(texts: Sequence[str], *, max_chars: int = 120) -> str:
    """Return what the caller said last, at most ``max_chars`` characters of ``texts`` (oldest first)."""
    kept: list[str] = []
    room = max_chars
    for text in reversed(texts):
        if room <= 0:
            break
        kept.append(text[-room:])
        room -= len(kept[-1]) + 1  # the blank between two
    return " ".join(reversed(kept))


def steady(previous: Sequence[Hit], fresh: Sequence[Hit]) -> list[Hit]:
    """Return ``fresh``, with the hit that led ``previous`` still leading unless another is clearly better by now."""
    order = list(fresh)
    leader = next((hit for hit in order if previous and hit.entry_id == previous[0].entry_id), None)
    if leader is not None and order[0].score - leader.score < NEAR:
        order.remove(leader)
        order.insert(0, leader)
    return order
