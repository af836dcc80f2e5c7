"""Staying connected: what can end it."""

from __future__ import annotations

from collections.abc import Callable

from ..leg import Leg
from .parse import Verb

LONGEST_S = "14400"


def stay(leg: Leg, verb: Verb, gone: Callable[[], bool]) -> None:
    """Until `gone`, the star key if it may end the talk, or the time limit."""
    limit = float(verb.get("timeLimit", LONGEST_S))
    if not verb.flag("hangupOnStar", default=False):
        leg.wait(gone, limit)
        return
    with leg.changed:
        leg.digits.clear()
        leg.listening = True
    try:
        leg.wait(lambda: gone() or "*" in leg.digits, limit)
    finally:
        leg.listening = False
