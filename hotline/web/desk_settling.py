"""The desk's second half: the draft, what is proposed for it, submitting it, or answering on the spot."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.calls.models import Call
from hotline.calls.states import Outcome
from hotline.errors import Invalid
from hotline.knowledge_base.floor import suggestions
from hotline.knowledge_base.states import SuggestionState
from hotline.web import desk, desk_learning, desk_page, draft_form, pages
from hotline.web.access import roles, the_actor, when
from hotline.web.context import runtime, transaction
from hotline.web.desk_page import OPERATOR
from hotline.web.draft_form import City
from hotline.web.idempotency import once
from hotline.web.order_pages import by_clock
from hotline.work_orders import advising, clock, service
from hotline.work_orders.drafting import WORDS, missing
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.rules import rules_of

bp = Blueprint("settling", __name__, url_prefix="/calls/<int:call_id>")


def _save(session: Session, found: Call, here: City) -> WorkOrder:
    return draft_form.save(session, call=found, form=request.form, here=here, tz=runtime().settings.tz, **when())


@bp.get("/filling")
@roles(OPERATOR)
def filling(call_id: int) -> ResponseReturnValue:
    """What the conversation fills in now, for fields nobody touched; ``asks``: how many choices (which place is meant,
    which kind of matter it is) are the operator's."""
    with transaction() as session:
        found = desk.own_call(session, the_actor(), call_id)
        form = draft_form.draft_form(session, found, desk_page.city(session))
        told = {"matter": form.matter, "values": form.values, "from_call": sorted(form.from_call)}
        asks = (form.which, "area_code"), (form.kinds, "category_code")
        return jsonify(told | {"asks": sum(bool(among) and not form.values[name] for among, name in asks)})


@bp.post("/proposal")
@roles(OPERATOR)
def proposal(call_id: int) -> ResponseReturnValue:
    """Where an order with the values on the screen would go. A POST: what it carries must not stand in a log."""

    def build(session: Session, call: Call) -> dict[str, Any]:
        here = desk_page.city(session)
        return desk_page.about_draft(
            session, draft_form.draft_form(session, call, here), here, draft_form.posted(request.form)
        )

    return desk_page.part(call_id, "desk/_proposal.html", build)


@bp.post("/draft")
@roles(OPERATOR)
def draft(call_id: int) -> ResponseReturnValue:
    """Save the draft. The same form again changes nothing, so it needs no key of its own."""
    with transaction() as session:
        found = desk.own_call(session, the_actor(), call_id)
        here = desk_page.city(session)
        _save(session, found, here)
        if not pages.is_htmx():
            pages.toast("草稿已保存")
            return pages.go(url_for("desk.call", call_id=call_id))
        form = draft_form.draft_form(session, found, here)
        return pages.fragment("desk/_saved.html", call=found, **desk_page.about_draft(session, form, here))


@bp.post("/check")
@roles(OPERATOR)
def check(call_id: int) -> ResponseReturnValue:
    """Save the draft and read back what would be submitted, or say what it still lacks."""
    run = runtime()
    with transaction() as session:
        found = desk.own_call(session, the_actor(), call_id)
        here = desk_page.city(session)
        saved = _save(session, found, here)
        faults = missing(session, saved)
        due = clock.deadline(
            rules_of(saved), saved.demand_type, saved.urgency, run.now(), run.calendar, run.settings.tz
        )
        form = draft_form.draft_form(session, found, here)
        return pages.fragment(
            "desk/_check.html",
            call=found,
            order=saved,
            faults=faults,
            words=WORDS,
            due=due,
            category=next((row.name for row in here.categories if row.code == saved.category_code), ""),
            **desk_page.about_draft(session, form, here),
        )


@bp.post("/submit")
@roles(OPERATOR)
def submit(call_id: int) -> ResponseReturnValue:
    """Save the form and submit the order: its clock starts. What is missing is said beside the fields."""
    run = runtime()
    try:
        with transaction() as session:
            found = desk.own_call(session, the_actor(), call_id)

            def act() -> ResponseReturnValue:
                order = _save(session, found, desk_page.city(session))
                service.submit(session, order=order, calendar=run.calendar, tz=run.settings.tz, **when())
                desk_page.settle(session, found, Outcome.ORDERED)
                return _settled(call_id, order, "已提交")

            return once(session, act)
    except Invalid as fault:
        return _faulty(call_id, fault)


@bp.post("/dispatch")
@roles(OPERATOR)
def dispatch(call_id: int) -> ResponseReturnValue:
    """Save the form and send an urgent order at once to the unit proposed first; its duty officers are rung."""
    try:
        with transaction() as session:
            found = desk.own_call(session, the_actor(), call_id)

            def act() -> ResponseReturnValue:
                here = desk_page.city(session)
                order = _save(session, found, here)
                form = draft_form.draft_form(session, found, here)
                # somebody has to be rung now: even where it is not sure, the likeliest is
                first = next(iter(draft_form.proposed(session, form.values, here)), None)
                advice = advising.advise(session, order, routing=runtime().routing, on=runtime().today())
                if first is None:
                    raise Invalid("还不知道派给哪个单位，请先选好分类和地点", area_code="请选择行政区划")
                service.dispatch(
                    session,
                    order=order,
                    lead_unit_id=first.unit.id,
                    responsibility_line_id=first.line.id if first.line else None,
                    **when(),
                    **by_clock(),
                )
                advising.note_dispatched(session, order, advice, now=runtime().now())
                desk_page.settle(session, found, Outcome.ORDERED)
                return _settled(call_id, order, f"已派给{first.unit.name}，正在呼叫值班员")

            return once(session, act)
    except Invalid as fault:
        return _faulty(call_id, fault)


@bp.get("/resolve")
@roles(OPERATOR)
def resolve_form(call_id: int) -> ResponseReturnValue:
    """How the call was answered, as a page of its own for browsers without script."""
    return desk_page.part(
        call_id, "desk/resolve.html", lambda session, call: {"answers": desk.answers(session, call), "faults": {}}
    )


@bp.post("/resolve")
@roles(OPERATOR)
def resolve(call_id: int) -> ResponseReturnValue:
    """Settle the call on the spot: by an answer, without one for a reason, or as a call without a demand."""
    try:
        with transaction() as session:
            found = desk.own_call(session, the_actor(), call_id)

            def act() -> ResponseReturnValue:
                if request.form.get("outcome") == Outcome.NO_DEMAND:
                    desk_page.settle(session, found, Outcome.NO_DEMAND)
                    pages.toast("已记为无诉求")
                    return pages.go(url_for("desk.call", call_id=call_id))
                order = _answer(session, found)
                desk_page.settle(session, found, Outcome.ANSWERED_ON_SPOT)
                return _settled(call_id, order, "已直接答复")

            return once(session, act)
    except Invalid as fault:
        with transaction() as session:
            found = desk.own_call(session, the_actor(), call_id)
            values = {"call": found, "answers": desk.answers(session, found), "faults": fault.details or {"": fault}}
            return render_template("desk/resolve.html", sentence=fault.message, **values), 422


def _answer(session: Session, found: Call) -> WorkOrder:
    """Answer the call's demand by the suggestion chosen, or for the reason given."""
    chosen = request.form.get("suggestion_id", type=int)
    reason = request.form.get("no_entry_reason", "").strip()
    row = next((one for one in desk.answers(session, found) if one.id == chosen), None)
    if chosen is not None and row is None:
        raise Invalid("请选择采用的答案", suggestion_id="这次通话没有这条答案")
    if row is not None and reason:
        raise Invalid("采用了答案就不必说明原因", no_entry_reason="采用条目与无条目原因二选一")
    if row is not None and row.state == SuggestionState.SHOWN:
        suggestions.mark_used(
            session,
            suggestion_id=row.id,
            call_id=found.id,
            actor_id=the_actor().user_id,
            now=runtime().now(),
            said=draft_form.said_by_caller(session, found),
        )
    order = _save(session, found, desk_page.city(session))
    if row is not None and not order.title:
        service.save_draft(session, order=order, fields={"title": row.entry.question[:120]}, typed=False, **when())
    entry_id = row.entry_id if row is not None else None
    service.answer(session, order=order, entry_id=entry_id, no_entry_reason=reason, **when())
    if row is None and not order.confidential:
        desk_learning.note_missing(session, found, asked=order.title, told=reason)
    return order


def _settled(call_id: int, order: WorkOrder, said: str) -> ResponseReturnValue:
    pages.toast(f"{said}，工单编号 {order.order_no}")
    return pages.go(url_for("desk.call", call_id=call_id))


def _faulty(call_id: int, fault: Invalid) -> ResponseReturnValue:
    """Show the form again as it was sent, with what is wrong beside the fields."""
    with transaction() as session:
        found = desk.own_call(session, the_actor(), call_id)
        return desk_page.call_page(
            session, found, sent=draft_form.posted(request.form), faults=fault.details, sentence=fault.message
        ), 422
