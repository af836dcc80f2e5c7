"""What an operator types finds answers: words or the initials of their pinyin, today, and where the matter is."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from hotline.bootstrap import Runtime
from hotline.calls.models import Call
from hotline.db import SessionFactory, session_scope
from hotline.knowledge_base.models import Suggestion
from hotline.knowledge_base.service import import_entries, withdraw
from hotline.live.base import Hint
from tests.factories import calls as make
from tests.web.desk.conftest import WORDS, Desk

CARDS = [
    {"id": "C1", "question": "社保卡丢了怎么补办", "answer": "先**挂失**，再到网点补办。", "spoken": "先挂失再补办。"},
    {"id": "C2", "question": "市民卡如何注销", "similar": ["社保卡不要了"], "answer": "到网点注销。"},
    {"id": "C3", "question": "社保卡到冀州哪里领", "answer": "冀州区政务大厅。", "areas": ["131103"]},
    {"id": "C4", "question": "社保卡旧办法", "answer": "已经停止。", "valid_to": "2026-11-17"},
]


@pytest.fixture
def cards(town: object, sessions: SessionFactory, now: datetime) -> None:
    """Answers about cards."""
    with session_scope(sessions) as session:
        assert not import_entries(session, CARDS, actor_id=None, now=now).refused


def ask(desk: Desk, call_id: int, words: str) -> str:
    answer = desk.browser.client.get(
        f"/desk/calls/{call_id}/search", query_string={"q": words}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200, answer.text[:300]
    return answer.text


def questions(shown: str) -> str:
    """Return the questions of what was found, without marks."""
    return re.sub("</?mark>", "", "\n".join(re.findall("<h3>(.*?)</h3>", shown)))


def test_initials_find_an_answer_and_show_where_they_stand(ready: Desk, talking: int, cards: None) -> None:
    shown = ask(ready, talking, "sbkbb")
    assert "<mark>社保卡</mark>丢了怎么<mark>补办</mark>" in shown
    assert "<strong>挂失</strong>" in shown
    for typed in ("shebaokadiu", "社bkd", "SBKD"):
        assert "<mark>社保卡丢</mark>了怎么补办" in ask(ready, talking, typed)


def test_a_similar_question_that_fits_is_shown_beside_its_own(ready: Desk, talking: int, cards: None) -> None:
    shown = ask(ready, talking, "sbkby")
    assert "市民卡如何注销" in shown and "也这样问：<mark>社保卡不要</mark>了" in shown


def test_what_was_withdrawn_or_holds_no_more_is_not_found(
    ready: Desk, talking: int, cards: None, sessions: SessionFactory, now: datetime
) -> None:
    for typed in ("sbk", "sbkjbf", "社保卡旧办法"):
        assert "旧办法" not in questions(ask(ready, talking, typed))
    with session_scope(sessions) as session:
        withdraw(session, code="C1", actor_id=None, now=now)
    for typed in ("sbkdl", "社保卡丢了怎么补办"):
        assert "怎么补办" not in questions(ask(ready, talking, typed))


def test_where_the_matter_is_decides_which_answers_are_found(ready: Desk, talking: int, cards: None) -> None:
    assert "到冀州" in questions(ask(ready, talking, "sbkdjz"))
    ready.open(f"/desk/calls/{talking}")
    fields = ready.fields()
    for area, holds in (("131102", False), ("131103", True)):
        saved = ready.browser.htmx(f"/desk/calls/{talking}/draft", fields | {"area_code": area})
        assert saved.status_code == 200, saved.text[:300]
        for typed in ("sbkdjz", "社保卡到冀州哪里领"):
            assert ("到冀州" in questions(ask(ready, talking, typed))) is holds


def test_the_place_on_the_page_counts_before_it_is_saved(ready: Desk, talking: int, cards: None) -> None:
    at, headers = f"/desk/calls/{talking}/search", {"HX-Request": "true"}
    for area, holds in (("131102", False), ("131103005", True), ("", True), ("x' OR 1", True)):
        asked = {"q": "sbkdjz", "area_code": area}
        shown = ready.browser.client.get(at, query_string=asked, headers=headers).text
        assert ("社保卡到冀州" in questions(shown)) is holds, area
        assert ("只适用于 冀州区" in shown) is holds
    used = re.search(r'hx-post="([^"]+)"', shown)
    assert used is not None
    assert ready.browser.htmx(used[1], {"q": "sbkdjz", "area_code": "131102"}).status_code == 404
    assert "已采用" in ready.browser.htmx(used[1], {"q": "sbkdjz", "area_code": "131103"}).text


def test_an_answer_found_by_its_initials_is_used_with_the_words_that_stand_in_it(
    ready: Desk, talking: int, cards: None, sessions: SessionFactory
) -> None:
    ready.open(f"/desk/calls/{talking}")
    shown = ask(ready, talking, "sbkbb")
    at = shown.split('hx-post="', 1)[1].split('"', 1)[0]
    assert "已采用" in ready.browser.htmx(at, {"q": "sbkbb"}).text
    with session_scope(sessions) as session:
        used = session.scalars(select(Suggestion).where(Suggestion.state == "used")).one()
        assert used.entry.code == "C1" and used.matched == ["社保卡", "补办"]


@pytest.mark.parametrize(
    "words", ["？！…。", "😀🙂", "\x00\x01\x1b[31m", "%", "'; DROP TABLE kb_entries", "x" * 5_000_000, "{{7*7}}"]
)
def test_whatever_is_typed_gets_an_answer(ready: Desk, talking: int, words: str) -> None:
    assert "没有找到" in ask(ready, talking, words) or "data-hit" in ask(ready, talking, words)


# ---- in a browser


@pytest.fixture
def page(cards: None, page: Page) -> Page:
    """An operator at the desk when the cards are there."""
    return page


@pytest.fixture
def in_call(
    page: Page,
    runtime: Runtime,
    rings: Callable[..., int],
    answered: Callable[[int], None],
    sessions: SessionFactory,
) -> int:
    """The operator speaks with a caller; returns the call's id."""
    page.keyboard.press("F10")
    expect(page.locator("#bar")).to_contain_text("就绪")
    call_id = rings(WORDS)
    expect(page.locator("#live")).to_contain_text("实时")
    with session_scope(sessions) as session:
        user_id = session.get_one(Call, call_id).offered_to_id
    runtime.bus.publish(Hint(f"desk-{user_id}", "offer"))
    expect(page.locator("[data-ringing]")).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/calls/{call_id}")
    answered(call_id)
    runtime.bus.publish(Hint(f"call-{call_id}", "state"))
    expect(page.locator("[data-phase=talking]")).to_be_visible()
    return call_id


@pytest.mark.browser
def test_from_a_field_to_an_answer_and_back_without_the_mouse(page: Page, in_call: int) -> None:
    page.focus("#f-desired_result")
    page.keyboard.press("Control+k")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("sbk")
    hits = page.locator("#found [data-hit]")
    expect(hits).to_have_count(2)  # the caller spoke of another county than the third holds for
    page.keyboard.type("bb")
    expect(hits).to_have_count(1)
    expect(hits.locator("h3 mark")).to_have_text(["社保卡", "补办"])
    expect(page.locator(".htmx-settling")).to_have_count(0)  # nobody is as quick as this test: not yet htmx's to send
    page.keyboard.press("ArrowDown")
    expect(hits.locator("footer button")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#suggestions .answer.is-used")).to_contain_text("社保卡丢了怎么补办")
    expect(page.locator("#found")).to_be_empty()
    expect(page.locator("#f-desired_result")).to_be_focused()  # where one was


@pytest.mark.browser
def test_escape_leads_back_step_by_step_and_does_not_begin_to_end_the_call(page: Page, in_call: int) -> None:
    page.locator("body").press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("shebaoka")
    expect(page.locator("#found [data-hit]")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#found [data-hit] footer button").nth(1)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.press("Escape")  # the browser's own: clears the box
    expect(page.locator("#q")).to_have_value("")
    expect(page.locator("#found [data-hit]")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator("#q")).not_to_be_focused()
    expect(page.locator("[data-end-words]")).to_have_text("结束通话")
    page.keyboard.press("Escape")
    expect(page.locator("[data-end-words]")).to_contain_text("再按一次")


@pytest.mark.browser
def test_the_same_words_again_find_the_same_again(page: Page, in_call: int) -> None:
    for _ in range(2):
        page.keyboard.press("Control+k")
        page.keyboard.type("sbkbb")
        expect(page.locator("#found [data-hit]")).to_have_count(1)
        page.locator("#q").fill("")
        expect(page.locator("#found [data-hit]")).to_have_count(0)


def test_a_suggestion_says_where_it_holds_and_goes_once_the_matter_lies_elsewhere(
    ready: Desk, talking: int, cards: None, runtime: Runtime, sessions: SessionFactory, now: datetime
) -> None:
    with session_scope(sessions) as session:
        make.suggested(session, runtime.knowledge, talking, "社保卡到冀州哪里领", now)
    shown = ready.browser.get(f"/desk/calls/{talking}/suggestions").text
    assert "社保卡到冀州哪里领" in re.sub("</?mark>", "", shown) and "只适用于" in shown and "冀州区" in shown
    ready.open(f"/desk/calls/{talking}")
    fields = ready.fields()
    for area, holds in (("131102", False), ("131103", True)):
        assert ready.browser.htmx(f"/desk/calls/{talking}/draft", fields | {"area_code": area}).status_code == 200
        assert ("只适用于" in ready.browser.get(f"/desk/calls/{talking}/suggestions").text) is holds
