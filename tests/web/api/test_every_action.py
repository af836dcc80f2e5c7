"""What programs may do is what the verbs take, and whole stories go through this door."""

from __future__ import annotations

import inspect

import pytest
from flask import Flask

from hotline.bootstrap import Runtime
from hotline.db import SessionFactory, session_scope
from hotline.units import service as units
from hotline.units.models import Unit
from hotline.web.order_acts import ACTS, RESOLVED
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Action, Status
from tests.factories.orders import order_at
from tests.factories.units import WATER, City
from tests.web.api.conftest import MakeProgram

CONTRACT = (
    *("dispatch", "sign", "hand_down", "recall", "return", "accept_return", "refuse_return", "designate"),
    *("ask_extension", "grant_extension", "refuse_extension", "suspend", "resume", "report", "approve", "reject"),
    *("call_back", "redo", "close", "withdraw", "supplement", "urge", "merge", "unmerge", "review"),
)
GIVEN = {"session", "order", "actor", "now", "calendar", "tz"}
# made where a call or a file is at hand, never told by a program
OWN = {"call_id", "files"}


def test_every_action_of_the_contract_is_there() -> None:
    assert set(CONTRACT) <= set(ACTS)
    assert set(ACTS) <= set(Action)


@pytest.mark.parametrize("name", ACTS)
def test_an_action_takes_what_its_verb_takes(name: str) -> None:
    act = ACTS[name]
    parameters = inspect.signature(act.verb).parameters
    own = {key: one for key, one in parameters.items() if key not in GIVEN | OWN}
    told = {RESOLVED[field][0] if field in RESOLVED else field for field in act.fields}
    must = {RESOLVED[field][0] if field in RESOLVED else field for field in act.required}
    assert told == set(own)
    assert {key for key, one in own.items() if one.default is inspect.Parameter.empty} <= must
    assert act.clock == ("calendar" in parameters)
    assert set(act.choices) <= set(act.fields)


@pytest.fixture
def line(sessions: SessionFactory, here: City, runtime: Runtime) -> str:
    """The code of a line of the responsibility list in force: water is the other county's."""
    with session_scope(sessions) as session:
        units.add_line(
            session,
            version="2026",
            code="W-1",
            matter="供水",
            category_code=WATER,
            lead_unit=session.get_one(Unit, here.other_county.id),
            valid_from=runtime.today(),
            now=runtime.now(),
        )
    return "W-1"


def at(sessions: SessionFactory, here: City, status: Status, **how: object) -> str:
    with session_scope(sessions) as session:
        order: WorkOrder = order_at(session, here, status, **how)  # type: ignore[arg-type]
        return order.order_no


def test_a_return_is_asked_by_the_list_and_sent_where_it_belongs(
    app: Flask, program: MakeProgram, here: City, sessions: SessionFactory, line: str
) -> None:
    number = at(sessions, here, Status.TO_SIGN)
    county, reviewer = program(here.county_clerk), program(here.reviewer)
    wrong = county.act(number, "return", ground="nonsense", responsibility_line="W-9", reason="不归本区")
    assert (wrong.status_code, list(wrong.json["error"]["details"])) == (422, ["responsibility_line"])
    asked = county.act(
        number,
        "return",
        ground="place",
        responsibility_line=line,
        reason="事发地在桃城区，不属于本区管辖范围",
        suggested_unit="TC",
    )
    assert asked.status_code == 200, asked.text
    assert asked.json["status"] == "return_asked"
    assert county.act(number, "sign").status_code == 409
    given = reviewer.act(number, "accept_return", lead_unit="TC", responsibility_line=line)
    assert given.status_code == 200, given.text
    assert (given.json["status"], given.json["lead_unit"]) == ("to_sign", "TC")


def test_an_officers_program_closes_with_what_the_citizen_said_or_has_it_redone(
    program: MakeProgram, here: City, sessions: SessionFactory
) -> None:
    officer = program(here.callback_officer)
    happy = at(sessions, here, Status.TO_CALL_BACK)
    told = officer.act(happy, "close", satisfaction="dissatisfied", solved="no", contacted=True, reasons=["solved"])
    assert told.status_code == 422
    assert "重办" in told.json["error"]["message"]
    told = officer.act(happy, "close", satisfaction="satisfied", solved="yes", contacted=True)
    assert told.status_code == 200, told.text
    assert (told.json["status"], told.json["satisfaction"], told.json["close_kind"]) == (
        "closed",
        "satisfied",
        "evaluated",
    )
    assert officer.act(happy, "close", satisfaction="satisfied", solved="yes", contacted=True).status_code == 409
    wrong = officer.act(happy, "review", fact="")
    assert (wrong.status_code, list(wrong.json["error"]["details"])) == (422, ["fact"])


def test_what_points_at_nothing_is_told_by_field(program: MakeProgram, here: City, order_no: str) -> None:
    reviewer = program(here.reviewer)
    answer = reviewer.act(order_no, "dispatch", lead_unit="JZ", assisting=["DL", "nobody"])
    assert (answer.status_code, list(answer.json["error"]["details"])) == (422, ["assisting"])
    answer = reviewer.act(order_no, "merge", into="2611-99999-0")
    assert answer.status_code in (409, 422)
    answer = reviewer.act(order_no, "refuse_return", reason="r", request_id=1.5)
    assert (answer.status_code, list(answer.json["error"]["details"])) == (422, ["request_id"])
