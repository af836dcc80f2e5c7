"""A POST that is sent again gets the same answer again and does nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from flask import Response, make_response, request
from flask.typing import ResponseReturnValue
from sqlalchemy import JSON, CursorResult, String, UniqueConstraint, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from hotline.db import Base, Encrypted, UTCDateTime, key_ring
from hotline.errors import Invalid
from hotline.web import pages
from hotline.web.access import actor
from hotline.web.context import runtime

HEADER: Final = "Idempotency-Key"
FIELD: Final = "once"  # of a page's form, see ui.once()
LONGEST: Final = 100
KEPT_HEADERS: Final = ("Content-Type", "Location", "HX-Redirect", "HX-Trigger")
# they differ between two sendings of the same form
NOT_CONTENT: Final = (FIELD, "csrf_token")


class IdempotencyKey(Base):
    """One answer given. ``body`` is encrypted: answers show personal data."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("user_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(LONGEST))
    route: Mapped[str] = mapped_column(String(300))
    user_id: Mapped[int] = mapped_column(default=0)  # 0: nobody logged in; not NULL, which a constraint never equals
    asked: Mapped[str] = mapped_column(String(120))  # keyed digest of what was sent
    status: Mapped[int] = mapped_column(default=0)
    headers: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    body: Mapped[str | None] = mapped_column(Encrypted)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


def once(
    session: Session, act: Callable[[], ResponseReturnValue], *, required: bool = False, key: str = ""
) -> Response:
    """Answer with ``act()``, or with what it answered when this user sent the same key before.

    The key is the header ``Idempotency-Key`` or the form field ``once``, unless ``key`` is given. It is written in
    ``session`` together with what ``act`` does there, so that both stand or neither; an error leaves no trace and may
    be tried again. Two at the same moment: the second waits for the first. Raises ``Invalid`` (422) for a key used
    with another request, one that is too long, and, if ``required``, for a missing one.
    """
    key = key or request.headers.get(HEADER) or request.form.get(FIELD) or ""
    if not key and not required:
        return make_response(act())
    if not key or len(key) > LONGEST:
        raise Invalid(f"请求须带 {HEADER}，最长 {LONGEST} 个字符", **{HEADER: "缺少或过长"})
    someone = actor()
    row = IdempotencyKey(
        key=key,
        route=f"{request.method} {request.path}"[:300],
        user_id=(someone.user_id if someone else None) or 0,
        asked=_digest(),
        created_at=runtime().now(),
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return _again(session, row)
    answer = make_response(act())
    row.status = answer.status_code
    row.headers = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
    row.body = answer.get_data(as_text=True)
    session.flush()
    return answer


def tell_once(session: Session, do: Callable[[], str], *, then: str) -> Response:
    """Act ``once`` as a page does: say on the next page what ``do`` returns, and go to ``then``."""

    def act() -> ResponseReturnValue:
        pages.toast(do())
        return pages.go(then)

    return once(session, act)


def _again(session: Session, asked: IdempotencyKey) -> Response:
    kept = session.scalars(
        select(IdempotencyKey).where(IdempotencyKey.user_id == asked.user_id, IdempotencyKey.key == asked.key)
    ).one()
    if (kept.route, kept.asked) != (asked.route, asked.asked):
        raise Invalid("这个操作编号已用于另一个请求，请刷新后重试", **{HEADER: "已用于另一个请求"})
    answer = make_response(kept.body or "", kept.status)
    answer.headers.update(kept.headers)
    answer.headers["Idempotent-Replay"] = "true"
    return answer


def _digest() -> str:
    """Keyed digest of the content sent. Uploads count by name and length: their bytes are not read here."""
    if request.form or request.files:
        fields = [(name, values) for name, values in sorted(request.form.lists()) if name not in NOT_CONTENT]
        files = [(name, file.filename, file.content_length) for name, file in sorted(request.files.items(multi=True))]
        content = repr((fields, files))
    else:
        content = request.get_data(as_text=True)
    return key_ring().index(content)


def forget(session: Session, *, before: datetime) -> int:
    """Delete answers older than ``before`` and return how many. For retention: a key is there for retries."""
    gone: CursorResult[Any] = session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < before))  # type: ignore[assignment]
    return gone.rowcount
