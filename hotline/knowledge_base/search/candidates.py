"""Which phrasings are worth comparing: those with the most of a query's rare terms. Tantivy stands behind this file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Self, cast

import numpy as np
import tantivy
from numpy.typing import NDArray

from hotline.knowledge_base.language.tokens import Said, terms_of
from hotline.knowledge_base.search.shelf import ASCII, MERGED_PAIR, SIGN, Counts, Shelf, pairs, signs

WRITER_BYTES: Final = 15_000_000
# Postings read for one query, as a share of all phrasings and at most: rare terms first. More finds no more on 100,000
# phrasings, and at a million the cap is what keeps the time.
SHARE: Final = 0.6
MOST: Final = 150_000
FREE: Final = 5_000  # postings that are always read: a small base is asked for every term
STORY: Final = 60  # signs; more than this is looked up part by part
PART: Final = 40  # signs of such a part, half of them shared with the next
AT_LEAST: Final = 4  # terms asked for whatever they cost


class Candidates:
    """The phrasings of a shelf by their terms, in memory. Any number of threads may look up."""

    def __init__(self, index: tantivy.Index, size: int) -> None:
        self._schema, self._searcher, self._size = index.schema, index.searcher(), size
        self._index = index

    @classmethod
    def of(cls, shelf: Shelf) -> Self:
        """Index every phrasing of a shelf."""
        builder = tantivy.SchemaBuilder()
        builder.add_integer_field("number", stored=False, indexed=False, fast=True)
        builder.add_text_field("terms", tokenizer_name="whitespace", index_option="freq")
        builder.add_text_field("kind", tokenizer_name="raw", index_option="basic")
        return cls._written(tantivy.Index(builder.build()), shelf, 0)

    def grown(self, shelf: Shelf) -> Self:
        """Return the candidates of a shelf whose first phrasings are these; this one goes on serving its own."""
        return self._written(self._index, shelf, self._size)

    @classmethod
    def _written(cls, index: tantivy.Index, shelf: Shelf, after: int) -> Self:
        writer = index.writer(WRITER_BYTES, 1)
        size, said = len(shelf.owners), shelf.said()
        kinds = [f"k{name}" for name in shelf.categories.known]
        ends, owned = shelf.ends.tolist(), shelf.categories.each[shelf.owners].tolist()
        for number in range(after, size):
            span = slice(ends[number], ends[number + 1])
            terms = " ".join(terms_of(Said(said.text[span], said.merged[span])))
            writer.add_document(tantivy.Document(number=number, terms=terms, kind=kinds[owned[number]]))
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        return cls(index, size)

    def best(self, said: Said, counts: Counts, limit: int, subjects: Sequence[str] | None = None) -> NDArray[np.int64]:
        """Return the numbers of at most ``limit`` phrasings with the most in common with what was said, best first.

        ``counts`` tell rare terms. Of a story, with the most in common with any part of it.
        """
        best: dict[int, float] = {}
        for part in _parts(said):
            for score, number in self._found(part, counts, limit, subjects):
                best[number] = max(score, best.get(number, 0.0))
        ranked = sorted(best, key=lambda number: (-best[number], number))
        return np.array(ranked[:limit], np.int64)

    def _found(
        self, said: Said, counts: Counts, limit: int, subjects: Sequence[str] | None
    ) -> Iterable[tuple[float, int]]:
        asked = self._telling(said, counts)
        if not asked:
            return ()
        query = tantivy.Query.boolean_query([(tantivy.Occur.Should, self._term("terms", term)) for term in asked])
        if subjects:
            of_kind = [(tantivy.Occur.Should, self._term("kind", f"k{name}")) for name in subjects]
            query = tantivy.Query.boolean_query(
                [
                    (tantivy.Occur.Must, query),
                    (tantivy.Occur.Must, tantivy.Query.const_score_query(tantivy.Query.boolean_query(of_kind), 0.0)),
                ]
            )
        hits = self._searcher.search(query, limit, count=False).hits
        numbers = self._searcher.fast_field_values("number", [address for _, address in hits])
        return zip((score for score, _ in hits), cast("list[int]", numbers), strict=True)

    def _telling(self, said: Said, counts: Counts) -> list[str]:
        """Return the terms to ask for: rare ones first, as far as the budget goes."""
        row, merged = signs(said.text), signs(said.merged)
        seen = np.concatenate([counts.seen[SIGN][row[row >= ASCII]], counts.seen[MERGED_PAIR][pairs(merged)[:-1]]])
        counted = dict(zip(terms_of(said), seen.tolist(), strict=True))
        asked: list[str] = []
        left = min(max(SHARE * self._size, FREE), MOST)
        for term in sorted(counted, key=lambda term: (counted[term], term)):
            left -= counted[term]
            if left < 0 and len(asked) >= AT_LEAST:
                break
            if counted[term]:
                asked.append(term)
        return asked

    def _term(self, field: str, term: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, field, term)


def _parts(said: Said) -> list[Said]:
    """Return what was said, a long story in overlapping parts."""
    long = len(said.text)
    if long <= STORY:
        return [said]
    spans = [slice(start, start + PART) for start in range(0, long - PART // 2, PART // 2)]
    return [Said(said.text[span], said.merged[span]) for span in spans]
