"""Verbs on knowledge: bringing entries in, withdrawing and restoring them, and noting what was shown and used.

Writing a text, checking and publishing it stand in ``editing``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final, Protocol

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from hotline import audit
from hotline.errors import Invalid, NotAllowedNow, NotFound
from hotline.knowledge_base import offers, tasks, writing
from hotline.knowledge_base.models import Entry, Suggestion, Version
from hotline.knowledge_base.rows import Row, checked, read_row
from hotline.knowledge_base.states import (
    ENTRY,
    SUGGESTION,
    EntryAction,
    EntryState,
    Mark,
    SignalKind,
    SuggestionState,
    VersionState,
)

CHUNK: Final = 500  # rows read and written together


class Fitting(Protocol):
    """An entry that fits what was said or typed: its score of 0..1, and words that stand in it."""

    @property
    def entry_id(self) -> int: ...
    @property
    def score(self) -> float: ...
    @property
    def matched(self) -> Sequence[str]: ...


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


def show(session: Session, *, call_id: int, hits: Sequence[Fitting], now: datetime) -> list[Suggestion]:
    """Note that these answers are on the operator's screen, and return their rows in the same order.

    An answer that was shown before gets its new score and words; when and where it first stood, and the operator's
    mark, stay.
    """
    known = {one.entry_id for one in _suggestions(session, call_id, hits)}
    missing = [
        {
            "call_id": call_id,
            "entry_id": hit.entry_id,
            "score": hit.score,
            "matched": list(hit.matched),
            "first_rank": rank,
            "shown_at": now,
            "state": SuggestionState.SHOWN,
        }
        for rank, hit in enumerate(hits, 1)
        if hit.entry_id not in known
    ]
    if missing:
        # two processes may show the same call at once; the first one's row stands
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        session.execute(insert(Suggestion).values(missing).on_conflict_do_nothing())
    rows = {row.entry_id: row for row in _suggestions(session, call_id, hits)}
    for hit in hits:
        rows[hit.entry_id].score = hit.score
        rows[hit.entry_id].matched = list(hit.matched)
    session.flush()
    return [rows[hit.entry_id] for hit in hits]


def mark_used(
    session: Session,
    *,
    suggestion_id: int,
    call_id: int,
    actor_id: int | None,
    now: datetime,
    said: Sequence[str] = (),
) -> Suggestion:
    """The operator gave this answer. A second time changes nothing.

    ``said``, here and below: what the caller said until now, oldest first; editors learn from it.
    """
    return _mark(session, suggestion_id, call_id, Mark.USE, actor_id=actor_id, now=now, said=said)


def mark_wrong(
    session: Session,
    *,
    suggestion_id: int,
    call_id: int,
    actor_id: int | None,
    now: datetime,
    said: Sequence[str] = (),
) -> Suggestion:
    """The answer does not fit or is out of date: editors are told. A second time changes nothing."""
    return _mark(session, suggestion_id, call_id, Mark.MARK_WRONG, actor_id=actor_id, now=now, said=said)


def undo_mark(session: Session, *, suggestion_id: int, call_id: int, actor_id: int | None, now: datetime) -> Suggestion:
    """Take a mark back, and what was learned from it."""
    return _mark(session, suggestion_id, call_id, Mark.UNDO, actor_id=actor_id, now=now, said=())


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


def _suggestions(session: Session, call_id: int, hits: Sequence[Fitting]) -> Sequence[Suggestion]:
    shown = [hit.entry_id for hit in hits]
    return session.scalars(
        select(Suggestion).where(Suggestion.call_id == call_id, Suggestion.entry_id.in_(shown))
    ).all()


def _mark(
    session: Session,
    suggestion_id: int,
    call_id: int,
    mark: Mark,
    *,
    actor_id: int | None,
    now: datetime,
    said: Sequence[str],
) -> Suggestion:
    row = session.scalar(
        select(Suggestion).where(Suggestion.id == suggestion_id, Suggestion.call_id == call_id).with_for_update()
    )
    if row is None:
        raise NotFound("这次通话没有这条答案")
    state = SUGGESTION.get((SuggestionState(row.state), mark))
    if state is None:
        raise NotAllowedNow("请先撤销原来的标记", allowed=[m for s, m in SUGGESTION if s == row.state])
    if state != row.state:
        before, shown = row.state, state is SuggestionState.SHOWN
        row.state = state
        row.marked_at = None if shown else now
        row.marked_by = None if shown else actor_id
        session.flush()
        if before == SuggestionState.WRONG:
            tasks.take_back(session, call_id=call_id, kind=SignalKind.WRONG, entry_id=row.entry_id)
        elif before == SuggestionState.USED:
            offers.take_back(session, call_id=call_id, entry_id=row.entry_id)
        if state is SuggestionState.WRONG:
            tasks.note(
                session,
                kind=SignalKind.WRONG,
                text=offers.last_said(said),
                entry_id=row.entry_id,
                call_id=call_id,
                user_id=actor_id,
                now=now,
            )
        elif state is SuggestionState.USED:
            offers.note(session, entry=row.entry, said=said, call_id=call_id, now=now)
    return row
