"""Reads on requests: what waits for whose decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import Session, joinedload

from hotline.accounts.roles import TIER_2, Role
from hotline.accounts.service import Actor
from hotline.errors import NotFound
from hotline.units import queries as units
from hotline.work_orders.models import OrderRequest, WorkOrder
from hotline.work_orders.queries import Page
from hotline.work_orders.states import RequestKind, RequestState

PER_PAGE: Final = 30


def _waits(kind: RequestKind, *states: RequestState) -> ColumnElement[bool]:
    return and_(OrderRequest.kind == kind, OrderRequest.state.in_(states))


_ASKED: Final = RequestState.ASKED
_PASSED: Final = RequestState.PASSED
# what each role of the hub decides
_OF_THE_HUB: Final[dict[str, ColumnElement[bool]]] = {
    Role.REV: and_(_waits(RequestKind.RETURN, _ASKED), OrderRequest.tier == 2),
    Role.SUP: or_(
        _waits(RequestKind.EXTENSION, _PASSED),
        _waits(RequestKind.SUSPENSION, _ASKED, _PASSED),
        _waits(RequestKind.EXPLANATION, _ASKED),
    ),
    Role.ADJ: or_(_waits(RequestKind.CLAIM, _ASKED), _waits(RequestKind.APPEAL, _ASKED)),
}


def to_decide(session: Session, actor: Actor, *, kind: str = "", page: int = 1) -> Page[OrderRequest]:
    """Return the requests this actor decides, the soonest due first, their orders and units loaded."""
    where = [_decided_by(session, actor)] + ([OrderRequest.kind == kind] if kind else [])
    total = session.scalar(select(func.count(OrderRequest.id)).where(*where)) or 0
    query = (
        select(OrderRequest)
        .where(*where)
        .options(joinedload(OrderRequest.order), joinedload(OrderRequest.unit), joinedload(OrderRequest.sub_order))
        .order_by(OrderRequest.due_at.asc().nulls_last(), OrderRequest.id)
        .limit(PER_PAGE)
        .offset((page - 1) * PER_PAGE)
    )
    return Page(session.scalars(query).all(), total, page, PER_PAGE)


def counts(session: Session, actor: Actor) -> dict[str, int]:
    """Return how many of each kind wait for this actor; kinds without any are left out."""
    query = select(OrderRequest.kind, func.count()).where(_decided_by(session, actor)).group_by(OrderRequest.kind)
    return {kind: number for kind, number in session.execute(query)}


def one_to_decide(session: Session, actor: Actor, request_id: int) -> OrderRequest:
    """Return a request this actor decides; ``NotFound`` for another's, and for one that was decided meanwhile."""
    query = select(OrderRequest).where(OrderRequest.id == request_id, _decided_by(session, actor))
    row = session.scalar(query.options(joinedload(OrderRequest.order), joinedload(OrderRequest.unit)))
    if row is None:
        raise NotFound("这项申请已经办理，或不由您审批")
    return row


def of_order(order: WorkOrder) -> Sequence[OrderRequest]:
    """Return every request about an order, the first first. For the hub: they name who asked and why."""
    return order.requests


def _decided_by(session: Session, actor: Actor) -> ColumnElement[bool]:
    if actor.role in _OF_THE_HUB:
        return _OF_THE_HUB[actor.role]
    if actor.role not in TIER_2 or actor.unit_id is None:
        return false()
    below = OrderRequest.unit_id.in_(units.subtree_ids(session, actor.unit_id))
    returns = and_(_waits(RequestKind.RETURN, _ASKED), OrderRequest.tier == 3, below)
    if actor.role != Role.U2L:
        return returns
    return or_(returns, and_(_waits(RequestKind.EXTENSION, _ASKED), below))
