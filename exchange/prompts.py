"""Which recording says a text, or how long saying it would take."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from .sound import frames_of, hurried, mulaw_of_file, silence

SECONDS_PER_WIDE_CHARACTER = 0.2
SECONDS_PER_NARROW_CHARACTER = 0.06
SENTENCE = re.compile(r"[^。！？；!?;\n]+[。！？；!?;\n]*")


def normalised(text: str) -> str:
    """The text without spaces, punctuation and letter case: what is left is what is heard."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in folded if unicodedata.category(sign)[0] in "LNM")


def spoken_seconds(text: str) -> float:
    """About how long a voice takes for this text."""
    wide = sum(1 for sign in text if unicodedata.east_asian_width(sign) in "WF")
    return max(0.2, wide * SECONDS_PER_WIDE_CHARACTER + (len(text) - wide) * SECONDS_PER_NARROW_CHARACTER)


@dataclass(frozen=True)
class Speech:
    """Frames to play and the recordings they come from (empty: silence of the estimated length)."""

    frames: list[bytes]
    recordings: tuple[str, ...]


class Prompts:
    """The shipped announcements: pairs NAME.wav + NAME.txt in one folder (none: everything is silence)."""

    def __init__(self, folder: Path | None, speed: float = 1.0) -> None:
        """Read the texts; sounds are read when first spoken. `speed` hurries everything spoken."""
        self._speed = speed
        self._files: dict[str, Path] = {}
        for text in sorted(folder.glob("*.txt")) if folder else ():
            if text.with_suffix(".wav").is_file():
                self._files[normalised(text.read_text("utf-8"))] = text.with_suffix(".wav")
        self._files.pop("", None)

    def say(self, text: str) -> Speech:
        """The recording of this text, several one after another if they make it up; a sentence that nobody recorded
        is silence as long."""
        whole = self._cover(normalised(text))
        parts = [(text, whole)] if whole else [(part, self._cover(normalised(part))) for part in SENTENCE.findall(text)]
        frames: list[bytes] = []
        for part, found in parts:
            if not found:
                frames += silence(spoken_seconds(part))
            for path in found:
                frames += frames_of(mulaw_of_file(path))
        recordings = tuple(path.stem for _, found in parts for path in found)
        return Speech(self.hurried(frames or silence(0)), recordings)

    def hurried(self, frames: list[bytes]) -> list[bytes]:
        """Any other sound at the speed of the prompts."""
        return hurried(frames, self._speed)

    def _cover(self, text: str) -> list[Path]:
        """Known sentences that, one after another, are exactly this text; longest first, or nothing."""
        reachable: dict[int, list[Path]] = {0: []}
        for start in range(len(text)):
            if start not in reachable:
                continue
            for sentence, path in self._files.items():
                end = start + len(sentence)
                if text.startswith(sentence, start) and end not in reachable:
                    reachable[end] = [*reachable[start], path]
        return reachable.get(len(text), []) if text else []
