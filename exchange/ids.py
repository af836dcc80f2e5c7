"""Identifiers, times and addresses in the provider's spelling."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from email.utils import format_datetime

E164 = re.compile(r"^\+[1-9]\d{6,14}$")
CLIENT = re.compile(r"^client:[A-Za-z0-9_.\-]{1,121}$")
WITHHELD = {"anonymous": "+266696687", "withheld": "+266696687"}
"""What the provider puts in `From` when the caller's number is withheld."""


def new_sid(prefix: str) -> str:
    """A fresh 34-character identifier such as `CA…`."""
    return prefix + secrets.token_hex(16)


def now() -> datetime:
    """Aware UTC."""
    return datetime.now(UTC)


def rfc2822(moment: datetime | None) -> str | None:
    """`Fri, 18 Oct 2019 17:00:00 +0000`, or None for a moment that has not come."""
    return None if moment is None else format_datetime(moment)


def iso8601(moment: datetime) -> str:
    """`2019-10-18T17:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def callable_address(address: str) -> bool:
    """Whether a call can be placed to it: an E.164 number or `client:NAME`."""
    return bool(E164.match(address) or CLIENT.match(address))


def masked(address: str) -> str:
    """A number as it may stand in a log: first digits and last four."""
    return address if len(address) < 9 or not address.lstrip("+").isdigit() else f"{address[:-8]}****{address[-4:]}"
