"""Verbs on people who log in."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts.models import ApiToken, User
from hotline.accounts.queries import PROGRAM, last_administrator
from hotline.accounts.roles import UNITS, Role
from hotline.errors import Invalid, NotAllowedNow, NotPermitted

PASSWORD_AT_LEAST = 10
LAST_ADMINISTRATOR: Final = "这是最后一位系统管理员，不能停用或换岗"
TOO_SHORT = f"密码至少 {PASSWORD_AT_LEAST} 位"
_hasher = PasswordHasher()
# verified against when the user name is unknown, so that the answer takes as long as for a known one
_NOBODY = _hasher.hash(secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user, or the system itself (``user_id`` None, ``role`` "SYS")."""

    user_id: int | None
    role: str
    unit_id: int | None = None
    name: str = ""


SYSTEM = Actor(user_id=None, role="SYS", name="系统")


def actor_of(user: User) -> Actor:
    """Return the user as an actor."""
    return Actor(user_id=user.id, role=user.role, unit_id=user.unit_id, name=user.display_name)


class HashedPassword(str):
    """A password already checked and hashed, for many users who begin with the same one."""

    __slots__ = ()


def hash_password(password: str) -> HashedPassword:
    """Return the hash of a password. Raises ``Invalid`` when it is too short."""
    if len(password) < PASSWORD_AT_LEAST:
        raise Invalid(TOO_SHORT, password=TOO_SHORT)
    return HashedPassword(_hasher.hash(password))


def create_user(
    session: Session,
    *,
    username: str,
    display_name: str,
    password: str | HashedPassword,
    role: str,
    now: datetime,
    unit_id: int | None = None,
    seat: str = "",
) -> User:
    """Add a user. Raises ``Invalid`` for a short password, a taken name, an unknown role or a missing unit."""
    faults: dict[str, object] = {}
    if len(password) < PASSWORD_AT_LEAST:
        faults["password"] = TOO_SHORT
    faults |= _role_faults(role, unit_id)
    if not username.strip():
        faults["username"] = "请填写用户名"
    elif session.scalar(select(User.id).where(User.username == username)):
        faults["username"] = f"用户名 {username} 已有人使用"
    if faults:
        raise Invalid("；".join(str(fault) for fault in faults.values()), **faults)
    user = User(
        username=username,
        display_name=display_name or username,
        password_hash=password if isinstance(password, HashedPassword) else hash_password(password),
        role=role,
        unit_id=unit_id,
        seat=seat,
        created_at=now,
    )
    session.add(user)
    session.flush()
    return user


_CODE_LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that is read for another
_CODE_LENGTH: Final = 16
# eighty random bits need no slow hash, and a city brings thousands of people at once
_code_hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def put_user(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    username: str,
    display_name: str,
    role: str,
    unit_id: int | None = None,
    seat: str = "",
    active: bool = True,
) -> tuple[User, str | None]:
    """Add a user or change the one of this name; leaves an audit row where something changed.

    Returns the user and, for a new one, the code to log in with once, which is kept nowhere. Another role or unit, or
    none any more, ends every log-in. Raises ``Invalid`` as ``create_user`` does, and ``NotAllowedNow`` when no
    administrator would be left who can log in.
    """
    user = session.scalar(select(User).where(User.username == username))
    if user is None:
        code = _new_code()
        user = create_user(
            session,
            username=username,
            display_name=display_name,
            password=HashedPassword(_code_hasher.hash(code)),
            role=role,
            unit_id=unit_id,
            seat=seat,
            now=now,
        )
        user.must_set_password, user.active = True, active
        _tell(session, actor, now, user, None)
        return user, code
    if faults := _role_faults(role, unit_id):
        raise Invalid("；".join(str(fault) for fault in faults.values()), **faults)
    if (role != Role.ADM or not active) and last_administrator(session) == username:
        raise NotAllowedNow(LAST_ADMINISTRATOR)
    before = user_state(user)
    if (role, unit_id, active) != (user.role, user.unit_id, user.active):
        user.session_version += 1
    user.display_name, user.role, user.unit_id, user.seat, user.active = display_name, role, unit_id, seat, active
    _tell(session, actor, now, user, before)
    session.flush()
    return user, None


def give_code(session: Session, *, actor: Actor, now: datetime, user: User) -> str:
    """Return a code with which the user logs in once and sets a password; the old one and every log-in end."""
    code = _new_code()
    user.password_hash = _code_hasher.hash(code)
    user.must_set_password = True
    user.session_version += 1
    audit.record(session, at=now, user_id=actor.user_id, act="give_code", subject="user", subject_id=user.username)
    return code


def user_state(user: User) -> dict[str, object]:
    """Return what of a user an administrator can change."""
    return {
        "display_name": user.display_name,
        "role": user.role,
        "unit_id": user.unit_id,
        "seat": user.seat,
        "active": user.active,
    }


def _tell(session: Session, actor: Actor, now: datetime, user: User, before: dict[str, object] | None) -> None:
    audit.changed(
        session,
        at=now,
        user_id=actor.user_id,
        subject="user",
        subject_id=user.username,
        before=before,
        after=user_state(user),
    )


def _new_code() -> str:
    return "".join(secrets.choice(_CODE_LETTERS) for _ in range(_CODE_LENGTH))


def _role_faults(role: str, unit_id: int | None) -> dict[str, object]:
    if role not in Role.__members__:
        return {"role": f"没有角色 {role}"}
    return {"unit": "承办单位人员必须属于一个单位"} if role in UNITS and unit_id is None else {}


def create_program(session: Session, *, role: str, unit_id: int | None, now: datetime) -> User:
    """Add a user no person can log in as, for a bearer token to act as."""
    return create_user(
        session,
        username=PROGRAM + secrets.token_hex(6),
        display_name="程序接口",
        password=secrets.token_urlsafe(32),
        role=role,
        unit_id=unit_id,
        now=now,
    )


def authenticate(session: Session, *, username: str, password: str, now: datetime) -> User:
    """Return the active user with this password, leaving a row either way. Raises ``NotPermitted`` otherwise.

    One sentence for every cause, so that nobody learns which names exist.
    """
    user = session.scalar(select(User).where(User.username == username))
    known = _matches(user.password_hash if user else _NOBODY, password)
    if user is None or not known or not user.active:
        raise NotPermitted("用户名或密码不正确")
    audit.record(session, at=now, user_id=user.id, act="log_in", subject="user", subject_id=user.id)
    return user


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def set_password(session: Session, *, user: User, password: str) -> None:
    """Give the user a new password and end every log-in. Raises ``Invalid`` when it is too short."""
    user.password_hash = hash_password(password)
    user.must_set_password = False
    user.session_version += 1
    session.flush()


def end_log_ins(session: Session, *, user_id: int) -> None:
    """End every log-in of this user with a browser, wherever its cookie has been copied to. Tokens stay."""
    session.get_one(User, user_id).session_version += 1
    session.flush()


def create_token(session: Session, *, user_id: int, now: datetime) -> str:
    """Make a bearer token for a user and return it; only its hash is kept."""
    token = "hl_" + secrets.token_urlsafe(32)
    session.add(ApiToken(token_hash=_digest(token), user_id=user_id, created_at=now))
    session.flush()
    return token


def user_of_token(session: Session, token: str) -> User:
    """Return the active user behind a bearer token, or raise ``NotPermitted``."""
    user = session.scalar(
        select(User)
        .join(ApiToken, ApiToken.user_id == User.id)
        .where(ApiToken.token_hash == _digest(token), ApiToken.revoked_at.is_(None), User.active)
    )
    if user is None:
        raise NotPermitted("令牌无效或已停用")
    return user


def _digest(token: str) -> str:
    # a random 256-bit token needs no slow hash
    return hashlib.sha256(token.encode()).hexdigest()
