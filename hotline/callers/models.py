"""Personal data of callers, in rows of its own, so that it can be masked, watched and erased."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from hotline.db import Base, Encrypted, UTCDateTime, only_if_known


class Caller(Base):
    """Who called, as told in one contact. Several contacts of one person share ``phone_index``.

    ``salt`` goes into the commitments that the order's chain keeps; erasing the row erases it too, and with it
    any way to test a guess against the chain.
    """

    __tablename__ = "callers"
    __table_args__ = (Index("ix_callers_contact_index", "contact_index", **only_if_known("contact_index")),)

    id: Mapped[int] = mapped_column(primary_key=True)
    phone: Mapped[str | None] = mapped_column(Encrypted)  # E.164; None: withheld
    phone_index: Mapped[str | None] = mapped_column(String(80), index=True)
    phone_mask: Mapped[str] = mapped_column(String(20), default="")  # 138****1234, safe to show
    name: Mapped[str | None] = mapped_column(Encrypted)
    contact: Mapped[str | None] = mapped_column(Encrypted)  # another number or address to reach them
    contact_index: Mapped[str | None] = mapped_column(String(80))
    email: Mapped[str | None] = mapped_column(Encrypted)
    salt: Mapped[str | None] = mapped_column(Encrypted)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    erased_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
