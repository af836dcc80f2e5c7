"""A carrier in memory: remembers what it was asked, refuses or falls silent when told to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hotline.telephony.base import CarrierRefused, CarrierUnreachable, HeadsetPass


@dataclass(slots=True)
class Line:
    """One call as this carrier knows it."""

    provider_id: str
    to: str
    caller_id: str
    url: str
    status_url: str
    ended: bool = False


@dataclass(slots=True)
class Message:
    """One SMS that was sent."""

    provider_id: str
    to: str
    sender: str
    body: str
    status_url: str


@dataclass(slots=True)
class SimulatedTelephony:
    """``hotline.telephony.base.Telephony`` without a network.

    ``faults`` maps a verb (``dial redirect hang_up hold send_message find_message``) to the exception it raises until
    taken out again. ``headsets``: whether browsers may be telephones here. ``on_dial``
    and ``on_redirect``, if set, are told after the fact and may act as the carrier would.
    """

    lines: dict[str, Line] = field(default_factory=dict)
    redirects: list[tuple[str, str]] = field(default_factory=list)
    hung_up: list[str] = field(default_factory=list)
    held: set[tuple[str, str]] = field(default_factory=set)
    messages: list[Message] = field(default_factory=list)
    headsets: bool = False
    faults: dict[str, Exception] = field(default_factory=dict)
    on_dial: Callable[[Line], None] | None = None
    on_redirect: Callable[[str, str], None] | None = None
    _count: int = 0

    def _ask(self, verb: str) -> None:
        if verb in self.faults:
            raise self.faults[verb]

    def _next_id(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count:032x}"

    def go_silent(self) -> None:
        """Answer nothing any more."""
        for verb in ("dial", "redirect", "hang_up", "hold", "send_message", "find_message"):
            self.faults[verb] = CarrierUnreachable("the simulated carrier is silent")

    def dial(self, *, to: str, caller_id: str, url: str, status_url: str, timeout_s: int = 20) -> str:
        """Remember the line and return its id."""
        self._ask("dial")
        line = Line(self._next_id("CA"), to, caller_id, url, status_url)
        self.lines[line.provider_id] = line
        if self.on_dial is not None:
            self.on_dial(line)
        return line.provider_id

    def redirect(self, provider_id: str, url: str) -> None:
        """Remember where the call was sent."""
        self._ask("redirect")
        self.redirects.append((provider_id, url))
        if self.on_redirect is not None:
            self.on_redirect(provider_id, url)

    def hang_up(self, provider_id: str) -> None:
        """End the line; twice is no error."""
        self._ask("hang_up")
        self.hung_up.append(provider_id)
        if provider_id in self.lines:
            self.lines[provider_id].ended = True

    def hold(self, provider_id: str, room: str, *, on: bool) -> None:
        """Remember who is on hold where; refuses a line that has ended."""
        self._ask("hold")
        if provider_id in self.hung_up:
            raise CarrierRefused("no such call in that conference")
        (self.held.add if on else self.held.discard)((provider_id, room))

    def is_held(self, provider_id: str, room: str) -> bool:
        """Whether the line is on hold."""
        self._ask("hold")
        return (provider_id, room) in self.held

    def headset_pass(self, name: str) -> HeadsetPass | None:
        """A pass that opens nothing, if ``headsets``."""
        return HeadsetPass("exchange", f"pass-of-{name}", "ws://127.0.0.1:9/line", 3600) if self.headsets else None

    def send_message(self, *, to: str, sender: str, body: str, status_url: str) -> str:
        """Remember the message and return its id."""
        self._ask("send_message")
        message = Message(self._next_id("SM"), to, sender, body, status_url)
        self.messages.append(message)
        return message.provider_id

    def find_message(self, *, to: str, body: str) -> str | None:
        """Return the newest message with exactly this body to ``to``."""
        self._ask("find_message")
        found = (message.provider_id for message in reversed(self.messages) if (message.to, message.body) == (to, body))
        return next(found, None)
