"""What is missing from a demand (T5): asked of its caller, reminded of once, and closed with notice if it never comes.

The order's clock stands still and the minutes are the caller's. What goes to the telephone says in general words what
is wanted, never what the demand is about. Who cannot be written to stands on a list to be called, each time they are
asked; until somebody has called, no time for an answer runs and nothing is closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.calendars.base import Calendar
from hotline.errors import Invalid
from hotline.work_orders import clock, derivation
from hotline.work_orders.derivation import What
from hotline.work_orders.guards import reminded, untold
from hotline.work_orders.models import OrderEvent, WorkOrder
from hotline.work_orders.rules import rules_of
from hotline.work_orders.states import Action, CloseKind, Missing, Status
from hotline.work_orders.steps import advance, note, note_rule_for, one_at_a_time, rule_for, sms
from hotline.work_orders.words import MISSING_WORDS


@one_at_a_time
def ask_info(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    missing: Sequence[str],
    text: str = "",
) -> WorkOrder:
    """Ask the caller for what is missing (N2 to N3): the order's clock stands still until it comes.

    ``missing`` are codes of ``states.Missing``, told in their general words by text message, or by a call where none
    can be sent (see ``tell``); ``text`` says more to whoever takes the caller's call. Raises ``Invalid`` for none or
    unknown ones.
    """
    rule_for(order, Action.ASK_INFO, actor, now)
    if not missing or not set(missing) <= set(Missing):
        fault = "请选择需要补充的内容"
        raise Invalid(fault, missing=fault)
    told = derivation.move(order, What.PAUSE, now=now, calendar=calendar, tz=tz)
    texts = sms(order, "needs_info")
    advance(
        session,
        order,
        Action.ASK_INFO,
        actor=actor,
        now=now,
        step_due_at=_due(order, now=now, calendar=calendar, tz=tz) if texts else None,
        data={"missing": sorted(set(missing)), "by_telephone": not texts, **told},
        private={"text": text.strip()},
        messages=texts,
    )
    return order


@one_at_a_time
def tell(
    session: Session, *, order: WorkOrder, actor: Actor, now: datetime, calendar: Calendar, tz: tzinfo
) -> WorkOrder:
    """Note that a caller who gets no texts was told by a call what is missing: their time for an answer begins."""
    note_rule_for(order, Action.TELL, actor, now)
    order.step_due_at = _due(order, now=now, calendar=calendar, tz=tz)
    note(session, order, Action.TELL, actor=actor, now=now, data={"missing": missing_codes(order)})
    return order


def to_tell(session: Session) -> list[WorkOrder]:
    """Return the orders whose callers must yet be told by a call what is missing, the longest waiting first."""
    waiting = session.scalars(
        select(WorkOrder)
        # what was merged goes with its main order
        .where(WorkOrder.status == Status.NEEDS_INFO, WorkOrder.merged_into_id.is_(None))
        .where(WorkOrder.step_due_at.is_(None))
        .order_by(WorkOrder.updated_at, WorkOrder.id)
    )
    return [order for order in waiting if untold(order)]


@one_at_a_time
def supplemented(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    text: str,
    data: dict[str, Any],
) -> OrderEvent:
    """Take up what the caller told (N3 to N2): what was left of the clock when it stopped is left again."""
    rule_for(order, Action.SUPPLEMENT, actor, now)
    told = derivation.move(order, What.RESUME, now=now, calendar=calendar, tz=tz)
    review = clock.step_due(rules_of(order), "dispatch", order.urgency, now, calendar, tz)
    return advance(
        session,
        order,
        Action.SUPPLEMENT,
        actor=actor,
        now=now,
        step_due_at=review.at if review else None,
        data={**data, **told},
        private={"text": text.strip()},
    )


@one_at_a_time
def remind_or_close(
    session: Session, *, order: WorkOrder, actor: Actor, now: datetime, calendar: Calendar, tz: tzinfo
) -> WorkOrder:
    """Remind the caller once when the time for an answer is over; the second time close the order and say so.

    Who was never told has no time that could be over: the order goes to those to be called.
    """
    if untold(order):  # asked before such callers were called
        order.step_due_at = None
        session.flush()
        return order
    if reminded(order):
        return close_unanswered(session, order=order, actor=actor, now=now)
    note_rule_for(order, Action.ASK_INFO, actor, now)
    texts = sms(order, "needs_info")
    order.step_due_at = _due(order, now=now, calendar=calendar, tz=tz) if texts else None
    note(
        session,
        order,
        Action.ASK_INFO,
        actor=actor,
        now=now,
        data={"missing": missing_codes(order), "again": True, "by_telephone": not texts},
        messages=texts,
    )
    return order


@one_at_a_time
def close_unanswered(session: Session, *, order: WorkOrder, actor: Actor, now: datetime) -> WorkOrder:
    """Close an order whose caller was asked and reminded and did not answer (N3 to N16); they are told, not asked."""
    rule_for(order, Action.CLOSE, actor, now)
    order.close_kind = CloseKind.NO_INFO
    advance(
        session,
        order,
        Action.CLOSE,
        actor=actor,
        now=now,
        data={"round": order.round, "kind": CloseKind.NO_INFO.value},
        messages=sms(order, "no_info"),
    )
    return order


def missing_codes(order: WorkOrder) -> list[str]:
    """Return what the caller was asked for last; empty where nobody asked."""
    asked = next((event for event in reversed(order.events) if event.action == Action.ASK_INFO), None)
    return list(asked.data.get("missing", ())) if asked else []


def missing_words(order: WorkOrder) -> str:
    """Return the same in general words: ``具体地点、发生时间``."""
    return "、".join(MISSING_WORDS[Missing(code)] for code in missing_codes(order))


def _due(order: WorkOrder, *, now: datetime, calendar: Calendar, tz: tzinfo) -> datetime | None:
    due = clock.step_due(rules_of(order), "info", order.urgency, now, calendar, tz)
    return due.at if due else None
