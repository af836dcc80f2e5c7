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


RANK: Final = {CallState.GREETING: 0, CallState.WAITING: 1, CallState.TALKING: 2, CallState.ENDED: 3}


class Outcome(StrEnum):
    """How a call ended."""

    ABANDONED_GREETING = "abandoned_greeting"
    ABANDONED = "abandoned"
    ANSWERED_ON_SPOT = "answered"
    ORDERED = "ordered"
    NO_DEMAND = "no_demand"  # talked, nothing recorded yet or at all


class QueueKind(StrEnum):
    """Raw events of the way to a person."""

    ARRIVED = "arrived"
    ENTERED = "entered"
    OFFERED = "offered"
    OFFER_LAPSED = "offer_lapsed"
    DECLINED = "declined"
    ANSWERED = "answered"
    CONNECTED = "connected"
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
