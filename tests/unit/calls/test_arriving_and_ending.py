"""A call arrives, waits, is talked in and ends, in whatever order the carrier tells of it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.callers.models import Caller
from hotline.calls import assignment, queries, service
from hotline.calls.models import Call, CallLeg
from hotline.calls.states import CallState, LegState, Outcome, QueueKind
from hotline.errors import Invalid, NotAllowedNow, NotFound, NotPermitted
from hotline.outbox import OutboxMessage
from tests.factories import calls as make
from tests.factories import people

SECOND = timedelta(seconds=1)


def kinds(session: Session, call: Call) -> list[str]:
    return [event.kind for event in queries.events(session, call.id)]


def test_told_twice_of_a_call_there_is_one(session: Session, now: datetime) -> None:
    make.number(session)
    sid = make.sid()
    first = service.open_call(session, provider_id=sid, dialled="12345", phone=make.PHONE, now=now)
    again = service.open_call(session, provider_id=sid, dialled="12345", phone=make.PHONE, now=now + SECOND)
    assert first.new
    assert not again.new
    assert (again.call_id, again.leg_id, again.started_at) == (first.call_id, first.leg_id, now)
    assert session.scalar(select(func.count()).select_from(CallLeg)) == 1
    assert session.scalar(select(func.count()).select_from(Caller)) == 1


@pytest.mark.parametrize("dialled", ["12345", "+8612345"])
def test_a_number_is_known_however_the_carrier_writes_it(session: Session, now: datetime, dialled: str) -> None:
    number = make.number(session, skill="方言")
    call = make.arrived(session, dialled=dialled, now=now)
    assert call.number_id == number.id
    assert call.skill == "方言"


def test_a_number_nobody_set_up_is_answered_all_the_same(session: Session, now: datetime) -> None:
    call = make.arrived(session, dialled="+8612319", now=now)
    assert call.number is None
    assert call.dialled == "+8612319"


def test_hanging_up_during_the_greeting_is_a_row(session: Session, now: datetime) -> None:
    call = make.arrived(session, now=now)
    service.caller_gone(session, provider_id=call.provider_id, now=now + SECOND)
    assert (call.state, call.outcome, call.ended_at) == (CallState.ENDED, Outcome.ABANDONED_GREETING, now + SECOND)
    assert kinds(session, call) == [QueueKind.ABANDONED, QueueKind.ENDED]


def test_hanging_up_while_waiting_is_another(session: Session, now: datetime) -> None:
    call = make.waiting(session, now=now)
    service.caller_gone(session, provider_id=call.provider_id, now=now + SECOND)
    service.caller_gone(session, provider_id=call.provider_id, now=now + 2 * SECOND)
    assert call.outcome == Outcome.ABANDONED
    assert call.ended_at == now + SECOND
    assert kinds(session, call) == [QueueKind.ENTERED, QueueKind.ABANDONED, QueueKind.ENDED]


def test_a_late_webhook_never_takes_an_ended_call_back(session: Session, now: datetime) -> None:
    call = make.arrived(session, now=now)
    service.caller_gone(session, provider_id=call.provider_id, now=now)
    service.enter_queue(session, call_id=call.id, now=now + SECOND)
    service.return_to_queue(session, call_id=call.id, now=now + SECOND, why="late")
    assert call.state == CallState.ENDED
    assert call.queued_at is None


def test_a_caller_gone_while_offered_frees_the_operator(session: Session, now: datetime) -> None:
    who = make.ready(session, now=now)
    call = make.waiting(session, now=now)
    service.caller_gone(session, provider_id=call.provider_id, now=now)  # before any offer
    other = make.waiting(session, now=now)
    assert assignment.offer_next(session, now=now) is not None
    ended = service.caller_gone(session, provider_id=other.provider_id, now=now + SECOND)
    assert ended is not None and ended.user_ids == (who.user_id,)
    presence = queries.presence_of(session, who.user_id or 0)
    assert presence is not None and (presence.state, presence.call_id) == ("ready", None)


def test_after_a_talk_the_operator_wraps_up_and_the_outcome_is_open(session: Session, now: datetime) -> None:
    call, who, _leg = make.talking(session, now=now)
    service.caller_gone(session, provider_id=call.provider_id, now=now + 60 * SECOND)
    assert call.outcome == Outcome.NO_DEMAND
    presence = queries.presence_of(session, who.user_id or 0)
    assert presence is not None and (presence.state, presence.call_id) == ("wrap_up", call.id)
    service.resolve(session, call_id=call.id, outcome=Outcome.ORDERED, actor=who, now=now + 90 * SECOND)
    assert call.outcome == Outcome.ORDERED


def test_a_caller_who_leaves_while_being_put_through_has_not_talked(session: Session, now: datetime) -> None:
    who = make.ready(session, now=now)
    call, taken = make.accepted(session, who, now=now)
    service.caller_gone(session, provider_id=call.provider_id, now=now + SECOND)
    assert call.outcome == Outcome.ABANDONED
    topics = session.scalars(select(OutboxMessage.topic).order_by(OutboxMessage.id)).all()
    assert topics == ["call.connect", "call.hang_up"]  # the operator's telephone must not go on ringing
    answered = service.operator_answered(session, leg_id=taken.leg_id, provider_id=make.sid(), now=now + 2 * SECOND)
    assert answered is None
    with pytest.raises(NotAllowedNow):
        service.resolve(session, call_id=call.id, outcome=Outcome.ANSWERED_ON_SPOT, actor=who, now=now)


def test_what_was_said_while_waiting_may_become_an_order_and_the_call_stays_abandoned(
    session: Session, now: datetime
) -> None:
    who = make.ready(session, now=now)
    call, _taken = make.accepted(session, who, now=now)
    service.caller_gone(session, provider_id=call.provider_id, now=now + SECOND)
    service.resolve(session, call_id=call.id, outcome=Outcome.ORDERED, actor=who, now=now + 60 * SECOND)
    assert call.outcome == Outcome.ABANDONED
    with pytest.raises(NotPermitted):
        service.resolve(session, call_id=call.id, outcome=Outcome.ORDERED, actor=make.operator(session), now=now)


def test_what_was_ordered_is_not_taken_back(session: Session, now: datetime) -> None:
    call, who, _leg = make.talking(session, now=now)
    service.resolve(session, call_id=call.id, outcome="ordered", actor=who, now=now)
    service.resolve(session, call_id=call.id, outcome="answered", actor=who, now=now)
    assert call.outcome == Outcome.ORDERED
    with pytest.raises(NotPermitted):
        service.resolve(session, call_id=call.id, outcome="answered", actor=make.operator(session), now=now)
    with pytest.raises(Invalid):
        service.resolve(session, call_id=call.id, outcome="abandoned", actor=who, now=now)


def test_status_words_of_an_operators_line_count_by_rank_not_by_order(session: Session, now: datetime) -> None:
    who = make.ready(session, now=now)
    _call, taken = make.accepted(session, who, now=now)
    line = make.sid()

    def told(status: str) -> str:
        service.operator_leg_status(session, leg_id=taken.leg_id, status=status, provider_id=line, now=now)
        return session.get_one(CallLeg, taken.leg_id).state

    assert told("ringing") == LegState.RINGING
    assert told("initiated") == LegState.RINGING
    service.operator_answered(session, leg_id=taken.leg_id, provider_id=line, now=now)
    service.operator_joined(session, provider_id=line, now=now)
    assert told("ringing") == LegState.LIVE
    assert told("completed") == LegState.ENDED
    assert told("in-progress") == LegState.ENDED
    assert told("no-answer") == LegState.ENDED
    with pytest.raises(Invalid):
        told("exploded")


def test_an_operators_line_that_does_not_answer_gives_the_caller_the_first_place(
    session: Session, now: datetime
) -> None:
    who = make.ready(session, now=now)
    call, taken = make.accepted(session, who, now=now)
    longer = make.waiting(session, now=now - 3000 * SECOND)
    change = service.operator_leg_status(
        session, leg_id=taken.leg_id, status="no-answer", provider_id=make.sid(), now=now + 20 * SECOND
    )
    assert (call.state, call.operator_id) == (CallState.WAITING, None)
    assert queries.wait_facts(session, call, now=now).ahead == 0
    assert queries.wait_facts(session, longer, now=now).ahead == 1
    assert QueueKind.RETURNED in kinds(session, call)
    row = session.get_one(OutboxMessage, change.message_id)
    assert (row.topic, row.payload["leg_id"]) == ("call.connect", taken.leg_id)
    presence = queries.presence_of(session, who.user_id or 0)
    assert presence is not None and presence.state == "away"


def test_an_operator_lost_in_mid_talk_gives_the_caller_the_first_place_once(session: Session, now: datetime) -> None:
    call, who, leg_id = make.talking(session, now=now)
    assert not service.after_talk(session, call_id=call.id, now=now + 60 * SECOND)
    assert call.state == CallState.WAITING
    line = session.get_one(CallLeg, leg_id).provider_id or ""
    change = service.operator_leg_status(
        session, leg_id=leg_id, status="completed", provider_id=line, now=now + 61 * SECOND
    )
    assert change.message_id is None
    assert kinds(session, call).count(QueueKind.RETURNED) == 1
    presence = queries.presence_of(session, who.user_id or 0)
    assert presence is not None and presence.state == "wrap_up"


def test_a_call_its_operator_ended_is_not_queued_again(session: Session, now: datetime) -> None:
    call, who, leg_id = make.talking(session, now=now)
    with pytest.raises(NotPermitted):
        service.end_call(session, call_id=call.id, actor=make.operator(session), now=now)
    message_id = service.end_call(session, call_id=call.id, actor=who, now=now + 60 * SECOND)
    assert message_id is not None
    assert session.get_one(OutboxMessage, message_id).payload == {"call_id": call.id, "leg_id": leg_id}
    assert service.end_call(session, call_id=call.id, actor=who, now=now + 61 * SECOND) is None
    assert service.after_talk(session, call_id=call.id, now=now + 62 * SECOND)
    assert call.state == CallState.TALKING  # until the caller's own line says it is over
    presence = queries.presence_of(session, who.user_id or 0)
    assert presence is not None and presence.state == "wrap_up"


def test_words_are_placed_by_the_time_since_the_call_began(session: Session, now: datetime) -> None:
    call = make.arrived(session, now=now)
    leg_id = queries.legs(session, call.id)[0].id
    stream = service.stream_started(session, leg_id=leg_id, now=now + 8 * SECOND)
    assert (stream.call_id, stream.track) == (call.id, "caller")
    service.record_utterance(
        session, leg_id=leg_id, text="我家停水了", start_ms=500, end_ms=2100, now=now + 11 * SECOND
    )
    service.stream_ended(session, leg_id=leg_id, frames=150, dropped=1, now=now + 11 * SECOND)
    service.stream_started(session, leg_id=leg_id, now=now + 30 * SECOND)
    service.record_utterance(session, leg_id=leg_id, text="停了两天", start_ms=0, end_ms=900, now=now + 31 * SECOND)
    service.stream_ended(session, leg_id=leg_id, frames=50, dropped=0, now=now + 31 * SECOND)
    heard = [(row.text, row.start_ms, row.end_ms) for row in queries.utterances(session, call.id)]
    assert heard == [("我家停水了", 8500, 10100), ("停了两天", 30000, 30900)]
    leg = session.get_one(CallLeg, leg_id)
    assert (leg.frames, leg.frames_dropped) == (200, 1)


def test_a_stream_of_nobody_or_of_an_ended_line_is_refused(session: Session, now: datetime) -> None:
    with pytest.raises(NotFound):
        service.stream_started(session, leg_id=4711, now=now)
    call = make.arrived(session, now=now)
    leg_id = queries.legs(session, call.id)[0].id
    service.caller_gone(session, provider_id=call.provider_id, now=now)
    with pytest.raises(NotAllowedNow):
        service.stream_started(session, leg_id=leg_id, now=now)


def test_the_expected_wait_is_told_only_when_something_is_known(session: Session, now: datetime) -> None:
    call = make.waiting(session, now=now)
    assert queries.wait_facts(session, call, now=now) == queries.WaitFacts(0, None, ringing=False)
    for minute in (9, 6, 3):
        who = make.ready(session, now=now)
        earlier = make.waiting(session, now=now - timedelta(minutes=minute + 1))
        offer = assignment.offer_next(session, now=now - timedelta(minutes=minute))
        assert offer is not None and offer.call_id == earlier.id
        assignment.accept(session, actor=who, call_id=earlier.id, desk="desk-1", now=now - timedelta(minutes=minute))
    behind = make.waiting(session, now=now + SECOND)
    assert queries.wait_facts(session, call, now=now).expected_s == 180  # three answers in nine minutes
    assert queries.wait_facts(session, behind, now=now) == queries.WaitFacts(1, 360, ringing=False)


def test_calls_are_seen_by_the_hub_only(session: Session, now: datetime) -> None:
    call = make.arrived(session, now=now)
    assert queries.visible_to(session, people.actor(session, "SUP"), call.id).id == call.id
    for role in ("U2", "U3", "LDR", "ADM"):
        with pytest.raises(NotFound):
            queries.visible_to(session, people.actor(session, role), call.id)


def test_earlier_calls_of_the_number_are_found_and_those_of_withheld_ones_are_not(
    session: Session, now: datetime
) -> None:
    first = make.arrived(session, now=now)
    second = make.arrived(session, now=now + SECOND)
    make.arrived(session, phone="anonymous", now=now)
    hidden = make.arrived(session, phone="anonymous", now=now)
    assert queries.earlier_calls(session, second) == [first]
    assert queries.earlier_calls(session, hidden) == []
