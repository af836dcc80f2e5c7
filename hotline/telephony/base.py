"""What the hotline asks of a telephone carrier."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


class CarrierRefused(Exception):
    """The carrier answered that it will not: asking again the same way is pointless."""


class CarrierUnreachable(Exception):
    """No answer, or a fault on the carrier's side: asking again later may help."""


@dataclass(frozen=True, slots=True)
class HeadsetPass:
    """What lets one browser ring and speak as an operator's telephone for ``ttl_s`` seconds.

    ``adapter``: which line the browser speaks, ``exchange`` (at ``url``) or ``twilio`` (its library knows where).
    """

    adapter: str
    token: str = field(repr=False)
    url: str
    ttl_s: int


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

    def hold(self, provider_id: str, room: str, *, on: bool) -> None:
        """Let a call in the conference named ``room`` neither hear nor be heard there, or both again. Once more the
        same is no error; ``CarrierRefused`` when there is no such call or conference any more."""
        ...

    def is_held(self, provider_id: str, room: str) -> bool:
        """Whether that call is on hold now; False when it is not in such a conference."""
        ...

    def headset_pass(self, name: str) -> HeadsetPass | None:
        """Let a browser be the telephone ``client:NAME``; asks no network. None: this carrier was given no key."""
        ...

    def send_message(self, *, to: str, sender: str, body: str, status_url: str) -> str:
        """Send an SMS. Returns the message id."""
        ...

    def find_message(self, *, to: str, body: str) -> str | None:
        """Return the id of the newest message with exactly this body to ``to``: creating one has no idempotency key."""
        ...
