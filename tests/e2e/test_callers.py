"""Every recorded caller is heard through the whole media path."""

from __future__ import annotations

import pytest

from hotline.demo.places import recorded_callers
from hotline.demo.story import WORDS_HEARD, Recorded, Teller
from tests.e2e.conftest import House


@pytest.fixture(scope="module")
def heard(house: House, teller: Teller) -> dict[str, str]:
    """Let all recorded callers dial at once, speak while they wait and hang up; returns what was heard of each."""
    world, sids = house.world, {}
    for one in recorded_callers():
        script = [
            {"wait_for": "等候期间"},
            {"say_wav": f"callers/{one['file']}"},
            {"wait_s": 2.5},  # an endpoint of speech is a second of silence
            {"hang_up": True},
        ]
        body = {"from": "+86" + one["number"], "to": "12345", "script": script}
        sids[one["file"]] = world.lab("POST", "calls", body)["sid"]
    for sid in sids.values():
        teller.until(lambda sid=sid: world.call(sid).get("state") == "ended", "end of a call", 120)
    return {file: "，".join(said["text"] for said in world.call(sid)["utterances"]) for file, sid in sids.items()}


@pytest.mark.parametrize("file", [one["file"] for one in recorded_callers()])
def test_most_key_words_of_each_recorded_caller_reach_the_database(heard: dict[str, str], file: str) -> None:
    caller = Recorded.named(file)
    found = [word for word in caller.keywords if word in heard[file]]
    assert len(found) >= WORDS_HEARD, f"{caller.text!r} was heard as {heard[file]!r}"


def test_callers_who_gave_up_waiting_are_rows(house: House, heard: dict[str, str]) -> None:
    outcomes = {house.world.call(line["sid"])["outcome"] for line in house.world.lab("GET", "calls")["calls"]}
    assert heard and outcomes == {"abandoned"}
