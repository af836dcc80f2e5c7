"""Recordings: any 16-bit WAV brought to telephone sound, and heard the way a live leg is heard."""

from __future__ import annotations

import math
import sys
import wave
from array import array
from operator import mul
from pathlib import Path

from hotline.speech.base import Heard, SpeechEngine
from hotline.speech.sound import CHUNK_BYTES, RATE, audioop, mulaw_of, pcm_of

_ZERO_CROSSINGS = 16  # each side: flat to 3.6 kHz at 8 kHz, and 60 dB down where aliases would fold back


def read_wav(path: Path) -> bytes:
    """Return the recording as mu-law at 8 kHz.

    Takes 16-bit WAV of one or two channels at any rate; raises ``ValueError`` with the file's name otherwise.
    """
    try:
        with wave.open(str(path), "rb") as clip:
            width, channels, rate = clip.getsampwidth(), clip.getnchannels(), clip.getframerate()
            pcm = clip.readframes(clip.getnframes())
    except (wave.Error, EOFError) as fault:
        raise ValueError(f"{path.name}: not a WAV file ({fault})") from fault
    if width != 2 or channels not in (1, 2):
        raise ValueError(f"{path.name}: wants 16-bit mono or stereo, has {8 * width} bits in {channels} channels")
    if channels == 2:
        pcm = audioop.tomono(pcm, 2, 0.5, 0.5)
    return mulaw_of(resample(pcm, rate))


def resample(pcm: bytes, rate: int) -> bytes:
    """Return 16-bit PCM of ``rate`` brought to 8 kHz, by a windowed sinc: linear interpolation folds hiss back in."""
    if rate == RATE:
        return pcm
    common = math.gcd(rate, RATE)
    step, phases = rate // common, RATE // common  # output sample i stands at input position i * step / phases
    cutoff = min(1.0, RATE / rate)
    reach = math.ceil(_ZERO_CROSSINGS / cutoff)
    table = [_taps(phase / phases, reach, cutoff) for phase in range(phases)]
    samples = array("h", pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    padded = [0] * reach + samples.tolist() + [0] * (reach + 1)
    out = array("h")
    for index in range(len(samples) * phases // step):
        whole, phase = divmod(index * step, phases)
        value = sum(map(mul, padded[whole + 1 : whole + 1 + 2 * reach], table[phase]))
        out.append(max(-32768, min(32767, round(value))))
    if sys.byteorder == "big":
        out.byteswap()
    return out.tobytes()


def _taps(fraction: float, reach: int, cutoff: float) -> list[float]:
    """Weights of the samples ``1 - reach .. reach`` for a position ``fraction`` after sample 0; they sum to 1."""
    taps = []
    for offset in range(1 - reach, reach + 1):
        x = (offset - fraction) * cutoff
        window = 0.5 + 0.5 * math.cos(math.pi * (offset - fraction) / (reach + 1))
        taps.append(window * (math.sin(math.pi * x) / (math.pi * x) if x else 1.0))
    total = sum(taps)
    return [tap / total for tap in taps]


def transcribe(engine: SpeechEngine, mulaw: bytes) -> list[Heard]:
    """Return the final results of a whole recording, cut as a live leg's sound is cut."""
    recogniser = engine.open()
    heard = []
    for start in range(0, len(mulaw), CHUNK_BYTES):
        heard += recogniser.accept(pcm_of(mulaw[start : start + CHUNK_BYTES]))
    return [words for words in heard + recogniser.finish() if words.final]
