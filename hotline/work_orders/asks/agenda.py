"""Reads on panels: meetings, and for each order on an agenda how it came there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from hotline.accounts.roles import HUB, Role
from hotline.accounts.service import Actor
from hotline.errors import NotFound, NotPermitted
from hotline.units.models import ResponsibilityLine
from hotline.work_orders.asks.models import Panel, PanelItem
from hotline.work_orders.models import OrderRequest, SubOrder, WorkOrder
from hotline.work_orders.queries import Held, held_minutes
from hotline.work_orders.states import PanelState, Part, RequestKind, RequestState, ReturnGround
from hotline.work_orders.words import RETURN_WORDS


@dataclass(frozen=True, slots=True)
class Turn:
    """One unit's turn at leading: from when to when (None: still), and why it gave the order back, if it did."""

    unit: str
    since: datetime
    until: datetime | None
    ground: str = ""
    line: str = ""  # what of the responsibility list it cited
    reason: str = ""
    suggested: str = ""


@dataclass(frozen=True, slots=True)
class AgendaItem:
    """One order of a meeting: who led it and gave it back, the first first, and who held it how long."""

    item: PanelItem
    order: WorkOrder
    turns: list[Turn]
    held: list[Held]


@dataclass(frozen=True, slots=True)
class Correction:
    """What somebody who accepted a return would mend in the responsibility list."""

    request: OrderRequest
    order_no: str
    line: str
    words: str


def panel(session: Session, actor: Actor, panel_id: int) -> Panel:
    """Return one meeting; ``NotFound``. Hub only."""
    _hub(actor)
    found = session.get(Panel, panel_id)
    if found is None:
        raise NotFound("没有这次会商")
    return found


def meetings(session: Session, actor: Actor, *, limit: int = 30) -> Sequence[Panel]:
    """Return the planned meetings, the next first, then those over, the last first. Hub only."""
    _hub(actor)
    loaded = select(Panel).options(selectinload(Panel.items))
    planned = session.scalars(loaded.where(Panel.state == PanelState.PLANNED).order_by(Panel.held_at)).all()
    over = session.scalars(
        loaded.where(Panel.state != PanelState.PLANNED).order_by(Panel.held_at.desc()).limit(limit)
    ).all()
    return [*planned, *over]


def agenda(session: Session, actor: Actor, panel_id: int, *, now: datetime) -> list[AgendaItem]:
    """Return the items of one meeting in order, each with the history of its order. Hub only."""
    items = panel(session, actor, panel_id).items
    return [AgendaItem(item, item.order, turns(session, item.order), held_minutes(item.order, now)) for item in items]


def turns(session: Session, order: WorkOrder) -> list[Turn]:
    """Return the tier-2 units that led an order, the first first, with the grounds of those that gave it back."""
    leading = [sub for sub in order.sub_orders if sub.tier == 2 and sub.part == Part.LEAD]
    cited = {row.line_id for row in order.requests if row.line_id is not None}
    lines = {
        line.id: f"{line.version} {line.code} {line.matter}"
        for line in session.scalars(select(ResponsibilityLine).where(ResponsibilityLine.id.in_(cited)))
    }
    return [_turn(order, sub, lines) for sub in leading]


def corrections(session: Session, actor: Actor, *, limit: int = 100) -> list[Correction]:
    """Return what of the responsibility list should be mended, the latest first: for the hub and its keeper."""
    if actor.role not in HUB | {Role.ADM}:
        raise NotPermitted("只有热线中心和责任清单的维护人员可以查看")
    rows = session.scalars(
        select(OrderRequest)
        .where(OrderRequest.kind == RequestKind.RETURN, OrderRequest.state == RequestState.GRANTED)
        .where(OrderRequest.details["correction"].as_string().is_not(None))
        .options(joinedload(OrderRequest.order))
        .order_by(OrderRequest.decided_at.desc(), OrderRequest.id.desc())
        .limit(limit)
    ).all()
    cited = {row.line_id for row in rows if row.line_id is not None}
    lines = {
        line.id: f"{line.version} {line.code} {line.matter}"
        for line in session.scalars(select(ResponsibilityLine).where(ResponsibilityLine.id.in_(cited)))
    }
    return [
        Correction(row, row.order.order_no, lines.get(row.line_id or 0, ""), row.details["correction"]) for row in rows
    ]


def _turn(order: WorkOrder, sub: SubOrder, lines: dict[int, str]) -> Turn:
    given_back = next(
        (
            row
            for row in order.requests
            if row.sub_order_id == sub.id and row.kind == RequestKind.RETURN and row.state == RequestState.GRANTED
        ),
        None,
    )
    until = sub.left_at or sub.closed_at
    if given_back is None:
        return Turn(sub.unit.name, sub.assigned_at, until)
    return Turn(
        unit=sub.unit.name,
        since=sub.assigned_at,
        until=until,
        ground=RETURN_WORDS[ReturnGround(given_back.ground)],
        line=lines.get(given_back.line_id or 0, ""),
        reason=given_back.reason or "",
        suggested=given_back.suggested_unit.name if given_back.suggested_unit else "",
    )


def _hub(actor: Actor) -> None:
    if actor.role not in HUB:
        raise NotPermitted("只有热线中心可以查看")
