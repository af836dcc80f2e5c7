"""The editors' list and one entry: found, read, stopped and brought back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.knowledge_base import editing
from hotline.knowledge_base.content import Content
from hotline.knowledge_base.models import Entry, Version
from hotline.knowledge_base.service import import_entries
from tests.conftest import NOON
from tests.factories import people
from tests.factories.units import City
from tests.web.shared.browser import Browser
from tests.web.staff import Clock, Staff

TODAY = NOON.date()
ROWS = (
    {
        "id": "K1",
        "question": "社保卡丢了怎么补办",
        "answer": "带身份证到窗口。",
        "category": "社保",
        "owner_unit": "JZ",
    },
    {"id": "K2", "question": "路灯不亮找谁修", "answer": "城管维修。", "similar": ["灯杆不亮"], "category": "市政"},
    {
        "id": "K3",
        "question": "取暖补贴怎么申请",
        "answer": "网上申请。",
        "category": "社保",
        "valid_to": (TODAY + timedelta(days=9)).isoformat(),
    },
    {"id": "K/4?", "question": "旧政策", "answer": "已过期。", "valid_to": (TODAY - timedelta(days=1)).isoformat()},
)


@pytest.fixture
def writer(here: City, runtime: Runtime) -> Actor:
    """Somebody who writes; the city knows four entries."""
    with session_scope(runtime.sessions) as session:
        import_entries(session, ROWS, actor_id=None, now=NOON)
        return people.actor(session, Role.KBE, name="编辑小钱")


@pytest.fixture
def page(staff: Staff, writer: Actor) -> Browser:
    """Their browser."""
    return staff(writer)


def entry_id(runtime: Runtime, code: str) -> int:
    """Return the id of an entry."""
    with runtime.sessions() as session:
        return session.scalars(select(Entry.id).where(Entry.code == code)).one()


def listed(page: Browser, query: str = "") -> list[str]:
    """Return the questions of a list in its order."""
    answer = page.get(f"/knowledge{query}")
    assert answer.status_code == 200
    return [
        str(row["question"])
        for row in sorted(ROWS, key=lambda row: answer.text.find(str(row["question"])))
        if str(row["question"]) in answer.text
    ]


def test_an_entry_is_found_by_letters_anywhere_by_its_code_and_by_how_it_sounds(page: Browser) -> None:
    assert len(listed(page)) == len(ROWS)
    assert listed(page, "?q=灯杆") == ["路灯不亮找谁修"]
    assert listed(page, "?q=K/4") == ["旧政策"]
    assert listed(page, "?q=社包咖丢了怎么补办")[0] == "社保卡丢了怎么补办"
    assert listed(page, "?q=sbkbb") == ["社保卡丢了怎么补办"]
    assert "以“搬家公司”新建" in page.get("/knowledge?q=搬家公司").text


def test_limits_are_links_that_count_and_can_be_shared(page: Browser) -> None:
    assert listed(page, "?show=ending") == ["取暖补贴怎么申请"]
    assert listed(page, "?show=ended") == ["旧政策"]
    assert listed(page, "?category=社保&show=published") == ["社保卡丢了怎么补办", "取暖补贴怎么申请"][::-1]
    assert listed(page, "?show=nonsense&page=-3") == listed(page)
    assert "没有停用的条目" in page.get("/knowledge?show=withdrawn").text
    assert "没有符合条件的条目" in page.get("/knowledge?show=withdrawn&q=搬家").text


def test_a_draft_of_mine_is_on_my_list_alone(page: Browser, staff: Staff, here: City, runtime: Runtime) -> None:
    answer = page.post("/knowledge/new", {"question": "搬家公司加价怎么办", "once": "n1"})
    assert answer.status_code == 303
    assert "搬家公司加价怎么办" in page.get("/knowledge?show=mine").text
    assert "搬家公司加价怎么办" in page.get("/knowledge?show=draft").text
    other = staff(here.supervisor)
    assert "搬家公司加价怎么办" not in other.get("/knowledge?show=mine").text
    assert "搬家公司加价怎么办" in other.get("/knowledge?q=搬家公司").text


def test_the_same_new_entry_sent_twice_is_begun_once(page: Browser, runtime: Runtime) -> None:
    one, two = (page.post("/knowledge/new", {"once": "twice"}) for _ in range(2))
    assert one.headers["Location"] == two.headers["Location"]
    with runtime.sessions() as session:
        assert session.scalar(select(func.count(Version.id)).where(Version.state == "draft")) == 1


def test_an_entry_shows_what_operators_see_and_where_it_holds(page: Browser, runtime: Runtime) -> None:
    text = page.get(f"/knowledge/entries/{entry_id(runtime, 'K1')}").text
    for seen in ("社保卡丢了怎么补办", "带身份证到窗口。", "冀州区政府", "全市", "还没有在通话中出现过", "发布第 1 版"):
        assert seen in text
    assert page.get("/knowledge/entries/999999").status_code == 404


def test_it_is_withdrawn_for_a_reason_and_brought_back_from_the_toast(page: Browser, runtime: Runtime) -> None:
    number = entry_id(runtime, "K1")
    refused = page.post(f"/knowledge/entries/{number}/withdraw", {"reason": " ", "once": "w0"})
    assert refused.status_code == 422
    assert "请写明停用的原因" in refused.text
    assert page.post(f"/knowledge/entries/{number}/withdraw", {"reason": "政策改了", "once": "w1"}).status_code == 303
    text = page.get(f"/knowledge/entries/{number}").text
    assert "政策改了" in text
    assert "已停用，话务员看不到" in text
    assert f'action="/knowledge/entries/{number}/restore"' in text
    assert listed(page, "?show=withdrawn") == ["社保卡丢了怎么补办"]
    assert page.post(f"/knowledge/entries/{number}/restore").status_code == 303
    assert listed(page, "?show=withdrawn") == []
    assert "恢复" in page.get(f"/knowledge/entries/{number}").text


def test_any_two_versions_can_be_compared_and_an_old_one_written_on(
    page: Browser, staff: Staff, writer: Actor, here: City, runtime: Runtime, clock: Clock
) -> None:
    number = entry_id(runtime, "K1")
    with session_scope(runtime.sessions) as session:
        for fee in (20, 25):
            draft = editing.revise(session, actor=writer, now=clock.now, code="K1")
            content = Content(question="社保卡丢了怎么补办", answer=f"带身份证到窗口，工本费 {fee} 元。")
            draft = editing.save(
                session, actor=writer, now=clock.now, version_id=draft.id, revision=draft.revision, content=content
            )
            draft = editing.submit(session, actor=writer, now=clock.now, version_id=draft.id, revision=draft.revision)
            editing.publish(
                session, actor=here.supervisor, now=clock.now, today=TODAY, version_id=draft.id, revision=draft.revision
            )
    text = page.get(f"/knowledge/entries/{number}/versions/3").text
    assert "与第 2 版相比" in text
    assert "</span>20</del>" in text
    assert "</span>25</ins>" in text
    assert "与第 1 版相比" in page.get(f"/knowledge/entries/{number}/versions/3?with=1").text
    assert "第一版的内容" in page.get(f"/knowledge/entries/{number}/versions/1").text
    assert page.get(f"/knowledge/entries/{number}/versions/9").status_code == 404
    answer = page.post(f"/knowledge/entries/{number}/revise", {"like": 2, "once": "r1"})
    assert "工本费 20 元" in page.get(answer.headers["Location"]).text


def test_nobody_else_opens_it(staff: Staff, writer: Actor, here: City) -> None:
    other = staff(here.operator)
    assert other.get("/knowledge").status_code == 403
    assert other.post("/knowledge/new").status_code == 403
