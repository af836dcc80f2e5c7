"""To the units: T6 from the hub, T9 from a tier-2 unit to one of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.calendars.base import Calendar
from hotline.errors import Invalid
from hotline.routing.service import note_choice
from hotline.units import queries as units
from hotline.units.models import ResponsibilityLine, Unit
from hotline.work_orders import clock, derivation, parts
from hotline.work_orders.derivation import What
from hotline.work_orders.drafting import complete
from hotline.work_orders.guards import live_subs
from hotline.work_orders.models import SubOrder, WorkOrder
from hotline.work_orders.rules import rules_of
from hotline.work_orders.states import Action, Part, Status, SubState
from hotline.work_orders.steps import (
    Message,
    advance,
    alarm,
    is_assisting,
    move_sub,
    note,
    note_rule_for,
    one_at_a_time,
    push,
    rule_for,
    sub_of,
)


@one_at_a_time
def dispatch(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    lead_unit_id: int,
    assisting_ids: Sequence[int] = (),
    responsibility_line_id: int | None = None,
    advice: str = "",
    hard: bool = False,
) -> WorkOrder:
    """Send the order to tier-2 units (N2 to N5): one leads, others assist. ``hard`` gives it the longest limit.

    What is urgent goes straight from the draft (T7): it must be complete as for submitting, its clock starts now.
    Raises ``Invalid`` in words, before anything is written, for a unit that does not exist, is not tier 2, is
    inactive, has nobody who could sign, is named twice or led this order and gave it back, and for an unknown line.
    """
    rule_for(order, Action.DISPATCH, actor)
    lead, assisting = units_that_can_sign(session, lead_unit_id, assisting_ids)
    if responsibility_line_id is not None and session.get(ResponsibilityLine, responsibility_line_id) is None:
        raise Invalid("没有这条责任清单", responsibility_line="没有这条责任清单")
    demand = complete(session, order) if order.status == Status.DRAFT else None
    if lead.id in parts.returned_by(order, tier=2):
        # taken back on the way, it would come round in a circle that no panel sees
        words = f"{lead.name}退回过这张工单，不能再派给它；有争议的请在审批退回时提交会商"
        raise Invalid(words, lead_unit=words)
    send_out(
        session,
        order,
        Action.DISPATCH,
        actor=actor,
        now=now,
        calendar=calendar,
        tz=tz,
        lead=lead,
        assisting=assisting,
        responsibility_line_id=responsibility_line_id,
        advice=advice,
        hard=hard,
        data=demand.data if demand else None,
        private=demand.private if demand else None,
        messages=demand.messages if demand else (),
    )
    return order


def send_out(
    session: Session,
    order: WorkOrder,
    action: Action,
    *,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    lead: Unit,
    assisting: Sequence[Unit],
    responsibility_line_id: int | None,
    advice: str,
    hard: bool,
    data: Mapping[str, Any] | None = None,
    private: Mapping[str, Any] | None = None,
    messages: Sequence[Message] = (),
) -> None:
    """Move the order to N5 by ``action`` with parts for these units and for no other; all was checked before."""
    here_already = {sub.unit_id for sub in live_subs(order)}
    told = _start_or_lengthen(order, now=now, calendar=calendar, tz=tz, hard=hard)
    leading = parts.share_out(order, lead, assisting, now=now, calendar=calendar, tz=tz, advice=advice)
    order.first_unit_id = order.first_unit_id or lead.id
    order.responsibility_line_id = responsibility_line_id
    order.dispatch_advice = advice
    order.dispatched_at = now
    order.first_dispatched_at = order.first_dispatched_at or now
    order.dispatch_count += 1
    everyone = [lead.id, *(unit.id for unit in assisting)]
    advance(
        session,
        order,
        action,
        actor=actor,
        now=now,
        to=Status.TO_SIGN,
        step_due_at=leading.sign_due_at or order.deadline_at,
        data={
            "lead": lead.id,
            "assisting": everyone[1:],
            "line": responsibility_line_id,
            "hard": order.hard,
            **told,
            **(data or {}),
        },
        private={"advice": advice, **(private or {})},
        for_units=everyone,
        messages=[
            *messages,
            *(push(order, one, "changed" if one in here_already - {lead.id} else "to_sign") for one in everyone),
            *alarm(order, {*everyone, *here_already}),
        ],
    )
    note_choice(session, order_id=order.id, category=order.category_code, unit=lead.code, now=now)


@one_at_a_time
def hand_down(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    unit_id: int,
    due_at: datetime | None = None,
    advice: str = "",
) -> WorkOrder:
    """Give the order to a tier-3 unit of one's own (N6 to N7; an assisting unit: its own part only).

    ``due_at`` is the sub-deadline, at most what is left of the order's; without it the order's deadline less the
    time the unit above needs to check. Raises ``Invalid`` for a unit elsewhere, without anybody, or a late date.
    """
    assisting = is_assisting(order, actor)
    (note_rule_for if assisting else rule_for)(order, Action.HAND_DOWN, actor)
    above = sub_of(order, actor)
    unit = _own_tier_3(session, above, unit_id)
    if any(sub.unit_id == unit.id and sub.state not in (SubState.LEFT, SubState.CLOSED) for sub in order.sub_orders):
        raise Invalid(f"{unit.name}已在办理这张工单", unit=f"{unit.name}已在办理这张工单")
    deadline = _sub_deadline(order, due_at, now=now, calendar=calendar, tz=tz)
    sub = parts.give(
        order,
        unit,
        Part(above.part),
        now=now,
        calendar=calendar,
        tz=tz,
        above=above,
        deadline_at=deadline,
        advice=advice,
        returnable=parts.may_come_back(order, above, unit),
    )
    move_sub(above, Action.HAND_DOWN)
    data = {"unit": unit.id, "part": above.part, "deadline_at": deadline.isoformat() if deadline else None}
    told = [push(order, unit.id, "to_sign"), *alarm(order, [unit.id])]
    if assisting:
        note(
            session,
            order,
            Action.HAND_DOWN,
            actor=actor,
            now=now,
            data=data,
            private={"advice": advice},
            for_units=[unit.id],
            messages=told,
        )
    else:
        advance(
            session,
            order,
            Action.HAND_DOWN,
            actor=actor,
            now=now,
            step_due_at=sub.sign_due_at or deadline,
            data=data,
            private={"advice": advice},
            for_units=[unit.id],
            messages=told,
        )
    return order


def units_that_can_sign(session: Session, lead_id: int, assisting_ids: Sequence[int]) -> tuple[Unit, list[Unit]]:
    """Return the units an order may be sent to, the lead apart; ``Invalid`` names each that cannot take it."""
    faults: dict[str, object] = {}
    lead = session.get(Unit, lead_id)
    if fault := _why_not(session, lead, lead_id):
        faults["lead_unit"] = fault
    assisting: list[Unit] = []
    said: list[str] = []
    for unit_id in assisting_ids:
        unit = session.get(Unit, unit_id)
        if fault := _why_not(session, unit, unit_id):
            said.append(fault)
        elif unit is not None:
            if unit_id == lead_id or unit in assisting:
                said.append(f"{unit.name}重复")
            assisting.append(unit)
    if said:
        faults["assisting"] = "；".join(said)
    if faults or lead is None:
        raise Invalid("；".join(str(fault) for fault in faults.values()), **faults)
    return lead, assisting


def _why_not(session: Session, unit: Unit | None, unit_id: int) -> str:
    if unit is None:
        return f"没有编号 {unit_id} 的单位"
    if unit.tier != 2:
        return f"{unit.name}不是二级承办单位，不能直接派单"
    return _why_nobody(session, unit)


def _why_nobody(session: Session, unit: Unit) -> str:
    if not unit.active:
        return f"{unit.name}已停用，工单不会发出"
    if not units.has_active_user(session, unit):
        return f"{unit.name}没有可签收的人员，工单不会发出"
    return ""


def _own_tier_3(session: Session, above: SubOrder, unit_id: int) -> Unit:
    unit = session.get(Unit, unit_id)
    if unit is None or not unit.path.startswith(above.unit.path) or unit.id == above.unit_id:
        fault = "只能转派给本单位下属的单位"
    elif unit.tier != 3:
        fault = f"{unit.name}不是三级承办单位"
    else:
        fault = _why_nobody(session, unit)
    if fault or unit is None:
        raise Invalid(fault, unit=fault)
    return unit


def _sub_deadline(
    order: WorkOrder, due_at: datetime | None, *, now: datetime, calendar: Calendar, tz: tzinfo
) -> datetime | None:
    whole = order.deadline_at
    if due_at is not None:
        if due_at <= now:
            raise Invalid("办理时限应在现在之后", due_at="办理时限应在现在之后")
        if whole is not None and due_at > whole:
            latest = whole.astimezone(tz)
            words = f"办理时限最晚到 {latest.year}年{latest.month}月{latest.day}日 {latest:%H:%M}"
            raise Invalid(words, due_at=words)
        return due_at
    return suggested_due(order, now=now, calendar=calendar, tz=tz)


def suggested_due(order: WorkOrder, *, now: datetime, calendar: Calendar, tz: tzinfo) -> datetime | None:
    """Return the sub-deadline a unit below gets when none is named: what is left less the time to check."""
    whole = order.deadline_at
    if whole is None:
        return None
    rules = rules_of(order)
    checking = clock.step_due(rules, "check", order.urgency, now, calendar, tz)
    if checking is None:
        return whole
    left = clock.working_between(now, whole, calendar, tz) - clock.working_between(now, checking.at, calendar, tz)
    # an order with no more left than checking takes is due below when it is due above
    return clock.add_working(now, left, calendar, tz) if left.total_seconds() > 0 else whole


def _start_or_lengthen(
    order: WorkOrder, *, now: datetime, calendar: Calendar, tz: tzinfo, hard: bool
) -> dict[str, Any]:
    """Begin the clock of what goes out straight from the draft; give what is named hard the longest limit."""
    whats = [What.ACCEPT] if order.status == Status.DRAFT else []
    if hard and not order.hard:
        whats.append(What.HARD)
    if order.status == Status.DRAFT:
        order.submitted_at = order.clock_started_at = max(now, order.updated_at)
    order.hard = order.hard or hard
    return derivation.move(order, *whats, now=now, calendar=calendar, tz=tz) if whats else {}
