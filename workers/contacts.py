"""Jobs that put units through to citizens."""

from __future__ import annotations

from hotline.bootstrap import Runtime
from hotline.calls.links import Links
from hotline.contacts import lines
from hotline.db import session_scope
from hotline.outbox import OutboxMessage
from workers import process
from workers.handling import Finish, handle, nothing_more


def dial(message_id: int) -> None:
    """Ring whoever is next to be rung for a unit's call to a citizen. Payload: ``contact_id``."""
    handle(message_id, _dial)


def _dial(runtime: Runtime, message: OutboxMessage) -> Finish:
    lines.dial(
        runtime.sessions,
        runtime.telephony,
        Links(runtime.settings.public_url),
        contact_id=message.payload["contact_id"],
        caller_id=runtime.settings.numbers[0],
        now=runtime.now(),
    )
    return nothing_more


def forget_calls() -> None:
    """End calls whose end the carrier never told."""
    runtime = process.runtime()
    with session_scope(runtime.sessions) as session:
        lines.forget(session, now=runtime.now())
