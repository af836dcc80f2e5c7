"""Reads for boards: a county's board of its townships, open orders by light, lines of a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select
from sqlalchemy.orm import Session, joinedload

from hotline.accounts.roles import TIER_2
from hotline.accounts.service import Actor
from hotline.db import UTCDateTime, seconds_of
from hotline.errors import NotPermitted
from hotline.units.models import Unit
from hotline.work_orders.models import HolderSpan, SubOrder, WorkOrder
from hotline.work_orders.queries import SOON_SHARE, Page
from hotline.work_orders.states import OPEN, PAUSED, Part, Status, SubState
from hotline.work_orders.transitions import LIVE

PER_PAGE: Final = 30
LANE_SHOWS: Final = 20
LANE_AT_MOST: Final = 500


# ---- the hub


@dataclass(frozen=True, slots=True)
class Lights:
    """Open orders on the clock by light."""

    green: int
    yellow: int
    red: int


def lights(session: Session, now: datetime) -> Lights:
    """Count the open orders whose clock runs by light: ``red`` after the deadline, ``yellow`` in the last fifth of the
    time, else ``green``. Figures only: whoever may see the board may see them."""
    due, start = seconds_of(WorkOrder.deadline_at), seconds_of(WorkOrder.clock_started_at)
    left = due - seconds_of(literal(now, UTCDateTime()))
    light = case((left < 0, "red"), (left <= (due - start) * SOON_SHARE, "yellow"), else_="green")
    rows = session.execute(
        select(light, func.count())
        .where(
            WorkOrder.status.in_(OPEN - PAUSED),
            WorkOrder.deadline_at.is_not(None),
            WorkOrder.clock_started_at.is_not(None),
        )
        .group_by(light)
    )
    return Lights(**{"green": 0, "yellow": 0, "red": 0} | {name: number for name, number in rows})


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


class Lane(StrEnum):
    """The columns of a county's board."""

    TO_SIGN = "to_sign"
    IN_HAND = "in_hand"
    TO_CHECK = "to_check"
    REPORTED = "reported"


@dataclass(slots=True)
class Township:
    """One unit below and how much it holds."""

    unit: Unit
    held: Counter[Lane] = field(default_factory=Counter)
    overdue: int = 0

    @property
    def at_work(self) -> int:
        """How much is not done."""
        return self.held.total() - self.held[Lane.REPORTED]

    @property
    def busy(self) -> bool:
        """Whether it holds anything that is not done."""
        return self.at_work > 0


@dataclass(frozen=True, slots=True)
class CountyBoard:
    """What the units below have: by column the first of it and how much there is, and by unit, busiest first."""

    lanes: dict[Lane, Page[SubOrder]]
    townships: list[Township]


def county_board(session: Session, actor: Actor, *, now: datetime, whole: str = "") -> CountyBoard:
    """Return the live work of the units below the actor's, soonest due first: ``LANE_SHOWS`` of each column, of the
    column ``whole`` up to ``LANE_AT_MOST``. Tier-2 units only."""
    if actor.role not in TIER_2 or actor.unit_id is None:
        raise NotPermitted("只有二级单位有下属单位的看板")
    below = session.scalars(select(Unit).where(Unit.parent_id == actor.unit_id, Unit.active).order_by(Unit.code)).all()
    townships = {unit.id: Township(unit) for unit in below}
    lane = case(
        (SubOrder.state == SubState.TO_SIGN, Lane.TO_SIGN),
        (SubOrder.state != SubState.REPORTED, Lane.IN_HAND),
        (WorkOrder.status == Status.TO_CHECK_TIER2, Lane.TO_CHECK),
        else_=Lane.REPORTED,
    )
    late = and_(SubOrder.state != SubState.REPORTED, SubOrder.deadline_at < now, WorkOrder.status.not_in(PAUSED))
    live = session.execute(
        select(SubOrder.id, SubOrder.unit_id, lane, case((late, 1), else_=0))
        .join(SubOrder.order)
        .where(SubOrder.unit_id.in_(townships), SubOrder.state.in_(LIVE))
        .order_by(SubOrder.deadline_at.asc().nulls_last(), SubOrder.id)
    )
    ids: dict[Lane, list[int]] = {one: [] for one in Lane}
    for number, unit_id, name, overdue in live:
        ids[Lane(name)].append(number)
        townships[unit_id].held[Lane(name)] += 1
        townships[unit_id].overdue += overdue
    shows = {one: LANE_AT_MOST if one == whole else LANE_SHOWS for one in Lane}
    firsts = [number for one in Lane for number in ids[one][: shows[one]]]
    subs = select(SubOrder).where(SubOrder.id.in_(firsts)).options(joinedload(SubOrder.order))
    by_id = {sub.id: sub for sub in session.scalars(subs)} if firsts else {}  # their units are loaded above
    lanes = {
        one: Page([by_id[number] for number in ids[one][: shows[one]]], len(ids[one]), 1, shows[one]) for one in Lane
    }
    return CountyBoard(lanes, sorted(townships.values(), key=lambda unit: (-unit.overdue, -unit.at_work)))
