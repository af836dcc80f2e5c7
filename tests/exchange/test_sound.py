"""Files, mixing, announcements."""

from __future__ import annotations

import audioop
import struct
from pathlib import Path

import pytest

from exchange.prompts import Prompts, spoken_seconds
from exchange.sound import (
    SILENT_FRAME,
    SoundError,
    frames_of,
    hurried,
    mixed,
    mulaw_of_file,
    mulaw_of_wav,
    wav_of_mulaw,
)


def frame(value: int) -> bytes:
    return audioop.lin2ulaw(struct.pack("<h", value) * 160, 2)


def level(mulaw: bytes) -> int:
    return struct.unpack("<h", audioop.ulaw2lin(mulaw[:1], 2))[0]


def mulaw_wav(sound: bytes, rate: int = 8000) -> bytes:
    layout = struct.pack("<HHIIHH", 7, 1, rate, rate, 1, 8)
    body = b"WAVEfmt " + struct.pack("<I", len(layout)) + layout + b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_both_kinds_of_wav_give_the_same_samples() -> None:
    sound = bytes(range(256))
    sound = sound.replace(b"\x7f", b"\xff")  # mu-law has two zeros; only one survives a linear file
    assert mulaw_of_wav(mulaw_wav(sound)) == sound
    assert mulaw_of_wav(wav_of_mulaw(sound)) == sound


@pytest.mark.parametrize(
    ("data", "words"), [(b"ID3 music", "not a WAV"), (mulaw_wav(b"", 16000), "8 kHz"), (mulaw_wav(b"")[:36], "without")]
)
def test_other_files_are_refused_with_the_reason(data: bytes, words: str) -> None:
    with pytest.raises(SoundError, match=words):
        mulaw_of_wav(data)


def test_mixing_adds_and_saturates() -> None:
    assert mixed([None, None]) is None
    assert mixed([None, frame(1000)]) == frame(1000)
    assert abs(level(mixed([frame(1000), frame(2000)]) or b"") - 3000) < 100
    assert level(mixed([frame(32000)] * 3) or b"") > 31000
    assert level(mixed([frame(-32000)] * 3) or b"") < -31000


def test_hurrying_leaves_frames_out_and_the_last_one_is_filled_up() -> None:
    assert [len(one) for one in frames_of(bytes(200))] == [160, 160]
    assert len(hurried([SILENT_FRAME] * 100, 4)) == 25
    assert len(hurried([SILENT_FRAME], 100)) == 1


def test_announcements_are_found_by_what_is_heard_and_can_follow_each_other(sounds: Path) -> None:
    prompts = Prompts(sounds / "prompts")
    assert prompts.say("您好 这里是热线").recordings == ("p1",)
    both = prompts.say("您好，这里是热线。 请稍候！")
    assert both.recordings == ("p1", "p2")
    assert len(both.frames) == 2 * len(frames_of(mulaw_of_file(sounds / "prompts" / "p1.wav")))
    partly = prompts.say("请稍候。您前面还有九位。")
    assert partly.recordings == ("p2",)
    assert partly.frames[-1] == SILENT_FRAME, "a sentence nobody recorded is silence, the others are heard"
    assert prompts.say("").recordings == ()


def test_what_nobody_recorded_is_silence_as_long() -> None:
    assert spoken_seconds("二十个字" * 5) == pytest.approx(4.0)
    assert set(Prompts(None).say("再见").frames) == {SILENT_FRAME}
