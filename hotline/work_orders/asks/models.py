"""What units cannot settle alone: who waits for whom, and the meetings that decide."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hotline.db import Base, Encrypted, UTCDateTime
from hotline.work_orders.models import WorkOrder


class Wait(Base):
    """A unit cannot go on before another has done its part. Two that wait for each other become a joint order."""

    __tablename__ = "order_waits"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("work_orders.id"), index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    for_unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    since: Mapped[datetime] = mapped_column(UTCDateTime)
    until: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Panel(Base):
    """A meeting (会商) that decides who leads, or goes through the hard orders: its agenda and minutes."""

    __tablename__ = "panels"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(80))
    held_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    place: Mapped[str] = mapped_column(String(80), default="")
    attendants: Mapped[str | None] = mapped_column(Encrypted)
    state: Mapped[str] = mapped_column(String(10))  # planned, held, cancelled
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    items: Mapped[list[PanelItem]] = relationship(back_populates="panel", order_by="PanelItem.position")


class PanelItem(Base):
    """One order on the agenda of a panel and what was decided."""

    __tablename__ = "panel_items"
    __table_args__ = (UniqueConstraint("panel_id", "order_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    panel_id: Mapped[int] = mapped_column(ForeignKey("panels.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("work_orders.id"), index=True)
    position: Mapped[int]
    question: Mapped[str | None] = mapped_column(Encrypted)
    minutes: Mapped[str | None] = mapped_column(Encrypted)
    lead_unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    panel: Mapped[Panel] = relationship(back_populates="items")
    order: Mapped[WorkOrder] = relationship()
