"""Duty officers on a roster."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from hotline.callers.numbers import mask
from hotline.rosters.models import DutyShift
from hotline.units.models import Unit
from tests.conftest import NOON

FIRST = "+8619900000101"
SECOND = "+8619900000102"


def shift(
    session: Session,
    unit: Unit,
    *,
    name: str = "值班员甲",
    phone: str = FIRST,
    starts_at: datetime = NOON - timedelta(hours=4),
    ends_at: datetime = NOON + timedelta(hours=20),
    position: int = 1,
    user_id: int | None = None,
) -> DutyShift:
    """Put somebody on duty around noon."""
    row = DutyShift(
        unit_id=unit.id,
        user_id=user_id,
        name=name,
        phone=phone,
        phone_mask=mask(phone),
        starts_at=starts_at,
        ends_at=ends_at,
        position=position,
        created_at=NOON,
    )
    session.add(row)
    session.flush()
    return row
