"""What the desk tells editors of knowledge: searches in vain, and demands that no entry answers."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.calls.models import Call
from hotline.errors import Invalid
from hotline.knowledge_base import queries, tasks
from hotline.knowledge_base.floor.offers import last_said
from hotline.knowledge_base.models import Signal
from hotline.knowledge_base.states import SignalKind
from hotline.web import desk, pages
from hotline.web.access import roles, the_actor
from hotline.web.context import runtime, transaction
from hotline.web.desk_page import OPERATOR
from hotline.web.draft_form import said_by_caller
from hotline.web.idempotency import once

bp = Blueprint("learning", __name__, url_prefix="/calls/<int:call_id>/missing")


@bp.post("")
@roles(OPERATOR)
def missing(call_id: int) -> ResponseReturnValue:
    """Say that no entry answers what was searched for (``q``), or without that what the caller said last."""
    with transaction() as session:
        found = desk.own_call(session, the_actor(), call_id)

        def act() -> ResponseReturnValue:
            if note_missing(session, found, asked=request.form.get("q", "").strip()) is None:
                raise Invalid("请先在搜索框写下市民问的事", q="还没有听到市民说什么")
            return _answer(session, found)

        return once(session, act)


@bp.post("/<int:signal_id>/undo")
@roles(OPERATOR)
def undo(call_id: int, signal_id: int) -> ResponseReturnValue:
    """Take that back."""
    with transaction() as session:
        found = desk.own_call(session, the_actor(), call_id)

        def act() -> ResponseReturnValue:
            tasks.take_back(session, call_id=found.id, kind=SignalKind.NO_ENTRY, signal_id=signal_id)
            return _answer(session, found)

        return once(session, act)


def note_missing(session: Session, call: Call, *, asked: str, told: str = "") -> Signal | None:
    """Note that no entry answered what was ``asked``, or without that what the caller said last; None: nothing was.

    ``told``: what the operator told instead.
    """
    text = asked or last_said(said_by_caller(session, call))
    if not text:
        return None
    return tasks.note(
        session,
        kind=SignalKind.NO_ENTRY,
        text=text,
        told=told,
        call_id=call.id,
        user_id=the_actor().user_id,
        now=runtime().now(),
    )


def note_search(session: Session, call: Call, text: str, *, found: bool) -> None:
    """Note whether what an operator typed found anything."""
    tasks.note_search(
        session, text=text, found=found, call_id=call.id, user_id=the_actor().user_id, now=runtime().now()
    )


def _answer(session: Session, call: Call) -> ResponseReturnValue:
    if not pages.is_htmx():
        return pages.go(url_for("desk.call", call_id=call.id))
    return pages.fragment("desk/_missing.html", call=call, missing=queries.missing_in(session, call.id))
