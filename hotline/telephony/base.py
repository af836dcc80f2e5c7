"""What the hotline asks of a telephone carrier."""

from __future__ import annotations

from typing import Protocol


class CarrierRefused(Exception):
    """The carrier answered that it will not: asking again the same way is pointless."""


class CarrierUnreachable(Exception):
    """No answer, or a fault on the carrier's side: asking again later may help."""


class Telephony(Protocol):
    """Few verbs, each one network request; ids are the carrier's own."""

    def dial(self, *, to: str, caller_id: str, url: str, status_url: str, timeout_s: int = 20) -> str:
        """Ring ``to`` (E.164 or ``client:NAME``); when answered the carrier asks ``url``. Returns the call's id."""
        ...

    def redirect(self, provider_id: str, url: str) -> None:
        """Make a live call ask ``url`` now, whatever it is doing."""
        ...

    def hang_up(self, provider_id: str) -> None:
        """End a call. Ending one that has ended is no error."""
        ...

    def send_message(self, *, to: str, sender: str, body: str, status_url: str) -> str:
        """Send an SMS. Returns the message id."""
        ...

    def find_message(self, *, to: str, body: str) -> str | None:
        """Return the id of the newest message with exactly this body to ``to``: creating one has no idempotency key."""
        ...
