"""Messages written in the same transaction as the fact they tell of: the only way out.

A row is claimed under a lease, so that the work of a dead process comes back by itself; whoever handles it
must be safe to run twice.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import JSON, Index, String, Text, bindparam, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from hotline.db import Base, UTCDateTime

# how long to wait before each try after the first; a temporary fault past the last wait needs a person
RETRY_AFTER: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))


class OutboxMessage(Base):
    """One thing to be done outside. ``payload`` holds ids only: no name, number or transcript."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "settled_at", "next_try_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(32), unique=True)  # idempotency key shown to the receiver
    topic: Mapped[str] = mapped_column(String(40), index=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    next_try_at: Mapped[datetime] = mapped_column(UTCDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failed: Mapped[bool] = mapped_column(default=False)  # settled, but a person must look
    error: Mapped[str] = mapped_column(Text, default="")


def add(session: Session, topic: str, *, now: datetime, **payload: Any) -> OutboxMessage:
    """Add a message to the present transaction. Payload values are ids and codes only."""
    row = OutboxMessage(token=uuid.uuid4().hex, topic=topic, payload=payload, created_at=now, next_try_at=now, tries=0)
    session.add(row)
    session.flush()
    return row


_CLAIM = text(
    """
    WITH pick AS (
        SELECT id FROM outbox
        WHERE settled_at IS NULL AND next_try_at <= :now AND (lease_until IS NULL OR lease_until <= :now)
        ORDER BY next_try_at, id LIMIT :limit {lock}
    )
    UPDATE outbox SET lease_until = :lease_until, tries = tries + 1
    WHERE id IN (SELECT id FROM pick) RETURNING id
    """
)


def claim(
    session: Session, *, now: datetime, limit: int = 50, lease: timedelta = timedelta(seconds=60)
) -> list[OutboxMessage]:
    """Claim up to ``limit`` due rows for ``lease``; no two claimers get the same row. Commit before acting on them."""
    lock = "FOR UPDATE SKIP LOCKED" if session.get_bind().dialect.name == "postgresql" else ""
    statement = text(_CLAIM.text.format(lock=lock)).bindparams(
        bindparam("now", type_=UTCDateTime()), bindparam("lease_until", type_=UTCDateTime())
    )
    ids = list(session.scalars(statement, {"now": now, "lease_until": now + lease, "limit": limit}))
    if not ids:
        return []
    rows = session.scalars(
        select(OutboxMessage)
        .where(OutboxMessage.id.in_(ids))
        .order_by(OutboxMessage.next_try_at, OutboxMessage.id)
        .execution_options(populate_existing=True)
    )
    return list(rows)


def claim_one(
    session: Session, message_id: int, *, now: datetime, lease: timedelta = timedelta(seconds=60)
) -> OutboxMessage | None:
    """Claim one row by id for whoever wrote it and wants to act at once; None when another has it or it is settled."""
    changed = session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.id == message_id,
            OutboxMessage.settled_at.is_(None),
            (OutboxMessage.lease_until.is_(None)) | (OutboxMessage.lease_until <= now),
        )
        .values(lease_until=now + lease, tries=OutboxMessage.tries + 1)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        return None
    return session.get(OutboxMessage, message_id, populate_existing=True)


def settle(session: Session, message_id: int, *, now: datetime) -> None:
    """Mark a row done. Settling twice changes nothing."""
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == message_id, OutboxMessage.settled_at.is_(None))
        .values(settled_at=now, lease_until=None, error="")
    )


def postpone(session: Session, message_id: int, *, now: datetime, error: str) -> bool:
    """Plan the next try after a temporary fault. Returns False, and marks the row failed, when tries are used up."""
    row = session.get_one(OutboxMessage, message_id, populate_existing=True)
    if row.tries > len(RETRY_AFTER):
        fail(session, message_id, now=now, error=error)
        return False
    row.next_try_at = now + RETRY_AFTER[max(row.tries - 1, 0)]
    row.lease_until = None
    row.error = error
    session.flush()
    return True


def fail(session: Session, message_id: int, *, now: datetime, error: str) -> None:
    """Give a row to a person: it is settled as failed and listed with its error until sent again."""
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == message_id)
        .values(settled_at=now, lease_until=None, failed=True, error=error)
    )


def waiting(session: Session) -> int:
    """Return how many rows are not settled."""
    return (
        session.scalar(select(func.count()).select_from(OutboxMessage).where(OutboxMessage.settled_at.is_(None))) or 0
    )
