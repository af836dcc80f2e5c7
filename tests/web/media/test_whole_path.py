"""The whole path as it runs in production: gunicorn, real frames in real time, real Vosk, rows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

import hotline.demo
from bench.speech import Clip, Lane, MediaProcess, media_process, play
from hotline.calls.models import Utterance
from hotline.db import KeyRing, key_ring, make_engine, make_sessions, use_key_ring
from hotline.speech.clips import read_wav, transcribe
from hotline.speech.sound import CHUNK_BYTES, FRAME_BYTES, RATE
from hotline.speech.vosk import VoskEngine
from tests.needs import DEMO_MODEL
from tests.waiting import until
from tests.web.media.conftest import Carrier

VOICES = Path(hotline.demo.__file__).parent / "voices"

pytestmark = pytest.mark.speech


@pytest.fixture
def media() -> Iterator[MediaProcess]:
    cores = os.sched_getaffinity(0)
    with media_process(DEMO_MODEL, 2, cores, cores) as media:
        yield media


def test_both_sides_of_a_conversation_are_heard_as_bare_vosk_hears_them(media: MediaProcess) -> None:
    clips = []
    for name in ("callers/d07.wav", "operator/o10.wav"):
        sound = read_wav(VOICES / name)
        clips.append(Clip(name, sound + b"\xff" * (-len(sound) % FRAME_BYTES), ""))
    lanes = [Lane(media, leg_id, [clip]) for leg_id, clip in zip(media.leg_ids, clips, strict=True)]
    during: list[dict[str, int]] = []
    play(lanes, lambda: during.append(media.figures()["media"]))
    after = media.settled(sum(len(clip.mulaw) for clip in clips))
    engine = VoskEngine(DEMO_MODEL)
    for lane, clip in zip(after["lanes"], clips, strict=True):
        assert [said for _, said in lane["finals"]] == [heard.text for heard in transcribe(engine, clip.mulaw)]
        assert len(lane["told"]) == len(lane["finals"]) > 0, "the desk is told of every row"
    assert during[0]["pool_legs"] == 2
    figures = after["media"]
    assert (figures["closed_1000"], figures["pool_legs"], figures["frames_lost"]) == (2, 0, 0)
    assert figures["frames"] == sum(clip.frames for clip in clips)
    assert figures["pool_frames_dropped"] == figures["recorder_lost"] == 0


def test_words_half_said_when_the_process_is_told_to_end_are_written(media: MediaProcess) -> None:
    sound = read_wav(VOICES / "callers/d07.wav")[: 4 * RATE]
    carrier = Carrier(media.settings)
    line = carrier.open(leg_id=media.leg_ids[0])
    for at in range(0, len(sound), FRAME_BYTES):
        line.media(payload=sound[at : at + FRAME_BYTES])
    until(lambda: media.figures()["media"]["pool_bytes_decoded"] >= len(sound) - CHUNK_BYTES, "the sound to be heard")
    media.end()
    assert line.goodbye() == (1001, "shutting down")
    engine, ours = make_engine(media.settings.database_url), key_ring()
    use_key_ring(KeyRing(media.settings.data_keys))
    with make_sessions(engine)() as session:
        said = [row.text for row in session.scalars(select(Utterance).order_by(Utterance.id))]
    use_key_ring(ours)
    engine.dispose()
    assert said == [heard.text for heard in transcribe(VoskEngine(DEMO_MODEL), sound)] != []
