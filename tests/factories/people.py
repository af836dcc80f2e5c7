"""Users of every kind, quickly: no password is hashed unless a test logs in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.accounts.roles import Role
from hotline.accounts.service import Actor, actor_of
from hotline.units.models import Unit
from tests.conftest import NOON


def user(
    session: Session,
    role: str = Role.OPR,
    *,
    unit: Unit | None = None,
    name: str = "",
    username: str = "",
    active: bool = True,
    now: datetime = NOON,
) -> User:
    """Add a user who cannot log in (use ``accounts.service.create_user`` where the password matters)."""
    row = User(
        username=username or f"{role.lower()}-{unit.code if unit else 'hub'}-{_running(session)}",
        display_name=name or f"{role}{unit.name if unit else ''}",
        password_hash="!",
        role=role,
        unit_id=unit.id if unit else None,
        active=active,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def actor(session: Session, role: str = Role.OPR, *, unit: Unit | None = None, name: str = "") -> Actor:
    """Add a user and return them as an actor."""
    return actor_of(user(session, role, unit=unit, name=name))


def _running(session: Session) -> int:
    return session.query(User).count() + 1
