"""What a caller wants of an order that exists: hurry, tell more, take it back. Also a demand that is not taken in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Blueprint, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.calls.models import Call
from hotline.calls.states import Outcome
from hotline.errors import Invalid
from hotline.units import queries as units
from hotline.web import desk, desk_page, draft_form
from hotline.web.access import roles, the_actor, when
from hotline.web.context import runtime, transaction
from hotline.web.desk_page import OPERATOR
from hotline.web.idempotency import tell_once
from hotline.web.order_pages import by_clock
from hotline.work_orders import queries, service
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.refusing import CHANNELS
from hotline.work_orders.states import Action
from hotline.work_orders.story import story
from hotline.work_orders.words import REFUSE_WORDS

bp = Blueprint("known", __name__, url_prefix="/calls/<int:call_id>")

SAME: Final = "same"


@bp.get("/orders/<number>")
@roles(OPERATOR)
def order(call_id: int, number: str) -> ResponseReturnValue:
    """An order to read beside the call, with what its caller may want of it. ``?same=1``: the call is about it."""
    return _order_page(call_id, number, {}, {})


def _order_page(call_id: int, number: str, typed: dict[str, str], faults: dict[str, object]) -> ResponseReturnValue:
    with transaction() as session:
        call = desk.own_call(session, the_actor(), call_id)
        found = queries.visible_to(session, the_actor(), number)
        names = {row.code: row.name for row in units.categories(session)}
        return desk_page.beside(
            "desk/_known_order.html",
            call=call,
            order=found,
            category=names.get(found.category_code, found.category_code),
            person=queries.caller_view(found, the_actor()),
            items=story(session, found, the_actor()),
            may={action for action, _ in queries.allowed_actions(found, the_actor())},
            same=SAME in request.values,
            typed=typed,
            faults=faults,
        )


@bp.post("/orders/<number>/tell")
@roles(OPERATOR)
def tell(call_id: int, number: str) -> ResponseReturnValue:
    """Hurry whoever holds the order (``what=urge``), or tell them more."""
    text = request.form.get("text", "")

    def do(session: Session, call: Call, found: WorkOrder) -> str:
        if request.form.get("what") == Action.URGE:
            service.urge(session, order=found, text=text, call_id=call.id, **when())
            return f"已催办，这是第 {found.urge_count} 次"
        service.supplement(session, order=found, text=text, call_id=call.id, **when(), **by_clock())
        return "已补充，承办单位马上看到"

    return _act(call_id, number, do)


@bp.post("/orders/<number>/withdraw")
@roles(OPERATOR)
def withdraw(call_id: int, number: str) -> ResponseReturnValue:
    """Close the order because its caller takes it back."""

    def do(session: Session, call: Call, found: WorkOrder) -> str:
        reason, read_back = request.form.get("reason", ""), request.form.get("read_back_ok") == "1"
        service.withdraw(session, order=found, reason=reason, read_back_ok=read_back, call_id=call.id, **when())
        return "已撤诉，承办单位不再办理"

    return _act(call_id, number, do)


def _act(call_id: int, number: str, do: Callable[[Session, Call, WorkOrder], str]) -> ResponseReturnValue:
    """Act once on an order from within a call; the call was about it, and what was begun for the same is dropped."""
    try:
        with transaction() as session:
            call = desk.own_call(session, the_actor(), call_id)
            found = queries.visible_to(session, the_actor(), number)

            def act() -> str:
                said = do(session, call, found)
                if SAME in request.form:
                    _drop_draft(session, call, found)
                desk_page.settle(session, call, Outcome.ORDERED)
                return f"{found.order_no} {said}"

            return tell_once(session, act, then=url_for("desk.call", call_id=call_id))
    except Invalid as fault:
        told = fault.details or {"": fault.message}
        return make_response(_order_page(call_id, number, request.form.to_dict(), told), 422)


def _drop_draft(session: Session, call: Call, found: WorkOrder) -> None:
    draft, _ = draft_form.orders_of(session, call)
    if draft is not None:
        reason = f"与 {found.order_no} 是同一件事，已追加到原工单"
        service.withdraw(session, order=draft, reason=reason, read_back_ok=True, call_id=call.id, **when())


@bp.get("/refuse")
@roles(OPERATOR)
def refuse_form(call_id: int) -> ResponseReturnValue:
    """Why the demand is not taken in, and where it belongs, as a page of its own."""
    return desk_page.part(call_id, "desk/refuse.html", lambda session, call: grounds())


def grounds() -> dict[str, object]:
    """What the form for not accepting needs."""
    listed = [(ground.value, word, CHANNELS[ground]) for ground, word in REFUSE_WORDS.items()]
    return {"grounds": listed, "typed": {}, "faults": {}}


@bp.post("/refuse")
@roles(OPERATOR)
def refuse(call_id: int) -> ResponseReturnValue:
    """Do not accept the call's demand; the caller is told where it belongs."""
    run = runtime()
    try:
        with transaction() as session:
            call = desk.own_call(session, the_actor(), call_id)

            def act() -> str:
                here = desk_page.city(session)
                found = draft_form.save(session, call=call, form=request.form, here=here, tz=run.settings.tz, **when())
                ground, channel = request.form.get("ground", ""), request.form.get("channel", "")
                service.refuse(session, order=found, ground=ground, channel=channel, **when())
                desk_page.settle(session, call, Outcome.ANSWERED_ON_SPOT)
                return f"{found.order_no} 不予受理，已告知应走的渠道"

            return tell_once(session, act, then=url_for("desk.call", call_id=call_id))
    except Invalid as fault:
        with transaction() as session:
            found = desk.own_call(session, the_actor(), call_id)
            values = grounds() | {"typed": request.form.to_dict(), "faults": fault.details or {"": fault.message}}
            return render_template("desk/refuse.html", call=found, **values), 422
