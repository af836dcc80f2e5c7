"""Programs supervise, reply, settle and claim by the same verbs as people."""

from __future__ import annotations

from typing import Any

from hotline.accounts.roles import Role
from tests.factories.units import City
from tests.web.api.conftest import MakeProgram

NOTICE: dict[str, Any] = {
    "level": "red",
    "kind": "supervision",
    "unit": "JZ",
    "words": "请立即核实处置",
    "reply_due": "2099-01-02T17:00:00+08:00",
}


def test_a_notice_and_its_reply(program: MakeProgram, here: City, order_no: str) -> None:
    supervisor, county = program(here.supervisor), program(here.county_clerk)
    program(here.reviewer).act(order_no, "dispatch", lead_unit="JZ")
    assert county.act(order_no, "reply_notice", text="已到场").status_code == 409
    wrong = supervisor.act(order_no, "supervise", **NOTICE | {"level": "purple", "unit": "DL"})
    assert (wrong.status_code, set(wrong.json["error"]["details"])) == (422, {"level", "unit"})
    assert supervisor.act(order_no, "supervise", **NOTICE).status_code == 200
    assert county.act(order_no, "reply_notice", text="已到场").status_code == 200
    words = [event["word"] for event in county.get(f"/work-orders/{order_no}/events").json["events"]]
    assert words[-2:] == ["督办", "回复督办"]
    assert program(here.reviewer).act(order_no, "supervise", **NOTICE).status_code == 403


def test_a_leaders_note_a_claim_and_its_decision(program: MakeProgram, here: City, order_no: str) -> None:
    program(here.reviewer).act(order_no, "dispatch", lead_unit="JZ")
    county, panel = program(here.county_clerk), program(role=Role.ADJ)
    county.act(order_no, "sign")
    noted = program(here.supervisor).act(order_no, "leader_note", leader="李副市长", text="请三日内办结")
    assert noted.status_code == 200
    claim = {"ground": "malicious", "evidence": "同日重复投诉十二次"}
    assert county.act(order_no, "claim", **claim | {"ground": "nasty"}).status_code == 422
    assert county.act(order_no, "claim", **claim).status_code == 200
    assert county.act(order_no, "decide_claim", upheld=True, answer="认定").status_code == 403
    assert panel.act(order_no, "decide_claim", upheld=True, answer="认定").status_code == 200
    assert county.act(order_no, "appeal", reason="评价不实").status_code == 409


def test_the_hub_settles_by_a_program(program: MakeProgram, here: City, order_no: str) -> None:
    fields = {"spoke_to": "供水公司", "result": "已恢复", "public_reply": "供水已恢复。"}
    number = fields | {"public_reply": "请联系 19900001234"}
    assert program(here.supervisor).act(order_no, "call_back", **number).status_code == 422
    assert program(here.supervisor).act(order_no, "call_back", **fields).json["status"] == "to_call_back"
