"""County and township units: the inbox, the order as a story, signing, handing down, reporting, checking."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.callers.service import reveal as reveal_field
from hotline.delivery import queries as deliveries
from hotline.delivery import service as delivery
from hotline.errors import Invalid
from hotline.units import queries as units
from hotline.units.models import Unit
from hotline.web import pages
from hotline.web.access import roles, the_actor
from hotline.web.context import runtime, transaction
from hotline.web.formats import moment, time_tone
from hotline.web.idempotency import once
from hotline.work_orders import boards, proposal, queries, service
from hotline.work_orders.models import SubOrder, WorkOrder
from hotline.work_orders.queries import Bucket
from hotline.work_orders.states import Action, SubState
from hotline.work_orders.story import story

bp = Blueprint("portal", __name__, url_prefix="/portal")

UNIT: Final = ("U2", "U2L", "U3", "U3L")
COUNTY: Final = ("U2", "U2L")
AT_WORK: Final = (SubState.TO_SIGN, SubState.SIGNED, SubState.IN_HAND)
NOW: Final = "now"
# what a bucket is called, its tone when it is not empty, and what would appear in it
BUCKETS: Final = {
    Bucket.TO_SIGN: ("待签收", "act", "派给本单位、还没有签收的工单会出现在这里。"),
    Bucket.TO_CHECK: ("待审核", "act", "下属单位反馈了结果、等本单位审核的工单会出现在这里。"),
    Bucket.DUE_TODAY: ("今日到期", "soon", "今天之内必须办完的工单会出现在这里。"),
    Bucket.IN_HAND: ("办理中", "plain", "已经签收、正在办理的工单会出现在这里。"),
    Bucket.OVERDUE: ("已超期", "late", "过了办理时限还没有反馈的工单会出现在这里。"),
    Bucket.REPORTED: ("已反馈", "plain", "反馈之后、正在审核或回访的工单会出现在这里。"),
    Bucket.DONE: ("已办结", "done", "回访之后办结的工单会出现在这里。"),
}
CONTACT_WAYS: Final = ("电话", "上门", "微信", "现场见面", "其他")
UNSOLVED: Final = ("政策限制", "资金不足", "权属不清", "客观条件限制", "已列入计划", "反映不属实", "其他")
LOCAL: Final = "%Y-%m-%dT%H:%M"  # what a datetime-local field speaks


@dataclass(frozen=True, slots=True)
class Row:
    """One order in a list."""

    order: WorkOrder
    sub: SubOrder
    holder: str
    urged: int
    due_at: datetime | None
    since: datetime
    edge: str | None

    @property
    def place(self) -> str:
        """Where."""
        return self.order.address

    @property
    def running(self) -> bool:
        """Whether the unit's clock runs."""
        return self.sub.state in AT_WORK


@dataclass(frozen=True, slots=True)
class Step:
    """Something that can be done next. ``post``: one press does it; ``opens``: a dialog with that id."""

    word: str
    href: str
    icon: str
    post: bool = False
    opens: str = ""


# ---- lists


@bp.get("")
@roles(*UNIT)
def inbox() -> ResponseReturnValue:
    """What must be done now, or one bucket of it (``?show=``)."""
    actor, now, tz = the_actor(), runtime().now(), runtime().settings.tz
    show = request.args.get("show", NOW)
    page = request.args.get("page", 1, type=int)
    with transaction() as session:
        counts = queries.inbox_counts(session, actor, now=now, tz=tz)
        buckets = [bucket for bucket in BUCKETS if bucket != Bucket.TO_CHECK or actor.role in COUNTY]

        def listed(bucket: str, number: int = 1) -> queries.Page[SubOrder]:
            return queries.inbox(session, actor, bucket=bucket, now=now, tz=tz, page=number)

        if show == NOW:
            found = {bucket: listed(bucket) for bucket in (Bucket.TO_SIGN, Bucket.TO_CHECK)}
            found[Bucket.IN_HAND] = boards.to_work(session, actor)
        else:
            found = {Bucket(show): listed(show, page)} if show in set(Bucket) else {}
            if not found:
                raise Invalid("没有这一栏")
        groups = {
            bucket: queries.Page(_rows(session, one.items, now), one.total, one.page, one.per_page)
            for bucket, one in found.items()
        }
        board = boards.county_board(session, actor, now=now) if actor.role in COUNTY else None
        return render_template(
            "portal/inbox.html",
            show=show,
            groups=groups,
            buckets=BUCKETS,
            counts=counts,
            chips=_chips(buckets, counts, show),
            picked=request.args.get("all") == "1",
            board=board,
        )


@bp.get("/board")
@roles(*COUNTY)
def board() -> ResponseReturnValue:
    """The townships' work, columns by state."""
    with transaction() as session:
        found = boards.county_board(session, the_actor(), now=runtime().now())
        return render_template("portal/board.html", board=found)


def _chips(buckets: Iterable[Bucket], counts: dict[str, int], show: str) -> list[dict[str, Any]]:
    chips = [{"href": url_for("portal.inbox"), "word": "现在要办", "on": show == NOW}]
    for bucket in buckets:
        word, tone, _ = BUCKETS[bucket]
        number = counts[bucket]
        href = url_for("portal.inbox", show=bucket.value)
        chips.append(
            {"href": href, "word": word, "count": number, "tone": tone if number else "", "on": show == bucket}
        )
    return chips


def _rows(session: Session, subs: Iterable[SubOrder], now: datetime) -> list[Row]:
    subs = list(subs)
    ids = [sub.order_id for sub in subs]
    holding, urged = boards.holders(session, ids), boards.urges(session, ids)
    return [_row(sub, holding.get(sub.order_id, "热线中心"), urged.get(sub.order_id, 0), now) for sub in subs]


def _row(sub: SubOrder, holder: str, urged: int, now: datetime) -> Row:
    due_at = sub.sign_due_at if sub.state == SubState.TO_SIGN else sub.deadline_at
    running = sub.state in AT_WORK
    tone = time_tone(due_at, now, sub.assigned_at) if due_at and running else "plain"
    return Row(sub.order, sub, holder, urged, due_at, sub.assigned_at, tone if tone in ("late", "soon") else None)


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
            category=_category(session, found),
            person=queries.caller_view(found, actor),
            story=story(session, found, actor),
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


def _category(session: Session, order: WorkOrder) -> str:
    return {row.code: row.name for row in units.categories(session)}.get(order.category_code, order.category_code)


@bp.post("/orders/<number>/caller")
@roles(*UNIT)
def reveal(number: str) -> ResponseReturnValue:
    """Show the caller's number for a reason that leaves a row; asks for the reason first."""
    actor = the_actor()
    reason = request.form.get("reason", "")
    try:
        with transaction() as session:
            found = queries.visible_to(session, actor, number)
            view = queries.caller_view(found, actor)
            if found.caller is None or view is None:
                raise Invalid("这张工单的来电人保密")
            phone = reveal_field(
                session,
                caller=found.caller,
                field="phone",
                actor=actor,
                reason=reason,
                now=runtime().now(),
                unit_may=lambda: view is not None,
            )
    except Invalid as fault:
        if "reason" not in fault.details:
            raise
        error = fault.details["reason"] if "reason" in request.form else None
        return _reveal_answer(number, typed=reason, error=error), 200 if error is None else 422
    return _reveal_answer(number, phone=phone)


def _reveal_answer(number: str, **values: Any) -> str:
    template = "ui/reveal.html" if pages.is_htmx() else "ui/reveal_page.html"
    return render_template(template, action=url_for("portal.reveal", number=number), back=_at(number), **values)


# ---- acting


def _act(number: str, do: Callable[[Session, WorkOrder], str], *, sent: bool = False) -> ResponseReturnValue:
    """Act once on an order this unit may see, say what happened, show the order again."""
    with transaction() as session:
        found = queries.visible_to(session, the_actor(), number)
        kept = _steps_key(found) if sent else None

        def act() -> ResponseReturnValue:
            pages.toast(do(session, found))
            return pages.go(_at(number, sent=kept))

        return once(session, act)


def _at(number: str, **values: Any) -> str:
    return url_for("portal.order", number=number, **values)


def _when() -> dict[str, Any]:
    return {"actor": the_actor(), "now": runtime().now()}


def _clock() -> dict[str, Any]:
    return {"calendar": runtime().calendar, "tz": runtime().settings.tz}


@bp.post("/orders/<number>/sign")
@roles(*UNIT)
def sign(number: str) -> ResponseReturnValue:
    """Sign for one order."""

    def do(session: Session, order: WorkOrder) -> str:
        service.sign(session, order=order, **_when())
        return "已签收"

    return _act(number, do)


@bp.post("/sign")
@roles(*UNIT)
def sign_many() -> ResponseReturnValue:
    """Sign for every ticked order, or for the one whose button was pressed. All or none."""
    only = request.form.get("only")
    numbers = [only] if only else request.form.getlist("number")
    if not numbers:
        pages.toast("请先勾选要签收的工单", tone="soon")
        return pages.go(url_for("portal.inbox", show=Bucket.TO_SIGN.value))
    with transaction() as session:

        def act() -> ResponseReturnValue:
            for number in numbers:
                service.sign(session, order=queries.visible_to(session, the_actor(), number), **_when())
            pages.toast(f"已签收 {len(numbers)} 件")
            return pages.go(_at(only) if only else url_for("portal.inbox"))

        return once(session, act)


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
            **_when(),
            **_clock(),
        )
        return "已转派"

    try:
        return _act(number, do)
    except Invalid as fault:
        return _hand_down_page(number, request.form.to_dict(), fault.details), 422


def _hand_down_page(number: str, typed: dict[str, str], faults: dict[str, object]) -> str:
    actor, now, tz = the_actor(), runtime().now(), runtime().settings.tz
    with transaction() as session:
        found = queries.visible_to(session, actor, number)
        above = session.get_one(Unit, actor.unit_id)
        below = units.children(session, above.id)
        guess = proposal.propose_below(text=f"{found.address} {found.content}", above=above, units=below)
        latest = service.suggested_due(found, now=now, **_clock())
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
            **_when(),
            **_clock(),
        )
        return "已提交反馈"

    try:
        return _act(number, do, sent=True)
    except Invalid as fault:
        return _report_page(number, request.form.to_dict(), fault.details), 422


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
        service.approve(session, order=order, note=request.form.get("note", ""), **_when(), **_clock())
        return "审核通过，已报热线中心"

    return _act(number, do)


@bp.get("/orders/<number>/reject")
@roles(*COUNTY)
def reject_form(number: str) -> ResponseReturnValue:
    """The reason, as a page of its own."""
    return _reject_page(number, "", None)


@bp.post("/orders/<number>/reject")
@roles(*COUNTY)
def reject(number: str) -> ResponseReturnValue:
    """Send the township's report back with a reason."""
    reason = request.form.get("reason", "")

    def do(session: Session, order: WorkOrder) -> str:
        service.reject(session, order=order, reason=reason, **_when())
        return "已驳回，请下属单位重新办理"

    try:
        return _act(number, do)
    except Invalid as fault:
        return _reject_page(number, reason, str(fault.details.get("reason", fault.message))), 422


def _reject_page(number: str, typed: str, error: str | None) -> str:
    with transaction() as session:
        found = queries.visible_to(session, the_actor(), number)
        return render_template("portal/reject.html", order=found, typed=typed, error=error)


def _moment_typed(name: str) -> datetime | None:
    """A moment as a date field sends it, in the city's zone; None when left empty."""
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=runtime().settings.tz)
    except ValueError as fault:
        raise Invalid("时间格式不对", **{name: "请按“年-月-日 时:分”填写"}) from fault
