"""The telephone of a member of staff, and the PIN it is believed by."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from hotline.db import Base, Encrypted, UTCDateTime


class Telephone(Base):
    """One person's own telephone: rung to be put through to citizens, and with a PIN known when it calls or writes."""

    __tablename__ = "telephones"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), unique=True)
    phone: Mapped[str] = mapped_column(Encrypted)  # in the form of callers.numbers.normalise
    phone_index: Mapped[str] = mapped_column(String(80), index=True)
    phone_mask: Mapped[str] = mapped_column(String(20))
    pin_hash: Mapped[str] = mapped_column(String(200), default="")  # empty: no PIN was given
    failures: Mapped[int] = mapped_column(default=0)  # wrong PINs since the last right one
    locked_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    set_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    set_at: Mapped[datetime] = mapped_column(UTCDateTime)
