"""Photographs on the hub's pages: seen beside the result, brought with it, compared where there is nobody to ask."""

from __future__ import annotations

import io

import pytest

from hotline.db import SessionFactory, session_scope
from hotline.work_orders import evidence, service
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.factories.orders import WHEN, order_at, report_fields
from tests.factories.pictures import photo
from tests.factories.units import City
from tests.web.office.test_backoffice import made, order_of
from tests.web.staff import Clock, Staff


@pytest.fixture
def patrolled(sessions: SessionFactory, here: City, clock: Clock) -> str:
    """A demand nobody called about, reported with a photograph of before and after."""
    with session_scope(sessions) as session:
        order = order_at(session, here, Status.IN_HAND, via_township=False)
        order.caller = order.caller_id = None
        at = order.updated_at
        for kind, width in (("before", 400), ("after", 401)):
            file = evidence.judged("现场.jpg", photo(width), kind)
            evidence.add(session, order=order, actor=here.county_clerk, now=at, kind=kind, file=file)
        service.report(session, order=order, actor=here.county_clerk, now=at, **report_fields(), **WHEN)
        clock.now = at
        return order.order_no


@pytest.mark.parametrize("page", ["check", "orders"])
def test_before_and_after_stand_side_by_side(here: City, staff: Staff, patrolled: str, page: str) -> None:
    shown = staff(here.reviewer).get(f"/office/{page}/{patrolled}").text
    assert shown.count("/small") == 2
    assert "照片和附件" in shown


def test_a_reviewer_brings_a_photograph(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here, Status.TO_REVIEW)
    browser = staff(here.reviewer)
    here_again = f"/office/orders/{number}"
    assert "上传照片或附件" in browser.get(here_again).text
    sent = {"kind": "demand", "back": here_again, "files": (io.BytesIO(photo(400)), "现场.jpg")}
    answer = browser.post(f"/order-files/{number}", sent)
    assert (answer.status_code, answer.headers["Location"]) == (303, here_again)
    assert "照片和附件" in browser.get(here_again).text


def test_nothing_is_brought_to_a_settled_order(here: City, staff: Staff, sessions: SessionFactory) -> None:
    with session_scope(sessions) as session:
        order = order_at(session, here, Status.TO_REVIEW)
        order.status = Status.CLOSED
        number = order.order_no
    assert "上传照片或附件" not in staff(here.reviewer).get(f"/office/orders/{number}").text


def test_a_result_with_nobody_to_ask_is_closed_by_comparing(
    here: City, staff: Staff, sessions: SessionFactory, patrolled: str
) -> None:
    browser = staff(here.reviewer)
    page = browser.get(f"/office/check/{patrolled}").text
    assert "前后对比核验，办结" in page
    assert "通过，转回访" not in page
    browser.get(f"/office/orders/{patrolled}/act/close_checked")
    answer = browser.post(f"/office/orders/{patrolled}/act/close_checked", {"note": "路灯已亮"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/office/check")
    order = order_of(sessions, patrolled)
    assert (order.status, order.close_kind, order.final_satisfaction or "") == ("closed", "checked", "")


def test_without_photographs_it_is_said_what_is_missing(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here, Status.TO_CHECK_HUB)
    with session_scope(sessions) as session:
        order = session.get_one(WorkOrder, order_of(sessions, number).id)
        order.caller = order.caller_id = None
    browser = staff(here.reviewer)
    browser.get(f"/office/orders/{number}/act/close_checked")
    answer = browser.post(f"/office/orders/{number}/act/close_checked", {"note": "已看"})
    assert answer.status_code == 422
    assert "请先有办理前、办理后的照片各一张" in answer.text
    assert "已看" in answer.text


def test_who_called_is_asked_and_not_passed_over(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here, Status.TO_CHECK_HUB)
    browser = staff(here.reviewer)
    assert "前后对比核验，办结" not in browser.get(f"/office/check/{number}").text
    browser.get(f"/office/orders/{number}")
    answer = browser.post(f"/office/orders/{number}/act/close_checked", {"note": ""})
    assert answer.status_code == 409
