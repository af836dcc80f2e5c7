"""Who is on duty when, for a unit or the hub."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hotline.db import Base, Encrypted, UTCDateTime
from hotline.units.models import Unit


class DutyShift(Base):
    """One person on duty for one unit (the hub is the unit of tier 1) from ``starts_at`` until before ``ends_at``.

    Of several on duty at once the lowest ``position`` is rung first. ``user_id``: the officer's own account, if any.
    """

    __tablename__ = "duty_shifts"
    __table_args__ = (Index("ix_duty_shifts_unit_id_ends_at", "unit_id", "ends_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(40))
    phone: Mapped[str] = mapped_column(Encrypted)  # in the form of callers.numbers.normalise
    phone_mask: Mapped[str] = mapped_column(String(20))
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    position: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    unit: Mapped[Unit] = relationship()
