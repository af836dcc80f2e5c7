"""Finding entries for somebody who types: an operator at the desk, a citizen on the city's site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.knowledge_base.language.spelling import asks_by_letters, pieces
from hotline.knowledge_base.models import Entry
from hotline.knowledge_base.published import holding
from hotline.knowledge_base.search.index import KnowledgeIndex
from hotline.knowledge_base.search.initials import InitialsIndex, Match

SPARE: Final = 20  # asked for beyond the limit, for what the site may not show


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that fits. ``score`` is 0..1; ``matched`` are words of the entry, for highlighting; ``asked`` is the
    similar question that fits when the question itself does not."""

    entry: Entry
    score: float
    matched: tuple[str, ...] = ()
    asked: str = ""

    @property
    def entry_id(self) -> int:
        """Id of the entry."""
        return self.entry.id


def find(
    session: Session,
    text: str,
    *,
    index: KnowledgeIndex,
    initials: InitialsIndex,
    limit: int,
    on: date,
    area: str = "",
    for_site: bool = False,
) -> list[Found]:
    """Return at most ``limit`` entries that hold on that day and in that area (empty: anywhere), best first.

    ``text`` may be anything of any length. What it spells by pinyin comes before what is merely like it.
    ``for_site``: only what the city's site may show.
    """
    spelled: list[Match] = []
    if asks_by_letters(text):
        initials.refresh(session)
        spelled = initials.search(text, limit=limit, on=on, area=area, for_site=for_site)
    index.refresh(session)
    hits = index.search(text, limit=limit + SPARE, on=on, area=area)
    conditions = holding(on, area)
    if for_site:
        conditions.append(Entry.public.is_(True))
    wanted = {match.entry_id for match in spelled} | {hit.entry_id for hit in hits}
    entries = {one.id: one for one in session.scalars(select(Entry).where(Entry.id.in_(wanted), *conditions))}
    found = {one.entry_id: _spelled(entries[one.entry_id], one, text) for one in spelled if one.entry_id in entries}
    for hit in hits:
        if hit.entry_id in entries and hit.entry_id not in found:
            found[hit.entry_id] = Found(entries[hit.entry_id], hit.score, hit.matched)
    return list(found.values())[:limit]


def _spelled(entry: Entry, match: Match, text: str) -> Found:
    """Tell which words of an entry were typed. It may have changed since the table was made: then none are told."""
    phrasings = [entry.question, *(one.text for one in entry.similar)]
    phrasing = phrasings[match.phrasing] if match.phrasing < len(phrasings) else ""
    return Found(entry, match.score, tuple(pieces(phrasing, text)), phrasing if match.phrasing else "")
