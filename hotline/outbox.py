"""Messages written in the same transaction as the fact they tell of: the only way out.

A row goes through two hands. The relay *claims* it and puts its id into a queue; a job *takes* it and does the
work. Either hold ends by itself, so that what a dead process left behind comes back; whoever does the work must
be safe to run twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import JSON, ColumnElement, Index, String, Text, delete, event, func, or_, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from hotline.db import Base, SessionFactory, UTCDateTime

# how long to wait before each try after the first; a temporary fault past the last wait needs a person
RETRY_AFTER: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
MOST_TRIES: Final = 1 + len(RETRY_AFTER)

# after this long the relay looks again whether a row it queued is still on its way
CLAIM: Final = timedelta(seconds=60)
# after this long a job is dead; jobs are ended sooner than that, so that no two work on one row
HOLD: Final = timedelta(seconds=60)


class OutboxMessage(Base):
    """One thing to be done outside. ``payload`` holds ids and codes only: no name, number or transcript."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "settled_at", "next_try_at"),
        Index("ix_outbox_failed", "created_at", postgresql_where=text("failed"), sqlite_where=text("failed")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(32), unique=True)  # idempotency key shown to the receiver
    topic: Mapped[str] = mapped_column(String(40), index=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    next_try_at: Mapped[datetime] = mapped_column(UTCDateTime)
    claimed_until: Mapped[datetime | None] = mapped_column(UTCDateTime)  # the relay has queued it
    held_until: Mapped[datetime | None] = mapped_column(UTCDateTime)  # a job is at work on it
    tries: Mapped[int] = mapped_column(default=0)  # times somebody began the work
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failed: Mapped[bool] = mapped_column(default=False)  # settled, but a person must look
    error: Mapped[str] = mapped_column(Text, default="")


_UNTOLD: Final = "outbox rows not told of"


def add(session: Session, topic: str, *, now: datetime, due: datetime | None = None, **payload: Any) -> OutboxMessage:
    """Add a message to the present transaction, to be handled at once or from ``due`` on. Payload values are ids and
    codes only."""
    row = OutboxMessage(
        token=uuid.uuid4().hex, topic=topic, payload=payload, created_at=now, next_try_at=due or now, tries=0
    )
    session.add(row)
    session.flush()
    session.info[_UNTOLD] = True
    return row


def after_commit(sessions: SessionFactory, tell: Callable[[], object]) -> None:
    """Call ``tell`` after each commit of these sessions that added messages, so that nobody has to remember to.

    ``tell`` runs in the thread that committed: it must be quick and must not raise.
    """

    @event.listens_for(sessions, "after_commit")
    def on_commit(session: Session) -> None:
        if not session.in_nested_transaction() and session.info.pop(_UNTOLD, False):
            tell()

    @event.listens_for(sessions, "after_rollback")
    def on_rollback(session: Session) -> None:
        session.info.pop(_UNTOLD, None)


def _free(column: Any, now: datetime) -> ColumnElement[bool]:
    return or_(column.is_(None), column <= now)


def claim(session: Session, *, now: datetime, limit: int = 50, lease: timedelta = CLAIM) -> list[OutboxMessage]:
    """Claim up to ``limit`` due rows for ``lease``, oldest first; no two claimers get the same row.

    Commit before queueing them. A row comes up again when the lease ends and nobody settled it, which is no sign
    that its job is lost: it may still wait its turn.
    """
    pick = (
        select(OutboxMessage.id)
        .where(
            OutboxMessage.settled_at.is_(None),
            OutboxMessage.next_try_at <= now,
            _free(OutboxMessage.claimed_until, now),
            _free(OutboxMessage.held_until, now),
        )
        .order_by(OutboxMessage.next_try_at, OutboxMessage.id)
        .limit(limit)
        .with_for_update(skip_locked=True)  # left out on SQLite, where one transaction writes at a time
        .cte("pick")
    )
    rows = session.scalars(
        update(OutboxMessage)
        .where(OutboxMessage.id.in_(select(pick.c.id)))
        .values(claimed_until=now + lease)
        .returning(OutboxMessage),
        execution_options={"synchronize_session": False, "populate_existing": True},
    )
    return sorted(rows, key=lambda row: (row.next_try_at, row.id))


def release(session: Session, message_ids: Iterable[int]) -> None:
    """Give claimed rows back at once: they could not be queued."""
    session.execute(
        update(OutboxMessage).where(OutboxMessage.id.in_(list(message_ids))).values(claimed_until=None),
        execution_options={"synchronize_session": "fetch"},
    )


def claim_one(session: Session, message_id: int, *, now: datetime, lease: timedelta = HOLD) -> OutboxMessage | None:
    """Take one row in hand for ``lease`` and count a try. Commit before acting on it.

    None when it is settled, planned for later or in another's hands: then there is nothing to do. A row may be
    taken without the relay by whoever wrote it and wants to act at once.
    """
    return session.scalars(
        update(OutboxMessage)
        .where(
            OutboxMessage.id == message_id,
            OutboxMessage.settled_at.is_(None),
            OutboxMessage.next_try_at <= now,
            _free(OutboxMessage.held_until, now),
        )
        .values(held_until=now + lease, claimed_until=now + lease, tries=OutboxMessage.tries + 1)
        .returning(OutboxMessage),
        execution_options={"synchronize_session": False, "populate_existing": True},
    ).one_or_none()


def settle(session: Session, message_id: int, *, now: datetime) -> bool:
    """Mark a row done. Returns whether this call did it: settling twice changes nothing."""
    return _end(session, message_id, settled_at=now, error="")


def postpone(session: Session, message_id: int, *, now: datetime, error: str, after: timedelta | None = None) -> bool:
    """Plan the next try after a temporary fault. Returns False, and marks the row failed, when tries are used up.

    ``after``: how long the receiver asks to wait; it makes a wait longer, up to the longest of the plan.
    """
    row = session.get_one(OutboxMessage, message_id, populate_existing=True)
    if row.tries >= MOST_TRIES:
        fail(session, message_id, now=now, error=error)
        return False
    planned = RETRY_AFTER[max(row.tries - 1, 0)]
    wait = max(planned, min(after or planned, RETRY_AFTER[-1]))
    _end(session, message_id, next_try_at=now + wait, error=error)
    return True


def fail(session: Session, message_id: int, *, now: datetime, error: str) -> bool:
    """Give a row to a person: it is settled as failed and listed with its error until sent again."""
    return _end(session, message_id, settled_at=now, failed=True, error=error)


def send_again(session: Session, message_id: int, *, now: datetime, settled: bool = False) -> bool:
    """Open a failed row anew with the whole retry plan before it. Returns False when it has not failed.

    ``settled``: also one that went out, for what came to nothing on the other side.
    """
    ended = OutboxMessage.settled_at.is_not(None) if settled else OutboxMessage.failed
    changed = session.scalars(
        update(OutboxMessage)
        .where(OutboxMessage.id == message_id, ended)
        .values(settled_at=None, failed=False, tries=0, next_try_at=now, claimed_until=None, held_until=None)
        .returning(OutboxMessage.id),
        execution_options={"synchronize_session": "fetch"},
    ).one_or_none()
    session.info[_UNTOLD] = True
    return changed is not None


def drop(session: Session, message_id: int) -> bool:
    """Let a failed row rest: nobody need look at it any more. Returns False when it has not failed."""
    changed = session.scalars(
        update(OutboxMessage)
        .where(OutboxMessage.id == message_id, OutboxMessage.failed)
        .values(failed=False)
        .returning(OutboxMessage.id),
        execution_options={"synchronize_session": "fetch"},
    ).one_or_none()
    return changed is not None


def waiting(session: Session) -> int:
    """Return how many rows are not settled."""
    return (
        session.scalar(select(func.count()).select_from(OutboxMessage).where(OutboxMessage.settled_at.is_(None))) or 0
    )


def clean(session: Session, *, before: datetime, limit: int = 5000) -> int:
    """Delete up to ``limit`` rows settled before that moment, failed ones excepted. Returns how many went."""
    old = (
        select(OutboxMessage.id)
        .where(OutboxMessage.settled_at < before, OutboxMessage.failed.is_(False))
        .order_by(OutboxMessage.settled_at)
        .limit(limit)
    )
    gone = session.scalars(
        delete(OutboxMessage).where(OutboxMessage.id.in_(old)).returning(OutboxMessage.id),
        execution_options={"synchronize_session": "fetch"},
    )
    return len(gone.all())


def _end(session: Session, message_id: int, **values: Any) -> bool:
    """Change a row that is still open and let go of it."""
    changed = session.scalars(
        update(OutboxMessage)
        .where(OutboxMessage.id == message_id, OutboxMessage.settled_at.is_(None))
        .values(claimed_until=None, held_until=None, **values)
        .returning(OutboxMessage.id),
        execution_options={"synchronize_session": "fetch"},
    ).one_or_none()
    return changed is not None
