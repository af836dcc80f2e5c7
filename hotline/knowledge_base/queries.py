"""Reads on knowledge. Published answers are for every member of staff; nothing here is personal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from hotline.knowledge_base.models import Entry, Signal, Suggestion
from hotline.knowledge_base.published import holding
from hotline.knowledge_base.states import SignalKind


def entry_by_code(session: Session, code: str) -> Entry | None:
    """Return the entry in whatever state it is; None when there is none."""
    return session.scalar(select(Entry).where(Entry.code == code))


def entries_by_id(session: Session, entry_ids: Iterable[int]) -> dict[int, Entry]:
    """Return entries by id, in whatever state they are; those that do not exist are left out."""
    found = session.scalars(select(Entry).where(Entry.id.in_(list(entry_ids))))
    return {entry.id: entry for entry in found}


def published(session: Session, on: date) -> Sequence[Entry]:
    """Return the entries that hold on that day, by code."""
    return session.scalars(select(Entry).where(*holding(on)).order_by(Entry.code)).all()


def suggestions_of_call(session: Session, call_id: int) -> Sequence[Suggestion]:
    """Return what was shown in a call with its entries, in the order of first appearance."""
    return session.scalars(
        select(Suggestion)
        .where(Suggestion.call_id == call_id)
        .options(joinedload(Suggestion.entry))
        .order_by(Suggestion.shown_at, Suggestion.first_rank, Suggestion.id)
    ).all()


def missing_in(session: Session, call_id: int) -> Signal | None:
    """Return what was last noted in a call as answered by no entry; None when nothing was."""
    wanted = select(Signal).where(Signal.call_id == call_id, Signal.kind == SignalKind.NO_ENTRY)
    return session.scalar(wanted.order_by(Signal.id.desc()).limit(1))
