"""Who is on duty in the demo city, for two weeks from the day it is made; a night without anybody shows a gap."""

from __future__ import annotations

import csv
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.accounts.roles import Role
from hotline.accounts.service import actor_of
from hotline.rosters.service import put_shift
from hotline.units import queries as units

DAYS: Final = 14
ZONE: Final = ZoneInfo("Asia/Shanghai")  # where the demo city lies


def seed(session: Session, path: Path, *, now: datetime) -> int:
    """Put the people of the sheet on duty, each day of this week and the next; returns how many shifts were made."""
    keeper = session.scalars(select(User).where(User.role == Role.SUP).order_by(User.id)).first()
    assert keeper is not None, "the demo city has a supervisor"
    today = now.astimezone(ZONE).date()
    monday = today - timedelta(days=today.weekday())
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        unit = units.by_code(session, row["单位编号"])
        for number in range(DAYS):
            begins = _at(monday + timedelta(days=number), row["开始"])
            ends = _at(monday + timedelta(days=number), row["结束"])
            put_shift(
                session,
                actor=actor_of(keeper),
                now=now,
                unit=unit,
                name=row["姓名"],
                phone=row["电话"],
                starts_at=begins,
                ends_at=ends if ends > begins else ends + timedelta(days=1),
                position=int(row["拨打顺序"]),
                username=row["用户名"],
            )
    return len(rows) * DAYS


def _at(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), ZONE)
