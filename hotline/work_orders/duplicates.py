"""Which earlier orders tell of the same matter: the same thing, near the same place, in words that look or sound alike.

Only a few are looked at: those about the same asset, of the same caller, of the same kind of matter in the same
county, or of any kind in the same township, of the last days. Each of these is one index read from its newest end, so
that a million orders cost no more than a thousand.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nlargest
from typing import Final

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, joinedload, load_only

from hotline.callers.models import Caller
from hotline.knowledge_base.language.alike import SAME, Marks, likeness, marks_of
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.proposal import AREA_DIGITS
from hotline.work_orders.states import Status

DAYS: Final = 30
LOOKED_AT: Final = 60  # of each sort
COMPARED: Final = 24  # of all of them, those with most characters in common
SHOWN: Final = 4
LIKELY: Final = 0.5  # from here on it is worth a look
TOWNSHIP_DIGITS: Final = 9
_COMPARED: Final = 80  # characters of the demand: what it is about is said first
_TELLING: Final = re.compile(r"^市民(?:反映|咨询)：")
# how much each sign counts; what is said must be alike, or the thing itself the same
_ASSET: Final = 0.55
_PLACE: Final = 0.3
_WORDS: Final = 0.5
_CALLER: Final = 0.2
_CATEGORY: Final = 0.1
_AS_WRITTEN: Final = 0.75  # below this share of the likeness it is the sounds that make it


@dataclass(frozen=True, slots=True)
class Demand:
    """What is compared: a draft, or an order that waits."""

    text: str
    address: str = ""
    area_code: str = ""
    category_code: str = ""
    asset_id: int | None = None
    phone_indexes: tuple[str, ...] = ()
    order_ids: frozenset[int] = frozenset()  # never alike to themselves


@dataclass(frozen=True, slots=True)
class Likely:
    """One earlier order, how likely it is the same matter (0 to 1), and why in words."""

    order: WorkOrder
    score: float
    reasons: tuple[str, ...]


def of_order(order: WorkOrder, phone_indexes: Sequence[str] = ()) -> Demand:
    """Return what an order is compared by."""
    return Demand(
        text=f"{order.title}。{order.content}",
        address=order.address,
        area_code=order.area_code,
        category_code=order.category_code,
        asset_id=order.asset_id,
        phone_indexes=tuple(phone_indexes),
        order_ids=frozenset({order.id}),
    )


def find(session: Session, demand: Demand, *, now: datetime, limit: int = SHOWN) -> list[Likely]:
    """Return the likeliest earlier orders, the likeliest first; merged ones are left to their main order. Hub only."""
    words, place = marks_of(_gist(demand.text)), marks_of(demand.address)
    callers = _callers(session, demand.phone_indexes)
    signs = set(_gist(demand.text)) | set(demand.address)
    near = nlargest(COMPARED, _candidates(session, demand, callers, now), key=lambda one: _glance(one, demand, signs))
    found = [_compared(order, demand, words, place, callers) for order in near]
    found.sort(key=lambda one: (-one.score, -one.order.id))
    return [one for one in found if one.score >= LIKELY][:limit]


def _callers(session: Session, phone_indexes: Sequence[str]) -> frozenset[int]:
    if not phone_indexes:
        return frozenset()
    return frozenset(session.scalars(select(Caller.id).where(Caller.phone_index.in_(phone_indexes))))


def _candidates(session: Session, demand: Demand, callers: Collection[int], now: datetime) -> Iterator[WorkOrder]:
    seen = set(demand.order_ids)
    for which in _which(demand, callers):
        query = (
            select(WorkOrder)
            .where(which, WorkOrder.submitted_at >= now - timedelta(days=DAYS))
            .options(
                load_only(
                    WorkOrder.order_no,
                    WorkOrder.status,
                    WorkOrder.title,
                    WorkOrder.content,
                    WorkOrder.address,
                    WorkOrder.area_code,
                    WorkOrder.category_code,
                    WorkOrder.asset_id,
                    WorkOrder.caller_id,
                    WorkOrder.merged_into_id,
                    WorkOrder.urgency,
                    WorkOrder.submitted_at,
                ),
                joinedload(WorkOrder.asset),
            )
            .order_by(WorkOrder.submitted_at.desc())
            .limit(LOOKED_AT)
        )
        for order in session.scalars(query):
            if order.id not in seen and order.merged_into_id is None and order.status != Status.REFUSED:
                seen.add(order.id)
                yield order


def _which(demand: Demand, callers: Collection[int]) -> Iterator[ColumnElement[bool]]:
    if demand.asset_id is not None:
        yield WorkOrder.asset_id == demand.asset_id
    if callers:
        yield WorkOrder.caller_id.in_(callers)
    county = demand.area_code[:AREA_DIGITS]
    if demand.category_code and county:
        # a range where a prefix would do: it lets the index stand in for both
        yield (WorkOrder.category_code == demand.category_code) & WorkOrder.area_code.between(county, f"{county}~")
    elif demand.category_code:
        yield WorkOrder.category_code == demand.category_code
    if len(demand.area_code) >= TOWNSHIP_DIGITS:
        yield WorkOrder.area_code == demand.area_code


def _gist(text: str) -> str:
    first, _, rest = text.partition("。")
    rest = _TELLING.sub("", rest)
    # a title is mostly the beginning of the content: once is enough
    return (rest if rest.startswith(first) else f"{first}，{rest}")[:_COMPARED]


def _glance(order: WorkOrder, demand: Demand, signs: set[str]) -> tuple[bool, int]:
    """Return how much an order promises at one look: sounds and weights are dear, characters cost nothing."""
    same = demand.asset_id is not None and order.asset_id == demand.asset_id
    return same, len(signs.intersection(_gist(f"{order.title}。{order.content}"), order.address))


def _compared(order: WorkOrder, demand: Demand, words: Marks, place: Marks, callers: Collection[int]) -> Likely:
    score, reasons = 0.0, []
    if demand.asset_id is not None and order.asset_id == demand.asset_id and order.asset is not None:
        score += _ASSET
        reasons.append(f"同一部件 {order.asset.code}")
    near = likeness(place, marks_of(order.address))
    if near >= SAME:
        score += _PLACE * min(1.0, near / 0.8)
        reasons.append("地点相近")
    said = marks_of(_gist(f"{order.title}。{order.content}"))
    alike = likeness(words, said)
    if alike >= SAME / 2:
        score += _WORDS * min(1.0, alike / SAME)
        reasons.append("说法相近" if _written_alike(words, said) >= alike * _AS_WRITTEN else "读音相近")
    if order.caller_id in callers:
        score += _CALLER
        reasons.append("同一来电人")
    if demand.category_code and order.category_code == demand.category_code:
        score += _CATEGORY
        reasons.append("分类相同")
    return Likely(order, min(score, 1.0), tuple(reasons))


def _written_alike(one: Marks, other: Marks) -> float:
    """Return how alike two texts are by their characters alone."""
    mine, theirs = ({mark: weight for mark, weight in marks.items() if len(mark) == 1} for marks in (one, other))
    return likeness(mine, theirs)
