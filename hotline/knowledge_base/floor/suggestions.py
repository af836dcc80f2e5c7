"""Verbs on suggestions: answers on operators' screens, used, found wrong, or the mark taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from hotline.errors import NotAllowedNow, NotFound
from hotline.knowledge_base import tasks
from hotline.knowledge_base.floor import offers
from hotline.knowledge_base.models import Suggestion
from hotline.knowledge_base.states import SUGGESTION, Mark, SignalKind, SuggestionState


class Fitting(Protocol):
    """An entry that fits what was said or typed: its score of 0..1, and words that stand in it."""

    @property
    def entry_id(self) -> int: ...
    @property
    def score(self) -> float: ...
    @property
    def matched(self) -> Sequence[str]: ...


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
