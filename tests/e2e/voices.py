"""Recorded people at a browser's microphone, and whether what arrived is what they said."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hotline.demo.places import VOICES

Sound = NDArray[np.float64]

LINE_HZ, BROWSER_HZ = 8000, 48000
PAUSE_S = 2.0
ENVELOPE = LINE_HZ // 50  # one value per 20 ms
SILENT = 0.002  # of full scale: the codec's own noise lies below


def recorded(name: str) -> Sound:
    """A demo voice (``callers/d15.wav``), -1 to 1 at 8 kHz."""
    return read((VOICES / name).read_bytes())


def read(file: bytes) -> Sound:
    """A mono WAV of 16 bits at 8 kHz, -1 to 1."""
    with wave.open(io.BytesIO(file)) as wav:
        assert (wav.getnchannels(), wav.getsampwidth(), wav.getframerate()) == (1, 2, LINE_HZ)
        return np.frombuffer(wav.readframes(wav.getnframes()), "<i2").astype(float) / 32768


def for_browser(path: Path, names: Sequence[str]) -> Path:
    """Write what a browser takes for a microphone, over and over: these voices with pauses, 48 kHz mono."""
    pause = np.zeros(int(PAUSE_S * LINE_HZ))
    whole = np.concatenate([part for name in names for part in (recorded(name), pause)])
    at = np.arange(len(whole) * BROWSER_HZ // LINE_HZ) * LINE_HZ / BROWSER_HZ
    samples = np.interp(at, np.arange(len(whole)), whole)
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(BROWSER_HZ)
        wav.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def likeness(heard: Sound, said: Sound) -> float:
    """How much the loudness of ``said`` is found again somewhere in ``heard``: 1, the very same; about 0.3, chance.

    Loudness and not samples: the browser's cleaning of a voice moves phases about, its rise and fall it leaves.
    """
    ours, theirs = envelope(said), envelope(heard)
    if len(theirs) < len(ours):
        return 0.0
    ours = (ours - ours.mean()) / (ours.std() + 1e-9)
    windows = np.lib.stride_tricks.sliding_window_view(theirs, len(ours))
    centred = windows - windows.mean(axis=1, keepdims=True)
    return float((centred @ ours / len(ours) / (windows.std(axis=1) + 1e-9)).max())


def envelope(sound: Sound) -> Sound:
    """The loudness of every 20 ms."""
    whole = sound[: len(sound) // ENVELOPE * ENVELOPE].reshape(-1, ENVELOPE)
    return np.asarray(np.sqrt((whole**2).mean(axis=1)))


def silent(sound: Sound) -> bool:
    """Whether nothing at all can be heard."""
    return bool(envelope(sound).max(initial=0) < SILENT)
