"""Returns decided by whoever gave the order: let go, kept, or sent on to a panel (T12-T14).

What the hub took back three times, or would send round in a circle, goes to a panel.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import SYSTEM, Actor
from hotline.calendars.base import Calendar
from hotline.errors import Invalid, NotAllowedNow
from hotline.routing.service import note_return
from hotline.units.models import ResponsibilityLine, Unit
from hotline.work_orders import clock, derivation, parts, personal_data
from hotline.work_orders.asks import requests
from hotline.work_orders.dispatching import send_out, units_that_can_sign
from hotline.work_orders.guards import pending, returning_beside
from hotline.work_orders.models import OrderRequest, SubOrder, WorkOrder
from hotline.work_orders.rules import rules_of
from hotline.work_orders.states import (
    Action,
    PanelCause,
    Part,
    RequestKind,
    RequestState,
    Status,
    SubState,
)
from hotline.work_orders.steps import (
    Message,
    advance,
    alarm,
    move_sub,
    note,
    note_rule_for,
    one_at_a_time,
    push,
    rule_for,
)

CORRECTION_AT_MOST: Final = 200
_BACK: Final = {
    (2, True): Status.TO_SIGN,
    (2, False): Status.IN_HAND,
    (3, True): Status.TO_SIGN_TIER3,
    (3, False): Status.IN_HAND_TIER3,
}


@one_at_a_time
def accept_return(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    lead_unit_id: int | None = None,
    assisting_ids: Sequence[int] = (),
    responsibility_line_id: int | None = None,
    advice: str = "",
    hard: bool = False,
    correction: str = "",
    request_id: int | None = None,
) -> OrderRequest:
    """Let a unit go. Tier 3: the unit above has the order in hand again (N9 to N6) and may hand it down anew.

    Tier 2: the reviewer sends the order to ``lead_unit_id`` and all that goes with a dispatch (N9 to N5); the third
    time, in a circle or when two leaders asked, it goes to a panel instead (N10) and ``lead_unit_id`` is only noted.
    Of an assisting part the units in ``assisting_ids`` assist instead. ``correction``: what of the responsibility
    list should be mended. ``request_id``: which request is meant, where several wait. Raises ``Invalid``.
    """
    asked = _to_decide(order, actor, now, Action.ACCEPT_RETURN, request_id)
    sub = _part_of(asked)
    _check_correction(correction)
    if sub.part == Part.ASSISTING:
        _accept_beside(session, order, asked, assisting_ids, advice, actor=actor, now=now, calendar=calendar, tz=tz)
    elif sub.tier == 3:
        _accept_from_below(session, order, asked, actor=actor, now=now, words=advice)
    elif cause := _why_panel(order, lead_unit_id):
        _to_panel(
            session,
            order,
            asked,
            cause,
            actor=SYSTEM,
            decided_by=actor,
            now=now,
            calendar=calendar,
            tz=tz,
            proposed=lead_unit_id,
            reason=advice,
        )
    else:
        lead, assisting = _next_units(session, sub, lead_unit_id, assisting_ids)
        if responsibility_line_id is not None and session.get(ResponsibilityLine, responsibility_line_id) is None:
            raise Invalid("没有这条责任清单", responsibility_line="没有这条责任清单")
        _let_go(order, asked, actor=actor, now=now, answer=advice)
        order.return_count += 1
        send_out(
            session,
            order,
            Action.ACCEPT_RETURN,
            actor=actor,
            now=now,
            calendar=calendar,
            tz=tz,
            lead=lead,
            assisting=assisting,
            responsibility_line_id=responsibility_line_id,
            advice=advice,
            hard=hard,
            data=_facts(asked, sub) | {"returns": order.return_count},
        )
    if sub.part == Part.LEAD and sub.tier == 2:
        note_return(session, order_id=order.id, unit=sub.unit.code)
    if correction.strip():
        asked.details = {**asked.details, "correction": correction.strip()}
        session.flush()
    return asked


@one_at_a_time
def refuse_return(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    reason: str,
    request_id: int | None = None,
) -> OrderRequest:
    """Put the order exactly where it was; the unit must do it and cannot ask again. ``Invalid`` without a reason.

    Who had not signed yet has left for it what was left when it asked; the order's own clock ran on.
    """
    asked = _to_decide(order, actor, now, Action.REFUSE_RETURN, request_id)
    sub = _part_of(asked)
    requests.refuse(asked, actor=actor, now=now, answer=reason)
    unsigned = sub.before_return == SubState.TO_SIGN
    move_sub(sub, Action.REFUSE_RETURN)
    if unsigned:
        derivation.resume_signing(order, sub, asked.asked_at, max(now, order.updated_at), calendar, tz)
    sub.returnable = False
    told: dict[str, Any] = {
        "data": _facts(asked, sub),
        "private": {"reason": reason.strip()},
        "for_units": [sub.unit_id],
        "messages": [
            push(order, sub.unit_id, "return_refused"),
            *(alarm(order, [sub.unit_id]) if unsigned else ()),
        ],
    }
    if sub.part == Part.ASSISTING:
        note(session, order, Action.REFUSE_RETURN, actor=actor, now=now, **told)
    else:
        advance(
            session,
            order,
            Action.REFUSE_RETURN,
            actor=actor,
            now=now,
            to=_BACK[sub.tier, unsigned],
            step_due_at=(sub.sign_due_at or sub.deadline_at) if unsigned else sub.deadline_at,
            **told,
        )
    return asked


@one_at_a_time
def to_panel(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    reason: str,
) -> OrderRequest:
    """Let a panel decide where the hub cannot (N9 to N10); who asked is let go. ``Invalid`` without a reason."""
    asked = _to_decide(order, actor, now, Action.TO_PANEL, None)
    if not reason.strip():
        raise Invalid("请说明提交会商的原因", reason="请说明提交会商的原因")
    _to_panel(
        session,
        order,
        asked,
        PanelCause.REFERRED,
        actor=actor,
        decided_by=actor,
        now=now,
        calendar=calendar,
        tz=tz,
        proposed=None,
        reason=reason,
    )
    return asked


# ---- deciding


def _to_decide(order: WorkOrder, actor: Actor, now: datetime, action: Action, request_id: int | None) -> OrderRequest:
    if order.status == Status.RETURN_ASKED or action == Action.TO_PANEL:
        rule_for(order, action, actor, now)
        asked = pending(order, RequestKind.RETURN)
    else:
        note_rule_for(order, action, actor, now)
        asked = returning_beside(order, actor, request_id)
    if asked is None or request_id not in (None, asked.id):
        raise NotAllowedNow("这项退回申请已经办理或不由您审批，请刷新后再看", status=order.status)
    return asked


def _accept_from_below(
    session: Session, order: WorkOrder, asked: OrderRequest, *, actor: Actor, now: datetime, words: str
) -> None:
    sub = _part_of(asked)
    above = parts.part_above(order, sub)
    assert above is not None, "a part of tier 3 hangs under one of tier 2"
    _let_go(order, asked, actor=actor, now=now, answer=words)
    above.returns += 1
    advance(
        session,
        order,
        Action.ACCEPT_RETURN,
        actor=actor,
        now=now,
        to=Status.IN_HAND,
        step_due_at=above.deadline_at,
        data=_facts(asked, sub) | {"returns": above.returns},
        private={"note": words.strip()},
        for_units=[sub.unit_id],
        messages=[push(order, sub.unit_id, "return_accepted"), *alarm(order, [sub.unit_id])],
    )


def _accept_beside(
    session: Session,
    order: WorkOrder,
    asked: OrderRequest,
    assisting_ids: Sequence[int],
    advice: str,
    *,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
) -> None:
    sub = _part_of(asked)
    above = parts.part_above(order, sub)
    instead = _assisting_instead(session, order, sub, assisting_ids)
    _let_go(order, asked, actor=actor, now=now, answer=advice)
    if above is not None:
        above.returns += 1
    given = [
        parts.give(
            order,
            unit,
            Part.ASSISTING,
            now=now,
            calendar=calendar,
            tz=tz,
            advice=advice,
            returnable=parts.may_assist_and_return(order, unit),
        )
        for unit in instead
    ]
    note(
        session,
        order,
        Action.ACCEPT_RETURN,
        actor=actor,
        now=now,
        data=_facts(asked, sub) | {"assisting": [one.unit_id for one in given]},
        private={"advice": advice.strip()},
        for_units=[sub.unit_id, *(one.unit_id for one in given)],
        messages=[
            push(order, sub.unit_id, "return_accepted"),
            *(push(order, one.unit_id, "to_sign") for one in given),
            *alarm(order, [sub.unit_id, *(one.unit_id for one in given)]),
        ],
    )


def _assisting_instead(session: Session, order: WorkOrder, sub: SubOrder, assisting_ids: Sequence[int]) -> list[Unit]:
    if not assisting_ids:
        return []
    if sub.tier == 3:
        raise Invalid("三级单位退回后，请重新转派", assisting="三级单位退回后，请重新转派")
    assert order.lead_unit_id is not None, "an order with parts has a lead"
    chosen = units_that_can_sign(session, order.lead_unit_id, assisting_ids)[1]
    for unit in chosen:
        if parts.part_of(order, unit) is not None:
            raise Invalid(f"{unit.name}已在办理这张工单", assisting=f"{unit.name}已在办理这张工单")
    return chosen


def _next_units(
    session: Session, sub: SubOrder, lead_unit_id: int | None, assisting_ids: Sequence[int]
) -> tuple[Unit, list[Unit]]:
    if lead_unit_id is None:
        raise Invalid("请选择下一个主办单位", lead_unit="请选择下一个主办单位")
    if lead_unit_id == sub.unit_id:
        words = f"{sub.unit.name}正是申请退回的单位；仍由它办理的，请不同意退回"
        raise Invalid(words, lead_unit=words)
    return units_that_can_sign(session, lead_unit_id, assisting_ids)


def _let_go(order: WorkOrder, asked: OrderRequest, *, actor: Actor, now: datetime, answer: str) -> None:
    requests.grant(asked, actor=actor, now=now, answer=answer)
    parts.leave(order, _part_of(asked), Action.ACCEPT_RETURN, now=now)


def _facts(asked: OrderRequest, sub: SubOrder) -> dict[str, Any]:
    return {"unit": sub.unit_id, "part": sub.part, "tier": sub.tier, "request": asked.id, "ground": asked.ground}


def _part_of(asked: OrderRequest) -> SubOrder:
    assert asked.sub_order is not None, "a return is of a part"
    return asked.sub_order


def _check_correction(correction: str) -> None:
    if len(correction.strip()) > CORRECTION_AT_MOST:
        raise Invalid("清单修订意见太长", correction=f"清单修订意见最多 {CORRECTION_AT_MOST} 字")
    if found := personal_data.found_in(correction):
        words = f"清单修订意见中有个人信息：{'、'.join(found)}，请删去"
        raise Invalid(words, correction=words)


# ---- to a panel


def _why_panel(order: WorkOrder, next_lead: int | None) -> PanelCause | None:
    if order.return_count + 1 >= rules_of(order).bounds.returns:
        return PanelCause.THIRD
    if next_lead in parts.returned_by(order, tier=2):
        return PanelCause.CYCLE
    by_leaders = {row.unit_id for row in _hub_returns(order) if row.asked_role == Role.U2L}
    return PanelCause.LEADERS if len(by_leaders) > 1 else None


def _hub_returns(order: WorkOrder) -> list[OrderRequest]:
    """Return the leads' returns to the hub that were accepted or wait, the first first."""
    return [
        row
        for row in order.requests
        if row.kind == RequestKind.RETURN
        and row.tier == 2
        and row.state in (RequestState.GRANTED, RequestState.ASKED)
        and _part_of(row).part == Part.LEAD
    ]


def _circle(order: WorkOrder, next_lead: int | None) -> list[int]:
    """Return the units from ``next_lead``'s first turn to the one that asks now; empty when nothing comes round."""
    led = [row.unit_id for row in _hub_returns(order) if row.unit_id is not None]
    return list(dict.fromkeys(led[led.index(next_lead) :])) if next_lead in led[:-1] else []


def _to_panel(
    session: Session,
    order: WorkOrder,
    asked: OrderRequest,
    cause: PanelCause,
    *,
    actor: Actor,
    decided_by: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    proposed: int | None,
    reason: str,
) -> None:
    if proposed is not None and session.get(Unit, proposed) is None:
        raise Invalid(f"没有编号 {proposed} 的单位", lead_unit=f"没有编号 {proposed} 的单位")
    sub = _part_of(asked)
    circle = _circle(order, proposed)
    _let_go(order, asked, actor=decided_by, now=now, answer=reason)
    order.return_count += 1
    order.joint = order.joint or bool(circle)
    first = session.get_one(Unit, order.first_unit_id or sub.unit_id)
    # somebody must answer for it until the panel names who does
    leading = parts.take_lead(order, first, now=now, calendar=calendar, tz=tz)
    due = clock.step_due(rules_of(order), "panel", order.urgency, now, calendar, tz)
    told = {first.id, sub.unit_id, *circle}
    messages: list[Message] = [*(push(order, unit_id, "panel") for unit_id in sorted(told))]
    advance(
        session,
        order,
        Action.TO_PANEL,
        actor=actor,
        now=now,
        step_due_at=due.at if due else None,
        data=_facts(asked, sub)
        | {
            "cause": cause,
            "lead": leading.unit_id,
            "circle": circle,
            "proposed": proposed,
            "returns": order.return_count,
            "accepted_by": decided_by.user_id,
        },
        private={"reason": reason.strip()},
        for_units=told,
        messages=[*messages, *alarm(order, [sub.unit_id])],
    )
