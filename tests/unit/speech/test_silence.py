"""Digital silence is passed over, sound never, and times stay those of the line."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.demo.places import recorded_callers
from hotline.speech.base import Heard
from hotline.speech.clips import read_wav
from hotline.speech.pool import LegPool
from hotline.speech.silence import LEAD, TAIL, SilenceGate
from hotline.speech.sound import CHUNK_BYTES, RATE
from hotline.speech.vosk import VoskEngine
from tests import needs

SILENT = b"\xff" * CHUNK_BYTES
SOUND = b"\xff" * (CHUNK_BYTES - 1) + b"\x2a"
CALLERS = Path(__file__).parents[3] / "hotline/demo/voices/callers"


@given(st.lists(st.booleans(), max_size=200))
def test_every_chunk_of_sound_is_heard_in_order_and_nothing_is_counted_twice(sounds: list[bool]) -> None:
    gate = SilenceGate()
    given_chunks = [SOUND if sound else SILENT for sound in sounds]
    heard = [chunk for given_chunk in given_chunks for chunk in gate.take(given_chunk)]
    assert heard.count(SOUND) == sum(sounds)
    held = len(gate._held) * CHUNK_BYTES
    assert len(b"".join(heard)) + gate.passed_over + held == len(sounds) * CHUNK_BYTES


def test_a_short_pause_is_heard_and_a_long_silence_is_not() -> None:
    gate = SilenceGate()
    assert gate.take(SILENT) == []  # a leg begins in silence
    assert gate.take(SOUND) == [SILENT, SOUND]
    assert [len(gate.take(SILENT)) for _ in range(TAIL + 50)] == [1] * TAIL + [0] * 50
    assert gate.passed_over == (50 - LEAD) * CHUNK_BYTES
    assert len(gate.take(SOUND)) == LEAD + 1


def test_minutes_of_zeros_before_and_between_change_neither_words_nor_times() -> None:
    engine = VoskEngine(needs.speech_model())
    zeros = b"\xff" * (RATE * 8)
    lamp, card = read_wav(CALLERS / "d15.wav"), read_wav(CALLERS / "d03.wav")
    finals: list[Heard] = []
    done = threading.Event()
    with LegPool(engine) as pool:
        leg = pool.open_leg("1", lambda heard: finals.append(heard) if heard.final else None)
        sound = zeros + lamp + zeros + card + zeros
        for start in range(0, len(sound), 160):
            while pool.figures().backlog_ms > 5000:
                done.wait(0.01)  # a live line never outruns the recogniser by that much
            leg.feed(sound[start : start + 160])
        leg.close()
    assert leg.frames_dropped == 0
    first, second = finals[0], finals[-1]
    assert "饶阳县" in first.text and "身份证" in second.text
    assert 8000 <= first.start_ms < first.end_ms <= 8000 + len(lamp) * 1000 // RATE + 300
    begin = 16000 + len(lamp) * 1000 // RATE
    assert begin - 300 <= second.start_ms < second.end_ms <= begin + len(card) * 1000 // RATE + 300


@pytest.mark.parametrize("seconds", [3.27, 8.03])
def test_recorded_callers_are_heard_as_well_after_a_long_silence(seconds: float) -> None:
    engine = VoskEngine(needs.speech_model())
    zeros = b"\xff" * int(RATE * seconds)
    for one in recorded_callers():
        finals: list[str] = []
        with LegPool(engine) as pool:
            leg = pool.open_leg("1", lambda heard, finals=finals: finals.append(heard.text) if heard.final else None)
            sound = zeros + read_wav(CALLERS / one["file"])
            leg.feed(sound[: len(sound) // 2])
            leg.feed(sound[len(sound) // 2 :])
            leg.close()
        found = [word for word in one["keywords"] if word in "".join(finals)]
        assert len(found) >= 3, (one["file"], finals)
