"""People who log in, and tokens of programs that do."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from hotline.db import Base, UTCDateTime


class User(Base):
    """A member of staff. ``role`` is one code of ``hotline.accounts.roles``; ``unit_id`` is set for unit roles."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(40), unique=True)
    display_name: Mapped[str] = mapped_column(String(40))
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(4))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    seat: Mapped[str] = mapped_column(String(20), default="")  # address of the operator's telephone: client:SEAT
    active: Mapped[bool] = mapped_column(default=True)
    must_set_password: Mapped[bool] = mapped_column(default=False)  # logs in with a code given once: nothing else first
    session_version: Mapped[int] = mapped_column(default=1)  # raised to end every log-in of this user
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ApiToken(Base):
    """A bearer token: shown once, kept as a hash, bound to a role and, for unit roles, to a unit."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
