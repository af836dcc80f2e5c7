"""States of a call and of an operator, as tables: the only ways they change."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class CallState(StrEnum):
    """A call only moves forward: a late webhook never takes it back."""

    GREETING = "greeting"
    WAITING = "waiting"
    TALKING = "talking"
    ENDED = "ended"


CALL: Final[dict[CallState, frozenset[CallState]]] = {
    CallState.GREETING: frozenset({CallState.WAITING, CallState.ENDED}),
    CallState.WAITING: frozenset({CallState.TALKING, CallState.ENDED}),
    # back only through ``service.return_to_queue``, when the operator's line fell and the caller is still there
    CallState.TALKING: frozenset({CallState.WAITING, CallState.ENDED}),
    CallState.ENDED: frozenset(),
}


class LegState(StrEnum):
    """One party's line. Carriers promise no order of their callbacks, so it moves forward by rank only."""

    PLANNED = "planned"
    RINGING = "ringing"
    LIVE = "live"
    ENDED = "ended"
    FAILED = "failed"


LEG_RANK: Final = {
    LegState.PLANNED: 0,
    LegState.RINGING: 1,
    LegState.LIVE: 2,
    LegState.ENDED: 3,
    LegState.FAILED: 3,
}

# the carrier's words for a line -> ours
LEG_STATE_OF_STATUS: Final = {
    "queued": LegState.PLANNED,
    "initiated": LegState.PLANNED,
    "ringing": LegState.RINGING,
    "in-progress": LegState.LIVE,
    "answered": LegState.LIVE,
    "completed": LegState.ENDED,
    "busy": LegState.FAILED,
    "failed": LegState.FAILED,
    "no-answer": LegState.FAILED,
    "canceled": LegState.FAILED,
}


class Track(StrEnum):
    """Whose words a leg carries."""

    CALLER = "caller"
    OPERATOR = "operator"
    THIRD = "third"


class Outcome(StrEnum):
    """How a call ended."""

    ABANDONED_GREETING = "abandoned_greeting"
    ABANDONED = "abandoned"
    ANSWERED_ON_SPOT = "answered"
    ORDERED = "ordered"
    UNIT = "unit"  # a unit's person worked by telephone: no citizen called
    NO_DEMAND = "no_demand"  # talked, nothing recorded yet or at all


class QueueKind(StrEnum):
    """Raw events of the way to a person. That a call came at all is told by its own row."""

    ENTERED = "entered"
    OFFERED = "offered"
    OFFER_LAPSED = "offer_lapsed"
    DECLINED = "declined"
    ANSWERED = "answered"
    CONNECTED = "connected"
    HELD = "held"
    RESUMED = "resumed"
    RETURNED = "returned"  # the operator's line fell; the caller waits again, first in line
    ABANDONED = "abandoned"
    ENDED = "ended"


class PresenceState(StrEnum):
    """What an operator is doing."""

    OFFLINE = "offline"
    READY = "ready"
    OFFERED = "offered"
    TALKING = "talking"
    WRAP_UP = "wrap_up"
    AWAY = "away"


PRESENCE: Final[dict[PresenceState, frozenset[PresenceState]]] = {
    PresenceState.OFFLINE: frozenset({PresenceState.READY, PresenceState.AWAY}),
    PresenceState.READY: frozenset({PresenceState.OFFERED, PresenceState.AWAY, PresenceState.OFFLINE}),
    PresenceState.OFFERED: frozenset({PresenceState.TALKING, PresenceState.READY, PresenceState.AWAY}),
    PresenceState.TALKING: frozenset({PresenceState.WRAP_UP}),
    PresenceState.WRAP_UP: frozenset({PresenceState.READY, PresenceState.AWAY, PresenceState.OFFLINE}),
    PresenceState.AWAY: frozenset({PresenceState.READY, PresenceState.OFFLINE}),
}
