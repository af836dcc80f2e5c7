"""Reading the parameters of a REST request."""

from __future__ import annotations

from flask import request

from ..leg import Callback, Document, Leg
from ..twiml import TwimlError, check
from .errors import RestError, invalid


def text(name: str, default: str = "") -> str:
    """A parameter as given, without outer space."""
    return request.form.get(name, default).strip()


def flag(name: str, default: bool) -> bool:
    """`true` or `false` in any case; anything else is refused."""
    value = text(name).lower()
    if value not in {"", "true", "false"}:
        raise invalid(name, value)
    return default if not value else value == "true"


def seconds(name: str, default: float) -> float:
    """A whole number of seconds."""
    value = text(name)
    if value and not (value.isascii() and value.isdigit()):
        raise invalid(name, value)
    return float(value) if value else default


def method(name: str) -> str:
    """GET or POST, POST if not given."""
    value = text(name, "POST").upper()
    if value not in {"GET", "POST"}:
        raise invalid(name, value)
    return value


def url(name: str, code: int = 21205) -> str:
    """An absolute http(s) address, or nothing."""
    value = text(name)
    if value and not value.startswith(("http://", "https://")):
        raise RestError(400, code, f"{name} is not a valid URL: {value}")
    return value


def document(required: bool) -> Document | None:
    """What `Url` or `Twiml` ask to run. TwiML that cannot run is refused at once, by name."""
    twiml = text("Twiml")
    if twiml:
        try:
            check(twiml)
        except TwimlError as fault:
            raise RestError(400, fault.code, fault.message) from fault
        return Document(twiml=twiml)
    address = url("Url")
    if address:
        return Document(address, method("Method"))
    if required:
        raise RestError(400, 21205, "Url or Twiml is required")
    return None


NOT_DONE = ("Record", "ConferenceRecord", "SendDigits", "TimeLimit", "ApplicationSid")
"""Known to the provider, without effect here; a call says so on its timeline."""


def note_what_is_not_done(leg: Leg) -> None:
    """Nobody should have to guess why there is no recording."""
    for name in NOT_DONE:
        if text(name).lower() not in {"", "false", "do-not-record"}:
            leg.timeline.add("error", f"{name} has no effect in this exchange")


def fallback() -> Document | None:
    """What `FallbackUrl` asks for."""
    address = url("FallbackUrl")
    return Document(address, method("FallbackMethod")) if address else None


def callback(prefix: str, default_events: str, known: frozenset[str]) -> Callback | None:
    """`…StatusCallback`, `…StatusCallbackMethod` and the repeated `…StatusCallbackEvent`."""
    address = url(f"{prefix}StatusCallback", 21609)
    if not address:
        return None
    asked = " ".join(request.form.getlist(f"{prefix}StatusCallbackEvent")) or default_events
    events = frozenset(asked.replace(",", " ").split())
    if not events <= known:
        raise invalid(f"{prefix}StatusCallbackEvent", asked)
    return Callback(address, method(f"{prefix}StatusCallbackMethod"), events)
