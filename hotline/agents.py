"""Operators: the desk. Ready, offered, answered, heard, suggested, drafted, submitted, wrapped up."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, jsonify, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline import audit
from hotline.callers.service import reveal as reveal_field
from hotline.calls import assignment, presence, queries
from hotline.calls import service as calls
from hotline.calls.models import Call
from hotline.calls.states import Outcome, PresenceState
from hotline.errors import Invalid, NotAllowedNow, NotFound
from hotline.knowledge_base import service as knowledge
from hotline.knowledge_base.search import Hit
from hotline.knowledge_base.states import SuggestionState
from hotline.units import queries as units
from hotline.web import desk, draft_form, pages, switchboard
from hotline.web.access import roles, the_actor
from hotline.web.context import runtime, transaction
from hotline.web.draft_form import City, DraftForm
from hotline.web.idempotency import once
from hotline.work_orders import clock, service
from hotline.work_orders import queries as orders
from hotline.work_orders.clock import start_of_local_day
from hotline.work_orders.drafting import WORDS, missing
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.story import story

bp = Blueprint("desk", __name__, url_prefix="/desk")

OPERATOR: Final = "OPR"
AWAY_REASONS: Final = ("小休", "用餐", "培训", "整理工单", "其他")
SEARCH_SHOWN: Final = 5
MARKS: Final[dict[str, Callable[..., object]]] = {
    "used": knowledge.mark_used,
    "wrong": knowledge.mark_wrong,
    "undo": knowledge.undo_mark,
}

bp.add_app_template_filter(desk.highlight, "highlight")


def _when() -> dict[str, Any]:
    return {"actor": the_actor(), "now": runtime().now()}


def _at_desk() -> dict[str, Any]:
    return {**_when(), "desk": _desk()}


def _desk() -> str:
    """This browser's own token; two tabs of one browser are one desk."""
    if "desk" not in cookie:
        cookie["desk"] = secrets.token_urlsafe(16)
    token: str = cookie["desk"]
    return token


def _city(session: Session) -> City:
    return draft_form.city(session, now=runtime().now(), tz=runtime().settings.tz)


def _talk(session: Session, call: Call) -> desk.Talk:
    return desk.talk(session, call, the_actor(), model=runtime().settings.speech_model, now=runtime().now())


def _bar(session: Session) -> dict[str, Any]:
    return {
        "bar": desk.bar(session, the_actor(), now=runtime().now(), tz=runtime().settings.tz),
        "away_reasons": AWAY_REASONS,
    }


# ---- the page


@bp.get("")
@roles(OPERATOR)
def page() -> ResponseReturnValue:
    """The desk: of the call in hand, else the idle one. Held by another browser: says so and offers to take over."""
    try:
        with transaction() as session:
            presence.claim_desk(session, **_at_desk())
    except NotAllowedNow as fault:
        return render_template("desk/elsewhere.html", since=fault.details.get("since")), 409
    with transaction() as session:
        held = queries.in_hand(session, the_actor())
        if held is not None and _talk(session, held).phase != "offered":
            return _call_page(session, held)
        now, tz = runtime().now(), runtime().settings.tz
        return render_template(
            "desk/idle.html",
            ringing=_ringing(session),
            drafts=orders.my_drafts(session, the_actor()),
            taken=queries.taken_by(session, the_actor(), since=start_of_local_day(now, tz)),
            **_bar(session),
        )


@bp.get("/calls/<int:call_id>")
@roles(OPERATOR)
def call(call_id: int) -> ResponseReturnValue:
    """The desk of one own call, also after it is over, so that its draft can be finished."""
    with transaction() as session:
        return _call_page(session, desk.own_call(session, the_actor(), call_id))


def _call_page(session: Session, found: Call, *, sent: dict[str, Any] | None = None, **more: Any) -> str:
    here = _city(session)
    form = draft_form.draft_form(session, found, here)
    settled = draft_form.orders_of(session, found)[1]
    return render_template(
        "desk/call.html",
        **{
            "call": found,
            "ringing": _ringing(session),
            "talk": _talk(session, found),
            "card": desk.caller_card(session, found, here),
            "said": queries.utterances(session, found.id),
            "answers": desk.answers(session, found),
            "settled": settled,
            "drafting": not settled or form.order is not None or "more" in request.args or "faults" in more,
            "categories": desk.category_choices(here.categories),
            "areas": desk.area_choices(here.units),
            "faults": {},
            **_draft(session, form, here, sent),
            **_bar(session),
            **more,
        },
    )


def _draft(session: Session, form: DraftForm, here: City, values: dict[str, Any] | None = None) -> dict[str, Any]:
    """What is said about the draft: form, proposed units, alike orders of today."""
    values = form.values | (values or {})
    since = start_of_local_day(runtime().now(), runtime().settings.tz)
    alike = orders.alike(
        session, category_code=values["category_code"], county_code=values["area_code"][:6], since=since
    )
    return {
        "form": form,
        "values": values,
        "proposed": draft_form.proposed(values, here),
        "alike": [order for order in alike if form.order is None or order.id != form.order.id],
        "saved_at": form.order.updated_at if form.order is not None else None,
    }


def _ringing(session: Session) -> desk.CallerCard | None:
    held = queries.in_hand(session, the_actor())
    state = queries.presence_of(session, the_actor().user_id or 0)
    if held is None or state is None or state.state != PresenceState.OFFERED:
        return None
    return desk.caller_card(session, held, _city(session))


@bp.get("/ring")
@roles(OPERATOR)
def ring() -> ResponseReturnValue:
    """The bar of an offered call; empty when none is offered."""
    with transaction() as session:
        return pages.fragment("desk/_ring.html", ringing=_ringing(session))


# ---- what the operator is doing


def _presence(verb: Callable[..., object], said: str, **values: Any) -> ResponseReturnValue:
    """Change one's own state once, then let the queue move."""
    with transaction() as session:

        def act() -> ResponseReturnValue:
            verb(session, **_at_desk(), **values)
            if said:
                pages.toast(said)
            return pages.go(url_for("desk.page"))

        answer = once(session, act)
    switchboard.assign()
    return answer


@bp.post("/ready")
@roles(OPERATOR)
def ready() -> ResponseReturnValue:
    """Take calls from now on."""
    return _presence(presence.go_ready, "")


@bp.post("/away")
@roles(OPERATOR)
def away() -> ResponseReturnValue:
    """Take no calls for a while."""
    return _presence(presence.go_away, "", reason=request.form.get("reason", ""))


@bp.post("/leave")
@roles(OPERATOR)
def leave() -> ResponseReturnValue:
    """Leave the desk."""
    return _presence(presence.go_offline, "已离线，今天辛苦了")


@bp.post("/wrap-up/done")
@roles(OPERATOR)
def wrap_up_done() -> ResponseReturnValue:
    """End the time after a call and be ready again."""
    return _presence(presence.finish_wrap_up, "")


@bp.post("/take-over")
@roles(OPERATOR)
def take_over() -> ResponseReturnValue:
    """Work here from now on; the other browser is told."""
    with transaction() as session:

        def act() -> ResponseReturnValue:
            presence.claim_desk(session, **_at_desk(), take_over=True)
            return pages.go(url_for("desk.page"))

        answer = once(session, act)
    switchboard.tell_desks([the_actor().user_id or 0], "presence")
    return answer


@bp.post("/seen")
@roles(OPERATOR)
def seen() -> ResponseReturnValue:
    """The desk's sign of life; answers with the bar. A browser that lost the desk is led to the page that says so."""
    try:
        with transaction() as session:
            presence.seen(session, **_at_desk())
            return pages.fragment("desk/_bar.html", **_bar(session))
    except NotAllowedNow:
        return pages.go(url_for("desk.page"))


# ---- the call


@bp.post("/calls/<int:call_id>/accept")
@roles(OPERATOR)
def accept(call_id: int) -> ResponseReturnValue:
    """Take the offered call; the operator's telephone rings at once. A carrier's failure is told in words."""
    to_do: list[int] = []
    with transaction() as session:
        desk.own_call(session, the_actor(), call_id)

        def act() -> ResponseReturnValue:
            to_do.append(assignment.accept(session, **_at_desk(), call_id=call_id).message_id)
            return pages.go(url_for("desk.call", call_id=call_id))

        answer = once(session, act)
    for message_id in to_do:
        switchboard.tell_call(call_id)
        done = switchboard.act_now(message_id)
        if done is not None and not done.ok:
            pages.toast(done.message, tone="late")
            return pages.go(url_for("desk.page"))
    return answer


@bp.post("/calls/<int:call_id>/decline")
@roles(OPERATOR)
def decline(call_id: int) -> ResponseReturnValue:
    """Turn the offered call down; the next operator is asked."""
    with transaction() as session:
        desk.own_call(session, the_actor(), call_id)

        def act() -> ResponseReturnValue:
            assignment.decline(session, **_at_desk(), call_id=call_id)
            pages.toast("已拒接，您现在是示忙状态", tone="soon")
            return pages.go(url_for("desk.page"))

        answer = once(session, act)
    switchboard.tell_call(call_id)
    switchboard.assign()
    return answer


@bp.post("/calls/<int:call_id>/end")
@roles(OPERATOR)
def end(call_id: int) -> ResponseReturnValue:
    """End the conversation: the caller is thanked, wrap-up begins."""
    to_do: list[int | None] = []
    with transaction() as session:
        desk.own_call(session, the_actor(), call_id)

        def act() -> ResponseReturnValue:
            to_do.append(calls.end_call(session, **_when(), call_id=call_id))
            return pages.go(url_for("desk.call", call_id=call_id))

        answer = once(session, act)
    for message_id in filter(None, to_do):
        switchboard.act_now(message_id)
    switchboard.tell_call(call_id)
    return answer


def _part(call_id: int, template: str, build: Callable[[Session, Call], dict[str, Any]]) -> ResponseReturnValue:
    """Answer with one part of a call's page; a call that is the operator's no more leads back to the desk."""
    with transaction() as session:
        try:
            found = desk.own_call(session, the_actor(), call_id)
        except NotFound:
            if not pages.is_htmx():
                raise
            pages.toast("这通电话已不在您手中", tone="soon")
            return pages.go(url_for("desk.page"))
        return pages.fragment(template, call=found, **build(session, found))


@bp.get("/calls/<int:call_id>/head")
@roles(OPERATOR)
def head(call_id: int) -> ResponseReturnValue:
    """How the call stands."""
    return _part(call_id, "desk/_head.html", lambda session, call: {"talk": _talk(session, call)})


@bp.get("/calls/<int:call_id>/conversation")
@roles(OPERATOR)
def conversation(call_id: int) -> ResponseReturnValue:
    """What was said since the line ``?after=``."""
    after = request.args.get("after", 0, type=int)
    return _part(
        call_id, "desk/_said.html", lambda session, call: {"said": queries.utterances(session, call.id, after_id=after)}
    )


@bp.get("/calls/<int:call_id>/caller")
@roles(OPERATOR)
def caller(call_id: int) -> ResponseReturnValue:
    """Who calls."""
    return _part(
        call_id, "desk/_caller.html", lambda session, call: {"card": desk.caller_card(session, call, _city(session))}
    )


@bp.post("/calls/<int:call_id>/caller/reveal")
@roles(OPERATOR)
def reveal(call_id: int) -> ResponseReturnValue:
    """Show the number: at once in one's own open call, later for a reason. A row is left either way."""
    reason = request.form.get("reason", "")
    values: dict[str, Any] = {"typed": reason}
    status = 200
    try:
        with transaction() as session:
            found = desk.own_call(session, the_actor(), call_id)
            open_now = queries.is_own_open(session, the_actor(), found)
            values["phone"] = reveal_field(
                session, caller=found.caller, field="phone", reason=reason, own_open_call=open_now, **_when()
            )
    except Invalid as fault:
        if "reason" in request.form:
            values["error"], status = fault.details.get("reason"), 422
    template = "ui/reveal.html" if pages.is_htmx() else "ui/reveal_page.html"
    back = url_for("desk.call", call_id=call_id)
    return render_template(template, action=request.path, back=back, **values), status


@bp.get("/calls/<int:call_id>/earlier/<int:earlier_id>")
@roles(OPERATOR)
def earlier(call_id: int, earlier_id: int) -> ResponseReturnValue:
    """An earlier call of the same number, beside this one. Reading it leaves a row."""
    with transaction() as session:
        found = desk.own_call(session, the_actor(), call_id)
        other = next((one for one in queries.earlier_calls(session, found, limit=50) if one.id == earlier_id), None)
        if other is None:
            raise NotFound("没有这通电话")
        audit.record(
            session,
            at=runtime().now(),
            user_id=the_actor().user_id,
            act="read",
            subject="call",
            subject_id=other.id,
            reason="同一来电人的本次通话",
        )
        return _beside(
            "desk/_peek_call.html",
            call=other,
            said=queries.utterances(session, other.id),
            settled=draft_form.orders_of(session, other)[1],
        )


@bp.get("/orders/<number>")
@roles(OPERATOR)
def order(number: str) -> ResponseReturnValue:
    """An order to read, beside the call."""
    with transaction() as session:
        found = orders.visible_to(session, the_actor(), number)
        names = {row.code: row.name for row in units.categories(session)}
        return _beside(
            "desk/_peek_order.html",
            order=found,
            category=names.get(found.category_code, found.category_code),
            person=orders.caller_view(found, the_actor()),
            items=story(session, found, the_actor()),
        )


def _beside(template: str, **values: Any) -> ResponseReturnValue:
    return render_template(template if pages.is_htmx() else "desk/peek.html", inner=template, **values)


# ---- answers


@bp.get("/calls/<int:call_id>/suggestions")
@roles(OPERATOR)
def suggestions(call_id: int) -> ResponseReturnValue:
    """The answers on the screen now."""
    return _part(call_id, "desk/_suggestions.html", lambda session, call: {"answers": desk.answers(session, call)})


@bp.post("/calls/<int:call_id>/suggestions/<int:suggestion_id>/<any(used, wrong, undo):mark>")
@roles(OPERATOR)
def mark(call_id: int, suggestion_id: int, mark: str) -> ResponseReturnValue:
    """Say that an answer was given, or does not fit, or take that back."""
    with transaction() as session:
        found = desk.own_call(session, the_actor(), call_id)

        def act() -> ResponseReturnValue:
            MARKS[mark](session, suggestion_id=suggestion_id, call_id=call_id, **_marking())
            if not pages.is_htmx():
                return pages.go(url_for("desk.call", call_id=call_id))
            return pages.fragment("desk/_suggestions.html", call=found, answers=desk.answers(session, found))

        return once(session, act)


def _marking() -> dict[str, Any]:
    return {"actor_id": the_actor().user_id, "now": runtime().now()}


def _search(session: Session, text: str) -> list[Hit]:
    run = runtime()
    run.knowledge.refresh(session)
    return run.knowledge.search(text, limit=SEARCH_SHOWN, on=run.now().astimezone(run.settings.tz).date())


@bp.get("/calls/<int:call_id>/search")
@roles(OPERATOR)
def search(call_id: int) -> ResponseReturnValue:
    """Answers for words the operator types."""
    text = request.args.get("q", "").strip()
    return _part(
        call_id,
        "desk/_found.html" if pages.is_htmx() else "desk/found.html",
        lambda session, call: {"q": text, "hits": _search(session, text) if text else []},
    )


@bp.post("/calls/<int:call_id>/found/<int:entry_id>")
@roles(OPERATOR)
def use_found(call_id: int, entry_id: int) -> ResponseReturnValue:
    """Say that an answer found by typing (``q``) was given."""
    with transaction() as session:
        found = desk.own_call(session, the_actor(), call_id)

        def act() -> ResponseReturnValue:
            text = request.form.get("q", "").strip()
            hits = [hit for hit in _search(session, text) if hit.entry_id == entry_id]
            if not hits:
                raise NotFound("这条知识已变化，请重新搜索")
            row = knowledge.show(session, call_id=call_id, hits=hits, now=runtime().now())[0]
            knowledge.mark_used(session, suggestion_id=row.id, call_id=call_id, **_marking())
            if not pages.is_htmx():
                return pages.go(url_for("desk.call", call_id=call_id))
            return pages.fragment("desk/_suggestions.html", call=found, answers=desk.answers(session, found))

        return once(session, act)


# ---- the draft


def _save(session: Session, found: Call, here: City) -> WorkOrder:
    return draft_form.save(session, call=found, form=request.form, here=here, tz=runtime().settings.tz, **_when())


@bp.get("/calls/<int:call_id>/filling")
@roles(OPERATOR)
def filling(call_id: int) -> ResponseReturnValue:
    """What the conversation fills in now, for fields nobody touched."""
    with transaction() as session:
        found = desk.own_call(session, the_actor(), call_id)
        form = draft_form.draft_form(session, found, _city(session))
        return jsonify({"matter": form.matter, "values": form.values, "from_call": sorted(form.from_call)})


@bp.get("/calls/<int:call_id>/proposal")
@roles(OPERATOR)
def proposal(call_id: int) -> ResponseReturnValue:
    """Where an order with the values on the screen would go."""

    def build(session: Session, call: Call) -> dict[str, Any]:
        here = _city(session)
        return _draft(session, draft_form.draft_form(session, call, here), here, draft_form.posted(request.args))

    return _part(call_id, "desk/_proposal.html", build)


@bp.post("/calls/<int:call_id>/draft")
@roles(OPERATOR)
def draft(call_id: int) -> ResponseReturnValue:
    """Save the draft. The same form again changes nothing, so it needs no key of its own."""
    with transaction() as session:
        found = desk.own_call(session, the_actor(), call_id)
        here = _city(session)
        _save(session, found, here)
        if not pages.is_htmx():
            pages.toast("草稿已保存")
            return pages.go(url_for("desk.call", call_id=call_id))
        form = draft_form.draft_form(session, found, here)
        return pages.fragment("desk/_saved.html", call=found, **_draft(session, form, here))


@bp.post("/calls/<int:call_id>/check")
@roles(OPERATOR)
def check(call_id: int) -> ResponseReturnValue:
    """Save the draft and read back what would be submitted, or say what it still lacks."""
    run = runtime()
    with transaction() as session:
        found = desk.own_call(session, the_actor(), call_id)
        here = _city(session)
        saved = _save(session, found, here)
        faults = missing(session, saved)
        due = clock.deadline(
            saved.profile, saved.demand_type, saved.urgency, run.now(), run.calendar, run.settings.tz, hard=saved.hard
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
            **_draft(session, form, here),
        )


@bp.post("/calls/<int:call_id>/submit")
@roles(OPERATOR)
def submit(call_id: int) -> ResponseReturnValue:
    """Save the form and submit the order: its clock starts. What is missing is said beside the fields."""
    run = runtime()
    try:
        with transaction() as session:
            found = desk.own_call(session, the_actor(), call_id)

            def act() -> ResponseReturnValue:
                order = _save(session, found, _city(session))
                service.submit(session, order=order, calendar=run.calendar, tz=run.settings.tz, **_when())
                _settle(session, found, Outcome.ORDERED)
                return _settled(call_id, order, "已提交")

            return once(session, act)
    except Invalid as fault:
        return _faulty(call_id, fault)


@bp.get("/calls/<int:call_id>/resolve")
@roles(OPERATOR)
def resolve_form(call_id: int) -> ResponseReturnValue:
    """How the call was answered, as a page of its own for browsers without script."""
    return _part(
        call_id, "desk/resolve.html", lambda session, call: {"answers": desk.answers(session, call), "faults": {}}
    )


@bp.post("/calls/<int:call_id>/resolve")
@roles(OPERATOR)
def resolve(call_id: int) -> ResponseReturnValue:
    """Settle the call on the spot: by an answer, without one for a reason, or as a call without a demand."""
    try:
        with transaction() as session:
            found = desk.own_call(session, the_actor(), call_id)

            def act() -> ResponseReturnValue:
                if request.form.get("outcome") == Outcome.NO_DEMAND:
                    _settle(session, found, Outcome.NO_DEMAND)
                    pages.toast("已记为无诉求")
                    return pages.go(url_for("desk.call", call_id=call_id))
                order = _answer(session, found)
                _settle(session, found, Outcome.ANSWERED_ON_SPOT)
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
        knowledge.mark_used(session, suggestion_id=row.id, call_id=found.id, **_marking())
    order = _save(session, found, _city(session))
    if row is not None and not order.title:
        service.save_draft(session, order=order, fields={"title": row.entry.question[:120]}, typed=False, **_when())
    entry_id = row.entry_id if row is not None else None
    return service.answer(session, order=order, entry_id=entry_id, no_entry_reason=reason, **_when())


def _settle(session: Session, found: Call, outcome: str) -> None:
    # a call that went on to a colleague gets its outcome from them
    if found.operator_id == the_actor().user_id:
        calls.resolve(session, call_id=found.id, outcome=outcome, **_when())


def _settled(call_id: int, order: WorkOrder, said: str) -> ResponseReturnValue:
    pages.toast(f"{said}，工单编号 {order.order_no}")
    return pages.go(url_for("desk.call", call_id=call_id))


def _faulty(call_id: int, fault: Invalid) -> ResponseReturnValue:
    """Show the form again as it was sent, with what is wrong beside the fields."""
    with transaction() as session:
        found = desk.own_call(session, the_actor(), call_id)
        return _call_page(
            session, found, sent=draft_form.posted(request.form), faults=fault.details, sentence=fault.message
        ), 422
