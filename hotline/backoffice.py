"""The hub's own desks: dispatch pool and check of results; orders, requests and what it watches stand in ``web``."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.errors import Invalid
from hotline.units import queries as units
from hotline.web import (
    households,
    office_accuracy,
    office_alarms,
    office_before,
    office_orders,
    office_panels,
    office_requests,
    office_rooms,
    office_supervision,
    office_watch,
    order_pages,
    pages,
    rosters,
    unit_people,
)
from hotline.web.access import roles, the_actor, when
from hotline.web.city import bp as city
from hotline.web.city.views import KEEPERS
from hotline.web.context import runtime, transaction
from hotline.web.office_watch import AUDITORS, WATCHERS
from hotline.web.order_pages import about, act, by_clock
from hotline.work_orders import advising, queries, service
from hotline.work_orders.asks import information
from hotline.work_orders.models import WorkOrder

bp = Blueprint("office", __name__, url_prefix="/office")
for _part in (
    office_accuracy.bp,
    office_before.bp,
    office_orders.bp,
    office_panels.bp,
    office_requests.bp,
    office_supervision.bp,
    office_watch.bp,
    office_alarms.bp,
    city,
):
    bp.register_blueprint(_part)
bp.register_blueprint(households.make("office/households.html", ("REV", "SUP", "CBK", "OPR", "ADJ")))
bp.register_blueprint(unit_people.make("office/people.html", KEEPERS))
bp.register_blueprint(rosters.make("office/roster.html", ("SUP",), ("SUP",)))
bp.before_request(office_rooms.count)
bp.context_processor(office_rooms.offer)

DISPATCHERS: Final = ("REV",)
EVERYONE: Final = (*WATCHERS, *AUDITORS, "SEC", "DTY")
OTHER: Final = "other"
REJECT_PAGE: Final = "office/reject.html"


@bp.get("")
@roles(*EVERYONE)
def home() -> ResponseReturnValue:
    """Dispatchers land in their pool, supervisors at the wall, auditors at the log; others read what is theirs."""
    role = the_actor().role
    landing = {
        "REV": "office.dispatch_pool",
        "SUP": "office.watch.board",
        "ADJ": "office.requests.desk",
        "AUD": "office.watch.audit",
        "ADM": "office.city.setup.checks",
    }.get(role)
    if landing:
        return pages.go(url_for(landing))
    return render_template("office/home.html", role=role)


# ---- dispatch pool


@bp.get("/dispatch")
@roles(*DISPATCHERS)
def dispatch_pool() -> ResponseReturnValue:
    """What waits to be dispatched, the first one opened."""
    return _dispatch_page(None, {}, {})


@bp.get("/dispatch/<number>")
@roles(*DISPATCHERS)
def dispatch_order(number: str) -> ResponseReturnValue:
    """One order with the units proposed for it."""
    return _dispatch_page(number, {}, {})


@bp.post("/dispatch/<number>")
@roles(*DISPATCHERS)
def dispatch(number: str) -> ResponseReturnValue:
    """Send the order to its units; the next one follows."""
    lead, _, line = request.form.get("lead", "").partition(":")

    def do(session: Session, order: WorkOrder) -> str:
        lead_id = request.form.get("other", type=int) if lead == OTHER else _number(lead)
        if lead_id is None:
            raise Invalid("请选择主办单位", lead_unit="请选择主办单位")
        advice = _advice(session, order)
        service.dispatch(
            session,
            order=order,
            lead_unit_id=lead_id,
            assisting_ids=request.form.getlist("assisting", type=int),
            responsibility_line_id=_number(line),
            advice=request.form.get("advice", "").strip(),
            hard=request.form.get("hard") == "1",
            **when(),
            **by_clock(),
        )
        advising.note_dispatched(session, order, advice, now=runtime().now())
        return f"{order.order_no} 已派给{order.lead_unit.name if order.lead_unit else '承办单位'}"

    def again(fault: Invalid) -> str:
        typed = request.form.to_dict() | {"assisting": request.form.getlist("assisting")}
        return _dispatch_page(number, typed, fault.details)

    return act(number, do, then=lambda _: url_for("office.dispatch_pool"), again=again)


@bp.post("/dispatch/<number>/release")
@roles(*DISPATCHERS)
def release(number: str) -> ResponseReturnValue:
    """Give units these words to read instead of a confidential demand's own; then it can be dispatched."""
    content = request.form.get("content", "")

    def do(session: Session, order: WorkOrder) -> str:
        service.release(session, order=order, content=content, **when())
        return "已放行，承办单位只看到这些内容，现在可以派单"

    def again(fault: Invalid) -> str:
        return _dispatch_page(number, {}, fault.details, release=content)

    return act(number, do, then=lambda order: url_for("office.dispatch_order", number=order.order_no), again=again)


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _dispatch_page(number: str | None, typed: dict[str, Any], faults: dict[str, object], **redacted: str) -> str:
    """The pool with one order opened; ``redacted``: words for units as they were typed."""
    actor = the_actor()
    with transaction() as session:
        found = order_pages.pool_page(lambda page: queries.to_review(session, actor, page=page))
        chosen = queries.visible_to(session, actor, number) if number else next(iter(found.items), None)
        to_tell = [(order, information.missing_words(order)) for order in information.to_tell(session)]
        if chosen is None:
            return render_template("office/dispatch.html", found=found, order=None, to_tell=to_tell)
        tier2 = units.units_of_tier(session, 2)
        advice = _advice(session, chosen)
        choices = order_pages.unit_choices(advice.units)
        first = OTHER if not choices else None if advice.asks else choices[0][0]
        return render_template(
            "office/dispatch.html",
            found=found,
            order=chosen,
            to_tell=to_tell,
            **about(session, chosen),
            **office_before.offered(session, chosen) | redacted,
            choices=[*choices, (OTHER, "其他单位", "", "")],
            others=[("", "请选择"), *((unit.id, unit.name) for unit in tier2)],
            units=tier2,
            asks=advice.asks and choices,
            looks_like=office_before.looks_like(session, chosen, advice.category),
            typed=typed or {"lead": first, "assisting": []},
            faults=faults,
        )


def _advice(session: Session, order: WorkOrder) -> advising.Advice:
    return advising.advise(session, order, routing=runtime().routing, on=runtime().today())


# ---- check of results


@bp.get("/check")
@roles(*DISPATCHERS)
def check_pool() -> ResponseReturnValue:
    """Results that wait for the hub's check, the first one opened."""
    return _check_page(None)


@bp.get("/check/<number>")
@roles(*DISPATCHERS)
def check_order(number: str) -> ResponseReturnValue:
    """One result."""
    return _check_page(number)


def _check_page(number: str | None) -> str:
    actor = the_actor()
    with transaction() as session:
        found = order_pages.pool_page(lambda page: queries.to_check_hub(session, actor, page=page))
        chosen = queries.visible_to(session, actor, number) if number else next(iter(found.items), None)
        if chosen is None:
            return render_template("office/check.html", found=found, order=None)
        return render_template(
            "office/check.html",
            found=found,
            order=chosen,
            **about(session, chosen),
            report=queries.last_report(session, chosen, actor),
        )


@bp.post("/check/<number>/approve")
@roles(*DISPATCHERS)
def approve(number: str) -> ResponseReturnValue:
    """Accept the result: the citizen will be asked."""

    def do(session: Session, order: WorkOrder) -> str:
        service.approve(session, order=order, **when(), **by_clock())
        return f"{order.order_no} 审核通过，转回访"

    return act(number, do, then=_to_check_pool)


def _to_check_pool(_: WorkOrder) -> str:
    return url_for("office.check_pool")


@bp.get("/check/<number>/reject")
@roles(*DISPATCHERS)
def reject_form(number: str) -> ResponseReturnValue:
    """The reason, as a page of its own."""
    return order_pages.reject_page(number, REJECT_PAGE)


@bp.post("/check/<number>/reject")
@roles(*DISPATCHERS)
def reject(number: str) -> ResponseReturnValue:
    """Send the result back with a reason."""
    return order_pages.reject(
        number, template=REJECT_PAGE, said=lambda order: f"{order.order_no} 已驳回", then=_to_check_pool
    )
