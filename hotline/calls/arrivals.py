"""A call arrives: the one step every ringing caller waits for, made of as few and as cheap statements as will do.

Rows are written round the unit of work, which costs a fifth of what mapped objects do here; everything later in a call
is rare enough for objects.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, select

from hotline.callers import service as callers
from hotline.calls.models import Call, CallLeg, DialledNumber
from hotline.calls.states import CallState, LegState, Track
from hotline.db import PreparedInsert

REMEMBERED_FOR: Final = timedelta(seconds=10)
REMEMBERED_AT_MOST: Final = 1000  # anybody may dial anything into us

_DIALLED: Final = select(
    DialledNumber.id, DialledNumber.greeting, DialledNumber.skill, DialledNumber.hours, DialledNumber.closed
).where(DialledNumber.number.in_([bindparam("dialled"), bindparam("plain")]), DialledNumber.active)
_KNOWN: Final = (
    select(Call.id, CallLeg.id, Call.started_at)
    .join(CallLeg, (CallLeg.call_id == Call.id) & (CallLeg.track == Track.CALLER))
    .where(Call.provider_id == bindparam("provider_id"))
)
_NEW_CALL: Final = PreparedInsert(
    Call,
    *("provider_id", "dialled", "number_id", "caller_id", "state", "skill", "priority", "started_at"),
    *("outcome", "suggested", "version"),
    unless_known=True,
)
_NEW_LEG: Final = PreparedInsert(
    CallLeg,
    *("call_id", "track", "provider_id", "state", "started_at", "answered_at", "frames", "frames_dropped"),
)


@dataclass(frozen=True, slots=True)
class Dialled:
    """The set-up of a dialled number; what it is by default serves one nobody set up."""

    number_id: int | None = None
    greeting: str = ""
    skill: str = ""
    hours: Sequence[str] = ()  # local spans of a day in which it is served; none: always
    closed: str = ""  # spoken outside of them


@dataclass(frozen=True, slots=True)
class Opened:
    """A call and the caller's leg, as first written. ``new`` is False when the carrier told of it before."""

    call_id: int
    leg_id: int
    started_at: datetime
    number: Dialled
    new: bool


class NumberBook:
    """The set-up of dialled numbers, read anew after ten seconds: a changed greeting is heard that late at most."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[datetime, Dialled]] = {}
        self._lock = threading.Lock()

    def find(self, connection: Connection, dialled: str, *, now: datetime) -> Dialled:
        """Return the set-up of a number as the carrier writes it: 12345 also answers to +8612345."""
        at, found = self._known.get(dialled, (None, None))
        if at is None or found is None or not timedelta(0) <= now - at < REMEMBERED_FOR:
            plain = dialled.removeprefix("+86").removeprefix("+")
            row = connection.execute(_DIALLED, {"dialled": dialled, "plain": plain}).first()
            found = Dialled(*row) if row is not None else Dialled()
            with self._lock:
                if len(self._known) >= REMEMBERED_AT_MOST:
                    self._known.clear()
                self._known[dialled] = (now, found)
        return found


def open_call(
    connection: Connection, book: NumberBook, *, provider_id: str, dialled: str, phone: str | None, now: datetime
) -> Opened:
    """Write down that a call has come: its caller, the call, the caller's leg.

    Told again of the same ``provider_id`` nothing changes. ``dialled`` and ``phone`` come as the carrier sent them;
    a dialled number that nobody set up is taken all the same.
    """
    number = book.find(connection, dialled, now=now)
    caller_id = callers.remember_contact(connection, phone=phone, now=now)
    greeting, nothing_yet = CallState.GREETING.value, list[int]()
    what = (provider_id, dialled[:20], number.number_id, caller_id, greeting, number.skill, 0, now, "", nothing_yet, 1)
    call_id = _NEW_CALL.run(connection, *what)
    if call_id is None:  # told before, or another process is telling it now
        callers.forget_contact(connection, caller_id)
        known = connection.execute(_KNOWN, {"provider_id": provider_id}).one()
        return Opened(*known, number=number, new=False)
    live = LegState.LIVE.value
    leg_id = _NEW_LEG.run(connection, call_id, Track.CALLER.value, provider_id, live, now, now, 0, 0)
    assert leg_id is not None  # only the call's own id may be known
    return Opened(call_id, leg_id, now, number, new=True)
