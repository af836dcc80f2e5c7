"""Recordings in whatever form people have them."""

from __future__ import annotations

import math
import wave
from array import array
from pathlib import Path

import pytest

from hotline.speech.clips import read_wav, resample
from hotline.speech.sound import mulaw_of, pcm_of


def tone(hertz: float, rate: int, seconds: float = 0.5) -> bytes:
    samples = (round(10_000 * math.sin(2 * math.pi * hertz * i / rate)) for i in range(round(seconds * rate)))
    return array("h", samples).tobytes()


def loudness(pcm: bytes) -> float:
    samples = array("h", pcm)[400:-400]
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))


@pytest.mark.parametrize("rate", [11_025, 16_000, 44_100, 48_000])
def test_a_tone_of_the_telephone_band_comes_through_and_one_above_it_does_not_fold_back(rate: int) -> None:
    heard = resample(tone(1000, rate), rate)
    assert abs(len(heard) - 8000) <= 2
    assert loudness(heard) == pytest.approx(7071, rel=0.02)
    assert loudness(resample(tone(5200, rate), rate)) < 30


def test_a_stereo_recording_is_mixed_to_one_channel(tmp_path: Path) -> None:
    path = tmp_path / "two.wav"
    left = array("h", tone(440, 8000))
    with wave.open(str(path), "wb") as clip:
        clip.setnchannels(2)
        clip.setsampwidth(2)
        clip.setframerate(8000)
        clip.writeframes(array("h", [sample for one in left for sample in (one, one)]).tobytes())
    assert read_wav(path) == mulaw_of(left.tobytes())
    assert loudness(pcm_of(read_wav(path))) == pytest.approx(7071, rel=0.05)


def test_what_is_no_recording_is_named(tmp_path: Path) -> None:
    path = tmp_path / "letter.wav"
    path.write_bytes(b"Dear sirs")
    with pytest.raises(ValueError, match=r"letter\.wav"):
        read_wav(path)
