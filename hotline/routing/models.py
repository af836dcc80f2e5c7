"""Models that were trained, and what was proposed for each order beside what a person chose."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from hotline.db import Base, UTCDateTime


class RoutingModel(Base):
    """One trained model. The newest ``active`` one is in use; of older ones only the figures are kept.

    ``figures``: by question, of this model (``after``) and of the one in use at the time (``before``), both on the
    same messages that neither had seen.
    """

    __tablename__ = "routing_models"

    id: Mapped[int] = mapped_column(primary_key=True)
    trained_at: Mapped[datetime] = mapped_column(UTCDateTime)
    rows: Mapped[int]
    figures: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    active: Mapped[bool] = mapped_column(index=True)
    data: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)  # see model.Model.dump


class RoutingProposal(Base):
    """What was proposed for one order, and what the dispatcher chose at last. Candidates and choices are codes.

    ``returned_by``: the units that gave it back, in order.
    """

    __tablename__ = "routing_proposals"
    __table_args__ = (Index("ix_routing_proposals_chosen_at", "chosen_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("work_orders.id"), unique=True)
    model_id: Mapped[int | None] = mapped_column(ForeignKey("routing_models.id"))  # None: proposed without a model
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    categories: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)  # {label, confidence}, likeliest first
    units: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    chosen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    chosen_category: Mapped[str] = mapped_column(String(20), default="")
    chosen_unit: Mapped[str] = mapped_column(String(20), default="")
    returned_by: Mapped[list[str]] = mapped_column(JSON, default=list)
