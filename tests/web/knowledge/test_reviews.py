"""Units confirm their knowledge in the portal; the hub sees what is overdue and answers for whom it telephoned."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.knowledge_base import reviews
from hotline.knowledge_base.models import Entry, Review
from hotline.knowledge_base.service import import_entries
from tests.factories import people
from tests.factories.units import City
from tests.web.staff import Staff

QUESTION = "路灯不亮找谁修"


@pytest.fixture
def editor(runtime: Runtime, here: City) -> Actor:
    """A knowledge editor; one entry of the county's was asked about and is a day late."""
    today = runtime.today()
    with session_scope(runtime.sessions) as session:
        row = {"id": "lamp", "question": QUESTION, "answer": "拨打**城管**热线", "owner_unit": "JZ"}
        import_entries(
            session,
            [{**row, "review_on": (today - timedelta(days=1)).isoformat()}],
            actor_id=None,
            now=runtime.now(),
        )
        reviews.ask(session, now=runtime.now(), today=today)
        return people.actor(session, Role.KBE, name="知识编辑")


def the_review(runtime: Runtime) -> Review:
    with session_scope(runtime.sessions) as session:
        return session.scalars(select(Review)).one()


def test_a_unit_finds_the_review_in_its_inbox_and_confirms_with_one_press(
    staff: Staff, here: City, runtime: Runtime, editor: Actor
) -> None:
    clerk = staff(here.county_clerk)
    assert "知识复核 1 条" in clerk.get("/portal").text
    page = clerk.get("/portal/reviews").text
    assert QUESTION in page and "逾期 1 天" in page and "<strong>城管</strong>" in page
    review = the_review(runtime)
    assert clerk.post(f"/portal/reviews/{review.id}", {"said": "holds"}).status_code == 303
    assert "没有要复核的知识" in clerk.get("/portal/reviews").text
    with session_scope(runtime.sessions) as session:
        assert session.scalars(select(Entry.review_on)).one() == runtime.today() + reviews.ANEW_AFTER


def test_what_is_missing_is_said_beside_the_field_and_what_was_typed_is_kept(
    staff: Staff, here: City, runtime: Runtime, editor: Actor
) -> None:
    clerk = staff(here.county_clerk)
    review = the_review(runtime)
    refused = clerk.post(f"/portal/reviews/{review.id}", {"said": "change", "words": " "})
    assert refused.status_code == 422 and "请写明哪里要改" in refused.text
    refused = clerk.post(f"/portal/reviews/{review.id}", {"said": "holds", "next_on": "2020-01-01"})
    assert refused.status_code == 422 and "应在今天之后" in refused.text and 'value="2020-01-01"' in refused.text
    assert clerk.post(f"/portal/reviews/{review.id}", {"said": "holds", "next_on": "x"}).status_code == 422
    assert the_review(runtime).answer == ""


def test_a_township_sees_nothing_of_it(staff: Staff, here: City, runtime: Runtime, editor: Actor) -> None:
    stranger = staff(here.township_clerk)
    assert QUESTION not in stranger.get("/portal/reviews").text
    assert stranger.post(f"/portal/reviews/{the_review(runtime).id}", {"said": "holds"}).status_code == 404


def test_the_hub_lists_what_is_overdue_and_answers_with_words_on_who_said_so(
    staff: Staff, here: City, runtime: Runtime, editor: Actor
) -> None:
    desk = staff(editor)
    page = desk.get("/knowledge/reviews?show=late").text
    assert QUESTION in page and "冀州区政府" in page
    at = f"/knowledge/reviews/{the_review(runtime).id}"
    assert "请写明是谁" in desk.post(at, {"said": "holds"}).text
    assert desk.post(at, {"said": "holds", "words": "王科长电话确认"}).status_code == 303
    assert desk.post(at, {"said": "holds", "words": "再来一次"}).status_code == 303  # told in a toast
    assert "已经复核过了" in desk.get("/knowledge/reviews").text
