"""Returns (退回): asked once, in time and by the responsibility list (T11).

The order's clock runs on; the minutes until it is decided (see ``deciding``) are charged to who decides.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Final

from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.calendars.base import Calendar
from hotline.errors import Invalid
from hotline.units import queries as units
from hotline.units.models import ResponsibilityLine, Unit
from hotline.work_orders import clock, parts
from hotline.work_orders.asks import requests
from hotline.work_orders.models import OrderRequest, SubOrder, WorkOrder
from hotline.work_orders.rules import rules_of
from hotline.work_orders.states import (
    Action,
    RequestKind,
    ReturnGround,
)
from hotline.work_orders.steps import (
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

ELSEWHERE: Final = frozenset({ReturnGround.PLACE, ReturnGround.DUTY})  # another's: that other must be named


@one_at_a_time
def ask_return(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    ground: str,
    responsibility_line_id: int | None,
    reason: str,
    suggested_unit_id: int | None = None,
) -> OrderRequest:
    """Ask to give the order back (N5 to N8 into N9; an assisting unit: its own part only), once and in time.

    The line cited must be of the list in force today. Another's place or duty asks for that other's name. Raises
    ``Invalid`` naming every field at fault.
    """
    assisting = is_assisting(order, actor)
    (note_rule_for if assisting else rule_for)(order, Action.RETURN, actor, now)
    sub = sub_of(order, actor)
    _check(session, sub, ground, responsibility_line_id, suggested_unit_id, reason, now=now, tz=tz)
    due = clock.step_due(rules_of(order), "decide", order.urgency, now, calendar, tz)
    move_sub(sub, Action.RETURN)
    asked = requests.ask(
        order,
        RequestKind.RETURN,
        actor=actor,
        now=now,
        reason=reason,
        sub=sub,
        due_at=due.at if due else None,
        ground=ground,
        line_id=responsibility_line_id,
        suggested_unit_id=suggested_unit_id,
    )
    above = parts.part_above(order, sub)
    data = {
        "unit": sub.unit_id,
        "part": sub.part,
        "tier": sub.tier,
        "ground": ground,
        "line": responsibility_line_id,
        "suggested": suggested_unit_id,
    }
    told = [*([push(order, above.unit_id, "return_asked")] if above else []), *alarm(order, [sub.unit_id])]
    private = {"reason": asked.reason}
    if assisting:
        note(session, order, Action.RETURN, actor=actor, now=now, data=data, private=private, messages=told)
    else:
        advance(
            session,
            order,
            Action.RETURN,
            actor=actor,
            now=now,
            holder=above,
            step_due_at=asked.due_at,
            data=data,
            private=private,
            messages=told,
        )
    return asked


def _check(  # noqa: PLR0917 - the fields of one form
    session: Session,
    sub: SubOrder,
    ground: str,
    line_id: int | None,
    suggested_id: int | None,
    reason: str,
    *,
    now: datetime,
    tz: tzinfo,
) -> None:
    faults: dict[str, object] = {}
    if ground not in set(ReturnGround):
        faults["ground"] = "请选择退回类别"
    if fault := _line_fault(session, line_id, now=now, tz=tz):
        faults["responsibility_line"] = fault
    if fault := _suggestion_fault(session, sub, suggested_id, ground):
        faults["suggested_unit"] = fault
    if not reason.strip():
        faults["reason"] = "请说明退回原因"
    if faults:
        raise Invalid("；".join(str(fault) for fault in faults.values()), **faults)


def _line_fault(session: Session, line_id: int | None, *, now: datetime, tz: tzinfo) -> str:
    if line_id is None:
        return "请引用责任清单的条目"
    line = session.get(ResponsibilityLine, line_id)
    if line is None:
        return "没有这条责任清单"
    if line not in units.lines_in_force(session, on=now.astimezone(tz).date()):
        return f"责任清单 {line.version} 的 {line.code} 不是现行条目，请引用现行版本"
    return ""


def _suggestion_fault(session: Session, sub: SubOrder, suggested_id: int | None, ground: str) -> str:
    if suggested_id is None:
        return "请写明应由哪个单位办理" if ground in ELSEWHERE else ""
    unit = session.get(Unit, suggested_id)
    if unit is None:
        return f"没有编号 {suggested_id} 的单位"
    if unit.id == sub.unit_id:
        return "建议的单位不能是本单位"
    return "" if unit.active else f"{unit.name}已停用"
