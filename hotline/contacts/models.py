"""Units call citizens through the hub, and neither sees the other's number."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hotline.accounts.models import User
from hotline.db import Base, Encrypted, UTCDateTime


class ContactCall(Base):
    """One call a unit asked for. The unit's telephone is rung first, then the citizen's."""

    __tablename__ = "contact_calls"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("work_orders.id"), index=True)
    sub_order_id: Mapped[int] = mapped_column(ForeignKey("sub_orders.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    phone: Mapped[str] = mapped_column(Encrypted)  # the unit's side, as it was when the call was asked for
    state: Mapped[str] = mapped_column(String(12))  # see states.ContactState
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    joined_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # the unit's side answered
    connected_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # the citizen answered
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    unit_line: Mapped[str | None] = mapped_column(String(64), unique=True)
    citizen_line: Mapped[str | None] = mapped_column(String(64), unique=True)

    user: Mapped[User] = relationship()

    @property
    def answered(self) -> bool:
        """Whether the citizen answered."""
        return self.connected_at is not None

    @property
    def talked(self) -> timedelta | None:
        """How long both talked; None while they do, or when they did not."""
        return self.ended_at - self.connected_at if self.ended_at and self.connected_at else None
