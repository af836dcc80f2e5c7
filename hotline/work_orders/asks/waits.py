"""Progress a unit tells, and whom it waits for. Units that wait for each other become one joint order (T14).

A circle is looked for in the order, in the other open orders of the same caller and in those merged with it, but in a
confidential order only by itself; a wait of a station counts as one of the county or department above it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM, Actor
from hotline.calendars.base import Calendar
from hotline.callers.models import Caller
from hotline.db import key_ring
from hotline.errors import Invalid
from hotline.units.models import HUB_TIER, Unit
from hotline.work_orders import parts
from hotline.work_orders.asks.models import Wait
from hotline.work_orders.guards import lead_sub, live_subs
from hotline.work_orders.models import OrderEvent, SubOrder, WorkOrder
from hotline.work_orders.states import Action, Supervision
from hotline.work_orders.steps import alarm, move_sub, note, note_rule_for, one_at_a_time, push, sub_of
from hotline.work_orders.transitions import LIVE, WITH_UNITS


@one_at_a_time
def progress(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    text: str,
    waits_for_unit_id: int | None = None,
) -> OrderEvent:
    """Tell how one's part goes on, and whom it waits for now; None: for nobody (any more).

    Where those waited for wait in turn for this unit, each of the orders becomes a joint one with a named lead, and
    all units of the circle have a part in it. Raises ``Invalid`` without words, or for a unit one cannot wait for.
    """
    note_rule_for(order, Action.PROGRESS, actor, now)
    sub = sub_of(order, actor)
    faults: dict[str, object] = {}
    if not text.strip():
        faults["text"] = "请填写进展情况"
    if fault := _fault(session, sub, waits_for_unit_id):
        faults["waits_for_unit"] = fault
    if faults:
        raise Invalid("；".join(str(fault) for fault in faults.values()), **faults)
    move_sub(sub, Action.PROGRESS)
    sub.progress_at = now
    is_new = _wait_for(session, order, sub, waits_for_unit_id, now)
    lead = lead_sub(order, 2)
    readers = {one.unit_id for one in live_subs(order) if one is lead or one.unit_id == waits_for_unit_id}
    event = note(
        session,
        order,
        Action.PROGRESS,
        actor=actor,
        now=now,
        data={"unit": sub.unit_id, "part": sub.part, "waits_for": waits_for_unit_id},
        private={"progress": text.strip()},
        for_units=readers,
        messages=[push(order, one, "waited_for") for one in readers if is_new and one == waits_for_unit_id],
    )
    if waits_for_unit_id is not None:
        waited = session.get_one(Unit, waits_for_unit_id)
        circle = _circle(session, order, sub.unit, waited)
        if circle is not None:
            _join_all(session, circle, now=now, calendar=calendar, tz=tz)
    return event


@one_at_a_time
def join(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    unit_ids: Sequence[int],
    reason: str,
) -> OrderEvent:
    """Make the order a joint one by a supervisor's word: these tier-2 units have a part in it from now on."""
    note_rule_for(order, Action.JOIN, actor, now)
    if not reason.strip():
        raise Invalid("请说明联合办理的原因", reason="请说明联合办理的原因")
    found = session.scalars(select(Unit).where(Unit.id.in_(unit_ids), Unit.tier == 2, Unit.active)).all()
    if not unit_ids or len(found) < len(set(unit_ids)):
        raise Invalid("请选择联合办理的二级单位", units="请选择在用的二级承办单位")
    return _join(
        session, order, found, lead_id=order.lead_unit_id, actor=actor, now=now, calendar=calendar, tz=tz, reason=reason
    )


def end_for(session: Session, order: WorkOrder, sub: SubOrder, *, now: datetime) -> None:
    """A part is done: nobody waits for it any more, and it waits for nobody.

    Also in the other orders of the circle in which the unit has no part of its own.
    """
    kin = _kin_ids(session, order)
    for wait in session.scalars(select(Wait).where(Wait.order_id.in_(kin), Wait.until.is_(None))):
        ours = wait.unit_id == sub.unit_id and wait.order_id == order.id
        on_us = wait.for_unit_id == sub.unit_id or (sub.tier == 2 and _is_under(session, wait.for_unit_id, sub.unit))
        here = wait.order_id == order.id or not _has_part(session, wait.order_id, wait.for_unit_id)
        if ours or (on_us and here):
            wait.until = now


def waits_of(session: Session, order: WorkOrder) -> Sequence[Wait]:
    """Return who waits for whom in an order now, the longest first. Whoever may see the order may see it."""
    return session.scalars(_open_waits([order.id]).order_by(Wait.since, Wait.id)).all()


# ---- waiting


def _fault(session: Session, sub: SubOrder, unit_id: int | None) -> str:
    if unit_id is None:
        return ""
    unit = session.get(Unit, unit_id)
    if unit is None:
        return f"没有编号 {unit_id} 的单位"
    if unit.tier == HUB_TIER or not unit.active:
        return f"{unit.name}不是在用的承办单位"
    return "不能等待本单位" if _tier_2_id(unit) == _tier_2_id(sub.unit) else ""


def _wait_for(session: Session, order: WorkOrder, sub: SubOrder, unit_id: int | None, now: datetime) -> bool:
    """Write down whom a part waits for; whether it does since now."""
    present = session.scalar(
        select(Wait).where(Wait.order_id == order.id, Wait.unit_id == sub.unit_id, Wait.until.is_(None))
    )
    if present is not None and present.for_unit_id == unit_id:
        return False
    if present is not None:
        present.until = now
    if unit_id is not None:
        session.add(Wait(order_id=order.id, unit_id=sub.unit_id, for_unit_id=unit_id, since=now))
    return unit_id is not None


def _open_waits(order_ids: Iterable[int]) -> Select[Wait]:
    """Select the waits that still hold: the order is with units, and the unit that waits has its part."""
    holds = (
        select(SubOrder.id)
        .where(SubOrder.order_id == Wait.order_id, SubOrder.unit_id == Wait.unit_id, SubOrder.state.in_(LIVE))
        .exists()
    )
    return (
        select(Wait)
        .join(WorkOrder, WorkOrder.id == Wait.order_id)
        .where(Wait.order_id.in_(order_ids), Wait.until.is_(None), WorkOrder.status.in_(WITH_UNITS), holds)
    )


def _has_part(session: Session, order_id: int, unit_id: int) -> bool:
    query = select(SubOrder.id).where(
        SubOrder.order_id == order_id, SubOrder.unit_id == unit_id, SubOrder.state.in_(LIVE)
    )
    return session.scalar(query.limit(1)) is not None


def _is_under(session: Session, unit_id: int, top: Unit) -> bool:
    return session.get_one(Unit, unit_id).path.startswith(top.path)


def _tier_2_id(unit: Unit) -> int:
    return int(unit.path.strip("/").split("/")[1])


# ---- circles


@dataclass(frozen=True, slots=True)
class _Circle:
    """Tier-2 units that wait for each other, from the one that noticed on, and the orders they do so in."""

    unit_ids: list[int]
    order_ids: list[int]


def _kin_ids(session: Session, order: WorkOrder) -> list[int]:
    """Return the ids of the order, of what else its caller has under way, and of what it is merged with.

    A confidential order is nobody's kin.
    """
    if order.confidential:
        return [order.id]  # what leads from it to another tells who called
    main = order.merged_into_id or order.id
    kin = [WorkOrder.id == order.id, WorkOrder.id == main, WorkOrder.merged_into_id == main]
    if order.caller is not None:
        kin.append(WorkOrder.caller_id == order.caller_id)
        if order.caller.phone is not None:  # every contact has a row of its own
            keys = key_ring().indexes(order.caller.phone)
            kin.append(WorkOrder.caller_id.in_(select(Caller.id).where(Caller.phone_index.in_(keys))))
    query = select(WorkOrder.id).where(or_(*kin), WorkOrder.status.in_(WITH_UNITS), WorkOrder.confidential.is_(False))
    return list(session.scalars(query))


def _circle(session: Session, order: WorkOrder, waiting: Unit, waited: Unit) -> _Circle | None:
    """Return the shortest way on which whom ``waiting`` waits for comes to wait for it, or None."""
    edges: dict[int, list[tuple[int, int]]] = {}
    for wait in session.scalars(_open_waits(_kin_ids(session, order)).order_by(Wait.id)):
        source = _tier_2_id(session.get_one(Unit, wait.unit_id))
        edges.setdefault(source, []).append((_tier_2_id(session.get_one(Unit, wait.for_unit_id)), wait.order_id))
    home, start = _tier_2_id(waiting), _tier_2_id(waited)
    came: dict[int, tuple[int, int] | None] = {start: None}
    to_look_at = deque([start])
    while to_look_at and home not in came:
        at = to_look_at.popleft()
        for following, order_id in edges.get(at, ()):
            if following not in came:
                came[following] = (at, order_id)
                to_look_at.append(following)
    if home not in came:
        return None
    units, orders, at = [home], {order.id}, home
    while (step := came[at]) is not None:
        at, order_id = step
        units.insert(1, at)
        orders.add(order_id)
    return _Circle(units, sorted(orders))


def _join_all(session: Session, circle: _Circle, *, now: datetime, calendar: Calendar, tz: tzinfo) -> None:
    orders = session.scalars(select(WorkOrder).where(WorkOrder.id.in_(circle.order_ids)).order_by(WorkOrder.id)).all()
    lead_id = orders[0].lead_unit_id  # one answers for all: the lead of what was asked first
    assert lead_id is not None, "an order with units has a lead"
    units = [session.get_one(Unit, unit_id) for unit_id in dict.fromkeys([*circle.unit_ids, lead_id])]
    for order in orders:
        joined = order.joint and order.supervision == Supervision.JOINT
        if joined and all(parts.part_of(order, unit) is not None for unit in units):
            continue  # known, and everybody has a part
        _join(
            session,
            order,
            units,
            circle=circle.unit_ids,
            lead_id=lead_id,
            actor=SYSTEM,
            now=now,
            calendar=calendar,
            tz=tz,
            reason="",
        )


def _join(
    session: Session,
    order: WorkOrder,
    units: Sequence[Unit],
    *,
    circle: Sequence[int] = (),
    lead_id: int | None,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    reason: str,
) -> OrderEvent:
    given = parts.join(order, units, now=now, calendar=calendar, tz=tz)
    order.joint, order.supervision = True, Supervision.JOINT
    new = {sub.unit_id for sub in given}
    everyone = [sub.unit_id for sub in live_subs(order) if sub.tier == 2]
    return note(
        session,
        order,
        Action.JOIN,
        actor=actor,
        now=now,
        data={
            "lead": lead_id,
            "assisting": [one for one in everyone if one != lead_id],
            "units": list(circle),
        },
        private={"reason": reason.strip()},
        for_units=everyone,
        messages=[
            *(push(order, unit_id, "to_sign" if unit_id in new else "joint") for unit_id in everyone),
            *alarm(order, new),
        ],
    )
