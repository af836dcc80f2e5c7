"""What owners have not confirmed yet, overdue first; the hub answers for itself, and for units it telephoned."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.knowledge_base import reviews
from hotline.units.models import Unit
from hotline.web.access import roles
from hotline.web.context import runtime, transaction
from hotline.web.knowledge import EDITORS
from hotline.web.unit_reviews import answered

bp = Blueprint("reviews", __name__, url_prefix="/reviews")


@bp.get("")
@roles(*EDITORS)
def listed() -> ResponseReturnValue:
    """Every review that waits, or (``?show=late``) those past their date."""
    with transaction() as session:
        return _page(session)


@bp.post("/<int:review_id>")
@roles(*EDITORS)
def answer(review_id: int) -> ResponseReturnValue:
    """Take the hub's answer."""
    return answered(review_id, url_for("knowledge.reviews.listed"), _page)


def _page(session: Session, **values: Any) -> str:
    today = runtime().today()
    waiting = reviews.open_reviews(session)
    overdue = [review for review in waiting if review.due_on < today]
    late = request.args.get("show") == "late"
    wanted = [review.unit_id for review in waiting if review.unit_id]
    owners = {unit.id: unit.name for unit in session.scalars(select(Unit).where(Unit.id.in_(wanted)))}
    href = url_for("knowledge.reviews.listed")
    return render_template(
        "knowledge/reviews.html",
        waiting=overdue if late else waiting,
        late=late,
        owners=owners,
        today=today,
        next_on=today + reviews.ANEW_AFTER,
        chips=[
            {"href": href, "word": "全部", "count": len(waiting), "on": not late},
            {"href": f"{href}?show=late", "word": "已逾期", "count": len(overdue), "on": late, "tone": "late"},
        ],
        **values,
    )
