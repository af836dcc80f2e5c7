"""The published entries out of the database, as many as changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.knowledge_base.language.local_words import Synonyms
from hotline.knowledge_base.models import Change, Entry, EntryArea, SimilarQuestion
from hotline.knowledge_base.search.shelf import Row
from hotline.knowledge_base.states import EntryState
from hotline.knowledge_base.synonyms import meanings

BATCH = 5_000


def latest_change(session: Session) -> int:
    """Return the last number of the change sequence; 0 when nothing ever changed."""
    return session.scalar(select(func.max(Change.seq))) or 0


def count_changed(session: Session, *, since: int) -> int:
    """Return how many entries changed after ``since``."""
    return session.scalar(select(func.count()).where(Entry.change_seq > since)) or 0


def synonyms(session: Session) -> Synonyms:
    """Return the synonyms as they are now."""
    return Synonyms.of(meanings(session).items())


def synonyms_changed(session: Session, *, since: int) -> bool:
    """Return whether synonyms changed after ``since``."""
    changed = select(Change.seq).where(Change.seq > since, Change.entry_id.is_(None)).limit(1)
    return session.scalar(changed) is not None


def changed(session: Session, *, since: int) -> Iterator[tuple[list[int], list[Row]]]:
    """Yield every entry changed after ``since`` in batches: the ids of all, and the rows of the published.

    Nothing is sorted by the database, which would rather go through all entries by id than find the few that changed.
    """
    published = (Entry.change_seq > since, Entry.state == EntryState.PUBLISHED)
    phrasings: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    similar = select(SimilarQuestion.entry_id, SimilarQuestion.id, SimilarQuestion.text)
    similar = similar.join(Entry, Entry.id == SimilarQuestion.entry_id).where(*published)
    for entry_id, number, words in session.execute(similar):
        phrasings[entry_id].append((number, words))
    areas: defaultdict[int, list[str]] = defaultdict(list)
    limits = select(EntryArea.entry_id, EntryArea.area_code).join(Entry, Entry.id == EntryArea.entry_id)
    for entry_id, code in session.execute(limits.where(*published)):
        areas[entry_id].append(code)
    columns = (Entry.id, Entry.state, Entry.code, Entry.question, Entry.category, Entry.valid_from, Entry.valid_to)
    entries = select(*columns).where(Entry.change_seq > since)
    for batch in session.execute(entries, execution_options={"yield_per": BATCH}).partitions():
        rows = [
            Row(
                entry_id,
                code,
                question,
                category,
                first,
                last,
                (question, *(words for _, words in sorted(phrasings.get(entry_id, ())))),
                tuple(sorted(areas.get(entry_id, ()))),
            )
            for entry_id, state, code, question, category, first, last in batch
            if state == EntryState.PUBLISHED
        ]
        yield [row[0] for row in batch], rows
