"""The addresses a carrier is sent to, made in one place so that who dials and who answers agree."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Links:
    """Absolute addresses under the public URL. Ids in them mean nothing without the carrier's signature."""

    public_url: str

    def _at(self, path: str) -> str:
        return f"{self.public_url}/ivr/{path}"

    def operator(self, leg_id: int) -> str:
        """What an operator's line asks when it is answered."""
        return self._at(f"operator?leg={leg_id}")

    def leg_status(self, leg_id: int) -> str:
        """Where the carrier tells what becomes of an operator's line."""
        return self._at(f"status?leg={leg_id}")

    def bridge(self, call_id: int) -> str:
        """What brings a waiting caller into the conference."""
        return self._at(f"bridge?call={call_id}")

    def again(self, call_id: int) -> str:
        """What brings a caller whose operator's line fell back into the queue."""
        return self._at(f"again?call={call_id}")

    def callback_officer(self, attempt_id: int) -> str:
        """What a callback officer's line asks when it is answered."""
        return self._at(f"callback/officer?attempt={attempt_id}")

    def callback_keypad(self, attempt_id: int) -> str:
        """What a citizen's line asks when it is answered and keys are to be pressed."""
        return self._at(f"callback/keypad?attempt={attempt_id}")

    def callback_status(self, attempt_id: int, party: str) -> str:
        """Where the carrier tells what becomes of a callback's line; ``party``: citizen or officer."""
        return self._at(f"status?attempt={attempt_id}&party={party}")
