"""Places by the names people say."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hotline.db import Base
from hotline.units.models import Unit


class PlaceKind(StrEnum):
    """What sort of place it is."""

    AREA = "area"
    ROAD = "road"
    ESTATE = "estate"


PLACE_WORDS: Final = {PlaceKind.AREA: "片区", PlaceKind.ROAD: "道路", PlaceKind.ESTATE: "小区"}


class Place(Base):
    """One place. The same name may stand in several counties; in one county a kind has it once."""

    __tablename__ = "places"
    __table_args__ = (UniqueConstraint("name", "kind", "county_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(10))  # see PlaceKind
    county_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    area_code: Mapped[str] = mapped_column(String(12), default="")  # empty: that of the county
    active: Mapped[bool] = mapped_column(default=True)

    county: Mapped[Unit] = relationship()
    names: Mapped[list[PlaceName]] = relationship(cascade="all, delete-orphan", order_by="PlaceName.id")


class PlaceName(Base):
    """One way a place is called: its name (the first row) or an alias. ``sound`` is how it is heard."""

    __tablename__ = "place_names"

    id: Mapped[int] = mapped_column(primary_key=True)
    place_id: Mapped[int] = mapped_column(ForeignKey("places.id"), index=True)
    name: Mapped[str] = mapped_column(String(40))
    sound: Mapped[str] = mapped_column(String(400), index=True)
