"""Units that work by telephone: what a call has come to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from hotline.db import Base, UTCDateTime


class DialIn(Base):
    """One call of a unit's person, known by the carrier's id of the call. ``keyed`` holds codes chosen by key."""

    __tablename__ = "dial_ins"

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))  # None until the PIN was right
    order_id: Mapped[int | None] = mapped_column(ForeignKey("work_orders.id"))
    keyed: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
