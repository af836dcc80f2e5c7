"""Recalls (T37): what was handed down or sent out comes back to whoever sent it.

Nothing failed by it: nobody objected, so it is counted as no return.
"""

from __future__ import annotations

from datetime import datetime, tzinfo

from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.calendars.base import Calendar
from hotline.errors import Invalid
from hotline.work_orders import clock, parts
from hotline.work_orders.asks import requests
from hotline.work_orders.guards import lead_sub, live_below, live_subs
from hotline.work_orders.models import SubOrder, WorkOrder
from hotline.work_orders.rules import rules_of
from hotline.work_orders.states import Action, Status, SubState
from hotline.work_orders.steps import (
    advance,
    alarm,
    is_assisting,
    note,
    note_rule_for,
    one_at_a_time,
    push,
    rule_for,
    sub_of,
)


@one_at_a_time
def recall(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    reason: str,
) -> WorkOrder:
    """Take back what one sent: a county from its township (N7 or N8 to N6), the hub before the lead signs (N5 to N2).

    An assisting unit takes back its own part from below only. What was asked of the parts taken back is dropped.
    ``Invalid`` without a reason.
    """
    assisting = is_assisting(order, actor)
    (note_rule_for if assisting else rule_for)(order, Action.RECALL, actor, now)
    if not reason.strip():
        raise Invalid("请写明撤回的原因", reason="请写明撤回的原因")
    if assisting:
        _from_below_beside(session, order, actor=actor, now=now, reason=reason)
    elif order.status == Status.TO_SIGN:
        _from_tier_2(session, order, actor=actor, now=now, calendar=calendar, tz=tz, reason=reason)
    else:
        _from_tier_3(session, order, actor=actor, now=now, reason=reason)
    return order


def _from_tier_3(session: Session, order: WorkOrder, *, actor: Actor, now: datetime, reason: str) -> None:
    above, below = lead_sub(order, 2), lead_sub(order, 3)
    assert above is not None and below is not None, "the states of tier 3 have both"
    parts.leave(order, below, Action.RECALL, now=now)
    advance(
        session,
        order,
        Action.RECALL,
        actor=actor,
        now=now,
        step_due_at=above.deadline_at,
        data={"unit": below.unit_id, "part": below.part},
        private={"reason": reason.strip()},
        for_units=[below.unit_id],
        messages=[push(order, below.unit_id, "recalled"), *alarm(order, [below.unit_id])],
    )


def _from_below_beside(session: Session, order: WorkOrder, *, actor: Actor, now: datetime, reason: str) -> None:
    below = live_below(order, sub_of(order, actor))
    for sub in below:
        parts.leave(order, sub, Action.RECALL, now=now)
    requests.drop_overtaken(order, now=now)
    gone = [sub.unit_id for sub in below]
    note(
        session,
        order,
        Action.RECALL,
        actor=actor,
        now=now,
        data={"unit": gone[0], "part": below[0].part},
        private={"reason": reason.strip()},
        for_units=gone,
        messages=[*(push(order, unit_id, "recalled") for unit_id in gone), *alarm(order, gone)],
    )


def _from_tier_2(
    session: Session, order: WorkOrder, *, actor: Actor, now: datetime, calendar: Calendar, tz: tzinfo, reason: str
) -> None:
    lead = lead_sub(order, 2)
    assert lead is not None, "what waits to be signed has a lead"
    gone = _all_that_have_not_reported(order)
    for sub in gone:
        parts.leave(order, sub, Action.RECALL, now=now)
    if order.first_unit_id == lead.unit_id and order.return_count == 0:
        order.first_unit_id = None  # it never had the order
    order.lead_unit = None
    order.responsibility_line_id = None
    units = [sub.unit_id for sub in gone]
    due = clock.step_due(rules_of(order), "dispatch", order.urgency, now, calendar, tz)
    advance(
        session,
        order,
        Action.RECALL,
        actor=actor,
        now=now,
        step_due_at=due.at if due else None,
        data={"lead": lead.unit_id, "assisting": [one for one in units if one != lead.unit_id]},
        private={"reason": reason.strip()},
        for_units=units,
        messages=[*(push(order, unit_id, "recalled") for unit_id in units), *alarm(order, units)],
    )


def _all_that_have_not_reported(order: WorkOrder) -> list[SubOrder]:
    """Return the parts of tier 2 that go; what an assisting unit has reported already is kept for the next dispatch."""
    return [sub for sub in live_subs(order) if sub.tier == 2 and sub.state != SubState.REPORTED]
