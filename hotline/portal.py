"""County and township units: the order as a story, signing, handing down, reporting, checking; first the inbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.delivery import queries as deliveries
from hotline.delivery import service as delivery
from hotline.errors import Invalid
from hotline.units import queries as units
from hotline.units.models import Unit
from hotline.web import order_pages, unit_inbox, unit_reviews
from hotline.web.access import roles, the_actor, when
from hotline.web.context import runtime, transaction
from hotline.web.formats import moment
from hotline.web.order_pages import about, act, by_clock
from hotline.web.unit_inbox import AT_WORK, COUNTY, UNIT
from hotline.work_orders import boards, proposal, queries, service
from hotline.work_orders.models import SubOrder, WorkOrder
from hotline.work_orders.states import Action, SubState
from hotline.work_orders.story import story

bp = Blueprint("portal", __name__, url_prefix="/portal")
bp.register_blueprint(unit_inbox.bp)
bp.register_blueprint(unit_reviews.bp)

CONTACT_WAYS: Final = ("电话", "上门", "微信", "现场见面", "其他")
UNSOLVED: Final = ("政策限制", "资金不足", "权属不清", "客观条件限制", "已列入计划", "反映不属实", "其他")
REJECT_PAGE: Final = "portal/reject.html"
LOCAL: Final = "%Y-%m-%dT%H:%M"  # what a datetime-local field speaks


@dataclass(frozen=True, slots=True)
class Step:
    """Something that can be done next. ``post``: one press does it; ``opens``: a dialog with that id."""

    word: str
    href: str
    icon: str
    post: bool = False
    opens: str = ""


# ---- one order


@bp.get("/orders/<number>")
@roles(*UNIT)
def order(number: str) -> ResponseReturnValue:
    """The order as a story, with what is asked of this unit. Opening it is the receipt of its push."""
    actor, now = the_actor(), runtime().now()
    with transaction() as session:
        found = queries.visible_to(session, actor, number)
        if actor.unit_id is not None:
            delivery.receipted(session, found.id, actor.unit_id, now)
        own = _own_sub(session, found)
        actions = {action for action, _ in queries.allowed_actions(found, actor)}
        below = units.subtree_ids(session, actor.unit_id) if actor.unit_id else []
        steps = _steps(found, actions, has_units_below=len(below) > 1)
        return render_template(
            "portal/order.html",
            order=found,
            sub=own,
            due_at=own.sign_due_at if own.state == SubState.TO_SIGN else own.deadline_at,
            running=own.state in AT_WORK,
            **about(session, found),
            holder=boards.holders(session, [found.id]).get(found.id, "热线中心"),
            deliveries=deliveries.of_order(session, found.id, unit_ids=below),
            unit_names={part.unit_id: part.unit.name for part in found.sub_orders},
            report=queries.last_report(session, found, actor),
            next_step=steps[0] if steps else None,
            more=steps[1:],
            actions=actions,
            can_hand_down=len(below) > 1,
            sent=request.args.get("sent"),
        )


def _own_sub(session: Session, order: WorkOrder) -> SubOrder:
    """The newest part of the actor's unit, else of the units below: whoever sees an order has one."""
    below = set(units.subtree_ids(session, the_actor().unit_id or 0))
    mine = [sub for sub in order.sub_orders if sub.unit_id in below]
    own = [sub for sub in mine if sub.unit_id == the_actor().unit_id]
    return (own or mine)[-1]


def _steps(order: WorkOrder, allowed: set[Action], *, has_units_below: bool) -> list[Step]:
    """What the table of transitions allows, the one big button first; the rest stands under 更多."""
    number = order.order_no
    found = {
        Action.SIGN: Step("签收", url_for("portal.sign", number=number), "check-lg", post=True),
        Action.APPROVE: Step("审核通过", url_for("portal.approve", number=number), "check-lg", post=True),
        Action.HAND_DOWN: Step("转派给下属单位", url_for("portal.hand_down", number=number), "diagram-3"),
        Action.REPORT: Step("反馈办理结果", url_for("portal.report", number=number), "send"),
        Action.REJECT: Step("驳回", url_for("portal.reject", number=number), "arrow-return-left", opens="reject"),
    }
    if not has_units_below:
        del found[Action.HAND_DOWN]
    return [step for action, step in found.items() if action in allowed]


@bp.post("/orders/<number>/caller")
@roles(*UNIT)
def reveal(number: str) -> ResponseReturnValue:
    """Show the caller's number for a reason that leaves a row; asks for the reason first."""
    return order_pages.reveal(number, action=url_for("portal.reveal", number=number), back=_at(number))


# ---- acting


def _at(number: str, **values: Any) -> str:
    return url_for("portal.order", number=number, **values)


def _back_to(order: WorkOrder) -> str:
    """The page of an order just acted on."""
    return _at(order.order_no)


@bp.post("/orders/<number>/sign")
@roles(*UNIT)
def sign(number: str) -> ResponseReturnValue:
    """Sign for one order."""

    def do(session: Session, order: WorkOrder) -> str:
        service.sign(session, order=order, **when())
        return "已签收"

    return act(number, do, then=_back_to)


@bp.get("/orders/<number>/hand-down")
@roles(*COUNTY)
def hand_down_form(number: str) -> ResponseReturnValue:
    """Choose one's own township, say what is wanted and until when."""
    return _hand_down_page(number, {}, {})


@bp.post("/orders/<number>/hand-down")
@roles(*COUNTY)
def hand_down(number: str) -> ResponseReturnValue:
    """Hand the order to a township of one's own."""

    def do(session: Session, order: WorkOrder) -> str:
        unit_id = request.form.get("unit", type=int)
        if unit_id is None:
            raise Invalid("请选择单位", unit="请选择交给哪个单位")
        service.hand_down(
            session,
            order=order,
            unit_id=unit_id,
            due_at=_moment_typed("due_at"),
            advice=request.form.get("advice", "").strip(),
            **when(),
            **by_clock(),
        )
        return "已转派"

    def again(fault: Invalid) -> str:
        return _hand_down_page(number, request.form.to_dict(), fault.details)

    return act(number, do, then=_back_to, again=again)


def _hand_down_page(number: str, typed: dict[str, str], faults: dict[str, object]) -> str:
    actor, now, tz = the_actor(), runtime().now(), runtime().settings.tz
    with transaction() as session:
        found = queries.visible_to(session, actor, number)
        above = session.get_one(Unit, actor.unit_id)
        below = units.children(session, above.id)
        guess = proposal.propose_below(text=f"{found.address} {found.content}", above=above, units=below)
        latest = service.suggested_due(found, now=now, **by_clock())
        return render_template(
            "portal/hand_down.html",
            order=found,
            children=[(unit.id, proposal.local_name(unit, above), "", "") for unit in below],
            why=f"{guess.reason}，已为您选中" if guess else None,
            due_help=f"工单时限 {moment(found.deadline_at, tz)}，建议时限已扣除审核时间" if found.deadline_at else None,
            typed=typed
            or {
                "unit": guess.unit.id if guess else None,
                "due_at": f"{latest.astimezone(tz):{LOCAL}}" if latest else "",
                "advice": found.dispatch_advice,
            },
            faults=faults,
        )


@bp.get("/orders/<number>/report")
@roles(*UNIT)
def report_form(number: str) -> ResponseReturnValue:
    """Report in steps: contacted, solved, what was done, the answer to the citizen."""
    return _report_page(number, {}, {})


@bp.post("/orders/<number>/report")
@roles(*UNIT)
def report(number: str) -> ResponseReturnValue:
    """Send the report."""

    def do(session: Session, order: WorkOrder) -> str:
        typed = request.form
        if typed.get("contacted") not in ("yes", "no"):
            raise Invalid("请选择是否联系了市民", contacted="请选择是否联系了市民")
        service.report(
            session,
            order=order,
            contacted=typed["contacted"] == "yes",
            contacted_at=_moment_typed("contacted_at"),
            contact_way=typed.get("contact_way", ""),
            solved=typed.get("solved", ""),
            unsolved_reason=_unsolved_reason(),
            process=typed.get("process", ""),
            public_reply=typed.get("public_reply", ""),
            **when(),
            **by_clock(),
        )
        return "已提交反馈"

    def then(order: WorkOrder) -> str:
        return _at(order.order_no, sent=_steps_key(order))

    def again(fault: Invalid) -> str:
        return _report_page(number, request.form.to_dict(), fault.details)

    return act(number, do, then=then, again=again)


def _unsolved_reason() -> str:
    kind, words = request.form.get("unsolved_kind", ""), request.form.get("unsolved_reason", "").strip()
    return "：".join(part for part in (kind, words) if part)


def _report_page(number: str, typed: dict[str, Any], faults: dict[str, object]) -> str:
    actor, now, tz = the_actor(), runtime().now(), runtime().settings.tz
    with transaction() as session:
        found = queries.visible_to(session, actor, number)
        told = story(session, found, actor)
        back = next(
            (item for item in reversed(told) if item.action in (Action.REJECT, Action.REDO, Action.REPORT)), None
        )
        returned = back if back and back.action != Action.REPORT else None
        earlier = queries.last_report(session, found, actor)
        if not typed:
            typed = {"contacted_at": f"{now.astimezone(tz):{LOCAL}}", "contact_way": CONTACT_WAYS[0]}
            if earlier and returned:  # mend what was sent back instead of writing it anew
                typed |= {"process": earlier.process, "public_reply": earlier.public_reply}
        return render_template(
            "portal/report.html",
            order=found,
            steps_key=_steps_key(found),
            returned=returned,
            typed=typed,
            faults=faults,
            ways=[(way, way) for way in CONTACT_WAYS],
            reasons=[("", "请选择"), *((reason, reason) for reason in UNSOLVED)],
        )


def _steps_key(order: WorkOrder) -> str:
    """Names what a browser tab keeps of a report; a report sent back begins anew."""
    return f"{order.order_no}-{sum(event.action == Action.REPORT for event in order.events)}"


@bp.post("/orders/<number>/approve")
@roles(*COUNTY)
def approve(number: str) -> ResponseReturnValue:
    """Accept what the township reported."""

    def do(session: Session, order: WorkOrder) -> str:
        service.approve(session, order=order, note=request.form.get("note", ""), **when(), **by_clock())
        return "审核通过，已报热线中心"

    return act(number, do, then=_back_to)


@bp.get("/orders/<number>/reject")
@roles(*COUNTY)
def reject_form(number: str) -> ResponseReturnValue:
    """The reason, as a page of its own."""
    return order_pages.reject_page(number, REJECT_PAGE)


@bp.post("/orders/<number>/reject")
@roles(*COUNTY)
def reject(number: str) -> ResponseReturnValue:
    """Send the township's report back with a reason."""
    return order_pages.reject(number, template=REJECT_PAGE, said=lambda _: "已驳回，请下属单位重新办理", then=_back_to)


def _moment_typed(name: str) -> datetime | None:
    """A moment as a date field sends it, in the city's zone; None when left empty."""
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=runtime().settings.tz)
    except ValueError as fault:
        raise Invalid("时间格式不对", **{name: "请按“年-月-日 时:分”填写"}) from fault
