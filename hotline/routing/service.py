"""What was proposed and chosen is kept with the order; a model that was trained is kept, and used if not worse.

Nothing here says who may: the verbs of orders that call these have asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hotline.routing.model import Candidate
from hotline.routing.models import RoutingModel, RoutingProposal

if TYPE_CHECKING:  # what trains takes seconds to load, and whoever dispatches an order only notes what was chosen
    from hotline.routing.training import Outcome

KEPT: Final = 3  # models whose arrays stay, so that one can be gone back to


def keep(session: Session, outcome: Outcome) -> RoutingModel:
    """Keep a trained model, and put it into use when it is not worse than the one before.

    Of a worse one only the figures are kept, and of the models in use before only the latest with their arrays.
    """
    row = RoutingModel(
        trained_at=outcome.model.trained_at,
        rows=outcome.model.rows,
        figures={
            when: {question: asdict(figures) for question, figures in found.items()}
            for when, found in (("after", outcome.after), ("before", outcome.before))
        },
        active=outcome.better,
        data=outcome.model.dump() if outcome.better else None,
    )
    session.add(row)
    session.flush()
    if outcome.better:
        session.execute(update(RoutingModel).where(RoutingModel.id != row.id, RoutingModel.active).values(active=False))
        with_data = select(RoutingModel.id).where(RoutingModel.data.is_not(None)).order_by(RoutingModel.id.desc())
        kept = session.scalars(with_data.limit(KEPT)).all()
        session.execute(update(RoutingModel).where(RoutingModel.id.not_in(kept)).values(data=None))
    return row


def note_proposal(
    session: Session,
    *,
    order_id: int,
    categories: Iterable[Candidate],
    units: Iterable[Candidate],
    model_id: int | None,
    now: datetime,
) -> RoutingProposal:
    """Keep what was shown to the dispatcher, the likeliest first; what was shown earlier for the order gives way.

    Once something was chosen the proposal stays as it is: it is what the choice is compared with.
    """
    row = _of(session, order_id)
    if row is None:
        row = RoutingProposal(order_id=order_id, at=now, returned_by=[], chosen_category="", chosen_unit="")
        session.add(row)
    if row.chosen_at is None:
        row.at, row.model_id = now, model_id
        row.categories, row.units = _plain(categories), _plain(units)
    session.flush()
    return row


def note_choice(session: Session, *, order_id: int, category: str, unit: str, now: datetime) -> None:
    """Keep what the dispatcher chose: the category's and the lead unit's code. Again at every later dispatch.

    An order for which nothing was proposed is none of the figures'.
    """
    row = _of(session, order_id)
    if row is not None:
        row.chosen_category, row.chosen_unit, row.chosen_at = category, unit, now
        session.flush()


def note_return(session: Session, *, order_id: int, unit: str) -> None:
    """Keep that a unit (its code) gave the order back."""
    row = _of(session, order_id)
    if row is not None:
        row.returned_by = [*row.returned_by, unit]
        session.flush()


def _of(session: Session, order_id: int) -> RoutingProposal | None:
    return session.scalar(select(RoutingProposal).where(RoutingProposal.order_id == order_id))


def _plain(candidates: Iterable[Candidate]) -> list[dict[str, object]]:
    # without the words: they are the message's, and stay with the order
    return [{"label": one.label, "confidence": round(one.confidence, 4)} for one in candidates]
