"""Editors see what the floor misses and finds wrong, and make entries of it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.knowledge_base import service, tasks
from hotline.knowledge_base.floor import learning, suggestions
from hotline.knowledge_base.models import Entry, Offer, Task, Version
from hotline.knowledge_base.states import OfferState, SignalKind, TaskState
from tests.factories import calls, people
from tests.factories.units import City
from tests.unit.knowledge_base.conftest import ROWS
from tests.web.shared.browser import Browser
from tests.web.staff import Clock, Staff

ASKED = ("残疾人证到期了怎么换", "残疾人证到期怎么换新的", "我的残疾人证到期了在哪换")
FLOOR = "/knowledge/floor"


@pytest.fixture
def editor(runtime: Runtime, here: City, clock: Clock) -> Actor:
    """A knowledge editor; callers asked for something without an entry three times, and an answer was wrong once."""
    with session_scope(runtime.sessions) as session:
        service.import_entries(session, ROWS, actor_id=None, now=clock.now)
        for text in ASKED:
            call = calls.arrived(session)
            tasks.note(
                session,
                kind=SignalKind.NO_ENTRY,
                text=f"{text}我叫王小明",
                told="请带旧证到区残联",
                call_id=call.id,
                now=clock.now,
            )
        runtime.knowledge.refresh(session)
        call = calls.arrived(session)
        (row,) = suggestions.show(
            session, call_id=call.id, hits=runtime.knowledge.search("停水", on=runtime.today())[:1], now=clock.now
        )
        suggestions.mark_wrong(
            session, suggestion_id=row.id, call_id=call.id, actor_id=None, now=clock.now, said=["电话打不通"]
        )
        learning.group(session, now=clock.now + timedelta(minutes=5))
        return people.actor(session, Role.KBE, name="知识编辑")


def tasks_of(runtime: Runtime, kind: SignalKind) -> list[Task]:
    with session_scope(runtime.sessions) as session:
        return list(session.scalars(select(Task).where(Task.kind == kind).order_by(Task.id)))


def the_text(runtime: Runtime) -> Version:
    with session_scope(runtime.sessions) as session:
        return session.scalars(select(Version).where(Version.state == "draft")).one()


def test_what_asks_the_same_is_one_line_with_count_and_examples_and_nobody_named(
    staff: Staff, editor: Actor, runtime: Runtime
) -> None:
    page = staff(editor).get(FLOOR).text
    assert page.count("<b>3</b> 次") == 1
    assert all(text in page for text in ASKED)
    assert "家里停水怎么报修" in page and "电话打不通" in page
    assert "王小明" not in page and "+86" not in page and "/calls/" not in page
    assert "家里停水怎么报修" not in staff(editor).get(f"{FLOOR}?kind=no_entry").text
    assert "没有任务" in staff(editor).get(f"{FLOOR}?kind=review").text


def test_one_press_begins_a_draft_with_what_was_asked_and_another_goes_on_with_it(
    staff: Staff, editor: Actor, runtime: Runtime
) -> None:
    browser = staff(editor)
    (task,) = tasks_of(runtime, SignalKind.NO_ENTRY)
    answer = browser.post(f"{FLOOR}/tasks/{task.id}/draft", {})
    text = the_text(runtime)
    assert answer.headers["Location"].endswith(f"/{text.id}")
    assert text.content["question"] in "".join(f"{one}我叫×××" for one in ASKED)
    assert text.content["answer"] == "请带旧证到区残联"
    assert browser.post(f"{FLOOR}/tasks/{task.id}/draft", {}).headers["Location"].endswith(f"/{text.id}")
    assert "继续起草" in browser.get(f"{FLOOR}?state=started").text


def test_a_wrong_answer_is_revised_from_its_task(staff: Staff, editor: Actor, runtime: Runtime) -> None:
    browser = staff(editor)
    (task,) = tasks_of(runtime, SignalKind.WRONG)
    assert "修订条目" in browser.get(f"{FLOOR}/tasks/{task.id}").text
    browser.post(f"{FLOOR}/tasks/{task.id}/draft", {})
    assert the_text(runtime).entry_id == task.entry_id
    assert tasks_of(runtime, SignalKind.WRONG)[0].state == TaskState.STARTED


def test_a_task_goes_to_an_entry_that_is_found_by_other_words(staff: Staff, editor: Actor, runtime: Runtime) -> None:
    browser = staff(editor)
    (task,) = tasks_of(runtime, SignalKind.NO_ENTRY)
    page = browser.get(f"{FLOOR}/tasks/{task.id}?q=结婚证").text
    assert "结婚登记需要什么手续" in page and "请带旧证到区残联" in page
    browser.post(f"{FLOOR}/tasks/{task.id}/merge", {"code": "wedding"})
    assert len(the_text(runtime).content["similar"]) == 1 + len(ASKED)
    assert browser.post(f"{FLOOR}/tasks/{task.id}/merge", {"code": "nothing"}).status_code == 404


def test_not_to_be_done_wants_a_reason_and_can_be_undone(staff: Staff, editor: Actor, runtime: Runtime) -> None:
    browser = staff(editor)
    (task,) = tasks_of(runtime, SignalKind.NO_ENTRY)
    refused = browser.post(f"{FLOOR}/tasks/{task.id}/drop", {"reason": " "})
    assert refused.status_code == 422 and "请写明不处理的原因" in refused.text
    browser.post(f"{FLOOR}/tasks/{task.id}/drop", {"reason": "由残联热线答复"})
    page = browser.get(FLOOR).text
    assert "已列为不处理" in page and f"{FLOOR}/tasks/{task.id}/reopen" in page
    assert "由残联热线答复" in browser.get(f"{FLOOR}?state=dropped").text
    browser.post(f"{FLOOR}/tasks/{task.id}/reopen", {})
    assert tasks_of(runtime, SignalKind.NO_ENTRY)[0].state == TaskState.OPEN


def test_what_is_solved_otherwise_is_marked_done(staff: Staff, editor: Actor, runtime: Runtime) -> None:
    (task,) = tasks_of(runtime, SignalKind.WRONG)
    staff(editor).post(f"{FLOOR}/tasks/{task.id}/finish", {})
    assert tasks_of(runtime, SignalKind.WRONG)[0].state == TaskState.DONE
    assert staff(editor).post(f"{FLOOR}/tasks/{task.id}/drop", {"reason": "晚了"}).status_code == 409


# ---- offers


@pytest.fixture
def answered(runtime: Runtime, editor: Actor, clock: Clock) -> list[int]:
    """Two callers were answered by the same entry, in words it does not have; ids of the offers."""
    with session_scope(runtime.sessions) as session:
        for said in ("水管里不出水是停水了吗", "小区停水两天没人管"):
            call = calls.arrived(session)
            hits = runtime.knowledge.search("停水", on=runtime.today())[:1]
            (row,) = suggestions.show(session, call_id=call.id, hits=hits, now=clock.now)
            suggestions.mark_used(
                session, suggestion_id=row.id, call_id=call.id, actor_id=None, now=clock.now, said=[said]
            )
        return list(session.scalars(select(Offer.id).order_by(Offer.id)))


def test_several_words_taken_at_once_stand_in_one_text_to_be_checked(
    staff: Staff, editor: Actor, runtime: Runtime, answered: list[int]
) -> None:
    browser = staff(editor)
    page = browser.get(f"{FLOOR}/offers").text
    assert "水管里不出水是停水了吗" in page and "自来水没水了" in page
    nothing = browser.post(f"{FLOOR}/offers", {"do": "take"})
    assert nothing.status_code == 422
    browser.client.post(
        f"{FLOOR}/offers",
        data={"do": "take", "offer": [str(one) for one in answered], "csrf_token": token(browser)},
    )
    assert the_text(runtime).content["similar"] == ["自来水没水了", "水管里不出水是停水了吗", "小区停水两天没人管"]
    with session_scope(runtime.sessions) as session:
        assert set(session.scalars(select(Offer.state))) == {OfferState.TAKEN}
        assert session.scalars(select(Entry.version).where(Entry.code == "water")).one() == 1


def test_words_that_ask_for_something_else_are_refused_and_come_back(
    staff: Staff, editor: Actor, runtime: Runtime, answered: list[int]
) -> None:
    browser = staff(editor)
    browser.post(f"{FLOOR}/offers", {"do": "refuse", "offer": str(answered[0])})
    page = browser.get(f"{FLOOR}/offers").text
    undo = re.search(r'action="(/knowledge/floor/offers/reconsider[^"]*)"', page)
    assert undo is not None and "水管里不出水是停水了吗" not in page
    browser.post(undo[1].replace("&amp;", "&"), {})
    assert "水管里不出水是停水了吗" in browser.get(f"{FLOOR}/offers").text


def token(browser: Browser) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(f"{FLOOR}/offers").text)
    assert found is not None
    return found[1]


# ---- who may


@pytest.mark.parametrize("path", ["", "/offers", "/tasks/1"])
def test_the_floor_is_for_editors(staff: Staff, here: City, editor: Actor, path: str) -> None:
    assert staff(here.operator).get(f"{FLOOR}{path}").status_code == 403
    assert staff(here.county_clerk).get(f"{FLOOR}{path}").status_code == 403
    assert staff(here.supervisor).get(f"{FLOOR}{path}").status_code == 200


def test_absurd_addresses_are_no_error_pages(staff: Staff, editor: Actor) -> None:
    browser = staff(editor)
    for query in ("?page=99999999999999999999", "?page=-1", "?kind=x&state=y&sort=z", "?page=a"):
        assert browser.get(f"{FLOOR}{query}").status_code == 200
        assert browser.get(f"{FLOOR}/offers{query}").status_code == 200
    assert browser.get(f"{FLOOR}/tasks/999999").status_code == 404
    assert browser.post(f"{FLOOR}/offers", {"do": "take", "offer": "9" * 30}).status_code == 400
