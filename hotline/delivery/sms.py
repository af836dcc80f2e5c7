"""Texts to telephones, through the carrier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hotline.delivery.base import Parcel

CHANNEL = "sms"


class Texting(Protocol):
    """The two verbs of a carrier this channel needs (see ``hotline.telephony.base``)."""

    def send_message(self, *, to: str, sender: str, body: str, status_url: str) -> str:
        """Send an SMS. Returns the message id."""
        ...

    def find_message(self, *, to: str, body: str) -> str | None:
        """Return the id of the newest message with exactly this body to ``to``."""
        ...


@dataclass(frozen=True, slots=True)
class SmsSender:
    """Sends once although the carrier knows no idempotency key: a repeated try looks the message up first.

    The carrier tells ``status_url?message=TOKEN`` what becomes of it. ``is_known`` tells whether a message id belongs
    to something else than the parcel with that token: the same words may rightly be sent to the same person twice. The
    carrier's own faults go on upward.
    """

    carrier: Texting
    sender: str
    status_url: str
    is_known: Callable[[str, str], bool]
    channel: str = CHANNEL

    def send(self, parcel: Parcel) -> str:
        """Send the body, unless an earlier try of this parcel did. Returns the carrier's message id."""
        if parcel.again:
            found = self.carrier.find_message(to=parcel.address, body=parcel.body)
            if found is not None and not self.is_known(found, parcel.token):
                return found
        return self.carrier.send_message(
            to=parcel.address,
            sender=self.sender,
            body=parcel.body,
            status_url=f"{self.status_url}?message={parcel.token}",
        )
