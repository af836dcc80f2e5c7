"""County and township units: the order as a story, signing, handing down, reporting, checking; first the inbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.delivery import queries as deliveries
from hotline.delivery import service as delivery
from hotline.errors import Invalid
from hotline.units import queries as units
from hotline.units.models import Unit
from hotline.web import (
    households,
    order_pages,
    rosters,
    unit_asks,
    unit_contacts,
    unit_inbox,
    unit_people,
    unit_print,
    unit_report,
    unit_reviews,
)
from hotline.web.access import roles, the_actor, when
from hotline.web.context import runtime, transaction
from hotline.web.formats import moment
from hotline.web.moments import LOCAL, moment_typed
from hotline.web.order_pages import about, act, by_clock
from hotline.web.unit_inbox import AT_WORK, COUNTY, UNIT, own_sub, steps_key
from hotline.work_orders import boards, evidence, merging, proposal, queries, service, steps
from hotline.work_orders.asks.waits import waits_of
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Action, SubState
from hotline.work_orders.transitions import LIVE

bp = Blueprint("portal", __name__, url_prefix="/portal")
bp.register_blueprint(unit_inbox.bp)
bp.register_blueprint(unit_report.bp)
bp.register_blueprint(unit_asks.bp)
bp.register_blueprint(unit_print.bp)
bp.register_blueprint(unit_reviews.bp)
bp.register_blueprint(unit_contacts.bp)
bp.register_blueprint(households.make("portal/households.html", UNIT))
bp.register_blueprint(unit_people.make("portal/people.html", ("U2L", "U3L")))
bp.register_blueprint(rosters.make("portal/roster.html", UNIT, ("U2L", "U3L")))

# what is asked of a unit; everything else it may do stands under 更多
LED_TO: Final = frozenset(
    {
        Action.SIGN,
        Action.ACCEPT_RETURN,
        Action.GRANT_EXTENSION,
        Action.APPROVE,
        Action.HAND_DOWN,
        Action.REPORT,
        Action.REPLY_NOTICE,
    }
)
REJECT_PAGE: Final = "portal/reject.html"


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
        own = own_sub(session, found)
        actions = set(steps.allowed(found, actor, now))
        below = units.subtree_ids(session, actor.unit_id) if actor.unit_id else []
        files = evidence.files_of(session, found, actor)
        unit_names = {unit.id: unit.name for unit in units.active_units(session)}
        next_step, more = _steps(found, actions, has_units_below=len(below) > 1)
        return render_template(
            "portal/order.html",
            order=found,
            sub=own,
            due_at=own.sign_due_at if own.state == SubState.TO_SIGN else own.deadline_at,
            running=own.state in AT_WORK,
            **about(session, found),
            holder=boards.holders(session, [found.id]).get(found.id, "热线中心"),
            followers=merging.follower_count(session, found),
            deliveries=deliveries.of_order(session, found.id, unit_ids=below),
            unit_names=unit_names,
            report=queries.last_report(session, found, actor),
            files=files,
            pairs=evidence.pairs(files),
            steps_key=steps_key(own),
            next_step=next_step,
            more=more,
            actions=actions,
            can_hand_down=len(below) > 1,
            beside=[sub for sub in found.sub_orders if sub.id != own.id and sub.state in LIVE],
            held=queries.held_minutes(found, now),
            requests=[row for row in found.requests if row.unit_id in below],
            notices=[row for row in found.notices if row.unit_id in below],
            waits=waits_of(session, found),
            sent=request.args.get("sent"),
        )


def _steps(order: WorkOrder, allowed: set[Action], *, has_units_below: bool) -> tuple[Step | None, list[Step]]:
    """What the table of transitions allows, the one big button first; the rest stands under 更多."""
    number = order.order_no

    def ask(kind: str) -> tuple[Action, Step]:
        one = unit_asks.ASKS[kind]
        return one.action, Step(one.word, url_for("portal.asks.form", number=number, kind=kind), one.icon)

    found = [
        (Action.SIGN, Step("签收", url_for("portal.sign", number=number), "check-lg", post=True)),
        ask("decide-return"),
        ask("decide-extension"),
        (Action.APPROVE, Step("审核通过", url_for("portal.approve", number=number), "check-lg", post=True)),
        (Action.HAND_DOWN, Step("转派给下属单位", url_for("portal.hand_down", number=number), "diagram-3")),
        (Action.REPORT, Step("反馈办理结果", url_for("portal.feedback.form", number=number), "send")),
        ask("notice"),
        ask("resume"),
        (
            Action.REJECT,
            Step("驳回", url_for("portal.reject", number=number), "arrow-return-left", opens="reject"),
        ),
        *(ask(kind) for kind in ("progress", "extension", "return", "recall", "suspension", "claim", "appeal")),
    ]
    if not has_units_below:
        found = [(action, step) for action, step in found if action != Action.HAND_DOWN]
    led = next((step for action, step in found if action in allowed and action in LED_TO), None)
    return led, [step for action, step in found if action in allowed and step is not led]


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
            due_at=moment_typed("due_at"),
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
