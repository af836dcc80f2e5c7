"""What one look finds, in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """``missing``: no call can be served to its end. ``warn``: calls are served, something else is not."""

    OK = "ok"
    WARN = "warn"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look found, in both languages."""

    state: State
    chinese: str
    english: str


def ok(chinese: str, english: str) -> Seen:
    """As it should be."""
    return Seen(State.OK, chinese, english)


def warn(chinese: str, english: str) -> Seen:
    """Calls are served all the same."""
    return Seen(State.WARN, chinese, english)


def missing(chinese: str, english: str) -> Seen:
    """Calls are not served to their end."""
    return Seen(State.MISSING, chinese, english)
