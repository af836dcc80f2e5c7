"""The hub's own desks: dispatch pool, check of results, orders. What it watches stands in ``web.office_watch``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.accounts.roles import HUB
from hotline.delivery import queries as deliveries
from hotline.errors import Invalid
from hotline.follow_ups import queries as follow_ups
from hotline.units import queries as units
from hotline.web import office_watch, order_pages, pages
from hotline.web.access import actor, roles, the_actor, when
from hotline.web.city import bp as city
from hotline.web.city.views import KEEPERS
from hotline.web.context import runtime, transaction
from hotline.web.formats import at_most
from hotline.web.office_watch import AUDITORS, MENDERS, WATCHERS
from hotline.web.order_pages import about, act, by_clock
from hotline.work_orders import boards, derivation, finding, proposal, queries, service
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status

bp = Blueprint("office", __name__, url_prefix="/office")
bp.register_blueprint(office_watch.bp)
bp.register_blueprint(city)

INSIDE: Final = tuple(sorted(HUB))
DISPATCHERS: Final = ("REV",)
EVERYONE: Final = (*WATCHERS, *AUDITORS, "SEC", "DTY")
OTHER: Final = "other"
REJECT_PAGE: Final = "office/reject.html"
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


@dataclass(frozen=True, slots=True)
class Room:
    """One page of the hub in its second navigation."""

    endpoint: str
    word: str
    icon: str
    roles: tuple[str, ...]
    counts: tuple[Status, ...] = ()


ROOMS: Final = (
    Room("office.dispatch_pool", "待派单", "send", DISPATCHERS, (Status.TO_REVIEW,)),
    Room("office.check_pool", "待审核", "clipboard-check", DISPATCHERS, (Status.TO_CHECK_HUB,)),
    Room("office.orders", "工单", "list-ul", INSIDE),
    Room("office.watch.board", "今日大屏", "graph-up", WATCHERS),
    Room("office.watch.messages", "通知送达", "bell", MENDERS),
    Room("office.city.home", "城市设置", "sliders", KEEPERS),
    Room("office.watch.audit", "查看记录", "journal-text", AUDITORS),
)


@dataclass(frozen=True, slots=True)
class OpenRoom:
    """A room as the navigation shows it."""

    href: str
    word: str
    icon: str
    count: int | None
    on: bool


@bp.before_request
def count_rooms() -> None:
    """Count what waits in the rooms of this person: a page shows its navigation while its own transaction is open."""
    someone = actor()
    rooms = [room for room in ROOMS if someone and someone.role in room.roles]
    with transaction() as session:
        g.office_rooms = [
            OpenRoom(
                href=url_for(room.endpoint),
                word=room.word,
                icon=room.icon,
                count=boards.waiting_in(session, *room.counts) if room.counts else None,
                on=request.path.startswith(url_for(room.endpoint)),
            )
            for room in rooms
        ]


@bp.context_processor
def offer_rooms() -> dict[str, Any]:
    """Offer ``rooms`` to this blueprint's templates."""
    return {"rooms": g.get("office_rooms", [])}


@bp.get("")
@roles(*EVERYONE)
def home() -> ResponseReturnValue:
    """Dispatchers land in their pool, supervisors at the wall, auditors at the log; others read what is theirs."""
    role = the_actor().role
    landing = {
        "REV": "office.dispatch_pool",
        "SUP": "office.watch.board",
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
        return f"{order.order_no} 已派给{order.lead_unit.name if order.lead_unit else '承办单位'}"

    def again(fault: Invalid) -> str:
        typed = request.form.to_dict() | {"assisting": request.form.getlist("assisting")}
        return _dispatch_page(number, typed, fault.details)

    return act(number, do, then=lambda _: url_for("office.dispatch_pool"), again=again)


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _dispatch_page(number: str | None, typed: dict[str, Any], faults: dict[str, object]) -> str:
    actor = the_actor()
    with transaction() as session:
        found = queries.to_review(session, actor)
        chosen = queries.visible_to(session, actor, number) if number else next(iter(found.items), None)
        if chosen is None:
            return render_template("office/dispatch.html", rows=[], total=0, order=None)
        tier2 = units.units_of_tier(session, 2)
        candidates = _candidates(session, chosen, tier2)
        choices = [
            (f"{one.unit.id}:{one.line.id if one.line else ''}", one.unit.name, "", one.reason) for one in candidates
        ]
        return render_template(
            "office/dispatch.html",
            rows=found.items,
            total=found.total,
            order=chosen,
            **about(session, chosen),
            choices=[*choices, (OTHER, "其他单位", "", "")],
            others=[("", "请选择"), *((unit.id, unit.name) for unit in tier2)],
            units=tier2,
            typed=typed or {"lead": choices[0][0] if choices else OTHER, "assisting": []},
            faults=faults,
        )


def _candidates(session: Session, order: WorkOrder, tier2: Any) -> list[proposal.Candidate]:
    today = runtime().now().astimezone(runtime().settings.tz).date()
    return proposal.propose(
        text=f"{order.title} {order.content}",
        address=order.address,
        area_code=order.area_code,
        category_code=order.category_code,
        lines=units.lines_for(session, order.category_code, on=today),
        units=[*tier2, *units.units_of_tier(session, 3)],
    )


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
        found = queries.to_check_hub(session, actor)
        chosen = queries.visible_to(session, actor, number) if number else next(iter(found.items), None)
        if chosen is None:
            return render_template("office/check.html", rows=[], total=0, order=None)
        return render_template(
            "office/check.html",
            rows=found.items,
            total=found.total,
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


# ---- orders


@bp.get("/orders")
@roles(*INSIDE)
def orders() -> ResponseReturnValue:
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
    href = url_for("office.orders", q=text or None, show=show or None)
    if found.counts is None:
        return {"href": href, "word": word, "on": on}
    number = sum(found.counts.get(state, 0) for state in states)
    return {"href": href, "word": word, "on": on, "count": at_most(number, finding.COUNTED)}


@bp.get("/orders/<number>")
@roles(*INSIDE)
def order(number: str) -> ResponseReturnValue:
    """The whole life of one order: story, holders' minutes, clocks, deliveries, what the citizen said."""
    actor, now, tz = the_actor(), runtime().now(), runtime().settings.tz
    with transaction() as session:
        found = queries.visible_to(session, actor, number)
        sent = deliveries.of_order(session, found.id)
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
        )


def _derivation(order: WorkOrder) -> list[str]:
    """How the order's deadline came about by what happened to it, a line a step."""
    found = derivation.of_order(order, runtime().calendar, runtime().settings.tz)
    return found.lines if found else []


@bp.post("/orders/<number>/caller")
@roles(*INSIDE)
def reveal(number: str) -> ResponseReturnValue:
    """Show the caller's number for a reason that leaves a row; asks for the reason first."""
    action, back = url_for("office.reveal", number=number), url_for("office.order", number=number)
    return order_pages.reveal(number, action=action, back=back)
