"""What holds on a day and at a place, and what of it the city's site may show: only entries, never their versions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from hotline.knowledge_base.models import Change, Entry, EntryArea, Suggestion
from hotline.knowledge_base.states import EntryState, SuggestionState

AREA_STEPS: Final = (2, 4, 6, 9, 12)  # GB/T 2260 and 10114: province, city, county, township, village
NEVER: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class State:
    """How far the change sequence has come, and when."""

    seq: int
    at: datetime


def state_of(session: Session) -> State:
    """Return the last change of any entry."""
    row = session.execute(select(Change.seq, Change.at).order_by(Change.seq.desc()).limit(1)).first()
    return State(row.seq, row.at) if row is not None else State(0, NEVER)


def areas_around(area: str) -> frozenset[str]:
    """Return the codes of an area and of those it lies in."""
    return frozenset({area, *(area[:digits] for digits in AREA_STEPS if digits <= len(area))})


def holds_around(limits: Collection[str], around: frozenset[str]) -> bool:
    """Return whether what is limited to these areas (none: to none) holds where ``areas_around`` says that one is."""
    return not limits or not around.isdisjoint(limits)


def holding(on: date, area: str = "") -> list[ColumnElement[bool]]:
    """Return the conditions under which an entry is published and holds on a day.

    With an area (a county's or township's code) it must hold there too: be limited to no area, to this one, or to one
    that this one lies in.
    """
    conditions = [
        Entry.state == EntryState.PUBLISHED,
        or_(Entry.valid_from.is_(None), Entry.valid_from <= on),
        or_(Entry.valid_to.is_(None), Entry.valid_to >= on),
    ]
    if area:
        limits = select(EntryArea.entry_id).where(EntryArea.entry_id == Entry.id)
        conditions.append(or_(~exists(limits), exists(limits.where(EntryArea.area_code.in_(areas_around(area))))))
    return conditions


def on_site(on: date, area: str = "") -> list[ColumnElement[bool]]:
    """Return the conditions under which an entry stands on the city's site."""
    return [Entry.public.is_(True), *holding(on, area)]


def by_code(session: Session, code: str, *, on: date) -> Entry | None:
    """Return an entry of the site; None when there is none, or it is not for the site."""
    return session.scalar(select(Entry).where(Entry.code == code, *on_site(on)))


def categories(session: Session, *, on: date, area: str = "") -> list[tuple[str, int]]:
    """Return the categories of the site with the number of their entries, the largest first, those without one last."""
    counted = select(Entry.category, func.count()).where(*on_site(on, area)).group_by(Entry.category)
    rows = [(category, count) for category, count in session.execute(counted)]
    return sorted(rows, key=lambda row: (not row[0], -row[1], row[0]))


def count(session: Session, *, on: date, area: str = "", category: str | None = None) -> int:
    """Return how many entries a category has (None: all)."""
    wanted = select(func.count()).select_from(Entry).where(*on_site(on, area))
    if category is not None:
        wanted = wanted.where(Entry.category == category)
    return session.scalar(wanted) or 0


def page(
    session: Session, *, on: date, area: str = "", category: str | None = None, number: int, size: int
) -> Sequence[Entry]:
    """Return one page (from 1) of the entries of a category (None: of all), the last changed first."""
    wanted = select(Entry).where(*on_site(on, area))
    if category is not None:
        wanted = wanted.where(Entry.category == category)
    wanted = wanted.order_by(Entry.change_seq.desc(), Entry.id.desc())
    return session.scalars(wanted.offset((number - 1) * size).limit(size)).all()


def most_asked(
    session: Session, *, on: date, area: str = "", since: datetime, until: datetime, limit: int
) -> Sequence[Entry]:
    """Return the entries that operators gave as answers most often in that time."""
    used = (
        select(Suggestion.entry_id, func.count().label("times"))
        .where(Suggestion.state == SuggestionState.USED, Suggestion.marked_at >= since, Suggestion.marked_at < until)
        .group_by(Suggestion.entry_id)
        .subquery()
    )
    wanted = select(Entry).join(used, used.c.entry_id == Entry.id).where(*on_site(on, area))
    return session.scalars(wanted.order_by(used.c.times.desc(), Entry.code).limit(limit)).all()


def changes(session: Session, *, on: date, limit: int) -> Sequence[Entry]:
    """Return the entries changed last, the latest first: those of the site, and those withdrawn from it."""
    gone = and_(Entry.state == EntryState.WITHDRAWN, Entry.public.is_(True))
    wanted = select(Entry).where(or_(and_(*on_site(on)), gone))
    return session.scalars(wanted.order_by(Entry.change_seq.desc()).limit(limit)).all()


def codes(session: Session, *, on: date, limit: int) -> Sequence[tuple[str, datetime]]:
    """Return the codes of the site's entries with the moment of their last change, the latest first."""
    wanted = select(Entry.code, Entry.updated_at).where(*on_site(on))
    return [
        (row.code, row.updated_at) for row in session.execute(wanted.order_by(Entry.change_seq.desc()).limit(limit))
    ]
