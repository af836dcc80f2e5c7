"""What documents need of the exchange that runs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ..conferences import Conferences
from ..leg import Callback, Document, Leg
from ..prompts import Prompts
from ..queues import CallQueue, Ticket
from ..webhooks import Webhooks


class Board(Protocol):
    """Voices, requests, and the other legs."""

    @property
    def prompts(self) -> Prompts:
        """How texts are spoken."""

    @property
    def webhooks(self) -> Webhooks:
        """How the application is asked and told."""

    @property
    def conferences(self) -> Conferences:
        """Rooms with a name."""

    def queue(self, name: str) -> CallQueue:
        """The queue of that name, made on demand. Call under the lock."""

    def existing_queue(self, name: str) -> CallQueue | None:
        """The queue of that name if anybody ever waited in it."""

    def wake(self, sid: str) -> None:
        """Let one leg look again at what it waits for."""

    def wake_all(self) -> None:
        """Let every leg look again."""

    def ring_for(
        self,
        parent: Leg,
        *,
        to: str,
        from_: str,
        timeout: float,
        callback: Callback | None,
        whisper: Document | None,
        ticket: Ticket,
    ) -> Leg:
        """Call a handset for a leg, `timeout` seconds long; whoever picks up first takes the ticket."""

    def hang_up(self, leg: Leg) -> None:
        """End another leg's call."""

    def open_stream(
        self,
        leg: Leg,
        *,
        url: str,
        name: str,
        track: str,
        parameters: Mapping[str, str],
        callback: tuple[str, str] | None,
    ) -> None:
        """Open a media stream for a leg; `callback` is method and address. Whatever fails is noted, never raised."""
