"""Owners say in time whether what is published still holds.

An owner unit is asked some days before an entry's review date. Until it has answered, operators go on seeing the
entry; past the date with a mark, for nobody has said that it still holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session, joinedload

from hotline import audit
from hotline.accounts.roles import UNITS
from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotAllowedNow, NotFound
from hotline.knowledge_base import rows, tasks, writing
from hotline.knowledge_base.models import Entry, Review, Task
from hotline.knowledge_base.states import EntryState, ReviewAnswer, SignalKind, TaskState

ASKED_BEFORE: Final = timedelta(days=14)
ANEW_AFTER: Final = timedelta(days=365)  # proposed for the next review
LONGEST: Final = timedelta(days=3 * 365)


def ask(session: Session, *, now: datetime, today: date) -> list[Review]:
    """Ask for every published entry whose review date comes near, once; returns what was asked.

    An entry whose owner already wants it changed is not asked about before that is done.
    """
    asked = select(Review.entry_id).where(Review.answer == "")
    changing = select(Task.entry_id).where(
        Task.kind == SignalKind.REVIEW,
        Task.state.in_((TaskState.OPEN, TaskState.STARTED)),
        Task.entry_id.is_not(None),
    )
    due = select(Entry).where(
        Entry.state == EntryState.PUBLISHED,
        Entry.review_on <= today + ASKED_BEFORE,
        Entry.id.not_in(asked),
        Entry.id.not_in(changing),
    )
    made = [
        Review(entry_id=entry.id, unit_id=entry.owner_unit_id, asked_at=now, due_on=entry.review_on)
        for entry in session.scalars(due)
    ]
    session.add_all(made)
    session.flush()
    return made


def answer(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    today: date,
    review_id: int,
    said: ReviewAnswer,
    words: str = "",
    next_on: date | None = None,
) -> Review:
    """Say that an entry holds (until ``next_on``, a year when None) or what must change.

    The owner unit answers for itself; the hub answers for its own entries, and for a unit with words that tell who
    said so. Raises ``NotFound`` for another unit's review, ``Invalid`` by field.
    """
    writing.hold_sequence(session)
    review = session.scalar(
        select(Review).where(Review.id == review_id).with_for_update().execution_options(populate_existing=True)
    )
    if review is None or (actor.role in UNITS and review.unit_id != actor.unit_id):
        raise NotFound("没有这次复核")
    if review.answer:
        raise NotAllowedNow("这条知识已经复核过了")
    words = rows.checked(words, "words", 500)
    if not words and said is ReviewAnswer.CHANGE:
        raise Invalid("请写明哪里要改", words="请写明哪里要改")
    if not words and review.unit_id not in (None, actor.unit_id):
        raise Invalid("代单位答复，请写明是谁、怎么确认的", words="请写明是谁、怎么确认的")
    entry = review.entry
    if said is ReviewAnswer.HOLDS:
        entry.review_on = _next(next_on, today)
        writing.note_changes(session, [entry], now=now)
    else:
        tasks.note(session, kind=SignalKind.REVIEW, text=words, entry_id=entry.id, user_id=actor.user_id, now=now)
    review.answer, review.words = said, words
    review.answered_by, review.answered_at = actor.user_id, now
    session.flush()
    audit.record(
        session,
        at=now,
        user_id=actor.user_id,
        act=f"knowledge.review_{said}",
        subject="kb_entries",
        subject_id=entry.code,
    )
    return review


def open_reviews(session: Session, *, unit_id: int | None = None) -> Sequence[Review]:
    """Return what waits for an answer, nearest date first: of one unit, or (None) of all."""
    wanted = _waiting(select(Review), unit_id).options(joinedload(Review.entry))
    return session.scalars(wanted.order_by(Review.due_on, Review.id)).all()


def count_open(session: Session, *, unit_id: int | None = None) -> int:
    """Return how many reviews wait for an answer."""
    return session.scalar(_waiting(select(func.count(Review.id)), unit_id)) or 0


def settle(session: Session, entry: Entry, *, actor: Actor, now: datetime) -> None:
    """A text that was written and checked anew needs no answer to what was asked about the one before."""
    session.execute(
        update(Review)
        .where(Review.entry_id == entry.id, Review.answer == "")
        .values(answer=ReviewAnswer.HOLDS, words="已修订发布", answered_by=actor.user_id, answered_at=now)
    )


def _waiting(wanted: Select[Any], unit_id: int | None) -> Select[Any]:
    """Nobody need look at what was withdrawn meanwhile."""
    wanted = wanted.join(Review.entry).where(Review.answer == "", Entry.state == EntryState.PUBLISHED)
    return wanted if unit_id is None else wanted.where(Review.unit_id == unit_id)


def _next(next_on: date | None, today: date) -> date:
    chosen = next_on or today + ANEW_AFTER
    if chosen <= today:
        raise Invalid("下次复核应在今天之后", next_on="应在今天之后")
    if chosen > today + LONGEST:
        raise Invalid("下次复核最远三年", next_on="最远三年")
    return chosen
