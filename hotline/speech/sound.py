"""Telephone sound: 8 kHz, mono; mu-law on the wire, 16-bit PCM for the recogniser."""

from __future__ import annotations

import warnings
from typing import Final

with warnings.catch_warnings():
    # the standard module until 3.12, the audioop-lts package of the same name from 3.13: no third way is needed
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

RATE: Final = 8000
FRAME_MS: Final = 20
FRAME_BYTES: Final = RATE * FRAME_MS // 1000  # of mu-law: one byte a sample

# The recogniser is always fed pieces of this length. How a network happened to cut the sound must not change the text,
# and a fixed cut makes a recording heard twice read the same twice. Every piece costs a wake-up of three threads and a
# partial result, which walks back the whole search; nobody reads more than five a second.
CHUNK_MS: Final = 200
CHUNK_BYTES: Final = RATE * CHUNK_MS // 1000  # of mu-law


def pcm_of(mulaw: bytes) -> bytes:
    """Return 16-bit little-endian PCM of mu-law sound."""
    return audioop.ulaw2lin(mulaw, 2)


def mulaw_of(pcm: bytes) -> bytes:
    """Return mu-law of 16-bit little-endian PCM."""
    return audioop.lin2ulaw(pcm, 2)


def ms_of(mulaw_bytes: int) -> int:
    """Return how many milliseconds ``mulaw_bytes`` bytes of mu-law sound last."""
    return mulaw_bytes * 1000 // RATE
