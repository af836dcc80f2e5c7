"""How every job handles its outbox row: take it, work outside any transaction, settle with the result.

The row is settled in the same transaction as whatever the job writes, and only once: of two jobs for one row the
second writes nothing.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from rq.timeouts import JobTimeoutException
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from hotline import outbox
from hotline.bootstrap import Runtime
from hotline.callers.numbers import mask
from hotline.db import session_scope
from hotline.delivery import service as delivery
from hotline.delivery.base import PermanentFailure, TemporaryFailure
from hotline.errors import HotlineError, Unavailable
from hotline.outbox import OutboxMessage
from hotline.telephony.base import CarrierRefused, CarrierUnreachable
from workers import process

log = logging.getLogger(__name__)

# writes the result; runs in the transaction that settles the row
Finish = Callable[[Session, datetime], None]
Work = Callable[[Runtime, OutboxMessage], Finish]
# what else is written when a row is given to a person, in the transaction that does so
GivenUp = Callable[[Session, OutboxMessage, datetime], None]

TEMPORARY: Final = (TemporaryFailure, CarrierUnreachable, Unavailable, StaleDataError, JobTimeoutException)
PERMANENT: Final = (PermanentFailure, CarrierRefused, HotlineError)

_NUMBER: Final = re.compile(r"\+?\d{7,}")


def nothing_more(session: Session, now: datetime) -> None:
    """A ``Finish`` for work that leaves nothing to write."""


def nothing_else(session: Session, message: OutboxMessage, now: datetime) -> None:
    """A ``GivenUp`` for work that leaves it at that."""


def handle(message_id: int, work: Work, *, given_up: GivenUp = nothing_else) -> None:
    """Do the work of one row. Safe to run twice, and while another runs it: then nothing happens.

    A temporary failure plans the next try, a permanent one goes to a person, an error of the program does both
    in turn. Nothing is raised, so that no words of the fault travel to Redis.
    """
    runtime = process.runtime()
    try:
        with session_scope(runtime.sessions) as session:
            message = outbox.claim_one(session, message_id, now=runtime.now())
        if message is None:
            log.info("outbox row %d: nothing to do", message_id)
        elif message.tries > outbox.MOST_TRIES:
            _give_up(runtime, message, "处理进程多次中断", given_up, final=True)
        else:
            _attempt(runtime, message, work, given_up)
    except process.DATABASE_AWAY as fault:
        # nothing can be written down now; the hold on the row ends by itself and the relay brings it back
        log.warning("outbox row %d: database out of reach (%s)", message_id, type(fault).__name__)


def _attempt(runtime: Runtime, message: OutboxMessage, work: Work, given_up: GivenUp) -> None:
    try:
        finish = work(runtime, message)
        with session_scope(runtime.sessions) as session:
            if outbox.settle(session, message.id, now=runtime.now()):
                finish(session, runtime.now())
    except TEMPORARY as fault:
        after = fault.after if isinstance(fault, TemporaryFailure) else None
        _give_up(runtime, message, words(fault), given_up, final=False, after=after)
    except PERMANENT as fault:
        # "somebody was faster" is an answer to a person; a job looks again
        was_stale = isinstance(fault, HotlineError) and "stale" in fault.details
        _give_up(runtime, message, words(fault), given_up, final=not was_stale)
    except process.DATABASE_AWAY:
        raise
    except Exception as fault:
        log.exception("outbox row %d (%s): the program is wrong", message.id, message.topic)
        _give_up(runtime, message, f"程序错误：{type(fault).__name__}", given_up, final=False)


def _give_up(
    runtime: Runtime,
    message: OutboxMessage,
    error: str,
    given_up: GivenUp,
    *,
    final: bool,
    after: timedelta | None = None,
) -> None:
    now = runtime.now()
    with session_scope(runtime.sessions) as session:
        if session.get_one(OutboxMessage, message.id).settled_at is not None:
            return  # another brought it to an end meanwhile
        if final:
            outbox.fail(session, message.id, now=now, error=error)
        else:
            final = not outbox.postpone(session, message.id, now=now, error=error, after=after)
        delivery.troubled(session, outbox_id=message.id, error=error, final=final)
        if final:
            given_up(session, message, now)
    log.log(
        logging.ERROR if final else logging.WARNING,
        "outbox row %d (%s), try %d: %s%s",
        message.id,
        message.topic,
        message.tries,
        error,
        ", given to a person" if final else "",
    )


def words(fault: Exception) -> str:
    """Return one line that says what went wrong, without telephone numbers."""
    line = (str(fault) or type(fault).__name__).splitlines()[0]
    return _NUMBER.sub(lambda found: mask(found[0]), line)[:300]
