"""Keys of units' own systems: what they sign their requests with, and what we sign our pushes to them with."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts.models import User
from hotline.accounts.roles import Role
from hotline.accounts.service import Actor, actor_of, create_program
from hotline.errors import Invalid, NotAllowedNow, NotFound
from hotline.units.models import HUB_TIER, Unit, UnitKey

MOST_KEYS: Final = 5
ROLE_OF_TIER: Final = {2: Role.U2, 3: Role.U3}


def create_key(session: Session, *, unit: Unit, actor: Actor, now: datetime) -> tuple[UnitKey, str]:
    """Give a unit's system a key; it acts as a clerk of the unit. Returns the key and its secret, shown once.

    Raises ``Invalid`` for the hub, ``NotAllowedNow`` when the unit has as many keys as it may.
    """
    if unit.tier == HUB_TIER:
        raise Invalid("接口密钥只发给承办单位", unit="请选择承办单位")
    live = [key for key in keys_of(session, unit.id) if key.revoked_at is None]
    if len(live) >= MOST_KEYS:
        raise NotAllowedNow(f"一个单位最多 {MOST_KEYS} 个有效密钥，请先停用不用的")
    program = create_program(session, role=ROLE_OF_TIER[unit.tier], unit_id=unit.id, now=now)
    program.display_name = "单位系统"
    secret = secrets.token_urlsafe(32)
    key = UnitKey(
        key_id=f"uk_{secrets.token_hex(6)}", unit_id=unit.id, user_id=program.id, secret=secret, created_at=now
    )
    session.add(key)
    session.flush()
    _tell(session, "unit_key.create", unit, actor, now, key=key.key_id)
    return key, secret


def revoke_key(session: Session, *, key_id: str, actor: Actor, now: datetime) -> UnitKey:
    """Let a key open nothing any more. Raises ``NotFound``; one revoked already stays as it is."""
    key = session.scalar(select(UnitKey).where(UnitKey.key_id == key_id))
    if key is None:
        raise NotFound("没有这个接口密钥")
    if key.revoked_at is None:
        key.revoked_at = now
        session.get_one(User, key.user_id).active = False
        _tell(session, "unit_key.revoke", session.get_one(Unit, key.unit_id), actor, now, key=key.key_id)
        session.flush()
    return key


def new_webhook_secret(session: Session, *, unit: Unit, actor: Actor, now: datetime) -> str:
    """Return a new secret for the signatures of our pushes to a unit; the old one is gone. Shown once."""
    unit.webhook_secret = secrets.token_urlsafe(32)
    _tell(session, "unit_key.webhook", unit, actor, now)
    session.flush()
    return unit.webhook_secret


def keys_of(session: Session, unit_id: int) -> Sequence[UnitKey]:
    """Return the keys of a unit's systems, the newest first, revoked ones included."""
    return session.scalars(select(UnitKey).where(UnitKey.unit_id == unit_id).order_by(UnitKey.id.desc())).all()


def holder_of(session: Session, key_id: str) -> tuple[str, Actor] | None:
    """Return the secret of a key that is in use and who acts with it; None when there is none."""
    found = session.execute(
        select(UnitKey, User)
        .join(User, User.id == UnitKey.user_id)
        .where(UnitKey.key_id == key_id, UnitKey.revoked_at.is_(None), User.active)
    ).one_or_none()
    return (found[0].secret, actor_of(found[1])) if found else None


def _tell(session: Session, act: str, unit: Unit, actor: Actor, now: datetime, **details: str) -> None:
    audit.record(session, at=now, user_id=actor.user_id, act=act, subject="unit", subject_id=unit.code, **details)
