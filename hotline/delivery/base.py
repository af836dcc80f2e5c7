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
    """What is to be delivered. ``token`` is the idempotency key the receiver may rely on.

    ``again``: an earlier try may have got through without our knowing, so look before delivering.
    """

    token: str
    address: str  # unit code, telephone number, URL
    subject: str
    body: str
    again: bool = False


class Sender(Protocol):
    """One channel."""

    @property
    def channel(self) -> str:
        """Name of the channel, as deliveries and units carry it."""
        ...

    def send(self, parcel: Parcel) -> str:
        """Deliver once; sending the same token again must not deliver twice. Returns the receipt.

        Raises ``TemporaryFailure`` or ``PermanentFailure``.
        """
        ...
