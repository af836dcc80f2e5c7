"""Jobs that put units through to citizens."""

from __future__ import annotations

import logging

from hotline.bootstrap import Runtime
from hotline.calls.links import Links
from hotline.contacts import lines
from hotline.db import session_scope
from hotline.outbox import OutboxMessage
from hotline.telephony.base import CarrierUnreachable
from workers import process
from workers.handling import Finish, handle, nothing_more

log = logging.getLogger(__name__)


def dial(message_id: int) -> None:
    """Ring whoever is next to be rung for a unit's call to a citizen. Payload: ``contact_id``."""
    handle(message_id, _dial)


def _dial(runtime: Runtime, message: OutboxMessage) -> Finish:
    contact_id = message.payload["contact_id"]
    try:
        lines.dial(
            runtime.sessions,
            runtime.telephony,
            Links(runtime.settings.public_url),
            contact_id=contact_id,
            caller_id=runtime.settings.numbers[0],
            now=runtime.now(),
        )
    except CarrierUnreachable:
        log.warning("contact call %d: the carrier gave no answer", contact_id)
        return lambda session, now: lines.ring_again(session, contact_id=contact_id, now=now)
    return nothing_more


def forget_calls() -> None:
    """End calls whose end the carrier never told, and those in which nobody was put through in time."""
    runtime = process.runtime()
    with session_scope(runtime.sessions) as session:
        waiting = lines.forget(session, now=runtime.now())
    for contact_id, line in waiting:
        lines.send_away(runtime.telephony, Links(runtime.settings.public_url), contact_id=contact_id, line=line)
