"""What staff of a county and its townships see and do, on a telephone beside a ditch."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from hotline import outbox
from hotline.audit import AccessLog
from hotline.db import SessionFactory, session_scope
from hotline.delivery import service as delivery
from hotline.delivery.models import Delivery
from hotline.outbox import OutboxMessage
from hotline.work_orders import service
from hotline.work_orders.models import Report, WorkOrder
from hotline.work_orders.states import Status
from tests.factories.orders import DRAFT, RELEASED, WHEN, order_at
from tests.factories.units import City
from tests.web.staff import Clock, Staff

NUMBER = re.compile(r"1990000\d{4}")


def made(sessions: SessionFactory, here: City, status: Status, **fields: Any) -> str:
    """Bring an order to ``status`` and return its number."""
    with session_scope(sessions) as session:
        return order_at(session, here, status, **fields).order_no


def state_of(sessions: SessionFactory, number: str) -> str:
    with sessions() as session:
        return session.scalars(select(WorkOrder.status).where(WorkOrder.order_no == number)).one()


# ---- the inbox


def test_an_empty_inbox_says_what_would_appear(here: City, staff: Staff) -> None:
    page = staff(here.township_clerk).get("/portal")
    assert page.status_code == 200
    assert "现在没有要办的工单" in page.text


def test_a_new_order_stands_under_to_sign_and_nowhere_else(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here, Status.TO_SIGN)
    county = staff(here.county_clerk)
    assert number in county.get("/portal").text
    assert number in county.get("/portal?show=to_sign").text
    assert number not in county.get("/portal?show=in_hand").text
    assert number not in staff(here.township_clerk).get("/portal").text
    assert number not in staff(here.other_county_clerk).get("/portal").text


def test_what_was_handed_down_leaves_the_county_s_hands_and_stands_on_its_board(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = made(sessions, here, Status.IN_HAND_TIER3)
    county = staff(here.county_clerk)
    now = county.get("/portal").text.partition('<aside class="inbox-board">')
    assert number not in now[0]
    assert number in now[2]
    board = county.get("/portal/board")
    assert here.township.name in board.text
    assert number in board.text


def test_several_orders_are_signed_with_one_press(here: City, staff: Staff, sessions: SessionFactory) -> None:
    numbers = [made(sessions, here, Status.TO_SIGN) for _ in range(3)]
    browser = staff(here.county_clerk)
    assert 'name="number"' in browser.get("/portal?show=to_sign").text
    answer = browser.post("/portal/sign", {"number": numbers[:2]})
    assert answer.status_code == 303
    assert [state_of(sessions, number) for number in numbers] == [Status.IN_HAND, Status.IN_HAND, Status.TO_SIGN]
    assert "已签收 2 件" in browser.get("/portal").text


def test_signing_several_with_a_foreign_one_among_them_signs_none(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = made(sessions, here, Status.TO_SIGN)
    browser = staff(here.county_clerk)
    answer = browser.post("/portal/sign", {"number": [number, "2611-99999-0"]})
    assert answer.status_code == 404
    assert "2611-99999-0：" in answer.text
    assert state_of(sessions, number) == Status.TO_SIGN


def test_what_a_colleague_signed_a_moment_before_is_named_and_the_others_are_signed(
    here: City, staff: Staff, sessions: SessionFactory, clock: Clock
) -> None:
    numbers = [made(sessions, here, Status.TO_SIGN) for _ in range(3)]
    browser = staff(here.county_clerk)
    with session_scope(sessions) as session:
        taken = session.scalars(select(WorkOrder).where(WorkOrder.order_no == numbers[1])).one()
        service.sign(session, order=taken, actor=here.county_clerk, now=clock.now)
    assert browser.post("/portal/sign", {"number": numbers, "once": "three"}).status_code == 303
    assert [state_of(sessions, number) for number in numbers] == [Status.IN_HAND] * 3
    assert f"已签收 2 件；{numbers[1]} 已不在待签收，未签收" in browser.get("/portal").text
    again = browser.post("/portal/sign", {"number": numbers, "once": "three"})
    assert again.headers["Idempotent-Replay"] == "true"


def test_nothing_is_said_to_be_signed_when_none_was_left_to_sign(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    # signed by a colleague, and handed down besides
    numbers = [made(sessions, here, Status.IN_HAND), made(sessions, here, Status.TO_SIGN_TIER3)]
    browser = staff(here.county_clerk)
    assert browser.post("/portal/sign", {"number": numbers}).status_code == 303
    page = browser.get("/portal").text
    assert f"{numbers[0]}、{numbers[1]} 已不在待签收，未签收" in page
    assert "已签收" not in page.partition('id="toasts"')[2].partition("</div>")[0]


def test_what_the_county_took_back_meanwhile_is_left_out_too(
    here: City, staff: Staff, sessions: SessionFactory, clock: Clock
) -> None:
    numbers = [made(sessions, here, Status.TO_SIGN_TIER3) for _ in range(2)]
    browser = staff(here.township_clerk)
    with session_scope(sessions) as session:
        back = session.scalars(select(WorkOrder).where(WorkOrder.order_no == numbers[0])).one()
        service.recall(session, order=back, actor=here.county_clerk, now=clock.now, reason="本单位自办", **WHEN)
    assert browser.post("/portal/sign", {"number": numbers}).status_code == 303
    assert f"已签收 1 件；{numbers[0]} 已不在待签收，未签收" in browser.get("/portal").text
    assert state_of(sessions, numbers[1]) == Status.IN_HAND_TIER3


def test_who_changed_an_order_while_several_are_signed_is_told_which(
    here: City, staff: Staff, sessions: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [made(sessions, here, Status.TO_SIGN) for _ in range(2)]

    def overtaken(session: Session, *, order: WorkOrder, **_: Any) -> None:
        if order.order_no == numbers[1]:
            raise StaleDataError("version")

    monkeypatch.setattr("hotline.web.unit_inbox.service.sign", overtaken)
    answer = staff(here.county_clerk).post("/portal/sign", {"number": numbers})
    assert answer.status_code == 409
    assert f"{numbers[1]}：刚刚有人改过" in answer.text


def test_signing_nothing_asks_to_tick_something(here: City, staff: Staff) -> None:
    browser = staff(here.county_clerk)
    assert browser.post("/portal/sign").status_code == 303
    assert "请先勾选要签收的工单" in browser.get("/portal").text


# ---- the order


def test_opening_an_order_is_the_receipt_of_its_push(
    here: City, staff: Staff, sessions: SessionFactory, now: datetime
) -> None:
    number = made(sessions, here, Status.TO_SIGN)
    with session_scope(sessions) as session:
        message = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "order.push")).one()
        order_id, unit_id = message.payload["order_id"], message.payload["unit_id"]
        delivery.begin(session, message=message, channel="portal", order_id=order_id, unit_id=unit_id)
        delivery.sent(session, outbox_id=message.id, receipt="in-the-inbox", now=now)
    assert "已查看" in staff(here.county_clerk).get(f"/portal/orders/{number}").text
    with sessions() as session:
        assert session.scalars(select(Delivery.receipted_at)).one() is not None


def test_a_button_pressed_twice_signs_once(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here, Status.TO_SIGN)
    browser = staff(here.county_clerk)
    answers = [browser.post(f"/portal/orders/{number}/sign", {"once": "the-same"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[1].headers["Idempotent-Replay"] == "true"
    with sessions() as session:
        order = session.scalars(select(WorkOrder)).one()
        assert [event.action for event in order.events].count("sign") == 1


def test_each_stage_offers_its_own_next_step(here: City, staff: Staff, sessions: SessionFactory) -> None:
    stages = [
        (Status.TO_SIGN, here.county_clerk, "签收", "sign"),
        (Status.IN_HAND, here.county_clerk, "转派给下属单位", "hand-down"),
        (Status.IN_HAND_TIER3, here.township_clerk, "反馈办理结果", "report"),
        (Status.TO_CHECK_TIER2, here.county_clerk, "审核通过", "approve"),
    ]
    for status, who, word, path in stages:
        number = made(sessions, here, status)
        page = staff(who).get(f"/portal/orders/{number}").text
        bar = page.partition('<div class="action-bar">')[2]
        assert word in bar.partition('<details class="more">')[0], status
        assert f"/portal/orders/{number}/{path}" in bar, status


def test_a_unit_without_units_below_is_not_offered_to_hand_down(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    with session_scope(sessions) as session:
        order = order_at(session, here, Status.TO_SIGN, assisting=True)
        service.sign(session, order=order, actor=here.power_clerk, now=order.updated_at)
        number = order.order_no
    page = staff(here.power_clerk).get(f"/portal/orders/{number}").text
    assert "本单位协办" in page
    assert "/hand-down" not in page
    assert f"/portal/orders/{number}/report" in page


def test_whoever_has_nothing_to_do_is_told_who_holds_the_order(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = made(sessions, here, Status.IN_HAND_TIER3)
    page = staff(here.county_clerk).get(f"/portal/orders/{number}").text
    assert f"由{here.township.name}办理" in page
    assert "btn btn-primary btn-lg" not in page  # nothing is asked of it; what it may do stands under 更多
    assert f"/portal/orders/{number}/ask/recall" in page


# ---- handing down


def test_a_county_hands_down_with_a_sub_deadline_proposed(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here, Status.IN_HAND, address=f"{here.township.name}东头")
    browser = staff(here.county_clerk)
    page = browser.get(f"/portal/orders/{number}/hand-down").text
    assert re.search(rf'value="{here.township.id}" checked', page)  # the township the address names
    assert here.far_township.name not in page
    assert re.search(r'type="datetime-local" value="2026-11-2\d', page)  # before the order's own deadline
    answer = browser.post(f"/portal/orders/{number}/hand-down", {"unit": here.township.id, "advice": "今天到现场"})
    assert answer.status_code == 303
    assert state_of(sessions, number) == Status.TO_SIGN_TIER3
    assert number in staff(here.township_clerk).get("/portal").text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"unit": ""}, "请选择交给哪个单位"),
        ({"unit": "far"}, "只能转派给本单位下属的单位"),
        ({"unit": "own", "due_at": "2027-11-18T12:00"}, "办理时限最晚到"),
        ({"unit": "own", "due_at": "tomorrow"}, "请按“年-月-日 时:分”填写"),
    ],
)
def test_a_wrong_hand_down_says_why_and_keeps_what_was_typed(
    here: City, staff: Staff, sessions: SessionFactory, typed: dict[str, str], said: str
) -> None:
    number = made(sessions, here, Status.IN_HAND)
    ids = {"far": here.far_township.id, "own": here.township.id, "": ""}
    browser = staff(here.county_clerk)
    sent = typed | {"unit": ids[typed["unit"]], "advice": "请尽快核实"}
    answer = browser.post(f"/portal/orders/{number}/hand-down", sent)
    assert answer.status_code == 422
    assert said in answer.text
    assert "请尽快核实" in answer.text
    assert state_of(sessions, number) == Status.IN_HAND


# ---- reporting


REPORT = {
    "contacted": "yes",
    "contacted_at": "2026-11-18T13:30",
    "contact_way": "上门",
    "solved": "partly",
    "unsolved_kind": "客观条件限制",
    "unsolved_reason": "配件下周到货",
    "process": "更换DN40闸阀一只",
    "public_reply": "您好，水管已修复。",
}


def test_a_township_reports_and_its_county_checks(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here, Status.IN_HAND_TIER3)
    township = staff(here.township_clerk)
    assert "联系市民了吗" in township.get(f"/portal/orders/{number}/report").text
    answer = township.post(f"/portal/orders/{number}/report", REPORT)
    assert answer.status_code == 303
    assert state_of(sessions, number) == Status.TO_CHECK_TIER2
    with sessions() as session:
        report = session.scalars(select(Report)).one()
        assert report.unsolved_reason == "客观条件限制：配件下周到货"
        assert report.contacted_at == datetime.fromisoformat("2026-11-18T13:30+08:00")
    assert "data-steps-done" in township.get(answer.headers["Location"]).text  # the tab forgets what it kept
    county = staff(here.county_clerk)
    assert "更换DN40闸阀一只" in county.get(f"/portal/orders/{number}").text
    assert county.post(f"/portal/orders/{number}/approve").status_code == 303
    assert state_of(sessions, number) == Status.TO_CHECK_HUB


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"contacted": ""}, "请选择是否联系了市民"),
        ({"contacted_at": ""}, "请填写联系群众的时间"),
        ({"solved": ""}, "请选择是否解决"),
        ({"unsolved_kind": "", "unsolved_reason": ""}, "未完全解决的请说明原因"),
        ({"public_reply": "请打19900001234"}, "公开答复中有个人信息"),
    ],
)
def test_a_faulty_report_names_the_field_and_keeps_what_was_typed(
    here: City, staff: Staff, sessions: SessionFactory, change: dict[str, str], said: str
) -> None:
    number = made(sessions, here, Status.IN_HAND_TIER3)
    answer = staff(here.township_clerk).post(f"/portal/orders/{number}/report", REPORT | change)
    assert answer.status_code == 422
    assert said in answer.text
    assert "更换DN40闸阀一只" in answer.text
    assert state_of(sessions, number) == Status.IN_HAND_TIER3


def test_a_rejected_report_comes_back_with_the_reason_and_the_words_to_mend(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = made(sessions, here, Status.TO_CHECK_TIER2)
    county = staff(here.county_clerk)
    empty = county.post(f"/portal/orders/{number}/reject", {"reason": " "})
    assert empty.status_code == 422
    assert "请写明驳回原因" in empty.text
    assert county.post(f"/portal/orders/{number}/reject", {"reason": "没有写清修复时间"}).status_code == 303
    assert state_of(sessions, number) == Status.IN_HAND_TIER3
    page = staff(here.township_clerk).get(f"/portal/orders/{number}/report").text
    assert "没有写清修复时间" in page
    assert "更换DN40闸阀一只" in page  # the account need not be written anew


# ---- the caller


def test_the_caller_is_masked_and_shown_for_a_reason_that_leaves_a_row(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = made(sessions, here, Status.IN_HAND_TIER3)
    browser = staff(here.township_clerk)
    page = browser.get(f"/portal/orders/{number}").text
    assert "199****1234" in page
    assert not NUMBER.search(page)
    asked = browser.htmx(f"/portal/orders/{number}/caller")
    assert asked.status_code == 200
    assert "查看理由" in asked.text
    assert not NUMBER.search(asked.text)
    short = browser.htmx(f"/portal/orders/{number}/caller", {"reason": "看"})
    assert short.status_code == 422
    assert "至少 4 个字" in short.text
    shown = browser.htmx(f"/portal/orders/{number}/caller", {"reason": "上门前联系市民"})
    assert "19900001234" in shown.text
    with sessions() as session:
        row = session.scalars(select(AccessLog).where(AccessLog.act == "reveal")).one()
        assert (row.user_id, row.reason) == (here.township_clerk.user_id, "上门前联系市民")


def test_a_unit_that_gave_the_order_back_keeps_no_way_to_the_number(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = made(sessions, here, Status.IN_HAND_TIER3)
    with session_scope(sessions) as session:
        order = session.scalars(select(WorkOrder).where(WorkOrder.order_no == number)).one()
        later = order.updated_at + timedelta(minutes=5)
        service.recall(session, order=order, actor=here.county_clerk, now=later, reason="本单位自办", **WHEN)
    township, county = staff(here.township_clerk), staff(here.county_clerk)
    assert f"/portal/orders/{number}/caller" not in township.get(f"/portal/orders/{number}").text
    refused = township.htmx(f"/portal/orders/{number}/caller", {"reason": "上门前联系市民"})
    assert refused.status_code == 403
    assert "19900001234" not in refused.text
    assert "19900001234" in county.htmx(f"/portal/orders/{number}/caller", {"reason": "上门前联系市民"}).text


def test_a_confidential_order_shows_units_nothing_of_the_caller(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = made(sessions, here, Status.IN_HAND_TIER3, confidential=True)
    browser = staff(here.township_clerk)
    page = browser.get(f"/portal/orders/{number}").text
    assert "来电人要求保密" in page
    assert RELEASED in page
    assert DRAFT["content"] not in page
    assert DRAFT["content"] not in browser.get(f"/portal/orders/{number}/report").text
    assert DRAFT["content"] not in browser.get("/portal").text
    assert "199****" not in page
    assert "王*" not in page
    refused = browser.htmx(f"/portal/orders/{number}/caller", {"reason": "上门前联系市民"})
    assert refused.status_code == 400
    assert not NUMBER.search(refused.text)


# ---- who may see


def test_another_unit_s_order_does_not_exist_on_any_route(
    app: Flask, here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = made(sessions, here, Status.IN_HAND_TIER3)
    walked = []
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("portal.") or "number" not in rule.arguments:
            continue
        path = rule.rule.replace("<number>", number)
        admitted = app.view_functions[rule.endpoint].access  # type: ignore[attr-defined]
        strangers = [here.other_county_clerk]
        if "U3" in admitted:
            strangers += [here.far_township_clerk, here.other_township_clerk]
        for stranger in strangers:
            browser = staff(stranger)
            for method in rule.methods & {"GET", "POST"}:  # type: ignore[operator]
                answer = browser.get(path) if method == "GET" else browser.post(path, REPORT | {"reason": "有理由的"})
                assert answer.status_code == 404, f"{method} {path} as {stranger.name}"
                assert "停水" not in answer.text
                walked.append((rule.endpoint, method))
    assert len(set(walked)) >= 10
    assert state_of(sessions, number) == Status.IN_HAND_TIER3


def test_the_hub_has_no_inbox(here: City, staff: Staff) -> None:
    assert staff(here.reviewer).get("/portal").status_code == 403


def test_a_list_that_does_not_exist_is_said_in_words(here: City, staff: Staff) -> None:
    answer = staff(here.county_clerk).get("/portal?show=everything")
    assert answer.status_code == 400
    assert "没有这一栏" in answer.text


def test_an_urged_order_says_so_on_its_card(here: City, staff: Staff, session: Session) -> None:
    order = order_at(session, here, Status.IN_HAND)
    service.urge(session, order=order, actor=here.operator, now=order.updated_at, text="还没有人来")
    session.commit()
    assert "催单 1 次" in staff(here.county_clerk).get("/portal").text
    assert outbox.waiting(session)


def test_a_unit_reads_its_own_work_without_its_tier_and_others_with_it(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    with session_scope(sessions) as session:
        number = order_at(session, here, Status.IN_HAND_TIER3).order_no
    for page in ("/portal?show=in_hand", f"/portal/orders/{number}"):
        assert "三级办理中" not in staff(here.township_clerk).get(page).text
        assert "办理中" in staff(here.township_clerk).get(page).text
    assert "三级办理中" in staff(here.county_clerk).get(f"/portal/orders/{number}").text
