"""Suspensions (挂起): an objective condition nobody can hurry, with a date on which it is looked at again (T18).

The unit's leader asks, the hub decides. While it lasts the order's clock stands still and its minutes are charged to
the granted pause; on the review date at the latest the order is in hand again.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import Final

from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.calendars.base import Calendar
from hotline.errors import Invalid
from hotline.work_orders import clock, derivation
from hotline.work_orders.asks import requests
from hotline.work_orders.derivation import What
from hotline.work_orders.guards import lead_sub, pending
from hotline.work_orders.models import OrderRequest, WorkOrder
from hotline.work_orders.rules import rules_of
from hotline.work_orders.states import Action, RequestKind, Status, SuspensionGround
from hotline.work_orders.steps import advance, note, note_rule_for, one_at_a_time, push, rule_for, sub_of

WAITS_FOR_AT_MOST: Final = 500


@one_at_a_time
def ask_suspension(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    ground: str,
    waits_for: str,
    review_at: datetime,
) -> OrderRequest:
    """Ask that the order stand still until ``review_at``, at most 30 days off.

    ``ground`` is a code of ``states.SuspensionGround``; ``waits_for`` says what must come. Raises ``Invalid`` naming
    every field at fault.
    """
    note_rule_for(order, Action.ASK_SUSPENSION, actor, now)
    _check(ground, waits_for, review_at, now, rules_of(order).bounds.suspended_days)
    due = clock.step_due(rules_of(order), "decide", order.urgency, now, calendar, tz)
    asked = requests.ask(
        order,
        RequestKind.SUSPENSION,
        actor=actor,
        now=now,
        reason=waits_for,
        sub=sub_of(order, actor),
        due_at=due.at if due else None,
        ground=ground,
        moment=review_at,
    )
    session.flush()
    note(
        session,
        order,
        Action.ASK_SUSPENSION,
        actor=actor,
        now=now,
        data={"request": asked.id, "ground": ground, "review_at": review_at.isoformat()},
        private={"waits_for": asked.reason},
        for_units=_readers(order),
    )
    return asked


@one_at_a_time
def suspend(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    answer: str = "",
) -> WorkOrder:
    """Agree (N6 or N8 to N18): the clock stands still. Raises ``Invalid`` where the review date is over meanwhile."""
    rule_for(order, Action.SUSPEND, actor, now)
    asked = pending(order, RequestKind.SUSPENSION)
    assert asked is not None, "rule_for asked"
    if asked.moment is None or asked.moment <= now:
        fault = "复核日期已过，请不予同意，由单位重新申请"
        raise Invalid(fault, review_at=fault)
    requests.grant(asked, actor=actor, now=now, answer=answer)
    told = derivation.move(order, What.PAUSE, now=now, calendar=calendar, tz=tz)
    units = _readers(order)
    advance(
        session,
        order,
        Action.SUSPEND,
        actor=actor,
        now=now,
        step_due_at=asked.moment,
        data={"request": asked.id, "ground": asked.ground, "review_at": asked.moment.isoformat(), **told},
        private={"note": answer.strip()},
        for_units=units,
        messages=[push(order, unit_id, "suspended") for unit_id in units],
    )
    return order


@one_at_a_time
def refuse_suspension(session: Session, *, order: WorkOrder, actor: Actor, now: datetime, reason: str) -> OrderRequest:
    """Do not agree and say why; the order's clock runs on."""
    note_rule_for(order, Action.REFUSE_SUSPENSION, actor, now)
    asked = pending(order, RequestKind.SUSPENSION)
    assert asked is not None, "note_rule_for asked"
    requests.refuse(asked, actor=actor, now=now, answer=reason)
    note(
        session,
        order,
        Action.REFUSE_SUSPENSION,
        actor=actor,
        now=now,
        data={"request": asked.id},
        private={"reason": reason.strip()},
        for_units=_readers(order),
        messages=[push(order, asked.unit_id, "suspension_refused")] if asked.unit_id else [],
    )
    return asked


@one_at_a_time
def resume(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    reason: str = "",
) -> WorkOrder:
    """Take the order up again (N18 to N6 or N8): order and parts have left what they had left when it stopped."""
    rule_for(order, Action.RESUME, actor, now)
    since = derivation.paused_since(order)
    told = derivation.move(order, What.RESUME, now=now, calendar=calendar, tz=tz)
    if since is not None:
        derivation.resume_parts(order, since, max(now, order.updated_at), calendar, tz)
    below, above = lead_sub(order, 3), lead_sub(order, 2)
    holding = below or above
    assert holding is not None, "it was in hand when it stopped"
    advance(
        session,
        order,
        Action.RESUME,
        actor=actor,
        now=now,
        to=Status.IN_HAND_TIER3 if below else Status.IN_HAND,
        step_due_at=holding.deadline_at,
        data={"unit": holding.unit_id, **told},
        private={"reason": reason.strip()},
        for_units=_readers(order),
        messages=[push(order, unit_id, "resumed") for unit_id in _readers(order)],
    )
    return order


def _check(ground: str, waits_for: str, review_at: datetime, now: datetime, days: int) -> None:
    faults: dict[str, object] = {}
    if ground not in set(SuspensionGround):
        faults["ground"] = "请选择挂起的客观原因"
    if not waits_for.strip():
        faults["waits_for"] = "请写明等待什么"
    elif len(waits_for.strip()) > WAITS_FOR_AT_MOST:
        faults["waits_for"] = f"最多 {WAITS_FOR_AT_MOST} 字"
    if review_at <= now:
        faults["review_at"] = "复核日期应在现在之后"
    elif review_at - now > timedelta(days=days):
        faults["review_at"] = f"复核日期最晚在 {days} 天之内"
    if faults:
        raise Invalid("；".join(map(str, faults.values())), **faults)


def _readers(order: WorkOrder) -> list[int]:
    """Return the units that lead, tier 2 first."""
    return [sub.unit_id for sub in (lead_sub(order, 2), lead_sub(order, 3)) if sub is not None]
