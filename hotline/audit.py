"""Who did and who READ what. Rows are added in the caller's transaction and never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from hotline.db import Base, UTCDateTime


class AccessLog(Base):
    """One act or one look at personal data: by whom, at what, why. ``details`` holds no personal data."""

    __tablename__ = "access_log"
    __table_args__ = (Index("ix_access_log_subject", "subject", "subject_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    act: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200), default="")
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


def record(
    session: Session,
    *,
    at: datetime,
    user_id: int | None,
    act: str,
    subject: str,
    subject_id: int | str,
    reason: str = "",
    **details: Any,
) -> AccessLog:
    """Add one row in the present transaction. ``details`` must be JSON and free of personal data."""
    row = AccessLog(
        at=at,
        user_id=user_id,
        act=act,
        subject=subject,
        subject_id=str(subject_id),
        reason=reason,
        details=details,
    )
    session.add(row)
    session.flush()
    return row
