"""Operators at their desks and calls at any stage, brought there by the verbs themselves."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.accounts.roles import Role
from hotline.accounts.service import Actor, actor_of
from hotline.calls import assignment, presence, service
from hotline.calls.assignment import Accepted
from hotline.calls.listening import Suggester
from hotline.calls.models import Call, DialledNumber
from hotline.knowledge_base.search.index import KnowledgeIndex
from tests.conftest import NOON
from tests.factories import people

PHONE = "+8619900001234"
GREETING = "您好，这里是一二三四五政务服务便民热线，为了保证服务质量，您的通话将被录音。"
_sids = count(1)


def sid() -> str:
    """A carrier's id nobody has used."""
    return f"CA{next(_sids):032x}"


def number(session: Session, dialled: str = "12345", *, greeting: str = GREETING, skill: str = "") -> DialledNumber:
    """Set up a dialled number."""
    row = DialledNumber(number=dialled, name=f"{dialled}热线", greeting=greeting, skill=skill, subjects=[])
    session.add(row)
    session.flush()
    return row


def operator(session: Session, seat: str = "seat07", *, name: str = "王敏") -> Actor:
    """Add an operator with a telephone."""
    row: User = people.user(session, Role.OPR, name=name, username=f"op-{next(_sids)}")
    row.seat = seat
    session.flush()
    return actor_of(row)


def ready(
    session: Session, who: Actor | None = None, *, skills: list[str] | None = None, now: datetime = NOON
) -> Actor:
    """An operator who waits for calls."""
    who = who or operator(session)
    presence.claim_desk(session, actor=who, desk="desk-1", now=now, skills=skills or [])
    presence.go_ready(session, actor=who, desk="desk-1", now=now)
    return who


def arrived(session: Session, *, phone: str | None = PHONE, dialled: str = "12345", now: datetime = NOON) -> Call:
    """A call that hears the greeting."""
    opened = service.open_call(session, provider_id=sid(), dialled=dialled, phone=phone, now=now)
    return session.get_one(Call, opened.call_id)


def waiting(
    session: Session, *, phone: str | None = PHONE, dialled: str = "12345", priority: int = 0, now: datetime = NOON
) -> Call:
    """A call in the queue since ``now``."""
    call = arrived(session, phone=phone, dialled=dialled, now=now)
    call.priority = priority
    return service.enter_queue(session, call_id=call.id, now=now)


def accepted(session: Session, who: Actor, *, now: datetime = NOON, phone: str | None = PHONE) -> tuple[Call, Accepted]:
    """A call this ready operator has just taken; their telephone is about to ring."""
    call = waiting(session, phone=phone, now=now)
    offer = assignment.offer_next(session, now=now)
    assert offer is not None and (offer.call_id, offer.user_id) == (call.id, who.user_id)
    return call, assignment.accept(session, actor=who, call_id=call.id, desk="desk-1", now=now)


def talking(session: Session, who: Actor | None = None, *, now: datetime = NOON) -> tuple[Call, Actor, int]:
    """A call whose two sides talk since five seconds: the call, its operator, the operator's leg."""
    who = who or ready(session, now=now)
    call, taken = accepted(session, who, now=now)
    line = sid()
    service.operator_answered(session, leg_id=taken.leg_id, provider_id=line, now=now + timedelta(seconds=5))
    service.operator_joined(session, provider_id=line, now=now + timedelta(seconds=5))
    return call, who, taken.leg_id


def suggested(session: Session, index: KnowledgeIndex, call_id: int, heard: str, now: datetime) -> None:
    """What the caller said so far has brought these answers to the operator's screen."""
    index.refresh(session)
    suggester = Suggester(index, call_id)
    suggester.write(session, suggester.look_up(heard, now), now)
