"""A city's own days: what it declares beyond the public calendar."""

from __future__ import annotations

from datetime import date

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from hotline.db import Base


class CityDay(Base):
    """One day of the city's own, certain: it counts before the public calendar."""

    __tablename__ = "city_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    working: Mapped[bool]
    name: Mapped[str] = mapped_column(String(20))
