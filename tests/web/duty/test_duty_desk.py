"""What callback officers see and do: whom to call, the call, what the citizen said."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.accounts.roles import Role
from hotline.accounts.service import actor_of
from hotline.bootstrap import Runtime
from hotline.db import SessionFactory, session_scope
from hotline.follow_ups import service
from hotline.follow_ups.models import Attempt, Callback, Evaluation
from hotline.outbox import OutboxMessage
from hotline.telephony.base import CarrierRefused, CarrierUnreachable
from hotline.work_orders import service as work
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.factories import people
from tests.factories.orders import WHEN, order_at
from tests.factories.units import City
from tests.web.shared.browser import Browser
from tests.web.staff import Clock, Staff

NUMBER = re.compile(r"1990000\d{4}")


def to_call(session: Session, here: City, **fields: Any) -> int:
    """Bring an order to its callback and return the callback's id."""
    order = order_at(session, here, Status.TO_CALL_BACK, **fields)
    return service.open_callback(session, order=order, now=order.updated_at, **WHEN).id


def waiting(sessions: SessionFactory, here: City, **fields: Any) -> int:
    """One citizen to call, and an officer with a telephone."""
    with session_scope(sessions) as session:
        session.get_one(User, here.callback_officer.user_id).seat = "seat09"
        return to_call(session, here, **fields)


def lines_of(runtime: Runtime) -> list[tuple[str, str]]:
    return [(line.to, line.caller_id) for line in runtime.telephony.lines.values()]  # type: ignore[attr-defined]


def dialled(browser: Browser, callback_id: int) -> None:
    assert browser.post(f"/duty/{callback_id}/dial").status_code == 303


def test_what_the_citizen_said_is_not_lost_with_a_callback_given_back_in_another_tab(
    here: City, staff: Staff, sessions: SessionFactory, clock: Clock
) -> None:
    callback_id = waiting(sessions, here)
    officer = staff(here.callback_officer)
    dialled(officer, callback_id)
    with session_scope(sessions) as session:
        found = session.get_one(Callback, callback_id)
        service.release(session, callback=found, actor=here.callback_officer, now=clock.now)
    said = {"contacted": "no", "solved": "no", "satisfaction": "dissatisfied", "reasons": "slow", "comment": "拖了三周"}
    answer = officer.post(f"/duty/{callback_id}/evaluation", said)
    assert answer.status_code == 409
    assert "拖了三周" in answer.text


def test_an_empty_desk_says_what_would_appear(here: City, staff: Staff) -> None:
    assert "现在没有要回访的市民" in staff(here.callback_officer).get("/duty").text


def test_the_first_to_call_is_open_with_the_answer_and_the_script(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    waiting(sessions, here)
    page = staff(here.callback_officer).get("/duty").text
    assert "水管已修复" in page  # what the unit answered
    assert "承办单位的工作人员联系过您吗" in page
    assert not NUMBER.search(page)


def test_one_button_rings_the_officer_first_and_shows_no_number(
    here: City, staff: Staff, sessions: SessionFactory, runtime: Runtime
) -> None:
    callback_id = waiting(sessions, here)
    browser = staff(here.callback_officer)
    dialled(browser, callback_id)
    assert lines_of(runtime) == [("client:seat09", "12345")]
    page = browser.get(f"/duty/{callback_id}").text
    assert "正在拨打" in page
    assert "我在回访" in page
    assert not NUMBER.search(page)
    with sessions() as session:
        assert session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "callback.dial")).one().settled_at


def test_a_button_pressed_twice_rings_once(
    here: City, staff: Staff, sessions: SessionFactory, runtime: Runtime
) -> None:
    callback_id = waiting(sessions, here)
    browser = staff(here.callback_officer)
    for _ in range(2):
        assert browser.post(f"/duty/{callback_id}/dial", {"once": "the-same"}).status_code == 303
    assert browser.post(f"/duty/{callback_id}/dial").status_code == 409  # another press while it rings
    assert len(lines_of(runtime)) == 1


def test_a_silent_carrier_leaves_the_call_to_the_worker(
    here: City, staff: Staff, sessions: SessionFactory, runtime: Runtime
) -> None:
    callback_id = waiting(sessions, here)
    runtime.telephony.faults["dial"] = CarrierUnreachable("no answer")  # type: ignore[attr-defined]
    dialled(staff(here.callback_officer), callback_id)
    with sessions() as session:
        row = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "callback.dial")).one()
        assert (row.settled_at, row.error) == (None, "CarrierUnreachable")


def test_an_officer_whose_own_seat_was_not_reached_is_told_so(
    here: City, staff: Staff, sessions: SessionFactory, runtime: Runtime
) -> None:
    callback_id = waiting(sessions, here)
    runtime.telephony.faults["dial"] = CarrierRefused("no such client")  # type: ignore[attr-defined]
    browser = staff(here.callback_officer)
    dialled(browser, callback_id)
    assert "您的座席没有接通" in browser.get(f"/duty/{callback_id}/line").text


def test_the_officer_ends_the_call_and_a_silent_carrier_is_said(
    here: City, staff: Staff, sessions: SessionFactory, runtime: Runtime
) -> None:
    callback_id = waiting(sessions, here)
    browser = staff(here.callback_officer)
    assert browser.post(f"/duty/{callback_id}/hang-up").status_code == 409  # there is no call
    dialled(browser, callback_id)
    assert "结束通话" in browser.get(f"/duty/{callback_id}").text
    (line,) = runtime.telephony.lines.values()  # type: ignore[attr-defined]
    runtime.telephony.faults["hang_up"] = CarrierUnreachable("no answer")  # type: ignore[attr-defined]
    assert browser.post(f"/duty/{callback_id}/hang-up").status_code == 303
    assert "没有挂断" in browser.get(f"/duty/{callback_id}").text
    assert not line.ended
    runtime.telephony.faults.clear()  # type: ignore[attr-defined]
    for _ in range(2):
        assert browser.post(f"/duty/{callback_id}/hang-up").status_code == 303
    assert line.ended


def test_the_line_of_the_call_is_read_again_as_a_fragment(
    here: City, staff: Staff, sessions: SessionFactory, clock: Clock
) -> None:
    callback_id = waiting(sessions, here)
    browser = staff(here.callback_officer)
    dialled(browser, callback_id)
    part = browser.get(f"/duty/{callback_id}/line").text
    assert "<html" not in part
    assert "every 2s" in part
    with session_scope(sessions) as session:
        attempt = session.scalars(select(Attempt)).one()
        service.attempt_update(session, attempt=attempt, now=clock.now, state="no_answer")
    after = browser.get(f"/duty/{callback_id}/line").text
    assert "市民没有接听" in after
    assert "every 2s" not in after
    assert "再次拨打" in after


def test_a_button_of_the_line_is_answered_with_the_line_alone(
    here: City, staff: Staff, sessions: SessionFactory, runtime: Runtime, clock: Clock
) -> None:
    callback_id = waiting(sessions, here)
    browser = staff(here.callback_officer)
    assert f'hx-post="/duty/{callback_id}/dial"' not in browser.get(f"/duty/{callback_id}").text  # it brings the form
    dialled(browser, callback_id)
    again = re.search(r'hx-get="([^"]+)"', browser.get(f"/duty/{callback_id}/line").text)
    assert again is not None
    assert browser.get(again[1]).status_code == 204  # nothing new: no button is replaced under a press
    runtime.telephony.faults["hang_up"] = CarrierUnreachable("no answer")  # type: ignore[attr-defined]
    silent = browser.htmx(f"/duty/{callback_id}/hang-up")
    assert "没有挂断" in silent.text and 'id="line"' in silent.text
    runtime.telephony.faults.clear()  # type: ignore[attr-defined]
    for _ in range(2):
        ended = browser.htmx(f"/duty/{callback_id}/hang-up")
        assert (ended.status_code, "<html" in ended.text, "HX-Redirect" in ended.headers) == (200, False, False)
    with session_scope(sessions) as session:
        attempt = session.scalars(select(Attempt)).one()
        service.attempt_update(session, attempt=attempt, now=clock.now, state="ended")
    line = browser.get(again[1]).text
    assert "再次拨打" in line and f'hx-post="/duty/{callback_id}/dial"' in line
    for _ in range(2):
        redialled = browser.htmx(f"/duty/{callback_id}/dial", {"once": "the-same"})
        assert "正在拨打" in redialled.text and "<html" not in redialled.text
    assert len(lines_of(runtime)) == 2


def test_an_officer_without_a_telephone_is_told(here: City, staff: Staff, sessions: SessionFactory) -> None:
    callback_id = waiting(sessions, here)
    with session_scope(sessions) as session:
        session.get_one(User, here.callback_officer.user_id).seat = ""
    answer = staff(here.callback_officer).post(f"/duty/{callback_id}/dial")
    assert answer.status_code == 400
    assert "没有座席话机" in answer.text


def test_satisfied_is_kept_and_the_next_one_follows(here: City, staff: Staff, sessions: SessionFactory) -> None:
    first, second = waiting(sessions, here), waiting(sessions, here, title="第二件")
    browser = staff(here.callback_officer)
    dialled(browser, first)
    answer = browser.post(
        f"/duty/{first}/evaluation",
        {"contacted": "yes", "solved": "yes", "satisfaction": "satisfied", "comment": "谢谢"},
    )
    assert answer.headers["Location"].endswith("/duty")
    page = browser.get("/duty").text
    assert "已记录：满意" in page
    assert f'/duty/{second}" ' in page or f"/duty/{second}/dial" in page
    with sessions() as session:
        said = session.scalars(select(Evaluation)).one()
        assert (said.contacted, said.solved, said.satisfaction, said.comment) == (True, "yes", "satisfied", "谢谢")
        assert session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "order.evaluated")).one()


def test_dissatisfied_without_a_reason_asks_for_it_and_keeps_what_was_typed(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    callback_id = waiting(sessions, here)
    browser = staff(here.callback_officer)
    dialled(browser, callback_id)
    typed = {"contacted": "no", "solved": "no", "satisfaction": "dissatisfied", "comment": "没人来过"}
    answer = browser.post(f"/duty/{callback_id}/evaluation", typed)
    assert answer.status_code == 422
    assert "请选择不满意原因" in answer.text
    assert "没人来过" in answer.text
    assert re.search(r'value="dissatisfied" checked', answer.text)
    done = browser.post(f"/duty/{callback_id}/evaluation", typed | {"reasons": ["not_contacted", "slow"]})
    assert done.status_code == 303
    with sessions() as session:
        assert session.scalars(select(Evaluation.reasons)).one() == ["not_contacted", "slow"]


def test_what_was_not_asked_stays_unknown(here: City, staff: Staff, sessions: SessionFactory) -> None:
    callback_id = waiting(sessions, here)
    browser = staff(here.callback_officer)
    dialled(browser, callback_id)
    browser.post(f"/duty/{callback_id}/evaluation", {"contacted": "", "satisfaction": "fair"})
    with sessions() as session:
        assert session.scalars(select(Evaluation.contacted)).one() is None


def test_not_reached_is_a_full_answer_that_plans_the_next_try(
    here: City, staff: Staff, sessions: SessionFactory, clock: Clock
) -> None:
    callback_id = waiting(sessions, here)
    browser = staff(here.callback_officer)
    dialled(browser, callback_id)
    assert browser.post(f"/duty/{callback_id}/unreachable").status_code == 303
    assert "没有联系上，2026年11月18日" in browser.get("/duty").text
    with sessions() as session:
        callback = session.get_one(Callback, callback_id)
        assert (callback.state, callback.officer_id) == ("waiting", None)
        assert callback.next_try_at > clock.now


def test_not_reached_without_a_try_is_refused_in_words(here: City, staff: Staff, sessions: SessionFactory) -> None:
    callback_id = waiting(sessions, here)
    answer = staff(here.callback_officer).post(f"/duty/{callback_id}/unreachable")
    assert answer.status_code == 400
    assert "请先拨打" in answer.text


def test_a_demand_taken_back_while_the_officer_rings_is_told_and_leaves_the_desk(
    here: City, staff: Staff, sessions: SessionFactory, clock: Clock
) -> None:
    callback_id = waiting(sessions, here)
    browser = staff(here.callback_officer)
    dialled(browser, callback_id)
    with session_scope(sessions) as session:
        order = session.scalars(select(WorkOrder)).one()
        work.withdraw(session, order=order, actor=here.operator, now=clock.now, reason="修好了", read_back_ok=True)
    answer = browser.post(f"/duty/{callback_id}/unreachable")
    assert (answer.status_code, "这次回访已经结束" in answer.text) == (409, True)
    said = {"contacted": "yes", "solved": "yes", "satisfaction": "satisfied"}
    assert browser.post(f"/duty/{callback_id}/evaluation", said).status_code == 409
    assert "现在没有要回访的市民" in browser.get("/duty").text
    page = browser.get(f"/duty/{callback_id}").text
    assert "这次回访已经结束" in page
    assert f"/duty/{callback_id}/evaluation" not in page


def test_the_machine_asks_the_citizen_alone(
    here: City, staff: Staff, sessions: SessionFactory, runtime: Runtime
) -> None:
    callback_id = waiting(sessions, here)
    browser = staff(here.callback_officer)
    assert "自动语音回访" in browser.get("/duty").text
    assert browser.post(f"/duty/{callback_id}/keypad").status_code == 303
    assert lines_of(runtime) == [("+8619900001234", "12345")]


def test_whoever_handled_the_order_is_not_offered_it_and_is_told_why(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    callback_id = waiting(sessions, here)
    with session_scope(sessions) as session:
        # the dispatcher of this order has become a callback officer
        user = session.get_one(User, here.reviewer.user_id)
        user.role, user.seat = Role.CBK, "seat10"
        turned = actor_of(user)
    browser = staff(turned)
    assert "现在没有要回访的市民" in browser.get("/duty").text
    page = browser.get(f"/duty/{callback_id}").text
    assert "经办过这张工单的人不能回访" in page
    assert f"/duty/{callback_id}/dial" not in page
    assert browser.post(f"/duty/{callback_id}/dial").status_code == 403


def test_two_officers_do_not_call_the_same_citizen(here: City, staff: Staff, sessions: SessionFactory) -> None:
    callback_id = waiting(sessions, here)
    with session_scope(sessions) as session:
        second = people.user(session, Role.CBK, name="回访员小钱")
        second.seat = "seat11"
        other = actor_of(second)
    dialled(staff(here.callback_officer), callback_id)
    answer = staff(other).post(f"/duty/{callback_id}/dial")
    assert answer.status_code == 409
    assert "正在回访" in answer.text


def test_a_taken_one_can_be_given_back(here: City, staff: Staff, sessions: SessionFactory) -> None:
    callback_id = waiting(sessions, here)
    browser = staff(here.callback_officer)
    dialled(browser, callback_id)
    assert browser.post(f"/duty/{callback_id}/release").status_code == 303
    with sessions() as session:
        assert session.get_one(Callback, callback_id).state == "waiting"


def test_a_supervisor_gives_back_what_an_officer_on_leave_has_taken(
    here: City, staff: Staff, sessions: SessionFactory, clock: Clock
) -> None:
    left, free = waiting(sessions, here, title="搁置的一件"), waiting(sessions, here, title="没人领的一件")
    dialled(staff(here.callback_officer), left)
    supervisor = staff(here.supervisor)
    page = supervisor.get(f"/duty/{left}").text
    assert "回访员小孙正在回访" in page
    assert f"/duty/{left}/release" not in page
    assert f"/duty/{left}/dial" not in page  # it would only be refused
    clock.on(days=14)
    assert f"/duty/{free}/dial" in supervisor.get("/duty").text  # opened: the first that can be called
    page = supervisor.get(f"/duty/{left}").text
    assert "回访员小孙领取后搁置" in page
    assert f"/duty/{left}/release" in page
    assert "领取后搁置" not in staff(here.callback_officer).get("/duty").text
    assert supervisor.post(f"/duty/{left}/release").status_code == 303
    page = supervisor.get(f"/duty/{left}").text
    assert "领取后搁置" not in page
    assert f"/duty/{left}/dial" in page


def test_units_and_operators_have_no_duty_desk(here: City, staff: Staff, sessions: SessionFactory) -> None:
    callback_id = waiting(sessions, here)
    for who in (here.operator, here.county_clerk, here.township_clerk, here.reviewer):
        browser = staff(who)
        assert browser.get("/duty").status_code == 403
        assert browser.post(f"/duty/{callback_id}/dial").status_code == 403
