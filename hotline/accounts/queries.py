"""Reads on people who log in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.accounts.roles import Role

PROGRAM: Final = "program-"  # begins the name of a user nobody logs in as: a program with a token


def persons() -> ColumnElement[bool]:
    """Pass people, not programs."""
    return ~User.username.startswith(PROGRAM)


def last_administrator(session: Session) -> str | None:
    """Return the user name of the only administrator who can log in; None when there are several, or none."""
    keepers = session.scalars(select(User.username).where(User.role == Role.ADM, User.active, persons()).limit(2)).all()
    return keepers[0] if len(keepers) == 1 else None


def named(session: Session, user_ids: Iterable[int | None]) -> dict[int, User]:
    """Return the users with these ids, by id; ids nobody has are left out."""
    wanted = {user_id for user_id in user_ids if user_id is not None}
    return {user.id: user for user in session.scalars(select(User).where(User.id.in_(wanted)))} if wanted else {}


def by_username(session: Session, username: str) -> User | None:
    """Return the user with this name to log in by."""
    return session.scalar(select(User).where(User.username == username))


def called(session: Session, text: str) -> list[User]:
    """Return the users whose name or user name holds ``text``, by user name."""
    return list(
        session.scalars(
            select(User)
            .where(
                or_(User.display_name.contains(text, autoescape=True), User.username.contains(text, autoescape=True))
            )
            .order_by(User.username)
        )
    )
