"""Every push to a unit or a citizen, with its fate."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hotline.db import Base, UTCDateTime

NO_RECEIPT: Final = "sha256:"  # begins what is kept instead: a digest of the answer


class DeliveryState(StrEnum):
    """How far a message has come."""

    WAITING = "waiting"
    SENT = "sent"  # the channel took it
    RECEIPTED = "receipted"  # the receiver has it: opened by the unit, confirmed by the carrier
    FAILED = "failed"  # a person must look


class Delivery(Base):
    """One message to one receiver over one channel. ``receipt`` is what the receiver's side answered."""

    __tablename__ = "deliveries"

    id: Mapped[int] = mapped_column(primary_key=True)
    # empty once the settled message has been cleaned away
    outbox_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id", ondelete="SET NULL"), unique=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("work_orders.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    channel: Mapped[str] = mapped_column(String(12))  # portal, webhook, sms, email
    template: Mapped[str] = mapped_column(String(40), default="")
    state: Mapped[str] = mapped_column(String(12), index=True)  # see DeliveryState
    tries: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(Text, default="")
    receipt: Mapped[str] = mapped_column(String(120), default="", index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    receipted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    dropped_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # somebody decided that it need not go out

    @property
    def unreceipted(self) -> bool:
        """Whether the receiver took it and gave no receipt that could be kept."""
        return self.state == DeliveryState.SENT and self.receipt.startswith(NO_RECEIPT)


class MessageText(Base):
    """A city's own words for one of ``templates.TEMPLATES``."""

    __tablename__ = "message_texts"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    text: Mapped[str] = mapped_column(String(500))
