"""Verbs on units' calls to citizens: ask for one, move one forward."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline import audit, outbox
from hotline.accounts.service import Actor
from hotline.contacts import queries
from hotline.contacts.models import ContactCall
from hotline.contacts.states import LAST_RANK, OPEN, RANK, ContactState
from hotline.errors import Invalid, NotAllowedNow, NotFound
from hotline.telephones import service as telephones
from hotline.work_orders.models import WorkOrder

TOPIC = "contact.dial"


def ask(session: Session, *, order: WorkOrder, actor: Actor, now: datetime, phone: str = "") -> ContactCall:
    """Ask to be put through to the caller of an order; neither side sees the other's number.

    ``phone`` is the actor's own telephone when they type it: kept for the next time. Raises ``NotAllowedNow`` where
    the citizen may not be called or a call of theirs is on, ``Invalid`` without a telephone to ring.
    """
    sub = queries.may_call(order, actor)
    if sub is None or actor.user_id is None:
        raise NotAllowedNow("这张工单现在不能经热线联系来电人")
    mine = ContactCall.user_id == actor.user_id
    if session.scalar(select(ContactCall.id).where(mine, ContactCall.state.in_(OPEN)).limit(1)) is not None:
        raise NotAllowedNow("您有一个转接正在进行，请先结束")
    if phone.strip():
        telephones.leave_number(session, actor=actor, now=now, user_id=actor.user_id, phone=phone)
    number = queries.number_of(session, actor)
    if number is None:
        raise Invalid("请填写您的电话", phone="请填写您的电话，系统先拨打它，再接通来电人")
    call = ContactCall(
        order_id=order.id,
        sub_order_id=sub.id,
        unit_id=sub.unit_id,
        user_id=actor.user_id,
        phone=number,
        state=ContactState.ASKED,
        asked_at=now,
    )
    session.add(call)
    session.flush()
    audit.record(
        session, at=now, user_id=actor.user_id, act="contact", subject="caller", subject_id=order.caller_id or 0
    )
    outbox.add(session, TOPIC, now=now, contact_id=call.id)
    return call


def move(call: ContactCall, state: ContactState, *, now: datetime) -> bool:
    """Take a call forward; False, and nothing changed, for a word that comes late or again."""
    if RANK[state] <= RANK[ContactState(call.state)]:
        return False
    call.state = state
    if state == ContactState.JOINED:
        call.joined_at = now
    elif state == ContactState.CONNECTED:
        call.connected_at = now
    elif RANK[state] == LAST_RANK:
        call.ended_at = now
    return True


def call_of(session: Session, contact_id: int) -> ContactCall:
    """Return a call, locked until the end of the transaction, or raise ``NotFound``."""
    found = session.scalars(
        select(ContactCall)
        .where(ContactCall.id == contact_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound("没有这次转接")
    return found
