"""Checks of what was reported: by the unit above (N11) and by the hub (N12)."""

from __future__ import annotations

from datetime import datetime, tzinfo

from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM, Actor
from hotline.calendars.base import Calendar
from hotline.errors import Invalid
from hotline.work_orders import clock
from hotline.work_orders.asks import waits
from hotline.work_orders.handling import last_reporter
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.rules import rules_of
from hotline.work_orders.states import Action, Status
from hotline.work_orders.steps import Message, advance, lead_sub, move_sub, push, rule_for


def approve(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    note: str = "",
) -> WorkOrder:
    """Accept what was reported: tier 2 passes it to the hub (N11 to N12), the hub to the callback (N12 to N14)."""
    rule_for(order, Action.APPROVE, actor)
    rules = rules_of(order)
    at_hub = order.status == Status.TO_CHECK_HUB
    if not at_hub:
        above = lead_sub(order, 2)
        assert above is not None, "rule_for found it"
        move_sub(above, Action.APPROVE)
        above.reported_at = now
        waits.end_for(session, order, above, now=now)
    due = clock.step_due(rules, "call_back" if at_hub else "check", order.urgency, now, calendar, tz)
    advance(
        session,
        order,
        Action.APPROVE,
        actor=actor,
        now=now,
        step_due_at=due.at if due else None,
        data={"round": order.round},
        private={"note": note.strip()},
        messages=[Message("callback.open", {"order_id": order.id})] if at_hub else [],
    )
    return order


def reject(session: Session, *, order: WorkOrder, actor: Actor, now: datetime, reason: str) -> WorkOrder:
    """Send a report back with a reason (N11 or N12 to N13); it is in the reporter's hands again at once."""
    rule_for(order, Action.REJECT, actor)
    if not reason.strip():
        raise Invalid("请写明驳回原因", reason="请写明驳回原因")
    reporter = last_reporter(session, order)
    above = lead_sub(order, 2)
    readers = {reporter.unit_id} | ({above.unit_id} if above else set())
    advance(
        session,
        order,
        Action.REJECT,
        actor=actor,
        now=now,
        holder=reporter,
        step_due_at=reporter.deadline_at,
        data={"unit": reporter.unit_id, "round": order.round},
        private={"reason": reason.strip()},
        for_units=readers,
    )
    take_up(session, order=order, now=now, what="sent_back")
    return order


def take_up(session: Session, *, order: WorkOrder, now: datetime, what: str) -> None:
    """Put the order into the hands of whoever reported (N13 or N15 to N6 or N8) and tell them ``what`` happened."""
    reporter = last_reporter(session, order)
    above = lead_sub(order, 2)
    for sub in {reporter, above} - {None}:
        assert sub is not None
        move_sub(sub, Action.TAKE_UP)
    advance(
        session,
        order,
        Action.TAKE_UP,
        actor=SYSTEM,
        now=now,
        to=Status.IN_HAND_TIER3 if reporter.tier == 3 else Status.IN_HAND,
        step_due_at=reporter.deadline_at,
        data={"unit": reporter.unit_id},
        messages=[push(order, reporter.unit_id, what)],
    )
