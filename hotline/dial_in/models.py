"""Units that work by telephone: what a call has come to, and the sentences its keys stand for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
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


class StandardSentence(Base):
    """A sentence of the city's own that one key stands for. ``kind``: see ``states.SentenceKind``."""

    __tablename__ = "standard_sentences"
    __table_args__ = (Index("ix_standard_sentences_kind_position", "kind", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    position: Mapped[int]  # the key, 1 to 9
    text: Mapped[str] = mapped_column(String(200))
