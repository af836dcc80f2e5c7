"""What the hub's own people see and do: dispatch, check, search, the wall, the log."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from hotline import outbox
from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.audit import AccessLog
from hotline.db import SessionFactory, session_scope
from hotline.delivery import service as delivery
from hotline.outbox import OutboxMessage
from hotline.units.service import add_line
from hotline.web.access import PUBLIC, undeclared
from hotline.work_orders import queries
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories import people
from tests.factories import units as make_units
from tests.factories.orders import order_at
from tests.factories.units import WATER, City
from tests.web.staff import Clock, Staff

NUMBER = re.compile(r"1990000\d{4}")


def made(sessions: SessionFactory, here: City, status: Status, **fields: Any) -> str:
    """Bring an order to ``status`` and return its number."""
    with session_scope(sessions) as session:
        return order_at(session, here, status, **fields).order_no


def order_of(sessions: SessionFactory, number: str) -> WorkOrder:
    with sessions() as session:
        return session.scalars(select(WorkOrder).where(WorkOrder.order_no == number)).one()


def someone(sessions: SessionFactory, role: str) -> Actor:
    with session_scope(sessions) as session:
        return people.actor(session, role)


@pytest.fixture
def line(here: City, sessions: SessionFactory) -> int:
    """The list says that water is the power company's business (names do not matter here)."""
    with session_scope(sessions) as session:
        return add_line(
            session,
            version="2026-1",
            code="L07",
            matter="公共供水停水",
            category_code=WATER,
            lead_unit=here.power,
            valid_from=date(2026, 1, 1),
            now=NOON,
        ).id


# ---- dispatch


@pytest.mark.parametrize(("status", "pool"), [(Status.TO_REVIEW, "dispatch"), (Status.TO_CHECK_HUB, "check")])
def test_a_pool_longer_than_a_page_is_read_on_and_stays_on_its_page(
    here: City, staff: Staff, sessions: SessionFactory, status: Status, pool: str
) -> None:
    numbers = {made(sessions, here, status) for _ in range(queries.PER_PAGE + 3)}
    browser = staff(here.reviewer)

    def listed(address: str) -> tuple[str, set[str]]:
        shown = browser.get(address).text.partition('id="pool"')[2].partition('class="stack"')[0]
        return shown, set(re.findall(rf"/office/{pool}/([0-9-]+)", shown.partition("data-row")[2]))

    first, on_first = listed(f"/office/{pool}")
    assert len(on_first) == queries.PER_PAGE
    assert f'rel="next" href="/office/{pool}?page=2"' in first
    second, on_second = listed(f"/office/{pool}?page=2")
    assert on_first | on_second == numbers and len(on_second) == 3
    assert 'rel="prev"' in second and 'rel="next"' not in second
    chosen = min(on_second)
    opened, beside = listed(f"/office/{pool}/{chosen}?page=2")
    assert beside == on_second
    assert f'hx-get="/office/{pool}/{chosen}?page=2"' in opened  # what looks again keeps the page
    assert f'<a href="/office/{pool}/{chosen}?page=2">' in opened
    assert listed(f"/office/{pool}?page=9")[1] == on_second  # colleagues emptied the pages behind it


def test_an_empty_pool_says_what_would_appear(here: City, staff: Staff) -> None:
    assert "没有待派的工单" in staff(here.reviewer).get("/office/dispatch").text


def test_the_proposal_of_the_list_is_accepted_with_one_press(
    here: City, staff: Staff, sessions: SessionFactory, line: int
) -> None:
    number = made(sessions, here, Status.TO_REVIEW)
    browser = staff(here.reviewer)
    page = browser.get("/office/dispatch").text
    assert "责任清单 L07：公共供水停水" in page
    assert "地址写有“桃城区政府”" not in page
    proposed = re.search(r'name="lead" value="([^"]+)" checked', page)
    assert proposed is not None
    assert proposed[1] == f"{here.power.id}:{line}"
    assert browser.post(f"/office/dispatch/{number}", {"lead": proposed[1]}).status_code == 303
    order = order_of(sessions, number)
    assert (order.status, order.lead_unit_id, order.responsibility_line_id) == (Status.TO_SIGN, here.power.id, line)
    assert "没有待派的工单" in browser.get("/office/dispatch").text


def test_any_other_unit_may_lead_and_others_assist(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here, Status.TO_REVIEW)
    browser = staff(here.reviewer)
    sent = {"lead": "other", "other": here.county.id, "assisting": [here.power.id], "advice": "请核实", "hard": "1"}
    assert browser.post(f"/office/dispatch/{number}", sent).status_code == 303
    order = order_of(sessions, number)
    assert (order.lead_unit_id, order.hard, order.dispatch_advice) == (here.county.id, True, "请核实")


def test_a_unit_where_nobody_can_sign_is_said_before_anything_is_sent(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = made(sessions, here, Status.TO_REVIEW)
    with session_scope(sessions) as session:
        empty = make_units.add_unit(session, code="KG", name="空岗局", parent=session.merge(here.hub))
        empty_id = empty.id
    browser = staff(here.reviewer)
    answer = browser.post(f"/office/dispatch/{number}", {"lead": "other", "other": empty_id, "advice": "请尽快"})
    assert answer.status_code == 422
    assert "空岗局没有可签收的人员" in answer.text
    assert "请尽快" in answer.text
    assert order_of(sessions, number).status == Status.TO_REVIEW


def test_no_unit_chosen_is_said_beside_the_choice(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here, Status.TO_REVIEW)
    for sent in ({}, {"lead": "other"}, {"lead": "other", "other": "x"}, {"lead": "x:y"}):
        answer = staff(here.reviewer).post(f"/office/dispatch/{number}", sent)
        assert answer.status_code == 422
        assert "请选择主办单位" in answer.text


# ---- check


def test_a_result_is_accepted_and_its_callback_will_be_opened(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = made(sessions, here, Status.TO_CHECK_HUB)
    browser = staff(here.reviewer)
    page = browser.get("/office/check").text
    assert "水管已修复" in page
    assert "更换DN40闸阀一只" in page
    for _ in range(2):
        assert browser.post(f"/office/check/{number}/approve", {"once": "the-same"}).status_code == 303
    assert order_of(sessions, number).status == Status.TO_CALL_BACK
    with sessions() as session:
        topics = session.scalars(select(OutboxMessage.topic)).all()
    assert topics.count("callback.open") == 1


def test_a_result_is_sent_back_with_a_reason_and_not_without(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = made(sessions, here, Status.TO_CHECK_HUB)
    browser = staff(here.reviewer)
    assert "驳回原因" in browser.get(f"/office/check/{number}/reject").text
    empty = browser.post(f"/office/check/{number}/reject", {"reason": ""})
    assert empty.status_code == 422
    assert "请写明驳回原因" in empty.text
    assert browser.post(f"/office/check/{number}/reject", {"reason": "没有回应停水原因"}).status_code == 303
    assert order_of(sessions, number).status == Status.IN_HAND_TIER3


# ---- orders


def test_orders_are_found_by_part_of_a_number_by_place_and_by_state(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    first = made(sessions, here, Status.TO_REVIEW, address="冀州区德政大道")
    second = made(sessions, here, Status.IN_HAND)
    browser = staff(here.supervisor)
    assert all(number in browser.get("/office/orders").text for number in (first, second))
    digits = second.replace("-", "")[4:]
    by_number = browser.get(f"/office/orders?q={digits}").text
    assert second in by_number
    assert first not in by_number
    by_place = browser.get("/office/orders?q=德政大道").text
    assert first in by_place
    assert second not in by_place
    by_state = browser.get("/office/orders?show=in_hand").text
    assert second in by_state
    assert first not in by_state
    assert "没有符合条件的工单" in browser.get("/office/orders?q=100%25").text


def test_the_order_page_tells_the_deadline_s_derivation_and_who_took_how_long(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = made(sessions, here, Status.IN_HAND_TIER3, step=timedelta(minutes=10))
    page = staff(here.supervisor).get(f"/office/orders/{number}").text
    assert "时限怎么算的" in page
    assert "起算 2026年11月18日 12:10" in page
    held = page.partition("谁用了多少时间")[2]
    assert here.township.name in held
    assert "热线中心" in held
    assert not NUMBER.search(page)


def test_the_caller_is_shown_for_a_reason_and_the_auditor_sees_who_looked(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = made(sessions, here, Status.IN_HAND)
    browser = staff(here.supervisor)
    assert not NUMBER.search(browser.htmx(f"/office/orders/{number}/caller").text)
    plain = browser.post(f"/office/orders/{number}/caller", {"reason": "核实重复来电"})  # without script: a page
    assert "19900001234" in plain.text
    auditor = staff(someone(sessions, Role.AUD))
    log = auditor.get("/office/audit?act=reveal").text
    assert "核实重复来电" in log
    assert "督办员老周" in log
    assert "电话" in log
    assert "核实重复来电" in auditor.get("/office/audit?who=老周").text
    assert "没有符合条件的记录" in auditor.get("/office/audit?who=nobody").text
    assert not NUMBER.search(log)


def test_the_log_turns_its_pages_without_losing_a_row(here: City, staff: Staff, sessions: SessionFactory) -> None:
    auditor = someone(sessions, Role.AUD)
    with session_scope(sessions) as session:
        session.add_all(
            AccessLog(at=NOON, act="reveal", subject="caller", subject_id=str(row), reason=f"理由{row:03d}")
            for row in range(60)
        )
    browser = staff(auditor)
    first = browser.get("/office/audit").text
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None
    second = browser.get(older[1].replace("&amp;", "&")).text
    assert sorted(re.findall(r"理由(\d{3})", first + second)) == [f"{row:03d}" for row in range(60)]


def test_a_failed_push_is_listed_with_its_cause_and_sent_again(
    here: City, staff: Staff, sessions: SessionFactory, clock: Clock
) -> None:
    number = made(sessions, here, Status.TO_SIGN)
    with session_scope(sessions) as session:
        message = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "order.push")).one()
        message_id, ids = message.id, message.payload
        delivery.begin(session, message=message, channel="portal", order_id=ids["order_id"], unit_id=ids["unit_id"])
        outbox.fail(session, message.id, now=clock.now, error="单位接口无应答")
        delivery.troubled(session, outbox_id=message.id, error="单位接口无应答", final=True)
    browser = staff(here.supervisor)
    assert "单位接口无应答" in browser.get("/office/messages").text
    assert "再次发送" in browser.get(f"/office/orders/{number}").text
    assert browser.post(f"/office/messages/{message_id}/again").status_code == 303
    with sessions() as session:
        assert session.get_one(OutboxMessage, message_id).failed is False
    assert browser.post(f"/office/messages/{message_id}/again").status_code == 409


# ---- the wall


def test_the_wall_shows_figures_and_nothing_of_any_demand(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here, Status.TO_REVIEW)
    leader = staff(someone(sessions, Role.LDR))
    page = leader.get("/office/board").text
    for word in ("正在等候", "最长等待", "15秒接通", "接通率", "今日来电", "待派单", "时限内"):
        assert word in page
    assert number not in page
    assert "停水" not in page
    part = leader.htmx("/office/board")
    assert part.status_code == 405  # read only
    fragment = leader.get("/office/board", **{"HX-Request": "true"}).text
    assert "<html" not in fragment
    assert "正在等候" in fragment


# ---- who may


LANDINGS = {
    Role.REV: "/office/dispatch",
    Role.SUP: "/office/board",
    Role.ADJ: "/office/requests",
    Role.AUD: "/office/audit",
    Role.ADM: "/office/city/setup",
}


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.U2, Role.U2L, Role.U3, Role.U3L}))
def test_every_role_of_the_hub_lands_on_a_page_that_says_what_it_sees(
    sessions: SessionFactory, staff: Staff, here: City, role: Role
) -> None:
    browser = staff(someone(sessions, role))
    answer = browser.get("/office")
    if role in LANDINGS:
        assert answer.headers["Location"].endswith(LANDINGS[role])
        answer = browser.get(answer.headers["Location"])
    assert answer.status_code == 200
    for href in re.findall(r'href="(/office/[a-z]+)"', answer.text):
        shown = browser.get(href)
        if shown.status_code == 303:  # a room may begin with a page of its own
            shown = browser.get(shown.headers["Location"])
        assert shown.status_code == 200, f"{role} is shown {href}"


def test_orders_and_the_log_are_closed_to_whoever_has_no_business_there(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = made(sessions, here, Status.TO_REVIEW)
    for role in (Role.LDR, Role.OBS, Role.ADM, Role.SEC, Role.AUD, Role.KBE):
        browser = staff(someone(sessions, role))
        assert browser.get("/office/orders").status_code == 403
        assert browser.get(f"/office/orders/{number}").status_code == 403
    for who in (here.county_clerk, here.township_clerk):
        for path in ("/office", "/office/board", "/office/orders", "/office/dispatch"):
            assert staff(who).get(path).status_code == 403
    assert staff(here.reviewer).get("/office/audit").status_code == 403
    assert staff(here.supervisor).post(f"/office/dispatch/{number}", {"lead": "1:"}).status_code == 403


def test_every_route_of_these_desks_says_whom_it_admits(app: Flask) -> None:
    ours = [rule for rule in app.url_map.iter_rules() if rule.endpoint.split(".")[0] in ("portal", "duty", "office")]
    assert len(ours) > 30
    assert not [route for route in undeclared(app) if re.search(r"\((portal|duty|office)\.", route)]
    client = app.test_client()
    for rule in ours:
        if getattr(app.view_functions[rule.endpoint], "access", None) == PUBLIC:
            continue  # the shell a telephone keeps; that it holds nobody's data is told where routes are listed
        path = re.sub(r"<(int:)?\w+>", "1", re.sub(r"<any\((\w+)[^)]*\):\w+>", r"\1", rule.rule))
        for method in rule.methods & {"GET", "POST"}:  # type: ignore[operator]
            # a POST of a stranger fails at the form's token or at the door: never inside
            answer = client.open(path, method=method, headers={"Accept": "text/html"})
            assert answer.status_code in (303, 400, 401), f"{method} {path}"
