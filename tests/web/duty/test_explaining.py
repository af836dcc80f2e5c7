"""An officer hears "not satisfied" where nothing more can be done, and says so on the page."""

from __future__ import annotations

from sqlalchemy import select

from hotline.db import SessionFactory, session_scope
from hotline.follow_ups import service as follow_ups
from hotline.follow_ups.models import Evaluation
from hotline.outbox import OutboxMessage
from hotline.work_orders.models import OrderRequest
from tests.factories.units import City
from tests.web.duty.test_duty_desk import dialled, waiting
from tests.web.staff import Staff

SAID = {
    "contacted": "yes",
    "solved": "impossible",
    "satisfaction": "dissatisfied",
    "reasons": ["policy"],
    "ground": "law",
    "explained": "已解释须业主大会同意后方可改造",
}


def test_an_officer_proposes_to_close_as_explained(here: City, staff: Staff, sessions: SessionFactory) -> None:
    callback_id = waiting(sessions, here)
    browser = staff(here.callback_officer)
    dialled(browser, callback_id)
    assert "是否提请按合理解释办结" in browser.get(f"/duty/{callback_id}").text
    assert browser.post(f"/duty/{callback_id}/evaluation", SAID).status_code == 303
    assert "已提请督办员按合理解释审定" in browser.get("/duty").text
    with sessions() as session:
        asked = session.scalars(select(OrderRequest)).one()
        assert (asked.kind, asked.state, asked.ground, asked.reason) == (
            "explanation",
            "asked",
            "law",
            SAID["explained"],
        )
        assert session.scalars(select(Evaluation.solved)).one() == "impossible"
        assert not session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "order.evaluated")).all()


def test_without_words_it_is_asked_for_them_and_keeps_what_was_typed(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    callback_id = waiting(sessions, here)
    browser = staff(here.callback_officer)
    dialled(browser, callback_id)
    answer = browser.post(f"/duty/{callback_id}/evaluation", SAID | {"explained": ""})
    assert answer.status_code == 422
    assert "请写明向市民作了哪些解释" in answer.text
    assert 'value="law" checked' in answer.text
    answer = browser.post(f"/duty/{callback_id}/evaluation", SAID | {"contacted": "no"})
    assert (answer.status_code, "承办单位没有联系过市民的，应当重办" in answer.text) == (422, True)
    with sessions() as session:
        assert session.scalar(select(OrderRequest)) is None


def test_what_was_chosen_before_the_citizen_turned_out_content_is_not_taken(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    callback_id = waiting(sessions, here)
    browser = staff(here.callback_officer)
    dialled(browser, callback_id)
    browser.post(f"/duty/{callback_id}/evaluation", SAID | {"satisfaction": "satisfied"})
    with sessions() as session:
        assert session.scalar(select(OrderRequest)) is None
        assert session.scalars(select(Evaluation.satisfaction)).one() == "satisfied"


def test_a_supervisor_on_the_telephone_is_not_offered_what_a_supervisor_decides(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    callback_id = waiting(sessions, here)
    with session_scope(sessions) as session:
        found = session.get_one(follow_ups.Callback, callback_id)
        follow_ups.take(session, callback=found, actor=here.supervisor, now=found.created_at)
    page = staff(here.supervisor).get(f"/duty/{callback_id}").text
    assert "对办理结果满意吗" in page
    assert "是否提请按合理解释办结" not in page
