"""Ringing duty officers for urgent orders."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hotline.db import Base, Encrypted, UTCDateTime
from hotline.units.models import Unit
from hotline.work_orders.models import WorkOrder


class Alarm(Base):
    """One round of ringing for one unit's part of an urgent order; a supervisor may begin the next one."""

    __tablename__ = "alarms"
    __table_args__ = (UniqueConstraint("sub_order_id", "round"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("work_orders.id"), index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    sub_order_id: Mapped[int] = mapped_column(ForeignKey("sub_orders.id"))
    round: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(10), index=True)  # see states.AlarmState
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)

    order: Mapped[WorkOrder] = relationship()
    unit: Mapped[Unit] = relationship()
    tries: Mapped[list[AlarmTry]] = relationship(back_populates="alarm", order_by="AlarmTry.turn")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class AlarmTry(Base):
    """Ringing one officer once. Name and number are as the roster had them when the round began."""

    __tablename__ = "alarm_tries"
    __table_args__ = (UniqueConstraint("alarm_id", "turn"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    alarm_id: Mapped[int] = mapped_column(ForeignKey("alarms.id"))
    turn: Mapped[int]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(80))
    phone: Mapped[str] = mapped_column(Encrypted)
    phone_mask: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10))  # see states.TryState
    taken_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # a worker began to ask the carrier
    rung_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    provider_id: Mapped[str | None] = mapped_column(String(64), unique=True)

    alarm: Mapped[Alarm] = relationship(back_populates="tries")
