"""Reads on the roster: who is on duty now, a week of a unit, its gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.roles import TIER_2, TIER_3, Role
from hotline.accounts.service import Actor
from hotline.callers.numbers import mask, normalise
from hotline.errors import NotFound
from hotline.rosters.models import DutyShift
from hotline.units import queries as units
from hotline.units.models import HUB_TIER, Unit

KEEPERS: Final = frozenset({Role.U2L, Role.U3L, Role.SUP})
READERS: Final = KEEPERS | TIER_2 | TIER_3
DUTY_TELEPHONE: Final = "值班电话"


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody to ring. ``unit_id`` is whose officer this is: a unit's own, or of the unit above it."""

    unit_id: int
    name: str
    phone: str = field(repr=False)
    user_id: int | None = None

    @property
    def phone_mask(self) -> str:
        """The number, safe to show."""
        return mask(self.phone)


@dataclass(frozen=True, slots=True)
class Gap:
    """Nobody is on duty from ``starts_at`` until ``ends_at``."""

    starts_at: datetime
    ends_at: datetime


def on_duty(session: Session, unit: Unit, *, now: datetime) -> list[Officer]:
    """Return whom to ring for a unit now, first one first.

    Those of its roster; nobody there: its duty telephone; without one either: the same of the unit above, up to
    below the hub, whose own officers sign for no unit. Empty: nobody can be rung.
    """
    asked: Unit | None = unit
    while asked is not None and (asked.tier != HUB_TIER or asked is unit):
        found = [
            Officer(asked.id, shift.name, shift.phone, shift.user_id)
            for shift in session.scalars(
                select(DutyShift)
                .where(DutyShift.unit_id == asked.id, DutyShift.starts_at <= now, DutyShift.ends_at > now)
                .order_by(DutyShift.position, DutyShift.id)
            )
        ]
        telephone = normalise(asked.duty_phone)
        if not found and telephone:
            found = [Officer(asked.id, f"{asked.name}{DUTY_TELEPHONE}", telephone)]
        if found:
            return found
        asked = asked.parent
    return []


def may_read(session: Session, actor: Actor, unit: Unit) -> bool:
    """Whether a unit's roster is the actor's to read: a supervisor's every one, a unit's its own and those below."""
    if actor.role == Role.SUP:
        return True
    if actor.unit_id is None or actor.role not in READERS:
        return False
    own = session.get_one(Unit, actor.unit_id)
    return unit.path.startswith(own.path) if actor.role in TIER_2 else unit.id == own.id


def kept_by(session: Session, actor: Actor) -> Sequence[Unit]:
    """Return the units whose roster the actor may read, their own first: a supervisor's is the hub and every unit."""
    if actor.role == Role.SUP:
        return session.scalars(select(Unit).where(Unit.active).order_by(Unit.tier, Unit.code)).all()
    if actor.unit_id is None or actor.role not in READERS:
        return []
    own = session.get_one(Unit, actor.unit_id)
    if actor.role in TIER_2:
        below = units.in_subtree(own.path)
        return session.scalars(select(Unit).where(Unit.id.in_(below), Unit.active).order_by(Unit.tier, Unit.code)).all()
    return [own]


def unit_of(session: Session, actor: Actor, unit_id: int | None) -> Unit:
    """Return the unit, by default the actor's own or the hub, whose roster they may read; else ``NotFound``."""
    found = session.get(Unit, unit_id) if unit_id else next(iter(kept_by(session, actor)), None)
    if found is None or not may_read(session, actor, found):
        raise NotFound("没有这个单位的值班表")
    return found


def between(session: Session, unit_id: int, start: datetime, end: datetime) -> Sequence[DutyShift]:
    """Return the shifts of a unit that touch a span, by beginning and order of ringing."""
    return session.scalars(
        select(DutyShift)
        .where(DutyShift.unit_id == unit_id, DutyShift.starts_at < end, DutyShift.ends_at > start)
        .order_by(DutyShift.starts_at, DutyShift.position, DutyShift.id)
    ).all()


def gaps(shifts: Sequence[DutyShift], start: datetime, end: datetime) -> list[Gap]:
    """Return the stretches of a span in which none of these shifts, given by beginning, is on."""
    found: list[Gap] = []
    covered = start
    for shift in shifts:
        if shift.starts_at > covered:
            found.append(Gap(covered, min(shift.starts_at, end)))
        covered = max(covered, shift.ends_at)
        if covered >= end:
            return found
    return [*found, Gap(covered, end)] if end - covered > timedelta(0) else found
