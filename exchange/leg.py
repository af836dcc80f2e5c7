"""One leg: a handset on one side, the application's documents on the other, and what is said between them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any

from .ids import new_sid, now
from .sound import SILENT_FRAME, TICK_S, loudness, mixed
from .surroundings import Place, Tap
from .timeline import Timeline

API_VERSION = "2010-04-01"
VOICE_LOUDNESS = 250
"""Above this a frame counts as somebody speaking."""

ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


@dataclass(frozen=True)
class Document:
    """Where the next TwiML comes from: an address to ask, or the text itself. `params` go along with the request."""

    url: str = ""
    method: str = "POST"
    twiml: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Callback:
    """An address that wants to hear of events; `events` are the provider's words."""

    url: str
    method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})


class CallOver(Exception):
    """The leg has ended; whatever was running for it stops here."""


class Redirected(Exception):
    """The REST API gave the leg other instructions; whatever was running stops here."""

    def __init__(self, document: Document) -> None:
        """`document` is what runs next."""
        super().__init__(document.url or "TwiML")
        self.document = document


class _Cut(Exception):
    def __init__(self, condition: Callable[[], bool]) -> None:
        super().__init__()
        self.condition = condition


class _CutWhen:
    """The block of `Leg.cut_when`. A class, because a type checker must see that it may swallow an exception."""

    def __init__(self, cuts: list[Callable[[], bool]], condition: Callable[[], bool]) -> None:
        self._cuts, self._condition = cuts, condition

    def __enter__(self) -> None:
        self._cuts.append(self._condition)

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> bool:
        self._cuts.remove(self._condition)
        return isinstance(fault, _Cut) and fault.condition is self._condition


class Leg:
    """A call in the provider's sense. State changes happen under the exchange's one lock, `changed` wakes waiters."""

    def __init__(
        self,
        lock: threading.RLock,
        *,
        account_sid: str,
        from_: str,
        to: str,
        direction: str,
        callback: Callback | None = None,
        fallback: Document | None = None,
        parent: Leg | None = None,
    ) -> None:
        """A leg that exists but has not rung yet."""
        self.sid = new_sid("CA")
        self.account_sid, self.from_, self.to, self.direction = account_sid, from_, to, direction
        self.parent, self.callback, self.fallback = parent, callback, fallback
        self.number_sid: str | None = None
        self.status = "queued"
        self.created = now()
        self.updated = self.created
        self.answered: datetime | None = None
        self.ended: datetime | None = None
        self.timeline = Timeline()
        self.changed = threading.Condition(lock)
        self.sequence = 0
        self.on_status: Callable[[Leg, str], None] = lambda leg, event: None

        self.speak: Callable[[], bytes | None] = lambda: None
        """What the handset says in one tick; set by whoever holds the handset."""
        self.hear: Callable[[bytes], None] = lambda frame: None
        """Is given what the handset hears in one tick; set by whoever holds the handset."""
        self.prompt: deque[bytes] = deque()
        self.digits: deque[str] = deque()
        self.listening = False
        self.picked_up = False
        self.room: Place | None = None
        self.streams: list[Tap] = []
        self.heard = bytearray()
        self.heard_limit = 0
        self.ticks = 0
        self.peer_spoke_at: int | None = None

        self._redirect: Document | None = None
        self._cuts: list[Callable[[], bool]] = []

    # -- facts ------------------------------------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        return self.ended is not None

    @property
    def handset_address(self) -> str:
        """Who holds the handset: the caller of an incoming call, the called side of any other."""
        return self.from_ if self.direction == "inbound" else self.to

    @property
    def talking(self) -> bool:
        """Whether somebody else can be heard in the same started room."""
        return self.room is not None and self.room.mixing and len(self.room.members) > 1

    @property
    def peer_quiet_s(self) -> float | None:
        """Seconds since another leg was last heard; None if none was yet."""
        return None if self.peer_spoke_at is None else (self.ticks - self.peer_spoke_at) * TICK_S

    def duration_s(self) -> int:
        """Whole seconds between answer and end (or now)."""
        return 0 if self.answered is None else round(((self.ended or now()) - self.answered).total_seconds())

    def params(self) -> dict[str, str]:
        """What every voice webhook of this leg carries."""
        params = {
            "AccountSid": self.account_sid,
            "ApiVersion": API_VERSION,
            "CallSid": self.sid,
            "CallStatus": self.status,
            "Direction": self.direction,
            "From": self.from_,
            "Caller": self.from_,
            "To": self.to,
            "Called": self.to,
        }
        for party in ("From", "Caller", "To", "Called"):
            country = "CN" if params[party].startswith("+86") else ""
            params |= {f"{party}City": "", f"{party}State": "", f"{party}Zip": "", f"{party}Country": country}
        if self.parent is not None:
            params["ParentCallSid"] = self.parent.sid
        return params

    # -- waiting and interrupting -----------------------------------------------------------------------------------

    def checkpoint(self) -> None:
        """Raise what has come in between: CallOver, Redirected, or the end of a `cut_when` block."""
        with self.changed:
            if self.over:
                raise CallOver
            if self._redirect is not None:
                document, self._redirect = self._redirect, None
                raise Redirected(document)
            for condition in self._cuts:
                if condition():
                    raise _Cut(condition)

    def wait(self, done: Callable[[], bool], timeout: float | None = None) -> bool:
        """Until `done()` (True) or the time is up (False); raises as `checkpoint` does."""
        deadline = None if timeout is None else monotonic() + timeout
        with self.changed:
            while True:
                self.checkpoint()
                if done():
                    return True
                left = None if deadline is None else deadline - monotonic()
                if left is not None and left <= 0:
                    return False
                self.changed.wait(left)

    def pause(self, seconds: float) -> None:
        """Wait that long, unless something comes in between."""
        self.wait(lambda: False, seconds)

    def cut_when(self, condition: Callable[[], bool]) -> _CutWhen:
        """Leave the block, quietly, as soon as the condition holds at a wait inside it."""
        return _CutWhen(self._cuts, condition)

    def redirect(self, document: Document) -> None:
        """Interrupt what is running and run this instead. Streams go on."""
        with self.changed:
            self._redirect = document
            self.updated = now()
            self.changed.notify_all()

    def notify(self) -> None:
        """Wake whoever waits on this leg: something it may wait for has changed."""
        with self.changed:
            self.changed.notify_all()

    # -- life -------------------------------------------------------------------------------------------------------

    def set_status(self, status: str, event: str) -> None:
        """Move on and tell whoever asked to hear of `event`."""
        with self.changed:
            if self.over or self.status == status:
                return
            self.status = status
            self.updated = now()
            if status == "in-progress":
                self.answered = self.updated
            if status in ENDED:
                self.ended = self.updated
            self.timeline.add("status", status)
            self.on_status(self, event)
            self.changed.notify_all()

    def answer(self) -> None:
        """The line is open from here on (nothing if it already is)."""
        if self.answered is None:
            self.set_status("in-progress", "answered")

    def finish(self, status: str = "completed") -> None:
        """End the call; a call that is over stays as it ended."""
        self.set_status(status, "completed")

    def press(self, digits: str) -> None:
        """Keys on the handset; those pressed while nobody gathers are heard by streams only."""
        with self.changed:
            for digit in digits:
                self.timeline.add("digits", digit, gathered=self.listening)
                if self.listening:
                    self.digits.append(digit)
                for stream in self.streams:
                    stream.dtmf(digit)
            self.changed.notify_all()

    def play(self, frames: list[bytes]) -> None:
        """Let the handset hear these frames; returns when they have been heard, or raises when interrupted."""
        with self.changed:
            self.checkpoint()
            self.prompt.extend(frames)
        try:
            self.wait(lambda: not self.prompt)
        finally:
            self.prompt.clear()

    # -- one tick of 20 ms, called by the exchange's clock under the lock -------------------------------------------

    def carry(self, sent: bytes | None, others: bytes | None) -> None:
        """Hand the tick on: to the handset's ear, to its recording and to the streams."""
        self.ticks += 1
        prompt = None
        if self.prompt:
            prompt = self.prompt.popleft()
            if not self.prompt:
                self.changed.notify_all()
        if others is not None and loudness(others) > VOICE_LOUDNESS:
            self.peer_spoke_at = self.ticks
        back = None
        for stream in self.streams:
            back = mixed((back, stream.playback()))
        heard = mixed((prompt, others, back)) or SILENT_FRAME
        self.hear(heard)
        if len(self.heard) < self.heard_limit:
            self.heard += heard
        for stream in self.streams:
            stream.feed(sent or SILENT_FRAME, heard)

    def as_json(self) -> dict[str, Any]:
        """The call as the lab's API shows it, without its timeline."""
        return {
            "sid": self.sid,
            "from": self.from_,
            "to": self.to,
            "handset": self.handset_address,
            "direction": self.direction,
            "status": self.status,
            "over": self.over,
            "talking": self.talking,
            "gathering": self.listening,
            "duration_s": self.duration_s(),
            "created": self.created.isoformat(),
            "parent": self.parent.sid if self.parent else None,
            "streams": [stream.as_json() for stream in self.streams],
        }
