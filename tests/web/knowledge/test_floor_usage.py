"""Every figure of the page of usage leads to the rows it was counted from."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.knowledge_base import service, tasks
from hotline.knowledge_base.floor import learning, suggestions
from hotline.knowledge_base.models import Task
from hotline.knowledge_base.states import SignalKind
from tests.factories import calls, people
from tests.factories.units import City
from tests.unit.knowledge_base.conftest import ROWS
from tests.web.staff import Clock, Staff

USAGE = "/knowledge/usage"


@pytest.fixture
def editor(runtime: Runtime, here: City, clock: Clock) -> Actor:
    """Four calls: two answers used, one wrong, one passed over; one search in vain, forty days ago one more use."""
    with session_scope(runtime.sessions) as session:
        service.import_entries(session, ROWS, actor_id=None, now=clock.now - timedelta(days=60))
        runtime.knowledge.refresh(session)
        history = [("停水", "used", 1), ("停水", "used", 2), ("路灯", "wrong", 1), ("拖欠工资", "", 3)]
        for query, mark, days in [*history, ("结婚证", "used", 40)]:
            call, at = calls.arrived(session), clock.now - timedelta(days=days)
            hits = runtime.knowledge.search(query, on=runtime.today())[:1]
            (row,) = suggestions.show(session, call_id=call.id, hits=hits, now=at)
            if mark:
                verb = suggestions.mark_used if mark == "used" else suggestions.mark_wrong
                verb(session, suggestion_id=row.id, call_id=call.id, actor_id=None, now=at)
        tasks.note(session, kind=SignalKind.NO_RESULT, text="无人机飞行报备", now=clock.now - timedelta(hours=1))
        learning.group(session, now=clock.now)
        return people.actor(session, Role.KBE, name="知识编辑")


def figures(page: str) -> dict[str, tuple[str, str]]:
    """Return label → (value, where it leads)."""
    found = re.findall(
        r'<a class="figure[^"]*" href="([^"]+)"><p class="figure-label">([^<]+)</p><p class="figure-value">(.*?)</p>',
        page,
    )
    return {label: (re.sub(r"<[^>]+>", "", value), href.replace("&amp;", "&")) for href, label, value in found}


def test_figures_of_thirty_days_and_where_they_lead(staff: Staff, editor: Actor) -> None:
    browser = staff(editor)
    found = figures(browser.get(USAGE).text)
    assert {label: value for label, (value, _) in found.items()} == {
        "知识采用率": "50.0%",
        "有推荐的通话中采用": "50.0%",
        "纠错时长（中位数）": "—",
        "搜不到": "1",
        "没有条目": "0",
        "从未采用的条目": "4",
    }
    for _, href in found.values():
        assert browser.get(href).status_code == 200
    assert "无人机飞行报备" in browser.get(found["搜不到"][1]).text
    unused = browser.get(found["从未采用的条目"][1]).text
    assert "老板拖欠工资怎么办" in unused and "家里停水怎么报修" not in unused


def test_a_longer_period_counts_what_was_used_before(staff: Staff, editor: Actor) -> None:
    assert figures(staff(editor).get(f"{USAGE}?days=90").text)["知识采用率"][0] == "60.0%"
    assert figures(staff(editor).get(f"{USAGE}?days=7").text)["知识采用率"][0] == "50.0%"


def test_mending_a_wrong_answer_is_timed(staff: Staff, editor: Actor, runtime: Runtime, clock: Clock) -> None:
    with session_scope(runtime.sessions) as session:
        (task,) = [task for task in session.scalars(select(Task)) if task.kind == "wrong"]
        tasks.finish(session, task_id=task.id, actor=editor, now=clock.now)
    assert figures(staff(editor).get(USAGE).text)["纠错时长（中位数）"][0] == "1天0小时"


def test_entries_stand_in_the_order_asked_for(staff: Staff, editor: Actor) -> None:
    page = staff(editor).get(f"{USAGE}/entries?sort=wrong").text
    assert "路灯不亮找谁修" in page and "家里停水怎么报修" not in page
    page = staff(editor).get(f"{USAGE}/entries").text
    assert page.index("家里停水怎么报修") < page.index("路灯不亮找谁修")


def test_the_workbook_holds_what_the_pages_show_and_no_formula(
    staff: Staff, editor: Actor, runtime: Runtime, clock: Clock
) -> None:
    with session_scope(runtime.sessions) as session:
        tasks.note(session, kind=SignalKind.NO_ENTRY, text="=1+1 是多少", now=clock.now - timedelta(hours=1))
        learning.group(session, now=clock.now)
    answer = staff(editor).get(f"{USAGE}/export.xlsx?days=30")
    assert answer.status_code == 200
    book = load_workbook(io.BytesIO(answer.data))
    assert [row for row in book["条目的使用"].values if row[0] == "water"] == [
        ("water", "家里停水怎么报修", "2", "2", "2", "0")
    ]
    assert {row[0] for row in book["从未采用"].values} == {"编号", "lamp", "night", "wages", "wedding"}
    cells = {row[0].value: row[0].data_type for row in book["没有答案的提问"].rows}
    assert cells == {"市民怎样问": "s", "=1+1 是多少": "s", "无人机飞行报备": "s"}


def test_nothing_yet_says_what_will_be_there(staff: Staff, here: City) -> None:
    page = staff(here.supervisor).get(USAGE).text
    assert "—" in page and "近 12 周还没有推荐过答案" in page
    assert "没有可数的" in staff(here.supervisor).get(f"{USAGE}/entries").text
    assert "都用到了" in staff(here.supervisor).get(f"{USAGE}/unused").text


@pytest.mark.parametrize("path", ["", "/entries", "/unused", "/export.xlsx"])
def test_usage_is_for_editors_and_breaks_on_no_nonsense(staff: Staff, here: City, editor: Actor, path: str) -> None:
    assert staff(here.operator).get(f"{USAGE}{path}").status_code == 403
    for query in ("?days=0", "?days=x&sort=y", "?page=" + "9" * 30, "?page=-3"):
        assert staff(editor).get(f"{USAGE}{path}{query}").status_code == 200
