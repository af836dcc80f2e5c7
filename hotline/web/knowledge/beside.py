"""What stands beside a text while it is written: entries that are alike already, and words it would have answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Final

from sqlalchemy.orm import Session

from hotline.knowledge_base import catalogue
from hotline.knowledge_base.content import Content
from hotline.knowledge_base.language import alike
from hotline.knowledge_base.models import Entry, Task, Version
from hotline.web.context import runtime

ALIKE_AT_MOST: Final = 4
HEARD_AT_MOST: Final = 8
LOOKED_AT: Final = 800  # sentences heard lately
LOOKED_UP: Final = 5  # ways of asking the index is asked with, and answers it gives to each
PHRASINGS: Final = 30  # ways of asking that are compared
LATELY: Final = timedelta(days=30)
COVERED: Final = 0.6  # share of a way of asking that stands in what was said, from which on it would be found


@dataclass(frozen=True, slots=True)
class Near:
    """An entry that is alike, or the text somebody is writing. ``share`` 0..1."""

    entry_id: int
    question: str
    share: float
    draft: Version | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside a text. ``against``: open tasks about its entry; ``looked_at``: how many sentences there were
    to look through."""

    against: Sequence[Task]
    near: Sequence[Near]
    heard: Sequence[catalogue.Heard]
    fitting: int
    looked_at: int


def look(session: Session, entry_id: int, content: Content) -> Beside:
    """Look beside a text; ``session`` published nothing so far."""
    run = runtime()
    run.knowledge.refresh(session)
    phrasings = [one for one in (content.question, *content.similar)[:PHRASINGS] if one]
    said = catalogue.heard(session, since=run.now() - LATELY, limit=LOOKED_AT)
    fitting = [one for one, share in zip(said, covered(phrasings, [one.text for one in said]), strict=True) if share]
    near = [*_published(session, entry_id, phrasings), *_being_written(session, entry_id, phrasings)]
    near.sort(key=lambda one: -one.share)
    return Beside(
        catalogue.said_against(session, entry_id),
        near[:ALIKE_AT_MOST],
        fitting[:HEARD_AT_MOST],
        len(fitting),
        len(said),
    )


@lru_cache(maxsize=8_192)
def _marks_of(sentence: str) -> alike.Marks:
    """Remembered: the same sentences are looked through each time somebody stops typing."""
    return alike.marks_of(sentence)


def covered(phrasings: Sequence[str], said: Sequence[str]) -> list[float]:
    """Return for each sentence how much of the best fitting way of asking stands in it; 0 below ``COVERED``."""
    asked = [(marks, sum(marks.values())) for marks in map(_marks_of, phrasings) if marks]
    found = []
    for sentence in said:
        there = _marks_of(sentence).keys()
        shares = (sum(marks[one] for one in marks.keys() & there) / whole for marks, whole in asked)
        best = max(shares, default=0.0)
        found.append(best if best >= COVERED else 0.0)
    return found


def _published(session: Session, entry_id: int, phrasings: Sequence[str]) -> list[Near]:
    """Return what the index knows to be near, as far as any of its ways of asking is really alike."""
    run = runtime()
    hits = (hit for one in phrasings[:LOOKED_UP] for hit in run.knowledge.search(one, limit=LOOKED_UP, on=run.today()))
    found = []
    for other in dict.fromkeys(hit.entry_id for hit in hits if hit.entry_id != entry_id):
        entry = session.get(Entry, other)
        asked = [entry.question, *(one.text for one in entry.similar)] if entry else []
        share = _alike(asked, phrasings)
        if entry and share >= alike.SAME:
            found.append(Near(other, entry.question, share))
    return found


def _being_written(session: Session, entry_id: int, phrasings: Sequence[str]) -> list[Near]:
    found = []
    for version, entry in catalogue.drafts_about(session, besides=entry_id):
        question = str(version.content.get("question", ""))
        share = _alike([question], phrasings)
        if share >= alike.SAME:
            found.append(Near(entry.id, question, share, version))
    return found


def _alike(some: Sequence[str], others: Sequence[str]) -> float:
    """Return how like the two most alike of them are."""
    marks = [_marks_of(one) for one in others]
    return max((alike.likeness(_marks_of(one), other) for one in some if one for other in marks), default=0.0)
