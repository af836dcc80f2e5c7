"""Verbs on knowledge: bringing entries in, withdrawing and restoring them.

Writing a text, checking and publishing it stand in ``editing``; what operators see and use of it in ``floor``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline import audit
from hotline.errors import Invalid, NotAllowedNow, NotFound
from hotline.knowledge_base import writing
from hotline.knowledge_base.models import Entry, Version
from hotline.knowledge_base.rows import Row, checked, read_row
from hotline.knowledge_base.states import (
    ENTRY,
    EntryAction,
    EntryState,
    VersionState,
)

CHUNK: Final = 500  # rows read and written together


@dataclass(slots=True)
class ImportResult:
    """What became of the lines of an import. ``refused`` holds line numbers from 1 with a reason in words."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


def import_lines(
    session: Session, lines: Iterable[str], *, actor_id: int | None, now: datetime, questions_only: bool = False
) -> ImportResult:
    """Import JSON lines as ``import_entries`` does; blank lines are passed over, a line that is no JSON is refused."""
    return import_entries(session, map(_parsed, lines), actor_id=actor_id, now=now, questions_only=questions_only)


def import_entries(
    session: Session, rows: Iterable[object], *, actor_id: int | None, now: datetime, questions_only: bool = False
) -> ImportResult:
    """Add or update entries by ``id``; the same rows again change nothing.

    New entries come in published. Known ones keep their state: a file never brings back what an editor withdrew.
    A row that cannot be taken is refused with its reason and the rest goes on.
    """
    writing.hold_sequence(session)
    result = ImportResult()
    lines_by_code: dict[str, int] = {}
    known = writing.Known.of(session)
    numbered = ((line, row) for line, row in enumerate(rows, 1) if row is not _BLANK)
    while chunk := list(islice(numbered, CHUNK)):
        taken: list[Row] = []
        for line, value in chunk:
            try:
                row = _taken(value, known, lines_by_code, questions_only=questions_only)
            except Invalid as fault:
                result.refused.append((line, fault.message))
            else:
                lines_by_code[row.code] = line
                taken.append(row)
        _write(session, taken, known, result, actor_id=actor_id, now=now)
    if result.added or result.updated:
        audit.record(
            session,
            at=now,
            user_id=actor_id,
            act="knowledge.import",
            subject="kb_entries",
            subject_id="",
            added=result.added,
            updated=result.updated,
            refused=len(result.refused),
        )
    return result


def restore(session: Session, *, code: str, actor_id: int | None, now: datetime) -> Entry:
    """Show operators again what was withdrawn by mistake."""
    return _change_state(session, code, EntryAction.RESTORE, actor_id=actor_id, now=now)


def withdraw(session: Session, *, code: str, actor_id: int | None, now: datetime, reason: str = "") -> Entry:
    """Take a published entry out of every search; why is kept in the log."""
    reason = checked(reason, "reason", 200)
    return _change_state(session, code, EntryAction.WITHDRAW, actor_id=actor_id, now=now, reason=reason)


_BLANK: Final = object()


def _parsed(line: str) -> object:
    """Return a JSON line's value, ``_BLANK`` for an empty line, or a fault for ``_taken`` to raise in its turn."""
    if not line.strip():
        return _BLANK
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return Invalid("不是一行 JSON")


def _taken(value: object, known: writing.Known, lines_by_code: dict[str, int], *, questions_only: bool) -> Row:
    """Return the row, or raise ``Invalid``: malformed, of an unknown unit or area, or the second with its id."""
    if isinstance(value, Invalid):
        raise value
    row = read_row(value, questions_only=questions_only)
    known.check(row.content)
    if row.code in lines_by_code:
        raise Invalid(f"与第 {lines_by_code[row.code]} 行重复：{row.code}")
    return row


def _write(
    session: Session,
    rows: Sequence[Row],
    known: writing.Known,
    result: ImportResult,
    *,
    actor_id: int | None,
    now: datetime,
) -> None:
    there = {
        entry.code: entry for entry in session.scalars(select(Entry).where(Entry.code.in_([row.code for row in rows])))
    }
    changed: list[tuple[Entry, Row]] = []
    for row in rows:
        entry = there.get(row.code)
        if entry is None:
            entry = Entry(code=row.code, state=EntryState.PUBLISHED, created_at=now)
            session.add(entry)
            result.added += 1
        elif entry.state == EntryState.DRAFT:  # what an editor had only drafted so far
            entry.state = ENTRY[EntryState.DRAFT, EntryAction.PUBLISH]
            result.added += 1
        elif known.content_of(entry) == row.content:
            result.unchanged += 1
            continue
        else:
            result.updated += 1
        writing.fill(entry, row.content, known)
        changed.append((entry, row))
    writing.note_changes(session, [entry for entry, _ in changed], now=now)
    numbers = writing.supersede(session, [entry for entry, _ in changed])
    for entry, row in changed:
        entry.version = numbers[entry.id] + 1
        session.add(
            Version(
                entry_id=entry.id,
                number=entry.version,
                state=VersionState.PUBLISHED,
                content=row.content.as_json(),
                writers=[actor_id] if actor_id else [],
                note="导入",
                written_at=now,
                checked_at=now,
            )
        )
    session.flush()


def _change_state(
    session: Session, code: str, action: EntryAction, *, actor_id: int | None, now: datetime, reason: str = ""
) -> Entry:
    writing.hold_sequence(session)
    entry = session.scalar(select(Entry).where(Entry.code == code).execution_options(populate_existing=True))
    if entry is None:
        raise NotFound("没有这条知识")
    state = ENTRY.get((EntryState(entry.state), action))
    if state is None:
        raise NotAllowedNow("这条知识现在不能这样做", allowed=[a for s, a in ENTRY if s == entry.state])
    entry.state = state
    writing.note_changes(session, [entry], now=now)
    act = f"knowledge.{action}"
    audit.record(session, at=now, user_id=actor_id, act=act, subject="kb_entries", subject_id=code, reason=reason)
    return entry
