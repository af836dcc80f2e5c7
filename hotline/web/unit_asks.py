"""What a unit asks for, answers and decides about an order beside its main steps: each a form of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.errors import Invalid, NotFound
from hotline.units import queries as units
from hotline.units.models import ResponsibilityLine
from hotline.web.access import roles, the_actor, when
from hotline.web.context import runtime, transaction
from hotline.web.moments import LOCAL, moment_typed
from hotline.web.order_pages import act, by_clock
from hotline.web.unit_inbox import UNIT
from hotline.work_orders import queries, service, steps
from hotline.work_orders.asks.extensions import latest_of
from hotline.work_orders.asks.waits import waits_of
from hotline.work_orders.guards import pending, returning_beside
from hotline.work_orders.models import Notice, OrderRequest, WorkOrder
from hotline.work_orders.rules import rules_of
from hotline.work_orders.states import Action, RequestKind
from hotline.work_orders.words import CLAIM_WORDS, EXTENSION_WORDS, RETURN_WORDS, SUSPENSION_WORDS

bp = Blueprint("asks", __name__, url_prefix="/orders/<number>/ask")

LINES_SHOWN: Final = 20
YES, NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class Ask:
    """One form: what it does, what its page and its button say, and what is said when it is done."""

    action: Action
    word: str
    icon: str
    button: str
    said: str
    do: Callable[[Session, WorkOrder], object]


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()


def _verdict() -> bool:
    if _typed("verdict") not in (YES, NO):
        raise Invalid("请选择同意或不同意", verdict="请选择同意或不同意")
    return _typed("verdict") == YES


def _needed(name: str, fault: str) -> str:
    if not _typed(name):
        raise Invalid(fault, **{name: fault})
    return _typed(name)


def _return(session: Session, order: WorkOrder) -> object:
    return service.ask_return(
        session,
        order=order,
        ground=_typed("ground"),
        responsibility_line_id=request.form.get("responsibility_line", type=int),
        suggested_unit_id=request.form.get("suggested_unit", type=int),
        reason=_typed("reason"),
        **when(),
        **by_clock(),
    )


def _decide_return(session: Session, order: WorkOrder) -> object:
    which = request.form.get("request", type=int)
    if _verdict():
        words = _typed("reason")
        return service.accept_return(session, order=order, advice=words, request_id=which, **when(), **by_clock())
    words = _needed("reason", "请说明原因")
    return service.refuse_return(session, order=order, reason=words, request_id=which, **when(), **by_clock())


def _extension(session: Session, order: WorkOrder) -> object:
    until = moment_typed("until")
    if until is None:
        raise Invalid("请填写延期到何时", until="请填写延期到何时")
    plan, ground = _typed("plan"), _typed("ground")
    return service.ask_extension(session, order=order, ground=ground, plan=plan, until=until, **when(), **by_clock())


def _decide_extension(session: Session, order: WorkOrder) -> object:
    if _verdict():
        return service.grant_extension(session, order=order, answer=_typed("reason"), **when(), **by_clock())
    return service.refuse_extension(session, order=order, reason=_needed("reason", "请说明原因"), **when())


def _suspension(session: Session, order: WorkOrder) -> object:
    review_at = moment_typed("review_at")
    if review_at is None:
        raise Invalid("请填写何时复核", review_at="请填写何时复核")
    return service.ask_suspension(
        session,
        order=order,
        ground=_typed("ground"),
        waits_for=_typed("waits_for"),
        review_at=review_at,
        **when(),
        **by_clock(),
    )


def _resume(session: Session, order: WorkOrder) -> object:
    return service.resume(session, order=order, reason=_typed("reason"), **when(), **by_clock())


def _claim(session: Session, order: WorkOrder) -> object:
    return service.claim(session, order=order, ground=_typed("ground"), evidence=_typed("evidence"), **when())


def _appeal(session: Session, order: WorkOrder) -> object:
    return service.appeal(session, order=order, reason=_typed("reason"), **when())


def _reply(session: Session, order: WorkOrder) -> object:
    notice_id = request.form.get("notice", type=int)
    return service.reply_notice(session, order=order, text=_typed("text"), notice_id=notice_id, **when())


def _progress(session: Session, order: WorkOrder) -> object:
    waited_for = request.form.get("waits_for_unit", type=int)
    return service.progress(
        session, order=order, text=_typed("text"), waits_for_unit_id=waited_for, **when(), **by_clock()
    )


def _recall(session: Session, order: WorkOrder) -> object:
    return service.recall(session, order=order, reason=_typed("reason"), **when(), **by_clock())


ASKS: Final[dict[str, Ask]] = {
    "decide-return": Ask(
        Action.ACCEPT_RETURN, "审批退回申请", "clipboard-check", "提交审批", "已审批退回申请", _decide_return
    ),
    "decide-extension": Ask(
        Action.GRANT_EXTENSION, "审批延期申请", "clipboard-check", "提交审批", "已审批延期申请", _decide_extension
    ),
    "notice": Ask(Action.REPLY_NOTICE, "回复督办通知", "reply", "提交回复", "已回复，督办员会看到", _reply),
    "progress": Ask(Action.PROGRESS, "办理进展", "pencil", "记录进展", "已记录进展", _progress),
    "recall": Ask(Action.RECALL, "撤回转派", "arrow-clockwise", "撤回", "已撤回，由本单位办理", _recall),
    "return": Ask(Action.RETURN, "申请退回", "arrow-return-left", "提交退回申请", "已申请退回，等待审批", _return),
    "extension": Ask(Action.ASK_EXTENSION, "申请延期", "calendar3", "提交延期申请", "已申请延期，等待审批", _extension),
    "suspension": Ask(
        Action.ASK_SUSPENSION, "申请挂起", "pause-fill", "提交挂起申请", "已申请挂起，等待审批", _suspension
    ),
    "resume": Ask(Action.RESUME, "恢复办理", "play-fill", "恢复办理", "已恢复办理，时限继续计算", _resume),
    "claim": Ask(Action.CLAIM, "申报不合理诉求", "flag", "提交申报", "已申报，工单照常办理", _claim),
    "appeal": Ask(Action.APPEAL, "考核申诉", "megaphone", "提交申诉", "已提交申诉，等待裁定", _appeal),
}


@bp.get("/<kind>")
@roles(*UNIT)
def form(number: str, kind: str) -> ResponseReturnValue:
    """The form of one kind; 409 in words where it cannot be asked now."""
    return _page(number, kind, {}, {})


@bp.post("/<kind>")
@roles(*UNIT)
def send(number: str, kind: str) -> ResponseReturnValue:
    """Do what was asked."""
    one = _ask(kind)

    def do(session: Session, order: WorkOrder) -> str:
        one.do(session, order)
        return one.said

    def again(fault: Invalid) -> str:
        return _page(number, kind, request.form.to_dict(), fault.details)

    return act(number, do, then=lambda order: url_for("portal.order", number=order.order_no), again=again)


@bp.get("/lines")
@roles(*UNIT)
def lines(number: str) -> ResponseReturnValue:
    """Lines of the responsibility list in force that hold the words looked for (``q``), as a part of the form."""
    with transaction() as session:
        order = queries.visible_to(session, the_actor(), number)
        found = _lines(session, order, request.args.get("q", ""))
        chosen = request.args.get("responsibility_line", type=int)
        return render_template("portal/_lines.html", lines=found, chosen=chosen, leads=_leads(session, found))


def _ask(kind: str) -> Ask:
    one = ASKS.get(kind)
    if one is None:
        raise NotFound("没有这种申请")
    return one


def _page(number: str, kind: str, typed: dict[str, str], faults: dict[str, object]) -> str:
    one, actor, tz = _ask(kind), the_actor(), runtime().settings.tz
    with transaction() as session:
        order = queries.visible_to(session, actor, number)
        if one.action not in steps.allowed(order, actor, runtime().now()):
            raise steps.not_now(order, one.action, actor)
        values: dict[str, Any] = {}
        if kind == "return":
            found = _lines(session, order, typed.get("q", ""), typed.get("responsibility_line", ""))
            values = {
                "grounds": [(code, word) for code, word in RETURN_WORDS.items()],
                "lines": found,
                "leads": _leads(session, found),
                "others": [unit for unit in units.active_units(session) if unit.tier > 1 and unit.id != actor.unit_id],
            }
        elif kind == "extension":
            values = {
                "grounds": [("", "请选择"), *EXTENSION_WORDS.items()],
                "latest": latest_of(order, runtime().calendar, tz),
                "local": LOCAL,
            }
        elif kind == "suspension":
            longest = rules_of(order).bounds.suspended_days
            values = {"grounds": [("", "请选择"), *SUSPENSION_WORDS.items()], "longest": longest}
        elif kind == "claim":
            values = {"grounds": [(code, word) for code, word in CLAIM_WORDS.items()]}
        elif kind == "progress":
            mine = _waited_for(session, order)
            values = {
                "others": [unit for unit in units.active_units(session) if unit.tier > 1 and unit.id != actor.unit_id],
                "waited_for": mine,
            }
        elif kind == "notice":
            values = {"notice": _notice(order)}
        elif kind.startswith("decide-"):
            asked = _asked(order, kind)
            line = session.get(ResponsibilityLine, asked.line_id) if asked.line_id else None
            values = {"asked": asked, "line": line, "ground_words": {**RETURN_WORDS, **EXTENSION_WORDS}}
        return render_template("portal/ask.html", order=order, kind=kind, ask=one, typed=typed, faults=faults, **values)


def _waited_for(session: Session, order: WorkOrder) -> int | None:
    """Return the id of the unit the actor's own waits for now."""
    mine = (wait.for_unit_id for wait in waits_of(session, order) if wait.unit_id == the_actor().unit_id)
    return next(mine, None)


def _asked(order: WorkOrder, kind: str) -> OrderRequest:
    if kind == "decide-extension":
        found = pending(order, RequestKind.EXTENSION)
    else:
        found = pending(order, RequestKind.RETURN)
        if found is None or found.tier != 3:
            found = returning_beside(order, the_actor())
    if found is None:
        raise NotFound("没有待审批的申请")
    return found


def _notice(order: WorkOrder) -> Notice | None:
    own = (one for one in order.notices if one.unit_id == the_actor().unit_id and one.replied_at is None)
    return next(own, None)


def _lines(session: Session, order: WorkOrder, words: str, chosen: str = "") -> list[ResponsibilityLine]:
    """Lines in force that hold every word; without words those of the order's category. What was chosen stays."""
    today = runtime().now().astimezone(runtime().settings.tz).date()
    wanted = words.split()
    if wanted:
        found = [
            line
            for line in units.lines_in_force(session, on=today)
            if all(word in f"{line.code} {line.matter} {line.basis}" for word in wanted)
        ]
    else:
        found = list(units.lines_for(session, order.category_code, on=today))
        found = found or list(units.lines_in_force(session, on=today))
    kept = found[:LINES_SHOWN]
    if chosen.isdigit() and all(line.id != int(chosen) for line in kept):
        line = session.get(ResponsibilityLine, int(chosen))
        kept = [*([line] if line else []), *kept]
    return kept


def _leads(session: Session, found: list[ResponsibilityLine]) -> dict[int, str]:
    names = {unit.id: unit.name for unit in units.active_units(session)}
    return {line.id: names.get(line.lead_unit_id or 0, "属地政府") for line in found}
