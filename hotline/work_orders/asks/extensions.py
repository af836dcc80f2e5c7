"""Extensions (延期): asked before the deadline with a plan, decided by the unit's leader and then the hub (T16, T17).

At most two, each no longer than the original limit. The citizen is told the new date and a reason in general words;
who cannot be written to stands on a list to be called. The first deadline stays beside the new one: an extension
does not hide lateness.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.calendars.base import Calendar
from hotline.errors import Invalid, NotAllowedNow
from hotline.work_orders import clock, derivation
from hotline.work_orders.asks import requests
from hotline.work_orders.derivation import What
from hotline.work_orders.guards import lead_sub, pending
from hotline.work_orders.models import OrderRequest, WorkOrder
from hotline.work_orders.rules import rules_of
from hotline.work_orders.states import STATES, Action, ExtensionGround, RequestKind, RequestState, Status
from hotline.work_orders.steps import Message, note, note_rule_for, one_at_a_time, push, sms, sub_of
from hotline.work_orders.words import EXTENSION_WORDS

PLAN_AT_MOST: Final = 500
TO_TELL: Final = "telephone"  # how the citizen hears of it: by text, by a call that waits to be made, or not at all


@one_at_a_time
def ask_extension(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    ground: str,
    plan: str,
    until: datetime,
) -> OrderRequest:
    """Ask for more time, until ``until`` at most one original limit after the present deadline.

    ``ground`` is a code of ``states.ExtensionGround``, told to the citizen in its general words; ``plan`` says how the
    time is used. What a unit's leader asks needs the hub's decision alone. Raises ``Invalid`` naming every fault.
    """
    note_rule_for(order, Action.ASK_EXTENSION, actor, now)
    faults = _faults(ground, plan) | _faults_of_date(order, until, calendar, tz)
    if faults:
        raise Invalid("；".join(map(str, faults.values())), **faults)
    sub = sub_of(order, actor)
    asked = requests.ask(
        order,
        RequestKind.EXTENSION,
        actor=actor,
        now=now,
        reason=plan,
        sub=sub,
        due_at=_decided_by(order, now=now, calendar=calendar, tz=tz),
        ground=ground,
        moment=until,
    )
    if actor.role == Role.U2L:
        requests.pass_on(asked, actor=actor, now=now)
    above = lead_sub(order, 2)
    to_decide = [] if actor.role == Role.U2L or above is None else [push(order, above.unit_id, "extension_asked")]
    _note(
        session,
        order,
        Action.ASK_EXTENSION,
        asked,
        actor=actor,
        now=now,
        data={"ground": ground, "until": until.isoformat()},
        private={"plan": plan.strip()},
        messages=to_decide,
    )
    return asked


@one_at_a_time
def grant_extension(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    answer: str = "",
) -> OrderRequest:
    """Agree: a unit's leader passes the request on to the hub; the hub moves the deadline, and the citizen is told.

    Raises ``Invalid`` where the date asked for is over meanwhile, or no later than the deadline.
    """
    note_rule_for(order, Action.GRANT_EXTENSION, actor, now)
    asked = pending(order, RequestKind.EXTENSION)
    assert asked is not None, "note_rule_for asked"
    data: dict[str, Any] = {}
    messages: list[Message] = []
    if actor.role == Role.U2L:
        requests.pass_on(asked, actor=actor, now=now, due_at=_decided_by(order, now=now, calendar=calendar, tz=tz))
    else:
        was = order.deadline_at
        assert was is not None, "its clock has begun"
        # decided late, or the order stood still meanwhile
        if asked.moment is None or asked.moment <= max(now, was):
            fault = "申请延到的日期已过，或已不晚于现在的时限，请不予同意，由单位重新申请"
            raise Invalid(fault, until=fault)
        data = derivation.move(order, What.EXTEND, now=now, calendar=calendar, tz=tz, given=asked.moment)
        derivation.carry_parts(order, was, calendar, tz)
        tier = STATES[Status(order.status)].tier
        holding = lead_sub(order, tier) if tier else None
        order.step_due_at = holding.deadline_at if holding else order.deadline_at
        order.extension_count += 1
        requests.grant(asked, actor=actor, now=now, answer=answer)
        texts = sms(order, "extended")
        asked.details = {**asked.details, "tell": _way_to_tell(order, written=bool(texts))}
        messages = [*texts, *_to_asker(order, asked, "extension_granted")]
    _note(
        session,
        order,
        Action.GRANT_EXTENSION,
        asked,
        actor=actor,
        now=now,
        data=data,
        private={"note": answer.strip()},
        messages=messages,
    )
    return asked


@one_at_a_time
def refuse_extension(session: Session, *, order: WorkOrder, actor: Actor, now: datetime, reason: str) -> OrderRequest:
    """Do not agree and say why; the unit that asked is told, the deadline stays."""
    note_rule_for(order, Action.REFUSE_EXTENSION, actor, now)
    asked = pending(order, RequestKind.EXTENSION)
    assert asked is not None, "note_rule_for asked"
    requests.refuse(asked, actor=actor, now=now, answer=reason)
    _note(
        session,
        order,
        Action.REFUSE_EXTENSION,
        asked,
        actor=actor,
        now=now,
        data={},
        private={"reason": reason.strip()},
        messages=_to_asker(order, asked, "extension_refused"),
    )
    return asked


def latest_of(order: WorkOrder, calendar: Calendar, tz: tzinfo) -> datetime:
    """Return until when an extension may reach: one original limit after the present deadline."""
    assert order.deadline_at is not None, "its clock has begun"
    limit = rules_of(order).handling(order.demand_type, order.urgency, hard=order.hard)
    return clock.count(limit, order.deadline_at, calendar, tz, "").at


def told_ground(order: WorkOrder) -> str:
    """Return the general words of why the order was extended last; empty where it was not."""
    granted = (row for row in reversed(order.requests) if row.kind == RequestKind.EXTENSION)
    last = next((row for row in granted if row.state == RequestState.GRANTED), None)
    return EXTENSION_WORDS[ExtensionGround(last.ground)] if last else ""


def to_tell(session: Session) -> list[OrderRequest]:
    """Return the granted extensions of which a citizen must yet be told by a call, the oldest first."""
    granted = session.scalars(
        select(OrderRequest)
        .where(OrderRequest.kind == RequestKind.EXTENSION, OrderRequest.state == RequestState.GRANTED)
        .where(OrderRequest.details["tell"].as_string() == TO_TELL)
        .order_by(OrderRequest.decided_at, OrderRequest.id)
    )
    return list(granted)


def told(session: Session, *, request: OrderRequest, actor: Actor, now: datetime) -> OrderRequest:
    """Note that the citizen was told of an extension by a call. Raises ``NotAllowedNow`` where nobody waits for one."""
    if request.details.get("tell") != TO_TELL:
        raise NotAllowedNow("这项延期不需要电话告知")
    request.details = {**request.details, "tell": "told", "told_by": actor.user_id, "told_at": now.isoformat()}
    session.flush()
    return request


def _faults(ground: str, plan: str) -> dict[str, object]:
    faults: dict[str, object] = {}
    if ground not in set(ExtensionGround):
        faults["ground"] = "请选择延期原因"
    if not plan.strip():
        faults["plan"] = "请写明延期期间的办理计划"
    elif len(plan.strip()) > PLAN_AT_MOST:
        faults["plan"] = f"办理计划最多 {PLAN_AT_MOST} 字"
    return faults


def _faults_of_date(order: WorkOrder, until: datetime, calendar: Calendar, tz: tzinfo) -> dict[str, object]:
    latest = latest_of(order, calendar, tz)
    if order.deadline_at is not None and until <= order.deadline_at:
        return {"until": f"新的时限应晚于现在的时限 {clock.moment_words(order.deadline_at, tz)}"}
    if until > latest:
        return {"until": f"每次延期不超过原时限，最晚到 {clock.moment_words(latest, tz)}"}
    return {}


def _decided_by(order: WorkOrder, *, now: datetime, calendar: Calendar, tz: tzinfo) -> datetime | None:
    due = clock.step_due(rules_of(order), "decide", order.urgency, now, calendar, tz)
    return due.at if due else None


def _way_to_tell(order: WorkOrder, *, written: bool) -> str:
    caller = order.caller
    if caller is None or not (caller.phone or caller.contact):
        return "nobody"
    return "text" if written else TO_TELL


def _to_asker(order: WorkOrder, asked: OrderRequest, what: str) -> list[Message]:
    return [push(order, asked.unit_id, what)] if asked.unit_id is not None else []


def _note(
    session: Session,
    order: WorkOrder,
    action: Action,
    asked: OrderRequest,
    *,
    actor: Actor,
    now: datetime,
    data: Mapping[str, Any],
    private: Mapping[str, Any],
    messages: list[Message],
) -> None:
    """Write the event of a request; the parts that lead may read its words."""
    session.flush()  # a request has its id from here on
    leading = [sub for sub in (lead_sub(order, 2), lead_sub(order, 3)) if sub is not None]
    note(
        session,
        order,
        action,
        actor=actor,
        now=now,
        data={"request": asked.id, "state": asked.state, **data},
        private=private,
        for_units={sub.unit_id for sub in leading},
        messages=messages,
    )
