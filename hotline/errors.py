"""The few kinds of error the trade knows. Entry points map each kind to an answer once (page, JSON or spoken)."""

from __future__ import annotations


class HotlineError(Exception):
    """Base of every expected error. ``message`` is a sentence for the person in front of the screen."""

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class NotFound(HotlineError):
    """It does not exist, or the asker may not know that it does."""


class NotPermitted(HotlineError):
    """The asker is known and may not do this."""


class NotAllowedNow(HotlineError):
    """The thing exists but its present state forbids the act; ``details['allowed']`` lists what it allows."""


class Invalid(HotlineError):
    """The request is wrong in itself; ``details`` maps field names to sentences where fields are at fault."""


class Unavailable(HotlineError):
    """A port (telephone, recogniser, queue) cannot serve now; trying again later may help."""
