"""What the routing model learns from: orders a dispatcher has sent, and the responsibility list from the first day."""

from __future__ import annotations

import logging
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.db import SessionFactory, reading, session_scope
from hotline.errors import Invalid
from hotline.routing.model import Question
from hotline.routing.models import RoutingModel
from hotline.routing.queries import ModelInUse
from hotline.routing.service import keep
from hotline.routing.training import Row, retrain
from hotline.units.models import Unit
from hotline.units.queries import lines_in_force
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status

log = logging.getLogger(__name__)

NEWEST: Final = 20_000  # orders learnt from: older ones tell of units and lists that are no more
UNDECIDED: Final = frozenset({Status.RETURN_ASKED, Status.PANEL})  # who leads is being argued about


def learn(sessions: SessionFactory, *, now: datetime, on: date) -> RoutingModel | None:
    """Train a model of what is known on a day, and put it into use when it is not worse than the one before.

    Return it with its figures; None while there is too little to learn from. For a worker at night: minutes of one
    core for thousands of orders, with no transaction open meanwhile.
    """
    with reading(sessions) as session:
        known, in_use = rows(session, on=on), ModelInUse().current(session)
    try:
        outcome = retrain(known, in_use=in_use[1] if in_use else None, now=now)
    except Invalid as why:
        log.info("no routing model trained: %s", why.message)
        return None
    with session_scope(sessions) as session:
        return keep(session, outcome)


def rows(session: Session, *, on: date) -> list[Row]:
    """Return what is known of which matter is whose: the list in force on a day, then the newest orders, by number.

    The category and the lead unit an order has after its last dispatch are what people hold to be right. Confidential
    orders are never learnt from.
    """
    return [*_of_the_list(session, on), *_of_orders(session)]


def _of_the_list(session: Session, on: date) -> list[Row]:
    codes = {unit_id: code for unit_id, code in session.execute(select(Unit.id, Unit.code))}
    return [
        Row(
            key="",
            title="",
            text=line.matter,
            labels={Question.CATEGORY: line.category_code}
            | ({Question.UNIT: codes[line.lead_unit_id]} if line.lead_unit_id is not None else {}),
        )
        for line in lines_in_force(session, on=on)
        if line.category_code
    ]


def _of_orders(session: Session) -> list[Row]:
    found = session.execute(
        select(
            WorkOrder.order_no,
            WorkOrder.title,
            WorkOrder.content,
            WorkOrder.category_code,
            WorkOrder.urgency,
            WorkOrder.status,
            Unit.code,
        )
        .join(WorkOrder.lead_unit)
        .where(
            WorkOrder.first_dispatched_at.is_not(None),
            WorkOrder.confidential.is_(False),
            WorkOrder.category_code != "",
        )
        .order_by(WorkOrder.id.desc())
        .limit(NEWEST)
    )
    return [
        Row(
            key=one.order_no,
            title=one.title,
            text=one.content,
            labels={Question.CATEGORY: one.category_code, Question.URGENCY: one.urgency}
            | ({} if one.status in UNDECIDED else {Question.UNIT: one.code}),
        )
        for one in reversed(found.all())
    ]
