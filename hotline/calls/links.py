"""The addresses a carrier is sent to, made in one place so that who dials and who answers agree."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Links:
    """Absolute addresses under the public URL. Ids in them mean nothing without the carrier's signature."""

    public_url: str

    def _at(self, path: str) -> str:
        return f"{self.public_url}/ivr/{path}"

    def key(self, place: str) -> str:
        """Where a pressed key goes; ``place``: greeting or queue."""
        return self._at(f"key?place={place}")

    def wait(self, turn: int = 0, *, told: int = -1, quiet: int = 0) -> str:
        """What a waiting caller hears; ``told``: the place last said, ``quiet``: rounds since."""
        return self._at(f"wait?turn={turn}&told={told}&quiet={quiet}") if turn else self._at("wait")

    def after_queue(self) -> str:
        """What a caller's line asks when it left the queue."""
        return self._at("after-queue")

    def bridge(self) -> str:
        """What brings a waiting caller into the conference."""
        return self._at("bridge")

    def again(self) -> str:
        """What brings a caller whose operator's line fell back into the queue."""
        return self._at("again")

    def after_call(self) -> str:
        """What a caller's line asks when its conference is over."""
        return self._at("after-call")

    def conference(self) -> str:
        """Where the carrier tells who came into a conference."""
        return self._at("conference")

    def operator(self, leg_id: int) -> str:
        """What an operator's line asks when it is answered."""
        return self._at(f"operator?leg={leg_id}")

    def leg_status(self, leg_id: int) -> str:
        """Where the carrier tells what becomes of an operator's line."""
        return self._at(f"status?leg={leg_id}")

    def stream_status(self) -> str:
        """Where the carrier tells what becomes of a line's stream."""
        return self._at("status?stream=1")

    def callback_officer(self, attempt_id: int) -> str:
        """What a callback officer's line asks when it is answered."""
        return self._at(f"callback/officer?attempt={attempt_id}")

    def callback_citizen(self, attempt_id: int) -> str:
        """What a citizen's line asks when it is answered and an officer waits."""
        return self._at(f"callback/citizen?attempt={attempt_id}")

    def callback_keypad(self, attempt_id: int) -> str:
        """What a citizen's line asks when it is answered and keys are to be pressed."""
        return self._at(f"callback/keypad?attempt={attempt_id}")

    def callback_keyed(self, attempt_id: int, *, wrong: int) -> str:
        """Where the key of a rating goes; ``wrong``: how many were none of those asked for."""
        return self._at(f"callback/keyed?attempt={attempt_id}&wrong={wrong}")

    def callback_status(self, attempt_id: int, party: str) -> str:
        """Where the carrier tells what becomes of a callback's line; ``party``: citizen or officer."""
        return self._at(f"status?attempt={attempt_id}&party={party}")

    def alarm_officer(self, try_id: int, *, turn: int = 0) -> str:
        """What a duty officer's line asks when it is answered; ``turn``: how often the question was put."""
        return self._at(f"alarm/officer?try={try_id}&turn={turn}")

    def alarm_keyed(self, try_id: int, *, turn: int) -> str:
        """Where a duty officer's key goes, or that none was pressed."""
        return self._at(f"alarm/keyed?try={try_id}&turn={turn}")

    def alarm_status(self, try_id: int) -> str:
        """Where the carrier tells what becomes of a duty officer's line."""
        return self._at(f"status?alarm={try_id}")

    def unit_keyed(self, turn: int) -> str:
        """Where the digits of a unit's person go; ``turn``: which question they answer."""
        return self._at(f"unit/keyed?turn={turn}")

    def contact(self, contact_id: int, party: str) -> str:
        """What one side's line of a unit's call to a citizen asks when it is answered; ``party``: unit or citizen."""
        return self._at(f"contact/{party}?contact={contact_id}")

    def contact_over(self, contact_id: int) -> str:
        """What tells the unit's side on the line why the citizen is not rung, and ends it."""
        return self._at(f"contact/over?contact={contact_id}")

    def contact_status(self, contact_id: int, party: str) -> str:
        """Where the carrier tells what becomes of such a line."""
        return self._at(f"status?contact={contact_id}&party={party}")
