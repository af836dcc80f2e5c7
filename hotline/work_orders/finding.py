"""The hub's search for orders: by number, whole or in part, by words of title or place, by state.

A million orders are searched in two ways. Words that few orders hold are found by pairs of characters (an index of
PostgreSQL; there are no words to split Chinese at). Words that many hold turn up soon among those changed last; a
sample tells which they are. SQLite, for small sites, looks through all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, func, literal, literal_column, or_, select, tablesample, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, aliased, joinedload
from sqlalchemy.types import Text

from hotline.accounts.roles import HUB
from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotPermitted
from hotline.work_orders import numbers
from hotline.work_orders.models import OrderCounter, WorkOrder
from hotline.work_orders.queries import COUNTED
from hotline.work_orders.states import Status

PER_PAGE: Final = 30
SAMPLE: Final = 3000  # orders, to tell how many hold some words
SURELY: Final = 3  # times as many in the sample: chance does not make 2,000 look like 6,000
NUMBER_FROM: Final = 4  # fewer digits are rather those of a house
LATEST: Final = (WorkOrder.updated_at, WorkOrder.id)
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
    query = select(WorkOrder).options(joinedload(WorkOrder.lead_unit)).order_by(*(key.desc() for key in LATEST))
    first = (page - 1) * PER_PAGE
    where = fitting(session, words)
    few = _few(session, where) if words and not _in_many(session, words) else None
    counts: dict[str, int] | None
    if few is not None:  # then the database must not walk through all orders by their last change
        counts = dict(Counter(status for *_, status in few))
        ids = [number for _, number, status in few if not statuses or status in statuses][first : first + PER_PAGE]
        total, more = _total(counts, statuses)
        return Found(session.scalars(query.where(WorkOrder.id.in_(ids))).all(), total, more, counts, page)
    counts = None if words else _counts(session)
    total, more = _total(counts, statuses)
    if words:  # and here it must
        query = query.where(_contains(words))
    if statuses:
        query = query.where(WorkOrder.status.in_(statuses))
    return Found(session.scalars(query.limit(PER_PAGE).offset(first)).all(), total, more, counts, page)


def _few(session: Session, where: Sequence[ColumnElement[bool]]) -> list[tuple[datetime, int, str]] | None:
    """Return what fits as last change, id and state, the latest first; None when it is more than ``COUNTED``."""
    found = session.execute(select(*LATEST, WorkOrder.status).where(*where).limit(COUNTED + 1)).all()
    if len(found) > COUNTED:
        return None
    return sorted(((at, number, status) for at, number, status in found), reverse=True)


def _in_many(session: Session, words: str) -> bool:
    """Whether far more than ``COUNTED`` orders hold these words for certain: then the index needs too long for them."""
    if not _has_pairs(session) or digits_of_number(words):
        return False
    newest = session.scalar(select(func.max(WorkOrder.id))) or 0
    if newest < SURELY * COUNTED:
        return False
    some = aliased(WorkOrder, tablesample(WorkOrder.__table__, func.system(min(100, 100 * SAMPLE / newest))))
    found = session.scalar(select(func.count(some.id)).where(_contains(words, some))) or 0
    return found * max(newest / SAMPLE, 1) > SURELY * COUNTED


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


def fitting(session: Session, words: str) -> list[ColumnElement[bool]]:
    """Return what must be true of an order that words or a number find; without words nothing must."""
    if not words:
        return []
    if digits := digits_of_number(words):
        return [or_(*_numbered(session, digits))]
    pairs = sorted({words[at : at + 2] for at in range(len(words) - 1)})
    if pairs and _has_pairs(session):
        held: ColumnElement[Any] = func.hotline_pairs(WORDS, type_=ARRAY(Text))
        return [held.contains(pairs), _contains(words)]
    return [_contains(words)]


def digits_of_number(words: str) -> str:
    """Return the digits of what may be an order's number; "" for words and for short numbers."""
    digits = words.replace("-", "").replace(" ", "")
    return digits if digits.isascii() and digits.isdigit() and len(digits) >= NUMBER_FROM else ""


def _has_pairs(session: Session) -> bool:
    """Whether the database has the index of pairs of characters."""
    return session.get_bind().dialect.name == "postgresql"


def _contains(words: str, orders: type[WorkOrder] = WorkOrder) -> ColumnElement[bool]:
    return or_(*(column.contains(words, autoescape=True) for column in (orders.title, orders.address)))


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
