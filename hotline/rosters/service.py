"""Verbs on the roster. Leaders keep that of their own unit and those below it, supervisors every one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts.models import User
from hotline.accounts.service import Actor
from hotline.callers.numbers import mask, normalise
from hotline.errors import Invalid, NotFound, NotPermitted
from hotline.rosters import queries
from hotline.rosters.models import DutyShift
from hotline.units.models import Unit

LONGEST: Final = timedelta(days=8)
WEEK: Final = timedelta(days=7)
NAME_AT_MOST: Final = 40
LAST_POSITION: Final = 9


def put_shift(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    unit: Unit,
    name: str,
    phone: str,
    starts_at: datetime | None,
    ends_at: datetime | None,
    position: int = 1,
    username: str = "",
    shift: DutyShift | None = None,
) -> DutyShift:
    """Put somebody on duty for a unit, or change ``shift``. ``phone`` as people write numbers; ``username``: their own
    account, if they have one in this unit. Raises ``Invalid`` naming every field at fault, or ``NotPermitted``."""
    _keeper(session, actor, unit)
    number = normalise(phone)
    faults: dict[str, object] = {}
    if not name.strip() or len(name.strip()) > NAME_AT_MOST:
        faults["name"] = f"请填写值班人员姓名，最多 {NAME_AT_MOST} 字"
    if number is None:
        faults["phone"] = "电话号码不对，例如 0318-2024114 或手机号码"
    if starts_at is None or ends_at is None or ends_at <= starts_at:
        faults["ends_at"] = "结束时间应晚于开始时间"
    elif ends_at - starts_at > LONGEST:
        faults["ends_at"] = "一个班次最长 8 天"
    if not 1 <= position <= LAST_POSITION:
        faults["position"] = f"拨打顺序为 1 到 {LAST_POSITION}"
    user = session.scalar(select(User).where(User.username == username.strip(), User.active)) if username else None
    if username.strip() and (user is None or user.unit_id != unit.id):
        faults["username"] = f"{unit.name}没有用户 {username.strip()}"
    if faults or number is None or starts_at is None or ends_at is None:
        raise Invalid("；".join(str(words) for words in faults.values()), **faults)
    before = _state(shift) if shift is not None else None
    if shift is None:
        shift = DutyShift(unit_id=unit.id, created_at=now)
        session.add(shift)
    shift.unit_id, shift.user_id, shift.name = unit.id, user.id if user else None, name.strip()
    shift.phone, shift.phone_mask, shift.position = number, mask(number), position
    shift.starts_at, shift.ends_at = starts_at, ends_at
    session.flush()
    _tell(session, actor, now, shift, before)
    return shift


def remove_shift(session: Session, *, actor: Actor, now: datetime, shift: DutyShift) -> None:
    """Take a shift off the roster; what was rung by it stays written. Raises ``NotPermitted``."""
    _keeper(session, actor, session.get_one(Unit, shift.unit_id))
    audit.record(
        session,
        at=now,
        user_id=actor.user_id,
        act="remove",
        subject="duty_shift",
        subject_id=str(shift.id),
        before=_state(shift),
    )
    session.delete(shift)
    session.flush()


def shift_of(session: Session, actor: Actor, shift_id: int) -> DutyShift:
    """Return a shift the actor may read, or raise ``NotFound``."""
    shift = session.get(DutyShift, shift_id)
    if shift is None:
        raise NotFound("没有这个班次")
    queries.unit_of(session, actor, shift.unit_id)
    return shift


def copy_week(session: Session, *, actor: Actor, now: datetime, unit: Unit, monday: datetime) -> int:
    """Copy the shifts that began in the week before ``monday`` a week on; one that stands there already is left.

    Returns how many were added. Raises ``NotPermitted``, and ``Invalid`` when there is nothing to copy.
    """
    _keeper(session, actor, unit)
    last = [one for one in queries.between(session, unit.id, monday - WEEK, monday) if one.starts_at >= monday - WEEK]
    if not last:
        raise Invalid("上周没有排班，没有可以复制的")
    there = {_key(one) for one in queries.between(session, unit.id, monday, monday + 2 * WEEK)}
    added = 0
    for one in last:
        new = DutyShift(
            unit_id=unit.id,
            user_id=one.user_id,
            name=one.name,
            phone=one.phone,
            phone_mask=one.phone_mask,
            starts_at=one.starts_at + WEEK,
            ends_at=one.ends_at + WEEK,
            position=one.position,
            created_at=now,
        )
        if _key(new) not in there:
            session.add(new)
            session.flush()
            _tell(session, actor, now, new, None)
            added += 1
    return added


def _key(shift: DutyShift) -> tuple[str, datetime, datetime]:
    return shift.name, shift.starts_at, shift.ends_at


def _keeper(session: Session, actor: Actor, unit: Unit) -> None:
    if actor.role not in queries.KEEPERS or not queries.may_read(session, actor, unit):
        raise NotPermitted("值班表由本单位负责人或督办员安排")


def _state(shift: DutyShift) -> dict[str, object]:
    return {
        "unit": shift.unit_id,
        "name": shift.name,
        "phone": shift.phone_mask,
        "starts_at": shift.starts_at.isoformat(),
        "ends_at": shift.ends_at.isoformat(),
        "position": shift.position,
    }


def _tell(session: Session, actor: Actor, now: datetime, shift: DutyShift, before: dict[str, object] | None) -> None:
    audit.changed(
        session,
        at=now,
        user_id=actor.user_id,
        subject="duty_shift",
        subject_id=str(shift.id),
        before=before,
        after=_state(shift),
    )
