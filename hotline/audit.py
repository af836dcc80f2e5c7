"""Who did and who READ what. Rows are added in the caller's transaction and never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import JSON, ForeignKey, Index, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from hotline.db import Base, PreparedInsert, UTCDateTime


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


def of(session: Session, subject: str, subject_id: int | str | None = None, *, limit: int = 100) -> list[AccessLog]:
    """Return the rows about one thing (None: about every thing of the kind), newest first."""
    wanted = select(AccessLog).where(AccessLog.subject == subject).order_by(AccessLog.id.desc()).limit(limit)
    if subject_id is not None:
        wanted = wanted.where(AccessLog.subject_id == str(subject_id))
    return list(session.scalars(wanted))


def changed(
    session: Session,
    *,
    at: datetime,
    user_id: int | None,
    subject: str,
    subject_id: int | str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    act: str = "",
    hidden: Iterable[str] = (),
) -> bool:
    """Add a row telling what of a thing was changed, old and new; without a difference none. Returns whether one was.

    ``before`` None: it is new. Of ``hidden`` fields (personal data) only that they changed is told. Not flushed:
    an import writes many.
    """
    details = difference(before, after, hidden=hidden)
    if details is None:
        return False
    row = AccessLog(
        at=at,
        user_id=user_id,
        act=act or ("add" if before is None else "change"),
        subject=subject,
        subject_id=str(subject_id)[:64],
        reason="",
        details=details,
    )
    session.add(row)
    return True


def changed_many(
    session: Session,
    *,
    at: datetime,
    user_id: int | None,
    subject: str,
    things: Iterable[tuple[str, Mapping[str, Any] | None, Mapping[str, Any]]],
) -> None:
    """Do what ``changed`` does for many things (the id each is told by, before, after), in one statement."""
    rows = []
    for subject_id, before, after in things:
        if (details := difference(before, after)) is not None:
            act = "add" if before is None else "change"
            rows.append((at, user_id, act, subject, subject_id[:64], "", details))
    _ROW.run_many(session.connection(), rows)


_ROW: Final = PreparedInsert(AccessLog, "at", "user_id", "act", "subject", "subject_id", "reason", "details")


def difference(
    before: Mapping[str, Any] | None, after: Mapping[str, Any], *, hidden: Iterable[str] = ()
) -> dict[str, Any] | None:
    """Return ``before`` and ``after`` of what differs, as JSON; None when nothing does."""
    was = before or {}
    names = [name for name in after if before is None or was.get(name) != after[name]]
    if not names:
        return None
    secret = frozenset(hidden)
    old = None if before is None else {name: _told(was.get(name), name in secret) for name in names}
    return {"before": old, "after": {name: _told(after[name], name in secret) for name in names}}


def _told(value: Any, secret: bool) -> Any:
    if secret:
        return "***" if value else ""
    return value.isoformat() if isinstance(value, date) else value


def search(
    session: Session,
    *,
    acts: Iterable[str] = (),
    user_ids: Iterable[int] | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> list[AccessLog]:
    """Return rows newest first, older than ``before_id``: of these acts (none: all), by these users (None: all)."""
    wanted = select(AccessLog).order_by(AccessLog.id.desc()).limit(limit)
    if acts := tuple(acts):
        wanted = wanted.where(AccessLog.act.in_(acts))
    if user_ids is not None:
        wanted = wanted.where(AccessLog.user_id.in_(tuple(user_ids)))
    if before_id is not None:
        wanted = wanted.where(AccessLog.id < before_id)
    return list(session.scalars(wanted))


def counts(session: Session, *, user_ids: Iterable[int] | None = None) -> dict[str, int]:
    """Return how many rows there are of each act, by these users (None: all)."""
    wanted = select(AccessLog.act, func.count()).group_by(AccessLog.act)
    if user_ids is not None:
        wanted = wanted.where(AccessLog.user_id.in_(tuple(user_ids)))
    return {act: number for act, number in session.execute(wanted)}
