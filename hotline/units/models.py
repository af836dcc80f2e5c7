"""Units that handle orders, in a tree, and what each answers for."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hotline.db import Base, Encrypted, UTCDateTime

HUB_TIER = 1
PORTAL = "portal"


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
    fallbacks: Mapped[list[str]] = mapped_column(JSON, default=list)  # channels tried next, in this order
    webhook_url: Mapped[str] = mapped_column(String(500), default="")
    webhook_secret: Mapped[str | None] = mapped_column(Encrypted)  # signs what is pushed to ``webhook_url``
    email: Mapped[str] = mapped_column(String(254), default="")
    active: Mapped[bool] = mapped_column(default=True)

    parent: Mapped[Unit | None] = relationship(remote_side=[id])

    @property
    def channels(self) -> list[str]:
        """Every way to reach the unit, the first wish first. The portal is always there in the end."""
        return list(dict.fromkeys([self.channel, *self.fallbacks, PORTAL]))


class UnitKey(Base):
    """What a unit's own system signs its requests with. It acts as ``user_id``, a program of that unit."""

    __tablename__ = "unit_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(String(20), unique=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    secret: Mapped[str] = mapped_column(Encrypted)  # shown once; kept, since the same words are signed on both sides
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


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
