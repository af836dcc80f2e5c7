"""Lines are put together and ended by a worker when the desk that should have done it died."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from hotline.bootstrap import Runtime
from hotline.calls import service
from hotline.calls.models import Call
from hotline.db import session_scope
from hotline.live.base import Hint
from hotline.outbox import RETRY_AFTER, OutboxMessage
from hotline.telephony.base import CarrierRefused
from hotline.telephony.simulated import SimulatedTelephony
from tests.factories import calls as make
from tests.workers.conftest import Clock
from workers import dispatch


def newest(runtime: Runtime, topic: str) -> int:
    with session_scope(runtime.sessions) as session:
        wanted = select(OutboxMessage.id).where(OutboxMessage.topic == topic).order_by(OutboxMessage.id.desc())
        return session.scalars(wanted.limit(1)).one()


@pytest.fixture
def seated(runtime: Runtime) -> None:
    with session_scope(runtime.sessions) as session:
        make.number(session)


def test_an_accepted_call_is_put_through_once(
    runtime: Runtime, seated: None, carrier: SimulatedTelephony, clock: Clock
) -> None:
    with session_scope(runtime.sessions) as session:
        call, _ = make.accepted(session, make.ready(session, now=clock()), now=clock())
    message_id = newest(runtime, "call.connect")
    dispatch.connect_call(message_id)
    dispatch.connect_call(message_id)
    assert [line.to for line in carrier.lines.values()] == ["client:seat07"]
    assert [provider_id for provider_id, _ in carrier.redirects] == [call.provider_id]


def test_when_the_carrier_refuses_the_desk_is_told_and_the_caller_is_offered_to_another(
    runtime: Runtime, seated: None, carrier: SimulatedTelephony, clock: Clock
) -> None:
    with session_scope(runtime.sessions) as session:
        first = make.ready(session, now=clock())
        call, _ = make.accepted(session, first, now=clock())
        second = make.ready(session, now=clock())
    carrier.faults["dial"] = CarrierRefused("carrier answered HTTP 400, code 21219")
    with runtime.bus.subscribe(f"desk-{first.user_id}", f"desk-{second.user_id}") as desks:
        dispatch.connect_call(newest(runtime, "call.connect"))
        hints = desks.hints(10.0)
        assert [next(hints) for _ in range(2)] == [
            Hint(f"desk-{first.user_id}", "line-fault"),
            Hint(f"desk-{second.user_id}", "offer"),
        ]
    with session_scope(runtime.sessions) as session:
        assert session.get_one(Call, call.id).offered_to_id == second.user_id


def test_an_operators_line_is_hung_up_once_the_carrier_can_be_asked_again(
    runtime: Runtime, seated: None, carrier: SimulatedTelephony, clock: Clock
) -> None:
    with session_scope(runtime.sessions) as session:
        call, who, _ = make.talking(session, now=clock())
        service.end_call(session, call_id=call.id, actor=who, now=clock())
    message_id = newest(runtime, "call.hang_up")
    carrier.go_silent()
    dispatch.hang_up_leg(message_id)
    assert carrier.hung_up == []
    carrier.faults.clear()
    clock.forward(RETRY_AFTER[0])
    dispatch.hang_up_leg(message_id)
    dispatch.hang_up_leg(message_id)
    assert len(carrier.hung_up) == 1
