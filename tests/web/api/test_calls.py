"""Calls through the API: what was heard and suggested, for the hub's programs only."""

from __future__ import annotations

from datetime import datetime

import pytest

from hotline.bootstrap import Runtime
from hotline.calls import service
from hotline.db import SessionFactory, session_scope
from hotline.knowledge_base.service import import_entries
from tests.factories import calls as make
from tests.factories.units import City
from tests.web.api.conftest import MakeProgram

HEARD = "你好我想问一下医保卡丢了怎么补办"


@pytest.fixture
def call_sid(runtime: Runtime, sessions: SessionFactory, now: datetime) -> str:
    """The carrier's id of a call in which something was said and answers were shown."""
    with session_scope(sessions) as session:
        make.number(session)
        import_entries(
            session,
            [{"id": "K1", "question": "医保卡丢了怎么补办？", "answer": "请到医保经办窗口补办。"}],
            actor_id=None,
            now=now,
        )
        call, _, operator_leg = make.talking(session)
        service.stream_started(session, leg_id=operator_leg, now=now)
        service.record_utterance(session, leg_id=operator_leg, text=HEARD, start_ms=900, end_ms=3200, now=now)
        call_id, sid = call.id, call.provider_id
    with session_scope(sessions) as session:
        make.suggested(session, runtime.knowledge, call_id, HEARD, now)
    return sid


def test_a_call_is_told_with_its_words_and_answers(
    program: MakeProgram, here: City, call_sid: str, now: datetime
) -> None:
    answer = program(here.supervisor).get("/calls", provider_id=call_sid)
    (call,) = answer.json["calls"]
    assert (call["provider_id"], call["dialled"], call["state"]) == (call_sid, "12345", "talking")
    assert call["caller"] == "199****1234"
    assert make.PHONE[3:] not in answer.text
    (said,) = call["utterances"]
    assert (said["track"], said["text"], said["final"]) == ("operator", HEARD, True)
    assert said["end_ms"] - said["start_ms"] == 2300
    (shown,) = call["suggestions"]
    assert (shown["entry_id"], shown["shown_at"]) == ("K1", now.isoformat())
    assert 0 < shown["score"] <= 1


def test_units_editors_and_leaders_have_no_calls(program: MakeProgram, here: City, call_sid: str) -> None:
    for who in (here.county_clerk, here.township_clerk):
        assert program(who).get("/calls", provider_id=call_sid).status_code == 403
    for role in ("KBE", "LDR"):
        assert program(role=role).get("/calls", provider_id=call_sid).status_code == 403


def test_a_call_nobody_knows_is_404_and_no_id_is_422(program: MakeProgram, here: City, call_sid: str) -> None:
    operator = program(here.operator)
    for unknown in ("CA" + "0" * 32, "x" * 10_000, "来电", "CA\x00"):
        assert operator.get("/calls", provider_id=unknown).status_code == 404
    assert operator.get("/calls").json["error"]["details"] == {"provider_id": "缺少"}
