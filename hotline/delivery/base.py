"""What the hotline asks of a way to reach a unit or a citizen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol


class TemporaryFailure(Exception):
    """Not delivered now; the retry plan goes on. ``after``: how long the receiver asks to be left alone."""

    def __init__(self, words: str, *, after: timedelta | None = None) -> None:
        super().__init__(words)
        self.after = after


class PermanentFailure(Exception):
    """Will never be delivered like this; a person must look."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is to be delivered. ``token`` is the idempotency key the receiver may rely on.

    ``again``: an earlier try may have got through without our knowing, so look before delivering. ``facts`` are for
    programs: codes, numbers and moments, no personal data. ``secret`` is what a channel signs with that does.
    """

    token: str
    address: str  # unit code, telephone number, URL, mail address
    subject: str
    body: str
    again: bool = False
    facts: Mapping[str, str | None] = field(default_factory=dict)
    secret: str = field(default="", repr=False)


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
