"""Verbs on deliveries: begun by a job, sent, receipted by the receiver, failed, sent again by a person."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from hotline import audit, outbox
from hotline.delivery.models import Delivery, DeliveryState
from hotline.errors import NotAllowedNow, NotFound
from hotline.outbox import OutboxMessage

# what the carrier says of an SMS -> what it means here; every other word is a step on the way
CARRIER_STATES: Final = {
    "delivered": DeliveryState.RECEIPTED,
    "read": DeliveryState.RECEIPTED,
    "undelivered": DeliveryState.FAILED,
    "failed": DeliveryState.FAILED,
}


def begin(
    session: Session,
    *,
    message: OutboxMessage,
    channel: str,
    order_id: int | None = None,
    unit_id: int | None = None,
    template: str = "",
) -> Delivery:
    """Return the delivery of this message, made on the first try; counts the try. One that does not wait any more went
    out in an earlier try whose answer was lost: the carrier has spoken of it since."""
    delivery = session.scalar(select(Delivery).where(Delivery.outbox_id == message.id))
    if delivery is None:
        delivery = Delivery(
            outbox_id=message.id,
            order_id=order_id,
            unit_id=unit_id,
            channel=channel,
            template=template,
            state=DeliveryState.WAITING,
            created_at=message.created_at,
        )
        session.add(delivery)
    delivery.channel, delivery.tries = channel, message.tries  # a person may have chosen another meanwhile
    session.flush()
    return delivery


def sent(session: Session, *, outbox_id: int, receipt: str, now: datetime) -> None:
    """Note that the channel took the message. What the receiver's side said before that is not taken back."""
    session.execute(
        update(Delivery)
        .where(Delivery.outbox_id == outbox_id, Delivery.state == DeliveryState.WAITING)
        .values(state=DeliveryState.SENT, receipt=receipt, sent_at=now, error="")
    )


def troubled(session: Session, *, outbox_id: int, error: str, final: bool) -> None:
    """Note in words why it did not go out; ``final`` when nobody will try again by himself. What the receiver's side
    said before that is not taken back."""
    state = DeliveryState.FAILED if final else DeliveryState.WAITING
    session.execute(
        update(Delivery)
        .where(Delivery.outbox_id == outbox_id, Delivery.state == DeliveryState.WAITING)
        .values(state=state, error=error)
    )


def receipted(session: Session, order_id: int, unit_id: int, now: datetime) -> None:
    """Note that the unit has opened the order: every push of it that waited for this is receipted."""
    session.execute(
        update(Delivery)
        .where(
            Delivery.order_id == order_id,
            Delivery.unit_id == unit_id,
            Delivery.state == DeliveryState.SENT,
            Delivery.channel != "sms",  # of a text the carrier tells
        )
        .values(state=DeliveryState.RECEIPTED, receipted_at=now)
    )


def carrier_says(session: Session, *, token: str, receipt: str, status: str, now: datetime) -> bool:
    """Take the carrier's word on an SMS, which may come before its own answer to the sending. Returns whether it told
    something new: late and repeated words change nothing. ``token`` is that of the message.

    A text the carrier could not deliver is not sent again by itself: the number is most often wrong. A unit is told
    its next way.
    """
    state = CARRIER_STATES.get(status)
    delivery = session.scalar(
        select(Delivery)
        .join(OutboxMessage, OutboxMessage.id == Delivery.outbox_id)
        .where(
            OutboxMessage.token == token,
            Delivery.channel == "sms",
            # one that waits with a receipt holds that of the text before, which a person sends again
            or_(
                Delivery.state == DeliveryState.SENT,
                (Delivery.state == DeliveryState.WAITING) & (Delivery.receipt != receipt),
            ),
        )
    )
    if state is None or delivery is None:
        return False
    delivery.state = state
    delivery.receipt = receipt
    if state is DeliveryState.RECEIPTED:
        delivery.receipted_at, delivery.error = now, ""
    else:
        delivery.error = "运营商未能送达"
        if delivery.unit_id is not None:
            outbox.add(session, "order.pass_on", now=now, outbox_id=delivery.outbox_id)
    session.flush()
    return True


def send_again(session: Session, *, outbox_id: int, user_id: int | None, now: datetime) -> None:
    """A person has mended the cause: try anew. Raises ``NotFound``, or ``NotAllowedNow`` when it has not failed."""
    message, delivery = _message(session, outbox_id)
    lost = delivery is not None and delivery.state == DeliveryState.FAILED
    if not outbox.send_again(session, outbox_id, now=now, settled=lost):
        raise NotAllowedNow("这条消息没有失败，无需重发")
    if delivery is not None:
        delivery.state, delivery.dropped_at = DeliveryState.WAITING, None
        delivery.error = message.error or delivery.error
    audit.record(session, at=now, user_id=user_id, act="send_again", subject="outbox", subject_id=outbox_id)


def drop(session: Session, *, outbox_id: int, user_id: int | None, now: datetime) -> None:
    """A person decides that it need not go out. Raises ``NotFound``, or ``NotAllowedNow`` when it has not failed."""
    _, delivery = _message(session, outbox_id)
    lost = delivery is not None and delivery.state == DeliveryState.FAILED
    if not outbox.drop(session, outbox_id) and not lost:
        raise NotAllowedNow("这条消息没有失败")
    if delivery is not None:
        delivery.dropped_at = now
    audit.record(session, at=now, user_id=user_id, act="drop_message", subject="outbox", subject_id=outbox_id)


def _message(session: Session, outbox_id: int) -> tuple[OutboxMessage, Delivery | None]:
    message = session.get(OutboxMessage, outbox_id)
    if message is None:
        raise NotFound("没有这条消息")
    return message, session.scalar(select(Delivery).where(Delivery.outbox_id == outbox_id))
