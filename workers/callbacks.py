"""Jobs around the question whether the citizen is content. Each takes the id of its outbox row."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from hotline import outbox
from hotline.bootstrap import Runtime
from hotline.calls.links import Links
from hotline.follow_ups import lines, service
from hotline.follow_ups.models import Evaluation
from hotline.outbox import OutboxMessage
from hotline.work_orders import merging
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.steps import FOLLOW
from workers.handling import Finish, handle, nothing_more


def open_callback(message_id: int) -> None:
    """Put an order that was checked before the callback officers. Payload: ``order_id``."""
    handle(message_id, _open_callback)


def _open_callback(runtime: Runtime, message: OutboxMessage) -> Finish:
    def finish(session: Session, now: datetime) -> None:
        order = session.get_one(WorkOrder, message.payload["order_id"])
        service.open_callback(session, order=order, now=now, calendar=runtime.calendar, tz=runtime.settings.tz)

    return finish


def withdraw_callback(message_id: int) -> None:
    """Ask no more about an order its citizen took back. Payload: ``order_id``, ``round``."""
    handle(message_id, _withdraw_callback)


def _withdraw_callback(runtime: Runtime, message: OutboxMessage) -> Finish:
    def finish(session: Session, now: datetime) -> None:
        service.withdraw(session, order_id=message.payload["order_id"], round=message.payload["round"], now=now)

    return finish


def follow_main(message_id: int) -> None:
    """Move the orders merged into one that was settled. Payload: ``order_id``, ``round``, ``settled``.

    A slice at a time: what remains is the next row's.
    """
    handle(message_id, _follow_main)


def _follow_main(runtime: Runtime, message: OutboxMessage) -> Finish:
    def finish(session: Session, now: datetime) -> None:
        main = session.get_one(WorkOrder, message.payload["order_id"])
        more = merging.follow(
            session,
            main=main,
            round=message.payload["round"],
            settled=message.payload["settled"],
            now=now,
            calendar=runtime.calendar,
            tz=runtime.settings.tz,
        )
        if more:
            outbox.add(session, FOLLOW, now=now, **message.payload)

    return finish


def dial(message_id: int) -> None:
    """Ring whoever is next to be rung for a try. Payload: ``attempt_id``."""
    handle(message_id, _dial)


def _dial(runtime: Runtime, message: OutboxMessage) -> Finish:
    lines.dial(
        runtime.sessions,
        runtime.telephony,
        Links(runtime.settings.public_url),
        attempt_id=message.payload["attempt_id"],
        caller_id=runtime.settings.numbers[0],
        now=runtime.now(),
    )
    return nothing_more


def apply_evaluation(message_id: int) -> None:
    """Let the order act on what the citizen said: closed, or done again. Payload: ``evaluation_id``."""
    handle(message_id, _apply_evaluation)


def _apply_evaluation(runtime: Runtime, message: OutboxMessage) -> Finish:
    def finish(session: Session, now: datetime) -> None:
        evaluation = session.get_one(Evaluation, message.payload["evaluation_id"])
        service.apply_evaluation(
            session, evaluation=evaluation, now=now, calendar=runtime.calendar, tz=runtime.settings.tz
        )

    return finish
