"""Reads on deliveries: what became of each message, and what is stuck and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from hotline.delivery.models import Delivery
from hotline.outbox import OutboxMessage

STUCK_AFTER: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Stuck:
    """A message that a person may have to look at. ``reason`` is a sentence."""

    outbox_id: int
    topic: str
    order_id: int | None
    unit_id: int | None
    since: datetime
    tries: int
    next_try_at: datetime | None  # None: failed, nobody tries again by himself
    reason: str


def of_order(session: Session, order_id: int, *, unit_ids: Sequence[int] | None = None) -> list[Delivery]:
    """Return the deliveries of an order, oldest first. A unit passes the ids of its own subtree as ``unit_ids``."""
    wanted = select(Delivery).where(Delivery.order_id == order_id).order_by(Delivery.created_at, Delivery.id)
    if unit_ids is not None:
        wanted = wanted.where(Delivery.unit_id.in_(unit_ids))
    return list(session.scalars(wanted))


def stuck(session: Session, *, now: datetime, limit: int = 200) -> list[Stuck]:
    """Return what failed, and what should have gone out ``STUCK_AFTER`` ago and has not, oldest first. Hub only."""
    rows = session.scalars(
        select(OutboxMessage)
        .where(
            or_(
                OutboxMessage.failed,
                OutboxMessage.settled_at.is_(None) & (OutboxMessage.created_at <= now - STUCK_AFTER),
            )
        )
        .order_by(OutboxMessage.created_at, OutboxMessage.id)
        .limit(limit)
    )
    return [
        Stuck(
            outbox_id=row.id,
            topic=row.topic,
            order_id=row.payload.get("order_id"),
            unit_id=row.payload.get("unit_id"),
            since=row.created_at,
            tries=row.tries,
            next_try_at=None if row.failed else row.next_try_at,
            reason=row.error or "排队中，尚未处理：请检查队列服务与工作进程",
        )
        for row in rows
    ]


def is_receipt(session: Session, receipt: str) -> bool:
    """Return whether some delivery already holds this receipt."""
    return session.scalar(select(Delivery.id).where(Delivery.receipt == receipt).limit(1)) is not None
