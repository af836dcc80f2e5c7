"""How often the unit and the kind of matter proposed were those a person chose, and the models that proposed them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hotline.routing import queries
from hotline.routing.model import Question
from hotline.routing.models import RoutingModel
from hotline.units import queries as units
from hotline.web.access import roles
from hotline.web.context import runtime, transaction

bp = Blueprint("accuracy", __name__, url_prefix="/accuracy")

JUDGES: Final = ("SUP", "REV")
PERIODS: Final = (7, 30, 90)  # days
USUAL: Final = 30
CONFUSIONS_SHOWN: Final = 12
MODELS_SHOWN: Final = 14
QUESTION_WORDS: Final = {Question.CATEGORY: "分类", Question.UNIT: "单位", Question.URGENCY: "紧急程度"}


@dataclass(frozen=True, slots=True)
class Trained:
    """One night's model: of each question how often it and the one before were right on the same orders."""

    at: datetime
    rows: int
    active: bool
    better: bool
    figures: list[tuple[str, float, float | None]]  # question in words, after, before


@bp.get("")
@roles(*JUDGES)
def board() -> ResponseReturnValue:
    """By kind of matter and by unit for the period, what is mixed up, and the models of the last nights."""
    now = runtime().now()
    days = request.args.get("days", type=int)
    days = days if days in PERIODS else USUAL
    with transaction() as session:
        found = queries.accuracy(session, since=now - timedelta(days=days), until=now + timedelta(seconds=1))
        return render_template(
            "office/accuracy.html",
            chips=[
                {"href": url_for("office.accuracy.board", days=one), "word": f"{one}天", "on": one == days}
                for one in PERIODS
            ],
            days=days,
            found=found,
            of_categories=found.total(found.categories),
            of_units=found.total(found.units),
            confusions=found.confusions[:CONFUSIONS_SHOWN],
            categories={row.code: row.name for row in units.categories(session, active_only=False)},
            units={row.code: row.name for row in units.units_of_tier(session, 2, active_only=False)},
            models=[_told(row) for row in queries.trained(session, limit=MODELS_SHOWN)],
        )


def _told(row: RoutingModel) -> Trained:
    after: Mapping[str, Any] = row.figures.get("after", {})
    before: Mapping[str, Any] = row.figures.get("before", {})
    return Trained(
        at=row.trained_at,
        rows=row.rows,
        active=row.active,
        better=all(one in after and after[one]["accuracy"] >= before[one]["accuracy"] for one in before),
        figures=[
            (word, after[question]["accuracy"], before[question]["accuracy"] if question in before else None)
            for question, word in QUESTION_WORDS.items()
            if question in after
        ],
    )
