"""A unit's report, written in steps beside a ditch: photographs, without network too, and what changed meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from flask import Blueprint, current_app, jsonify, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from sqlalchemy.orm import Session

from hotline.contacts import queries as contacts
from hotline.errors import Invalid, NotAllowedNow
from hotline.web import order_files
from hotline.web.access import public, roles, the_actor, when
from hotline.web.contact_story import through_the_hub
from hotline.web.context import runtime, transaction
from hotline.web.errors import wants_page
from hotline.web.moments import LOCAL, moment_typed
from hotline.web.order_pages import act, by_clock
from hotline.web.unit_inbox import UNIT, own_sub, steps_key
from hotline.work_orders import evidence, queries, service
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Action, FileKind
from hotline.work_orders.story import StoryItem, story

bp = Blueprint("feedback", __name__)

CONTACT_WAYS: Final = ("电话", "上门", "微信", "现场见面", "其他")
UNSOLVED: Final = ("政策限制", "资金不足", "权属不清", "客观条件限制", "已列入计划", "反映不属实", "其他")
SENT_FILES: Final = {f"files_{kind}": kind for kind in (FileKind.BEFORE, FileKind.AFTER, FileKind.CONTACT)}
# what the form needs to work without network; no page with an order on it is ever kept
KEPT: Final = (
    "vendor/bootstrap/bootstrap.min.css",
    "vendor/bootstrap-icons/sprite.svg",
    "css/hotline.css",
    "css/orders.css",
    "css/portal.css",
    "icon.svg",
    "js/theme.js",
    "js/app.js",
    "js/when.js",
    "js/drafts.js",
    "js/photos.js",
    "js/steps.js",
)


@bp.get("/orders/<number>/report")
@roles(*UNIT)
def form(number: str) -> ResponseReturnValue:
    """Report in steps: contacted, solved, photographs, what was done, the answer to the citizen.

    ``since``: the order's events up to which the writer had seen it; what came after stands beside the form.
    """
    return _page(number, {}, {}, since=request.args.get("since", type=int))


@bp.post("/orders/<number>/report")
@roles(*UNIT)
def send(number: str) -> ResponseReturnValue:
    """Send the report. ``seen``: how far the writer knew the order; when others moved it since, they are shown it first
    (409) and nothing that was typed is lost."""
    seen = request.form.get("seen", type=int)

    def do(session: Session, order: WorkOrder) -> str:
        if seen is not None and (news := _meanwhile(session, order, seen)):
            words = [f"{item.who}：{item.word}" for item in news]
            raise NotAllowedNow("您填写期间这张工单有变化，请看过再提交", meanwhile=words, seen=order.event_count)
        typed = request.form
        if typed.get("contacted") not in ("yes", "no"):
            raise Invalid("请选择是否联系了市民", contacted="请选择是否联系了市民")
        service.report(
            session,
            order=order,
            contacted=typed["contacted"] == "yes",
            contacted_at=moment_typed("contacted_at"),
            contact_way=typed.get("contact_way", ""),
            solved=typed.get("solved", ""),
            unsolved_reason=_unsolved_reason(),
            process=typed.get("process", ""),
            public_reply=typed.get("public_reply", ""),
            **when(),
            **by_clock(),
        )
        return "已提交反馈"

    def then(order: WorkOrder) -> str:
        return url_for("portal.order", number=order.order_no, sent=1)

    def again(fault: Invalid) -> str:
        return _page(number, request.form.to_dict(), fault.details)

    try:
        order_files.keep(number, {kind: request.files.getlist(name) for name, kind in SENT_FILES.items()})
    except Invalid as fault:
        if not wants_page():
            raise
        return again(fault), 422
    try:
        return act(number, do, then=then, again=again if wants_page() else None)
    except NotAllowedNow as fault:
        if not wants_page():
            raise
        return _page(number, request.form.to_dict(), {}, since=seen, refused=fault.message), 409


def _unsolved_reason() -> str:
    kind, words = request.form.get("unsolved_kind", ""), request.form.get("unsolved_reason", "").strip()
    return "：".join(part for part in (kind, words) if part)


def _meanwhile(session: Session, order: WorkOrder, seen: int) -> list[StoryItem]:
    """What others did to the order after its first ``seen`` events, as the actor may read it."""
    mine = {event.seq for event in order.events if event.actor_user_id == the_actor().user_id}
    return [item for item in story(session, order, the_actor()) if item.seq > seen and item.seq not in mine]


def _page(
    number: str,
    typed: dict[str, Any],
    faults: dict[str, object],
    *,
    since: int | None = None,
    refused: str | None = None,
) -> str:
    actor, now, tz = the_actor(), runtime().now(), runtime().settings.tz
    with transaction() as session:
        found = queries.visible_to(session, actor, number)
        told = story(session, found, actor)
        back = next(
            (item for item in reversed(told) if item.action in (Action.REJECT, Action.REDO, Action.REPORT)), None
        )
        returned = back if back and back.action != Action.REPORT else None
        earlier = queries.last_report(session, found, actor)
        may = Action.REPORT in {action for action, _ in queries.allowed_actions(found, actor)}
        calls = contacts.answered(session, found, actor)
        if not typed:
            typed = {"contacted_at": f"{now.astimezone(tz):{LOCAL}}", "contact_way": CONTACT_WAYS[0]}
            if calls and calls[-1].connected_at:
                moment = f"{calls[-1].connected_at.astimezone(tz):{LOCAL}}"
                typed = {"contacted_at": moment, "contact_way": through_the_hub(calls[-1])}
            if earlier and returned:  # mend what was sent back instead of writing it anew
                typed |= {"process": earlier.process, "public_reply": earlier.public_reply}
        return render_template(
            "portal/report.html",
            order=found,
            steps_key=steps_key(own_sub(session, found)),
            returned=returned,
            meanwhile=_meanwhile(session, found, since) if since is not None else [],
            refused=refused if refused or may else "这张工单现在不在本单位手里，不能反馈。写好的内容可以复制留用。",
            may=may,
            brought=evidence.waiting_for(found, actor),
            typed=typed,
            faults=faults,
            **_choices([through_the_hub(call) for call in reversed(calls)]),
        )


def _choices(calls: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "ways": [(way, way) for way in (*calls, *CONTACT_WAYS)],
        "reasons": [("", "请选择"), *((reason, reason) for reason in UNSOLVED)],
    }


# ---- without network


@bp.get("/offline")
@public
def shell() -> ResponseReturnValue:
    """The empty form a telephone keeps: no order, no name, no token stands on it."""
    return _shell()


@bp.get("/sw.js")
@public
def worker() -> ResponseReturnValue:
    """The script that keeps the empty form and the files it is made of, and nothing else."""
    static = cast("Callable[[str], str]", current_app.jinja_env.globals["static"])
    kept = [url_for("portal.feedback.shell"), *(static(path) for path in KEPT)]
    version = hashlib.sha256("\n".join([*kept, _shell()]).encode()).hexdigest()[:12]
    answer = make_response(render_template("portal/sw.js", version=version, kept=kept))
    answer.headers["Content-Type"] = "text/javascript; charset=utf-8"
    answer.headers["Service-Worker-Allowed"] = url_for("portal.lists.inbox")
    answer.headers["Cache-Control"] = "no-cache"
    return answer


def _shell() -> str:
    return render_template("portal/offline.html", typed={"contact_way": CONTACT_WAYS[0]}, faults={}, **_choices())


@bp.get("/token")
@roles(*UNIT)
def token() -> ResponseReturnValue:
    """Who is logged in and the token of their forms: what was written without network is sent with it."""
    return jsonify(user=the_actor().user_id, csrf_token=generate_csrf())
