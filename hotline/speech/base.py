"""What the hotline asks of a speech recogniser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Heard:
    """Words heard on one leg. Times are milliseconds since the leg's first frame; a partial may still change."""

    text: str
    final: bool
    start_ms: int
    end_ms: int


class Recogniser(Protocol):
    """Listens to one leg. Not safe to call from two threads at once."""

    def accept(self, pcm: bytes) -> list[Heard]:
        """Take 16-bit mono 8 kHz sound; return what is new: final results first, then at most one changed partial."""
        ...

    def pause(self) -> list[Heard]:
        """Nothing more comes for a while: return what was open as final. Hearing goes on with the next ``accept``."""
        ...

    def finish(self) -> list[Heard]:
        """Return what was still open and release the memory. The recogniser is unusable afterwards."""
        ...


class SpeechEngine(Protocol):
    """A loaded model, shared by every leg of a process."""

    name: str
    sample_rate: int

    def open(self) -> Recogniser:
        """Return a recogniser of its own for one leg."""
        ...
