"""Jobs that ring duty officers for urgent orders."""

from __future__ import annotations

from hotline.alarms import ringing, service
from hotline.bootstrap import Runtime
from hotline.calls.links import Links
from hotline.db import session_scope
from hotline.live.base import Hint
from hotline.outbox import OutboxMessage
from workers import process
from workers.handling import Finish, handle, nothing_more

CHANGED = Hint("alarms", "changed")


def ring(message_id: int) -> None:
    """Begin ringing for a unit's part of an urgent order, go on with it, or stop it. Payload: ``order_id unit_id``."""
    handle(message_id, _ring)


def _ring(runtime: Runtime, message: OutboxMessage) -> Finish:
    ringing.ring_for(
        runtime.sessions,
        runtime.telephony,
        Links(runtime.settings.public_url),
        order_id=message.payload["order_id"],
        unit_id=message.payload["unit_id"],
        caller_id=runtime.settings.numbers[0],
        now=runtime.now(),
    )
    runtime.bus.publish(CHANGED)
    return nothing_more


def keep_ringing() -> None:
    """Go on with every round that is not over: what a dead worker or a silent carrier left, and parts signed since."""
    runtime = process.runtime()
    with session_scope(runtime.sessions) as session:
        found = service.open_alarms(session)
    for alarm_id in found:
        ringing.ring_on(
            runtime.sessions,
            runtime.telephony,
            Links(runtime.settings.public_url),
            alarm_id=alarm_id,
            caller_id=runtime.settings.numbers[0],
            now=runtime.now(),
        )
    if found:
        runtime.bus.publish(CHANGED)
