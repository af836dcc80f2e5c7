"""Panels (会商): who answers for an order nobody wants is designated (T15), and meetings go through the hard ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta, tzinfo
from typing import Final

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts.roles import Role
from hotline.accounts.service import SYSTEM, Actor
from hotline.calendars.base import Calendar
from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.routing.service import note_choice
from hotline.work_orders import parts
from hotline.work_orders.asks.models import Panel, PanelItem
from hotline.work_orders.dispatching import units_that_can_sign
from hotline.work_orders.guards import live_subs
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import DONE, OPEN, Action, PanelState, Status
from hotline.work_orders.steps import advance, alarm, one_at_a_time, push, rule_for

AGENDA_AT_MOST: Final = 50
TITLE_AT_MOST: Final = 80
PERIODIC_AT: Final = time(9, 0)
CALLED_BY: Final = frozenset({Role.ADJ, Role.SUP, SYSTEM.role})


@one_at_a_time
def designate(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    lead_unit_id: int,
    reason: str,
    assisting_ids: Sequence[int] = (),
) -> WorkOrder:
    """Name who leads and who assists (N10 to N6); nobody of them may return it, and the clock runs on as it did.

    Whoever is not named is let go. Raises ``Invalid`` for units that cannot take it, or without a reason.
    """
    rule_for(order, Action.DESIGNATE, actor, now)
    if not reason.strip():
        raise Invalid("请写明指定的理由", reason="请写明指定的理由")
    lead, assisting = units_that_can_sign(session, lead_unit_id, assisting_ids)
    before = {sub.unit_id for sub in live_subs(order)}
    leading = parts.designate(order, lead, assisting, now=now, calendar=calendar, tz=tz, advice=reason.strip())
    order.returnable = False
    named = [lead.id, *(unit.id for unit in assisting)]
    advance(
        session,
        order,
        Action.DESIGNATE,
        actor=actor,
        now=now,
        holder=leading,
        step_due_at=leading.deadline_at,
        data={"lead": lead.id, "assisting": named[1:], "returnable": False},
        private={"reason": reason.strip()},
        for_units={*named, *before},
        messages=[*(push(order, unit_id, "designated") for unit_id in named), *alarm(order, {*named, *before})],
    )
    note_choice(session, order_id=order.id, category=order.category_code, unit=lead.code, now=now)
    return order


# ---- meetings


def plan_panel(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    held_at: datetime,
    title: str,
    place: str = "",
    attendants: str = "",
) -> Panel:
    """Call a meeting; its agenda is what ``suggested`` finds and may be changed. ``Invalid`` naming every field."""
    _may_call(actor)
    faults: dict[str, object] = {}
    if held_at <= now:
        faults["held_at"] = "会商时间应在现在之后"
    if not title.strip() or len(title.strip()) > TITLE_AT_MOST:
        faults["title"] = f"请填写会商名称，最多 {TITLE_AT_MOST} 字"
    if len(place.strip()) > TITLE_AT_MOST:
        faults["place"] = f"地点最多 {TITLE_AT_MOST} 字"
    if faults:
        raise Invalid("；".join(str(fault) for fault in faults.values()), **faults)
    panel = Panel(
        title=title.strip(),
        held_at=held_at,
        place=place.strip(),
        attendants=attendants.strip() or None,
        state=PanelState.PLANNED,
        created_by=actor.user_id,
        created_at=now,
    )
    session.add(panel)
    for order in suggested(session):
        _append(panel, order)
    session.flush()
    _record(session, panel, "plan_panel", actor, now)
    return panel


def suggested(session: Session) -> Sequence[WorkOrder]:
    """Return the orders a panel should go through: those that wait for one, then joint ones, then the hard ones.

    Of each kind the soonest due first; ``AGENDA_AT_MOST`` in all.
    """
    waiting = WorkOrder.status == Status.PANEL
    return session.scalars(
        select(WorkOrder)
        .where(
            waiting | WorkOrder.joint | WorkOrder.hard,
            WorkOrder.status.in_(OPEN - {Status.DRAFT, Status.TO_CALL_BACK}),
            WorkOrder.merged_into_id.is_(None),
        )
        .order_by(
            case((waiting, 0), (WorkOrder.joint, 1), else_=2), WorkOrder.deadline_at.asc().nulls_last(), WorkOrder.id
        )
        .limit(AGENDA_AT_MOST)
    ).all()


def put_on_agenda(
    session: Session, *, panel: Panel, order: WorkOrder, actor: Actor, now: datetime, question: str = ""
) -> PanelItem:
    """Add an open order to a planned meeting, or say anew what is asked about it."""
    _may_call(actor)
    _still_planned(panel)
    if order.status in DONE:
        raise Invalid("这张工单已经办结，不用会商", order="这张工单已经办结，不用会商")
    item = next((one for one in panel.items if one.order is order), None)
    if item is None:
        if len(panel.items) >= AGENDA_AT_MOST:
            raise Invalid("议程已满", order=f"一次会商最多 {AGENDA_AT_MOST} 件")
        item = _append(panel, order)
    item.question = question.strip() or None
    session.flush()
    return item


def take_off_agenda(session: Session, *, item: PanelItem, actor: Actor, now: datetime) -> None:
    """Leave an order for another time; what has minutes stays."""
    _may_call(actor)
    _still_planned(item.panel)
    if item.minutes:
        raise NotAllowedNow("这一项已有会商纪要，不能移出议程")
    panel = item.panel
    panel.items.remove(item)
    session.delete(item)
    session.flush()
    for position, one in enumerate(panel.items, start=1):
        one.position = position
    session.flush()


def minute(
    session: Session,
    *,
    item: PanelItem,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    text: str,
    lead_unit_id: int | None = None,
    assisting_ids: Sequence[int] = (),
) -> PanelItem:
    """Write down what was decided. With ``lead_unit_id`` the order that waits for it is designated in the same go.

    Raises ``Invalid`` without words, and what ``designate`` raises: only its own people designate.
    """
    _may_call(actor)
    _still_planned(item.panel)
    if not text.strip():
        raise Invalid("请填写会商纪要", text="请填写会商纪要")
    if lead_unit_id is not None:
        designate(
            session,
            order=item.order,
            actor=actor,
            now=now,
            calendar=calendar,
            tz=tz,
            lead_unit_id=lead_unit_id,
            assisting_ids=assisting_ids,
            reason=text,
        )
        item.lead_unit_id = lead_unit_id
    item.minutes, item.decided_at = text.strip(), now
    session.flush()
    _record(session, item.panel, "minute_panel", actor, now, order_id=item.order_id)
    return item


def close_panel(session: Session, *, panel: Panel, actor: Actor, now: datetime) -> Panel:
    """End a meeting. What it left open is taken off the agenda first: ``Invalid`` names orders without minutes."""
    _may_call(actor)
    _still_planned(panel)
    if now < panel.held_at:
        raise NotAllowedNow("会商还没有到时间，不召开的请取消")
    left = [item.order.order_no for item in panel.items if not item.minutes]
    if left:
        words = f"还有 {len(left)} 件没有纪要：{'、'.join(left[:5])}；不议的请移出议程"
        raise Invalid(words, minutes=words)
    panel.state, panel.closed_at = PanelState.HELD, now
    session.flush()
    _record(session, panel, "close_panel", actor, now)
    return panel


def cancel_panel(session: Session, *, panel: Panel, actor: Actor, now: datetime, reason: str) -> Panel:
    """Call a meeting off; its orders come up again at the next."""
    _may_call(actor)
    _still_planned(panel)
    if not reason.strip():
        raise Invalid("请写明取消的原因", reason="请写明取消的原因")
    if any(item.minutes for item in panel.items):
        raise NotAllowedNow("会商已有纪要，不能取消")
    panel.state, panel.closed_at = PanelState.CANCELLED, now
    session.flush()
    _record(session, panel, "cancel_panel", actor, now, reason=reason.strip()[:200])
    return panel


def prepare_periodic(session: Session, *, now: datetime, calendar: Calendar, tz: tzinfo) -> Panel | None:
    """Bring the next planned meeting's agenda up to date, or call one for the next working day; None: nothing to ask.

    The timetable runs it every week; to run it twice changes nothing.
    """
    wanted = suggested(session)
    panel = session.scalar(
        select(Panel).where(Panel.state == PanelState.PLANNED, Panel.held_at > now).order_by(Panel.held_at).limit(1)
    )
    if panel is not None:
        there = {item.order_id for item in panel.items}
        for order in [one for one in wanted if one.id not in there][: AGENDA_AT_MOST - len(there)]:
            _append(panel, order)
        session.flush()
        return panel
    if not wanted:
        return None
    day = now.astimezone(tz).date() + timedelta(days=1)
    while not calendar.day(day).working:
        day += timedelta(days=1)
    return plan_panel(
        session,
        actor=SYSTEM,
        now=now,
        held_at=datetime.combine(day, PERIODIC_AT, tz),
        title=f"{day.month}月{day.day}日疑难工单会商",
    )


def _append(panel: Panel, order: WorkOrder) -> PanelItem:
    last = max((item.position for item in panel.items), default=0)
    item = PanelItem(order=order, order_id=order.id, position=last + 1)
    panel.items.append(item)
    return item


def _may_call(actor: Actor) -> None:
    if actor.role not in CALLED_BY:
        raise NotPermitted("只有会商组和督办员可以组织会商")


def _still_planned(panel: Panel) -> None:
    if panel.state != PanelState.PLANNED:
        words = "已经结束" if panel.state == PanelState.HELD else "已经取消"
        raise NotAllowedNow(f"这次会商{words}", status=panel.state)


def _record(
    session: Session, panel: Panel, act: str, actor: Actor, now: datetime, *, reason: str = "", **details: int
) -> None:
    audit.record(
        session, at=now, user_id=actor.user_id, act=act, subject="panel", subject_id=panel.id, reason=reason, **details
    )
