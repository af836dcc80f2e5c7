"""Parts of an order, a sub-order per unit: given, left, and led by another. Who may is asked by the verbs around."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from hotline.calendars.base import Calendar
from hotline.units.models import Unit
from hotline.work_orders import clock
from hotline.work_orders.asks import requests
from hotline.work_orders.guards import live_below, live_subs
from hotline.work_orders.models import SubOrder, WorkOrder
from hotline.work_orders.rules import rules_of
from hotline.work_orders.states import Action, Part, RequestKind, RequestState, SubState
from hotline.work_orders.steps import move_sub


def give(
    order: WorkOrder,
    unit: Unit,
    part: Part,
    *,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    above: SubOrder | None = None,
    deadline_at: datetime | None = None,
    advice: str = "",
    returnable: bool = True,
) -> SubOrder:
    """Give a unit a part that it must sign, due with the order or at ``deadline_at``, and return it."""
    rules = rules_of(order)
    sign = clock.sign_due(rules, order.urgency, now, calendar, tz)
    back = clock.step_due(rules, "return", order.urgency, now, calendar, tz, hard=order.hard)
    sub = SubOrder(
        unit=unit,
        unit_id=unit.id,  # charged before the flush that would fill it
        parent_id=above.id if above else None,
        tier=unit.tier,
        part=part,
        state=SubState.TO_SIGN,
        assigned_at=now,
        sign_due_at=sign.at if sign else None,
        deadline_at=deadline_at or order.deadline_at,
        advice=advice,
        returnable=returnable,
        return_until=back.at if back and returnable else None,
        returns=0,
        before_return="",
    )
    order.sub_orders.append(sub)
    return sub


def share_out(
    order: WorkOrder,
    lead: Unit,
    assisting: Sequence[Unit],
    *,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    advice: str,
) -> SubOrder:
    """Let ``lead`` and ``assisting`` have the order and nobody else of tier 2; return the part that leads.

    A unit that assists already goes on with what it has; who led, or is to lead, gets a part to sign.
    """
    for sub in _of_tier_2(order):
        if sub.part == Part.LEAD or sub.unit not in assisting:
            leave(order, sub, Action.DESIGNATE, now=now)
    leading = give(order, lead, Part.LEAD, now=now, calendar=calendar, tz=tz, advice=advice)
    _let_assist(order, assisting, now=now, calendar=calendar, tz=tz, advice=advice, returnable=True)
    order.lead_unit = lead
    return leading


def designate(
    order: WorkOrder,
    lead: Unit,
    assisting: Sequence[Unit],
    *,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    advice: str,
) -> SubOrder:
    """Like ``share_out`` by a panel: nobody may return it, and the lead has it in hand without signing."""
    for sub in _of_tier_2(order):
        if sub.unit not in (lead, *assisting):
            leave(order, sub, Action.DESIGNATE, now=now)
        elif sub.unit is not lead and sub.part == Part.LEAD:
            _leave_below(order, sub, now=now)
            sub.part = Part.ASSISTING
    leading = take_lead(order, lead, now=now, calendar=calendar, tz=tz, advice=advice)
    _let_assist(order, assisting, now=now, calendar=calendar, tz=tz, advice=advice, returnable=False)
    return leading


def take_lead(
    order: WorkOrder, unit: Unit, *, now: datetime, calendar: Calendar, tz: tzinfo, advice: str = ""
) -> SubOrder:
    """Put the lead into a unit's hands without its signing or returning; what it has of the order already is kept."""
    sub = part_of(order, unit) or give(order, unit, Part.LEAD, now=now, calendar=calendar, tz=tz)
    sub.part, sub.advice = Part.LEAD, advice or sub.advice
    _must_do(order, sub, now=now)
    if sub.state == SubState.TO_SIGN:
        move_sub(sub, Action.SIGN)
        sub.signed_at = now
    elif sub.state == SubState.REPORTED:
        move_sub(sub, Action.TAKE_UP)
    order.lead_unit = unit
    return sub


def join(order: WorkOrder, joining: Sequence[Unit], *, now: datetime, calendar: Calendar, tz: tzinfo) -> list[SubOrder]:
    """Let units that have no part yet assist; they may not return it. Return the parts given."""
    return [
        give(order, unit, Part.ASSISTING, now=now, calendar=calendar, tz=tz, returnable=False)
        for unit in joining
        if part_of(order, unit) is None
    ]


def leave(order: WorkOrder, sub: SubOrder, action: Action, *, now: datetime) -> None:
    """Let a unit go by ``action``, and with it whoever has the order from it."""
    _leave_below(order, sub, now=now)
    move_sub(sub, action)
    sub.left_at = now


def part_above(order: WorkOrder, sub: SubOrder) -> SubOrder | None:
    """Return the part a part was handed down from; None for one of tier 2."""
    return next((one for one in order.sub_orders if one.id == sub.parent_id), None) if sub.parent_id else None


def part_of(order: WorkOrder, unit: Unit) -> SubOrder | None:
    """Return the live part of a unit."""
    return next((sub for sub in live_subs(order) if sub.unit_id == unit.id), None)


def returned_by(order: WorkOrder, *, tier: int, above: SubOrder | None = None) -> list[int]:
    """Return the units that led at a tier (under ``above``) and whose return was accepted, the first first."""
    return [
        row.unit_id
        for row in order.requests
        if row.kind == RequestKind.RETURN
        and row.state == RequestState.GRANTED
        and row.unit_id is not None
        and row.sub_order is not None
        and row.tier == tier
        and (row.sub_order.parent_id == above.id if above else row.sub_order.part == Part.LEAD)
    ]


def may_come_back(order: WorkOrder, above: SubOrder, unit: Unit) -> bool:
    """Whether a unit of tier 3 may return what ``above`` hands down to it now: none twice, and none once the
    returns of the profile are used up."""
    return above.returns < rules_of(order).bounds.returns and unit.id not in returned_by(order, tier=3, above=above)


def may_assist_and_return(order: WorkOrder, unit: Unit) -> bool:
    """Whether a unit that is to assist may return its part: not one that assisted before and was let go."""
    return all(
        row.kind != RequestKind.RETURN
        or row.state != RequestState.GRANTED
        or row.unit_id != unit.id
        or (row.sub_order is not None and row.sub_order.part == Part.LEAD)
        for row in order.requests
    )


def _leave_below(order: WorkOrder, sub: SubOrder, *, now: datetime) -> None:
    for below in live_below(order, sub):
        leave(order, below, Action.DESIGNATE, now=now)


def _of_tier_2(order: WorkOrder) -> list[SubOrder]:
    return [sub for sub in live_subs(order) if sub.tier == 2]


def _let_assist(
    order: WorkOrder,
    assisting: Sequence[Unit],
    *,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    advice: str,
    returnable: bool,
) -> None:
    for unit in assisting:
        sub = part_of(order, unit)
        if sub is None:
            give(
                order,
                unit,
                Part.ASSISTING,
                now=now,
                calendar=calendar,
                tz=tz,
                advice=advice,
                returnable=returnable and may_assist_and_return(order, unit),
            )
        elif not returnable:
            _must_do(order, sub, now=now)


def _must_do(order: WorkOrder, sub: SubOrder, *, now: datetime) -> None:
    sub.returnable, sub.return_until = False, None
    asked = requests.waiting(order, RequestKind.RETURN, sub)
    if asked is not None:
        requests.drop(asked, now=now)
