"""What the hotline asks of a way to reach a unit or a citizen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class TemporaryFailure(Exception):
    """Not delivered now; the retry plan goes on."""


class PermanentFailure(Exception):
    """Will never be delivered like this; a person must look."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is to be delivered. ``token`` is the idempotency key the receiver may rely on."""

    token: str
    address: str  # unit code, telephone number, URL
    subject: str
    body: str


class Sender(Protocol):
    """One channel."""

    channel: str

    def send(self, parcel: Parcel) -> str:
        """Deliver once; sending the same token again must not deliver twice. Returns the receipt.

        Raises ``TemporaryFailure`` or ``PermanentFailure``.
        """
        ...
