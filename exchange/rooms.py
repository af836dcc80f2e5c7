"""Who hears whom: two ends of a dialled call, or a conference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .ids import now
from .leg import Leg
from .sound import mixed


@dataclass
class Member:
    """One leg's place in a room. `coaching` is the only leg that hears it, if set."""

    leg: Leg
    muted: bool = False
    hold: bool = False
    coaching: str | None = None
    label: str | None = None
    start_on_enter: bool = True
    end_on_exit: bool = False
    joined: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)


class Room:
    """Legs that hear each other, as long as the room is `mixing`. Changed under the exchange's lock only."""

    def __init__(self, mixing: bool = True) -> None:
        """An empty room."""
        self.mixing = mixing
        self.members: dict[str, Member] = {}

    def join(self, member: Member) -> None:
        """From now on this leg hears and is heard here."""
        with member.leg.changed:
            self.members[member.leg.sid] = member
            member.leg.room = self
            self.wake()

    def leave(self, leg: Leg) -> None:
        """The leg is out (nothing if it was not in)."""
        with leg.changed:
            if self.members.pop(leg.sid, None) is not None:
                leg.room = None
            self.wake()

    def wake(self) -> None:
        """Let every member see that the room has changed."""
        for member in self.members.values():
            member.leg.notify()

    def heard_by(self, sid: str, spoken: Mapping[str, bytes | None]) -> bytes | None:
        """The sum of what all the others say in this tick, for one member."""
        return mixed(spoken.get(other) for other in self.members if self._reaches(other, sid))

    def holds(self, sid: str) -> bool:
        """Whether this member neither hears nor is heard for now."""
        member = self.members.get(sid)
        return member is not None and member.hold

    def overhear(self, sid: str, text: str) -> None:
        """Note what this member says on the timelines of all who hear it now."""
        for other, member in self.members.items():
            if self._reaches(sid, other):
                member.leg.timeline.add("peer", text, sid=sid)

    def _reaches(self, speaker: str, listener: str) -> bool:
        """Whether one member's voice reaches another."""
        if not self.mixing or speaker == listener or self.members[listener].hold:
            return False
        member = self.members[speaker]
        return not member.muted and not member.hold and member.coaching in {None, listener}
