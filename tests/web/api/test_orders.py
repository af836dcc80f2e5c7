"""Orders through the API: the whole line, whose eyes see what, and sending the same thing twice."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from hotline.callers.models import Caller
from hotline.db import SessionFactory, session_scope
from hotline.work_orders import journal
from hotline.work_orders.models import WorkOrder
from tests.factories.orders import REPLY
from tests.factories.units import City
from tests.web.api.conftest import NEW_ORDER, MakeProgram

REPORT: dict[str, Any] = {
    "contacted": True,
    "contacted_at": "2026-11-18T11:30:00+08:00",
    "contact_way": "电话",
    "solved": "yes",
    "public_reply": REPLY,
    "process": "更换DN40闸阀一只",
}


def test_a_demand_from_another_channel_reaches_the_township_and_comes_back(
    program: MakeProgram, here: City, order_no: str, sessions: SessionFactory
) -> None:
    reviewer, county, township = (program(who) for who in (here.reviewer, here.county_clerk, here.township_clerk))
    line = [
        (reviewer, "dispatch", {"lead_unit": "JZ", "assisting": ["DL"], "advice": "请核实供水情况"}, "to_sign"),
        (county, "sign", {}, "in_hand"),
        (county, "hand_down", {"unit": "JZ01", "due_at": "2026-11-18T18:00:00+08:00"}, "to_sign_tier3"),
        (township, "sign", {}, "in_hand_tier3"),
        (township, "report", REPORT, "to_check_tier2"),
        (county, "approve", {"note": "情况属实"}, "to_check_hub"),
        (reviewer, "approve", {}, "to_call_back"),
    ]
    for who, action, fields, status in line:
        assert action in who.get(f"/work-orders/{order_no}").json["actions"]
        answer = who.act(order_no, action, **fields)
        assert (answer.status_code, answer.json.get("status")) == (200, status), answer.text
    order = reviewer.get(f"/work-orders/{order_no}").json
    assert [(sub["unit"], sub["tier"], sub["part"]) for sub in order["sub_orders"]] == [
        ("JZ", 2, "lead"),
        ("DL", 2, "assisting"),
        ("JZ01", 3, "lead"),
    ]
    assert order["title"] == NEW_ORDER["content"]
    told = [event["action"] for event in reviewer.get(f"/work-orders/{order_no}/events").json["events"]]
    assert told == ["open", "submit", *(action for _, action, _, _ in line)]
    with session_scope(sessions) as session:
        kept = session.scalars(select(WorkOrder)).one()
        assert kept.source_channel == "微信"
        assert kept.caller is not None and kept.caller.contact == "桃城区永兴路5号楼"
        assert journal.verify_one(kept, kept.events) is None


def test_a_rejected_report_goes_back_with_its_reason(program: MakeProgram, here: City, order_no: str) -> None:
    reviewer, county = program(here.reviewer), program(here.county_clerk)
    reviewer.act(order_no, "dispatch", lead_unit="JZ")
    county.act(order_no, "sign")
    county.act(order_no, "report", **REPORT)
    answer = reviewer.act(order_no, "reject", reason="请补充现场照片")
    assert answer.json["status"] == "in_hand"
    events = county.get(f"/work-orders/{order_no}/events").json["events"]
    assert {"原因": "请补充现场照片"} in [event["notes"] for event in events]


def test_what_the_citizen_adds_and_urges_reaches_the_units(program: MakeProgram, here: City, order_no: str) -> None:
    program(here.reviewer).act(order_no, "dispatch", lead_unit="JZ")
    operator = program(here.operator)
    assert operator.act(order_no, "supplement", text="三单元也停水了").status_code == 200
    assert operator.act(order_no, "urge").status_code == 200
    events = program(here.county_clerk).get(f"/work-orders/{order_no}/events").json["events"]
    assert [event["action"] for event in events[-2:]] == ["supplement", "urge"]
    assert "三单元也停水了" in events[-2]["notes"].values()


# ---- the same thing twice


def test_the_same_key_gets_the_same_answer_and_one_order(
    program: MakeProgram, here: City, sessions: SessionFactory
) -> None:
    operator = program(here.operator)
    first = operator.post("/work-orders", NEW_ORDER, key="wechat-1")
    again = operator.post("/work-orders", NEW_ORDER, key="wechat-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.data, again.headers["Idempotent-Replay"]) == (first.data, "true")
    with session_scope(sessions) as session:
        assert session.scalar(select(func.count()).select_from(WorkOrder)) == 1
        assert session.scalar(select(func.count()).select_from(Caller)) == 1


def test_a_key_belongs_to_one_request_of_one_program(program: MakeProgram, here: City, order_no: str) -> None:
    operator, reviewer = program(here.operator), program(here.reviewer)
    operator.post("/work-orders", NEW_ORDER, key="k")
    other = operator.post("/work-orders", NEW_ORDER | {"content": "路灯不亮"}, key="k")
    assert other.status_code == 422
    assert "Idempotency-Key" in other.json["error"]["details"]
    act = {"action": "dispatch", "lead_unit": "JZ"}
    assert reviewer.post(f"/work-orders/{order_no}/actions", act, key="k").status_code == 200
    assert reviewer.post(f"/work-orders/{order_no}/actions", act, key="x" * 101).status_code == 422


def test_an_action_sent_twice_is_done_once(program: MakeProgram, here: City, order_no: str) -> None:
    reviewer, act = program(here.reviewer), {"action": "dispatch", "lead_unit": "JZ"}
    first = reviewer.post(f"/work-orders/{order_no}/actions", act, key="once")
    again = reviewer.post(f"/work-orders/{order_no}/actions", act, key="once")
    assert first.data == again.data
    without = reviewer.post(f"/work-orders/{order_no}/actions", act)
    assert without.status_code == 409


def test_a_refused_request_leaves_its_key_free(program: MakeProgram, here: City) -> None:
    operator = program(here.operator)
    assert operator.post("/work-orders", NEW_ORDER | {"category_code": "none"}, key="k").status_code == 422
    assert operator.post("/work-orders", NEW_ORDER, key="k").status_code == 201


# ---- whose eyes


def test_another_countys_township_does_not_learn_that_the_order_exists(
    program: MakeProgram, here: City, order_no: str
) -> None:
    program(here.reviewer).act(order_no, "dispatch", lead_unit="JZ")
    far = program(here.far_township_clerk)
    missing = "2611-99999-0"
    answers = {
        path: [far.get(f"/work-orders/{number}{path}") for number in (order_no, missing)] for path in ("", "/events")
    }
    answers["/actions"] = [far.act(number, "sign") for number in (order_no, missing)]
    for path, (theirs, none) in answers.items():
        assert (theirs.status_code, none.status_code) == (404, 404), path
        assert theirs.data == none.data, path


def test_a_tier_2_unit_sees_only_what_was_sent_to_it(program: MakeProgram, here: City, order_no: str) -> None:
    for who in (here.county_clerk, here.other_county_clerk):
        assert program(who).get(f"/work-orders/{order_no}").status_code == 404
    program(here.reviewer).act(order_no, "dispatch", lead_unit="JZ")
    assert program(here.county_clerk).get(f"/work-orders/{order_no}").status_code == 200
    assert program(here.other_county_clerk).get(f"/work-orders/{order_no}").status_code == 404
    assert program(here.township_clerk).get(f"/work-orders/{order_no}").status_code == 404


def test_nobody_is_shown_a_number_in_the_clear(program: MakeProgram, here: City, order_no: str) -> None:
    reviewer, county = program(here.reviewer), program(here.county_clerk)
    reviewer.act(order_no, "dispatch", lead_unit="JZ")
    for who in (reviewer, county):
        for path in ("", "/events"):
            answer = who.get(f"/work-orders/{order_no}{path}")
            assert "19900001234" not in answer.text and "王小明" not in answer.text
        assert who.get(f"/work-orders/{order_no}").json["caller"] == {
            "name": "王**",
            "phone": "199****1234",
            "kind": "个人",
        }


def test_a_confidential_order_shows_units_no_caller(program: MakeProgram, here: City) -> None:
    number = program(here.operator).post("/work-orders", NEW_ORDER | {"confidential": True}).json["order_no"]
    reviewer, county = program(here.reviewer), program(here.county_clerk)
    held = reviewer.act(number, "dispatch", lead_unit="JZ")
    assert (held.status_code, "脱敏放行" in held.text) == (409, True)
    assert reviewer.act(number, "release", content="某小区停水").status_code == 200
    reviewer.act(number, "dispatch", lead_unit="JZ")
    assert reviewer.get(f"/work-orders/{number}").json["caller"]["phone"] == "199****1234"
    assert reviewer.get(f"/work-orders/{number}").json["content"] == NEW_ORDER["content"]
    seen = county.get(f"/work-orders/{number}").json
    assert (seen["title"], seen["content"], seen["desired_result"]) == ("某小区停水", "某小区停水", "")
    assert county.get(f"/work-orders/{number}").json["caller"] is None
    assert county.act(number, "sign").json["caller"] is None
    assert "1234" not in county.get(f"/work-orders/{number}/events").text


def test_roles_without_orders_are_refused(program: MakeProgram, here: City, order_no: str) -> None:
    for role in ("KBE", "LDR", "OBS", "ADM", "SEC", "AUD"):
        who = program(role=role)
        assert who.get(f"/work-orders/{order_no}").status_code == 403
        assert who.act(order_no, "sign").status_code == 403
        assert who.post("/work-orders", NEW_ORDER).status_code == 403


def test_only_the_hub_approves_at_the_hub_and_a_unit_only_its_own_step(
    program: MakeProgram, here: City, order_no: str
) -> None:
    assert program(here.operator).act(order_no, "dispatch", lead_unit="JZ").status_code == 403
    program(here.reviewer).act(order_no, "dispatch", lead_unit="JZ", assisting=["DL"])
    power = program(here.power_clerk)
    assert power.act(order_no, "sign").json["status"] == "to_sign"  # its own part; the order waits for its lead
    assert power.act(order_no, "approve").status_code == 409


# ---- wrong requests


def test_an_unknown_action_is_told_what_is_possible(program: MakeProgram, here: City, order_no: str) -> None:
    for action in ("explode", "sign", "close"):
        answer = program(here.reviewer).act(order_no, action)
        assert answer.status_code == 409
        assert {"dispatch", "refuse", "merge", "supplement", "urge"} <= set(answer.json["error"]["details"]["allowed"])
    assert program(here.reviewer).post(f"/work-orders/{order_no}/actions", {}).json["error"]["details"] == {
        "action": "缺少或不是文字"
    }


def test_an_order_to_a_unit_without_anybody_is_refused_before_it_is_sent(
    program: MakeProgram, here: City, order_no: str
) -> None:
    reviewer = program(here.reviewer)
    for fields, fault in (
        ({"lead_unit": "XX"}, "lead_unit"),
        ({"lead_unit": "JZ01"}, "lead_unit"),
        ({"lead_unit": "JZ", "assisting": ["XX"]}, "assisting"),
        ({"lead_unit": "JZ", "assisting": ["JZ"]}, "assisting"),
        ({"lead_unit": 7, "assisting": "JZ", "hard": "yes", "colour": "red"}, "assisting colour hard lead_unit"),
        ({}, "lead_unit"),
    ):
        answer = reviewer.act(order_no, "dispatch", **fields)
        assert answer.status_code == 422, fields
        assert " ".join(sorted(answer.json["error"]["details"])) == fault
    assert reviewer.get(f"/work-orders/{order_no}").json["status"] == "to_review"


WRONG_ORDERS: list[tuple[dict[str, Any], str]] = [
    ({"demand_type": "wish"}, "demand_type"),
    ({"colour": "red", "content": 7}, "colour content"),
    ({"content": "", "category_code": "none", "address": ""}, "address category_code content"),
    ({"content": "水" * 4001, "title": "水" * 121}, "content title"),
    ({"content": "零\x00字符"}, "content"),
    ({"confidential": "yes"}, "confidential"),
    ({"source_channel": "烟火信号"}, "source_channel"),
    ({"source_channel": ["网站"]}, "source_channel"),
    ({"caller": []}, "caller"),
    ({"caller": {"phone": "not a number"}}, "phone"),
    ({"caller": {"phone": 19900001234, "age": 7}}, "age phone"),
    ({"caller": {"name": "名" * 61}}, "name"),
]


def test_every_field_at_fault_is_named(program: MakeProgram, here: City, sessions: SessionFactory) -> None:
    operator = program(here.operator)
    for change, fault in WRONG_ORDERS:
        answer = operator.post("/work-orders", NEW_ORDER | change)
        assert answer.status_code == 422, answer.text
        assert " ".join(sorted(answer.json["error"]["details"])) == fault
    with session_scope(sessions) as session:
        assert session.scalar(select(func.count()).select_from(WorkOrder)) == 0
        assert session.scalar(select(func.count()).select_from(Caller)) == 0


WRONG_REPORTS: list[tuple[dict[str, Any], str]] = [
    ({"contacted_at": "2026-11-18T11:30:00"}, "contacted_at"),
    ({"contacted_at": "yesterday"}, "contacted_at"),
    ({"contacted_at": "0001-01-01T00:00:00+14:00"}, "contacted_at"),
    ({"contacted_at": "2026-11-19T11:30:00+08:00"}, "contacted_at"),
    ({"solved": "perhaps", "contacted": 1}, "contacted"),
    ({"solved": "perhaps"}, "solved"),
    ({"solved": "no"}, "unsolved_reason"),
    ({"contact_way": "电" * 41}, "contact_way"),
    ({"public_reply": "请拨打19900001234"}, "public_reply"),
]


def test_a_report_with_a_fault_is_not_taken(program: MakeProgram, here: City, order_no: str) -> None:
    program(here.reviewer).act(order_no, "dispatch", lead_unit="JZ")
    county = program(here.county_clerk)
    county.act(order_no, "sign")
    for change, fault in WRONG_REPORTS:
        answer = county.act(order_no, "report", **REPORT | change)
        assert (answer.status_code, list(answer.json["error"]["details"])) == (422, [fault]), answer.text
    assert county.act(order_no, "report", **REPORT).status_code == 200


NO_OBJECT = [
    b"",
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    b"[]",
    b'"text"',
    b"null",
    b"12",
    b'{"a": NaN}x',
    rb'{"\ud83d": 1}',
]


def test_a_body_that_is_no_json_object_is_400(program: MakeProgram, here: City, order_no: str) -> None:
    operator = program(here.operator)
    for path in ("/work-orders", f"/work-orders/{order_no}/actions"):
        for data in NO_OBJECT:
            assert operator.send(path, data).status_code == 400, data[:20]
        answer = operator.send(path, b"{}", "text/plain")
        assert answer.status_code == 400
        assert "application/json" in answer.json["error"]["message"]


def test_a_number_that_is_none_is_404(program: MakeProgram, here: City) -> None:
    who = program(here.reviewer)
    for number in ("0", "9" * 5000, "2611-00001-0", "..", "工单", "%00", " "):
        assert who.get(f"/work-orders/{number}").status_code == 404
        assert who.get(f"/work-orders/{number}/events").status_code == 404
        assert who.act(number, "sign").status_code == 404
