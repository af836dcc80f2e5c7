"""What units ask for is decided at one desk: by whom it concerns, with the next step taken at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.db import SessionFactory, session_scope
from hotline.units import queries as units
from hotline.units.service import add_line
from hotline.work_orders import service
from hotline.work_orders.asks import queries as requests
from hotline.work_orders.models import OrderRequest, WorkOrder
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories import people
from tests.factories.orders import WHEN, order_at
from tests.factories.units import WATER, City
from tests.web.staff import Clock, Staff

SOON = NOON + timedelta(minutes=30)


@pytest.fixture
def returned(sessions: SessionFactory, here: City) -> OrderRequest:
    """The county asks to give an order back to the hub, naming the power company."""
    with session_scope(sessions) as session:
        line = add_line(
            session,
            version="2026-1",
            code="L07",
            matter="公共供水停水",
            category_code=WATER,
            lead_unit=here.power,
            valid_from=NOON.date().replace(month=1, day=1),
            now=NOON,
        )
        order = order_at(session, here, Status.TO_SIGN)
        return service.ask_return(
            session,
            order=order,
            actor=here.county_clerk,
            now=SOON,
            ground="duty",
            responsibility_line_id=line.id,
            suggested_unit_id=here.power.id,
            reason="二次供水由电力公司代管",
            **WHEN,
        )


def asked_of(sessions: SessionFactory, row: OrderRequest) -> tuple[OrderRequest, WorkOrder]:
    with sessions() as session:
        again = session.get_one(OrderRequest, row.id)
        return again, again.order


def test_the_reviewer_sees_the_line_cited_and_sends_the_order_on(
    here: City, staff: Staff, sessions: SessionFactory, returned: OrderRequest, clock: Clock
) -> None:
    clock.now = SOON
    browser = staff(here.reviewer)
    page = browser.get("/office/requests").text
    for words in ("申请退回", "职能不符", "2026-1 L07：公共供水停水", "二次供水由电力公司代管", "退回单位建议"):
        assert words in page
    answer = browser.post(
        f"/office/requests/{returned.id}",
        {"verdict": "grant", "lead": f"{here.power.id}:", "words": "请核实", "correction": "二次供水另列"},
    )
    assert answer.status_code == 303
    asked, order = asked_of(sessions, returned)
    assert (asked.state, order.status, order.lead_unit_id) == ("granted", "to_sign", here.power.id)
    assert asked.details["correction"] == "二次供水另列"
    assert "没有待审批的申请" in browser.get("/office/requests").text


def test_requests_beyond_a_page_are_read_on_and_decided_beside_their_own_page(
    here: City,
    staff: Staff,
    sessions: SessionFactory,
    returned: OrderRequest,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock.now = SOON
    monkeypatch.setattr(requests, "PER_PAGE", 2)
    ids = [returned.id]
    for _ in range(2):
        with session_scope(sessions) as session:
            row = service.ask_return(
                session,
                order=order_at(session, here, Status.TO_SIGN),
                actor=here.county_clerk,
                now=SOON,
                ground="duty",
                responsibility_line_id=returned.line_id,
                suggested_unit_id=here.power.id,
                reason="二次供水由电力公司代管",
                **WHEN,
            )
            ids.append(row.id)
    browser = staff(here.reviewer)
    first = browser.get("/office/requests?kind=return").text
    assert first.count("data-row") == 2
    assert 'rel="next" href="/office/requests?kind=return&amp;page=2"' in first
    at = f"/office/requests/{ids[2]}?kind=return&amp;page=2"
    second = browser.get("/office/requests?kind=return&page=2").text
    assert second.count("data-row") == 1
    assert f'hx-get="{at}"' in second and f'<a href="{at}">' in second and f'action="{at}"' in second
    again = browser.post(at.replace("&amp;", "&"), {"verdict": "refuse", "words": ""})
    assert again.status_code == 422
    assert again.text.count("data-row") == 1


def test_a_refusal_needs_words_and_keeps_what_was_typed(
    here: City, staff: Staff, sessions: SessionFactory, returned: OrderRequest, clock: Clock
) -> None:
    clock.now = SOON
    browser = staff(here.reviewer)
    browser.get("/office/requests")
    answer = browser.post(
        f"/office/requests/{returned.id}", {"verdict": "refuse", "words": "", "correction": "清单没错"}
    )
    assert answer.status_code == 422
    assert "请说明不同意的理由" in answer.text
    assert "清单没错" in answer.text
    answer = browser.post(f"/office/requests/{returned.id}", {"verdict": "refuse", "words": "清单写明由贵区负责"})
    assert answer.status_code == 303
    asked, order = asked_of(sessions, returned)
    assert (asked.state, order.status) == ("refused", "to_sign")


def test_a_decision_is_not_taken_twice(
    here: City, staff: Staff, sessions: SessionFactory, returned: OrderRequest, clock: Clock
) -> None:
    clock.now = SOON
    browser = staff(here.reviewer)
    browser.get("/office/requests")
    told = {"verdict": "refuse", "words": "清单写明由贵区负责"}
    assert browser.post(f"/office/requests/{returned.id}", told).status_code == 303
    browser.get("/office/requests")
    again = browser.post(f"/office/requests/{returned.id}", {"verdict": "panel", "words": "会商"})
    assert again.status_code == 404
    assert "已经办理" in again.text


def test_an_extension_is_for_the_supervisor_once_the_leader_agreed(
    here: City, staff: Staff, sessions: SessionFactory, clock: Clock
) -> None:
    clock.now = SOON
    with session_scope(sessions) as session:
        leader = people.actor(session, Role.U2L, unit=units.by_code(session, "JZ"))
        order = order_at(session, here, Status.IN_HAND)
        asked = service.ask_extension(
            session,
            order=order,
            actor=here.county_clerk,
            now=SOON,
            ground="procedure",
            plan="等配件到货后更换",
            until=order.deadline_at + timedelta(days=2),
            **WHEN,
        )
        before = order.deadline_at
    browser = staff(here.supervisor)
    assert "没有待审批的申请" in browser.get("/office/requests").text
    with session_scope(sessions) as session:
        service.grant_extension(session, order=session.get_one(WorkOrder, order.id), actor=leader, now=SOON, **WHEN)
    assert "需履行规定程序" in browser.get("/office/requests").text
    assert staff(here.reviewer).get(f"/office/requests/{asked.id}").status_code == 404  # not theirs to decide
    assert browser.post(f"/office/requests/{asked.id}", {"verdict": "grant", "words": ""}).status_code == 303
    _, after = asked_of(sessions, asked)
    assert after.deadline_at > before
    assert after.extension == "granted"


@pytest.mark.parametrize(("verdict", "state"), [("grant", "granted"), ("refuse", "refused")])
def test_a_panel_member_decides_what_a_unit_holds_unreasonable(
    here: City, staff: Staff, sessions: SessionFactory, clock: Clock, verdict: str, state: str
) -> None:
    clock.now = SOON
    with session_scope(sessions) as session:
        member: Actor = people.actor(session, Role.ADJ)
        order = order_at(session, here, Status.IN_HAND)
        asked = service.claim(
            session, order=order, actor=here.county_clerk, now=SOON, ground="repeated", evidence="上月已办结同一诉求"
        )
    browser = staff(member)
    assert "上月已办结同一诉求" in browser.get("/office/requests").text
    answer = browser.post(f"/office/requests/{asked.id}", {"verdict": verdict, "words": "经查阅前一工单"})
    assert answer.status_code == 303
    with sessions() as session:
        assert session.scalar(select(OrderRequest.state).where(OrderRequest.id == asked.id)) == state


def test_what_a_reviewer_would_mend_stands_where_the_list_is_kept(
    here: City, staff: Staff, sessions: SessionFactory, returned: OrderRequest, clock: Clock
) -> None:
    clock.now = SOON
    browser = staff(here.reviewer)
    browser.get("/office/requests")
    told = {"verdict": "grant", "lead": f"{here.power.id}:", "words": "请核实", "correction": "二次供水另列"}
    assert browser.post(f"/office/requests/{returned.id}", told).status_code == 303
    with session_scope(sessions) as session:
        keeper = people.actor(session, Role.ADM)
    page = staff(keeper).get("/office/city/responsibility").text
    assert "更正建议 1 条" in page
    assert "二次供水另列" in page
    assert f"/office/city/responsibility/{returned.line_id}" in page
