"""What units ask for and decide beside the main steps, by forms that keep what was typed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import SYSTEM, Actor, end_log_ins
from hotline.db import SessionFactory, session_scope
from hotline.units.models import ResponsibilityLine
from hotline.work_orders import queries, service
from hotline.work_orders.asks.models import Wait
from hotline.work_orders.models import OrderRequest, WorkOrder
from hotline.work_orders.states import RequestState, Status, Supervision
from tests.conftest import NOON
from tests.factories import people
from tests.factories.orders import WHEN, order_at
from tests.factories.units import WATER, City
from tests.web.staff import Clock, Staff

LOCAL = "%Y-%m-%dT%H:%M"
TZ = ZoneInfo("Asia/Shanghai")


def made(sessions: SessionFactory, here: City, status: Status, **fields: Any) -> str:
    with session_scope(sessions) as session:
        return order_at(session, here, status, **fields).order_no


def the(session: Session, number: str) -> WorkOrder:
    return session.scalars(select(WorkOrder).where(WorkOrder.order_no == number)).one()


def the_request(sessions: SessionFactory) -> OrderRequest:
    with sessions() as session:
        return session.scalars(select(OrderRequest).order_by(OrderRequest.id.desc())).first()


@pytest.fixture
def line(sessions: SessionFactory, here: City) -> int:
    """The responsibility list in force has two lines."""
    with session_scope(sessions) as session:
        rows = [
            ResponsibilityLine(
                version="2026-1",
                code=code,
                matter=matter,
                category_code=category,
                lead_unit_id=here.other_county.id,
                valid_from=NOON.date(),
                created_at=NOON,
            )
            for code, matter, category in (("3-12", "城区停水", WATER), ("5-01", "路灯不亮", "0501"))
        ]
        session.add_all(rows)
        session.flush()
        return rows[0].id


@pytest.fixture
def leader(sessions: SessionFactory, here: City) -> Actor:
    with session_scope(sessions) as session:
        return people.actor(session, Role.U2L, unit=here.county)


def test_a_township_returns_citing_a_line_and_its_county_decides(
    here: City, staff: Staff, sessions: SessionFactory, line: int
) -> None:
    number = made(sessions, here, Status.IN_HAND_TIER3)
    township = staff(here.township_clerk)
    form = township.get(f"/portal/orders/{number}/ask/return").text
    assert "城区停水" in form
    assert "路灯不亮" not in form  # first the lines of this matter
    found = township.get(f"/portal/orders/{number}/ask/lines?q=路灯").text
    assert "路灯不亮" in found
    assert "城区停水" not in found
    typed = {"ground": "place", "reason": "此处属桃城区，不在本镇"}
    refused = township.post(f"/portal/orders/{number}/ask/return", typed)
    assert refused.status_code == 422
    assert "请引用责任清单的条目" in refused.text
    assert "此处属桃城区，不在本镇" in refused.text
    typed |= {"responsibility_line": str(line), "suggested_unit": str(here.other_county.id)}
    assert township.post(f"/portal/orders/{number}/ask/return", typed).status_code == 303
    assert "待审批" in township.get(f"/portal/orders/{number}").text

    county = staff(here.county_clerk)
    page = county.get(f"/portal/orders/{number}").text
    assert "下属单位申请退回，请审批" in page
    deciding = county.get(f"/portal/orders/{number}/ask/decide-return").text
    for told in ("此处属桃城区，不在本镇", "2026-1 3-12 城区停水", here.other_county.name):
        assert told in deciding
    answer = county.post(f"/portal/orders/{number}/ask/decide-return", {"verdict": "no"})
    assert (answer.status_code, "请说明原因" in answer.text) == (422, True)
    answer = county.post(f"/portal/orders/{number}/ask/decide-return", {"verdict": "no", "reason": "正属本镇"})
    assert answer.status_code == 303
    assert the_request(sessions).state == RequestState.REFUSED
    again = township.get(f"/portal/orders/{number}/ask/return")
    assert again.status_code == 409  # one ask per dispatch


def test_an_extension_goes_to_the_leader_and_on_to_the_hub(
    here: City, staff: Staff, sessions: SessionFactory, leader: Actor
) -> None:
    number = made(sessions, here, Status.IN_HAND)
    clerk = staff(here.county_clerk)
    assert "最晚可延到" in clerk.get(f"/portal/orders/{number}/ask/extension").text
    with sessions() as session:
        until = (the(session, number).deadline_at + timedelta(days=1)).astimezone(TZ)
    typed = {"ground": "complex", "plan": "更换主管道，需停水施工", "until": "0001-01-01T00:00"}
    assert clerk.post(f"/portal/orders/{number}/ask/extension", typed).status_code == 422
    typed["until"] = "not a date"
    refused = clerk.post(f"/portal/orders/{number}/ask/extension", typed)
    assert refused.status_code == 422
    assert "更换主管道" in refused.text
    answer = clerk.post(f"/portal/orders/{number}/ask/extension", typed | {"until": f"{until:{LOCAL}}"})
    assert answer.status_code == 303
    assert "decide-extension" not in clerk.get(f"/portal/orders/{number}").text
    boss = staff(leader)
    assert "经办人申请延期，请审批" in boss.get(f"/portal/orders/{number}").text
    assert "更换主管道" in boss.get(f"/portal/orders/{number}/ask/decide-extension").text
    assert boss.post(f"/portal/orders/{number}/ask/decide-extension", {"verdict": "yes"}).status_code == 303
    assert the_request(sessions).state == RequestState.PASSED
    assert "待中心审批" in clerk.get(f"/portal/orders/{number}").text


def test_only_a_leader_asks_for_a_suspension_and_the_clock_is_said_to_stand(
    here: City, staff: Staff, sessions: SessionFactory, leader: Actor, clock: Clock
) -> None:
    number = made(sessions, here, Status.IN_HAND)
    assert staff(here.county_clerk).get(f"/portal/orders/{number}/ask/suspension").status_code in (403, 409)
    boss = staff(leader)
    assert boss.get(f"/portal/orders/{number}/ask/suspension").status_code == 200
    review = (clock.now + timedelta(days=10)).astimezone(TZ)
    typed = {"ground": "approval", "waits_for": "管网改造批复", "review_at": f"{review:{LOCAL}}"}
    assert boss.post(f"/portal/orders/{number}/ask/suspension", typed).status_code == 303
    with session_scope(sessions) as session:
        service.suspend(session, order=the(session, number), actor=here.supervisor, now=clock.now, **WHEN)
    assert "挂起中，不计时" in boss.get(f"/portal/orders/{number}").text
    assert boss.post(f"/portal/orders/{number}/ask/resume", {"reason": "批复已到"}).status_code == 303
    with sessions() as session:
        assert the(session, number).status == Status.IN_HAND


def test_progress_says_whom_a_unit_waits_for(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here, Status.IN_HAND_TIER3)
    township = staff(here.township_clerk)
    typed = {"text": "已到现场，等电力公司断电", "waits_for_unit": str(here.power.id)}
    assert township.get(f"/portal/orders/{number}/ask/progress").status_code == 200
    assert township.post(f"/portal/orders/{number}/ask/progress", typed).status_code == 303
    with sessions() as session:
        assert session.scalars(select(Wait.for_unit_id)).one() == here.power.id
    page = township.get(f"/portal/orders/{number}").text
    assert f"{here.township.name}等待{here.power.name}" in page
    assert "已到现场，等电力公司断电" in page
    chosen = township.get(f"/portal/orders/{number}/ask/progress").text
    assert f'value="{here.power.id}" selected' in chosen


def test_progress_written_while_the_order_was_taken_back_or_the_log_in_ended_is_handed_back(
    here: City, staff: Staff, sessions: SessionFactory, clock: Clock
) -> None:
    with session_scope(sessions) as session:
        order = order_at(session, here, Status.IN_HAND_TIER3)
        number, order_id = order.order_no, order.id
    browser = staff(here.township_clerk)
    at, typed = f"/portal/orders/{number}/ask/progress", {"text": "已到现场三次，约好明天换管"}
    assert browser.get(at).status_code == 200
    with session_scope(sessions) as session:
        order = session.get_one(WorkOrder, order_id)
        service.recall(session, order=order, actor=here.county_clerk, now=clock.now, reason="本单位自办", **WHEN)
    answer = browser.post(at, typed)
    assert answer.status_code == 404
    assert "约好明天换管" in answer.text
    with session_scope(sessions) as session:
        end_log_ins(session, user_id=here.township_clerk.user_id or 0)
    answer = browser.post(at, typed)
    assert answer.status_code == 401
    assert "约好明天换管" in answer.text


def test_a_county_takes_an_order_back_with_a_reason(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here, Status.IN_HAND_TIER3)
    county = staff(here.county_clerk)
    county.get(f"/portal/orders/{number}/ask/recall")
    assert county.post(f"/portal/orders/{number}/ask/recall", {}).status_code == 422
    assert county.post(f"/portal/orders/{number}/ask/recall", {"reason": "由本级直接办理"}).status_code == 303
    with sessions() as session:
        assert the(session, number).status == Status.IN_HAND
    listed = staff(here.township_clerk).get("/portal?show=returned").text
    assert number in listed


def test_a_notice_is_read_and_replied_to(here: City, staff: Staff, sessions: SessionFactory, clock: Clock) -> None:
    number = made(sessions, here, Status.IN_HAND)
    with session_scope(sessions) as session:
        service.supervise(
            session,
            order=the(session, number),
            actor=here.supervisor,
            now=clock.now,
            level=Supervision.YELLOW,
            words="请说明为何迟迟没有联系市民",
            kind="supervision",
            unit_id=here.county.id,
            reply_due=clock.now + timedelta(days=1),
        )
    county = staff(here.county_clerk)
    assert "请说明为何迟迟没有联系市民" in county.get(f"/portal/orders/{number}").text
    assert "请说明为何迟迟没有联系市民" in county.get(f"/portal/orders/{number}/ask/notice").text
    answer = county.post(f"/portal/orders/{number}/ask/notice", {"text": "今日已联系，明日上门"})
    assert answer.status_code == 303
    assert "已回复" in county.get(f"/portal/orders/{number}").text


def test_a_notice_left_over_is_asked_for_on_the_page_of_an_archived_order(
    here: City, staff: Staff, sessions: SessionFactory, clock: Clock
) -> None:
    number = made(sessions, here, Status.TO_CALL_BACK)
    with session_scope(sessions) as session:
        order, at = the(session, number), clock.now
        notice = {"level": Supervision.RED, "kind": "criticism", "words": "请书面说明", "unit_id": here.county.id}
        due = at + timedelta(days=1)
        service.supervise(session, order=order, actor=here.supervisor, now=at, reply_due=due, **notice)
        service.not_reached(session, order=order, actor=SYSTEM, now=at, round=1)
        clock.now = at + timedelta(days=40)
        service.archive(session, order=order, actor=SYSTEM, now=clock.now)
    county = staff(here.county_clerk)
    page = county.get(f"/portal/orders/{number}").text
    assert "请回复督办通知" in page
    assert "已办结，不用再办" not in page
    assert county.post(f"/portal/orders/{number}/ask/notice", {"text": "已处置，迟复"}).status_code == 303
    assert "已办结，不用再办" in county.get(f"/portal/orders/{number}").text


def test_a_demand_is_claimed_unreasonable_with_what_shows_it(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = made(sessions, here, Status.IN_HAND)
    county = staff(here.county_clerk)
    county.get(f"/portal/orders/{number}/ask/claim")
    refused = county.post(f"/portal/orders/{number}/ask/claim", {"evidence": "现场核实未发现停水"})
    assert refused.status_code == 422
    assert "现场核实未发现停水" in refused.text
    typed = {"ground": "not_true", "evidence": "现场核实未发现停水"}
    assert county.post(f"/portal/orders/{number}/ask/claim", typed).status_code == 303
    assert county.get(f"/portal/orders/{number}/ask/claim").status_code == 409


def test_what_cannot_be_asked_now_is_refused_in_words_and_what_does_not_exist_not_found(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = made(sessions, here, Status.TO_SIGN_TIER3)
    township = staff(here.township_clerk)
    answer = township.get(f"/portal/orders/{number}/ask/extension")
    assert answer.status_code == 409
    assert "现在可以：签收" in answer.text
    assert township.get(f"/portal/orders/{number}/ask/nonsense").status_code == 404


def test_another_subtree_s_order_is_not_found_by_any_route(
    app: Flask, here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = made(sessions, here, Status.IN_HAND_TIER3)
    strangers = [
        staff(actor) for actor in (here.far_township_clerk, here.other_county_clerk, here.other_township_clerk)
    ]
    asked = 0
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/portal") or "<number>" not in rule.rule:
            continue
        kinds = ("return", "extension", "progress", "claim", "notice") if "<kind>" in rule.rule else ("",)
        for kind in kinds:
            address = rule.rule.replace("<number>", number).replace("<kind>", kind)
            for browser in strangers:
                for method in {"GET", "POST"} & (rule.methods or set()):
                    fields = {"contacted": "no", "solved": "yes", "public_reply": "x", "reason": "x"}
                    answer = browser.get(address) if method == "GET" else browser.post(address, fields)
                    only_counties = answer.status_code == 403
                    assert answer.status_code == 404 or only_counties, (method, address, answer.status_code)
                    assert "五洲国际" not in answer.text
                    asked += 1
    assert asked > 60
    for browser in strangers:
        assert browser.get(f"/portal/print?number={number}").status_code == 404
        assert number not in browser.get("/portal?q=五洲国际").text.partition('id="inbox"')[2]


def test_orders_are_found_again_by_number_title_or_place_of_one_s_own_subtree(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = made(sessions, here, Status.IN_HAND_TIER3)
    for actor in (here.county_clerk, here.township_clerk):
        for words in (number, number.replace("-", ""), "五洲国际"):
            assert f"/portal/orders/{number}" in staff(actor).get(f"/portal?q={words}").text, words
    assert "没有找到" in staff(here.county_clerk).get("/portal?q=没有这回事").text


def test_the_title_of_a_confidential_demand_cannot_be_guessed_by_searching(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = made(sessions, here, Status.IN_HAND_TIER3)
    with session_scope(sessions) as session:
        order = the(session, number)
        order.confidential, order.title, order.released_content = True, "举报5号楼301室张某偷排", "反映排水问题"
    county = staff(here.county_clerk)
    for words in ("偷排", "301", "30"):
        assert "没有找到" in county.get(f"/portal?q={words}").text
    for page in (county.get(f"/portal?q={number}"), county.get(f"/portal/print?number={number}")):
        assert "反映排水问题" in page.text
        assert "偷排" not in page.text


def test_a_narrowed_list_can_be_sent_to_a_colleague(here: City, staff: Staff, sessions: SessionFactory) -> None:
    urgent = made(sessions, here, Status.IN_HAND_TIER3, urgency="urgent", demand_type="complaint")
    usual = made(sessions, here, Status.IN_HAND)
    county = staff(here.county_clerk)
    for query, expected in (
        ("urgent=1", {urgent}),
        ("kind=complaint", {urgent}),
        ("kind=help", {usual}),
        (f"category={WATER}", {urgent, usual}),
        ("category=9999", set()),
        (f"unit={here.township.id}", {urgent}),
        (f"unit={here.far_township.id}", set()),  # not below this county
    ):
        page = county.get(f"/portal?show=in_hand&{query}").text.partition('<aside class="inbox-board">')[0]
        shown = {number for number in (urgent, usual) if f"/portal/orders/{number}" in page}
        assert shown == expected, query
    page = county.get("/portal?show=in_hand&urgent=1").text
    assert "/portal?show=to_sign&amp;urgent=1" in page  # the next list is narrowed alike


def test_orders_go_on_paper_with_no_more_of_the_caller_than_on_the_screen(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    numbers = [made(sessions, here, Status.IN_HAND_TIER3) for _ in range(2)]
    township = staff(here.township_clerk)
    township.get("/portal?show=in_hand")
    answer = township.post("/portal/print", {"number": numbers})
    assert answer.status_code == 303
    assert "csrf" not in answer.headers["Location"]
    page = township.get(answer.headers["Location"]).text
    assert page.count('class="sheet-of-paper"') == 2
    assert "王小明" not in page
    assert "1990000" not in page
    assert "199****1234" in page
    assert township.get("/portal/print").status_code == 303  # nothing was ticked
    many = "&".join(f"number={number}" for number in range(51))
    assert township.get(f"/portal/print?{many}").status_code == 400


def test_both_sides_clocks_stand_beside_each_other(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here, Status.IN_HAND_TIER3, assisting=True)
    page = staff(here.township_clerk).get(f"/portal/orders/{number}").text
    clocks = page.partition("clock-list")[2].partition("</dl>")[0]
    for name in ("整张工单", here.township.name, here.county.name, here.power.name):
        assert name in clocks
    with sessions() as session:
        order = queries.visible_to(session, here.township_clerk, number)
        assert sum(one.minutes for one in queries.held_minutes(order, NOON + timedelta(hours=2))) == 120
