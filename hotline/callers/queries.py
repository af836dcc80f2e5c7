"""Reads on callers. Ids only: what to show of them is for the asker to decide and ``service.reveal`` to grant."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.callers.models import Caller
from hotline.callers.numbers import normalise
from hotline.db import key_ring


def with_phone(session: Session, phone: str) -> list[int]:
    """Return the ids of every contact from this number, newest first, also those written under an older key."""
    number = normalise(phone)
    if number is None:
        return []
    rows = select(Caller.id).where(Caller.phone_index.in_(key_ring().indexes(number))).order_by(Caller.id.desc())
    return list(session.scalars(rows))


def same_person(session: Session, caller: Caller) -> list[int]:
    """Return the ids of every contact from this caller's number, itself included; withheld matches only itself."""
    return with_phone(session, caller.phone) if caller.phone else [caller.id]
