"""What the caller does while the order is open: tells more or hurries (T35), or takes it back (T36)."""

from __future__ import annotations

from datetime import datetime, tzinfo

from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.calendars.base import Calendar
from hotline.errors import Invalid
from hotline.work_orders.asks import information
from hotline.work_orders.models import OrderEvent, WorkOrder
from hotline.work_orders.states import Action, CloseKind, Status
from hotline.work_orders.steps import (
    Message,
    advance,
    live_subs,
    move_sub,
    note,
    note_rule_for,
    one_at_a_time,
    push,
    rule_for,
    sms,
)


@one_at_a_time
def supplement(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    text: str,
    call_id: int | None = None,
) -> OrderEvent:
    """Add what the caller told later; every unit that holds the order is told at once.

    An order that waited for it goes back to the review (N3 to N2), its clock running again.
    """
    if not text.strip():
        raise Invalid("请填写补充内容", text="请填写补充内容")
    if order.status == Status.NEEDS_INFO:
        return information.supplemented(
            session,
            order=order,
            actor=actor,
            now=now,
            calendar=calendar,
            tz=tz,
            text=text,
            data={"call_id": call_id},
        )
    return _tell(session, order, Action.SUPPLEMENT, actor=actor, now=now, text=text, call_id=call_id)


@one_at_a_time
def urge(
    session: Session, *, order: WorkOrder, actor: Actor, now: datetime, text: str = "", call_id: int | None = None
) -> OrderEvent:
    """Note that the caller urges; counted, and shown to whoever holds the order."""
    note_rule_for(order, Action.URGE, actor, now)
    order.urge_count += 1
    return _tell(session, order, Action.URGE, actor=actor, now=now, text=text, call_id=call_id)


def _tell(
    session: Session, order: WorkOrder, action: Action, *, actor: Actor, now: datetime, text: str, call_id: int | None
) -> OrderEvent:
    note_rule_for(order, action, actor, now)
    holding = [sub.unit_id for sub in reversed(live_subs(order))]
    # who works on a merged order holds the main one and knows it by that number alone
    main = order.merged_into
    told = [push(order, unit_id, action.value) for unit_id in holding]
    if main is not None:
        told += [push(main, sub.unit_id, action.value) for sub in live_subs(main)]
    return note(
        session,
        order,
        action,
        actor=actor,
        now=now,
        data={"call_id": call_id},
        private={"text": text.strip()},
        # what a caller who wants secrecy tells may tell who they are: the units learn that, not what, was told
        for_units=[] if order.confidential else holding,
        messages=told,
    )


@one_at_a_time
def withdraw(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    reason: str,
    read_back_ok: bool,
    call_id: int | None = None,
) -> WorkOrder:
    """Close the order because its caller takes it back, which was read back to them: nobody is asked or rated.

    Every part is closed and every unit told; a callback that waits is taken back too. Raises ``Invalid`` without a
    reason or the caller's yes, and ``NotAllowedNow`` for the kinds a call must not end (see ``states.SensitiveKind``).
    """
    rule_for(order, Action.WITHDRAW, actor, now)
    faults: dict[str, object] = {}
    if not reason.strip():
        faults["reason"] = "请写明撤诉原因"
    if not read_back_ok:
        faults["read_back_ok"] = "请向来电人复述，得到确认后再撤诉"
    if faults:
        raise Invalid("；".join(map(str, faults.values())), **faults)
    holding = live_subs(order)[::-1]
    # of a draft its caller never heard as an order
    told = sms(order, "withdrawn") if order.status != Status.DRAFT else []
    if order.status == Status.TO_CALL_BACK:
        told.append(Message("callback.withdraw", {"order_id": order.id, "round": order.round}))
    for sub in holding:
        move_sub(sub, Action.WITHDRAW)
        sub.closed_at = now
    order.close_kind = CloseKind.WITHDRAWN
    advance(
        session,
        order,
        Action.WITHDRAW,
        actor=actor,
        now=now,
        data={"call_id": call_id, "read_back_ok": True, "kind": CloseKind.WITHDRAWN.value},
        private={"reason": reason.strip()},
        # why somebody who wants secrecy takes it back may tell who they are
        for_units=[] if order.confidential else [sub.unit_id for sub in holding],
        messages=[push(order, sub.unit_id, Action.WITHDRAW.value) for sub in holding] + told,
    )
    return order
