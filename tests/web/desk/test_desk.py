"""The desk around the call: whose it is, who may look, what goes wrong and how it is said."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from hotline.accounts.models import User
from hotline.audit import AccessLog
from hotline.calls import assignment, service
from hotline.calls import queries as calls
from hotline.calls.events import leg_on
from hotline.calls.models import Call
from hotline.calls.states import CallState, PresenceState, Track
from hotline.db import SessionFactory, session_scope
from hotline.knowledge_base.queries import suggestions_of_call
from hotline.telephony.base import CarrierUnreachable
from hotline.telephony.simulated import SimulatedTelephony
from tests.web.desk.conftest import Desk, say
from tests.web.ivr.conftest import Clock


def state_of(sessions: SessionFactory, desk: Desk) -> str:
    """What an operator is doing, as committed."""
    with session_scope(sessions) as session:
        found = calls.presence_of(session, desk.actor.user_id or 0)
        assert found is not None
        return found.state


def test_a_second_browser_is_told_and_can_take_over(ready: Desk, desk: Callable[..., Desk]) -> None:
    second = desk()
    answer = second.browser.get("/desk")
    assert answer.status_code == 409
    assert "在此接管" in answer.text
    assert second.send("/desk/take-over").status_code == 303
    assert second.open()
    assert ready.browser.get("/desk").status_code == 409
    beat = ready.browser.htmx("/desk/seen")
    assert beat.headers["HX-Redirect"] == "/desk"  # the first one is led to the page that says so


def test_another_operators_call_is_not_there(ready: Desk, talking: int, desk: Callable[..., Desk]) -> None:
    other = desk("li", seat="seat08")
    other.open()
    for path in ("", "/head", "/conversation", "/suggestions", "/filling", "/search", "/resolve"):
        assert other.browser.get(f"/desk/calls/{talking}{path}").status_code == 404, path
    for path in ("accept", "decline", "end", "draft", "check", "submit", "resolve", "proposal", "caller/reveal"):
        assert other.send(f"/desk/calls/{talking}/{path}").status_code == 404, path
    assert other.send(f"/desk/calls/{talking}/suggestions/1/used").status_code == 404
    assert other.send(f"/desk/calls/{talking}/found/1", {"q": "停水"}).status_code == 404


def test_other_roles_have_no_desk(talking: int, sessions: SessionFactory, desk: Callable[..., Desk]) -> None:
    sitting = desk("sun")
    with session_scope(sessions) as session:
        session.get_one(User, sitting.actor.user_id).role = "REV"
    assert sitting.browser.get("/desk").status_code == 403


def test_what_is_said_is_shown_as_text(ready: Desk, talking: int, sessions: SessionFactory, clock: Clock) -> None:
    with session_scope(sessions) as session:
        say(session, talking, "<script>alert(1)</script>", at=clock(), start_ms=7000)
    page = ready.open(f"/desk/calls/{talking}")
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_conversation_comes_piece_by_piece(
    ready: Desk, talking: int, sessions: SessionFactory, clock: Clock
) -> None:
    page = ready.open(f"/desk/calls/{talking}")
    last = re.findall(r'data-id="(\d+)"', page)[-1]
    with session_scope(sessions) as session:
        say(session, talking, "请问是几号楼", at=clock(), start_ms=9000, track="operator")
    piece = ready.browser.get(f"/desk/calls/{talking}/conversation?after={last}").text
    assert "请问是几号楼" in piece
    assert "停水两天" not in piece


def test_a_withheld_number_is_said_so_and_has_no_past(ready: Desk, rings: Callable[..., int]) -> None:
    rings(phone=None)
    page = ready.open()
    assert "号码保密" in page
    assert "第 1 次来电" not in page


def test_the_number_is_shown_in_ones_own_call_and_the_look_is_noted(
    ready: Desk, talking: int, sessions: SessionFactory, clock: Clock
) -> None:
    page = ready.open(f"/desk/calls/{talking}")
    assert "19900001234" not in page
    assert "19900001234" in ready.browser.htmx(f"/desk/calls/{talking}/caller/reveal").text
    ready.send(f"/desk/calls/{talking}/end")
    ready.send("/desk/wrap-up/done")
    later = ready.browser.htmx(f"/desk/calls/{talking}/caller/reveal")
    assert "查看理由" in later.text
    assert "19900001234" not in later.text
    with session_scope(sessions) as session:
        assert [row.act for row in session.query(AccessLog).filter_by(act="reveal")] == ["reveal"]


def test_who_hung_up_is_said_only_when_it_was_the_citizen(
    ready: Desk, talking: int, sessions: SessionFactory, clock: Clock
) -> None:
    ready.send(f"/desk/calls/{talking}/end")
    with session_scope(sessions) as session:
        service.caller_gone(session, provider_id=session.get_one(Call, talking).provider_id, now=clock())
    head = ready.browser.get(f"/desk/calls/{talking}/head").text
    assert "话后整理" in head
    assert "市民已挂断" not in head


def test_an_earlier_call_of_the_same_number_opens_beside_and_a_strangers_does_not(
    ready: Desk,
    talking: int,
    rings: Callable[..., int],
    answered: Callable[[int], None],
    sessions: SessionFactory,
    clock: Clock,
) -> None:
    ready.send(f"/desk/calls/{talking}/end")
    ready.send("/desk/wrap-up/done")
    stranger = rings(phone="+8619900005678")
    ready.send(f"/desk/calls/{stranger}/decline")
    with session_scope(sessions) as session:
        service.caller_gone(session, provider_id=session.get_one(Call, stranger).provider_id, now=clock())
    ready.send("/desk/ready")
    call_id = rings(said="路灯不亮")
    assert "第 2 次来电" in ready.open()
    ready.send(f"/desk/calls/{call_id}/accept")
    answered(call_id)
    beside = ready.browser.get(f"/desk/calls/{call_id}/earlier/{talking}", **{"HX-Request": "true"})
    assert "停水两天" in beside.text
    assert "<html" not in beside.text
    assert ready.browser.get(f"/desk/calls/{call_id}/earlier/{stranger}").status_code == 404
    with session_scope(sessions) as session:
        assert session.query(AccessLog).filter_by(act="read", subject="call").count() == 1


def test_a_carrier_that_fails_is_told_in_words_and_the_caller_waits_first_in_line(
    ready: Desk, rings: Callable[..., int], telephony: SimulatedTelephony, sessions: SessionFactory
) -> None:
    call_id = rings()
    ready.open()
    telephony.faults["dial"] = CarrierUnreachable("away")
    answer = ready.send(f"/desk/calls/{call_id}/accept")
    assert (answer.status_code, answer.location) == (303, "/desk")
    page = ready.open()
    assert "话机没有接通" in page
    assert "示忙：话机未接通" in page
    assert state_of(sessions, ready) == PresenceState.AWAY
    with session_scope(sessions) as session:
        assert session.get_one(Call, call_id).state == CallState.WAITING


def test_an_offer_that_lapsed_is_told_and_accepting_it_changes_nothing(
    ready: Desk, rings: Callable[..., int], clock: Clock, sessions: SessionFactory
) -> None:
    call_id = rings()
    ready.open()
    clock.forward(25)
    with session_scope(sessions) as session:
        assignment.run(session, now=clock())
    assert ready.send(f"/desk/calls/{call_id}/accept").location == "/desk"
    assert "已不在等您接听" in ready.open()
    assert state_of(sessions, ready) == PresenceState.AWAY


def test_declining_sends_the_operator_away_and_keeps_the_callers_place(
    ready: Desk, rings: Callable[..., int], sessions: SessionFactory
) -> None:
    call_id = rings()
    ready.open()
    assert ready.send(f"/desk/calls/{call_id}/decline").status_code == 303
    assert state_of(sessions, ready) == PresenceState.AWAY
    with session_scope(sessions) as session:
        assert session.get_one(Call, call_id).state == CallState.WAITING


def test_without_sound_the_desk_says_so_and_goes_on(
    ready: Desk, rings: Callable[..., int], answered: Callable[[int], None], clock: Clock
) -> None:
    call_id = rings(said=None)
    ready.open()
    ready.send(f"/desk/calls/{call_id}/accept")
    answered(call_id)
    clock.forward(30)
    page = ready.open()
    assert "转写不可用：市民一侧没有声音传来，通话不受影响" in page
    told = {"suggestion_id": "", "outcome": "answered", "no_entry_reason": "电话里讲清了"}
    assert ready.send(f"/desk/calls/{call_id}/resolve", told).status_code == 303


def test_sound_that_breaks_off_is_said(ready: Desk, talking: int, sessions: SessionFactory, clock: Clock) -> None:
    with session_scope(sessions) as session:
        leg = leg_on(session, talking, Track.CALLER)
        assert leg is not None
        service.stream_started(session, leg_id=leg.id, now=clock())
        service.stream_ended(session, leg_id=leg.id, frames=10, dropped=0, now=clock())
    assert "市民一侧的声音中断" in ready.browser.get(f"/desk/calls/{talking}/head", **{"HX-Request": "true"}).text


@pytest.mark.parametrize(("mark", "word"), [("used", "已采用"), ("wrong", "已记不对")])
def test_a_mark_can_be_taken_back(ready: Desk, talking: int, sessions: SessionFactory, mark: str, word: str) -> None:
    with session_scope(sessions) as session:
        shown = suggestions_of_call(session, talking)[0].id
    at = f"/desk/calls/{talking}/suggestions/{shown}"
    ready.open(f"/desk/calls/{talking}")
    assert word in ready.browser.htmx(f"{at}/{mark}").text
    assert word not in ready.browser.htmx(f"{at}/undo").text


def test_an_answer_found_by_typing_can_be_used(ready: Desk, talking: int, sessions: SessionFactory) -> None:
    ready.open(f"/desk/calls/{talking}")
    found = ready.browser.get(f"/desk/calls/{talking}/search?q=路灯不亮找谁修", **{"HX-Request": "true"}).text
    entry = re.search(r"/found/(\d+)", found)
    assert entry is not None
    used = ready.browser.htmx(f"/desk/calls/{talking}/found/{entry[1]}", {"q": "路灯不亮找谁修"}).text
    assert "已采用" in used
    assert "灯杆编号" in used


def test_away_needs_a_reason_and_a_call_at_hand_does_not_let_one_leave(
    ready: Desk, rings: Callable[..., int], sessions: SessionFactory
) -> None:
    assert ready.send("/desk/away").status_code == 422
    assert ready.send("/desk/away", {"reason": "小休"}).status_code == 303
    assert state_of(sessions, ready) == PresenceState.AWAY
    ready.send("/desk/ready")
    rings()
    assert ready.send("/desk/leave").status_code == 409
    assert state_of(sessions, ready) == PresenceState.OFFERED
