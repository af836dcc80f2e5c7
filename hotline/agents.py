"""Operators: the desk. Ready, offered, answered, heard, suggested, drafted, submitted, wrapped up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline import audit
from hotline.callers.service import reveal as reveal_field
from hotline.calls import assignment, presence, queries
from hotline.calls import service as calls
from hotline.calls.models import Call
from hotline.errors import Invalid, NotAllowedNow, NotFound
from hotline.knowledge_base.floor import suggestions as answers_shown
from hotline.knowledge_base.search.finding import Found, find
from hotline.units import queries as units
from hotline.web import (
    desk,
    desk_headset,
    desk_learning,
    desk_orders,
    desk_page,
    desk_settling,
    draft_form,
    pages,
    switchboard,
)
from hotline.web.access import roles, the_actor, when
from hotline.web.context import runtime, transaction
from hotline.web.desk_page import OPERATOR, at_desk
from hotline.web.idempotency import once
from hotline.work_orders import queries as orders
from hotline.work_orders.story import story

bp = Blueprint("desk", __name__, url_prefix="/desk")

SEARCH_SHOWN: Final = 5
MARKS: Final[dict[str, Callable[..., object]]] = {
    "used": answers_shown.mark_used,
    "wrong": answers_shown.mark_wrong,
}

bp.add_app_template_filter(desk.only_in, "only_in")
bp.register_blueprint(desk_settling.bp)
bp.register_blueprint(desk_headset.bp)
bp.register_blueprint(desk_learning.bp)
bp.register_blueprint(desk_orders.bp)


# ---- the page


@bp.get("")
@roles(OPERATOR)
def page() -> ResponseReturnValue:
    """The desk: of the call in hand, else the idle one. Held by another browser: says so and offers to take over."""
    try:
        with transaction() as session:
            presence.claim_desk(session, **at_desk())
    except NotAllowedNow as fault:
        return render_template("desk/elsewhere.html", since=fault.details.get("since")), 409
    with transaction() as session:
        held = queries.in_hand(session, the_actor())
        if held is not None and desk_page.talk(session, held).phase != "offered":
            return desk_page.call_page(session, held)
        return render_template(
            "desk/idle.html",
            ringing=desk_page.ringing(session),
            why_away=queries.why_away(session, the_actor().user_id or 0),
            drafts=orders.my_drafts(session, the_actor()),
            taken=queries.taken_by(session, the_actor(), since=desk_page.start_of_today()),
            **desk_page.bar(session),
        )


@bp.get("/calls/<int:call_id>")
@roles(OPERATOR)
def call(call_id: int) -> ResponseReturnValue:
    """The desk of one own call, also after it is over, so that its draft can be finished."""
    with transaction() as session:
        return desk_page.call_page(session, desk.own_call(session, the_actor(), call_id))


@bp.get("/ring")
@roles(OPERATOR)
def ring() -> ResponseReturnValue:
    """The bar of an offered call; empty when none is offered."""
    with transaction() as session:
        return pages.fragment("desk/_ring.html", ringing=desk_page.ringing(session))


# ---- what the operator is doing


def _presence(verb: Callable[..., object], said: str, **values: Any) -> ResponseReturnValue:
    """Change one's own state once, then let the queue move."""
    with transaction() as session:

        def act() -> ResponseReturnValue:
            verb(session, **at_desk(), **values)
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
            presence.claim_desk(session, **at_desk(), take_over=True)
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
            presence.seen(session, **at_desk())
            return pages.fragment("desk/_bar.html", **desk_page.bar(session))
    except NotAllowedNow:
        return pages.go(url_for("desk.page"))


# ---- the call


@bp.post("/calls/<int:call_id>/accept")
@roles(OPERATOR)
def accept(call_id: int) -> ResponseReturnValue:
    """Take the offered call; the operator's telephone rings at once. A carrier's failure is told in words."""
    to_do: list[int] = []

    def act(session: Session) -> ResponseReturnValue:
        to_do.append(assignment.accept(session, **at_desk(), call_id=call_id).message_id)
        return pages.go(url_for("desk.call", call_id=call_id))

    answer = _reply_to_offer(call_id, act)
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

    def act(session: Session) -> ResponseReturnValue:
        assignment.decline(session, **at_desk(), call_id=call_id)
        pages.toast("已拒接，您现在是示忙状态", tone="soon")
        return pages.go(url_for("desk.page"))

    answer = _reply_to_offer(call_id, act)
    switchboard.tell_call(call_id)
    switchboard.assign()
    return answer


def _reply_to_offer(call_id: int, act: Callable[[Session], ResponseReturnValue]) -> ResponseReturnValue:
    """Act once on a call that was offered to whoever asks. One that is gone is told, and leads back to the desk."""
    try:
        with transaction() as session:
            desk.asked(session, the_actor(), call_id)
            return once(session, lambda: act(session))
    except NotAllowedNow as fault:
        pages.toast(fault.message, tone="soon")
        return pages.go(url_for("desk.page"))


@bp.post("/calls/<int:call_id>/end")
@roles(OPERATOR)
def end(call_id: int) -> ResponseReturnValue:
    """End the conversation: the caller is thanked, wrap-up begins."""
    to_do: list[int | None] = []
    with transaction() as session:
        desk.own_call(session, the_actor(), call_id)

        def act() -> ResponseReturnValue:
            to_do.append(calls.end_call(session, **when(), call_id=call_id))
            return pages.go(url_for("desk.call", call_id=call_id))

        answer = once(session, act)
    for message_id in filter(None, to_do):
        switchboard.act_now(message_id)
    switchboard.tell_call(call_id)
    return answer


@bp.get("/calls/<int:call_id>/head")
@roles(OPERATOR)
def head(call_id: int) -> ResponseReturnValue:
    """How the call stands."""
    return desk_page.part(call_id, "desk/_head.html", lambda session, call: {"talk": desk_page.talk(session, call)})


@bp.get("/calls/<int:call_id>/conversation")
@roles(OPERATOR)
def conversation(call_id: int) -> ResponseReturnValue:
    """What was said since the line ``?after=``."""
    after = request.args.get("after", 0, type=int)
    return desk_page.part(
        call_id, "desk/_said.html", lambda session, call: {"said": queries.utterances(session, call.id, after_id=after)}
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
            phone = reveal_field(
                session, caller=found.caller, field="phone", reason=reason, own_open_call=open_now, **when()
            )
            values["phone"] = phone.removeprefix("+86")
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
        return desk_page.beside(
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
        return desk_page.beside(
            "desk/_peek_order.html",
            order=found,
            category=names.get(found.category_code, found.category_code),
            person=orders.caller_view(found, the_actor()),
            items=story(session, found, the_actor()),
        )


# ---- answers


@bp.get("/calls/<int:call_id>/suggestions")
@roles(OPERATOR)
def suggestions(call_id: int) -> ResponseReturnValue:
    """The answers on the screen now."""
    return desk_page.part(
        call_id, "desk/_suggestions.html", lambda session, call: {"answers": desk.answers(session, call)}
    )


@bp.post("/calls/<int:call_id>/suggestions/<int:suggestion_id>/<any(used, wrong, undo):mark>")
@roles(OPERATOR)
def mark(call_id: int, suggestion_id: int, mark: str) -> ResponseReturnValue:
    """Say that an answer was given, or does not fit, or take that back."""
    with transaction() as session:
        found = desk.own_call(session, the_actor(), call_id)

        def act() -> ResponseReturnValue:
            if mark == "undo":
                answers_shown.undo_mark(session, suggestion_id=suggestion_id, call_id=call_id, **_marking())
            else:
                said = draft_form.said_by_caller(session, found)
                MARKS[mark](session, suggestion_id=suggestion_id, call_id=call_id, said=said, **_marking())
            if not pages.is_htmx():
                return pages.go(url_for("desk.call", call_id=call_id))
            return pages.fragment("desk/_suggestions.html", call=found, answers=desk.answers(session, found))

        return once(session, act)


def _marking() -> dict[str, Any]:
    return {"actor_id": the_actor().user_id, "now": runtime().now()}


def _search(session: Session, text: str, area: str) -> list[Found]:
    """Find entries by words or pinyin that hold today, and where the matter of the call is (empty: unknown)."""
    run = runtime()
    return find(
        session,
        text,
        index=run.knowledge,
        initials=run.initials,
        limit=SEARCH_SHOWN,
        on=run.today(),
        area=area,
    )


def _area(session: Session, call: Call) -> str:
    """Return where the matter is: as the page shows it (``area_code``), or as its draft was saved; empty: unknown."""
    shown = request.values.get("area_code")
    if shown is not None:
        return shown if shown.isdecimal() else ""
    return orders.area_of_call(session, call.id)


@bp.get("/calls/<int:call_id>/search")
@roles(OPERATOR)
def search(call_id: int) -> ResponseReturnValue:
    """Answers for words the operator types."""
    text = request.args.get("q", "").strip()

    def build(session: Session, call: Call) -> dict[str, Any]:
        area = _area(session, call)
        hits = _search(session, text, area) if text else []
        desk_learning.note_search(session, call, text, found=bool(hits))
        return {"q": text, "hits": hits, "area": area}

    return desk_page.part(call_id, "desk/_found.html" if pages.is_htmx() else "desk/found.html", build)


@bp.post("/calls/<int:call_id>/found/<int:entry_id>")
@roles(OPERATOR)
def use_found(call_id: int, entry_id: int) -> ResponseReturnValue:
    """Say that an answer found by typing (``q``) was given."""
    with transaction() as session:
        found = desk.own_call(session, the_actor(), call_id)

        def act() -> ResponseReturnValue:
            text = request.form.get("q", "").strip()
            hits = [hit for hit in _search(session, text, _area(session, found)) if hit.entry_id == entry_id]
            if not hits:
                raise NotFound("这条知识已变化，请重新搜索")
            row = answers_shown.show(session, call_id=call_id, hits=hits, now=runtime().now())[0]
            said = draft_form.said_by_caller(session, found)
            answers_shown.mark_used(session, suggestion_id=row.id, call_id=call_id, said=said, **_marking())
            if not pages.is_htmx():
                return pages.go(url_for("desk.call", call_id=call_id))
            return pages.fragment("desk/_suggestions.html", call=found, answers=desk.answers(session, found))

        return once(session, act)
