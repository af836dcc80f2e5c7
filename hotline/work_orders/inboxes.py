"""What a unit narrows its lists by, and how it finds an order of its own subtree again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, aliased

from hotline.accounts.service import Actor
from hotline.errors import Invalid
from hotline.units.models import Category, Unit
from hotline.work_orders.finding import digits_of_number, fitting
from hotline.work_orders.models import SubOrder, WorkOrder
from hotline.work_orders.queries import PER_PAGE, Page
from hotline.work_orders.states import Urgency
from hotline.work_orders.transitions import LIVE
from hotline.work_orders.visibility import own_sub_orders

CATEGORIES_AT_MOST: Final = 12
PRESSING: Final = (Urgency.URGENT, Urgency.CRITICAL)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What is looked for; empty: everything. ``unit_id``: a unit below that holds or is the place of the order."""

    kind: str = ""
    category: str = ""
    unit_id: int | None = None
    urgent: bool = False

    def conditions(self, session: Session, actor: Actor) -> list[ColumnElement[bool]]:
        """Return what must be true of a part and its order. A unit that is not below the actor's finds nothing."""
        found: list[ColumnElement[bool]] = []
        if self.kind:
            found.append(WorkOrder.demand_type == self.kind)
        if self.category:
            found.append(WorkOrder.category_code == self.category)
        if self.urgent:
            found.append(WorkOrder.urgency.in_(PRESSING))
        if self.unit_id is not None:
            found.append(_at(session, actor, self.unit_id))
        return found


def _at(session: Session, actor: Actor, unit_id: int) -> ColumnElement[bool]:
    below = select(Unit.id).where(Unit.id == unit_id, Unit.parent_id == actor.unit_id)
    unit = session.get(Unit, unit_id) if session.scalar(below) is not None else None
    handed = aliased(SubOrder)
    holds = (
        select(handed.id).where(handed.order_id == WorkOrder.id, handed.unit_id.in_(below), handed.state.in_(LIVE))
    ).exists()
    if unit is None or not unit.area_code:
        return holds
    return or_(holds, WorkOrder.area_code == unit.area_code)


def categories_of(session: Session, actor: Actor) -> Sequence[Category]:
    """Return the kinds of matter the unit has most of in its hands, the most frequent first."""
    counted = (
        select(Category)
        .join(WorkOrder, WorkOrder.category_code == Category.code)
        .join(SubOrder, SubOrder.order_id == WorkOrder.id)
        .where(SubOrder.unit_id == actor.unit_id, SubOrder.state.in_(LIVE))
        .group_by(Category.id)
        .order_by(func.count().desc(), Category.code)
        .limit(CATEGORIES_AT_MOST)
    )
    return session.scalars(counted).all()


def search(session: Session, actor: Actor, *, text: str, page: int = 1) -> Page[WorkOrder]:
    """Return orders of the actor's own subtree by number, title or place, the latest change first.

    What a number or words find is the hub's ``finding``. Raises ``Invalid`` for a page before the first; without
    words, and for whoever is of no unit, there are none.
    """
    if page < 1:
        raise Invalid("页码从 1 开始", page="页码从 1 开始")
    theirs = own_sub_orders(session, actor)
    words = text.strip()
    if theirs is None or not words:
        return Page([], 0, page, PER_PAGE)
    where = [WorkOrder.id.in_(theirs.with_only_columns(SubOrder.order_id)), *fitting(session, words)]
    if not digits_of_number(words):
        # the title of a confidential demand is not theirs to read, so it is not theirs to guess either
        where.append(or_(WorkOrder.confidential.is_(False), WorkOrder.address.contains(words, autoescape=True)))
    total = session.scalar(select(func.count(WorkOrder.id)).where(*where)) or 0
    newest = select(WorkOrder).where(*where).order_by(WorkOrder.updated_at.desc(), WorkOrder.id.desc())
    return Page(session.scalars(newest.limit(PER_PAGE).offset((page - 1) * PER_PAGE)).all(), total, page, PER_PAGE)
