"""In the units' hands: T8 and T10 sign, T19 and T21 report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.calendars.base import Calendar
from hotline.errors import Invalid
from hotline.work_orders import batches, clock, evidence, personal_data
from hotline.work_orders.asks import waits
from hotline.work_orders.models import Report, SubOrder, WorkOrder
from hotline.work_orders.rules import rules_of
from hotline.work_orders.states import Action, Solved
from hotline.work_orders.steps import (
    advance,
    alarm,
    is_assisting,
    lead_sub,
    move_sub,
    note,
    note_rule_for,
    push,
    rule_for,
    sub_of,
)

CONTACT_WAY_AT_MOST: Final = 40


def sign(session: Session, *, order: WorkOrder, actor: Actor, now: datetime) -> WorkOrder:
    """Sign for one's part: the lead takes the order on (N5 to N6, N7 to N8), an assisting unit its own part only."""
    assisting = is_assisting(order, actor)
    (note_rule_for if assisting else rule_for)(order, Action.SIGN, actor)
    sub = sub_of(order, actor)
    move_sub(sub, Action.SIGN)
    sub.signed_at = now
    sub.signer_id = actor.user_id
    data = {"unit": sub.unit_id, "part": sub.part, "in_time": sub.sign_due_at is None or now <= sub.sign_due_at}
    told = alarm(order, [sub.unit_id])  # whoever is being rung for it need not be any more
    if assisting:
        note(session, order, Action.SIGN, actor=actor, now=now, data=data, messages=told)
    else:
        advance(
            session, order, Action.SIGN, actor=actor, now=now, step_due_at=sub.deadline_at, data=data, messages=told
        )
    return order


def report(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    contacted: bool,
    solved: str,
    public_reply: str,
    process: str = "",
    contacted_at: datetime | None = None,
    contact_way: str = "",
    unsolved_reason: str = "",
    files: Sequence[int] | None = None,
) -> Report:
    """Report what was done (N8 to N11, N6 to N12; an assisting unit: its own part only).

    ``public_reply`` goes to the citizen and may hold no telephone or ID number; ``process`` stays inside. ``files``:
    ids of what proves it (see ``evidence``), None for all the unit brought; the chain holds their digests.
    Raises ``Invalid`` naming every field at fault.
    """
    assisting = is_assisting(order, actor)
    (note_rule_for if assisting else rule_for)(order, Action.REPORT, actor)
    sub = sub_of(order, actor)
    faults = report_faults(
        contacted=contacted,
        contacted_at=contacted_at,
        contact_way=contact_way,
        solved=solved,
        unsolved_reason=unsolved_reason,
        public_reply=public_reply,
        now=now,
    )
    if faults:
        raise Invalid("；".join(str(fault) for fault in faults.values()), **faults)
    households = batches.of_report(session, order, solved)
    row = Report(
        order_id=order.id,
        sub_order_id=sub.id,
        round=order.round,
        contacted=contacted,
        contacted_at=contacted_at if contacted else None,
        contact_way=contact_way.strip() if contacted else "",
        solved=solved,
        unsolved_reason="" if solved == Solved.YES else unsolved_reason.strip(),
        public_reply=public_reply.strip(),
        process=process.strip() or None,
        user_id=actor.user_id,
        at=now,
    )
    session.add(row)
    session.flush()
    brought = evidence.attach(session, order=order, actor=actor, report=row, file_ids=files)
    move_sub(sub, Action.REPORT)
    sub.reported_at = now
    waits.end_for(session, order, sub, now=now)
    data = {
        "unit": sub.unit_id,
        "part": sub.part,
        "round": row.round,
        "contacted": contacted,
        "solved": solved,
        "in_time": sub.deadline_at is None or now <= sub.deadline_at,
        "files": [file.sha256 for file in brought],
        **households,
    }
    private = {"public_reply": row.public_reply, "process": row.process, "unsolved_reason": row.unsolved_reason}
    lead = lead_sub(order, 2)
    if assisting:
        readers = [lead.unit_id] if lead else []
        note(session, order, Action.REPORT, actor=actor, now=now, data=data, private=private, for_units=readers)
        return row
    check = clock.step_due(rules_of(order), "check", order.urgency, now, calendar, tz)
    above = lead if sub.tier == 3 else None
    advance(
        session,
        order,
        Action.REPORT,
        actor=actor,
        now=now,
        step_due_at=check.at if check else None,
        data=data,
        private=private,
        messages=[push(order, above.unit_id, "to_check")] if above else [],
    )
    return row


def last_reporter(session: Session, order: WorkOrder) -> SubOrder:
    """Return the leading sub-order that reported last: who the order goes back to."""
    sub = session.scalar(
        select(SubOrder)
        .join(Report, Report.sub_order_id == SubOrder.id)
        .where(Report.order_id == order.id, SubOrder.part == "lead")
        .order_by(Report.id.desc())
        .limit(1)
    )
    if sub is None:
        raise Invalid("这张工单还没有办理结果")
    return sub


def report_faults(
    *,
    contacted: bool,
    contacted_at: datetime | None,
    contact_way: str,
    solved: str,
    unsolved_reason: str,
    public_reply: str,
    now: datetime,
) -> dict[str, object]:
    """Return what is wrong with a report, a sentence by field; empty when nothing is."""
    faults: dict[str, object] = {}
    if contacted:
        if contacted_at is None:
            faults["contacted_at"] = "请填写联系群众的时间"
        elif contacted_at > now:
            faults["contacted_at"] = "联系时间不能晚于现在"
        if not contact_way.strip():
            faults["contact_way"] = "请填写联系方式，如电话、上门"
        elif len(contact_way.strip()) > CONTACT_WAY_AT_MOST:
            faults["contact_way"] = f"联系方式最多 {CONTACT_WAY_AT_MOST} 字"
    if solved not in set(Solved):
        faults["solved"] = "请选择是否解决"
    elif solved != Solved.YES and not unsolved_reason.strip():
        faults["unsolved_reason"] = "未完全解决的请说明原因"
    if not public_reply.strip():
        faults["public_reply"] = "请填写给市民的答复"
    elif found := personal_data.found_in(public_reply):
        faults["public_reply"] = f"公开答复中有个人信息：{'、'.join(found)}，请删去"
    return faults
