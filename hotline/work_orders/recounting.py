"""A calendar is published, or a city changes a day: open orders get the time due to them, and none loses any."""

from __future__ import annotations

from datetime import datetime, tzinfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.calendars.base import Calendar
from hotline.work_orders import derivation
from hotline.work_orders.derivation import What
from hotline.work_orders.guards import lead_sub
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import OPEN, STATES, Action, Status
from hotline.work_orders.steps import note, note_rule_for, one_at_a_time


def to_recount(session: Session, *, after_id: int, at_most: int) -> list[WorkOrder]:
    """Return open orders with a deadline, by id from ``after_id`` on."""
    return list(
        session.scalars(
            select(WorkOrder)
            .where(WorkOrder.id > after_id, WorkOrder.deadline_at.is_not(None), WorkOrder.status.in_(OPEN))
            .order_by(WorkOrder.id)
            .limit(at_most)
        )
    )


@one_at_a_time
def recount(session: Session, *, order: WorkOrder, actor: Actor, now: datetime, calendar: Calendar, tz: tzinfo) -> bool:
    """Move the deadline where the calendar gives more time, or settles what was provisional; whether it did."""
    found = derivation.of_order(order, calendar, tz)
    if found is None or order.deadline_at is None:
        return False
    if found.at <= order.deadline_at and found.provisional == order.deadline_provisional:
        return False
    note_rule_for(order, Action.RECOUNT, actor, now)
    was = order.deadline_at
    tier = STATES[Status(order.status)].tier
    holding = lead_sub(order, tier) if tier else None
    due_with_it = holding is not None and order.step_due_at == holding.deadline_at
    told = derivation.move(order, What.RECOUNT, now=now, calendar=calendar, tz=tz)
    derivation.carry_parts(order, was, calendar, tz)
    if holding is not None and due_with_it:
        order.step_due_at = holding.deadline_at
    note(session, order, Action.RECOUNT, actor=actor, now=now, data=told)
    return True
