"""Who may know of an order at all. Every read of a unit goes through here."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Select, false, select
from sqlalchemy.orm import Session, joinedload

from hotline.accounts.roles import HUB, UNIT_LIKE
from hotline.accounts.service import SYSTEM, Actor
from hotline.errors import Invalid, NotFound
from hotline.units import queries as units
from hotline.units.models import Unit
from hotline.work_orders import numbers
from hotline.work_orders.models import SubOrder, WorkOrder
from hotline.work_orders.transitions import LIVE

SEE_ALL: Final = HUB | {SYSTEM.role}


def visible_to(session: Session, actor: Actor, order_no: str) -> WorkOrder:
    """Return the order, typed with or without dashes, if the actor may know of it; else ``NotFound``.

    The hub sees every order; a unit those with a sub-order at or under itself; nobody else sees any.
    """
    try:
        number = numbers.parse(order_no)
    except Invalid as fault:
        raise NotFound("没有这张工单") from fault
    query = _visible(session, actor).where(WorkOrder.order_no == number)
    order = session.scalar(query.options(joinedload(WorkOrder.caller), joinedload(WorkOrder.lead_unit)))
    if order is None:
        raise NotFound("没有这张工单")
    return order


def sees(session: Session, actor: Actor, order: WorkOrder) -> bool:
    """Whether the actor may know of an order at hand."""
    return session.scalar(_visible(session, actor).where(WorkOrder.id == order.id)) is not None


def holds(session: Session, actor: Actor, order: WorkOrder) -> bool:
    """Whether a part at or under the actor's unit is not over: seeing what one gave back is not having it in hand."""
    theirs = own_sub_orders(session, actor)
    if theirs is None:
        return False
    live = theirs.where(SubOrder.order_id == order.id, SubOrder.state.in_(LIVE))
    return session.scalar(live.limit(1)) is not None


def own_sub_orders(session: Session, actor: Actor) -> Select[SubOrder] | None:
    """Return a select of the sub-orders at or under the actor's unit; None for whoever is of no unit."""
    own = session.get(Unit, actor.unit_id) if actor.unit_id and actor.role in UNIT_LIKE else None
    return None if own is None else select(SubOrder).where(SubOrder.unit_id.in_(units.in_subtree(own.path)))


def _visible(session: Session, actor: Actor) -> Select[WorkOrder]:
    query = select(WorkOrder)
    if actor.role in SEE_ALL:
        return query
    theirs = own_sub_orders(session, actor)
    if theirs is None:
        return query.where(false())
    return query.where(WorkOrder.id.in_(theirs.with_only_columns(SubOrder.order_id)))
