"""What a unit holds against a demand or against a score, decided by a panel outside of it (T31, T32)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.errors import Invalid
from hotline.work_orders.asks import requests
from hotline.work_orders.guards import pending
from hotline.work_orders.models import OrderRequest, WorkOrder
from hotline.work_orders.states import Action, ClaimGround, RequestKind
from hotline.work_orders.steps import note, note_rule_for, push
from hotline.work_orders.words import CLAIM_WORDS

WORDS_AT_MOST: Final = 2000


def claim(
    session: Session, *, order: WorkOrder, actor: Actor, now: datetime, ground: str, evidence: str
) -> OrderRequest:
    """Claim that the demand is unreasonable, on one of the listed grounds and with what shows it; once an order.

    The order goes on meanwhile: its clock, its report and the citizen's callback stay what they are. Raises
    ``Invalid`` naming what is missing, ``NotAllowedNow`` after the order left the units' hands.
    """
    note_rule_for(order, Action.CLAIM, actor, now)
    faults: dict[str, object] = {}
    if ground not in set(ClaimGround):
        faults["ground"] = f"请选择申报类别：{'、'.join(CLAIM_WORDS.values())}"
    if fault := _text_fault(evidence, "请写明依据"):
        faults["evidence"] = fault
    if faults:
        raise Invalid("；".join(str(fault) for fault in faults.values()), **faults)
    row = requests.ask(order, RequestKind.CLAIM, actor=actor, now=now, reason=evidence, ground=ground)
    data = {"claim": ground, "unit": actor.unit_id}
    note(session, order, Action.CLAIM, actor=actor, now=now, data=data, private={"evidence": evidence.strip()})
    return row


def decide_claim(
    session: Session, *, order: WorkOrder, actor: Actor, now: datetime, upheld: bool, answer: str
) -> OrderRequest:
    """Decide what a unit claimed, for the panel; either way with reasons, which the unit reads.

    Raises ``NotPermitted`` for whoever is of the claimant's unit or one below it, ``Invalid`` without reasons.
    """
    return _decide(session, order, RequestKind.CLAIM, actor=actor, now=now, upheld=upheld, answer=answer)


def appeal(session: Session, *, order: WorkOrder, actor: Actor, now: datetime, reason: str) -> OrderRequest:
    """Appeal against how a closed order was scored, once and in time (``WorkOrder.appeal_until``).

    What the citizen said stays as it was said: an appeal that is upheld changes how it is counted, not the words.
    """
    note_rule_for(order, Action.APPEAL, actor, now)
    if fault := _text_fault(reason, "请说明申诉理由"):
        raise Invalid(fault, reason=fault)
    row = requests.ask(order, RequestKind.APPEAL, actor=actor, now=now, reason=reason)
    data = {"unit": actor.unit_id, "kind": order.close_kind, "satisfaction": order.final_satisfaction}
    note(session, order, Action.APPEAL, actor=actor, now=now, data=data, private={"reason": reason.strip()})
    return row


def decide_appeal(
    session: Session, *, order: WorkOrder, actor: Actor, now: datetime, upheld: bool, answer: str
) -> OrderRequest:
    """Decide an appeal for the panel, like ``decide_claim``."""
    return _decide(session, order, RequestKind.APPEAL, actor=actor, now=now, upheld=upheld, answer=answer)


_DECIDING: Final = {RequestKind.CLAIM: Action.DECIDE_CLAIM, RequestKind.APPEAL: Action.DECIDE_APPEAL}


def _decide(
    session: Session,
    order: WorkOrder,
    kind: RequestKind,
    *,
    actor: Actor,
    now: datetime,
    upheld: bool,
    answer: str,
) -> OrderRequest:
    action = _DECIDING[kind]
    note_rule_for(order, action, actor, now)
    row = pending(order, kind)
    assert row is not None, "the guard found it"
    if fault := _text_fault(answer, "请写明裁定意见"):
        raise Invalid(fault, answer=fault)
    (requests.grant if upheld else requests.refuse)(row, actor=actor, now=now, answer=answer)
    units = [row.unit_id] if row.unit_id is not None else []
    note(
        session,
        order,
        action,
        actor=actor,
        now=now,
        data={"upheld": upheld, "unit": row.unit_id},
        private={"answer": answer.strip()},
        for_units=units,
        messages=[push(order, unit_id, "decided") for unit_id in units],
    )
    return row


def _text_fault(text: str, when_empty: str) -> str:
    if not text.strip():
        return when_empty
    return f"最多 {WORDS_AT_MOST} 字" if len(text.strip()) > WORDS_AT_MOST else ""
