"""Reads on telephones of staff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.accounts.queries import persons
from hotline.accounts.roles import TIER_2, TIER_3, UNITS, Role
from hotline.accounts.service import Actor
from hotline.callers.numbers import normalise
from hotline.db import key_ring
from hotline.errors import NotFound
from hotline.telephones.models import Telephone
from hotline.units.models import Unit

SHOWN_AT_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of a unit with their telephone, if they have one."""

    user: User
    telephone: Telephone | None

    def locked(self, now: datetime) -> bool:
        """Whether the PIN is not taken for now."""
        return is_locked(self.telephone, now) if self.telephone else False


def is_locked(telephone: Telephone, now: datetime) -> bool:
    """Whether the PIN of a telephone is not taken for now."""
    return telephone.locked_until is not None and telephone.locked_until > now


def of_user(session: Session, user_id: int | None) -> Telephone | None:
    """Return a person's own telephone."""
    return session.scalar(select(Telephone).where(Telephone.user_id == user_id))


def with_number(session: Session, raw: str | None) -> Telephone | None:
    """Return the telephone that calls or writes, however a carrier writes its number."""
    number = normalise(raw)
    if number is None:
        return None
    return session.scalar(select(Telephone).where(Telephone.phone_index.in_(key_ring().indexes(number))))


def kept_by(session: Session, actor: Actor, text: str = "") -> Sequence[Person]:
    """Return people whose PIN the actor may give, by unit and name.

    A unit's leader sees everybody of their unit; an administrator those of any unit whose name, user name or unit
    holds ``text``, and without a text those who have left a number.
    """
    found = _kept_by(actor)
    if found is None:
        return []
    if actor.role == Role.ADM and text:
        at = select(Unit.id).where(Unit.name.contains(text, autoescape=True))
        names = (User.display_name.contains(text, autoescape=True), User.username.contains(text, autoescape=True))
        found = found.where(or_(*names, User.unit_id.in_(at)))
    elif actor.role == Role.ADM:
        found = found.where(Telephone.id.is_not(None))
    found = found.order_by(User.unit_id, User.display_name).limit(SHOWN_AT_MOST)
    return [Person(user, telephone) for user, telephone in session.execute(found)]


def _kept_by(actor: Actor) -> Select[User, Telephone] | None:
    if actor.role not in {Role.U2L, Role.U3L, Role.ADM}:
        return None
    found = select(User, Telephone).outerjoin(Telephone, Telephone.user_id == User.id)
    found = found.where(User.active, User.role.in_(UNITS), persons())
    return found if actor.role == Role.ADM else found.where(User.unit_id == actor.unit_id)


def person_of(session: Session, actor: Actor, user_id: int) -> Person:
    """Return one of the people whose PIN the actor may give, or raise ``NotFound``."""
    found = _kept_by(actor)
    row = session.execute(found.where(User.id == user_id)).one_or_none() if found is not None else None
    if row is None:
        raise NotFound("没有这位人员")
    return Person(*row)


def leaders_numbers(session: Session, unit_id: int | None) -> list[str]:
    """Return the telephones of a unit's leaders, those they left."""
    leaders = select(Telephone).join(User, User.id == Telephone.user_id).where(User.unit_id == unit_id, User.active)
    roles = [role for role in TIER_2 | TIER_3 if role in (Role.U2L, Role.U3L)]
    return [row.phone for row in session.scalars(leaders.where(User.role.in_(roles)).order_by(User.id))]
