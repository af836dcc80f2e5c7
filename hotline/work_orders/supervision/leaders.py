"""What a leader wrote on an order (领导批示), put down by a supervisor for everybody who handles it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.errors import Invalid
from hotline.work_orders.guards import live_subs
from hotline.work_orders.models import OrderEvent, WorkOrder
from hotline.work_orders.states import Action
from hotline.work_orders.steps import note, note_rule_for, push

NAME_AT_MOST: Final = 40
TEXT_AT_MOST: Final = 1000


def note_leader(
    session: Session, *, order: WorkOrder, actor: Actor, now: datetime, leader: str, text: str
) -> OrderEvent:
    """Write a leader's instruction into the order: shown to the hub and to every unit that holds it, which are told.

    Raises ``Invalid`` naming ``leader`` or ``text`` where one is empty or too long.
    """
    note_rule_for(order, Action.LEADER_NOTE, actor, now)
    faults: dict[str, object] = {}
    for name, typed, word, most in (
        ("leader", leader, "批示领导", NAME_AT_MOST),
        ("text", text, "批示内容", TEXT_AT_MOST),
    ):
        if not typed.strip():
            faults[name] = f"请填写{word}"
        elif len(typed.strip()) > most:
            faults[name] = f"{word}最多 {most} 字"
    if faults:
        raise Invalid("；".join(str(fault) for fault in faults.values()), **faults)
    holding = [sub.unit_id for sub in live_subs(order)]
    order.leader_note = True
    return note(
        session,
        order,
        Action.LEADER_NOTE,
        actor=actor,
        now=now,
        private={"leader": leader.strip(), "instruction": text.strip()},
        for_units=holding,
        messages=[push(order, unit_id, "leader_note") for unit_id in holding],
    )
