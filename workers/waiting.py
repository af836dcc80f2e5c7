"""Orders whose clock stands still, or hangs on a calendar: what ends by itself, each order in its own transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, Final

from rq.timeouts import JobTimeoutException
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from hotline.accounts.service import SYSTEM
from hotline.db import session_scope
from hotline.errors import NotAllowedNow
from hotline.work_orders import recounting
from hotline.work_orders import service as orders
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from workers import process

log = logging.getLogger(__name__)

SLICE: Final = 500
_ENDS: Final[dict[Status, Callable[..., object]]] = {
    Status.NEEDS_INFO: orders.remind_or_close,
    Status.SUSPENDED: orders.resume,
}


def end_waits() -> None:
    """Remind callers of what is missing, close what they left unanswered, take up what was suspended until today.

    Safe to run twice: an order that was moved waits for another date.
    """
    now = process.runtime().now()
    with session_scope(process.runtime().sessions) as session:
        due = session.scalars(
            select(WorkOrder.id)
            # what was merged goes with its main order
            .where(WorkOrder.status.in_(_ENDS), WorkOrder.step_due_at <= now, WorkOrder.merged_into_id.is_(None))
            .order_by(WorkOrder.id)
        ).all()
    ended = _each(due, _end)
    if due:
        log.info("%d of %d waits ended", ended, len(due))


def recount_deadlines() -> None:
    """Give open orders the time a published or changed calendar brings; nothing is ever taken back."""
    moved = looked = last = 0
    while True:
        with session_scope(process.runtime().sessions) as session:
            ids = [order.id for order in recounting.to_recount(session, after_id=last, at_most=SLICE)]
        if not ids:
            break
        last, looked = ids[-1], looked + len(ids)
        moved += _each(ids, _recount)
    log.info("calendar: %d of %d open orders have a new deadline", moved, looked)


def _recount(session: Session, order: WorkOrder, **when: Any) -> bool:
    return recounting.recount(session, order=order, actor=SYSTEM, **when)


def _end(session: Session, order: WorkOrder, **when: Any) -> bool:
    end = _ENDS.get(Status(order.status))
    if end is None or order.step_due_at is None or order.step_due_at > when["now"]:
        return False  # somebody was faster
    end(session, order=order, actor=SYSTEM, **when)
    return True


def _each(ids: Iterable[int], act: Callable[..., bool]) -> int:
    """Do ``act`` to each order by itself; return how many it moved. One that fails keeps none of the others."""
    runtime = process.runtime()
    moved = 0
    for order_id in ids:
        try:
            with session_scope(runtime.sessions) as session:
                order = session.get_one(WorkOrder, order_id)
                moved += act(session, order, now=runtime.now(), calendar=runtime.calendar, tz=runtime.settings.tz)
        except (NotAllowedNow, StaleDataError) as fault:
            log.info("order %d: somebody was faster (%s)", order_id, type(fault).__name__)
        except (*process.DATABASE_AWAY, JobTimeoutException):
            raise
        except Exception:
            log.exception("order %d: the program is wrong", order_id)
    return moved
