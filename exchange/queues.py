"""Waiting queues by name: who waits, since when, and who has come for whom."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from time import monotonic

from .ids import new_sid
from .leg import Leg
from .rooms import Room

AVERAGE_OVER = 50
DEFAULT_LIMIT = 1000


@dataclass
class Ticket:
    """The meeting of two legs: whoever dials makes it, whoever is dialled takes it. `winner` is in the room."""

    room: Room = field(default_factory=Room)
    winner: Leg | None = None
    closed: bool = False
    whisper_url: str = ""
    whisper_method: str = "POST"
    dialler: str = ""


@dataclass
class Waiting:
    """One leg in a queue; `ticket` is set once somebody dials the queue and gets this leg."""

    leg: Leg
    since: float = field(default_factory=monotonic)
    ticket: Ticket | None = None

    def seconds(self) -> int:
        """How long it has waited."""
        return int(monotonic() - self.since)


class CallQueue:
    """First come, first served. Changed under the exchange's lock only."""

    def __init__(self, name: str) -> None:
        """Empty."""
        self.sid = new_sid("QU")
        self.name = name
        self.waiting: list[Waiting] = []
        self._past: deque[int] = deque(maxlen=AVERAGE_OVER)

    def leave(self, waiting: Waiting) -> None:
        """Out, for whatever reason (nothing if it is out)."""
        if waiting in self.waiting:
            self.waiting.remove(waiting)
            self._past.append(waiting.seconds())

    def params(self, waiting: Waiting, limit: int) -> dict[str, str]:
        """What requests on behalf of a waiting leg carry beside its own."""
        place = self.waiting.index(waiting) + 1 if waiting in self.waiting else 0
        return {
            "QueueSid": self.sid,
            "QueueTime": str(waiting.seconds()),
            "QueuePosition": str(place),
            "CurrentQueueSize": str(len(self.waiting)),
            "AvgQueueTime": str(round(sum(self._past) / len(self._past)) if self._past else 0),
            "MaxQueueSize": str(limit),
        }

    def take(self, ticket: Ticket) -> Waiting | None:
        """The longest waiting leg nobody has come for, now with this ticket; None if there is none."""
        for waiting in self.waiting:
            if waiting.ticket is None and not waiting.leg.over:
                waiting.ticket = ticket
                waiting.leg.notify()
                return waiting
        return None
