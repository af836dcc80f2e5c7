"""Reads on deliveries: what became of each message, and what is stuck and why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from hotline.delivery.models import Delivery, DeliveryState
from hotline.outbox import OutboxMessage

STUCK_AFTER: Final = timedelta(minutes=2)


class Standing(StrEnum):
    """Why a message is on the page of what is stuck."""

    TO_RETRY = "to_retry"  # goes out again by itself
    FAILED = "failed"  # nobody tries again by himself
    UNDELIVERED = "undelivered"  # the carrier took it and could not bring it there


@dataclass(frozen=True, slots=True)
class Stuck:
    """A message that a person may have to look at. ``reason`` is a sentence.

    ``outbox_id`` None: the message has been cleaned away and cannot be sent again. ``channel`` is empty for what is no
    push: a call, a callback.
    """

    outbox_id: int | None
    topic: str
    order_id: int | None
    unit_id: int | None
    channel: str
    standing: Standing
    since: datetime
    tries: int
    next_try_at: datetime | None
    reason: str


def of_order(session: Session, order_id: int, *, unit_ids: Sequence[int] | None = None) -> list[Delivery]:
    """Return the deliveries of an order, oldest first. A unit passes the ids of its own subtree as ``unit_ids``."""
    wanted = select(Delivery).where(Delivery.order_id == order_id).order_by(Delivery.created_at, Delivery.id)
    if unit_ids is not None:
        wanted = wanted.where(Delivery.unit_id.in_(unit_ids))
    return list(session.scalars(wanted))


def stuck(session: Session, *, now: datetime, limit: int = 500) -> list[Stuck]:
    """Return what failed, what the carrier could not deliver, and what should have gone out ``STUCK_AFTER`` ago and has
    not, oldest first, at most ``limit`` of each. Hub only."""
    waiting = OutboxMessage.settled_at.is_(None) & (OutboxMessage.created_at <= now - STUCK_AFTER)
    rows = session.execute(
        select(OutboxMessage, Delivery)
        .outerjoin(Delivery, Delivery.outbox_id == OutboxMessage.id)
        .where(or_(OutboxMessage.failed, waiting))
        .order_by(OutboxMessage.created_at, OutboxMessage.id)
        .limit(limit)
    )
    found = [_of_message(session, message, delivery) for message, delivery in rows]
    undelivered = session.scalars(
        select(Delivery)
        .outerjoin(OutboxMessage, OutboxMessage.id == Delivery.outbox_id)
        .where(*_undelivered(), or_(OutboxMessage.id.is_(None), OutboxMessage.settled_at.is_not(None)))
        .order_by(Delivery.created_at, Delivery.id)
        .limit(limit)
    )
    found += [_of_delivery(delivery) for delivery in undelivered]
    return sorted(found, key=lambda one: one.since)


def _undelivered() -> tuple[ColumnElement[bool], ...]:
    # without a receipt of the carrier's there was no number to send to, which nobody can mend
    return (
        Delivery.state == DeliveryState.FAILED,
        Delivery.channel == "sms",
        Delivery.receipt != "",
        Delivery.dropped_at.is_(None),
        or_(OutboxMessage.id.is_(None), OutboxMessage.failed.is_(False)),
    )


def _of_message(session: Session, message: OutboxMessage, delivery: Delivery | None) -> Stuck:
    about = message.payload
    channel = delivery.channel if delivery else about.get("channel", "sms" if message.topic == "sms.send" else "")
    return Stuck(
        outbox_id=message.id,
        topic=message.topic,
        order_id=about.get("order_id"),
        unit_id=about.get("unit_id"),
        channel=channel,
        standing=Standing.FAILED if message.failed else Standing.TO_RETRY,
        since=message.created_at,
        tries=message.tries,
        next_try_at=None if message.failed else message.next_try_at,
        reason=in_words(message.error) or "排队中，尚未处理：请检查队列服务与工作进程",
    )


def _of_delivery(delivery: Delivery) -> Stuck:
    return Stuck(
        outbox_id=delivery.outbox_id,
        topic="order.push" if delivery.unit_id else "sms.send",
        order_id=delivery.order_id,
        unit_id=delivery.unit_id,
        channel=delivery.channel,
        standing=Standing.UNDELIVERED,
        since=delivery.created_at,
        tries=delivery.tries,
        next_try_at=None,
        reason=in_words(delivery.error),
    )


_REFUSED: Final = re.compile(r"carrier answered HTTP (\d+), code (\w+)")
# what the carrier's codes mean to whoever can mend it
CARRIER_CODES: Final = {
    "21211": "号码有误",
    "21408": "该地区未开通",
    "21610": "对方已退订",
    "21614": "不是手机号码",
    "30003": "对方关机或不在服务区",
    "30005": "空号",
    "30006": "是座机，收不到短信",
}


def in_words(error: str) -> str:
    """Return why a message did not go out as a person of the hub reads it; what is in words already stays."""
    if told := _REFUSED.search(error):
        return f"运营商拒收：{CARRIER_CODES.get(told[2], f'HTTP {told[1]}，代码 {told[2]}')}"
    if error.startswith("carrier cannot be asked") or error == "CarrierUnreachable":
        return "运营商无应答"
    return "运营商不接受" if error == "CarrierRefused" else error


def is_spoken_for(session: Session, receipt: str, *, token: str) -> bool:
    """Return whether this receipt belongs to something else than the present tries of the message with ``token``: to
    another delivery, or to its own before a person sent it again."""
    found = session.execute(
        select(OutboxMessage.token, Delivery.state)
        .select_from(Delivery)
        .outerjoin(OutboxMessage, OutboxMessage.id == Delivery.outbox_id)
        .where(Delivery.receipt == receipt)
    )
    return any(holder != token or state == DeliveryState.WAITING for holder, state in found)
