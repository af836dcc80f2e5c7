"""Forgetting the caller of orders: what they said and brought goes, what was done about it stays.

The journal stays whole: words that have to go leave with their salt, and a commitment nobody can test any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.callers.models import Caller
from hotline.callers.traces import GONE, Traces
from hotline.calls import forgetting as calls
from hotline.calls.models import Call
from hotline.errors import NotAllowedNow
from hotline.work_orders import personal_data
from hotline.work_orders.asks.models import PanelItem
from hotline.work_orders.models import BatchItem, OrderEvent, OrderFile, Report, WorkOrder
from hotline.work_orders.states import DONE, Action, FileKind, Status
from hotline.work_orders.steps import flush

# told by the caller, whoever typed it
_TOLD: Final = frozenset({Action.SUPPLEMENT, Action.URGE, Action.WITHDRAW, Action.REVIEW})
_WITH_THE_DEMAND: Final = frozenset({Action.SUBMIT, Action.DISPATCH})  # from the draft: the demand in their words
# what the citizen brought, or what shows who was spoken to; before and after show a place
_OF_THE_CALLER: Final = frozenset({FileKind.DEMAND, FileKind.IDENTITY, FileKind.CONTACT})
_DEMAND: Final = ("title", "content", "desired_result", "event_time", "released_content")
_OF_ORDERS: Final = ("address", "dispatch_advice", "no_entry_reason", "accused_name", "accused_phone")
_ACCOUNT: Final = ("public_reply", "process", "unsolved_reason")
_HOUSEHOLD: Final = ("name", "contact", "place", "note")


def forget(session: Session, *, caller: Caller, actor: Actor, reason: str, now: datetime) -> Sequence[WorkOrder]:
    """Forget a contact (see ``calls.forgetting``) in every order of theirs, and return these orders.

    Their own words in the journal, what they brought and a household of a list that is theirs are gone; the demand
    stays without their name and without any number; what officers wrote stays without the caller. Place, dates,
    result and the digests of files stay, and so do other households. Twice changes nothing. Raises ``NotAllowedNow``
    while an order or a call of theirs is not over: somebody still has to reach them.
    """
    orders = session.scalars(select(WorkOrder).where(WorkOrder.caller_id == caller.id).order_by(WorkOrder.id)).all()
    if caller.erased_at is not None:
        return orders
    if still := [order.order_no for order in orders if order.status not in DONE]:
        raise NotAllowedNow(f"还没有办结，不能删除来电人信息：{'、'.join(still)}")
    if session.scalar(select(Call.id).where(Call.caller_id == caller.id, Call.ended_at.is_(None)).limit(1)):
        raise NotAllowedNow("来电人正在通话，不能删除来电人信息")
    traces = Traces(caller)
    for order in orders:
        _forget_in(session, order, traces)
    flush(session)
    calls.forget(session, caller=caller, actor=actor, reason=reason, now=now)
    return orders


def _forget_in(session: Session, order: WorkOrder, traces: Traces) -> None:
    order.receipt_code = None
    for name in _DEMAND:
        if value := getattr(order, name):
            setattr(order, name, personal_data.without_numbers(traces.without(value), GONE))
    for row, fields in _written_about(session, order):
        traces.leave(row, fields)
    for event in order.events:
        if event.private is not None and (_is_told(event) or traces.within(event.private)):
            event.private = event.private_salt = None
    for file in order.files:
        _forget_file(file, traces)
    for item in session.scalars(select(BatchItem).where(BatchItem.order_id == order.id)):
        if traces.within([item.name, item.contact]):
            item.name = item.contact = item.place = item.note = None
        else:
            traces.leave(item, _HOUSEHOLD)


def _written_about(session: Session, order: WorkOrder) -> Iterator[tuple[object, Sequence[str]]]:
    """Officers' own words about the order, row by row."""
    yield order, _OF_ORDERS
    for sub in order.sub_orders:
        yield sub, ("advice",)
    for report in session.scalars(select(Report).where(Report.order_id == order.id)):
        yield report, _ACCOUNT
    for asked in order.requests:
        yield asked, ("reason", "answer")
    for notice in order.notices:
        yield notice, ("words", "reply")
    for item in session.scalars(select(PanelItem).where(PanelItem.order_id == order.id)):
        yield item, ("question", "minutes")


def _is_told(event: OrderEvent) -> bool:
    return event.action in _TOLD or (event.from_status == Status.DRAFT and event.action in _WITH_THE_DEMAND)


def _forget_file(file: OrderFile, traces: Traces) -> None:
    if file.kind in _OF_THE_CALLER:
        file.name, file.body = GONE, None
        file.width = file.height = None  # there is no picture to show any more
    else:
        traces.leave(file, ("name",))
