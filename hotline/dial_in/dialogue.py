"""A unit's person at the keypad: order number, PIN, then what is to be done, key by key.

What a call has come to stands in its ``DialIn`` row; ``turn`` counts the questions, so that a webhook that comes late
answers none of them.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.calendars.base import Calendar
from hotline.dial_in import keys, questions
from hotline.dial_in.doing import Here
from hotline.dial_in.models import DialIn
from hotline.dial_in.questions import Prompt
from hotline.dial_in.talk import At, Talk
from hotline.telephones import service as telephones

WRONG_AT_MOST: Final = 3
PERSON_KEYS: Final = ("", "0")  # pressed by mistake: nobody is kept from a person


def begin(session: Session, *, provider_id: str, now: datetime) -> Prompt:
    """Ask for an order's number; a call that has come further is asked where it is."""
    row = _row(session, provider_id)
    if row is None:
        row = DialIn(provider_id=provider_id, at=now, keyed={"at": At.NUMBER, "turn": 1, "wrong": 0})
        session.add(row)
        session.flush()
    return Prompt((questions.ASK_NUMBER,), questions.NUMBER_DIGITS, int(row.keyed["turn"]))


def hear(
    session: Session,
    *,
    provider_id: str,
    phone: str | None,
    turn: int,
    digits: str,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
) -> Prompt:
    """Take what was keyed and return what to say next. ``phone`` is the number that calls."""
    row = _row(session, provider_id)
    if row is None:
        return begin(session, provider_id=provider_id, now=now)
    keyed = dict(row.keyed)
    at = At(keyed["at"])
    user = session.get(User, row.user_id) if row.user_id is not None else None
    talk = Talk(Here(session, user, now, calendar, tz), keyed) if user is not None else None
    if turn != keyed["turn"]:
        return questions.ask(talk, at, keyed, "")
    digits = digits.strip("#*")
    if at == At.NUMBER and digits in PERSON_KEYS:
        return Prompt(to_person=True)
    if at == At.NUMBER:
        words, following = keys.number(talk, keyed, digits)
    elif at == At.PIN:
        proof = telephones.prove(session, phone=phone, pin=digits, now=now)
        if proof.locked:
            return Prompt((questions.LOCKED,))
        words, following = questions.WRONG_PIN, None
        if proof.user is not None:
            row.user_id = proof.user.id
            talk = Talk(Here(session, proof.user, now, calendar, tz), keyed)
            words, following = keys.opened(talk)
    else:
        assert talk is not None  # only a right PIN leads further
        words, following = keys.take(talk, at, digits)
    if following is None:
        keyed["wrong"] += 1
    else:
        keyed["wrong"] = 0
    keyed["at"], keyed["turn"] = following or at, turn + 1
    row.keyed = keyed
    if talk is not None and keyed["at"] != At.NUMBER:
        row.order_id = talk.order.id
    session.flush()
    if keyed["wrong"] >= WRONG_AT_MOST:
        return Prompt((words or questions.WRONG_KEY, questions.GOODBYE))
    return questions.ask(talk, At(keyed["at"]), keyed, words)


def _row(session: Session, provider_id: str) -> DialIn | None:
    return session.scalar(
        select(DialIn)
        .where(DialIn.provider_id == provider_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
