"""The working line: ready, offered, accepted, heard, answered or drafted and submitted, wrapped up."""

from __future__ import annotations

from collections.abc import Callable

from hotline.calls import queries as calls
from hotline.calls.states import Outcome, PresenceState
from hotline.db import SessionFactory, session_scope
from hotline.knowledge_base.states import SuggestionState
from hotline.telephony.simulated import SimulatedTelephony
from hotline.work_orders import queries as orders
from hotline.work_orders.states import Status
from tests.factories.units import WATER
from tests.web.desk.conftest import Desk


def test_a_call_is_offered_accepted_answered_by_a_suggestion_and_wrapped_up(
    ready: Desk,
    rings: Callable[..., int],
    answered: Callable[[int], None],
    sessions: SessionFactory,
    telephony: SimulatedTelephony,
) -> None:
    call_id = rings()
    page = ready.open()
    assert "199****1234" in page
    assert "第 1 次来电" in page
    assert "停水两天了" in page  # what was said while waiting, before anybody answers
    assert "桃城区" in page

    assert ready.send(f"/desk/calls/{call_id}/accept").status_code == 303
    assert [line.to for line in telephony.lines.values()] == ["client:seat07"]
    assert "接通中" in ready.open()
    answered(call_id)
    page = ready.open()
    assert "接通中" not in page
    assert "<mark>小区停水</mark>怎么报修" in page

    with session_scope(sessions) as session:
        shown = calls.suggestions_now(session, session.get_one(calls.Call, call_id))[0].id
    assert ready.send(f"/desk/calls/{call_id}/suggestions/{shown}/used").status_code == 303
    assert "已采用" in ready.open()
    answer = ready.send(f"/desk/calls/{call_id}/resolve", {"suggestion_id": str(shown), "outcome": "answered"})
    assert answer.status_code == 303
    assert ready.send(f"/desk/calls/{call_id}/end").status_code == 303
    assert "话后整理" in ready.open()
    assert ready.send("/desk/wrap-up/done").status_code == 303
    with session_scope(sessions) as session:
        call = session.get_one(calls.Call, call_id)
        order = orders.of_call(session, call_id)[0]
        assert (call.outcome, order.status) == (Outcome.ANSWERED_ON_SPOT, Status.ANSWERED)
        assert calls.suggestions_now(session, call)[0].state == SuggestionState.USED
        state = calls.presence_of(session, ready.actor.user_id or 0)
        assert state is not None and state.state == PresenceState.READY


def test_a_draft_comes_filled_from_the_call_and_is_submitted_with_its_number_read_out(
    ready: Desk, talking: int, sessions: SessionFactory
) -> None:
    ready.open(f"/desk/calls/{talking}")
    fields = ready.fields()
    assert fields["category_code"] == WATER
    assert fields["area_code"] == "131102"
    assert "停水两天" in fields["content"]
    assert "由通话填入" in ready.page
    answer = ready.send(f"/desk/calls/{talking}/submit", fields | {"read_back_ok": "1"})
    assert answer.status_code == 303, answer.text[-3000:]
    with session_scope(sessions) as session:
        order = orders.of_call(session, talking)[0]
        assert order.status == Status.TO_REVIEW
        assert order.touched == ["read_back_ok"]
        assert session.get_one(calls.Call, talking).outcome == Outcome.ORDERED
        number = order.order_no
    page = ready.open()
    assert number in page
    assert "再记一件" in page
