"""The chain of an order's events: how a link is made, and how the whole is checked."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from hotline.work_orders import derivation
from hotline.work_orders.models import OrderEvent, WorkOrder
from hotline.work_orders.states import Action
from hotline.work_orders.transitions import NOTES, START, TRANSITIONS

_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Fault:
    """One order whose journal does not hold, and the first event that shows it (None: the order's own row)."""

    order_no: str
    seq: int | None
    what: str

    def __str__(self) -> str:
        return f"{self.order_no} {f'第 {self.seq} 条' if self.seq else '工单'}：{self.what}"


def seal(event: OrderEvent, order_no: str) -> str:
    """Return the hash of one link: SHA-256 of its canonical JSON, ``private`` and its salt left out."""
    return _sha256(
        _canonical(
            {
                "order_no": order_no,
                "seq": event.seq,
                "action": event.action,
                "from": event.from_status,
                "to": event.to_status,
                "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
                "user": event.actor_user_id,
                "role": event.actor_role,
                "unit": event.actor_unit_id,
                "data": event.data,
                "private": event.private_commitment,
                "prev": event.prev_hash,
            }
        )
    )


def first_link(order_no: str) -> str:
    """Return what the first event's ``prev_hash`` must be."""
    return _sha256(order_no)


def commit_to(private: Any) -> tuple[str, str]:
    """Return (salt, commitment) for words that may be erased later."""
    salt = secrets.token_hex(16)
    return salt, _commitment(salt, private)


def _commitment(salt: str, private: Any) -> str:
    return _sha256(salt + _canonical(private))


def _canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def verify(session: Session) -> list[Fault]:
    """Recompute every chain, replay every status and compare the deadline told last; one fault an order, the first.

    Erased words (``private`` and its salt None) leave a chain whole; altered words do not.
    """
    return list(_faults(session))


def _faults(session: Session) -> Iterator[Fault]:
    # orders in slices by id, so that a million of them need no more memory than one slice
    last_id = 0
    while True:
        orders = session.scalars(
            select(WorkOrder)
            .where(WorkOrder.id > last_id)
            .order_by(WorkOrder.id)
            .limit(_BATCH)
            .execution_options(populate_existing=True)
        ).all()
        if not orders:
            return
        last_id = orders[-1].id
        chains: dict[int, list[OrderEvent]] = {order.id: [] for order in orders}
        for event in session.scalars(
            select(OrderEvent)
            .where(OrderEvent.order_id.in_(chains))
            .order_by(OrderEvent.order_id, OrderEvent.seq)
            .options(joinedload(OrderEvent.order))
            .execution_options(populate_existing=True)
        ):
            chains[event.order_id].append(event)
        for order in orders:
            fault = verify_one(order, chains[order.id])
            if fault:
                yield fault


def verify_one(order: WorkOrder, events: list[OrderEvent]) -> Fault | None:
    """Check one order against its events in order of ``seq``; None when all holds."""
    status: str = START
    previous = first_link(order.order_no)
    for expected, event in enumerate(events, start=1):
        if event.seq != expected:
            return Fault(order.order_no, expected, "缺少这一条记录")
        if what := _wrong_with(event, order.order_no, previous, status):
            return Fault(order.order_no, event.seq, what)
        status, previous = event.to_status, event.hash
    if len(events) != order.event_count or order.head_hash != previous:
        return Fault(order.order_no, len(events) + 1, "末尾的记录缺失或被改动")
    if status != order.status:
        return Fault(order.order_no, None, f"状态是 {order.status}，按记录应是 {status}")
    told = derivation.told(events)
    if told is not None and told != order.deadline_at:
        return Fault(order.order_no, None, f"时限是 {order.deadline_at}，按记录应是 {told}")
    return None


def _wrong_with(event: OrderEvent, order_no: str, previous: str, status: str) -> str:
    """Return what is wrong with one link, "" when nothing is."""
    if event.prev_hash != previous:
        return "与上一条记录不相连"
    if event.hash != seal(event, order_no):
        return "记录内容被改动"
    # words may be gone with their salt (erased); words that are there must be those committed to
    if event.private is not None and (
        event.private_salt is None or _commitment(event.private_salt, event.private) != event.private_commitment
    ):
        return "记录附言被改动"
    if not _possible(status, event):
        return f"没有从 {status or '起点'} 经 {event.action} 到 {event.to_status} 的路"
    return ""


def _possible(status: str, event: OrderEvent) -> bool:
    if event.from_status != status or event.action not in set(Action):
        return False
    action = Action(event.action)
    if event.to_status == status:
        return action in NOTES and status in NOTES[action][0]
    rule = TRANSITIONS.get((status, action))
    return rule is not None and event.to_status in rule.to and event.actor_role in rule.roles
