"""What is missing from a demand (T5): asked of its caller, reminded of once, and closed with notice if it never comes.

The order's clock stands still and the minutes are the caller's. What goes to the telephone says in general words what
is wanted, never what the demand is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.calendars.base import Calendar
from hotline.errors import Invalid
from hotline.work_orders import clock, derivation
from hotline.work_orders.derivation import What
from hotline.work_orders.guards import reminded
from hotline.work_orders.models import OrderEvent, WorkOrder
from hotline.work_orders.rules import rules_of
from hotline.work_orders.states import Action, CloseKind, Missing
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

    ``missing`` are codes of ``states.Missing``, told by text message in their general words; ``text`` says more to
    whoever takes the caller's call. Raises ``Invalid`` for none or unknown ones.
    """
    rule_for(order, Action.ASK_INFO, actor, now)
    if not missing or not set(missing) <= set(Missing):
        fault = "请选择需要补充的内容"
        raise Invalid(fault, missing=fault)
    told = derivation.move(order, What.PAUSE, now=now, calendar=calendar, tz=tz)
    advance(
        session,
        order,
        Action.ASK_INFO,
        actor=actor,
        now=now,
        step_due_at=_due(order, now=now, calendar=calendar, tz=tz),
        data={"missing": sorted(set(missing)), **told},
        private={"text": text.strip()},
        messages=sms(order, "needs_info"),
    )
    return order


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
    """Remind the caller once when the time for an answer is over; the second time close the order and say so."""
    if reminded(order):
        return close_unanswered(session, order=order, actor=actor, now=now)
    note_rule_for(order, Action.ASK_INFO, actor, now)
    order.step_due_at = _due(order, now=now, calendar=calendar, tz=tz)
    note(
        session,
        order,
        Action.ASK_INFO,
        actor=actor,
        now=now,
        data={"missing": missing_codes(order), "again": True},
        messages=sms(order, "needs_info"),
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
