"""Verbs on callers: remember, change, show with a reason, erase."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, delete
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts.roles import HUB, UNITS
from hotline.accounts.service import Actor
from hotline.callers.models import Caller
from hotline.callers.numbers import mask, normalise
from hotline.db import PreparedInsert, key_ring
from hotline.errors import Invalid, NotAllowedNow, NotPermitted

PERSONAL: Final = ("phone", "name", "contact", "email")
REASON_AT_LEAST: Final = 4
REASON_AT_MOST: Final = 200
NAME_AT_MOST: Final = 60
CONTACT_AT_MOST: Final = 120


def remember(
    session: Session, *, phone: str | None, name: str | None = None, contact: str | None = None, now: datetime
) -> Caller:
    """Add who called in one contact. ``phone`` as a carrier or a person wrote it; withheld or absurd: kept as None."""
    number = normalise(phone)
    caller = Caller(
        phone=number,
        phone_index=key_ring().index(number) if number else None,
        phone_mask=mask(number),
        salt=secrets.token_hex(16),
        created_at=now,
    )
    _set_name(caller, name)
    _set_contact(caller, contact)
    session.add(caller)
    session.flush()
    return caller


_NEW: Final = PreparedInsert(Caller, "phone", "phone_index", "phone_mask", "salt", "created_at")
_GONE: Final = delete(Caller).where(Caller.id == bindparam("caller_id"))


def remember_contact(connection: Connection, *, phone: str | None, now: datetime) -> int:
    """Add who called when only the number is known yet, and return the id: ``remember`` at a fifth of its cost."""
    number = normalise(phone)
    index = key_ring().index(number) if number else None
    caller_id = _NEW.run(connection, number, index, mask(number), secrets.token_hex(16), now)
    assert caller_id is not None  # nothing of a caller is unique
    return caller_id


def forget_contact(connection: Connection, caller_id: int) -> None:
    """Take back a contact of the present transaction that turned out to be written by another."""
    connection.execute(_GONE, {"caller_id": caller_id})


def set_details(
    session: Session, *, caller: Caller, name: str | None = None, contact: str | None = None, email: str | None = None
) -> None:
    """Write down what the caller told; None leaves a field, an empty string clears it.

    Raises ``Invalid`` when too long, ``NotAllowedNow`` once erased.
    """
    if caller.erased_at is not None:
        raise NotAllowedNow("来电人信息已按规定删除，不能再修改")
    if name is not None:
        _set_name(caller, name)
    if contact is not None:
        _set_contact(caller, contact)
    if email is not None:
        caller.email = email.strip() or None
    session.flush()


def _set_name(caller: Caller, name: str | None) -> None:
    caller.name = (name or "").strip() or None
    if caller.name and len(caller.name) > NAME_AT_MOST:
        raise Invalid("姓名过长", name=f"姓名最多 {NAME_AT_MOST} 个字")


def _set_contact(caller: Caller, contact: str | None) -> None:
    text = (contact or "").strip()
    if len(text) > CONTACT_AT_MOST:
        raise Invalid("联系方式过长", contact=f"联系方式最多 {CONTACT_AT_MOST} 个字")
    caller.contact = normalise(text) or text or None
    caller.contact_index = key_ring().index(caller.contact) if caller.contact else None


def commitment(caller: Caller) -> str:
    """Return the salted SHA-256 of the personal fields as 64 hex digits: the order's chain keeps it, not the fields.

    Raises ``NotAllowedNow`` once erased: the salt is gone, and that is the point.
    """
    if caller.salt is None:
        raise NotAllowedNow("来电人信息已按规定删除")
    fields = {name: getattr(caller, name) for name in PERSONAL}
    plain = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{caller.salt}{plain}".encode()).hexdigest()


def reveal(
    session: Session,
    *,
    caller: Caller,
    field: str,
    actor: Actor,
    reason: str,
    now: datetime,
    own_open_call: bool = False,
    unit_may: Callable[[], bool] | None = None,
) -> str:
    """Return one personal field in the clear ("" when never told) and leave a row saying who looked and why.

    ``own_open_call``: the actor is in a call or task with this caller, so no reason is asked; the row is left all
    the same. ``unit_may`` answers for unit roles whether they hold an order of this caller that is not confidential.
    Raises ``Invalid`` (unknown field, reason shorter than four characters) or ``NotPermitted``.
    """
    if field not in PERSONAL:
        raise Invalid("没有这个字段", field=f"可显示的字段：{'、'.join(PERSONAL)}")
    hub = actor.role in HUB
    if not hub and not (actor.role in UNITS and unit_may is not None and unit_may()):
        raise NotPermitted("您无权查看来电人信息")
    words = reason.strip()
    if len(words) < REASON_AT_LEAST and not (hub and own_open_call):
        raise Invalid("请填写查看理由", reason=f"查看理由至少 {REASON_AT_LEAST} 个字")
    if len(words) > REASON_AT_MOST:
        raise Invalid("查看理由过长", reason=f"查看理由最多 {REASON_AT_MOST} 个字")
    audit.record(
        session,
        at=now,
        user_id=actor.user_id,
        act="reveal",
        subject="caller",
        subject_id=caller.id,
        reason=words or "本人正在处理的通话",
        field=field,
    )
    value: str | None = getattr(caller, field)
    return value or ""


def erase(session: Session, *, caller: Caller, actor: Actor, reason: str, now: datetime) -> None:
    """Forget the person for good, salt included; the id stays, and a row in the access log. Twice changes nothing."""
    if caller.erased_at is not None:
        return
    for name in (*PERSONAL, "phone_index", "contact_index", "salt"):
        setattr(caller, name, None)
    caller.phone_mask = ""
    caller.erased_at = now
    audit.record(
        session, at=now, user_id=actor.user_id, act="erase", subject="caller", subject_id=caller.id, reason=reason
    )
