"""Knowledge through the API: asking, and bringing entries in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories.units import City
from tests.web.api.conftest import MakeProgram, Program

ENTRIES: list[dict[str, Any]] = [
    {"id": f"K{number}", "question": f"{place}医保卡丢了怎么补办？", "answer": f"请到{place}医保窗口补办。"}
    for number, place in enumerate(["桃城区", "冀州区", "枣强县", "武邑县", "深州市", "武强县", "饶阳县"], 1)
]


@pytest.fixture
def editor(program: MakeProgram) -> Program:
    """A program that keeps the knowledge."""
    return program(role="KBE")


def test_what_an_editor_brings_in_is_found_at_once(program: MakeProgram, here: City, editor: Program) -> None:
    assert editor.post("/knowledge/entries", ENTRIES).json == {
        "added": 7,
        "updated": 0,
        "unchanged": 0,
        "refused": [],
    }
    found = program(here.township_clerk).get("/knowledge/search", q="冀州医保卡丢了怎么补办").json["entries"]
    assert (found[0]["id"], found[0]["answer"]) == ("K2", "请到冀州区医保窗口补办。")


def test_one_entry_is_an_object_and_the_same_again_changes_nothing(editor: Program) -> None:
    assert editor.post("/knowledge/entries", ENTRIES[0]).json["added"] == 1
    assert editor.post("/knowledge/entries", ENTRIES[0]).json["unchanged"] == 1
    changed = ENTRIES[0] | {"answer": "请带身份证到窗口补办。"}
    assert editor.post("/knowledge/entries", changed).json["updated"] == 1


def test_the_lines_that_cannot_be_taken_are_listed_and_the_rest_goes_in(editor: Program) -> None:
    lines = [ENTRIES[0], {"question": "没有答案"}, ENTRIES[0], ENTRIES[1] | {"owner_unit": "XX"}, ENTRIES[2]]
    answer = editor.client.post(
        "/api/v1/knowledge/entries", json=lines, headers={"Authorization": f"Bearer {editor.token}"}
    )
    assert (answer.status_code, answer.json["added"]) == (200, 2)
    assert [line["at"] for line in answer.json["refused"]] == [2, 3, 4]
    assert all(line["reason"] for line in answer.json["refused"])


@pytest.mark.parametrize("lines", [{}, [{}], [7, "text", None], {"question": "零\x00字符", "answer": "无"}])
def test_when_none_can_be_taken_it_is_422_with_each_reason(editor: Program, lines: Any) -> None:
    answer = editor.post("/knowledge/entries", lines)
    assert answer.status_code == 422
    refused = answer.json["error"]["details"]["refused"]
    assert [line["at"] for line in refused] == list(range(1, len(lines) + 1 if isinstance(lines, list) else 2))


def test_no_json_at_all_is_400(editor: Program) -> None:
    for data in (b"", b"{", b"[" * 100_000, rb'{"question": "\ud83d"}'):
        assert editor.send("/knowledge/entries", data).status_code == 400


def test_the_same_key_brings_entries_in_once(editor: Program) -> None:
    first = editor.post("/knowledge/entries", ENTRIES, key="import-1")
    assert editor.post("/knowledge/entries", ENTRIES, key="import-1").data == first.data
    assert editor.post("/knowledge/entries", ENTRIES[:3], key="import-1").status_code == 422


def test_only_editors_bring_entries_in(program: MakeProgram, here: City) -> None:
    for who in (here.operator, here.reviewer, here.county_clerk):
        assert program(who).post("/knowledge/entries", ENTRIES).status_code == 403
    assert program(role="ADM").post("/knowledge/entries", ENTRIES).status_code == 200


def test_a_search_has_bounds_and_says_them(program: MakeProgram, here: City, editor: Program) -> None:
    editor.post("/knowledge/entries", ENTRIES)
    operator = program(here.operator)
    everything = operator.get("/knowledge/search", q="医保卡丢了怎么补办？", limit="50").json["entries"]
    assert len(everything) > 2
    assert [entry["score"] for entry in everything] == sorted((entry["score"] for entry in everything), reverse=True)
    for limit in (1, 2, 5):
        entries = operator.get("/knowledge/search", q="医保卡丢了怎么补办？", limit=str(limit)).json["entries"]
        assert entries == everything[:limit]
    assert operator.get("/knowledge/search", q="医保卡丢了怎么补办？").json["entries"] == everything[:5]
    for limit in ("0", "51", "-1", "many", "1.5", "", "²", "9" * 5000):
        answer = operator.get("/knowledge/search", q="医保", limit=limit)
        assert (answer.status_code, list(answer.json["error"]["details"])) == (422, ["limit"]), limit
    for nothing in ({}, {"q": ""}, {"q": "  "}):
        assert list(operator.get("/knowledge/search", **nothing).json["error"]["details"]) == ["q"]
    for odd in ("量子色动力学", "？！", "%", "x" * 10_000, "\x00"):
        assert operator.get("/knowledge/search", q=odd).json["entries"] == []
