"""Each day the heads of the orders' chains are anchored: whoever rewrites a whole chain afterwards is found.

An anchor lists every order whose chain has grown since the one before, and its digest covers that list and the digest
before it. A digest kept elsewhere (a file on another machine, a printed page) proves the anchors themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Date, ForeignKey, Index, String, func, insert, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from hotline.db import Base, UTCDateTime
from hotline.errors import Invalid
from hotline.work_orders.journal import Fault
from hotline.work_orders.models import OrderEvent, WorkOrder

# the clocks of machines differ and transactions take a while: look back over more than either
_OVERLAP: Final = timedelta(days=1)
_BATCH: Final = 1000


class Anchor(Base):
    """The heads of one day. ``digest`` is the SHA-256 of the digest before it and this anchor's heads."""

    __tablename__ = "journal_anchors"

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, unique=True)
    taken_at: Mapped[datetime] = mapped_column(UTCDateTime)
    orders: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))


class AnchorHead(Base):
    """How long one order's chain was on the day of an anchor, and the hash it ended with."""

    __tablename__ = "journal_anchor_heads"
    __table_args__ = (Index("ix_journal_anchor_heads_order_id_seq", "order_id", "seq"),)

    anchor_id: Mapped[int] = mapped_column(ForeignKey("journal_anchors.id"), primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("work_orders.id"), primary_key=True)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


def take(session: Session, *, day: date, now: datetime) -> Anchor:
    """Anchor the chains that grew since the last anchor. Safe to run twice: a day that has one keeps it."""
    there = session.scalar(select(Anchor).where(Anchor.day == day))
    if there is not None:
        return there
    last = session.scalar(select(Anchor).order_by(Anchor.id.desc()).limit(1))
    grown = _grown_since(session, last)
    anchor = Anchor(day=day, taken_at=now, orders=len(grown), digest=_digest(last.digest if last else "", grown))
    session.add(anchor)
    session.flush()
    for start in range(0, len(grown), _BATCH):
        session.execute(
            insert(AnchorHead),
            [
                {"anchor_id": anchor.id, "order_id": order, "seq": seq, "hash": head}
                for order, seq, head in grown[start : start + _BATCH]
            ],
        )
    return anchor


def digests(session: Session) -> list[tuple[date, str]]:
    """Return every day's digest, the first first: what is to be kept elsewhere."""
    return [(day, digest) for day, digest in session.execute(select(Anchor.day, Anchor.digest).order_by(Anchor.id))]


def read_digests(lines: Iterable[str]) -> dict[date, str]:
    """Read digests as ``hotline journal anchors`` writes them. Raises ``Invalid`` naming the line that is none."""
    found = {}
    for number, line in enumerate(lines, start=1):
        try:
            day, digest = line.split()
            found[date.fromisoformat(day)] = digest
        except ValueError as fault:
            raise Invalid(f"第 {number} 行不是“日期 摘要”：{line.strip()[:40]}") from fault
    return found


def verify(session: Session, kept: Mapping[date, str] | None = None) -> Iterator[Fault]:
    """Yield every anchor that does not follow from its heads or is not the one ``kept``, the first event of each order
    that is not the one anchored, and every anchored order that is gone: by its id, its number went with it."""
    before = ""
    days = set(kept or {})
    for anchor in session.scalars(select(Anchor).order_by(Anchor.id)):
        name = f"{anchor.day.isoformat()} 锚点"
        heads = _heads(session, anchor.id)
        if anchor.digest != _digest(before, heads):
            yield Fault(name, None, "与所列的工单不符，锚点被改动")
        if kept and anchor.day in kept and kept[anchor.day] != anchor.digest:
            yield Fault(name, None, "与另存的摘要不符")
        days.discard(anchor.day)
        before = anchor.digest
    for day in sorted(days):
        yield Fault(f"{day.isoformat()} 锚点", None, "另存的摘要还在，锚点不见了")
    yield from _moved(session)


def _moved(session: Session) -> Iterator[Fault]:
    """Orders whose chain no longer goes through an anchored head: the first such event of each, none where the order
    itself is gone."""
    rows = session.execute(
        select(WorkOrder.order_no, AnchorHead.order_id, func.min(AnchorHead.seq))
        .select_from(AnchorHead)
        .outerjoin(WorkOrder, WorkOrder.id == AnchorHead.order_id)  # no foreign key stops whoever owns the database
        .outerjoin(OrderEvent, (OrderEvent.order_id == AnchorHead.order_id) & (OrderEvent.seq == AnchorHead.seq))
        .where(or_(WorkOrder.id.is_(None), OrderEvent.id.is_(None), OrderEvent.hash != AnchorHead.hash))
        .group_by(WorkOrder.order_no, AnchorHead.order_id)
        .order_by(AnchorHead.order_id)
    )
    for order_no, order_id, seq in rows:
        if not order_no:
            yield Fault(f"编号 {order_id}", None, "锚定过，现已不在")
            continue
        yield Fault(order_no, _first_untrue(session, order_id, seq), "与当日锚定的记录不符，此条或更早的记录被改写")


def _first_untrue(session: Session, order_id: int, seq: int) -> int:
    """Return the first event that may be untrue: the one after the last head that still holds."""
    held = session.scalars(
        select(AnchorHead.seq)
        .join(OrderEvent, (OrderEvent.order_id == AnchorHead.order_id) & (OrderEvent.seq == AnchorHead.seq))
        .where(AnchorHead.order_id == order_id, AnchorHead.seq < seq, OrderEvent.hash == AnchorHead.hash)
        .order_by(AnchorHead.seq.desc())
        .limit(1)
    ).first()
    return (held or 0) + 1


def _grown_since(session: Session, last: Anchor | None) -> Sequence[tuple[int, int, str]]:
    """Return (order, length, head) of chains longer than they were at their last anchor, by order."""
    anchored = select(func.max(AnchorHead.seq)).where(AnchorHead.order_id == WorkOrder.id).scalar_subquery()
    query = (
        select(WorkOrder.id, WorkOrder.event_count, WorkOrder.head_hash)
        .where(WorkOrder.event_count > func.coalesce(anchored, 0))
        .order_by(WorkOrder.id)
    )
    if last is not None:
        query = query.where(WorkOrder.updated_at >= last.taken_at - _OVERLAP)
    return [(order, seq, head) for order, seq, head in session.execute(query)]


def _heads(session: Session, anchor_id: int) -> Iterator[tuple[int, int, str]]:
    rows = session.execute(
        select(AnchorHead.order_id, AnchorHead.seq, AnchorHead.hash)
        .where(AnchorHead.anchor_id == anchor_id)
        .order_by(AnchorHead.order_id)
        .execution_options(yield_per=_BATCH)
    )
    return ((order, seq, head) for order, seq, head in rows)


def _digest(before: str, heads: Sequence[tuple[int, int, str]] | Iterator[tuple[int, int, str]]) -> str:
    sum_ = hashlib.sha256(before.encode())
    for order, seq, head in heads:
        sum_.update(f"\n{order} {seq} {head}".encode())
    return sum_.hexdigest()
