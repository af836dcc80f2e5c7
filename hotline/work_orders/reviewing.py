"""A closed order looked at again because its caller tells a new fact (T29): reopened, or kept as it was closed."""

from __future__ import annotations

from datetime import datetime, tzinfo

from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.calendars.base import Calendar
from hotline.errors import Invalid
from hotline.work_orders import clock, derivation
from hotline.work_orders.derivation import What
from hotline.work_orders.merging import on_its_own
from hotline.work_orders.models import SubOrder, WorkOrder
from hotline.work_orders.rules import rules_of
from hotline.work_orders.states import Action, Part, Status, SubState
from hotline.work_orders.steps import advance, move_sub, one_at_a_time, push, rule_for, sms


@one_at_a_time
def review(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    fact: str,
    call_id: int | None = None,
) -> WorkOrder:
    """Have a closed order looked at again for a new fact (N16 to N19), within 30 days of its closing.

    Raises ``Invalid`` without a fact.
    """
    rule_for(order, Action.REVIEW, actor, now)
    if not fact.strip():
        raise Invalid("请写明来电人提出的新情况", fact="请写明来电人提出的新情况")
    due = clock.step_due(rules_of(order), "review", order.urgency, now, calendar, tz, hard=order.hard)
    closed_at = order.closed_at
    advance(
        session,
        order,
        Action.REVIEW,
        actor=actor,
        now=now,
        step_due_at=due.at if due else None,
        data={"call_id": call_id, "closed_at": closed_at.isoformat() if closed_at else None},
        private={"fact": fact.strip()},
        messages=sms(order, "in_review"),
    )
    return order


@one_at_a_time
def reopen(
    session: Session, *, order: WorkOrder, actor: Actor, now: datetime, calendar: Calendar, tz: tzinfo, reason: str
) -> WorkOrder:
    """Put the order into the hands of whoever led at its end (N19 to N6 or N8): a round of its own with its own limit.

    What was said of the round before stays with that round. Raises ``Invalid`` without a reason, and where no unit
    had it.
    """
    rule_for(order, Action.TAKE_UP, actor, now)
    if not reason.strip():
        raise Invalid("请写明重新办理的理由", reason="请写明重新办理的理由")
    holding = _line_that_had_it(order)
    told = derivation.move(order, What.REVIEW, now=now, calendar=calendar, tz=tz)
    before = {"close_kind": order.close_kind, "satisfaction": order.final_satisfaction, "solved": order.final_solved}
    order.close_kind = order.final_satisfaction = order.final_solved = ""
    order.review_count += 1
    for sub in holding:
        move_sub(sub, Action.TAKE_UP)
        sub.closed_at, sub.deadline_at = None, order.deadline_at
    advance(
        session,
        order,
        Action.TAKE_UP,
        actor=actor,
        now=now,
        to=Status.IN_HAND_TIER3 if holding[-1].tier == 3 else Status.IN_HAND,
        step_due_at=order.deadline_at,
        data={"unit": holding[-1].unit_id, "round": order.round, "before": before, **told},
        private={"reason": reason.strip()},
        for_units={sub.unit_id for sub in holding},
        messages=[*(push(order, sub.unit_id, "reopened") for sub in holding), *sms(order, "reopened")],
    )
    on_its_own(session, order=order, now=now)
    return order


def _line_that_had_it(order: WorkOrder) -> list[SubOrder]:
    """Return the parts that led when the order was closed, tier 2 first."""
    led = [sub for sub in order.sub_orders if sub.part == Part.LEAD and sub.state == SubState.CLOSED]
    above = next((sub for sub in reversed(led) if sub.tier == 2), None)
    if above is None:
        fault = "这张工单没有单位办理过，请重新登记诉求"
        raise Invalid(fault, reason=fault)
    below = next((sub for sub in reversed(led) if sub.parent_id == above.id), None)
    return [above, below] if below else [above]


@one_at_a_time
def keep_closed(session: Session, *, order: WorkOrder, actor: Actor, now: datetime, reason: str) -> WorkOrder:
    """Leave the order as it was closed (N19 to N16), and when; the caller is told. ``Invalid`` without a reason."""
    rule_for(order, Action.CLOSE, actor, now)
    if not reason.strip():
        raise Invalid("请写明维持原结果的理由", reason="请写明维持原结果的理由")
    asked = next(event for event in reversed(order.events) if event.action == Action.REVIEW)
    order.closed_at = datetime.fromisoformat(asked.data["closed_at"])
    advance(
        session,
        order,
        Action.CLOSE,
        actor=actor,
        now=now,
        data={"round": order.round, "kept": True},
        private={"reason": reason.strip()},
        messages=sms(order, "review_kept"),
    )
    return order
