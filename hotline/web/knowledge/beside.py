"""What stands beside a text while it is written: entries that are alike already, and words it would have answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from hotline.knowledge_base import alike, catalogue
from hotline.knowledge_base.content import Content
from hotline.knowledge_base.models import Version
from hotline.web.context import runtime

ALIKE_AT_MOST: Final = 4
HEARD_AT_MOST: Final = 8
LOOKED_AT: Final = 800  # sentences heard lately
PHRASINGS: Final = 30  # ways of asking that are compared
LATELY: Final = timedelta(days=30)
COVERED: Final = 0.5  # share of a way of asking that stands in what was said, from which on it would be found


@dataclass(frozen=True, slots=True)
class Near:
    """An entry that is alike, or the text somebody is writing. ``share`` 0..1."""

    entry_id: int
    question: str
    share: float
    draft: Version | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside a text. ``looked_at``: how many sentences there were to look through."""

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
    near = [*_published(entry_id, phrasings), *_being_written(session, entry_id, phrasings)]
    near.sort(key=lambda one: -one.share)
    return Beside(near[:ALIKE_AT_MOST], fitting[:HEARD_AT_MOST], len(fitting), len(said))


def covered(phrasings: Sequence[str], said: Sequence[str]) -> list[float]:
    """Return for each sentence how much of the best fitting way of asking stands in it; 0 below ``COVERED``."""
    asked = [marks for marks in map(alike.marks_of, phrasings) if marks]
    found = []
    for sentence in said:
        there = alike.marks_of(sentence).keys()
        shares = (sum(marks[one] for one in marks.keys() & there) / sum(marks.values()) for marks in asked)
        best = max(shares, default=0.0)
        found.append(best if best >= COVERED else 0.0)
    return found


def _published(entry_id: int, phrasings: Sequence[str]) -> list[Near]:
    run = runtime()
    best: dict[int, Near] = {}
    for phrase in phrasings[:3]:
        for hit in run.knowledge.search(phrase, limit=ALIKE_AT_MOST, on=run.today()):
            if hit.entry_id != entry_id and (hit.entry_id not in best or best[hit.entry_id].share < hit.score):
                best[hit.entry_id] = Near(hit.entry_id, hit.question, hit.score)
    return list(best.values())


def _being_written(session: Session, entry_id: int, phrasings: Sequence[str]) -> list[Near]:
    found = []
    for version, entry in catalogue.drafts_about(session, besides=entry_id):
        question = str(version.content.get("question", ""))
        share = alike.nearest(question, phrasings) if question else 0.0
        if share >= alike.SAME:
            found.append(Near(entry.id, question, share, version))
    return found
