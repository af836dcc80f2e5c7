"""Answers already given to the carrier, so that a repeated webhook gets the same one and changes nothing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session

from hotline.calls.models import WebhookReceipt


def answer_given(session: Session, key: str) -> str | None:
    """Return the answer kept under ``key``, or None."""
    return session.scalar(select(WebhookReceipt.body).where(WebhookReceipt.key == key))


def keep(session: Session, key: str, body: str, *, now: datetime) -> None:
    """Keep an answer in the transaction of what it tells. Raises ``IntegrityError`` when another was quicker."""
    session.add(WebhookReceipt(key=key, body=body, at=now))
    session.flush()


def forget(session: Session, *, before: datetime) -> int:
    """Delete answers older than ``before``: carriers repeat within seconds. Returns how many."""
    gone: CursorResult[tuple[()]] = session.execute(delete(WebhookReceipt).where(WebhookReceipt.at < before))  # type: ignore[assignment]
    return gone.rowcount
