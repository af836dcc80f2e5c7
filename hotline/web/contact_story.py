"""How units' calls to citizens stand in an order's story."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from hotline.accounts import queries as accounts
from hotline.accounts.service import Actor
from hotline.contacts import queries
from hotline.contacts.models import ContactCall
from hotline.contacts.states import CONTACT_WORDS, ContactState
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.story import StoryItem

THROUGH_THE_HUB: Final = "经热线联系群众"


def in_story(session: Session, order: WorkOrder, actor: Actor, told: list[StoryItem]) -> list[StoryItem]:
    """Return the order's story with the calls this reader may know of, by time."""
    calls = queries.of_order(session, order, actor)
    if not calls:
        return told
    people = accounts.named(session, [call.user_id for call in calls])
    names = {sub.unit_id: sub.unit.name for sub in order.sub_orders}

    def item(call: ContactCall) -> StoryItem:
        who = f"{names.get(call.unit_id, '')} {people[call.user_id].display_name}"
        word = f"{THROUGH_THE_HUB} {how_long(call)}"
        return StoryItem(0, call.asked_at, "contact", word, who, order.status, "", [("转接编号", f"#{call.id}")], [])

    return sorted([*told, *map(item, calls)], key=lambda one: one.at)


def how_long(call: ContactCall) -> str:
    """``3分12秒`` of a call both sides talked in; else how it stands or ended."""
    if call.talked is None:
        return CONTACT_WORDS[ContactState(call.state)]
    minutes, seconds = divmod(int(call.talked.total_seconds()), 60)
    return f"{minutes}分{seconds}秒" if minutes else f"{seconds}秒"


def through_the_hub(call: ContactCall) -> str:
    """``热线转接 #7``: how a report names such a call as the way of contact."""
    return f"热线转接 #{call.id}"
