"""Operator and caller are put together over the carrier, or the caller loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import select

from hotline.accounts.service import Actor
from hotline.calls import bridging, queries, service
from hotline.calls.assignment import Accepted
from hotline.calls.bridging import Bridged
from hotline.calls.links import Links
from hotline.calls.models import Call, CallLeg
from hotline.calls.states import CallState, LegState
from hotline.db import SessionFactory, session_scope
from hotline.outbox import OutboxMessage
from hotline.telephony.base import CarrierRefused, CarrierUnreachable
from hotline.telephony.simulated import Line, SimulatedTelephony
from tests.factories import calls as make

LINKS = Links("https://hotline.example")
Act = Callable[[int], Bridged | None]


@pytest.fixture
def carrier() -> SimulatedTelephony:
    """A carrier that does as it is told."""
    return SimulatedTelephony()


@pytest.fixture
def taken(sessions: SessionFactory, now: datetime) -> tuple[Call, Accepted, Actor]:
    """A call an operator has just accepted."""
    with session_scope(sessions) as session:
        who = make.ready(session, now=now)
        call, accepted = make.accepted(session, who, now=now)
        return call, accepted, who


@pytest.fixture
def act(sessions: SessionFactory, carrier: SimulatedTelephony, now: datetime) -> Act:
    """Act on a committed row as the desk does."""

    def run(message_id: int) -> Bridged | None:
        return bridging.run_now(sessions, carrier, LINKS, message_id=message_id, now_fn=lambda: now)

    return run


def test_the_operator_is_rung_and_the_caller_fetched_from_the_queue(
    taken: tuple[Call, Accepted, Actor], act: Act, carrier: SimulatedTelephony, sessions: SessionFactory
) -> None:
    call, accepted, who = taken
    assert act(accepted.message_id) == Bridged(True, call.id, who.user_id)
    line = next(iter(carrier.lines.values()))
    assert (line.to, line.caller_id) == ("client:seat07", "12345")  # the citizen's number is shown to nobody
    assert line.url == LINKS.operator(accepted.leg_id)
    assert carrier.redirects == [(call.provider_id, LINKS.bridge())]
    with session_scope(sessions) as session:
        leg = session.get_one(CallLeg, accepted.leg_id)
        assert (leg.provider_id, leg.state) == (line.provider_id, LegState.RINGING)
        assert session.get_one(OutboxMessage, accepted.message_id).settled_at is not None


def test_the_worker_that_comes_after_the_desk_finds_nothing_to_do(
    taken: tuple[Call, Accepted, Actor], act: Act, carrier: SimulatedTelephony, sessions: SessionFactory, now: datetime
) -> None:
    _call, accepted, _who = taken
    act(accepted.message_id)
    assert act(accepted.message_id) is None
    bridging.connect(sessions, carrier, LINKS, leg_id=accepted.leg_id, now_fn=lambda: now)
    assert len(carrier.lines) == 1  # rung once, whoever comes


def test_a_line_that_answers_before_the_dial_returns_is_the_same_line(
    taken: tuple[Call, Accepted, Actor], act: Act, carrier: SimulatedTelephony, sessions: SessionFactory, now: datetime
) -> None:
    _call, accepted, _who = taken

    def answer(line: Line) -> None:
        with session_scope(sessions) as session:
            service.operator_answered(session, leg_id=accepted.leg_id, provider_id=line.provider_id, now=now)

    carrier.on_dial = answer
    assert act(accepted.message_id)
    with session_scope(sessions) as session:
        assert session.get_one(CallLeg, accepted.leg_id).state == LegState.LIVE


@pytest.mark.parametrize("fault", [CarrierRefused("no such client"), CarrierUnreachable("time-out")])
@pytest.mark.parametrize("verb", ["dial", "redirect"])
def test_when_the_carrier_does_not_do_it_the_call_is_first_in_line_and_the_operator_told(
    taken: tuple[Call, Accepted, Actor],
    act: Act,
    carrier: SimulatedTelephony,
    sessions: SessionFactory,
    now: datetime,
    verb: str,
    fault: Exception,
) -> None:
    call, accepted, who = taken
    with session_scope(sessions) as session:
        other = make.waiting(session, now=now)
    carrier.faults[verb] = fault
    done = act(accepted.message_id)
    assert done is not None
    assert (done.ok, done.user_id) == (False, who.user_id)
    assert done.message
    assert len(carrier.hung_up) == (verb == "redirect")  # a telephone that rings for nobody is silenced
    with session_scope(sessions) as session:
        again = session.get_one(Call, call.id)
        assert (again.state, again.operator_id, again.offered_to_id) == (CallState.WAITING, None, None)
        assert queries.wait_facts(session, again, now=now).ahead == 0
        assert queries.wait_facts(session, other, now=now).ahead == 1
        assert [event.kind for event in queries.events(session, call.id)][-1] == "returned"
        presence = queries.presence_of(session, who.user_id or 0)
        assert presence is not None and (presence.state, presence.call_id) == ("away", None)
        assert session.scalars(select(OutboxMessage.settled_at)).all() == [now]


def test_a_caller_who_hung_up_meanwhile_rings_nobody(
    taken: tuple[Call, Accepted, Actor], act: Act, carrier: SimulatedTelephony, sessions: SessionFactory, now: datetime
) -> None:
    call, accepted, _who = taken
    with session_scope(sessions) as session:
        service.caller_gone(session, provider_id=call.provider_id, now=now)
    act(accepted.message_id)
    assert (carrier.lines, carrier.redirects) == ({}, [])


def test_the_caller_of_a_line_that_never_joined_is_fetched_back(
    taken: tuple[Call, Accepted, Actor], act: Act, carrier: SimulatedTelephony, sessions: SessionFactory, now: datetime
) -> None:
    call, accepted, _who = taken
    act(accepted.message_id)
    line = next(iter(carrier.lines))
    with session_scope(sessions) as session:
        change = service.operator_leg_status(
            session, leg_id=accepted.leg_id, status="no-answer", provider_id=line, now=now
        )
    assert change.message_id is not None
    act(change.message_id)
    assert carrier.redirects[-1] == (call.provider_id, LINKS.again())


def test_hanging_up_waits_for_a_carrier_that_is_silent(
    act: Act, carrier: SimulatedTelephony, sessions: SessionFactory, now: datetime
) -> None:
    with session_scope(sessions) as session:
        call, who, leg_id = make.talking(session, now=now)
        message_id = service.end_call(session, call_id=call.id, actor=who, now=now)
        line = session.get_one(CallLeg, leg_id).provider_id
    assert message_id is not None
    carrier.go_silent()
    act(message_id)
    with session_scope(sessions) as session:
        row = session.get_one(OutboxMessage, message_id)
        assert row.settled_at is None
        assert row.next_try_at > now
    carrier.faults.clear()
    bridging.hang_up(sessions, carrier, leg_id=leg_id)
    bridging.hang_up(sessions, carrier, leg_id=leg_id)
    assert carrier.hung_up == [line, line]
