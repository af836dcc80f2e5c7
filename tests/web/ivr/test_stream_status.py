"""What the carrier tells of a line's stream: the only word there is when the process that heard it has died."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy.orm import Session

from hotline.calls import assignment, queries, service
from hotline.calls.models import Call, CallLeg
from tests.factories import calls as make
from tests.web.ivr.conftest import Carrier, Clock

Scope = Callable[[], AbstractContextManager[Session]]
CallOf = Callable[[str], Call]


def _began(carrier: Carrier, call_of: CallOf, scope: Scope, clock: Clock) -> tuple[str, int, dict[str, str]]:
    """Let a call come in and its stream begin; returns the path for its fate, the leg, and what is sent there."""
    sid = make.sid()
    path = carrier.follow(carrier.ask("/ivr/voice", sid), "Stream", "statusCallback")
    with scope() as session:
        leg_id = queries.legs(session, call_of(sid).id)[0].id
        service.stream_started(session, leg_id=leg_id, now=clock())
    return path, leg_id, {"CallSid": sid, "CallStatus": "in-progress", "StreamSid": "MZ" + "1" * 32}


def _ended_at(scope: Scope, leg_id: int) -> object:
    with scope() as session:
        return session.get_one(CallLeg, leg_id).stream_ended_at


def test_a_lost_stream_is_written_down_once_and_a_begun_one_is_not(
    carrier: Carrier, call_of: CallOf, scope: Scope, clock: Clock
) -> None:
    path, leg_id, sent = _began(carrier, call_of, scope, clock)
    assert carrier.post(path, {**sent, "StreamEvent": "stream-started"}).status_code == 200
    assert _ended_at(scope, leg_id) is None
    clock.forward(5)
    lost = clock()
    assert carrier.post(path, {**sent, "StreamEvent": "stream-error", "StreamError": "lost"}).status_code == 200
    clock.forward(5)
    assert carrier.post(path, {**sent, "StreamEvent": "stream-stopped"}).status_code == 200
    assert _ended_at(scope, leg_id) == lost


def test_the_end_of_a_stream_nobody_knows_is_answered_and_a_forged_one_refused(
    carrier: Carrier, call_of: CallOf, scope: Scope, clock: Clock
) -> None:
    path, leg_id, sent = _began(carrier, call_of, scope, clock)
    over = {"StreamEvent": "stream-error"}
    assert carrier.post(path, sent | over | {"CallSid": make.sid()}).status_code == 200
    assert carrier.post(path, sent | over, signature=None).status_code == 403
    assert _ended_at(scope, leg_id) is None


@pytest.mark.parametrize("lost", [True, False])
def test_a_waiting_callers_lost_stream_is_taken_up_again_when_an_operator_answers(
    carrier: Carrier, call_of: CallOf, scope: Scope, clock: Clock, lost: bool
) -> None:
    path, leg_id, sent = _began(carrier, call_of, scope, clock)
    with scope() as session:
        who = make.ready(session, now=clock())
    carrier.ask("/ivr/wait", sent["CallSid"])  # entering the queue makes the offer
    with scope() as session:
        call_id = call_of(sent["CallSid"]).id
        assignment.accept(session, actor=who, call_id=call_id, desk="desk-1", now=clock())
    if lost:
        carrier.post(path, {**sent, "StreamEvent": "stream-error", "StreamError": "lost"})
    bridge = carrier.ask("/ivr/bridge", sent["CallSid"])
    assert (bridge.find(".//Stream") is not None) == lost, "one that goes on is not begun a second time"
    with scope() as session:
        service.stream_started(session, leg_id=leg_id, now=clock())
    assert _ended_at(scope, leg_id) is None
