"""What happened on one call, in order, for people and tests to read."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .ids import now

LIMIT = 4000
"""A wait loop can run for hours; what comes after this many entries is only counted."""


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `t` is seconds since the call began.

    Kinds: status, webhook, verb, caption (what the application says), said (what the handset says), peer (what another
    handset in the same room says), digits, queue,
    conference, dial, stream, script, error.
    """

    t: float
    at: datetime
    kind: str
    text: str
    detail: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The entry as the lab's API shows it."""
        return {"t": self.t, "at": self.at.isoformat(), "kind": self.kind, "text": self.text, "detail": self.detail}


@dataclass
class Timeline:
    """Entries in the order they happened; appending is safe from any thread."""

    started: float = field(default_factory=time.monotonic)
    entries: list[Entry] = field(default_factory=list)
    left_out: int = 0

    def add(self, kind: str, text: str, **detail: Any) -> None:
        """Note that this happened now."""
        if len(self.entries) >= LIMIT:
            self.left_out += 1
            return
        self.entries.append(Entry(round(time.monotonic() - self.started, 3), now(), kind, text, detail))

    def texts(self, kind: str) -> list[str]:
        """The texts of all entries of one kind."""
        return [entry.text for entry in list(self.entries) if entry.kind == kind]
