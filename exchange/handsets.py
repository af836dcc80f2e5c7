"""Telephones nobody holds: how they answer, and what they say, press and wait for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from .leg import Leg
from .prompts import Prompts, normalised
from .sound import TICK_S, SoundError, frames_of, mulaw_of_file

GIVE_UP_S = 60.0
BETWEEN_KEYS_S = 0.2
KEYS = frozenset("0123456789*#ABCD")
STEPS = frozenset({"say_wav", "say_text", "wait_s", "press", "wait_for", "hang_up"})
STATES = frozenset({"talking", "bridged", "joined", "digits_prompt"})
CONDITIONS = frozenset({"caption", "state", "peer_silent_s"})


class ScriptError(ValueError):
    """A script or rule that cannot be played; the text names the fault."""


class Recordings:
    """The WAV files handsets may play: inside the media folders, with their text beside them if there is one."""

    def __init__(self, folders: Sequence[Path], prompts: Prompts) -> None:
        """`prompts` lends its estimate when a text has no recording."""
        self.folders = tuple(folder.resolve() for folder in folders)
        self._prompts = prompts

    def find(self, name: str) -> Path:
        """The file of that name, absolute or within a media folder. Raises ScriptError for anything else."""
        for folder in self.folders:
            path = (folder / name).resolve()
            if path.is_relative_to(folder) and path.is_file():
                return path
        raise ScriptError(f"{name!r} is in no media folder")

    def frames(self, name: str) -> tuple[list[bytes], str]:
        """What a recording sounds like and its text (empty if none is kept). Raises ScriptError."""
        path = self.find(name)
        try:
            return frames_of(mulaw_of_file(path)), text_beside(path)
        except SoundError as fault:
            raise ScriptError(f"{name!r}: {fault}") from fault

    def frames_saying(self, text: str) -> tuple[list[bytes], str]:
        """A recording with that very text from the media folders, else what the prompts make of it."""
        wanted = normalised(text)
        for folder in self.folders:
            for path in sorted(folder.rglob("*.txt")):
                if path.with_suffix(".wav").is_file() and normalised(path.read_text("utf-8")) == wanted:
                    return self.frames(str(path.with_suffix(".wav")))
        return self._prompts.say(text).frames, text

    def listing(self, folder: Path | None) -> list[dict[str, str]]:
        """File and text of every recording in one folder, for people to choose from."""
        found = sorted(folder.resolve().glob("*.wav")) if folder else []
        return [{"wav": str(path), "name": path.stem, "text": text_beside(path)} for path in found]


def text_beside(path: Path) -> str:
    """The text kept beside a recording, or nothing."""
    text = path.with_suffix(".txt")
    return text.read_text("utf-8").strip() if text.is_file() else ""


def checked_script(script: Any, recordings: Recordings) -> list[dict[str, Any]]:
    """The script itself if it can be played. Raises ScriptError naming the step at fault."""
    if not isinstance(script, list):
        raise ScriptError("a script is a list of steps")
    for at, step in enumerate(script, 1):
        try:
            _check_step(step, recordings)
        except ScriptError as fault:
            raise ScriptError(f"step {at}: {fault}") from fault
    return script


def _check_step(step: Any, recordings: Recordings) -> None:
    kinds = [name for name in step if name in STEPS] if isinstance(step, dict) else []
    if len(kinds) != 1 or step.keys() - {*kinds, "timeout_s"}:
        raise ScriptError(f"not one of {', '.join(sorted(STEPS))}: {step!r}")
    kind, value = kinds[0], step[kinds[0]]
    if kind == "say_wav":
        recordings.frames(str(value))
    elif kind == "press":
        if not isinstance(value, str) or not value or not set(value) <= KEYS:
            raise ScriptError(f"not keys of a telephone: {value!r}")
    elif kind == "wait_s":
        if not isinstance(value, int | float) or value < 0:
            raise ScriptError(f"not a time: {value!r}")
    elif kind == "wait_for":
        wanted = _condition(value)
        if len(wanted) != 1 or not wanted.keys() <= CONDITIONS or wanted.get("state", "joined") not in STATES:
            raise ScriptError(f"cannot wait for {value!r}")


def _condition(value: Any) -> dict[str, Any]:
    """`"talking"` and `"caption text"` are short for `{"state": …}` and `{"caption": …}`."""
    if isinstance(value, str):
        return {"state": value} if value in STATES else {"caption": value}
    return value if isinstance(value, dict) else {}


@dataclass(frozen=True)
class Rule:
    """How telephones whose address matches (`client:*`, `+861990000*`) answer. None of the flags: they ring, until
    somebody answers by hand or the caller gives up."""

    address: str
    answer_after_s: float | None = None
    busy: bool = False
    no_answer: bool = False
    undeliverable: bool = False
    """Messages to it fail (30003)."""
    script: tuple[dict[str, Any], ...] = field(default_factory=tuple)

    @classmethod
    def of(cls, given: Any, recordings: Recordings) -> Rule:
        """A rule from its JSON form. Raises ScriptError."""
        known = cls.__dataclass_fields__.keys()
        if not isinstance(given, dict) or not isinstance(given.get("address"), str) or given.keys() - known:
            raise ScriptError(f"a rule has an address and some of {', '.join(sorted(known))}: {given!r}")
        after = given.get("answer_after_s")
        if after is not None and (not isinstance(after, int | float) or after < 0):
            raise ScriptError(f"answer_after_s is not a time: {after!r}")
        script = tuple(checked_script(given.get("script", []), recordings))
        if script and after is None:
            after = 0.0
        flags = {name: bool(given.get(name)) for name in ("busy", "no_answer", "undeliverable")}
        return cls(given["address"], after, script=script, **flags)

    def as_json(self) -> dict[str, Any]:
        """The rule as it was put."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "script"} | {
            "script": list(self.script)
        }


def rule_for(rules: Sequence[Rule], address: str) -> Rule:
    """The first rule that matches, or one that only rings."""
    return next((rule for rule in rules if fnmatchcase(address, rule.address)), Rule(address))


class Handset:
    """The mouth and the hands of one leg, moved on by the clock under the lock."""

    def __init__(self, leg: Leg, script: Sequence[Mapping[str, Any]], recordings: Recordings) -> None:
        """The script begins when the line opens."""
        self._leg = leg
        self._recordings = recordings
        self._mouth: deque[bytes] = deque()
        self._steps = self._play(list(script))
        self._captions_seen = 0
        self._spoke_at = 0

    def tick(self) -> bytes | None:
        """Do what is due and give this tick's sound."""
        next(self._steps, None)
        return self._mouth.popleft() if self._mouth else None

    def follow(self, script: Sequence[Mapping[str, Any]]) -> None:
        """Drop what is left of the script and follow this one, from captions heard from now on."""
        with self._leg.changed:
            self._captions_seen = len(self._leg.timeline.entries)
            self._steps = self._play(list(script))

    def say(self, wav: str) -> None:
        """Speak a recording after what is being said. Raises ScriptError."""
        self._speak(*self._recordings.frames(wav))

    def say_text(self, text: str) -> None:
        """Speak this text: its recording if there is one."""
        self._speak(*self._recordings.frames_saying(text))

    def _speak(self, frames: list[bytes], text: str) -> None:
        with self._leg.changed:
            self._spoke_at = self._leg.ticks
            self._mouth.extend(frames)
            self._leg.timeline.add("said", text or "(sound)")
            if self._leg.room is not None:
                self._leg.room.overhear(self._leg.sid, text or "(sound)")

    def _play(self, script: list[Mapping[str, Any]]) -> Iterator[None]:
        """One step after another; every `yield` is one tick."""
        for step in script:
            if "say_wav" in step or "say_text" in step:
                (self.say if "say_wav" in step else self.say_text)(step.get("say_wav") or step["say_text"])
                while self._mouth:
                    yield
            elif "wait_s" in step:
                yield from self._wait(step["wait_s"])
            elif "press" in step:
                for key in step["press"]:
                    self._leg.press(key)
                    yield from self._wait(BETWEEN_KEYS_S)
            elif "wait_for" in step:
                patience = step.get("timeout_s", GIVE_UP_S)
                yield from self._wait_for(_condition(step["wait_for"]), patience)
                if self._leg.over:
                    return
            elif step["hang_up"]:
                self._leg.timeline.add("script", "hangs up")
                self._leg.finish()
                return

    @staticmethod
    def _wait(seconds: float) -> Iterator[None]:
        for _ in range(round(seconds / TICK_S)):
            yield

    def _wait_for(self, wanted: dict[str, Any], patience_s: float) -> Iterator[None]:
        for _ in range(round(patience_s / TICK_S)):
            if self._holds(wanted):
                return
            yield
        self._leg.timeline.add("error", f"the script gave up waiting for {wanted}")
        self._leg.finish()

    def _holds(self, wanted: dict[str, Any]) -> bool:
        leg = self._leg
        if "peer_silent_s" in wanted:
            # Only an answer to what this handset said last counts, not what was said before it.
            answered = leg.peer_spoke_at is not None and leg.peer_spoke_at > self._spoke_at
            return answered and (leg.peer_quiet_s or 0) >= wanted["peer_silent_s"]
        if "caption" in wanted:
            return self._heard(normalised(wanted["caption"]))
        return {
            "talking": leg.talking,
            "bridged": leg.talking,
            "joined": leg.room is not None,
            "digits_prompt": leg.listening,
        }[wanted["state"]]

    def _heard(self, text: str) -> bool:
        """Whether a caption after the last one waited for contains the text."""
        entries = self._leg.timeline.entries
        while self._captions_seen < len(entries):
            entry = entries[self._captions_seen]
            self._captions_seen += 1
            if entry.kind == "caption" and text in normalised(entry.text):
                return True
        return False
