"""Further steps from an order's page: what is possible now is offered, what is wrong is said beside the field."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hotline.accounts.roles import Role
from hotline.db import SessionFactory, session_scope
from hotline.units.models import Unit
from hotline.work_orders import service
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories import people
from tests.factories.orders import WHEN, caller, order_at
from tests.factories.units import City
from tests.web.office.test_backoffice import made, order_of
from tests.web.staff import Clock, Staff

SOON = NOON + timedelta(hours=1)


@pytest.fixture(autouse=True)
def _later(clock: Clock) -> None:
    clock.now = SOON


def test_each_is_offered_what_they_may_do_now(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here, Status.TO_REVIEW)
    reviewer = staff(here.reviewer).get(f"/office/orders/{number}").text
    assert "请来电人补充" in reviewer and "不予受理" in reviewer
    assert "来电人撤诉" not in reviewer
    operator = staff(here.operator).get(f"/office/orders/{number}").text
    assert "来电人撤诉" in operator and "不予受理" not in operator
    assert "督办" in staff(here.supervisor).get(f"/office/orders/{number}").text


def test_a_reviewer_asks_the_caller_for_what_is_missing(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here, Status.TO_REVIEW)
    browser = staff(here.reviewer)
    browser.get(f"/office/orders/{number}/act/ask_info")
    answer = browser.post(f"/office/orders/{number}/act/ask_info", {"text": "几号楼"})
    assert answer.status_code == 422
    assert "几号楼" in answer.text
    answer = browser.post(f"/office/orders/{number}/act/ask_info", {"missing": ["place", "time"], "text": "几号楼"})
    assert answer.status_code == 303
    assert order_of(sessions, number).status == "needs_info"


def test_a_supervisor_writes_to_a_unit_and_reads_its_reply(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here, Status.IN_HAND)
    browser = staff(here.supervisor)
    browser.get(f"/office/orders/{number}/act/supervise")
    answer = browser.post(
        f"/office/orders/{number}/act/supervise",
        {
            "level": "red",
            "kind": "supervision",
            "unit": str(here.county.id),
            "words": "请说明为何两天没有进展",
            "reply_due": "2026-11-25T17:30",
        },
    )
    assert answer.status_code == 303, answer.text
    page = browser.get("/office/supervision?show=red").text
    assert number in page
    assert "请说明为何两天没有进展" in browser.get("/office/supervision?show=waiting").text
    with session_scope(sessions) as session:
        order = session.get_one(WorkOrder, order_of(sessions, number).id)
        service.reply_notice(session, order=order, actor=here.county_clerk, now=SOON, text="配件明日到货")
    page = browser.get("/office/supervision").text
    assert "配件明日到货" in page
    notice = order_of_notice(sessions, number)
    assert browser.post(f"/office/supervision/notices/{notice}/read").status_code == 303
    assert "配件明日到货" not in browser.get("/office/supervision?show=replies").text


def order_of_notice(sessions: SessionFactory, number: str) -> int:
    with sessions() as session:
        return session.get_one(WorkOrder, order_of(sessions, number).id).notices[0].id


def test_a_caller_takes_the_order_back_once_it_was_read_back(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = made(sessions, here, Status.IN_HAND)
    browser = staff(here.operator)
    browser.get(f"/office/orders/{number}/act/withdraw")
    assert browser.post(f"/office/orders/{number}/act/withdraw", {"reason": "已自行解决"}).status_code == 422
    told = {"reason": "已自行解决", "read_back_ok": "1"}
    assert browser.post(f"/office/orders/{number}/act/withdraw", told).status_code == 303
    assert (order_of(sessions, number).status, order_of(sessions, number).close_kind) == ("closed", "withdrawn")


def test_orders_are_merged_by_number_and_parted_again(here: City, staff: Staff, sessions: SessionFactory) -> None:
    main, other = made(sessions, here, Status.IN_HAND), made(sessions, here, Status.TO_REVIEW)
    browser = staff(here.reviewer)
    browser.get(f"/office/orders/{other}/act/merge")
    wrong = browser.post(f"/office/orders/{other}/act/merge", {"into": "2611-99999-9"})
    assert wrong.status_code == 422
    assert "没有这张工单" in wrong.text
    assert browser.post(f"/office/orders/{other}/act/merge", {"into": main}).status_code == 303
    assert "已并入" in browser.get(f"/office/orders/{other}").text
    assert "共同反映 1 件" in browser.get(f"/office/orders/{main}").text
    browser.get(f"/office/orders/{other}/act/unmerge")
    assert browser.post(f"/office/orders/{other}/act/unmerge").status_code == 303
    assert order_of(sessions, other).merged_into_id is None


def test_what_is_not_possible_now_is_told_with_what_is(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here, Status.IN_HAND)
    browser = staff(here.reviewer)
    browser.get(f"/office/orders/{number}")
    answer = browser.post(f"/office/orders/{number}/act/ask_info", {"missing": "place"})
    assert answer.status_code == 409
    assert browser.get(f"/office/orders/{number}/act/fly").status_code == 404


def test_who_may_not_take_a_step_is_told(here: City, staff: Staff, sessions: SessionFactory) -> None:
    with session_scope(sessions) as session:
        number = order_at(session, here, Status.IN_HAND).order_no
    browser = staff(here.reviewer)
    browser.get(f"/office/orders/{number}")
    answer = browser.post(f"/office/orders/{number}/act/supervise", {"level": "red", "words": "快"})
    assert answer.status_code == 403


def test_a_supervisor_makes_an_order_a_joint_one(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here, Status.IN_HAND)
    browser = staff(here.supervisor)
    page = browser.get(f"/office/orders/{number}/act/join").text
    assert here.power.name in page
    answer = browser.post(f"/office/orders/{number}/act/join", {"reason": "两家管线交叉"})
    assert answer.status_code == 422
    assert "请选择在用的二级承办单位" in answer.text
    assert "两家管线交叉" in answer.text
    told = {"units": [str(here.power.id)], "reason": "两家管线交叉"}
    assert browser.post(f"/office/orders/{number}/act/join", told).status_code == 303
    order = order_of(sessions, number)
    assert (order.joint, order.supervision) == (True, "joint")
    assert "联合督办" in browser.get("/office/supervision?show=joint").text


def test_the_order_tells_who_waits_for_whom(here: City, staff: Staff, sessions: SessionFactory) -> None:
    with session_scope(sessions) as session:
        order = order_at(session, here, Status.IN_HAND, assisting=True, via_township=False)
        told = {"text": "等断电", "waits_for_unit_id": here.power.id}
        service.progress(session, order=order, actor=here.county_clerk, now=SOON, **told, **WHEN)
        number = order.order_no
    page = staff(here.supervisor).get(f"/office/orders/{number}").text
    assert f"{here.county.name}等{here.power.name}" in page


def test_a_citizen_who_gets_no_texts_is_told_of_an_extension_by_a_call(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    with session_scope(sessions) as session:
        leader = people.actor(session, Role.U2L, unit=session.get_one(Unit, here.county.id))
        order = order_at(session, here, Status.IN_HAND, who=caller(session, phone="+863182024114"))
        asked = service.ask_extension(
            session,
            order=order,
            actor=leader,
            now=SOON,
            ground="procedure",
            plan="等配件",
            until=order.deadline_at + timedelta(days=2),
            **WHEN,
        )
        service.grant_extension(session, order=order, actor=here.supervisor, now=SOON, **WHEN)
        number = order.order_no
    browser = staff(here.supervisor)
    page = browser.get("/office/supervision?show=tell").text
    assert number in page
    assert "需履行规定程序" in page
    assert "3182024114" not in page
    assert browser.post(f"/office/supervision/extensions/{asked.id}/told").status_code == 303
    assert "没有要电话告知的市民" in browser.get("/office/supervision?show=tell").text
    browser.get("/office/supervision?show=tell")
    assert browser.post(f"/office/supervision/extensions/{asked.id}/told").status_code == 409


def test_a_caller_who_gets_no_texts_is_called_by_whoever_sees_it_first(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    with session_scope(sessions) as session:
        landline = order_at(session, here, Status.TO_REVIEW, who=caller(session, phone="+863182024114"))
        secret = order_at(session, here, Status.TO_REVIEW, confidential=True)
        numbers = [landline.order_no, secret.order_no]
    reviewer = staff(here.reviewer)
    for number in numbers:
        reviewer.get(f"/office/orders/{number}/act/ask_info")
        assert reviewer.post(f"/office/orders/{number}/act/ask_info", {"missing": "place"}).status_code == 303
    pool = reviewer.get("/office/dispatch").text
    assert "请打电话告知缺什么" in pool and "缺具体地点" in pool
    assert all(number in pool for number in numbers)
    reviewer.get(f"/office/orders/{numbers[0]}")
    assert reviewer.post(f"/office/orders/{numbers[0]}/act/tell").status_code == 303
    assert order_of(sessions, numbers[0]).step_due_at is not None

    supervisor = staff(here.supervisor)
    page = supervisor.get("/office/supervision?show=tell").text
    assert numbers[1] in page and "具体地点" in page
    assert numbers[0] not in page
    assert supervisor.post(f"/office/orders/{numbers[1]}/act/tell").status_code == 303
    assert "没有要电话告知的市民" in supervisor.get("/office/supervision?show=tell").text
    assert "请打电话告知缺什么" not in reviewer.get("/office/dispatch").text
    reviewer.get(f"/office/orders/{numbers[1]}")
    assert reviewer.post(f"/office/orders/{numbers[1]}/act/tell").status_code == 409
