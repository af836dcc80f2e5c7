"""An editor in a real browser: from what the floor misses to a draft, from callers' words to a revision."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.knowledge_base import service, tasks
from hotline.knowledge_base.floor import learning, suggestions
from hotline.knowledge_base.states import SignalKind
from tests.factories import calls, people
from tests.factories.units import City
from tests.unit.knowledge_base.conftest import ROWS
from tests.web.knowledge.test_editor_in_browser import Sit, sit
from tests.web.staff import Clock

__all__ = ["sit"]
pytestmark = pytest.mark.browser

ASKED = "残疾人证到期了怎么换"
WORDS = ("水管里不出水是停水了吗", "小区停水两天没人管")


@pytest.fixture
def editor(runtime: Runtime, here: City, clock: Clock) -> Actor:
    """A question was asked without an answer; two callers were answered in words their entry does not have."""
    assert here
    with session_scope(runtime.sessions) as session:
        service.import_entries(session, ROWS, actor_id=None, now=clock.now)
        runtime.knowledge.refresh(session)
        tasks.note(session, kind=SignalKind.NO_ENTRY, text=ASKED, call_id=calls.arrived(session).id, now=clock.now)
        for said in WORDS:
            call = calls.arrived(session)
            hits = runtime.knowledge.search("停水", on=runtime.today())[:1]
            (row,) = suggestions.show(session, call_id=call.id, hits=hits, now=clock.now)
            suggestions.mark_used(
                session, suggestion_id=row.id, call_id=call.id, actor_id=None, now=clock.now, said=[said]
            )
        learning.group(session, now=clock.now + timedelta(minutes=5))
        return people.actor(session, Role.KBE, name="编辑小钱")


def test_one_press_leads_from_the_list_into_a_draft_with_the_question(sit: Sit, editor: Actor) -> None:
    page = sit(editor)
    page.goto("/knowledge/floor")
    row = page.get_by_role("row").filter(has_text=ASKED)
    row.get_by_role("button", name="起草条目").click()
    page.wait_for_url("**/knowledge/drafts/**")
    expect(page.locator("[name=question]")).to_have_value(ASKED)
    page.goto("/knowledge/floor?state=started")
    expect(page.get_by_role("button", name="继续起草")).to_be_visible()


def test_a_task_is_put_aside_with_a_reason_and_taken_back_at_once(sit: Sit, editor: Actor) -> None:
    page = sit(editor)
    page.goto("/knowledge/floor")
    page.get_by_role("link", name=ASKED).click()
    page.get_by_role("link", name="不处理").click()
    page.locator("#drop textarea").fill("由残联热线答复")
    page.locator("#drop").get_by_role("button", name="不处理").click()
    page.wait_for_url("**/knowledge/floor")
    expect(page.get_by_role("link", name=ASKED)).to_have_count(0)
    page.get_by_role("button", name="撤销").click()
    expect(page.get_by_role("link", name=ASKED)).to_be_visible()


def test_callers_words_ticked_together_become_similar_questions_of_one_text(sit: Sit, editor: Actor) -> None:
    page = sit(editor)
    page.goto("/knowledge/floor/offers")
    for words in WORDS:
        page.get_by_label(words).check()
    page.get_by_role("button", name="加为相似问").click()
    page.wait_for_url("**/knowledge/drafts/**")
    for words in (*WORDS, "自来水没水了"):
        expect(page.get_by_text(words, exact=True).first).to_be_visible()
    page.goto("/knowledge/floor/offers")
    expect(page.get_by_text("没有等待决定的问法")).to_be_visible()
