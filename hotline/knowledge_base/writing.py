"""Putting a text into its entry, and drawing the change numbers by which every index notices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from hotline.errors import Invalid
from hotline.knowledge_base.content import DAYS, Content
from hotline.knowledge_base.models import Change, Entry, EntryArea, SimilarQuestion, Version
from hotline.knowledge_base.states import VERSION, VersionAction, VersionState
from hotline.units.models import Unit

PLAIN = ("question", "answer", "spoken", "category", "source", "source_url", "public", *DAYS)


@dataclass(frozen=True, slots=True)
class Known:
    """The units and areas a text may name, read once for many texts."""

    units: dict[str, int]
    codes: dict[int, str]
    areas: frozenset[str]

    @classmethod
    def of(cls, session: Session) -> Self:
        """Read them."""
        rows = session.execute(select(Unit.id, Unit.code, Unit.area_code)).all()
        return cls(
            {row.code: row.id for row in rows},
            {row.id: row.code for row in rows},
            frozenset(row.area_code for row in rows if row.area_code),
        )

    def check(self, content: Content) -> None:
        """Raise ``Invalid`` when a text names a unit or an area that does not exist."""
        if content.owner_unit and content.owner_unit not in self.units:
            fault = f"没有编码为 {content.owner_unit} 的单位"
            raise Invalid(fault, owner_unit=fault)
        if unknown := [code for code in content.areas if code not in self.areas]:
            fault = f"没有代码为 {unknown[0]} 的区划"
            raise Invalid(fault, areas=fault)

    def content_of(self, entry: Entry) -> Content:
        """Return what an entry shows now; its attachments stand in its version alone."""
        return Content(
            similar=tuple(one.text for one in entry.similar),
            owner_unit=self.codes.get(entry.owner_unit_id or 0, ""),
            areas=tuple(one.area_code for one in entry.areas),
            **{name: getattr(entry, name) for name in PLAIN},
        )


def fill(entry: Entry, content: Content, known: Known) -> None:
    """Make an entry say this."""
    for name in PLAIN:
        setattr(entry, name, getattr(content, name))
    entry.owner_unit_id = known.units.get(content.owner_unit)
    if tuple(one.text for one in entry.similar) != content.similar:
        entry.similar = [SimilarQuestion(text=words) for words in content.similar]
    if {one.area_code for one in entry.areas} != set(content.areas):
        entry.areas = [EntryArea(area_code=code) for code in sorted(set(content.areas))]


def supersede(session: Session, entries: Sequence[Entry], *, comes: int = 0) -> dict[int, int]:
    """Put the published version of each entry behind the one that comes (``comes``: its id, when it is written
    already); returns the last number used, by entry."""
    ids = [entry.id for entry in entries]
    session.execute(
        update(Version)
        .where(Version.entry_id.in_(ids), Version.state == VersionState.PUBLISHED, Version.id != comes)
        .values(state=VERSION[VersionState.PUBLISHED, VersionAction.SUPERSEDE], revision=Version.revision + 1)
    )
    last = (
        select(Version.entry_id, func.max(Version.number)).where(Version.entry_id.in_(ids)).group_by(Version.entry_id)
    )
    return dict.fromkeys(ids, 0) | {entry_id: number for entry_id, number in session.execute(last)}


def hold_sequence(session: Session) -> None:
    """Let one transaction at a time draw change numbers, until it ends.

    Numbers then become visible in rising order, so that an index that has seen 7 will not miss a 6 committed later.
    Taken before any entry is touched, so that two editors cannot wait for each other. SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE kb_changes IN SHARE ROW EXCLUSIVE MODE"))


def note_changes(session: Session, entries: Sequence[Entry], *, now: datetime) -> None:
    """Give each entry the next number of the change sequence."""
    for entry in entries:
        entry.updated_at = now
    session.flush()
    changes = [Change(entry_id=entry.id, at=now) for entry in entries]
    session.add_all(changes)
    session.flush()
    for entry, change in zip(entries, changes, strict=True):
        entry.change_seq = change.seq
    session.flush()
