"""A confidential demand in words units may read (T6): written by the dispatcher before anything is sent out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from hotline.accounts.roles import HUB
from hotline.accounts.service import SYSTEM, Actor
from hotline.errors import Invalid
from hotline.work_orders import personal_data
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Action
from hotline.work_orders.steps import note, note_rule_for

CONTENT_AT_MOST: Final = 4000
TITLE: Final = 30
NOT_RELEASED: Final = "来电人要求保密，内容由热线中心脱敏后提供"


@dataclass(frozen=True, slots=True)
class Words:
    """What a demand says, as one reader may read it."""

    title: str
    content: str
    desired_result: str
    event_time: str


def words_for(order: WorkOrder, actor: Actor | None) -> Words:
    """Return the demand for this reader: the hub reads what was said, units of a confidential order what was released.

    Every page and program that shows a demand asks this.
    """
    inside = actor is not None and (actor.role in HUB or actor.role == SYSTEM.role)
    if inside or not order.confidential:
        return Words(order.title, order.content, order.desired_result, order.event_time)
    released = order.released_content or NOT_RELEASED
    return Words(released.splitlines()[0][:TITLE], released, "", "")


def suggestion(order: WorkOrder) -> str:
    """Return the demand with numbers, and the names the order knows, masked: where a dispatcher begins to redact."""
    names = [order.caller.name if order.caller else None, order.accused_name]
    text = "\n".join(part for part in (order.content, order.desired_result) if part)
    return personal_data.masked(text, names=[name for name in names if name])


def release(session: Session, *, order: WorkOrder, actor: Actor, now: datetime, content: str) -> WorkOrder:
    """Give units these words to read instead of a confidential demand's own (stays N2); it can be dispatched then.

    Raises ``NotAllowedNow`` for an order that is not confidential, ``Invalid`` for nothing, too much, or words in
    which a telephone number, an ID number or the caller's name still stands.
    """
    note_rule_for(order, Action.RELEASE, actor, now)
    words = content.strip()
    if fault := _fault(order, words):
        raise Invalid(fault, content=fault)
    order.released_content = words
    note(session, order, Action.RELEASE, actor=actor, now=now, private={"released": words})
    return order


def _fault(order: WorkOrder, words: str) -> str:
    if not words:
        return "请写出可以给承办单位看的内容"
    if len(words) > CONTENT_AT_MOST:
        return f"最多 {CONTENT_AT_MOST} 字"
    found = personal_data.found_in(words)
    name = order.caller.name if order.caller else None
    if name and len(name) > 1 and name in words:
        found.append("来电人姓名")
    return f"还有个人信息：{'、'.join(found)}，请删去" if found else ""
