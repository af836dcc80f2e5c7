"""Reads of supervision: open orders by level, notices that wait for a reply, replies nobody has read, all by unit.

Each list runs on an index of its own that holds nothing but its rows (see ``models``), however many orders are done:
``ix_work_orders_supervision_open``, ``ix_order_notices_waiting``, ``ix_order_notices_unread``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, UnaryExpression, func, select
from sqlalchemy.orm import Session, joinedload

from hotline.accounts.roles import HUB, UNITS
from hotline.accounts.service import SYSTEM, Actor
from hotline.errors import Invalid, NotPermitted
from hotline.units import queries as units
from hotline.units.models import Unit
from hotline.work_orders.models import Notice, WorkOrder
from hotline.work_orders.queries import PER_PAGE, Page, Row
from hotline.work_orders.states import Supervision
from hotline.work_orders.words import SUPERVISION_WORDS

LEVELS: Final = tuple(level for level in Supervision if level != Supervision.NONE)
_ALL: Final = HUB | {SYSTEM.role}


@dataclass(slots=True)
class Figures:
    """What of one unit, and of all below it, is under supervision; ``by_level`` counts open orders it leads."""

    unit: Unit
    by_level: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LEVELS, 0))
    waiting: int = 0  # notices without a reply
    late: int = 0  # of these, past their reply date
    unread: int = 0  # replies no supervisor has read

    @property
    def orders(self) -> int:
        """How many open orders are under supervision at all."""
        return sum(self.by_level.values())


@dataclass(frozen=True, slots=True)
class Notices:
    """How many notices wait for something, as ``Figures`` counts them."""

    waiting: int
    late: int
    unread: int


# ---- orders


def level_counts(session: Session, actor: Actor, *, under: int | None = None) -> dict[str, int]:
    """Return how many open orders stand at each level. Who and ``under``: see ``orders_at``."""
    query = select(WorkOrder.supervision, func.count()).where(*_orders(session, actor, under), _watched(LEVELS))
    found = {level: number for level, number in session.execute(query.group_by(WorkOrder.supervision))}
    return {level.value: found.get(level, 0) for level in LEVELS}


def orders_at(
    session: Session, actor: Actor, *, level: str, under: int | None = None, page: int = 1, per_page: int = PER_PAGE
) -> Page[WorkOrder]:
    """Return the open orders of one level, the soonest due first, with the units that lead.

    ``under``: only those led by this unit or one below it. The hub sees all; a unit those it or one below it leads.
    """
    if level not in LEVELS:
        words = "、".join(SUPERVISION_WORDS[one] for one in LEVELS)
        raise Invalid(f"没有督办级别 {level}", level=f"可选：{words}")
    where = [*_orders(session, actor, under), _watched((Supervision(level),))]
    query = select(WorkOrder).where(*where).options(joinedload(WorkOrder.lead_unit))
    query = query.order_by(WorkOrder.deadline_at.asc().nulls_last(), WorkOrder.id)
    return _paged(session, query, select(func.count(WorkOrder.id)).where(*where), page, per_page)


# ---- notices


def waiting(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    late_only: bool = False,
    under: int | None = None,
    page: int = 1,
    per_page: int = PER_PAGE,
) -> Page[Notice]:
    """Return the notices without a reply, the soonest due first, with order and unit; ``late_only``: past due.

    The hub sees all; a unit its own and those of units below it.
    """
    where = _unanswered(session, actor, under)
    if late_only:
        where.append(Notice.reply_due_at < now)
    return _page_of_notices(session, where, Notice.reply_due_at.asc().nulls_last(), page, per_page)


def to_read(
    session: Session, actor: Actor, *, under: int | None = None, page: int = 1, per_page: int = PER_PAGE
) -> Page[Notice]:
    """Return the notices whose reply no supervisor has read, the longest waiting first. Who: as ``waiting``."""
    return _page_of_notices(session, _unread(session, actor, under), Notice.replied_at.asc(), page, per_page)


def notice_counts(session: Session, actor: Actor, *, now: datetime, under: int | None = None) -> Notices:
    """Return how many notices wait for a reply and for a reader. Who: as ``waiting``."""
    unanswered = select(func.count(), func.count().filter(Notice.reply_due_at < now)).select_from(Notice)
    waiting, late = session.execute(unanswered.where(*_unanswered(session, actor, under))).one()
    return Notices(waiting, late, unread(session, actor, under=under))


def unread(session: Session, actor: Actor, *, under: int | None = None) -> int:
    """Return how many replies no supervisor has read. Who: as ``waiting``."""
    return session.scalar(select(func.count(Notice.id)).where(*_unread(session, actor, under))) or 0


def of_order(session: Session, actor: Actor, order: WorkOrder) -> Sequence[Notice]:
    """Return the notices about one order that the actor may read, the first first. Who: as ``waiting``."""
    return session.scalars(
        select(Notice)
        .where(Notice.order_id == order.id, *_notices(session, actor, None))
        .options(joinedload(Notice.unit))
        .order_by(Notice.id)
    ).all()


# ---- by unit


def by_unit(session: Session, actor: Actor, *, now: datetime, under: int | None = None) -> list[Figures]:
    """Return the figures of every county, department and utility that has any, the worst first.

    What a township was sent counts with its county; with ``under``, a county, every unit of it counts by itself. The
    hub sees every unit, a unit none but its own line.
    """
    orders = session.execute(
        select(Unit.id, WorkOrder.supervision, func.count())
        .join(WorkOrder.lead_unit)
        .where(*_orders(session, actor, under), _watched(LEVELS))
        .group_by(Unit.id, WorkOrder.supervision)
    ).all()
    notices = select(Notice.unit_id, func.count(), func.count().filter(Notice.reply_due_at < now))
    notices = notices.group_by(Notice.unit_id)
    unanswered = session.execute(notices.where(*_unanswered(session, actor, under))).all()
    to_be_read = session.execute(notices.where(*_unread(session, actor, under))).all()
    named = {row[0] for row in (*orders, *unanswered, *to_be_read)}
    above = _second_tier(session, named) if under is None else _themselves(session, named)
    found = {unit.id: Figures(unit) for unit in above.values()}
    for unit_id, level, number in orders:
        found[above[unit_id].id].by_level[level] += number
    for unit_id, number, late in unanswered:
        found[above[unit_id].id].waiting += number
        found[above[unit_id].id].late += late
    for unit_id, number, _late in to_be_read:
        found[above[unit_id].id].unread += number
    return sorted(found.values(), key=_worst_first)


# ---- inside


def _watched(levels: Sequence[Supervision]) -> ColumnElement[bool]:
    return WorkOrder.supervision.in_([level.value for level in levels])


def _orders(session: Session, actor: Actor, under: int | None) -> list[ColumnElement[bool]]:
    lines = _lines(session, actor, under)
    return [WorkOrder.closed_at.is_(None), *(WorkOrder.lead_unit_id.in_(line) for line in lines)]


def _unanswered(session: Session, actor: Actor, under: int | None) -> list[ColumnElement[bool]]:
    return [Notice.replied_at.is_(None), *_notices(session, actor, under)]


def _unread(session: Session, actor: Actor, under: int | None) -> list[ColumnElement[bool]]:
    return [Notice.replied_at.is_not(None), Notice.read_at.is_(None), *_notices(session, actor, under)]


def _notices(session: Session, actor: Actor, under: int | None) -> list[ColumnElement[bool]]:
    return [Notice.unit_id.in_(line) for line in _lines(session, actor, under)]


def _lines(session: Session, actor: Actor, under: int | None) -> list[Select[int]]:
    """Return the subtrees a read is bound to: the actor's own, unless of the hub, and the one asked for."""
    wanted = [under] if under is not None else []
    if actor.role in UNITS and actor.unit_id is not None:
        wanted.append(actor.unit_id)
    elif actor.role not in _ALL:
        raise NotPermitted("只有热线中心和承办单位可以查看")
    found = []
    for unit_id in wanted:
        unit = session.get(Unit, unit_id)
        if unit is None:
            raise Invalid("没有这个单位", unit="没有这个单位")
        found.append(units.in_subtree(unit.path))
    return found


def _worst_first(figures: Figures) -> tuple[tuple[int, ...], str]:
    return tuple(-figures.by_level[level] for level in reversed(LEVELS)), figures.unit.code


def _themselves(session: Session, unit_ids: Collection[int]) -> dict[int, Unit]:
    return {unit.id: unit for unit in session.scalars(select(Unit).where(Unit.id.in_(unit_ids)))}


def _second_tier(session: Session, unit_ids: Collection[int]) -> dict[int, Unit]:
    """Return for each unit the one of tier 2 it is, or stands under."""
    rows = session.execute(select(Unit.id, Unit.path).where(Unit.id.in_(unit_ids))).all()
    above = {unit_id: int(path.strip("/").split("/")[1]) for unit_id, path in rows}
    names = _themselves(session, set(above.values()))
    return {unit_id: names[top] for unit_id, top in above.items()}


def _page_of_notices(
    session: Session,
    where: Sequence[ColumnElement[bool]],
    first: UnaryExpression[datetime | None],
    page: int,
    per_page: int,
) -> Page[Notice]:
    query = (
        select(Notice)
        .where(*where)
        .options(joinedload(Notice.order), joinedload(Notice.unit))
        .order_by(first, Notice.id)
    )
    return _paged(session, query, select(func.count(Notice.id)).where(*where), page, per_page)


def _paged(session: Session, query: Select[Row], counting: Select[int], page: int, per_page: int) -> Page[Row]:
    if page < 1 or per_page < 1:
        raise Invalid("页码从 1 开始", page="页码从 1 开始")
    rows = session.scalars(query.limit(per_page).offset((page - 1) * per_page)).all()
    return Page(rows, session.scalar(counting) or 0, page, per_page)
