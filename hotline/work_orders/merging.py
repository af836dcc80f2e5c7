"""Several people tell of one matter (T33): their orders are linked to one that is handled, and share its result.

A link is all a merge makes: numbers, receipts, clocks and callbacks stay each caller's own. When the main order is
settled, every follower that is still open is called back on its own, with a copy of the leading part and of the
report, so that what its citizen says is acted on and counted for itself alone.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM, Actor
from hotline.calendars.base import Calendar
from hotline.errors import Invalid
from hotline.work_orders import clock
from hotline.work_orders.models import Report, SubOrder, WorkOrder
from hotline.work_orders.rules import rules_of
from hotline.work_orders.states import DONE, OPEN, STATES, Action, Part, Status, SubState
from hotline.work_orders.steps import (
    FOLLOW,
    Message,
    advance,
    alarm,
    flush,
    live_subs,
    move_sub,
    note,
    note_rule_for,
    push,
    rule_for,
)
from hotline.work_orders.transitions import LIVE

AT_ONCE: Final = 50  # followers moved in one transaction: short enough not to keep anybody waiting for a row
_GONE_AHEAD: Final = (Status.DRAFT, Status.TO_CALL_BACK, Status.REVIEW)


def merge(session: Session, *, order: WorkOrder, into: WorkOrder, actor: Actor, now: datetime) -> WorkOrder:
    """Let ``order`` follow ``into`` from now on; told on both. Nothing else of either changes.

    Raises ``Invalid`` naming ``into`` where it cannot be the main order: itself, a draft, settled, or merged already;
    also when ``order`` has followers of its own, as chains would hide who is handled with whom.
    """
    note_rule_for(order, Action.MERGE, actor, now)
    if fault := _why_not(session, order, into):
        raise Invalid(fault, into=fault)
    order.merged_into_id = into.id
    data = {"order": order.order_no, "main": into.order_no}
    holding = [sub.unit_id for sub in live_subs(order)]
    told = [push(order, unit_id, "merged") for unit_id in holding]
    messages = [*told, *alarm(order, holding)]
    note(session, order, Action.MERGE, actor=actor, now=now, data=data, messages=messages)
    settled = into.status == Status.TO_CALL_BACK
    follow = [Message(FOLLOW, {"order_id": into.id, "round": into.round, "settled": True})] if settled else []
    note(session, into, Action.MERGE, actor=actor, now=now, data=data, messages=follow)
    return order


def unmerge(session: Session, *, order: WorkOrder, actor: Actor, now: datetime) -> WorkOrder:
    """Take ``order`` away from its main order: it goes on from where it stood. Told on both."""
    note_rule_for(order, Action.UNMERGE, actor, now)
    main = session.get_one(WorkOrder, order.merged_into_id)
    data = {"order": order.order_no, "main": main.order_no}
    order.merged_into_id = None
    rung = alarm(order, [sub.unit_id for sub in live_subs(order)])
    note(session, order, Action.UNMERGE, actor=actor, now=now, data=data, messages=rung)
    if main.status != Status.ARCHIVED:
        note(session, main, Action.UNMERGE, actor=actor, now=now, data=data)
    return order


def on_its_own(session: Session, *, order: WorkOrder, now: datetime) -> None:
    """A follower that must be worked on for itself (redo, review) no longer follows. One that does not: nothing."""
    if order.merged_into_id is not None:
        unmerge(session, order=order, actor=SYSTEM, now=now)


def followers(session: Session, order: WorkOrder) -> list[WorkOrder]:
    """Return the orders merged into this one, the first first."""
    return list(session.scalars(select(WorkOrder).where(WorkOrder.merged_into_id == order.id).order_by(WorkOrder.id)))


def follower_count(session: Session, order: WorkOrder) -> int:
    """Return how many orders are merged into this one: all a unit learns of them."""
    return session.scalar(select(func.count(WorkOrder.id)).where(WorkOrder.merged_into_id == order.id)) or 0


def follow(
    session: Session,
    *,
    main: WorkOrder,
    round: int,
    settled: bool,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    at_most: int = AT_ONCE,
) -> bool:
    """Move up to ``at_most`` open followers on after their main order was; returns whether more wait.

    ``settled`` in ``round``: they are called back with its result. Not settled (withdrawn, refused): each is on its
    own again. Safe to run twice.
    """
    waiting = session.scalars(
        select(WorkOrder)
        .where(
            WorkOrder.merged_into_id == main.id,
            WorkOrder.status.in_(OPEN),
            WorkOrder.status.not_in(_GONE_AHEAD if settled else ()),
        )
        .order_by(WorkOrder.id)
        .limit(at_most + 1)
    ).all()
    result = _result(session, main, round) if settled else None
    for order in waiting[:at_most]:
        if result is None:
            on_its_own(session, order=order, now=now)
        else:
            _go_along(session, order, main, result, now=now, calendar=calendar, tz=tz)
    return len(waiting) > at_most


def _why_not(session: Session, order: WorkOrder, into: WorkOrder) -> str:
    """Say why ``order`` cannot be merged into ``into``, "" when it can."""
    if into.id == order.id:
        return "不能并入自己"
    if into.status == Status.DRAFT:
        return f"{into.order_no} 还没有提交，不能作为主单"
    if into.status in DONE:
        return f"{into.order_no} 已{STATES[Status(into.status)].word}，不能再并入"
    if into.merged_into_id is not None:
        main = session.get_one(WorkOrder, into.merged_into_id)
        return f"{into.order_no} 已并入 {main.order_no}，请并入 {main.order_no}"
    own = follower_count(session, order)
    return f"已有 {own} 件并入这张工单，请把对方并入这一张，或先拆分" if own else ""


def _result(session: Session, main: WorkOrder, round: int) -> Report | None:
    """Return what the leading unit, or the hub itself, reported in this round."""
    return session.scalar(
        select(Report)
        .outerjoin(SubOrder, SubOrder.id == Report.sub_order_id)
        .where(
            Report.order_id == main.id,
            Report.round == round,
            (SubOrder.part == Part.LEAD) | Report.sub_order_id.is_(None),
        )
        .order_by(Report.id.desc())
        .limit(1)
    )


def _go_along(
    session: Session,
    order: WorkOrder,
    main: WorkOrder,
    result: Report,
    *,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
) -> None:
    rule_for(order, Action.CALL_BACK, SYSTEM, now)
    for sub in order.sub_orders:
        if sub.state in LIVE:
            move_sub(sub, Action.CALL_BACK)
            sub.left_at = now
    reporter = _copy_parts(session, order, main, result, now=now)
    session.add(
        Report(
            order_id=order.id,
            sub_order_id=reporter.id if reporter else None,
            round=order.round,
            # whom the unit met was the main order's caller: this one is asked whether anybody came to them
            contacted=False,
            solved=result.solved,
            unsolved_reason=result.unsolved_reason,
            public_reply=result.public_reply,
            process=f"随主单 {main.order_no} 一并办理",
            user_id=result.user_id,
            at=result.at,
        )
    )
    order.lead_unit_id = main.lead_unit_id
    order.responsibility_line_id = main.responsibility_line_id
    due = clock.step_due(rules_of(order), "call_back", order.urgency, now, calendar, tz)
    advance(
        session,
        order,
        Action.CALL_BACK,
        actor=SYSTEM,
        now=now,
        step_due_at=due.at if due else None,
        data={"main": main.order_no, "lead": main.lead_unit_id, "round": order.round, "solved": result.solved},
        private={"public_reply": result.public_reply},
        messages=[Message("callback.open", {"order_id": order.id})],
    )


def _copy_parts(
    session: Session, order: WorkOrder, main: WorkOrder, result: Report, *, now: datetime
) -> SubOrder | None:
    """Give the follower the leading parts that reported, and return the one whose report it was; None: the hub's."""
    parts = {sub.id: sub for sub in main.sub_orders}
    told = parts.get(result.sub_order_id or 0)
    above = parts.get(told.parent_id or 0) if told else None
    copy: SubOrder | None = None
    for part in (above, told):
        if part is None:
            continue
        copy = SubOrder(
            unit=part.unit,
            unit_id=part.unit_id,
            parent_id=copy.id if copy else None,
            tier=part.tier,
            part=Part.LEAD,
            state=SubState.REPORTED,
            assigned_at=max(part.assigned_at, order.created_at),
            # no signing was asked of anybody here: nothing to be in time for
            signed_at=max(part.signed_at or part.assigned_at, order.created_at),
            signer_id=part.signer_id,
            reported_at=part.reported_at or now,
            deadline_at=order.deadline_at,
            advice=f"随主单 {main.order_no} 办理",
            returnable=False,
        )
        order.sub_orders.append(copy)
        flush(session)  # the next one hangs under it
    return copy
