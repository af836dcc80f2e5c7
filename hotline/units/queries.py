"""Reads on the tree of units and the responsibility list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.accounts.roles import TIER_2, TIER_3
from hotline.errors import NotFound
from hotline.units.models import Category, ResponsibilityLine, Unit


def by_code(session: Session, code: str) -> Unit:
    """Return the unit with this code; raises ``NotFound``."""
    unit = session.scalar(select(Unit).where(Unit.code == code))
    if unit is None:
        raise NotFound(f"没有编号为 {code} 的单位")
    return unit


def in_subtree(path: str) -> Select[int]:
    """Return a select of the ids of every unit at or under ``path``, for use inside other queries."""
    return select(Unit.id).where(Unit.path.startswith(path, autoescape=True))


def subtree_ids(session: Session, unit_id: int) -> list[int]:
    """Return the ids of the unit and of everything under it; empty when there is no such unit."""
    path = session.scalar(select(Unit.path).where(Unit.id == unit_id))
    return list(session.scalars(in_subtree(path))) if path else []


def is_within(session: Session, *, unit_id: int, top_id: int) -> bool:
    """Whether ``unit_id`` is ``top_id`` or stands under it."""
    path = session.scalar(select(Unit.path).where(Unit.id == unit_id)) or ""
    return f"/{top_id}/" in path


def children(session: Session, unit_id: int, *, active_only: bool = True) -> Sequence[Unit]:
    """Return the units directly under one, by code."""
    query = select(Unit).where(Unit.parent_id == unit_id).order_by(Unit.code)
    return session.scalars(query.where(Unit.active) if active_only else query).all()


def units_of_tier(session: Session, tier: int, *, active_only: bool = True) -> Sequence[Unit]:
    """Return the units of one tier, by code."""
    query = select(Unit).where(Unit.tier == tier).order_by(Unit.code)
    return session.scalars(query.where(Unit.active) if active_only else query).all()


def active_units(session: Session) -> Sequence[Unit]:
    """Return every active unit, by code."""
    return session.scalars(select(Unit).where(Unit.active).order_by(Unit.code)).all()


def areas_named(session: Session, codes: Iterable[str]) -> dict[str, str]:
    """Return the names of the units these area codes belong to; codes without a unit are left out."""
    wanted = set(codes)
    if not wanted:
        return {}
    rows = session.execute(select(Unit.area_code, Unit.name).where(Unit.area_code.in_(wanted)).order_by(Unit.id.desc()))
    return {code: name for code, name in rows}


def has_active_user(session: Session, unit: Unit) -> bool:
    """Whether somebody there can sign: an active user with a role of the unit's tier."""
    roles = TIER_2 if unit.tier == 2 else TIER_3
    counted = session.scalar(
        select(func.count()).select_from(User).where(User.unit_id == unit.id, User.active, User.role.in_(roles))
    )
    return bool(counted)


def lines_for(session: Session, category_code: str, *, on: date) -> Sequence[ResponsibilityLine]:
    """Return the lines in use of the version in force on a day for one kind of matter, by code."""
    return session.scalars(_in_force(on).where(ResponsibilityLine.category_code == category_code)).all()


def lines_in_force(session: Session, *, on: date) -> Sequence[ResponsibilityLine]:
    """Return every line in use of the version in force on a day, by code."""
    return session.scalars(_in_force(on)).all()


def _in_force(on: date) -> Select[ResponsibilityLine]:
    version = (
        select(ResponsibilityLine.version)
        .where(ResponsibilityLine.valid_from <= on)
        .order_by(ResponsibilityLine.valid_from.desc(), ResponsibilityLine.version.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(ResponsibilityLine)
        .where(ResponsibilityLine.version == version, ResponsibilityLine.valid_from <= on, ResponsibilityLine.active)
        .order_by(ResponsibilityLine.code)
    )


def categories(session: Session, *, active_only: bool = True) -> Sequence[Category]:
    """Return the city's kinds of matter, by code."""
    query = select(Category).order_by(Category.code)
    return session.scalars(query.where(Category.active) if active_only else query).all()


def category_named(session: Session, code: str) -> str:
    """Return the name of a kind of matter; "" for a code nobody gave a name."""
    return session.scalar(select(Category.name).where(Category.code == code)) or ""
