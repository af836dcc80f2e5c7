"""The engine of a site without a model: calls go on, nothing is heard."""

from __future__ import annotations

from hotline.speech.base import Heard


class SilentRecogniser:
    """Takes sound and hears nothing."""

    def accept(self, pcm: bytes) -> list[Heard]:
        """Return nothing."""
        return []

    def pause(self) -> list[Heard]:
        """Return nothing."""
        return []

    def finish(self) -> list[Heard]:
        """Return nothing."""
        return []


class SilentEngine:
    """Opens silent recognisers. Its name ``none`` is what pages and the timeline show."""

    name = "none"
    sample_rate = 8000

    def open(self) -> SilentRecogniser:
        """Return a recogniser that hears nothing."""
        return SilentRecogniser()
