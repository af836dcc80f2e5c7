"""Verbs on knowledge: bringing entries in, publishing and withdrawing them, and noting what was shown and used."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from hotline import audit
from hotline.errors import Invalid, NotAllowedNow, NotFound
from hotline.knowledge_base.models import Change, Entry, SimilarQuestion, Suggestion
from hotline.knowledge_base.rows import Row, read_row
from hotline.knowledge_base.search import Hit
from hotline.knowledge_base.states import ENTRY, SUGGESTION, EntryAction, EntryState, Mark, SuggestionState
from hotline.units.models import Unit

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
    _hold_sequence(session)
    result = ImportResult()
    lines_by_code: dict[str, int] = {}
    units = {code: unit_id for code, unit_id in session.execute(select(Unit.code, Unit.id))}
    numbered = ((line, row) for line, row in enumerate(rows, 1) if row is not _BLANK)
    while chunk := list(islice(numbered, CHUNK)):
        taken: list[Row] = []
        for line, value in chunk:
            try:
                row = _taken(value, units, lines_by_code, questions_only=questions_only)
            except Invalid as fault:
                result.refused.append((line, fault.message))
            else:
                lines_by_code[row.code] = line
                taken.append(row)
        _write(session, taken, units, result, now=now)
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


def publish(session: Session, *, code: str, actor_id: int | None, now: datetime) -> Entry:
    """Make an entry in review, or one withdrawn by mistake, visible to operators."""
    return _change_state(session, code, EntryAction.PUBLISH, actor_id=actor_id, now=now)


def withdraw(session: Session, *, code: str, actor_id: int | None, now: datetime) -> Entry:
    """Take a published entry out of every search."""
    return _change_state(session, code, EntryAction.WITHDRAW, actor_id=actor_id, now=now)


def show(session: Session, *, call_id: int, hits: Sequence[Hit], now: datetime) -> list[Suggestion]:
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


def mark_used(session: Session, *, suggestion_id: int, call_id: int, actor_id: int | None, now: datetime) -> Suggestion:
    """The operator gave this answer. A second time changes nothing."""
    return _mark(session, suggestion_id, call_id, Mark.USE, actor_id=actor_id, now=now)


def mark_wrong(
    session: Session, *, suggestion_id: int, call_id: int, actor_id: int | None, now: datetime
) -> Suggestion:
    """The answer does not fit or is out of date. A second time changes nothing."""
    return _mark(session, suggestion_id, call_id, Mark.MARK_WRONG, actor_id=actor_id, now=now)


def undo_mark(session: Session, *, suggestion_id: int, call_id: int, actor_id: int | None, now: datetime) -> Suggestion:
    """Take a mark back."""
    return _mark(session, suggestion_id, call_id, Mark.UNDO, actor_id=actor_id, now=now)


_BLANK: Final = object()


def _parsed(line: str) -> object:
    """Return a JSON line's value, ``_BLANK`` for an empty line, or a fault for ``_taken`` to raise in its turn."""
    if not line.strip():
        return _BLANK
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return Invalid("不是一行 JSON")


def _taken(value: object, units: dict[str, int], lines_by_code: dict[str, int], *, questions_only: bool) -> Row:
    """Return the row, or raise ``Invalid``: malformed, of an unknown unit, or the second with its id."""
    if isinstance(value, Invalid):
        raise value
    row = read_row(value, questions_only=questions_only)
    if row.owner_unit and row.owner_unit not in units:
        raise Invalid(f"没有编码为 {row.owner_unit} 的单位")
    if row.code in lines_by_code:
        raise Invalid(f"与第 {lines_by_code[row.code]} 行重复：{row.code}")
    return row


def _write(
    session: Session, rows: Sequence[Row], units: dict[str, int], result: ImportResult, *, now: datetime
) -> None:
    known = {
        entry.code: entry for entry in session.scalars(select(Entry).where(Entry.code.in_([row.code for row in rows])))
    }
    changed: list[Entry] = []
    for row in rows:
        entry = known.get(row.code)
        if entry is None:
            entry = Entry(code=row.code, state=EntryState.PUBLISHED, created_at=now)
            session.add(entry)
            result.added += 1
        elif _as_row(entry, units) == row:
            result.unchanged += 1
            continue
        else:
            result.updated += 1
        _fill(entry, row, units)
        changed.append(entry)
    _note_changes(session, changed, now=now)


def _fill(entry: Entry, row: Row, units: dict[str, int]) -> None:
    for name in ("question", "answer", "spoken", "category", "source", "valid_from", "valid_to"):
        setattr(entry, name, getattr(row, name))
    entry.owner_unit_id = units.get(row.owner_unit)
    if tuple(one.text for one in entry.similar) != row.similar:
        entry.similar = [SimilarQuestion(text=words) for words in row.similar]


def _as_row(entry: Entry, units: dict[str, int]) -> Row:
    """Return an entry as the row that would make it, to tell whether a row brings anything new."""
    return Row(
        code=entry.code,
        question=entry.question,
        answer=entry.answer,
        similar=tuple(one.text for one in entry.similar),
        spoken=entry.spoken,
        category=entry.category,
        owner_unit=next((code for code, unit_id in units.items() if unit_id == entry.owner_unit_id), ""),
        source=entry.source,
        valid_from=entry.valid_from,
        valid_to=entry.valid_to,
    )


def _change_state(session: Session, code: str, action: EntryAction, *, actor_id: int | None, now: datetime) -> Entry:
    _hold_sequence(session)
    entry = session.scalar(select(Entry).where(Entry.code == code).execution_options(populate_existing=True))
    if entry is None:
        raise NotFound("没有这条知识")
    state = ENTRY.get((EntryState(entry.state), action))
    if state is None:
        raise NotAllowedNow("这条知识现在不能这样做", allowed=[a for s, a in ENTRY if s == entry.state])
    entry.state = state
    _note_changes(session, [entry], now=now)
    audit.record(session, at=now, user_id=actor_id, act=f"knowledge.{action}", subject="kb_entries", subject_id=code)
    return entry


def _hold_sequence(session: Session) -> None:
    """Let one transaction at a time draw change numbers, until it ends.

    Numbers then become visible in rising order, so that an index that has seen 7 will not miss a 6 committed later.
    Taken before any entry is touched, so that two editors cannot wait for each other. SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE kb_changes IN SHARE ROW EXCLUSIVE MODE"))


def _note_changes(session: Session, entries: Sequence[Entry], *, now: datetime) -> None:
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


def _suggestions(session: Session, call_id: int, hits: Sequence[Hit]) -> Sequence[Suggestion]:
    shown = [hit.entry_id for hit in hits]
    return session.scalars(
        select(Suggestion).where(Suggestion.call_id == call_id, Suggestion.entry_id.in_(shown))
    ).all()


def _mark(
    session: Session, suggestion_id: int, call_id: int, mark: Mark, *, actor_id: int | None, now: datetime
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
        shown = state is SuggestionState.SHOWN
        row.state = state
        row.marked_at = None if shown else now
        row.marked_by = None if shown else actor_id
        session.flush()
    return row
