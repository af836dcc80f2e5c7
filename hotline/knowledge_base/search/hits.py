"""What a search shows: entries with the words they were found by, standing still while a caller speaks on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import add
from typing import Final, NamedTuple

from hotline.knowledge_base.language.tokens import Said, signs_of, words_of
from hotline.knowledge_base.search.likeness import Query
from hotline.knowledge_base.search.shelf import SIGN_PAIR, Counts, Shelf

COMMON: Final = 0.25  # a word in more than this share of phrasings is not worth highlighting
# words of any talk, which a small knowledge base has too few entries to know as common
ANY_TALK: Final = frozenset(
    "什么 怎么 怎么办 没有 需要 问题 反映 可以 今年 我家 家里 有人 没人 知道 希望".split()  # noqa: SIM905
)
NEAR: Final = 0.05  # scores closer than this do not change who leads


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that fits. ``score`` is 0..1, for showing and comparing.

    ``matched`` are words of the query that stand in the entry, ``sounded`` words that only sound like something in
    it; both are for highlighting what was said, in the query's order, blanks left out. ``areas`` are the codes of the
    areas the entry is limited to, none for one that holds everywhere. The answer is in the database.
    """

    entry_id: int
    code: str
    question: str
    category: str
    score: float
    matched: tuple[str, ...] = ()
    sounded: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()


class Word(NamedTuple):
    """A word of the query, with its two writings."""

    word: str
    said: Said


def telling_words(counts: Counts, query: Query, plain: str) -> list[Word]:
    """Return the query's words that are worth highlighting: not those that many phrasings have or any talk is full of.

    A word stands in no more phrasings than its rarest pair of signs.
    """
    text = query.said.text
    seen = dict(
        zip(map(add, text, text[1:]), counts.seen[SIGN_PAIR][query.tokens[SIGN_PAIR][:-1]].tolist(), strict=True)
    )
    limit = max(COMMON * counts.phrasings, 1)
    words = [Word(word, Said.of(signs_of(word))) for word in words_of(plain) if word not in ANY_TALK]
    return [one for one in words if min(map(seen.__getitem__, map(add, one.said.text, one.said.text[1:]))) <= limit]


def hit_of(shelf: Shelf, place: int, score: float, words: Sequence[Word]) -> Hit:
    """Return the hit of an entry; each of the query's telling words is looked for by letter, then by sound."""
    phrasings = shelf.phrasings(place)
    matched = [word for word, said in words if any(said.text in one.text for one in phrasings)]
    sounded = [
        word for word, said in words if word not in matched and any(said.merged in one.merged for one in phrasings)
    ]
    return Hit(
        entry_id=int(shelf.ids[place]),
        code=shelf.codes[place],
        question=shelf.questions[place],
        category=shelf.categories[place],
        score=score,
        matched=tuple(_longest(matched)),
        sounded=tuple(_longest(sounded)),
        areas=shelf.areas[place],
    )


def _longest(words: Sequence[str]) -> list[str]:
    """Return the words that are not part of another of them."""
    return [word for word in words if not any(word != other and word in other for other in words)]


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
