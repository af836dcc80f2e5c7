"""Units that handle orders, in a tree, and what each answers for."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hotline.db import Base, Encrypted, UTCDateTime

HUB_TIER = 1


class Unit(Base):
    """A unit of the tree. Tier 1 is the hub, 2 counties and departments, 3 townships and offices under them.

    ``path`` is ``/1/7/31/``: every id from the root down to itself, so that a subtree is one prefix.
    """

    __tablename__ = "units"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    tier: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20), default="government")  # government, department, utility, township
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    path: Mapped[str] = mapped_column(String(100), index=True, default="")
    area_code: Mapped[str] = mapped_column(String(12), default="")
    duty_phone: Mapped[str | None] = mapped_column(Encrypted)
    channel: Mapped[str] = mapped_column(String(20), default="portal")  # how orders are pushed to it
    active: Mapped[bool] = mapped_column(default=True)

    parent: Mapped[Unit | None] = relationship(remote_side=[id])


class ResponsibilityLine(Base):
    """One line of the responsibility list: which unit leads and which assist for a kind of matter.

    A line out of use stays in its version, and nothing is sent by it.
    """

    __tablename__ = "responsibility_lines"
    __table_args__ = (UniqueConstraint("version", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(String(20))
    code: Mapped[str] = mapped_column(String(20))
    matter: Mapped[str] = mapped_column(String(100))
    category_code: Mapped[str] = mapped_column(String(20), index=True)
    lead_unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))  # None: the government of the place
    basis: Mapped[str] = mapped_column(Text, default="")
    valid_from: Mapped[date]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Category(Base):
    """A kind of matter in a city's own code list."""

    __tablename__ = "categories"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    parent_code: Mapped[str] = mapped_column(String(20), default="")
    active: Mapped[bool] = mapped_column(default=True)
