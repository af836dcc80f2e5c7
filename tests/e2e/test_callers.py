"""Every recorded caller is heard through the whole media path."""

from __future__ import annotations

import pytest

from hotline.demo.places import recorded_callers
from hotline.demo.processes import DemoFault
from hotline.demo.stage import Recorded, Teller
from hotline.demo.story import WORDS_HEARD
from tests.e2e.conftest import House


@pytest.fixture(scope="module")
def lines(house: House) -> dict[str, str]:
    """Let all recorded callers dial at once, speak while they wait and hang up; returns each one's call id."""
    sids = {}
    for one in recorded_callers():
        script = [
            {"wait_for": "等候期间"},
            {"say_wav": f"callers/{one['file']}"},
            {"wait_s": 2.5},  # an endpoint of speech is a second of silence
            {"hang_up": True},
        ]
        body = {"from": "+86" + one["number"], "to": "12345", "script": script}
        sids[one["file"]] = house.world.lab("POST", "calls", body)["sid"]
    return sids


@pytest.mark.parametrize("file", [one["file"] for one in recorded_callers()])
def test_most_key_words_of_each_recorded_caller_reach_the_database(
    house: House, teller: Teller, lines: dict[str, str], file: str
) -> None:
    caller = Recorded.named(file)

    def text() -> str:
        return "，".join(said["text"] for said in house.world.call(lines[file]).get("utterances", []))

    def enough() -> bool:
        return sum(word in text() for word in caller.keywords) >= WORDS_HEARD

    try:
        teller.until(enough, "words", 90)
    except DemoFault:
        pytest.fail(f"{caller.text!r} was heard as {text()!r}")


def test_callers_who_gave_up_waiting_are_rows(house: House, teller: Teller, lines: dict[str, str]) -> None:
    for sid in lines.values():
        teller.until(lambda sid=sid: house.world.call(sid).get("state") == "ended", "end of a call", 90)
        assert house.world.call(sid)["outcome"] == "abandoned"
