"""Panels (会商): what waits for one, meetings with agenda and minutes, and who is named to lead."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.errors import Invalid, NotFound
from hotline.units import queries as units
from hotline.web import pages
from hotline.web.access import roles, the_actor, when
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import once, tell_once
from hotline.web.moments import moment_typed
from hotline.web.order_pages import about, act, by_clock
from hotline.work_orders import boards, queries, service
from hotline.work_orders.asks import agenda, panels
from hotline.work_orders.asks.models import PanelItem
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status

bp = Blueprint("panels", __name__, url_prefix="/panels")

MEMBERS: Final = ("ADJ", "SUP")
DESIGNATORS: Final = ("ADJ",)


@bp.get("")
@roles(*MEMBERS)
def desk() -> ResponseReturnValue:
    """What waits for a panel, the meetings, and what of the responsibility list should be mended."""
    return _desk({}, {})


def _desk(typed: dict[str, Any], faults: dict[str, object]) -> str:
    actor = the_actor()
    with transaction() as session:
        waiting = panels.suggested(session)
        return render_template(
            "office/panels.html",
            waiting=waiting,
            holders=boards.holders(session, [order.id for order in waiting]),
            meetings=agenda.meetings(session, actor),
            corrections=agenda.corrections(session, actor),
            typed=typed,
            faults=faults,
        )


@bp.post("")
@roles(*MEMBERS)
def plan() -> ResponseReturnValue:
    """Call a meeting; its agenda is filled with what waits."""
    try:
        with transaction() as session:

            def do() -> ResponseReturnValue:
                panel = service.plan_panel(
                    session,
                    held_at=_held_at(),
                    title=request.form.get("title", ""),
                    place=request.form.get("place", ""),
                    attendants=request.form.get("attendants", ""),
                    **when(),
                )
                pages.toast("会商已安排，议程可以增减")
                return pages.go(url_for("office.panels.meeting", panel_id=panel.id))

            return once(session, do)
    except Invalid as fault:
        return _desk(request.form.to_dict(), fault.details), 422


def _held_at() -> datetime:
    found = moment_typed("held_at")
    if found is None:
        raise Invalid("请填写会商时间", held_at="请填写会商时间")
    return found


@bp.get("/<int:panel_id>")
@roles(*MEMBERS)
def meeting(panel_id: int) -> ResponseReturnValue:
    """One meeting: each order's way through the units, and the minutes."""
    return _meeting(panel_id, None, {}, {})


def _meeting(panel_id: int, item_id: int | None, typed: dict[str, Any], faults: dict[str, object]) -> str:
    actor = the_actor()
    with transaction() as session:
        panel = agenda.panel(session, actor, panel_id)
        items = agenda.agenda(session, actor, panel_id, now=runtime().now())
        there = {one.order.id for one in items}
        return render_template(
            "office/panel.html",
            panel=panel,
            items=items,
            more=[order for order in panels.suggested(session) if order.id not in there],
            tier2=[("", "不指定"), *((unit.id, unit.name) for unit in units.units_of_tier(session, 2))],
            units=units.units_of_tier(session, 2),
            may_designate=actor.role in DESIGNATORS,
            at=item_id,
            typed=typed,
            faults=faults,
        )


@bp.post("/<int:panel_id>/agenda")
@roles(*MEMBERS)
def add(panel_id: int) -> ResponseReturnValue:
    """Put an order on the agenda by its number."""
    number = request.form.get("number", "")

    def do(session: Session) -> str:
        try:
            order = queries.visible_to(session, the_actor(), number)
        except NotFound as fault:
            raise Invalid("没有这张工单，请核对编号", number="没有这张工单，请核对编号") from fault
        panel = agenda.panel(session, the_actor(), panel_id)
        service.put_on_agenda(session, order=order, panel=panel, question=request.form.get("question", ""), **when())
        return f"{order.order_no} 已列入议程"

    return _do(panel_id, None, do)


@bp.post("/<int:panel_id>/items/<int:item_id>")
@roles(*MEMBERS)
def write(panel_id: int, item_id: int) -> ResponseReturnValue:
    """Write the minutes of one order, and name who leads where it waits for that."""

    def do(session: Session) -> str:
        item = _item(session, panel_id, item_id)
        if request.form.get("off"):
            service.take_off_agenda(session, item=item, **when())
            return f"{item.order.order_no} 已移出议程"
        service.minute(
            session,
            item=item,
            text=request.form.get("text", ""),
            lead_unit_id=request.form.get("lead_unit", type=int),
            assisting_ids=request.form.getlist("assisting", type=int),
            **when(),
            **by_clock(),
        )
        return f"{item.order.order_no} 纪要已记录"

    return _do(panel_id, item_id, do)


@bp.post("/<int:panel_id>/end")
@roles(*MEMBERS)
def end(panel_id: int) -> ResponseReturnValue:
    """Close a meeting, or call it off for a reason."""

    def do(session: Session) -> str:
        panel = agenda.panel(session, the_actor(), panel_id)
        if request.form.get("cancel"):
            service.cancel_panel(session, panel=panel, reason=request.form.get("reason", ""), **when())
            return "会商已取消，工单留待下次"
        service.close_panel(session, panel=panel, **when())
        return "会商已结束，纪要已归档"

    return _do(panel_id, None, do)


def _do(panel_id: int, item_id: int | None, do: Any, *, ends: bool = False) -> ResponseReturnValue:
    """Act once and show the meeting again. A browser with script takes the changed part of it over, loading nothing."""
    try:
        with transaction() as session:
            there = url_for("office.panels.meeting", panel_id=panel_id)
            done = tell_once(session, lambda: do(session), then=there)
    except Invalid as fault:
        typed = request.form.to_dict() | {"assisting": request.form.getlist("assisting")}
        return _meeting(panel_id, item_id, typed, fault.details or {"": fault.message}), 422
    return _meeting(panel_id, item_id, {}, {}) if pages.is_htmx() and not ends else done


def _item(session: Session, panel_id: int, item_id: int) -> PanelItem:
    item = session.get(PanelItem, item_id)
    if item is None or item.panel_id != panel_id:
        raise NotFound("议程里没有这一项")
    return item


@bp.get("/orders/<number>")
@roles(*DESIGNATORS)
def order(number: str) -> ResponseReturnValue:
    """One order that waits for a designation."""
    return _order(number, {}, {})


def _order(number: str, typed: dict[str, Any], faults: dict[str, object]) -> str:
    actor = the_actor()
    with transaction() as session:
        found = queries.visible_to(session, actor, number)
        tier2 = units.units_of_tier(session, 2)
        return render_template(
            "office/designate.html",
            order=found,
            **about(session, found),
            turns=agenda.turns(session, found),
            waits=found.status == Status.PANEL,
            choices=[("", "请选择"), *((unit.id, unit.name) for unit in tier2)],
            units=tier2,
            typed=typed or {"lead_unit": found.lead_unit_id, "assisting": []},
            faults=faults,
        )


@bp.post("/orders/<number>")
@roles(*DESIGNATORS)
def designate(number: str) -> ResponseReturnValue:
    """Name who leads and who assists."""

    def do(session: Session, found: WorkOrder) -> str:
        lead_id = request.form.get("lead_unit", type=int)
        if lead_id is None:
            raise Invalid("请选择主办单位", lead_unit="请选择主办单位")
        service.designate(
            session,
            order=found,
            lead_unit_id=lead_id,
            assisting_ids=request.form.getlist("assisting", type=int),
            reason=request.form.get("reason", ""),
            **when(),
            **by_clock(),
        )
        return f"{found.order_no} 已指定{found.lead_unit.name if found.lead_unit else '承办单位'}"

    def again(fault: Invalid) -> str:
        return _order(number, request.form.to_dict() | {"assisting": request.form.getlist("assisting")}, fault.details)

    return act(number, do, then=lambda _: url_for("office.panels.desk"), again=again)
