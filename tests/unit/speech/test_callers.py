"""The recorded callers, heard by the model that comes with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import hotline.demo
from hotline.speech.base import Heard
from hotline.speech.clips import read_wav, transcribe
from hotline.speech.pool import LegPool
from hotline.speech.vosk import VoskEngine, written
from tests.needs import DEMO_MODEL

VOICES = Path(hotline.demo.__file__).parent / "voices"
CALLERS: list[dict[str, Any]] = json.loads((VOICES / "callers.json").read_text())

pytestmark = pytest.mark.speech


@pytest.fixture(scope="module")
def engine() -> VoskEngine:
    return VoskEngine(DEMO_MODEL)


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller["file"])
def test_at_least_three_of_five_key_words_of_each_caller_are_heard(engine: VoskEngine, caller: dict[str, Any]) -> None:
    heard = "".join(words.text for words in transcribe(engine, read_wav(VOICES / "callers" / caller["file"])))
    found = [word for word in caller["keywords"] if word in heard]
    assert len(caller["keywords"]) == 5
    assert len(found) >= 3, f"{found} of {caller['keywords']} in {heard}"


def test_every_recorded_caller_is_listed_with_its_own_text_and_an_invented_number() -> None:
    assert sorted(caller["file"] for caller in CALLERS) == sorted(wav.name for wav in VOICES.glob("callers/*.wav"))
    assert len({caller["number"] for caller in CALLERS}) == len(CALLERS)
    for caller in CALLERS:
        assert caller["text"] == (VOICES / "callers" / caller["file"]).with_suffix(".txt").read_text().strip()
        assert caller["number"].startswith("1990000") and len(caller["number"]) == 11
        assert all(word in caller["text"] for word in caller["keywords"])


def test_a_final_says_when_it_was_said_and_partials_grow_towards_it(engine: VoskEngine) -> None:
    mulaw = read_wav(VOICES / "callers" / "d01.wav")
    heard: list[Heard] = []
    with LegPool(engine, workers=1) as pool:
        leg = pool.open_leg("1", heard.append)
        leg.feed(mulaw)
        leg.close()
    partials, finals = [one for one in heard if not one.final], [one for one in heard if one.final]
    assert len(finals) == 1 and len(partials) > 5
    assert 0 < finals[0].start_ms < 1000 < 5000 < finals[0].end_ms <= len(mulaw) // 8
    assert len({one.text for one in partials}) == len(partials), "a partial is told only when it changed"
    assert [one.end_ms for one in partials] == sorted(one.end_ms for one in partials)


@pytest.mark.parametrize("piece", [1, 160, 333, 4000])
def test_however_the_network_cuts_the_sound_the_text_is_the_same(engine: VoskEngine, piece: int) -> None:
    mulaw = read_wav(VOICES / "operator" / "o10.wav")
    finals: list[Heard] = []
    with LegPool(engine) as pool:
        leg = pool.open_leg("1", lambda heard: finals.append(heard) if heard.final else None)
        for start in range(0, len(mulaw), piece):
            leg.feed(mulaw[start : start + piece])
        leg.close()
    assert finals == transcribe(engine, mulaw)


@pytest.mark.parametrize(
    ("spaced", "as_written"),
    [("身份证 怎么 补办", "身份证怎么补办"), ("装 WIFI 5 G 要 多久", "装WIFI 5 G要多久"), ("", ""), ("好", "好")],
)
def test_words_are_put_together_as_people_write_them(spaced: str, as_written: str) -> None:
    assert written(spaced) == as_written
