"""The hub's own desks: dispatch pool, check of results, orders, wall, deliveries, and who read what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline import audit as log
from hotline.accounts import queries as accounts
from hotline.accounts.roles import HUB
from hotline.callers.service import reveal as reveal_field
from hotline.calls import queries as calls
from hotline.delivery import queries as deliveries
from hotline.delivery import service as delivery
from hotline.errors import Invalid
from hotline.follow_ups import queries as follow_ups
from hotline.reports import queries as reports
from hotline.units import queries as units
from hotline.units.models import Unit
from hotline.web import pages
from hotline.web.access import actor, roles, the_actor
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import once
from hotline.work_orders import boards, clock, proposal, queries, service
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from hotline.work_orders.story import story

bp = Blueprint("office", __name__, url_prefix="/office")

INSIDE: Final = tuple(sorted(HUB))
DISPATCHERS: Final = ("REV",)
WATCHERS: Final = (*INSIDE, "LDR", "OBS", "ADM", "KBE")  # figures only: no order, no person's demand
EVERYONE: Final = (*WATCHERS, "SEC", "AUD")
OTHER: Final = "other"
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
    Room("office.board", "今日大屏", "graph-up", WATCHERS),
    Room("office.messages", "通知送达", "bell", ("REV", "SUP", "ADM")),
    Room("office.audit", "查看记录", "journal-text", ("AUD",)),
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
    landing = {"REV": "office.dispatch_pool", "SUP": "office.board", "AUD": "office.audit"}.get(role)
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
            actor=the_actor(),
            now=runtime().now(),
            calendar=runtime().calendar,
            tz=runtime().settings.tz,
            lead_unit_id=lead_id,
            assisting_ids=request.form.getlist("assisting", type=int),
            responsibility_line_id=_number(line),
            advice=request.form.get("advice", "").strip(),
            hard=request.form.get("hard") == "1",
        )
        return f"{order.order_no} 已派给{order.lead_unit.name if order.lead_unit else '承办单位'}"

    try:
        return _act(number, do, then=url_for("office.dispatch_pool"))
    except Invalid as fault:
        typed = request.form.to_dict() | {"assisting": request.form.getlist("assisting")}
        return _dispatch_page(number, typed, fault.details), 422


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
            **_order_values(session, chosen),
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


def _order_values(session: Session, order: WorkOrder) -> dict[str, Any]:
    """What every page of one order shows."""
    actor = the_actor()
    names = {row.code: row.name for row in units.categories(session)}
    return {
        "category": names.get(order.category_code, order.category_code),
        "person": queries.caller_view(order, actor),
        "story": story(session, order, actor),
    }


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
            **_order_values(session, chosen),
            report=queries.last_report(session, chosen, actor),
        )


@bp.post("/check/<number>/approve")
@roles(*DISPATCHERS)
def approve(number: str) -> ResponseReturnValue:
    """Accept the result: the citizen will be asked."""

    def do(session: Session, order: WorkOrder) -> str:
        service.approve(
            session,
            order=order,
            actor=the_actor(),
            now=runtime().now(),
            calendar=runtime().calendar,
            tz=runtime().settings.tz,
        )
        return f"{order.order_no} 审核通过，转回访"

    return _act(number, do, then=url_for("office.check_pool"))


@bp.get("/check/<number>/reject")
@roles(*DISPATCHERS)
def reject_form(number: str) -> ResponseReturnValue:
    """The reason, as a page of its own."""
    return _reject_page(number, "", None)


@bp.post("/check/<number>/reject")
@roles(*DISPATCHERS)
def reject(number: str) -> ResponseReturnValue:
    """Send the result back with a reason."""
    reason = request.form.get("reason", "")

    def do(session: Session, order: WorkOrder) -> str:
        service.reject(session, order=order, actor=the_actor(), now=runtime().now(), reason=reason)
        return f"{order.order_no} 已驳回"

    try:
        return _act(number, do, then=url_for("office.check_pool"))
    except Invalid as fault:
        return _reject_page(number, reason, str(fault.details.get("reason", fault.message))), 422


def _reject_page(number: str, typed: str, error: str | None) -> str:
    with transaction() as session:
        found = queries.visible_to(session, the_actor(), number)
        return render_template("office/reject.html", order=found, typed=typed, error=error)


def _act(number: str, do: Callable[[Session, WorkOrder], str], *, then: str) -> ResponseReturnValue:
    """Act once on an order, say what happened, go on."""
    with transaction() as session:
        found = queries.visible_to(session, the_actor(), number)

        def act() -> ResponseReturnValue:
            pages.toast(do(session, found))
            return pages.go(then)

        return once(session, act)


# ---- orders


@bp.get("/orders")
@roles(*INSIDE)
def orders() -> ResponseReturnValue:
    """Find an order by number, title, place or state."""
    text, show = request.args.get("q", "").strip(), request.args.get("show", "")
    page = request.args.get("page", 1, type=int)
    actor = the_actor()
    with transaction() as session:
        counts = boards.counts_by_status(session, actor, text=text)
        statuses = GROUPS[show][1] if show in GROUPS else ()
        found = boards.search(session, actor, text=text, statuses=statuses, page=page)
        chips = [{"href": url_for("office.orders", q=text or None), "word": "全部", "count": sum(counts.values())}]
        for key, (word, states) in GROUPS.items():
            number = sum(counts.get(state, 0) for state in states)
            chips.append({"href": url_for("office.orders", q=text or None, show=key), "word": word, "count": number})
        for chip, key in zip(chips, ("", *GROUPS), strict=True):
            chip["on"] = key == (show if show in GROUPS else "")
        return render_template(
            "office/orders.html",
            found=found,
            holders=boards.holders(session, [order.id for order in found.items]),
            chips=chips,
            text=text,
            show=show,
        )


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
            **_order_values(session, found),
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
    """How the order's first deadline came about, a line a step."""
    if order.clock_started_at is None:
        return []
    due = clock.deadline(
        order.profile,
        order.demand_type,
        order.urgency,
        order.clock_started_at,
        runtime().calendar,
        runtime().settings.tz,
        hard=order.hard,
    )
    return due.lines


@bp.post("/orders/<number>/caller")
@roles(*INSIDE)
def reveal(number: str) -> ResponseReturnValue:
    """Show the caller's number for a reason that leaves a row; asks for the reason first."""
    reason = request.form.get("reason", "")
    try:
        with transaction() as session:
            found = queries.visible_to(session, the_actor(), number)
            if found.caller is None:
                raise Invalid("这张工单没有来电人信息")
            phone = reveal_field(
                session, caller=found.caller, field="phone", actor=the_actor(), reason=reason, now=runtime().now()
            )
    except Invalid as fault:
        if "reason" not in fault.details:
            raise
        error = fault.details["reason"] if "reason" in request.form else None
        return _reveal_answer(number, typed=reason, error=error), 200 if error is None else 422
    return _reveal_answer(number, phone=phone)


def _reveal_answer(number: str, **values: Any) -> str:
    template = "ui/reveal.html" if pages.is_htmx() else "ui/reveal_page.html"
    action, back = url_for("office.reveal", number=number), url_for("office.order", number=number)
    return render_template(template, action=action, back=back, **values)


# ---- messages


@bp.get("/messages")
@roles("REV", "SUP", "ADM")
def messages() -> ResponseReturnValue:
    """What did not go out, and why."""
    with transaction() as session:
        found = deliveries.stuck(session, now=runtime().now())
        names = {unit_id: session.get(Unit, unit_id) for unit_id in {row.unit_id for row in found} if unit_id}
        numbers = {row.order_id: session.get(WorkOrder, row.order_id) for row in found if row.order_id}
        return render_template("office/messages.html", rows=found, units=names, orders=numbers)


@bp.post("/messages/<int:outbox_id>/again")
@roles("REV", "SUP", "ADM")
def send_again(outbox_id: int) -> ResponseReturnValue:
    """A person has mended the cause: send it anew."""
    with transaction() as session:

        def act() -> ResponseReturnValue:
            delivery.send_again(session, outbox_id=outbox_id, user_id=the_actor().user_id, now=runtime().now())
            pages.toast("已重新排队发送")
            return pages.go(pages.local_path(request.form.get("back")) or url_for("office.messages"))

        return once(session, act)


# ---- the wall


@bp.get("/board")
@roles(*WATCHERS)
def board() -> ResponseReturnValue:
    """Six numbers large enough for four metres, operators as tiles, orders by light. Figures only."""
    now, tz = runtime().now(), runtime().settings.tz
    with transaction() as session:
        today = reports.day_bounds(_today(), tz)
        seats = [(user, presence) for user, presence in calls.operators(session) if presence.state != "offline"]
        template = "office/_board.html" if pages.is_htmx() else "office/board.html"
        return render_template(
            template,
            queue=calls.queue_now(session, now=now),
            figures=reports.queue_figures(session, *today),
            demands=reports.demand_figures(session, *today),
            lines=reports.hour_lines(session, now),
            to_dispatch=boards.waiting_in(session, Status.TO_REVIEW),
            lights=boards.lights(session, now),
            seats=seats,
            seats_by_state=Counter(presence.state for _, presence in seats).most_common(),
        )


def _today() -> date:
    return runtime().now().astimezone(runtime().settings.tz).date()


# ---- who read what

ACTS: Final = {
    "reveal": "查看来电人信息",
    "erase": "删除来电人信息",
    "log_in": "登录",
    "set_password": "修改密码",
    "send_again": "重发通知",
    "knowledge.import": "导入知识",
    "knowledge.publish": "发布知识",
    "knowledge.submit": "提交知识审核",
    "knowledge.send_back": "退回知识",
    "knowledge.withdraw": "停用知识",
    "knowledge.revise": "修订知识",
    "read": "查阅",
    "seed_demo": "写入演示数据",
}
SUBJECTS: Final = {"caller": "来电人", "user": "人员", "outbox": "通知", "city": "城市数据", "kb_entries": "知识"}
FIELDS: Final = {"phone": "电话", "name": "姓名", "contact": "联系方式", "email": "邮箱"}
AUDIT_PAGE: Final = 50


@bp.get("/audit")
@roles("AUD")
def audit() -> ResponseReturnValue:
    """Who did and who read what, the newest first."""
    who, act = request.args.get("who", "").strip(), request.args.get("act", "")
    before = request.args.get("before", type=int)
    with transaction() as session:
        people = [user.id for user in accounts.called(session, who)] if who else None
        counts = log.counts(session, user_ids=people)
        rows = log.search(session, acts=[act] if act else [], user_ids=people, before_id=before, limit=AUDIT_PAGE + 1)
        names = accounts.named(session, [row.user_id for row in rows])
        more = len(rows) > AUDIT_PAGE
        rows = rows[:AUDIT_PAGE]
        chips = [
            {
                "href": url_for("office.audit", who=who or None),
                "word": "全部",
                "count": sum(counts.values()),
                "on": not act,
            }
        ]
        chips += [
            {
                "href": url_for("office.audit", who=who or None, act=one),
                "word": ACTS.get(one, one),
                "count": number,
                "on": one == act,
            }
            for one, number in sorted(counts.items(), key=lambda item: -item[1])
        ]
        return render_template(
            "office/audit.html",
            rows=[(row, names.get(row.user_id or 0)) for row in rows],
            total=counts.get(act, 0) if act else sum(counts.values()),
            chips=chips,
            who=who,
            act=act,
            words={"acts": ACTS, "subjects": SUBJECTS, "fields": FIELDS},
            newer=url_for("office.audit", who=who or None, act=act or None) if before else None,
            older=url_for("office.audit", who=who or None, act=act or None, before=rows[-1].id) if more else None,
        )
