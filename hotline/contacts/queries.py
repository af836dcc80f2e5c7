"""Reads on units' calls to citizens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.roles import HUB, UNITS
from hotline.accounts.service import Actor, actor_of
from hotline.callers.numbers import mask, normalise
from hotline.contacts.models import ContactCall
from hotline.telephones import queries as telephones
from hotline.units import queries as units
from hotline.units.models import Unit
from hotline.work_orders.guards import live_subs
from hotline.work_orders.models import SubOrder, WorkOrder
from hotline.work_orders.queries import caller_view
from hotline.work_orders.states import DONE, SubState


@dataclass(frozen=True, slots=True)
class Offer:
    """What an order's page offers: the telephone that would be rung first, masked; "" when it has to be typed.

    ``last`` is the call about this order that the actor asked for last.
    """

    own_mask: str
    last: ContactCall | None


def offer(session: Session, order: WorkOrder, actor: Actor) -> Offer | None:
    """Return what a unit's page of an order offers; None where no call to the citizen is possible.

    The actor's unit must hold a live part that it signed for; nobody calls the caller of a confidential order.
    """
    if may_call(order, actor) is None:
        return None
    own = number_of(session, actor)
    mine = [call for call in of_order(session, order, actor) if call.user_id == actor.user_id]
    return Offer(mask(own) if own else "", mine[-1] if mine else None)


def may_call(order: WorkOrder, actor: Actor) -> SubOrder | None:
    """Return the part for which the actor may call this order's caller; None when they may not."""
    if actor.role not in UNITS or order.status in DONE or order.confidential or citizens_number(order) is None:
        return None
    if caller_view(order, actor) is None:
        return None
    return next(
        (sub for sub in live_subs(order) if sub.unit_id == actor.unit_id and sub.state != SubState.TO_SIGN), None
    )


def still_may_call(session: Session, call: ContactCall) -> bool:
    """Whether who asked for a call may still be put through, by the rule they asked under, for the same unit."""
    order = session.get_one(WorkOrder, call.order_id)
    part = may_call(order, actor_of(call.user)) if call.user.active else None
    return part is not None and part.unit_id == call.unit_id


def citizens_number(order: WorkOrder) -> str | None:
    """Return the number the caller of an order is reached at: the one that called, else the one they left."""
    caller = order.caller
    return (caller.phone or normalise(caller.contact)) if caller is not None else None


def number_of(session: Session, actor: Actor) -> str | None:
    """Return the telephone of the unit's side: the person's own, else the unit's duty telephone."""
    own = telephones.of_user(session, actor.user_id)
    if own is not None:
        return own.phone
    unit = session.get(Unit, actor.unit_id) if actor.unit_id is not None else None
    return normalise(unit.duty_phone) if unit is not None else None


def of_order(session: Session, order: WorkOrder, actor: Actor) -> Sequence[ContactCall]:
    """Return the calls about an order, the first first: the hub reads every one, a unit those of its own subtree."""
    wanted = select(ContactCall).where(ContactCall.order_id == order.id).order_by(ContactCall.id)
    if actor.role not in HUB:
        wanted = wanted.where(ContactCall.unit_id.in_(units.subtree_ids(session, actor.unit_id or 0)))
    return session.scalars(wanted).all()


def answered(session: Session, order: WorkOrder, actor: Actor) -> list[ContactCall]:
    """Return the calls of the actor's own unit about an order that the citizen answered, the first first."""
    calls = of_order(session, order, actor)
    return [call for call in calls if call.answered and call.unit_id == actor.unit_id]
