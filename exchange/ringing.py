"""Handsets: who holds each leg's, how it rings, and who picks it up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .handsets import Handset, Recordings, Rule, rule_for
from .leg import Leg
from .lines import Lines
from .telephones import Link, Telephone, Telephones

RING_LIMIT_S = 60.0


class Ringing:
    """Telephones nobody holds follow the first rule for their address; those in browsers ring until answered."""

    def __init__(self, lines: Lines, recordings: Recordings, grace_s: float) -> None:
        """No rule yet. `grace_s` is how long a telephone whose browser is gone stays off the hook."""
        self._lines, self._recordings = lines, recordings
        self.rules: list[Rule] = []
        self.telephones = Telephones(grace_s)
        self.handsets: dict[str, Handset] = {}
        """By the leg they speak on, from the ringing to the end of the call."""

    def rule_for(self, address: str) -> Rule:
        """How the telephone at that address answers when nobody holds it."""
        return rule_for(self.rules, address)

    def hand_over(self, leg: Leg, script: Sequence[Mapping[str, Any]]) -> Handset:
        """Give the leg a handset that follows a script."""
        handset = self.handsets[leg.sid] = Handset(leg, script, self._recordings)
        leg.speak = handset.tick
        return handset

    def put_down(self, leg: Leg) -> None:
        """The call is over and nobody needs its handset any more. Call under the lock."""
        self.handsets.pop(leg.sid, None)

    def until_answered(self, leg: Leg, timeout: float, initiated: Callable[[], None]) -> bool:
        """Ring that long; whether the line is open. If not, the leg is over and its status says why.

        `initiated` is called once it is known what will ring. Raises as waiting on the leg does.
        """
        rule = self._called(leg)
        initiated()
        leg.set_status("ringing", "ringing")
        if rule.busy:
            leg.finish("busy")
            return False
        after = None if rule.no_answer else rule.answer_after_s
        if after is not None and after <= timeout:
            leg.wait(lambda: leg.picked_up, after)
        elif not leg.wait(lambda: leg.picked_up, timeout):
            leg.finish("no-answer")
            return False
        leg.answer()
        return True

    def pick_up(self, leg: Leg) -> None:
        """Somebody lifts a ringing handset by hand."""
        with leg.changed:
            leg.picked_up = True
            leg.changed.notify_all()

    def register(self, address: str, link: Link) -> Telephone:
        """A browser will take the calls to this address; one that rings there already, by hand, is the first."""
        telephone = self.telephones.registered(address, link)
        if telephone.leg is None and self.rule_for(address) == Rule(address):
            for leg in self._lines.legs.values():
                if leg.to == address and leg.status == "ringing" and leg.direction != "inbound":
                    self.telephones.attach(telephone, leg, self.handsets[leg.sid].tick)
                    telephone.on_status(leg, "ringing")
                    break
        return telephone

    def register_call(self, leg: Leg, link: Link) -> Telephone:
        """A browser is the telephone of a call that is going on."""
        return self.telephones.of_call(leg, self.handsets[leg.sid].tick, link)

    def _called(self, leg: Leg) -> Rule:
        """How the called telephone will behave; one that somebody holds in a browser rings there, or is busy."""
        with self._lines.lock:
            telephone = self.telephones.at(leg.to)
            if telephone is None:
                rule = self.rule_for(leg.to)
                self.hand_over(leg, rule.script)
                return rule
            handset = self.hand_over(leg, ())
            if any(other.handset_address == leg.to for other in self._lines.legs.values() if other is not leg):
                return Rule(leg.to, busy=True)
            self.telephones.attach(telephone, leg, handset.tick)
            return Rule(leg.to)
