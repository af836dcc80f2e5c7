"""How units compare in a period, and what became of a month's demands. Sums are made by the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from hotline.units.models import Unit
from hotline.work_orders.models import OrderRequest, SubOrder, WorkOrder
from hotline.work_orders.states import (
    RATED,
    Overlay,
    Part,
    RequestKind,
    RequestState,
    Satisfaction,
    Solved,
)

RANKED_FROM: Final = 30  # with fewer a share says nothing about a unit
Z: Final = 1.96  # a 95 % interval


@dataclass(frozen=True, slots=True)
class Share:
    """Some of a base. ``low`` and ``high``: Wilson's 95 % interval; None without a base."""

    part: int
    base: int

    @property
    def value(self) -> float | None:
        """The share itself."""
        return self.part / self.base if self.base else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the true share lies in 95 of 100 cases."""
        if not self.base:
            return None
        share, square = self.part / self.base, Z * Z
        middle = share + square / (2 * self.base)
        spread = Z * ((share * (1 - share) + square / (4 * self.base)) / self.base) ** 0.5
        whole = 1 + square / self.base
        return max((middle - spread) / whole, 0.0), min((middle + spread) / whole, 1.0)


@dataclass(frozen=True, slots=True)
class Score:
    """One tier-2 unit in a period.

    ``reasonable``: satisfaction without what a panel set aside, unreasonable demands and scores appealed against.
    """

    unit_id: int
    unit: str
    dispatched: int  # parts it was to lead
    signed: Share  # 及时签收率: in time, of those dispatched
    returned: Share  # 退单率: returns it was granted, of those dispatched
    closed: int
    in_time: Share  # 按时办结率: reported by the first deadline, of those closed
    in_time_extended: Share  # the same by the deadline as extended
    redone: Share  # 重办率: closed after a redo, of those closed
    satisfied: Share  # 满意率: 满意 and 基本满意, of those who said
    reasonable: Share
    solved: Share  # 解决率, strict: of those who were asked

    @property
    def ranked(self) -> bool:
        """Whether there is enough to compare it by."""
        return self.satisfied.base >= RANKED_FROM


def league(session: Session, start: datetime, end: datetime) -> list[Score]:
    """Return every tier-2 unit that led anything in the period: those to be ranked by satisfaction, then the others."""
    given = _given(session, start, end)
    ended = _ended(session, start, end)
    returns = _returns(session, start, end)
    names = {unit.id: unit.name for unit in session.scalars(select(Unit).where(Unit.tier == 2))}
    scores = []
    for unit_id in given.keys() | ended.keys():
        dispatched, signed = given.get(unit_id, (0, 0))
        row = ended.get(unit_id, (0,) * 10)
        closed, in_time, extended, redone, said, content, said_fair, content_fair, asked, solved = row
        scores.append(
            Score(
                unit_id=unit_id,
                unit=names.get(unit_id, ""),
                dispatched=dispatched,
                signed=Share(signed, dispatched),
                returned=Share(min(returns.get(unit_id, 0), dispatched), dispatched),
                closed=closed,
                in_time=Share(in_time, closed),
                in_time_extended=Share(extended, closed),
                redone=Share(redone, closed),
                satisfied=Share(content, said),
                reasonable=Share(content_fair, said_fair),
                solved=Share(solved, asked),
            )
        )
    return sorted(scores, key=lambda one: (not one.ranked, -(one.satisfied.value or 0), one.unit_id))


def _given(session: Session, start: datetime, end: datetime) -> dict[int, tuple[int, int]]:
    """Parts led by each unit that were given to it in the period, and those of them signed in time."""
    in_time = and_(SubOrder.signed_at.is_not(None), SubOrder.signed_at <= SubOrder.sign_due_at)
    rows = session.execute(
        select(SubOrder.unit_id, func.count(), _count(in_time))
        .where(
            SubOrder.tier == 2, SubOrder.part == Part.LEAD, SubOrder.assigned_at >= start, SubOrder.assigned_at < end
        )
        .group_by(SubOrder.unit_id)
    )
    return {unit: (dispatched, signed) for unit, dispatched, signed in rows}


def _ended(session: Session, start: datetime, end: datetime) -> dict[int, tuple[int, ...]]:
    rated = WorkOrder.close_kind.in_(RATED)
    said = and_(rated, WorkOrder.final_satisfaction.not_in(("", Satisfaction.NONE)))
    content = and_(said, WorkOrder.final_satisfaction.in_((Satisfaction.SATISFIED, Satisfaction.FAIR)))
    fair = and_(WorkOrder.claim != Overlay.GRANTED, WorkOrder.appeal != Overlay.GRANTED)
    asked = and_(rated, WorkOrder.final_solved != "")
    reported = (
        select(func.max(SubOrder.reported_at))
        .where(SubOrder.order_id == WorkOrder.id, SubOrder.part == Part.LEAD)
        .correlate(WorkOrder)
        .scalar_subquery()
    )
    one = (
        select(
            WorkOrder.lead_unit_id.label("unit"),
            case((reported <= WorkOrder.original_deadline_at, 1), else_=0).label("in_time"),
            case((reported <= WorkOrder.deadline_at, 1), else_=0).label("extended"),
            case((WorkOrder.redo_count > 0, 1), else_=0).label("redone"),
            *(
                case((condition, 1), else_=0).label(name)
                for name, condition in (
                    ("said", said),
                    ("content", content),
                    ("said_fair", and_(said, fair)),
                    ("content_fair", and_(content, fair)),
                    ("asked", asked),
                    ("solved", and_(asked, WorkOrder.final_solved == Solved.YES)),
                )
            ),
        )
        .where(WorkOrder.closed_at >= start, WorkOrder.closed_at < end, WorkOrder.lead_unit_id.is_not(None))
        .subquery()
    )
    columns = [one.c[name] for name in one.c.keys() if name != "unit"]  # noqa: SIM118 - a collection of columns
    rows = session.execute(
        select(one.c.unit, func.count(), *(func.sum(column) for column in columns)).group_by(one.c.unit)
    )
    return {row[0]: tuple(row[1:]) for row in rows}


def _returns(session: Session, start: datetime, end: datetime) -> dict[int, int]:
    rows = session.execute(
        select(OrderRequest.unit_id, func.count())
        .where(
            OrderRequest.kind == RequestKind.RETURN,
            OrderRequest.state == RequestState.GRANTED,
            OrderRequest.tier == 2,
            OrderRequest.decided_at >= start,
            OrderRequest.decided_at < end,
        )
        .group_by(OrderRequest.unit_id)
    )
    return {unit: number for unit, number in rows if unit is not None}


@dataclass(frozen=True, slots=True)
class Month:
    """What came in a period and what became of what was closed in it."""

    accepted: int
    on_spot: int
    by_type: dict[str, int]
    by_category: list[tuple[str, int]]  # most first
    closed: int
    returned: int  # of those accepted: orders returned at least once
    extended: int
    redone: int
    by_satisfaction: dict[str, int]
    by_solved: dict[str, int]


def month(session: Session, start: datetime, end: datetime) -> Month:
    """Count the demands accepted in a period and the orders closed in it."""
    accepted: Sequence[ColumnElement[bool]] = (WorkOrder.submitted_at >= start, WorkOrder.submitted_at < end)
    closed = (WorkOrder.closed_at >= start, WorkOrder.closed_at < end)
    by_type: dict[str, int] = {}
    by_category: dict[str, int] = {}
    total = on_spot = returned = 0
    for kind, category, number, spot, back in session.execute(
        select(
            WorkOrder.demand_type,
            WorkOrder.category_code,
            func.count(),
            _count(WorkOrder.clock_started_at.is_(None)),
            _count(WorkOrder.return_count > 0),
        )
        .where(*accepted)
        .group_by(WorkOrder.demand_type, WorkOrder.category_code)
    ):
        by_type[kind] = by_type.get(kind, 0) + number
        by_category[category] = by_category.get(category, 0) + number
        total, on_spot, returned = total + number, on_spot + spot, returned + back
    satisfaction: dict[str, int] = {}
    solved: dict[str, int] = {}
    done = extended = redone = 0
    for kind, said, end_state, number, longer, again in session.execute(
        select(
            WorkOrder.close_kind,
            WorkOrder.final_satisfaction,
            WorkOrder.final_solved,
            func.count(),
            _count(WorkOrder.extension_count > 0),
            _count(WorkOrder.redo_count > 0),
        )
        .where(*closed)
        .group_by(WorkOrder.close_kind, WorkOrder.final_satisfaction, WorkOrder.final_solved)
    ):
        done, extended, redone = done + number, extended + longer, redone + again
        if kind in RATED:
            satisfaction[said] = satisfaction.get(said, 0) + number
            solved[end_state] = solved.get(end_state, 0) + number
    most = sorted(by_category.items(), key=lambda one: (-one[1], one[0]))
    return Month(total, on_spot, by_type, most, done, returned, extended, redone, satisfaction, solved)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
