"""Sound on the line: 8 kHz mono mu-law in frames of 20 ms (160 bytes)."""

from __future__ import annotations

import functools
import io
import struct
import warnings
import wave
from collections.abc import Iterable, Sequence
from pathlib import Path

with warnings.catch_warnings():
    # The standard library drops audioop in 3.13; audioop-lts brings the same module back under the same name.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

RATE = 8000
FRAME = 160
TICK_S = FRAME / RATE
SILENT_FRAME = b"\xff" * FRAME
SILENT_PCM = bytes(2 * FRAME)
PCM_FORMAT, MULAW_FORMAT = 1, 7


class SoundError(ValueError):
    """A file that is not sound the line can carry; the text says why."""


def mulaw_of_wav(data: bytes) -> bytes:
    """The samples of a WAV (8 kHz, mono, 16-bit PCM or 8-bit mu-law) as mu-law bytes. Raises SoundError.

    Chunks are read here because the standard `wave` module refuses mu-law files.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise SoundError("not a WAV file")
    layout: tuple[int, int, int, int] | None = None
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        body = data[at + 8 : at + 8 + size]
        if name == b"fmt " and len(body) >= 16:
            kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
            layout = kind, channels, rate, bits
        elif name == b"data":
            if layout == (PCM_FORMAT, 1, RATE, 16):
                return audioop.lin2ulaw(body[: len(body) // 2 * 2], 2)
            if layout == (MULAW_FORMAT, 1, RATE, 8):
                return body
            raise SoundError(f"wants 8 kHz mono, 16-bit or mu-law; has (format, channels, rate, bits) = {layout}")
        at += 8 + size + size % 2
    raise SoundError("a WAV file without sound in it")


@functools.lru_cache(maxsize=64)
def _read(path: Path, _changed_ns: int) -> bytes:
    return mulaw_of_wav(path.read_bytes())


def mulaw_of_file(path: Path) -> bytes:
    """As `mulaw_of_wav`, remembered per file as long as it does not change."""
    return _read(path, path.stat().st_mtime_ns)


def wav_of_mulaw(mulaw: bytes) -> bytes:
    """A 16-bit WAV file holding these samples."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(audioop.ulaw2lin(mulaw, 2))
    return out.getvalue()


def frames_of(mulaw: bytes) -> list[bytes]:
    """Whole 20 ms frames; the last one is filled up with silence."""
    return [mulaw[at : at + FRAME].ljust(FRAME, b"\xff") for at in range(0, len(mulaw), FRAME)]


def silence(seconds: float) -> list[bytes]:
    """That long nothing, at least one frame."""
    return [SILENT_FRAME] * max(1, round(seconds / TICK_S))


def hurried(frames: Sequence[bytes], speed: float) -> list[bytes]:
    """The same sound in `1/speed` of the time: frames are left out (or repeated), their pitch stays."""
    if speed == 1:
        return list(frames)
    count = max(1, round(len(frames) / speed))
    return [frames[min(len(frames) - 1, int(at * speed))] for at in range(count)]


def mixed(frames: Iterable[bytes | None]) -> bytes | None:
    """The saturating linear sum of mu-law frames; None stands for silence, in and out."""
    sounding = [frame for frame in frames if frame is not None]
    if not sounding:
        return None
    if len(sounding) == 1:
        return sounding[0]
    total = audioop.ulaw2lin(sounding[0], 2)
    for frame in sounding[1:]:
        total = audioop.add(total, audioop.ulaw2lin(frame, 2), 2)
    return audioop.lin2ulaw(total, 2)


def loudness(mulaw: bytes) -> int:
    """Root mean square of the samples, 0 to 32767."""
    return audioop.rms(audioop.ulaw2lin(mulaw, 2), 2)


def tone(hertz: int, seconds: float) -> list[bytes]:
    """A soft beep, as conferences make when somebody enters."""
    half = max(1, RATE // hertz // 2)
    wave_form = b"".join(struct.pack("<h", 4000 if (at // half) % 2 else -4000) for at in range(int(RATE * seconds)))
    return frames_of(audioop.lin2ulaw(wave_form, 2))
