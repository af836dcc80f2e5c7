"""Notices to units (T28): 催办, 督办, 书面批评 and 约谈, the level they raise an order to, and what units reply."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.work_orders.models import Notice, SubOrder, WorkOrder
from hotline.work_orders.states import DONE, Action, NoticeKind, Supervision
from hotline.work_orders.steps import Message, note, note_rule_for, push
from hotline.work_orders.words import NOTICE_WORDS, SUPERVISION_WORDS

WORDS_AT_MOST: Final = 1000
RISING: Final = {level: height for height, level in enumerate(Supervision)}
# what the timers send as well: of these a unit gets one for each time an order runs out
ON_EXPIRY: Final = frozenset({NoticeKind.REMINDER, NoticeKind.CRITICISM})


def supervise(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    level: str,
    words: str,
    kind: str = "",
    unit_id: int | None = None,
    reply_due: datetime | None = None,
) -> Notice | None:
    """Put the order under supervision of ``level``, higher or lower, and say why; returns the notice sent, if any.

    With ``kind`` the unit is sent a notice with these words, to be replied to in writing by ``reply_due``. Raises
    ``Invalid`` naming every field at fault: an unknown level or kind, no words, a unit that has nothing to do with
    the order, a date that has passed, a notice of the kind the unit has not replied to yet or was sent already when
    this deadline passed, a level that stays as it is without a notice.
    """
    note_rule_for(order, Action.SUPERVISE, actor, now)
    expired = expiry(order, now) if kind in ON_EXPIRY else None
    _check(order, level=level, words=words, kind=kind, unit_id=unit_id, reply_due=reply_due, expired=expired, now=now)
    if not kind:
        _set_level(session, order, Supervision(level), actor=actor, now=now, private={"reason": words.strip()})
        return None
    part = next(sub for sub in reversed(order.sub_orders) if sub.unit_id == unit_id)
    return issue(
        session,
        order,
        part,
        NoticeKind(kind),
        level=Supervision(level),
        words=words.strip(),
        reply_due=reply_due,
        expired=expired,
        actor=actor,
        now=now,
    )


def issue(
    session: Session,
    order: WorkOrder,
    part: SubOrder,
    kind: NoticeKind,
    *,
    level: Supervision,
    words: str,
    reply_due: datetime | None,
    expired: datetime | None,
    actor: Actor,
    now: datetime,
) -> Notice:
    """Send one notice to the unit of ``part``: the row, the event and the push, the level with it."""
    notice = Notice(
        unit=part.unit,
        unit_id=part.unit_id,
        kind=kind,
        level=level,
        expired_at=expired,
        words=words,
        issued_by=actor.user_id,
        issued_at=now,
        reply_due_at=reply_due,
    )
    order.notices.append(notice)
    _set_level(
        session,
        order,
        level,
        actor=actor,
        now=now,
        data={
            "notice": kind.value,
            "unit": part.unit_id,
            "reply_due": reply_due.isoformat() if reply_due else None,
            "expired": expired.isoformat() if expired else None,
        },
        private={"words": words},
        for_units=[part.unit_id],
        messages=[push(order, part.unit_id, "notice")],
    )
    return notice


def turn_blue(session: Session, order: WorkOrder, *, actor: Actor, now: datetime, data: Mapping[str, Any]) -> None:
    """Note that the order needs looking at (T27); ``data``: the ground and since when."""
    _set_level(session, order, Supervision.BLUE, actor=actor, now=now, data=data)


def reply_notice(
    session: Session, *, order: WorkOrder, actor: Actor, now: datetime, text: str, notice_id: int | None = None
) -> Notice:
    """Reply in writing to a notice, by default to the oldest that waits; late is better than never, and is told.

    Raises ``NotAllowedNow`` for a notice that was replied to, ``Invalid`` for one that is not the unit's.
    """
    note_rule_for(order, Action.REPLY_NOTICE, actor, now)
    own = [notice for notice in order.notices if notice.unit_id == actor.unit_id]
    if notice_id is None:
        notice = next(one for one in own if one.replied_at is None)
    else:
        found = next((one for one in own if one.id == notice_id), None)
        if found is None:
            raise Invalid("没有这份督办通知", notice="没有这份督办通知")
        notice = found
    if notice.replied_at is not None:
        raise NotAllowedNow("这份督办通知已经回复", status=order.status)
    if fault := _text_fault(text, "请填写书面回复"):
        raise Invalid(fault, text=fault)
    notice.reply, notice.replied_by, notice.replied_at = text.strip(), actor.user_id, now
    note(
        session,
        order,
        Action.REPLY_NOTICE,
        actor=actor,
        now=now,
        data={
            "notice": notice.kind,
            "unit": notice.unit_id,
            "in_time": notice.reply_due_at is None or now <= notice.reply_due_at,
        },
        private={"reply": notice.reply},
    )
    return notice


def read_reply(session: Session, *, notice: Notice, actor: Actor, now: datetime) -> Notice:
    """Note that a supervisor has read what the unit replied; read before changes nothing. It is no step of the order.

    Raises ``NotPermitted`` for anybody else, ``NotAllowedNow`` before there is a reply.
    """
    if actor.role != Role.SUP:
        raise NotPermitted("督办回复由督办员审阅")
    if notice.replied_at is None:
        raise NotAllowedNow("承办单位还没有回复")
    if notice.read_at is None:
        notice.read_by, notice.read_at = actor.user_id, now
        session.flush()
    return notice


def expiry(order: WorkOrder, now: datetime) -> datetime | None:
    """Return the deadline that has passed on an open order, None while none has."""
    over = order.status not in DONE and order.deadline_at is not None and order.deadline_at < now
    return order.deadline_at if over else None


def sent(order: WorkOrder, unit_id: int, kind: NoticeKind, expired: datetime) -> Notice | None:
    """Return the notice of this kind the unit was sent about this expiry."""
    found = (one for one in order.notices if (one.unit_id, one.kind, one.expired_at) == (unit_id, kind, expired))
    return next(found, None)


def _set_level(
    session: Session,
    order: WorkOrder,
    level: Supervision,
    *,
    actor: Actor,
    now: datetime,
    data: Mapping[str, Any] | None = None,
    private: Mapping[str, Any] | None = None,
    for_units: list[int] | None = None,
    messages: list[Message] | None = None,
) -> None:
    before, order.supervision = order.supervision, level
    note(
        session,
        order,
        Action.SUPERVISE,
        actor=actor,
        now=now,
        data={"level": level.value, "before": str(before), **(data or {})},
        private=private,
        for_units=for_units or (),
        messages=messages or (),
    )


def _check(
    order: WorkOrder,
    *,
    level: str,
    words: str,
    kind: str,
    unit_id: int | None,
    reply_due: datetime | None,
    expired: datetime | None,
    now: datetime,
) -> None:
    faults: dict[str, object] = {}
    if level not in set(Supervision):
        faults["level"] = f"没有这个督办级别；可选：{'、'.join(SUPERVISION_WORDS.values())}"
    elif kind and level == Supervision.NONE:
        faults["level"] = "发出通知时请选择督办级别"
    elif not kind and level == order.supervision:
        faults["level"] = f"已经是{SUPERVISION_WORDS[Supervision(level)]}"
    if fault := _text_fault(words, "请写明通知内容" if kind else "请说明理由"):
        faults["words"] = fault
    if kind and kind not in set(NoticeKind):
        faults["kind"] = f"没有这种通知；可选：{'、'.join(NOTICE_WORDS.values())}"
    elif kind:
        faults |= _notice_faults(
            order, NoticeKind(kind), unit_id=unit_id, reply_due=reply_due, expired=expired, now=now
        )
    if faults:
        raise Invalid("；".join(str(fault) for fault in faults.values()), **faults)


def _notice_faults(
    order: WorkOrder,
    kind: NoticeKind,
    *,
    unit_id: int | None,
    reply_due: datetime | None,
    expired: datetime | None,
    now: datetime,
) -> dict[str, object]:
    faults: dict[str, object] = {}
    word = NOTICE_WORDS[kind]
    if reply_due is None:
        faults["reply_due"] = "请填写回复期限"
    elif reply_due <= now:
        faults["reply_due"] = "回复期限应在现在之后"
    if unit_id not in {sub.unit_id for sub in order.sub_orders}:
        faults["unit"] = "该单位没有承办这张工单"
    elif any(one.unit_id == unit_id and one.kind == kind and one.replied_at is None for one in order.notices):
        faults["kind"] = f"该单位还有一份{word}没有回复"
    elif unit_id is not None and expired is not None and sent(order, unit_id, kind, expired):
        faults["kind"] = f"这次超期已向该单位发过{word}"
    return faults


def _text_fault(text: str, when_empty: str) -> str:
    if not text.strip():
        return when_empty
    return f"最多 {WORDS_AT_MOST} 字" if len(text.strip()) > WORDS_AT_MOST else ""
