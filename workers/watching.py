"""The timers of orders: what the timetable runs every few minutes so that no deadline passes unseen."""

from __future__ import annotations

import logging
from typing import Final

from rq.timeouts import JobTimeoutException
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from hotline.db import session_scope
from hotline.errors import NotAllowedNow
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.supervision import timers
from workers import process

log = logging.getLogger(__name__)

SLICE: Final = 200

# somebody, or another worker, was faster: their step brings the order before the timers again
_OVERTAKEN: Final = (NotAllowedNow, StaleDataError, IntegrityError)
_NOTHING_MORE_NOW: Final = (*process.DATABASE_AWAY, JobTimeoutException)  # the next run goes on where this one ended


def watch_deadlines() -> None:
    """Turn orders blue, remind and criticise units as time demands, each order in a transaction of its own.

    Safe to run twice and two at a time; late, it makes up. An order the program cannot cope with is told in the log
    and keeps none of the others waiting.
    """
    runtime = process.runtime()
    now = runtime.now()
    left: set[int] = set()
    looked = 0
    while True:
        with session_scope(runtime.sessions) as session:
            ids = timers.due(session, now=now, skip=left, limit=SLICE)
        if not ids:
            break
        for order_id in ids:
            try:
                with session_scope(runtime.sessions) as session:
                    order = session.get_one(WorkOrder, order_id)
                    timers.look(session, order=order, now=now, calendar=runtime.calendar, tz=runtime.settings.tz)
                looked += 1
            except _OVERTAKEN as fault:
                left.add(order_id)
                log.info("order %d: somebody was faster (%s)", order_id, type(fault).__name__)
            except _NOTHING_MORE_NOW:
                raise
            except Exception:
                left.add(order_id)
                log.exception("order %d: the program is wrong", order_id)
    log.info("deadlines: %d orders looked at, %d left for the next time", looked, len(left))
