"""Telephones somebody holds in a browser: where they are registered, and their mouth and ear on a leg."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from .leg import Leg
from .sound import TICK_S, frames_of

LATE_FRAMES = 20
"""400 ms: sound older than that is dropped, or two people would drift apart."""
GATHERED_FRAMES = 5
"""100 ms are gathered after a gap before speaking on: browsers send in uneven steps."""

REPLACED = 4001


class Link(Protocol):
    """One socket to a browser. Neither call waits for it."""

    def tell(self, event: str, **facts: Any) -> None:
        """Words: an event of the line's protocol."""

    def sound(self, frame: bytes) -> None:
        """20 ms for the ear; the oldest are dropped when it does not keep up."""

    def end(self, code: int) -> None:
        """Close it, after what was told."""


class Mouth:
    """Sound on its way from a browser to the line: evened out a little, never more than 400 ms old."""

    def __init__(self) -> None:
        """Silent."""
        self._frames: deque[bytes] = deque(maxlen=LATE_FRAMES)
        self._gathering = True
        self._waited = 0

    def take(self, mulaw: bytes) -> None:
        """What the browser sent; what does not fill a frame is filled up with silence."""
        self._frames.extend(frames_of(mulaw))

    def clear(self) -> None:
        """Forget what has not been spoken."""
        self._frames.clear()

    def tick(self) -> bytes | None:
        """The next 20 ms, or nothing while there is none or too little."""
        if not self._frames:
            self._gathering, self._waited = True, 0
            return None
        if self._gathering:
            self._waited += 1
            self._gathering = len(self._frames) < GATHERED_FRAMES and self._waited < GATHERED_FRAMES
            if self._gathering:
                return None
        return self._frames.popleft()


class Telephone:
    """One address, or one call, that a browser holds. Changed under the exchange's lock only.

    A lost socket does not put it down: for `grace_s` of an open line another may take it up; then it hangs up.
    """

    def __init__(self, address: str, grace_s: float) -> None:
        """Nobody holds it yet."""
        self.address = address
        self.link: Link | None = None
        self.leg: Leg | None = None
        self._grace_ticks = round(grace_s / TICK_S)
        self._reset()

    def _reset(self) -> None:
        self._mouth = Mouth()
        self._muted = False
        self._held = False
        self._seen = 0
        self._alone = 0

    def take_up(self, link: Link) -> None:
        """This browser holds it from now on, and hears how things stand; the one before is told and let go."""
        before, self.link = self.link, link
        if before is not None:
            before.tell("replaced")
            before.end(REPLACED)
        link.tell("registered", address=self.address)
        self._alone = 0
        self._muted = False  # whoever takes it up says anew whether its microphone is closed
        leg = self.leg
        if leg is None:
            return
        leg.timeline.add("line", "taken up by a browser")
        if leg.answered is not None:
            link.tell("answered", call=leg.sid)
            if self._held:
                link.tell("held", on=True)
        elif leg.status == "ringing" and leg.direction != "inbound":
            self._tell_of_ringing(leg)

    def lost(self, link: Link) -> None:
        """That socket is gone; nothing if another has taken over since."""
        if self.link is link:
            self.link = None
            self._mouth.clear()
            if self.leg is not None:
                self.leg.timeline.add("line", "lost, the telephone stays open for a while")

    def attach(self, leg: Leg, script: Callable[[], bytes | None]) -> None:
        """Be the mouth and the ear of this leg. `script` may play a recording, which is then heard instead."""
        self._reset()
        self.leg = leg
        self._seen = len(leg.timeline.entries)
        leg.speak = lambda: self._speak(leg, script())
        leg.hear = lambda frame: self._hear(leg, frame)

    def on_status(self, leg: Leg, event: str) -> None:
        """The leg has moved on."""
        if event == "ringing":
            self._tell_of_ringing(leg)
        elif event == "answered":
            self._tell("answered", call=leg.sid)
        elif leg.over:
            self._tell_captions(leg)
            self._tell("ended", call=leg.sid, reason=leg.status)
            self.leg = None

    def take(self, mulaw: bytes) -> None:
        """Sound from the browser; without effect unless the line is open and the microphone is."""
        if self.leg is not None and self.leg.answered is not None and not self._muted:
            self._mouth.take(mulaw)

    def mute(self, on: bool) -> None:
        """Close or open the microphone."""
        self._muted = on
        if on:
            self._mouth.clear()

    def _speak(self, leg: Leg, recorded: bytes | None) -> bytes | None:
        if self.link is None:
            self._alone += 1
            if self._alone > self._grace_ticks:
                leg.timeline.add("line", "line lost")
                leg.finish()
                return None
        spoken = self._mouth.tick()
        return spoken if recorded is None else recorded

    def _hear(self, leg: Leg, frame: bytes) -> None:
        held = leg.room is not None and leg.room.holds(leg.sid)
        if held != self._held:
            self._held = held
            self._tell("held", on=held)
        self._tell_captions(leg)
        if self.link is not None:
            self.link.sound(frame)

    def _tell_captions(self, leg: Leg) -> None:
        entries = leg.timeline.entries
        while self._seen < len(entries):
            entry = entries[self._seen]
            self._seen += 1
            if entry.kind == "caption":
                self._tell("caption", text=entry.text)

    def _tell_of_ringing(self, leg: Leg) -> None:
        self._tell("ringing", call=leg.sid, **{"from": leg.from_})

    def _tell(self, event: str, **facts: Any) -> None:
        if self.link is not None:
            self.link.tell(event, **facts)


class Telephones:
    """All telephones in browsers, by address and by the call they are on. Used under the exchange's lock only."""

    def __init__(self, grace_s: float) -> None:
        """None; `grace_s` as for Telephone."""
        self._grace_s = grace_s
        self._at: dict[str, Telephone] = {}
        self._on: dict[str, Telephone] = {}

    def at(self, address: str) -> Telephone | None:
        """The one registered for this address."""
        return self._at.get(address)

    def waiting_for_calls(self, leg: Leg) -> bool:
        """Whether this leg is on a telephone that registered for its address, not for this one call."""
        telephone = self._on.get(leg.sid)
        return telephone is not None and self._at.get(telephone.address) is telephone

    def registered(self, address: str, link: Link) -> Telephone:
        """A browser registers for an address: calls to it ring there, until the socket is gone and no call is on."""
        telephone = self._at.setdefault(address, Telephone(address, self._grace_s))
        telephone.take_up(link)
        return telephone

    def of_call(self, leg: Leg, script: Callable[[], bytes | None], link: Link) -> Telephone:
        """A browser registers for one call, until that is over."""
        telephone = self._on.get(leg.sid)
        if telephone is None:
            telephone = Telephone(leg.handset_address, self._grace_s)
            self.attach(telephone, leg, script)
        telephone.take_up(link)
        return telephone

    def attach(self, telephone: Telephone, leg: Leg, script: Callable[[], bytes | None]) -> None:
        """This leg is on that telephone until it is over."""
        self._on[leg.sid] = telephone
        telephone.attach(leg, script)

    def on_status(self, leg: Leg, event: str) -> None:
        """Tell the leg's telephone, if it has one; after the end it is free again."""
        telephone = self._on.get(leg.sid)
        if telephone is not None:
            telephone.on_status(leg, event)
            if leg.over:
                del self._on[leg.sid]
                self._forget_if_put_down(telephone)

    def lost(self, telephone: Telephone, link: Link) -> None:
        """The socket of that telephone is gone."""
        telephone.lost(link)
        self._forget_if_put_down(telephone)

    def _forget_if_put_down(self, telephone: Telephone) -> None:
        if telephone.link is None and telephone.leg is None and self._at.get(telephone.address) is telephone:
            del self._at[telephone.address]
