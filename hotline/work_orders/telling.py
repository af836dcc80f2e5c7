"""What the caller adds while the order is open (T35): more to know, or a push to hurry."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.errors import Invalid
from hotline.work_orders.models import OrderEvent, WorkOrder
from hotline.work_orders.states import Action
from hotline.work_orders.steps import note, note_rule_for, push
from hotline.work_orders.transitions import LIVE


def supplement(
    session: Session, *, order: WorkOrder, actor: Actor, now: datetime, text: str, call_id: int | None = None
) -> OrderEvent:
    """Add what the caller told later; every unit that holds the order is told at once."""
    if not text.strip():
        raise Invalid("请填写补充内容", text="请填写补充内容")
    return _tell(session, order, Action.SUPPLEMENT, actor=actor, now=now, text=text, call_id=call_id)


def urge(
    session: Session, *, order: WorkOrder, actor: Actor, now: datetime, text: str = "", call_id: int | None = None
) -> OrderEvent:
    """Note that the caller urges; counted, and shown to whoever holds the order."""
    return _tell(session, order, Action.URGE, actor=actor, now=now, text=text, call_id=call_id)


def _tell(
    session: Session, order: WorkOrder, action: Action, *, actor: Actor, now: datetime, text: str, call_id: int | None
) -> OrderEvent:
    note_rule_for(order, action, actor)
    holding = [sub.unit_id for sub in order.sub_orders if sub.state in LIVE]
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
        messages=[push(order, unit_id, action.value) for unit_id in holding],
    )
