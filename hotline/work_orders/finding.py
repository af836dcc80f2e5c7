"""The hub's search for orders: by number, whole or in part, by words of title or place, by state.

A million orders are searched in two ways. Words that few orders hold are found by pairs of characters (an index of
PostgreSQL; there are no words to split Chinese at). Words that many hold turn up soon among those changed last.
SQLite, for small sites, looks through all.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, func, literal, literal_column, or_, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.types import Text

from hotline.accounts.roles import HUB
from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotPermitted
from hotline.work_orders import numbers
from hotline.work_orders.models import OrderCounter, WorkOrder
from hotline.work_orders.states import Status

PER_PAGE: Final = 30
COUNTED: Final = 2000  # more are not counted, only found
NUMBER_FROM: Final = 4  # fewer digits are rather those of a house
# written out as the index has it: with a bound blank it would be another expression
WORDS: Final = literal_column("work_orders.title || ' ' || work_orders.address", Text)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what was found, the latest change first. ``total`` is ``COUNTED`` when there are ``more``.

    ``counts``: how many stand in each state, whatever states were asked for, each at most ``COUNTED``; None when the
    words fit too many.
    """

    items: Sequence[WorkOrder]
    total: int
    more: bool
    counts: dict[str, int] | None
    page: int
    per_page: int = PER_PAGE

    @property
    def has_next(self) -> bool:
        """Whether there is another page."""
        return self.more or self.page * self.per_page < self.total


def find(session: Session, actor: Actor, *, text: str = "", statuses: Collection[str] = (), page: int = 1) -> Found:
    """Find orders. No ``statuses``: every state. Raises ``NotPermitted`` outside the hub, ``Invalid`` for page 0."""
    if actor.role not in HUB:
        raise NotPermitted("只有热线中心可以查看")
    if page < 1:
        raise Invalid("页码从 1 开始", page="页码从 1 开始")
    words = text.strip()
    where = fitting(session, words)
    counts: dict[str, int] | None = None
    if not words:
        counts = _counts(session)
    else:
        few = session.scalars(select(WorkOrder.id).where(*where).limit(COUNTED + 1)).all()
        if len(few) <= COUNTED:  # then the database must not walk through all orders by their last change
            where = [WorkOrder.id.in_(few)]
            counts = _counts_of(session, few)
        else:  # and here it must
            where = [_contains(words)]
    total, more = _total(counts, statuses)
    if statuses:
        where.append(WorkOrder.status.in_(statuses))
    query = (
        select(WorkOrder)
        .where(*where)
        .options(joinedload(WorkOrder.lead_unit))
        .order_by(WorkOrder.updated_at.desc(), WorkOrder.id.desc())
        .limit(PER_PAGE)
        .offset((page - 1) * PER_PAGE)
    )
    return Found(session.scalars(query).all(), total, more, counts, page)


def _total(counts: dict[str, int] | None, statuses: Collection[str]) -> tuple[int, bool]:
    if counts is None:
        return COUNTED, True
    asked = [number for status, number in counts.items() if not statuses or status in statuses]
    return min(sum(asked), COUNTED), sum(asked) > COUNTED or COUNTED in asked


def _counts(session: Session) -> dict[str, int]:
    """How many orders stand in each state, each counted no further than ``COUNTED``."""
    each = []
    for status in Status:
        some = select(WorkOrder.id).where(WorkOrder.status == status).limit(COUNTED).subquery()
        each.append(select(literal(status.value), func.count()).select_from(some))
    return {status: number for status, number in session.execute(union_all(*each)) if number}


def _counts_of(session: Session, ids: Collection[int]) -> dict[str, int]:
    rows = session.execute(
        select(WorkOrder.status, func.count()).where(WorkOrder.id.in_(ids)).group_by(WorkOrder.status)
    )
    return {status: number for status, number in rows}


def fitting(session: Session, words: str) -> list[ColumnElement[bool]]:
    """Return what must be true of an order that words or a number find; without words nothing must."""
    if not words:
        return []
    digits = words.replace("-", "").replace(" ", "")
    if digits.isascii() and digits.isdigit() and len(digits) >= NUMBER_FROM:
        return [or_(*_numbered(session, digits))]
    pairs = sorted({words[at : at + 2] for at in range(len(words) - 1)})
    if pairs and session.get_bind().dialect.name == "postgresql":
        held: ColumnElement[Any] = func.hotline_pairs(WORDS, type_=ARRAY(Text))
        return [held.contains(pairs), _contains(words)]
    return [_contains(words)]


def _contains(words: str) -> ColumnElement[bool]:
    return or_(*(column.contains(words, autoescape=True) for column in (WorkOrder.title, WorkOrder.address)))


def _numbered(session: Session, digits: str) -> list[ColumnElement[bool]]:
    """Orders with these digits at the beginning of their number, or as its running number with or without check digit.

    A running number is looked up in every month there is: few whole numbers, each in the index.
    """
    whole = {f"{digits[:4]}-{digits[4:-1]}-{digits[-1]}"} if len(digits) >= 10 else set()
    for month in session.scalars(select(OrderCounter.month)):
        whole.add(numbers.write(month, int(digits)))
        if len(digits) > 5:
            whole.add(numbers.write(month, int(digits[:-1])))
    found: list[ColumnElement[bool]] = [WorkOrder.order_no.in_(sorted(whole))]
    if len(digits) < 10:
        first, last = (f"{digits[:4]}-{digits[4:]:{filler}<5}-{filler}" for filler in "09")
        found.append(WorkOrder.order_no.between(first, last))
    return found
