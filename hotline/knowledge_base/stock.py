"""What is published, as a whole: to be taken away as a sheet or a handbook."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.knowledge_base.content import Content
from hotline.knowledge_base.models import Entry
from hotline.knowledge_base.states import EntryState
from hotline.knowledge_base.writing import Known
from hotline.units.models import Unit

AT_ONCE = 1000


def published(session: Session, *, category: str | None = None) -> Iterator[tuple[str, Content]]:
    """Yield code and text of every published entry (of a category), by code; those that do not hold today too."""
    known = Known.of(session)
    wanted = select(Entry).where(Entry.state == EntryState.PUBLISHED).order_by(Entry.code)
    if category is not None:
        wanted = wanted.where(Entry.category == category)
    for entry in session.scalars(wanted.execution_options(yield_per=AT_ONCE)):
        yield entry.code, known.content_of(entry)


def categories(session: Session) -> list[tuple[str, int]]:
    """Return the categories of what is published with their number of entries, by name; "" is for none."""
    wanted = select(Entry.category, func.count()).where(Entry.state == EntryState.PUBLISHED)
    rows = session.execute(wanted.group_by(Entry.category).order_by(Entry.category))
    return [(category, count) for category, count in rows]


def unit_names(session: Session) -> dict[str, str]:
    """Return the names of units by code, those out of use too: entries may still name them."""
    return {code: name for code, name in session.execute(select(Unit.code, Unit.name))}
