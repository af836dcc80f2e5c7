"""Numbered things of a city (部件): street lamps, manhole covers, ponds, with their places and who keeps them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import Float, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hotline.db import Base, Encrypted
from hotline.units.models import Unit


class Level(StrEnum):
    """At which level somebody answers for an asset."""

    CITY = "city"
    COUNTY = "county"
    TOWN = "town"
    VILLAGE = "village"


LEVEL_WORDS: Final = {Level.CITY: "市级", Level.COUNTY: "县级", Level.TOWN: "乡级", Level.VILLAGE: "村级"}


class Asset(Base):
    """One numbered thing. ``kind`` is the city's own word; ``digits`` is its code as a caller reads it out."""

    __tablename__ = "assets"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    digits: Mapped[str] = mapped_column(String(40), index=True)
    name: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(20), index=True)
    address: Mapped[str] = mapped_column(String(200))
    area_code: Mapped[str] = mapped_column(String(12), default="")
    lat: Mapped[float | None] = mapped_column(Float)  # WGS-84
    lng: Mapped[float | None] = mapped_column(Float)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)  # tier 2
    below_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)  # tier 3, under it
    category_code: Mapped[str] = mapped_column(String(20), default="")
    active: Mapped[bool] = mapped_column(default=True)

    unit: Mapped[Unit] = relationship(foreign_keys=[unit_id])
    below: Mapped[Unit | None] = relationship(foreign_keys=[below_id])
    keepers: Mapped[list[AssetKeeper]] = relationship(
        back_populates="asset", order_by="AssetKeeper.id", cascade="all, delete-orphan"
    )


class AssetKeeper(Base):
    """Who answers for an asset at one level."""

    __tablename__ = "asset_keepers"
    __table_args__ = (UniqueConstraint("asset_id", "level"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("assets.id"))
    level: Mapped[str] = mapped_column(String(10))  # see Level
    name: Mapped[str | None] = mapped_column(Encrypted)
    unit: Mapped[str] = mapped_column(String(60), default="")  # where they work, as people say it
    phone: Mapped[str | None] = mapped_column(Encrypted)

    asset: Mapped[Asset] = relationship(back_populates="keepers")
