"""Callback officers: whom to call now, the call, the script, what the citizen said. Next one after saving."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.calls.links import Links
from hotline.errors import Invalid, NotAllowedNow
from hotline.follow_ups import lines, queries, service
from hotline.follow_ups.guards import why_not
from hotline.follow_ups.models import Attempt, Callback
from hotline.follow_ups.states import REASON_WORDS, CallbackState, Way
from hotline.telephony.base import CarrierUnreachable
from hotline.web import pages
from hotline.web.access import roles, the_actor, visitor
from hotline.web.context import runtime, transaction
from hotline.web.formats import moment
from hotline.web.idempotency import once, tell_once
from hotline.web.order_pages import about
from hotline.work_orders import queries as orders
from hotline.work_orders import steps
from hotline.work_orders.asks.explanations import Explanation
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Action, Satisfaction
from hotline.work_orders.words import EXPLAIN_WORDS, SATISFACTION_WORDS

bp = Blueprint("duty", __name__, url_prefix="/duty")

OFFICER: Final = ("CBK", "SUP")
ASKED: Final = {"yes": True, "no": False}  # 单位联系您了吗; anything else: not asked


@bp.get("")
@roles(*OFFICER)
def desk() -> ResponseReturnValue:
    """Whom to call now, the first one opened."""
    return _page(None, {}, {})


@bp.get("/<int:callback_id>")
@roles(*OFFICER)
def callback(callback_id: int) -> ResponseReturnValue:
    """One citizen to call."""
    return _page(callback_id, {}, {})


@bp.get("/<int:callback_id>/line")
@roles(*OFFICER)
def line(callback_id: int) -> ResponseReturnValue:
    """How the call stands now, as a fragment; nothing if that is ``shown``: no button is replaced under a press."""
    with transaction() as session:
        values = _line_values(session, queries.callback_for(session, the_actor(), callback_id))
        if request.args.get("shown") == values["shown"]:
            return "", 204
        return pages.fragment("duty/_line.html", **values)


def _on_the_line(callback_id: int) -> ResponseReturnValue:
    """Answer a button of the line: the line alone, the words beside it stay; the page for whoever loads it anew."""
    if not pages.is_htmx():
        return pages.go(url_for("duty.callback", callback_id=callback_id))
    with transaction() as session:
        found = queries.callback_for(session, the_actor(), callback_id)
        return pages.fragment("duty/_line.html", **_line_values(session, found))


def _seat() -> str:
    someone = visitor()
    return someone.seat if someone else ""


def _page(callback_id: int | None, typed: dict[str, Any], faults: dict[str, object]) -> str:
    actor, now, tz = the_actor(), runtime().now(), runtime().settings.tz
    with transaction() as session:
        waiting = queries.who_to_call(session, actor, now=now, tz=tz)
        values: dict[str, Any] = {
            "waiting": waiting,
            "counts": queries.counts(session, actor, now=now, tz=tz),
            "chosen": None,
            "seat": _seat(),
        }
        if callback_id is None and waiting:
            # what another left lying can be released, not called: it is opened only when nobody is to be called
            callback_id = min(waiting, key=lambda item: bool(item.holder)).callback.id
        if callback_id is not None:
            found = queries.callback_for(session, actor, callback_id)
            values |= _callback_values(session, found) | _line_values(session, found)
        return render_template("duty/desk.html", **values, typed=typed, faults=faults)


def _callback_values(session: Session, found: Callback) -> dict[str, Any]:
    actor = the_actor()
    order = session.get_one(WorkOrder, found.order_id)
    return {
        "chosen": found,
        "order": order,
        **about(session, order),
        "report": orders.last_report(session, order, actor),
        "said": queries.evaluations_of(session, order, actor),
        "why_not": why_not(session, found, actor),
        "reasons": REASON_WORDS,
        "grounds": EXPLAIN_WORDS if Action.EXPLAIN in steps.allowed(order, actor) else {},
        "me": visitor(),
        # a supervisor who may not make the call may give it to somebody who may
        "may_release": actor.role == Role.SUP and queries.left_lying(found, now=runtime().now()),
    }


def _line_values(session: Session, found: Callback) -> dict[str, Any]:
    actor = the_actor()
    attempt = found.attempts[-1] if found.attempts else None
    is_open = queries.is_open(session, found)
    return {
        "chosen": found,
        "attempt": attempt,
        "shown": f"{attempt.id}-{attempt.state}-{found.state}-{is_open:d}" if attempt else "",
        "live": service.live_attempt(found),
        "mine": is_open and found.state == CallbackState.TAKEN and found.officer_id == actor.user_id,
        "holder": queries.holder_of(session, found, actor),
        "open": is_open,
        "needs_person": service.needs_person(found),
    }


# ---- calling


@bp.post("/<int:callback_id>/dial")
@roles(*OFFICER)
def dial(callback_id: int) -> ResponseReturnValue:
    """Ring the officer's own seat, then the citizen; nobody sees a number."""
    if not _seat():
        raise Invalid("您的账号没有座席话机，不能拨打。请联系系统管理员设置座席。")

    def plan(session: Session, found: Callback) -> Attempt:
        service.take(session, callback=found, actor=the_actor(), now=runtime().now())
        return service.plan_attempt(session, callback=found, way=Way.PERSON, actor=the_actor(), now=runtime().now())

    return _call(callback_id, plan)


@bp.post("/<int:callback_id>/keypad")
@roles(*OFFICER)
def keypad(callback_id: int) -> ResponseReturnValue:
    """Let the machine ask by keypad instead."""

    def plan(session: Session, found: Callback) -> Attempt:
        return service.plan_attempt(session, callback=found, way=Way.KEYPAD, actor=the_actor(), now=runtime().now())

    return _call(callback_id, plan, "已转为自动语音回访，结果会自动记录")


def _call(callback_id: int, plan: Callable[[Session, Callback], Attempt], words: str = "") -> ResponseReturnValue:
    """Plan a try once, and ring at once: the worker is the safety net."""
    planned: list[int] = []
    with transaction() as session:
        found = queries.callback_for(session, the_actor(), callback_id)

        def act() -> ResponseReturnValue:
            planned.append(plan(session, found).id)
            if words:
                pages.toast(words)
            return pages.go(url_for("duty.callback", callback_id=callback_id))

        once(session, act)
    for attempt_id in planned:
        lines.dial_now(
            runtime().sessions,
            runtime().telephony,
            Links(runtime().settings.public_url),
            attempt_id=attempt_id,
            caller_id=runtime().settings.numbers[0],
            now_fn=runtime().now,
        )
    return _on_the_line(callback_id)


@bp.post("/<int:callback_id>/hang-up")
@roles(*OFFICER)
def hang_up(callback_id: int) -> ResponseReturnValue:
    """End one's own call. Sent twice: as once; the state follows when the carrier says that it is over."""
    with transaction() as session:
        live = service.live_attempt(queries.callback_for(session, the_actor(), callback_id))
        own = live.id if live is not None and live.officer_id == the_actor().user_id else None
    if own is None:
        raise NotAllowedNow("通话已经结束")
    try:
        lines.hang_up(runtime().sessions, runtime().telephony, attempt_id=own)
    except CarrierUnreachable:
        pages.toast("没有挂断：电话系统没有回应，请再试一次", tone="late")
    return _on_the_line(callback_id)


# ---- what came of it


@bp.post("/<int:callback_id>/evaluation")
@roles(*OFFICER)
def evaluate(callback_id: int) -> ResponseReturnValue:
    """Keep what the citizen said; the next one to call follows."""
    typed = request.form

    def act(session: Session, found: Callback) -> str:
        satisfaction = typed.get("satisfaction", "")
        explanation = _explanation(satisfaction)
        service.evaluate(
            session,
            callback=found,
            satisfaction=satisfaction,
            way=Way.PERSON,
            actor=the_actor(),
            now=runtime().now(),
            solved=typed.get("solved", ""),
            contacted=ASKED.get(typed.get("contacted", "")),
            reasons=typed.getlist("reasons") if satisfaction == Satisfaction.DISSATISFIED else [],
            comment=typed.get("comment", ""),
            attempt=found.attempts[-1] if found.attempts else None,
            explanation=explanation,
        )
        said = f"已记录：{SATISFACTION_WORDS[Satisfaction(satisfaction)]}"
        return f"{said}，已提请督办员按合理解释审定" if explanation else said

    try:
        return _settle(callback_id, act)
    except Invalid as fault:
        kept = typed.to_dict() | {"reasons": typed.getlist("reasons")}
        return _page(callback_id, kept, fault.details), 422


def _explanation(satisfaction: str) -> Explanation | None:
    """Return what the officer proposes to close by, if anything; asked of whoever is not satisfied only."""
    ground = request.form.get("ground", "")
    if not ground or satisfaction != Satisfaction.DISSATISFIED:
        return None
    return Explanation(ground, request.form.get("explained", ""))


@bp.post("/<int:callback_id>/unreachable")
@roles(*OFFICER)
def unreachable(callback_id: int) -> ResponseReturnValue:
    """没有联系上 is a full answer: the next try is planned, or the tries were enough."""

    def act(session: Session, found: Callback) -> str:
        if not found.attempts:
            raise Invalid("还没有拨打过，请先拨打")
        after = service.unreachable(
            session,
            attempt=found.attempts[-1],
            actor=the_actor(),
            now=runtime().now(),
            tz=runtime().settings.tz,
        )
        if after.state == CallbackState.NOT_REACHED and service.needs_person(after):
            return "已记录：多次未联系上，市民已表示不满意，转督办"
        if after.state == CallbackState.NOT_REACHED:
            return "已记录：多次未联系上，按未评价办结"
        if not queries.is_open(session, after):
            raise NotAllowedNow("这次回访已经结束")  # taken back meanwhile, for one: there is no next try to tell of
        return f"已记录：没有联系上，{moment(after.next_try_at, runtime().settings.tz)} 再试"

    return _settle(callback_id, act)


@bp.post("/<int:callback_id>/release")
@roles(*OFFICER)
def release(callback_id: int) -> ResponseReturnValue:
    """Give it back to the list."""

    def act(session: Session, found: Callback) -> str:
        service.release(session, callback=found, actor=the_actor(), now=runtime().now())
        return "已放回待回访"

    return _settle(callback_id, act)


def _settle(callback_id: int, do: Callable[[Session, Callback], str]) -> ResponseReturnValue:
    with transaction() as session:
        found = queries.callback_for(session, the_actor(), callback_id)
        return tell_once(session, lambda: do(session, found), then=url_for("duty.desk"))
