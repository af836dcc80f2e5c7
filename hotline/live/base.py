"""The bus for screen updates. Hints only: whoever misses one reads the truth from the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

# kind of the hint a subscription makes up by itself after it lost some: read everything again
MISSED: Final = "missed"


@dataclass(frozen=True, slots=True)
class Hint:
    """Something changed on ``channel``. ``body`` is empty or ciphertext, never words in the clear."""

    channel: str
    kind: str
    body: bytes = b""


class Subscription(Protocol):
    """An open ear on some channels."""

    def hints(self, timeout_s: float) -> Iterator[Hint]:
        """Yield what has arrived; ends after ``timeout_s`` seconds without anything.

        After a gap one hint of kind ``MISSED`` comes for each channel. Raises ``hotline.errors.Unavailable``
        when the bus was lost and does not come back at once: the page falls back to polling.
        """
        ...


class Bus(Protocol):
    """Publish and forget."""

    def publish(self, hint: Hint) -> bool:
        """Send a hint to whoever listens now. Returns False when the bus is down; never raises for that."""
        ...

    def subscribe(self, *channels: str) -> AbstractContextManager[Subscription]:
        """Listen. Raises ``hotline.errors.Unavailable`` when the bus is down: the page falls back to polling."""
        ...
