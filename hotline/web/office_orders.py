"""The hub's look at orders: found by number, words or state; one order's whole life, and what may be done with it."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hotline.accounts.roles import HUB
from hotline.delivery import queries as deliveries
from hotline.follow_ups import queries as follow_ups
from hotline.units.models import Unit
from hotline.web import office_acts, order_pages
from hotline.web.access import roles, the_actor
from hotline.web.context import runtime, transaction
from hotline.web.formats import at_most
from hotline.web.order_pages import about
from hotline.work_orders import boards, derivation, finding, merging, queries
from hotline.work_orders.asks.waits import waits_of
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from hotline.work_orders.supervision import queries as supervision

bp = Blueprint("orders", __name__, url_prefix="/orders")
bp.register_blueprint(office_acts.bp)

INSIDE: Final = tuple(sorted(HUB))
# groups of states as people ask for them
GROUPS: Final[dict[str, tuple[str, tuple[Status, ...]]]] = {
    "review": ("待派单", (Status.TO_REVIEW, Status.NEEDS_INFO)),
    "to_sign": ("待签收", (Status.TO_SIGN, Status.TO_SIGN_TIER3)),
    "in_hand": ("办理中", (Status.IN_HAND, Status.IN_HAND_TIER3, Status.SENT_BACK, Status.REDO)),
    "judge": ("退回与会商", (Status.RETURN_ASKED, Status.PANEL, Status.SUSPENDED, Status.REVIEW)),
    "check": ("待审核", (Status.TO_CHECK_TIER2, Status.TO_CHECK_HUB)),
    "call_back": ("待回访", (Status.TO_CALL_BACK,)),
    "done": ("办结", (Status.CLOSED, Status.ARCHIVED, Status.ANSWERED, Status.REFUSED)),
    "draft": ("记录中", (Status.DRAFT,)),
}


@bp.get("")
@roles(*INSIDE)
def find() -> ResponseReturnValue:
    """Find an order by number, title, place or state."""
    text, show = request.args.get("q", "").strip(), request.args.get("show", "")
    page = request.args.get("page", 1, type=int)
    actor = the_actor()
    with transaction() as session:
        statuses = GROUPS[show][1] if show in GROUPS else ()
        found = finding.find(session, actor, text=text, statuses=statuses, page=page)
        chips = [_chip(found, "全部", text, "", tuple(Status), on=show not in GROUPS)]
        chips += [_chip(found, word, text, key, states, on=key == show) for key, (word, states) in GROUPS.items()]
        return render_template(
            "office/orders.html",
            found=found,
            total=at_most(found.total, finding.COUNTED),
            holders=boards.holders(session, [order.id for order in found.items]),
            chips=chips,
            text=text,
            show=show,
        )


def _chip(
    found: finding.Found, word: str, text: str, show: str, states: tuple[Status, ...], *, on: bool
) -> dict[str, Any]:
    """One group of states with how many stand in it; no number where the words fit too many."""
    href = url_for("office.orders.find", q=text or None, show=show or None)
    if found.counts is None:
        return {"href": href, "word": word, "on": on}
    number = sum(found.counts.get(state, 0) for state in states)
    return {"href": href, "word": word, "on": on, "count": at_most(number, finding.COUNTED)}


@bp.get("/<number>")
@roles(*INSIDE)
def order(number: str) -> ResponseReturnValue:
    """The whole life of one order: story, holders' minutes, clocks, deliveries, what the citizen said."""
    actor, now, tz = the_actor(), runtime().now(), runtime().settings.tz
    with transaction() as session:
        found = queries.visible_to(session, actor, number)
        sent = deliveries.of_order(session, found.id)
        waits = waits_of(session, found)
        return render_template(
            "office/order.html",
            order=found,
            **about(session, found),
            report=queries.last_report(session, found, actor),
            held=queries.held_minutes(found, now),
            derivation=_derivation(found),
            deliveries=sent,
            unit_names={sub.unit_id: sub.unit.name for sub in found.sub_orders},
            said=follow_ups.evaluations_of(session, found, actor),
            holder=boards.holders(session, [found.id]).get(found.id),
            day=now.astimezone(tz).date(),
            acts=office_acts.offered(found),
            notices=supervision.of_order(session, actor, found),
            together=merging.followers(session, found),
            waits=waits,
            wait_names={wait.for_unit_id: session.get_one(Unit, wait.for_unit_id).name for wait in waits},
        )


def _derivation(order: WorkOrder) -> list[str]:
    """How the order's deadline came about by what happened to it, a line a step."""
    found = derivation.of_order(order, runtime().calendar, runtime().settings.tz)
    return found.lines if found else []


@bp.post("/<number>/caller")
@roles(*INSIDE)
def reveal(number: str) -> ResponseReturnValue:
    """Show the caller's number for a reason that leaves a row; asks for the reason first."""
    action, back = url_for("office.orders.reveal", number=number), url_for("office.orders.order", number=number)
    return order_pages.reveal(number, action=action, back=back)
