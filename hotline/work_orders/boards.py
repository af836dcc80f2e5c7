"""Reads for boards: a county's board of its townships, open orders by light, lines of a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, joinedload

from hotline.accounts.roles import TIER_2
from hotline.accounts.service import Actor
from hotline.errors import NotPermitted
from hotline.units.models import Unit
from hotline.work_orders.models import HolderSpan, SubOrder, WorkOrder
from hotline.work_orders.queries import SOON_SHARE, Page
from hotline.work_orders.states import OPEN, PAUSED, Part, Status, SubState
from hotline.work_orders.transitions import LIVE

PER_PAGE: Final = 30
BOARD_AT_MOST: Final = 500


# ---- the hub


@dataclass(frozen=True, slots=True)
class Lights:
    """Open orders on the clock by light."""

    green: int
    yellow: int
    red: int


def light(deadline: datetime, start: datetime, now: datetime) -> str:
    """``red`` after the deadline, ``yellow`` in the last fifth of the time, else ``green``."""
    left = deadline - now
    if left < timedelta():
        return "red"
    return "yellow" if left <= (deadline - start) * SOON_SHARE else "green"


def lights(session: Session, now: datetime) -> Lights:
    """Count the open orders whose clock runs by light. Figures only: whoever may see the board may see them."""
    rows = session.execute(
        select(WorkOrder.deadline_at, WorkOrder.clock_started_at).where(
            WorkOrder.status.in_(OPEN - PAUSED),
            WorkOrder.deadline_at.is_not(None),
            WorkOrder.clock_started_at.is_not(None),
        )
    )
    counted = Counter(light(deadline, start, now) for deadline, start in rows if deadline and start)
    return Lights(counted["green"], counted["yellow"], counted["red"])


def waiting_in(session: Session, *statuses: str) -> int:
    """Return how many orders stand in these states and follow no other. Figures only."""
    where = (WorkOrder.status.in_(statuses), WorkOrder.merged_into_id.is_(None))
    return session.scalar(select(func.count(WorkOrder.id)).where(*where)) or 0


# ---- a unit


def to_work(
    session: Session, actor: Actor, *, page: int = 1, only: Sequence[ColumnElement[bool]] = ()
) -> Page[SubOrder]:
    """Return what lies in the hands of the actor's own unit and not of one below or above, soonest due first.

    What its inbox calls in hand also holds what it handed down or waits to check; here the next step is its own.
    ``only``: what else must be true of part and order (see ``inboxes``).
    """
    mine = Status.IN_HAND if actor.role in TIER_2 else Status.IN_HAND_TIER3
    where = (
        SubOrder.unit_id == actor.unit_id,
        SubOrder.state.in_((SubState.SIGNED, SubState.IN_HAND)),
        or_(SubOrder.part == Part.ASSISTING, WorkOrder.status == mine),
        *only,
    )
    total = session.scalar(select(func.count(SubOrder.id)).join(SubOrder.order).where(*where)) or 0
    query = (
        select(SubOrder)
        .join(SubOrder.order)
        .where(*where)
        .options(joinedload(SubOrder.order), joinedload(SubOrder.unit))
        .order_by(SubOrder.deadline_at.asc().nulls_last(), SubOrder.id)
        .limit(PER_PAGE)
        .offset((page - 1) * PER_PAGE)
    )
    return Page(session.scalars(query).all(), total, page, PER_PAGE)


# ---- lines of a list


def holders(session: Session, order_ids: Collection[int]) -> dict[int, str]:
    """Return the name of the unit that holds each of these orders now; those no unit holds are left out."""
    rows = session.execute(
        select(HolderSpan.order_id, Unit.name)
        .join(HolderSpan.unit)
        .where(HolderSpan.order_id.in_(order_ids), HolderSpan.to_at.is_(None))
    )
    return {order_id: name for order_id, name in rows}


def urges(session: Session, order_ids: Collection[int]) -> dict[int, int]:
    """Return how often each of these orders was urged; those never urged are left out."""
    urged = select(WorkOrder.id, WorkOrder.urge_count).where(WorkOrder.id.in_(order_ids), WorkOrder.urge_count > 0)
    return {order_id: number for order_id, number in session.execute(urged)}


# ---- a county


@dataclass(slots=True)
class Township:
    """One unit below and how much it holds."""

    unit: Unit
    to_sign: int = 0
    in_hand: int = 0
    to_check: int = 0
    overdue: int = 0

    @property
    def busy(self) -> bool:
        """Whether it holds anything that is not done."""
        return bool(self.to_sign or self.in_hand or self.to_check)


@dataclass(frozen=True, slots=True)
class CountyBoard:
    """What the units below have: columns by state, and the same counted by unit, busiest first."""

    to_sign: list[SubOrder] = field(default_factory=list)
    in_hand: list[SubOrder] = field(default_factory=list)
    to_check: list[SubOrder] = field(default_factory=list)
    reported: list[SubOrder] = field(default_factory=list)
    townships: list[Township] = field(default_factory=list)


def county_board(session: Session, actor: Actor, *, now: datetime) -> CountyBoard:
    """Return the live work of the units below the actor's, soonest due first. Tier-2 units only."""
    if actor.role not in TIER_2 or actor.unit_id is None:
        raise NotPermitted("只有二级单位有下属单位的看板")
    below = session.scalars(select(Unit).where(Unit.parent_id == actor.unit_id, Unit.active).order_by(Unit.code)).all()
    board = CountyBoard(townships=[Township(unit) for unit in below])
    by_unit = {township.unit.id: township for township in board.townships}
    for sub in _live_below(session, list(by_unit)):
        township = by_unit[sub.unit_id]
        if sub.state == SubState.TO_SIGN:
            board.to_sign.append(sub)
            township.to_sign += 1
        elif sub.state != SubState.REPORTED:
            board.in_hand.append(sub)
            township.in_hand += 1
        elif sub.order.status == Status.TO_CHECK_TIER2:
            board.to_check.append(sub)
            township.to_check += 1
        else:
            board.reported.append(sub)
        late = sub.deadline_at is not None and sub.deadline_at < now and not sub.order.paused
        if sub.state != SubState.REPORTED and late:
            township.overdue += 1
    board.townships.sort(key=lambda one: (-one.overdue, -(one.to_sign + one.in_hand + one.to_check)))
    return board


def _live_below(session: Session, unit_ids: Sequence[int]) -> Sequence[SubOrder]:
    return session.scalars(
        select(SubOrder)
        .where(SubOrder.unit_id.in_(unit_ids), SubOrder.state.in_(LIVE))
        .options(joinedload(SubOrder.order), joinedload(SubOrder.unit))
        .order_by(SubOrder.deadline_at.asc().nulls_last(), SubOrder.id)
        .limit(BOARD_AT_MOST)
    ).all()
