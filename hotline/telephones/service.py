"""Verbs on telephones of staff: leave one, give its PIN, believe a PIN."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline import audit, outbox
from hotline.accounts.models import User
from hotline.accounts.service import Actor
from hotline.callers.numbers import mask, normalise
from hotline.db import key_ring
from hotline.errors import Invalid
from hotline.telephones import queries
from hotline.telephones.models import Telephone

PIN_DIGITS: Final = 6
WRONG_AT_MOST: Final = 5
LOCKED_FOR: Final = timedelta(minutes=30)
_hasher = PasswordHasher()
# verified against when the number is unknown, so that the answer takes as long as for a known one
_NOBODY: Final = _hasher.hash(secrets.token_hex(8))


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether a PIN was right. ``user`` None: it was not, or ``locked``."""

    user: User | None = None
    locked: bool = False


def leave_number(session: Session, *, actor: Actor, now: datetime, user_id: int, phone: str) -> Telephone:
    """Write down a person's own telephone. Another number ends the PIN. Raises ``Invalid`` for a number that is none,
    or is another's."""
    number = normalise(phone)
    if number is None:
        raise Invalid("电话号码不对", phone="电话号码不对，例如 0318-2024114 或手机号码")
    owner = queries.with_number(session, number)
    if owner is not None and owner.user_id != user_id:
        raise Invalid("这个号码已登记在另一位人员名下", phone="这个号码已登记在另一位人员名下")
    row = owner or queries.of_user(session, user_id)
    if row is None:
        row = Telephone(user_id=user_id, set_at=now, phone=number, phone_index="", phone_mask="")
        session.add(row)
    if row.phone != number:
        row.pin_hash, row.failures, row.locked_until = "", 0, None
    row.phone, row.phone_index, row.phone_mask = number, key_ring().index(number), mask(number)
    row.set_by, row.set_at = actor.user_id, now
    session.flush()
    return row


def give_pin(session: Session, *, actor: Actor, now: datetime, user_id: int, phone: str) -> str:
    """Return a new PIN for a person's telephone, shown once and kept as a hash; the old one and any lock end.

    Raises ``NotFound`` for somebody whose PIN is not the actor's to give, ``Invalid`` for a number.
    """
    queries.person_of(session, actor, user_id)
    row = leave_number(session, actor=actor, now=now, user_id=user_id, phone=phone)
    pin = "".join(secrets.choice("0123456789") for _ in range(PIN_DIGITS))
    row.pin_hash, row.failures, row.locked_until = _hasher.hash(pin), 0, None
    _tell(session, actor, now, user_id, "give_pin")
    return pin


def take_pin(session: Session, *, actor: Actor, now: datetime, user_id: int) -> None:
    """End a person's PIN; the number stays. Raises ``NotFound``."""
    person = queries.person_of(session, actor, user_id)
    if person.telephone is not None and person.telephone.pin_hash:
        person.telephone.pin_hash = ""
        _tell(session, actor, now, user_id, "take_pin")


def prove(session: Session, *, phone: str | None, pin: str, now: datetime) -> Proof:
    """Say who calls or writes, by number and PIN. The fifth wrong one in a row locks for half an hour, and the unit's
    leaders are told. Never raises, so that failures are kept: commit. An unknown number is answered like a wrong PIN.
    """
    known = queries.with_number(session, phone)
    row = (
        known
        and session.scalars(
            select(Telephone)
            .where(Telephone.id == known.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).one()
    )
    right = _matches(row.pin_hash if row and row.pin_hash else _NOBODY, pin)
    if row is None:
        return Proof()
    if queries.is_locked(row, now):
        return Proof(locked=True)
    user = session.get_one(User, row.user_id)
    if right and user.active:
        row.failures, row.locked_until = 0, None
        return Proof(user)
    row.failures += 1
    if row.failures < WRONG_AT_MOST:
        return Proof()
    row.failures, row.locked_until = 0, now + LOCKED_FOR
    audit.record(session, at=now, user_id=row.user_id, act="pin_locked", subject="user", subject_id=user.username)
    outbox.add(session, "pin.locked", now=now, user_id=row.user_id)
    return Proof(locked=True)


def _matches(pin_hash: str, pin: str) -> bool:
    try:
        return _hasher.verify(pin_hash, pin)
    except VerifyMismatchError:
        return False


def _tell(session: Session, actor: Actor, now: datetime, user_id: int, act: str) -> None:
    user = session.get_one(User, user_id)
    audit.record(session, at=now, user_id=actor.user_id, act=act, subject="user", subject_id=user.username)
    session.flush()
