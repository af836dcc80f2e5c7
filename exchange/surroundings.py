"""What a leg knows of the things it is connected to. Rooms and streams know legs; a leg knows only this of them."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Any, Protocol


class Place(Protocol):
    """Where a leg hears others and is heard: a room. Asked and changed under the exchange's lock only."""

    @property
    def mixing(self) -> bool:
        """Whether those in it hear each other yet."""

    @property
    def members(self) -> Sized:
        """Who is in it, this leg among them."""

    def heard_by(self, sid: str, spoken: Mapping[str, bytes | None]) -> bytes | None:
        """What the member `sid` hears of the others in this tick."""

    def holds(self, sid: str) -> bool:
        """Whether the member `sid` is on hold."""

    def overhear(self, sid: str, text: str) -> None:
        """Note on the timelines of all who hear the member `sid` now what it says."""


class Tap(Protocol):
    """What takes a leg's sound elsewhere and brings sound back: a stream."""

    @property
    def name(self) -> str:
        """What the application calls it."""

    def feed(self, inbound: bytes, outbound: bytes) -> None:
        """20 ms of what the handset sent and what it heard."""

    def playback(self) -> bytes | None:
        """20 ms for the handset to hear, if there are any."""

    def dtmf(self, digit: str) -> None:
        """A key of the handset."""

    def stop(self) -> None:
        """End it, without waiting."""

    def join(self, timeout: float) -> None:
        """Wait for its end, that many seconds at most."""

    def as_json(self) -> dict[str, Any]:
        """It as the lab's API shows it."""
