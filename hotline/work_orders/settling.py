"""Settled without a unit: by the hub's own coordination (T39), or checked where there is no citizen to ask (T40)."""

from __future__ import annotations

from datetime import datetime, tzinfo

from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.calendars.base import Calendar
from hotline.errors import Invalid
from hotline.work_orders import clock, evidence
from hotline.work_orders.closing import close_order
from hotline.work_orders.handling import report_faults
from hotline.work_orders.models import Report, WorkOrder
from hotline.work_orders.rules import rules_of
from hotline.work_orders.states import Action, CloseKind, FileKind, Solved, Status
from hotline.work_orders.steps import Message, advance, not_now, rule_for


def settle(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    spoke_to: str,
    result: str,
    public_reply: str,
    solved: str = Solved.YES,
    unsolved_reason: str = "",
) -> Report:
    """Settle the matter by the hub's own coordination (N2 to N14); the citizen is called back as always.

    ``spoke_to`` and ``result`` stay inside; ``public_reply`` goes to the citizen and may hold no telephone or ID
    number. Should the citizen not be satisfied, the order comes back to review and goes to a unit. Raises ``Invalid``
    naming every field at fault.
    """
    rule_for(order, Action.CALL_BACK, actor, now)
    faults = report_faults(
        contacted=False,
        contacted_at=None,
        contact_way="",
        solved=solved,
        unsolved_reason=unsolved_reason,
        public_reply=public_reply,
        now=now,
    )
    if not spoke_to.strip():
        faults["spoke_to"] = "请写明与谁协调"
    if not result.strip():
        faults["result"] = "请写明协调结果"
    if faults:
        raise Invalid("；".join(str(fault) for fault in faults.values()), **faults)
    row = Report(
        order_id=order.id,
        sub_order_id=None,
        round=order.round,
        contacted=False,
        solved=solved,
        unsolved_reason="" if solved == Solved.YES else unsolved_reason.strip(),
        public_reply=public_reply.strip(),
        process=f"{spoke_to.strip()}：{result.strip()}",
        user_id=actor.user_id,
        at=now,
    )
    session.add(row)
    due = clock.step_due(rules_of(order), "call_back", order.urgency, now, calendar, tz)
    advance(
        session,
        order,
        Action.CALL_BACK,
        actor=actor,
        now=now,
        step_due_at=due.at if due else None,
        data={"round": row.round, "solved": solved},
        private={
            "spoke_to": spoke_to.strip(),
            "result": result.strip(),
            "public_reply": row.public_reply,
            "unsolved_reason": row.unsolved_reason,
        },
        messages=[Message("callback.open", {"order_id": order.id})],
    )
    return row


def close_checked(session: Session, *, order: WorkOrder, actor: Actor, now: datetime, note: str = "") -> WorkOrder:
    """Close an order nobody called about (patrol, photograph) after comparing before and after (N12 to N16).

    It is no evaluation and counts in none. Raises ``Invalid`` without a photograph of each, ``NotAllowedNow`` where
    somebody is there to be asked or the result is not before the hub.
    """
    if order.status != Status.TO_CHECK_HUB:
        raise not_now(order, Action.CLOSE, actor)
    rule_for(order, Action.CLOSE, actor, now)
    if not evidence.has_before_and_after(order):
        fault = "请先有办理前、办理后的照片各一张，再核验办结"
        raise Invalid(fault, files=fault)
    compared = [file.sha256 for file in order.files if file.kind in (FileKind.BEFORE, FileKind.AFTER)]
    close_order(
        session,
        order,
        CloseKind.CHECKED,
        actor=actor,
        now=now,
        satisfaction="",
        solved="",
        data={"round": order.round, "files": compared},
        private={"note": note.strip()},
    )
    return order
