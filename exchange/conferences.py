"""Conferences: rooms with a name, a beginning, an end, and an application that wants to hear of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from .ids import new_sid, now, rfc2822
from .leg import Callback, Leg
from .rooms import Member, Room
from .sound import tone
from .timeline import Timeline

BEEP_HERTZ, BEEP_S = 440, 0.2
KEEP = 200
HELD = "(通话保持)"
"""Where the real service plays music, here is silence; that it is on purpose, a caption says."""

LEFT, KICKED = "left", "kicked"
"""How a participant went; put into `ReasonConferenceEnded` when that ended the conference."""
HUNG_UP = "participant_hung_up"
UPDATED = "participant_updated_via_api"
ENDED_BY_API = "conference_ended_via_api"
ENDED_BY_MODERATOR = "moderator_ended_conference"
"""Words for `ReasonParticipantLeft`: sent elsewhere or put out, both by the REST API, is an update to the provider."""


@dataclass(frozen=True)
class Event:
    """One line of a conference's story, as its status callback tells it; `subject` is the leg it is about."""

    name: str
    asked_as: str
    subject: Member | None = None
    reason: str = ""


class Conference(Room):
    """Starts mixing when two are in and one of all who entered may start it; ends with the last one or with a leg
    that takes it along."""

    def __init__(self, name: str, tell: Callable[[Conference, Event], None]) -> None:
        """`tell` is called with each event, under the exchange's lock."""
        super().__init__(mixing=False)
        self.sid = new_sid("CF")
        self.name = name
        self.status = "init"
        self.created = self.updated = now()
        self.ended_because: str | None = None
        self.ended_by: Member | None = None
        self.callback: Callback | None = None
        self.sequence = 0
        self.timeline = Timeline()
        self._tell = tell

    def enter(self, member: Member, callback: Callback | None, beep: str) -> None:
        """A leg comes in. The first callback given counts, as on the real service."""
        with member.leg.changed:
            self.callback = self.callback or callback
            self.join(member)
            self._change("participant-join", "join", member)
            if member.start_on_enter and self.status == "init":
                self.status = "in-progress"
            if self.status == "in-progress" and not self.mixing and len(self.members) > 1:
                self.mixing = True
                self._change("conference-start", "start")
            if self.mixing and beep in {"true", "onEnter"}:
                for other in (one for one in self.members.values() if not one.hold):
                    other.leg.prompt.extend(tone(BEEP_HERTZ, BEEP_S))
            self.wake()

    def exit(self, leg: Leg, reason: str = HUNG_UP, manner: str = LEFT) -> None:
        """A leg goes (nothing if it has gone already) and may take the conference along."""
        with leg.changed:
            member = self.members.get(leg.sid)
            if member is None:
                return
            self.leave(leg)
            leg.notify()
            self._change("participant-leave", "leave", member, reason)
            if member.end_on_exit:
                self.end(f"participant-with-end-conference-on-exit-{manner}", member)
            elif not self.members:
                self.end(f"last-participant-{manner}", member)

    def end(self, reason: str, by: Member | None = None) -> None:
        """Everybody out; a conference that has ended stays as it is. `by`: whose going ended it."""
        if self.status == "completed":
            return
        self.status = "completed"
        self.ended_because, self.ended_by = reason, by
        others_leave = ENDED_BY_API if by is None else ENDED_BY_MODERATOR
        for member in list(self.members.values()):
            self.leave(member.leg)
            member.leg.notify()
            self._change("participant-leave", "leave", member, others_leave)
        self._change("conference-end", "end", reason=reason)

    def set_muted(self, member: Member, muted: bool) -> None:
        """Let the others hear this leg, or not."""
        if member.muted != muted:
            member.muted = muted
            self._change("participant-mute" if muted else "participant-unmute", "mute", member)

    def set_hold(self, member: Member, hold: bool) -> None:
        """A leg on hold neither hears nor is heard."""
        if member.hold != hold:
            member.hold = hold
            if hold:
                member.leg.timeline.add("caption", HELD)
            self._change("participant-hold" if hold else "participant-unhold", "hold", member)

    def set_coaching(self, member: Member, coached: str | None) -> None:
        """Only the leg of that identifier hears this one from now on; None: everybody."""
        if member.coaching != coached:
            member.coaching = coached
            self._change("participant-modify", "modify", member)

    def _change(self, name: str, asked_as: str, subject: Member | None = None, reason: str = "") -> None:
        self.updated = now()
        if subject is not None:
            subject.updated = self.updated
        self._tell(self, Event(name, asked_as, subject, reason))

    def event_params(self, event: Event, account_sid: str) -> dict[str, str]:
        """The form a status callback carries for this event."""
        self.sequence += 1
        params = {
            "AccountSid": account_sid,
            "ConferenceSid": self.sid,
            "FriendlyName": self.name,
            "StatusCallbackEvent": event.name,
            "SequenceNumber": str(self.sequence),
            "Timestamp": rfc2822(now()) or "",
        }
        member = event.subject
        if member is not None:
            params |= {
                "CallSid": member.leg.sid,
                "Muted": str(member.muted).lower(),
                "Hold": str(member.hold).lower(),
                "Coaching": str(member.coaching is not None).lower(),
                "StartConferenceOnEnter": str(member.start_on_enter).lower(),
                "EndConferenceOnExit": str(member.end_on_exit).lower(),
            }
            if member.label:
                params["ParticipantLabel"] = member.label
            if event.name == "participant-leave":
                params |= {"ReasonParticipantLeft": event.reason, "ParticipantCallStatus": member.leg.status}
        if event.name == "conference-end":
            params |= {"ReasonConferenceEnded": event.reason, "Reason": event.reason.replace("-", " ")}
            if self.ended_by is not None:
                params["CallSidEndingConference"] = self.ended_by.leg.sid
                if self.ended_by.label:
                    params["ParticipantLabelEndingConference"] = self.ended_by.label
        return params


class Conferences:
    """All conferences by identifier, the running ones by name too; ended ones are kept up to a number."""

    def __init__(self, tell: Callable[[Conference, Event], None]) -> None:
        """`tell` hears every event of every conference."""
        self._tell = tell
        self._all: OrderedDict[str, Conference] = OrderedDict()

    def all(self) -> list[Conference]:
        """Oldest first."""
        return list(self._all.values())

    def named(self, name: str) -> Conference:
        """The running conference of that name, opened if there is none. Call under the lock."""
        found = self.running(name)
        if found is None:
            found = Conference(name, self._tell)
            self._all[found.sid] = found
            ended = [sid for sid, one in self._all.items() if not one.members and one is not found]
            for sid in ended[: max(0, len(self._all) - KEEP)]:
                del self._all[sid]
        return found

    def running(self, name: str) -> Conference | None:
        """The running conference of that name or identifier."""
        for conference in self._all.values():
            if conference.status != "completed" and name in {conference.name, conference.sid}:
                return conference
        return None

    def get(self, sid: str) -> Conference | None:
        """A conference by identifier, running or ended."""
        return self._all.get(sid)
