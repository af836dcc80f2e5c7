"""Units say whether the knowledge they own still holds: the list, and one press for each answer."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.errors import Invalid, NotAllowedNow
from hotline.knowledge_base import reviews
from hotline.knowledge_base.states import ReviewAnswer
from hotline.web import pages
from hotline.web.access import roles, the_actor, when
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import once
from hotline.web.unit_inbox import UNIT

bp = Blueprint("reviews", __name__, url_prefix="/reviews")


@bp.get("")
@roles(*UNIT)
def listed() -> ResponseReturnValue:
    """What this unit is asked to look at, nearest date first."""
    with transaction() as session:
        return _page(session)


@bp.post("/<int:review_id>")
@roles(*UNIT)
def answer(review_id: int) -> ResponseReturnValue:
    """Take the unit's answer; what is wrong with it stands beside its field."""
    return answered(review_id, url_for("portal.reviews.listed"), _page)


def answered(review_id: int, back: str, page: Any) -> ResponseReturnValue:
    """Take an answer from a form and go ``back``; one that cannot be taken shows ``page`` with the reason."""
    try:
        with transaction() as session:
            return once(session, lambda: _answer(session, review_id, back))
    except NotAllowedNow as fault:  # a colleague was quicker
        pages.toast(fault.message, tone="soon")
        return pages.go(back)
    except Invalid as fault:
        with transaction() as session:
            return page(session, review_id=review_id, faults=fault.details, typed=request.form), 422


def _answer(session: Session, review_id: int, back: str) -> ResponseReturnValue:
    said = ReviewAnswer.CHANGE if request.form.get("said") == ReviewAnswer.CHANGE else ReviewAnswer.HOLDS
    reviews.answer(
        session,
        **when(),
        today=runtime().today(),
        review_id=review_id,
        said=said,
        words=request.form.get("words", ""),
        next_on=_day(request.form.get("next_on", "")),
    )
    pages.toast("已转给知识编辑修改" if said is ReviewAnswer.CHANGE else "已记下：内容仍然正确")
    return pages.go(back)


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError as fault:
        raise Invalid("不是日期", next_on="不是日期") from fault


def _page(session: Session, **values: Any) -> str:
    today = runtime().today()
    return render_template(
        "portal/reviews.html",
        waiting=reviews.open_reviews(session, unit_id=the_actor().unit_id or 0),
        today=today,
        next_on=today + reviews.ANEW_AFTER,
        **values,
    )
