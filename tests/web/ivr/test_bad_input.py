"""Forged, missing, absurd and broken: a caller always hears a sentence and gets a person."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import func, select, text

from hotline.bootstrap import Runtime
from hotline.calls.models import Call, CallLeg
from hotline.db import session_scope
from hotline.web import twiml
from tests.factories import calls as make
from tests.web.ivr.conftest import Carrier, said

FORM = {"CallSid": make.sid(), "From": make.PHONE, "To": "12345", "CallStatus": "in-progress"}


def routes(carrier: Carrier) -> list[str]:
    return [rule.rule for rule in carrier.client.application.url_map.iter_rules() if rule.endpoint.startswith("ivr.")]


def test_every_route_refuses_a_missing_or_wrong_signature_and_says_so_without_numbers(
    carrier: Carrier, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert len(routes(carrier)) == 22
    for path in routes(carrier):
        for signature in (None, "wrong", "é", "x" * 5000):
            caplog.clear()
            answer = carrier.post(path, FORM, signature=signature)
            assert answer.status_code == 403, path
            warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
            assert len(warnings) == 1
            assert make.PHONE[3:] not in caplog.text
    with session_scope(runtime.sessions) as session:
        assert session.scalar(select(func.count()).select_from(Call)) == 0


@pytest.mark.parametrize("form", [{}, {"CallSid": ""}, {"CallSid": "x" * 200}, {"CallSid": "ö\x00"}])
@pytest.mark.parametrize(
    "path", ["/ivr/voice", "/ivr/bridge", "/ivr/again", "/ivr/after-call", "/ivr/key?place=greeting"]
)
def test_a_caller_we_know_nothing_of_gets_an_apology_and_a_person(
    carrier: Carrier, path: str, form: dict[str, str]
) -> None:
    answer = carrier.post(path, form)
    assert answer.status_code == 200
    assert twiml.APOLOGY in answer.get_data(as_text=True)
    assert "<Enqueue" in answer.get_data(as_text=True)


def test_a_line_in_the_queue_stays_there_whatever_it_sends(carrier: Carrier) -> None:
    answer = carrier.post("/ivr/wait", {"CallSid": ""}).get_data(as_text=True)
    assert "<Redirect>" in answer
    assert "<Enqueue" not in answer  # no queue inside a queue
    document = carrier.ask("/ivr/wait?turn=-1&told=x&quiet=99999999", make.sid())
    assert document.find("Redirect") is not None


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/ivr/status", {}),
        ("/ivr/status", {"CallSid": "CA1"}),
        ("/ivr/status", {"CallSid": "CA1", "CallStatus": "exploded"}),
        ("/ivr/status?leg=abc", {"CallSid": "CA1", "CallStatus": "ringing"}),
        ("/ivr/status?leg=99999999999999999999", {"CallSid": "CA1", "CallStatus": "ringing"}),
        ("/ivr/status?attempt=1&party=nobody", {"CallSid": "CA1", "CallStatus": "completed"}),
        ("/ivr/conference", {"StatusCallbackEvent": "participant-join"}),
        ("/ivr/message", {"Body": "1"}),
    ],
)
def test_where_nobody_listens_the_fault_is_told_in_words(carrier: Carrier, path: str, form: dict[str, str]) -> None:
    answer = carrier.post(path, form)
    assert answer.status_code == 400
    assert any("\u4e00" <= sign <= "\u9fff" for sign in answer.get_data(as_text=True))


def test_a_status_of_a_leg_nobody_knows_is_404(carrier: Carrier) -> None:
    assert carrier.post("/ivr/status?leg=4711", {"CallSid": "CA1", "CallStatus": "completed"}).status_code == 404


def test_an_operators_line_for_nothing_gets_the_apology_of_a_caller(carrier: Carrier) -> None:
    answer = carrier.post("/ivr/operator?leg=4711", {"CallSid": "CA1"})
    assert answer.status_code == 200


def away(runtime: Runtime, table: str, to: str) -> None:
    with runtime.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {to}"))


def test_without_a_database_nobody_hears_silence(
    carrier: Carrier, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    away(runtime, "call_legs", "elsewhere")
    sid = make.sid()
    for path in ("/ivr/voice", "/ivr/bridge", "/ivr/after-call", "/ivr/after-queue"):
        assert said(carrier.ask(path, sid)) == [twiml.APOLOGY]
    assert carrier.ask("/ivr/wait", sid).find("Redirect") is not None
    assert said(carrier.ask("/ivr/fallback", sid)) == [twiml.APOLOGY]
    assert carrier.post("/ivr/status", {"CallSid": sid, "CallStatus": "completed"}).status_code == 503
    assert make.PHONE[3:] not in caplog.text
    assert "ivr.voice failed" in caplog.text
    away(runtime, "elsewhere", "call_legs")  # the database is given to other tests


def test_a_call_that_came_while_the_database_was_away_is_opened_when_it_waits(
    carrier: Carrier, runtime: Runtime
) -> None:
    sid = make.sid()
    carrier.ask("/ivr/fallback", sid)
    carrier.ask("/ivr/wait", sid)
    with session_scope(runtime.sessions) as session:
        call = session.scalars(select(Call)).one()
        assert (call.provider_id, call.state) == (sid, "waiting")
        assert session.scalars(select(CallLeg.track)).all() == ["caller"]


def test_other_methods_and_large_bodies_are_refused(carrier: Carrier) -> None:
    assert carrier.client.get("/ivr/voice").status_code == 405
    assert carrier.post("/ivr/status", {"CallSid": "C" * 400_000}).status_code == 413
