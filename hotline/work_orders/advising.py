"""What is proposed for an order, from everything that is known; and, once it went out, kept beside what was chosen.

What is kept are codes: the reasons hold words of the citizen and stay on the page.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from hotline.routing.model import Candidate as Labelled
from hotline.routing.model import Proposal as Learnt
from hotline.routing.model import Question
from hotline.routing.queries import ModelInUse
from hotline.routing.service import note_choice, note_proposal
from hotline.units import queries as units
from hotline.work_orders import parts, proposal
from hotline.work_orders.models import WorkOrder


@dataclass(frozen=True, slots=True)
class Advice:
    """Who should lead, the likeliest first, and which kind of matter the message looks like.

    ``category`` is None without a model, or when it knows no word of the message; ``model_id`` is that model's.
    """

    units: list[proposal.Candidate]
    category: Learnt | None
    model_id: int | None

    @property
    def asks(self) -> bool:
        """Whether the first is no more than a guess: a person has to say."""
        return proposal.unsure(self.units)


def advise(
    session: Session, order: WorkOrder, *, routing: ModelInUse, on: date, without: Collection[int] = ()
) -> Advice:
    """Return what is proposed for an order by the list in force on a day.

    Units that gave it back are out of the question, and so are those in ``without`` (ids). Without a model, or with a
    damaged one, the list, the place and the asset speak alone.
    """
    in_use = routing.current(session)
    model_id, model = in_use or (None, None)
    message = {"title": order.title, "text": order.content}
    found = proposal.propose(
        text=f"{order.title} {order.content}",
        address=order.address,
        area_code=order.area_code,
        category_code=order.category_code,
        lines=units.lines_in_force(session, on=on),
        units=[*units.units_of_tier(session, 2), *units.units_of_tier(session, 3)],
        asset=order.asset,
        learnt=model.propose(Question.UNIT, **message) if model else None,
        without={*parts.returned_by(order, tier=2), *without},
    )
    category = model.propose(Question.CATEGORY, **message) if model else None
    return Advice(found, category, model_id)


def note_dispatched(session: Session, order: WorkOrder, advice: Advice, *, now: datetime) -> None:
    """Keep what was proposed for an order that has just gone out beside what was chosen.

    Called after the dispatch: of two people who sent it at once only one comes here.
    """
    assert order.lead_unit is not None, "it has gone out"
    note_proposal(
        session,
        order_id=order.id,
        categories=advice.category.candidates if advice.category else (),
        units=[Labelled(one.unit.code, one.confidence) for one in advice.units],
        model_id=advice.model_id,
        now=now,
    )
    note_choice(session, order_id=order.id, category=order.category_code, unit=order.lead_unit.code, now=now)
