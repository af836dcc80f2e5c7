"""Finding entries for somebody who types: an operator at the desk, a citizen on the city's site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.knowledge_base.models import Entry
from hotline.knowledge_base.published import holding
from hotline.knowledge_base.search import KnowledgeIndex

SPARE: Final = 20  # asked for beyond the limit, for what does not hold at the place


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that fits. ``score`` is 0..1; ``matched`` are words of the entry, for highlighting."""

    entry: Entry
    score: float
    matched: tuple[str, ...] = ()

    @property
    def entry_id(self) -> int:
        """Id of the entry."""
        return self.entry.id


def find(
    session: Session,
    text: str,
    *,
    index: KnowledgeIndex,
    limit: int,
    on: date,
    area: str = "",
    for_site: bool = False,
) -> list[Found]:
    """Return at most ``limit`` entries that hold on that day and in that area (empty: anywhere), best first.

    ``text`` may be anything of any length. ``for_site``: only what the city's site may show.
    """
    index.refresh(session)
    hits = index.search(text, limit=limit + SPARE, on=on)
    conditions = [Entry.id.in_([hit.entry_id for hit in hits]), *holding(on, area)]
    if for_site:
        conditions.append(Entry.public.is_(True))
    entries = {entry.id: entry for entry in session.scalars(select(Entry).where(*conditions))}
    found = [Found(entries[hit.entry_id], hit.score, hit.matched) for hit in hits if hit.entry_id in entries]
    return found[:limit]
