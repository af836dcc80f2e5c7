"""Jobs that bring something to a unit, a citizen or a telephone line. Each takes the id of its outbox row."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from hotline import outbox
from hotline.bootstrap import Runtime
from hotline.callers.numbers import for_texts
from hotline.calls import bridging
from hotline.calls.links import Links
from hotline.calls.models import Call
from hotline.db import session_scope
from hotline.delivery import service as delivery
from hotline.delivery import sms, templates, webhook
from hotline.delivery.base import Parcel, PermanentFailure
from hotline.delivery.models import Delivery, DeliveryState
from hotline.live.base import Hint
from hotline.outbox import OutboxMessage
from hotline.units import reach
from hotline.units.models import Unit
from hotline.web.formats import day
from hotline.work_orders.asks import extensions, information
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.refusing import told_channel
from hotline.work_orders.transitions import LIVE
from workers.handling import Finish, handle, nothing_more
from workers.senders import sender
from workers.upkeep import assign_calls

URGENT = frozenset({"urgent", "critical"})


def push_order(message_id: int) -> None:
    """Push an order to a unit over the unit's own channel. Payload: ``order_id``, ``unit_id``, ``what`` it is to do,
    and ``channel`` when an earlier one of the unit's has failed."""
    handle(message_id, _push_order, given_up=_next_channel)


def _push_order(runtime: Runtime, message: OutboxMessage) -> Finish:
    with session_scope(runtime.sessions) as session:
        order = session.get(WorkOrder, message.payload["order_id"])
        unit = session.get(Unit, message.payload["unit_id"])
        if order is None or unit is None:
            raise PermanentFailure("工单或单位不存在")
        what = message.payload["what"]
        template = templates.for_unit(what, urgent=order.urgency in URGENT)
        channel = message.payload.get("channel") or unit.channel
        begun = delivery.begin(
            session,
            message=message,
            channel=channel,
            order_id=order.id,
            unit_id=unit.id,
            template=template,
        )
        held = reach.address(unit, channel)
        # a duty telephone is kept as it was typed; the carrier takes E.164 alone
        address = for_texts(held) if channel == sms.CHANNEL else held
        parcel = Parcel(
            token=message.token,
            address=address or "",
            subject=f"工单 {order.order_no}",
            body=templates.fill(templates.text_of(session, template), order_no=order.order_no),
            again=message.tries > 1,
            facts=_facts(runtime, order, unit, what) if channel == webhook.CHANNEL else {},
            secret=unit.webhook_secret or "" if channel == webhook.CHANNEL else "",
        )
    if _is_told_of(begun):
        return nothing_more
    if not held:
        raise PermanentFailure(f"单位没有登记{reach.ADDRESSES[channel][1]}")
    if not parcel.address:
        raise PermanentFailure("值班电话收不到短信")
    return _sent(message, sender(runtime, channel).send(parcel))


def pass_on(message_id: int) -> None:
    """Let a unit's next way take over from a push that was sent and did not arrive. Payload: its ``outbox_id``."""
    handle(message_id, _pass_on)


def _pass_on(_runtime: Runtime, message: OutboxMessage) -> Finish:
    def finish(session: Session, now: datetime) -> None:
        lost = session.get(OutboxMessage, message.payload["outbox_id"])
        if lost is not None:
            _next_channel(session, lost, now)

    return finish


def _facts(runtime: Runtime, order: WorkOrder, unit: Unit, what: str) -> dict[str, str | None]:
    """Return what a unit's system is told: enough to know what to ask for, and how soon."""
    parts = [sub.deadline_at for sub in order.sub_orders if sub.unit_id == unit.id and sub.state in LIVE]
    deadline = (parts or [order.deadline_at])[-1]
    site = runtime.settings.public_url
    return {
        "order_no": order.order_no,
        "unit": unit.code,
        "what": what,
        "urgency": order.urgency,
        "deadline": deadline.isoformat() if deadline else None,
        "link": f"{site}/portal/orders/{order.order_no}",
        "api": f"{site}/api/unit/v1/orders/{order.order_no}",
    }


def _next_channel(session: Session, message: OutboxMessage, now: datetime) -> None:
    """Let the unit's next channel take over, once; what has failed stays with the person who can mend it."""
    row = session.get_one(OutboxMessage, message.id)
    unit = session.get(Unit, row.payload["unit_id"])
    if unit is None or row.payload.get("passed_on"):
        return
    failed = row.payload.get("channel") or unit.channel
    rest = unit.channels[unit.channels.index(failed) + 1 :] if failed in unit.channels else []
    if rest:
        outbox.add(session, row.topic, now=now, **row.payload | {"channel": rest[0]})
        row.payload = row.payload | {"passed_on": True}


def send_sms(message_id: int) -> None:
    """Send a citizen one of ``hotline.delivery.templates``. Payload: ``template`` and ``order_id`` or ``call_id``."""
    handle(message_id, _send_sms)


def _send_sms(runtime: Runtime, message: OutboxMessage) -> Finish:
    name = message.payload["template"]
    with session_scope(runtime.sessions) as session:
        about = message.payload
        order = session.get(WorkOrder, about["order_id"]) if "order_id" in about else None
        call = session.get(Call, about["call_id"]) if "call_id" in about else None
        caller = order.caller if order else call.caller if call else None
        # the number that called, else the one they left
        to = for_texts(caller.phone, caller.contact) if caller else None
        begun = delivery.begin(
            session, message=message, channel=sms.CHANNEL, order_id=order.id if order else None, template=name
        )
        fields = _fields(order, runtime) if order else {}
        text = templates.text_of(session, name)
    if _is_told_of(begun):
        return nothing_more
    if to is None:
        return _nobody_to_tell(message)
    body = templates.fill(text, **{field: fields[field] for field in templates.fields_of(name)})
    parcel = Parcel(message.token, to, subject="", body=body, again=message.tries > 1)
    return _sent(message, sender(runtime, sms.CHANNEL).send(parcel))


def _fields(order: WorkOrder, runtime: Runtime) -> dict[str, str]:
    fields = {
        "order_no": order.order_no,
        "channel": told_channel(order),
        "reason": extensions.told_ground(order),
        "missing": information.missing_words(order),
    }
    if order.deadline_at is not None:
        fields["deadline"] = day(order.deadline_at, runtime.settings.tz)
    return fields


def connect_call(message_id: int) -> None:
    """Put an operator and a caller together, or fetch the caller back. Payload: ``leg_id``.

    The desk acts on the row itself right after its commit; this is for when it died or could not.
    """
    handle(message_id, _connect_call)


def _connect_call(runtime: Runtime, message: OutboxMessage) -> Finish:
    done = bridging.connect(
        runtime.sessions,
        runtime.telephony,
        Links(runtime.settings.public_url),
        leg_id=message.payload["leg_id"],
        now_fn=runtime.now,
    )
    if not done.ok:  # the caller is first in line again
        runtime.bus.publish(Hint(f"call-{done.call_id}", "state"))
        runtime.bus.publish(Hint(f"desk-{done.user_id}", "line-fault"))
        assign_calls()
    return nothing_more


def hang_up_leg(message_id: int) -> None:
    """End one line at the carrier. Payload: ``leg_id``."""
    handle(message_id, _hang_up_leg)


def _hang_up_leg(runtime: Runtime, message: OutboxMessage) -> Finish:
    bridging.hang_up(runtime.sessions, runtime.telephony, leg_id=message.payload["leg_id"])
    return nothing_more


def _is_told_of(begun: Delivery) -> bool:
    """Whether the carrier has said what became of a text, though its answer to the sending was lost."""
    return begun.channel == sms.CHANNEL and begun.state != DeliveryState.WAITING


def _sent(message: OutboxMessage, receipt: str) -> Finish:
    def finish(session: Session, now: datetime) -> None:
        delivery.sent(session, outbox_id=message.id, receipt=receipt, now=now)

    return finish


def _nobody_to_tell(message: OutboxMessage) -> Finish:
    # nobody can mend a withheld number, so this is written down and given to no one
    def finish(session: Session, now: datetime) -> None:
        delivery.troubled(session, outbox_id=message.id, error="来电人没有可接收短信的号码", final=True)

    return finish
