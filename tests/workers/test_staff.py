"""Members of staff are told on their own telephones: a locked PIN, by text, to those who can give a new one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hotline import outbox
from hotline.accounts.roles import Role
from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.delivery import templates
from hotline.outbox import RETRY_AFTER, OutboxMessage
from hotline.telephones import service as telephones
from hotline.telephony.base import CarrierRefused, CarrierUnreachable
from hotline.telephony.simulated import SimulatedTelephony
from hotline.units.models import Unit
from tests.factories import people
from tests.factories.units import City
from tests.workers.conftest import Clock
from workers import staff

LANDLINE = "0318-2024114"
FIRST, SECOND = "+8619900000202", "+8619900000203"
REFUSED = CarrierRefused("carrier answered HTTP 400, code 21610")


def locked(runtime: Runtime, place: City) -> int:
    """The township's clerk has locked their PIN: the message that says so."""
    with session_scope(runtime.sessions) as session:
        return outbox.add(session, "pin.locked", now=runtime.now(), user_id=place.township_clerk.user_id).id


def row(runtime: Runtime, message_id: int) -> OutboxMessage:
    with session_scope(runtime.sessions) as session:
        return session.get_one(OutboxMessage, message_id)


def on_duty(runtime: Runtime, place: City, phone: str) -> None:
    """The township has a duty telephone, written as people write it."""
    with session_scope(runtime.sessions) as session:
        session.get_one(Unit, place.township.id).duty_phone = phone


def leader(runtime: Runtime, place: City, phone: str) -> None:
    """One more leader of the township, who has left a number."""
    with session_scope(runtime.sessions) as session:
        one = people.actor(session, Role.U3L, unit=place.township)
        telephones.leave_number(session, actor=one, now=runtime.now(), user_id=one.user_id or 0, phone=phone)


def refuse(patch: pytest.MonkeyPatch, *numbers: str) -> None:
    """The carrier takes no text for these numbers."""
    real = SimulatedTelephony.send_message

    def send(self: SimulatedTelephony, *, to: str, **text: str) -> str:
        if to in numbers:
            raise REFUSED
        return real(self, to=to, **text)

    patch.setattr(SimulatedTelephony, "send_message", send)


def test_leaders_read_whose_pin_was_locked_and_when_by_the_citys_clock(
    runtime: Runtime, place: City, carrier: SimulatedTelephony
) -> None:
    leader(runtime, place, FIRST)
    leader(runtime, place, SECOND)
    staff.tell_locked(locked(runtime, place))
    assert [text.to for text in carrier.messages] == [FIRST, SECOND]
    for text in carrier.messages:
        assert place.township_clerk.name in text.body
        assert "2026年11月18日 12:00" in text.body


def test_a_leader_with_a_landline_does_not_keep_the_word_from_the_others(
    runtime: Runtime, place: City, carrier: SimulatedTelephony
) -> None:
    leader(runtime, place, LANDLINE)
    leader(runtime, place, SECOND)
    message_id = locked(runtime, place)
    staff.tell_locked(message_id)
    assert [text.to for text in carrier.messages] == [SECOND]
    assert not row(runtime, message_id).failed


def test_where_leaders_have_landlines_alone_the_duty_telephone_is_told_or_a_person(
    runtime: Runtime, place: City, carrier: SimulatedTelephony
) -> None:
    leader(runtime, place, LANDLINE)
    nobody_told = locked(runtime, place)
    staff.tell_locked(nobody_told)
    assert carrier.messages == []
    assert (row(runtime, nobody_told).failed, row(runtime, nobody_told).error) == (True, "负责人的电话收不到短信")
    on_duty(runtime, place, "19900000001")
    staff.tell_locked(locked(runtime, place))
    assert [text.to for text in carrier.messages] == ["+8619900000001"]


def test_a_leader_the_carrier_refuses_does_not_keep_the_word_from_the_others(
    runtime: Runtime, place: City, carrier: SimulatedTelephony, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader(runtime, place, FIRST)
    leader(runtime, place, SECOND)
    refuse(monkeypatch, FIRST)
    message_id = locked(runtime, place)
    staff.tell_locked(message_id)
    assert [text.to for text in carrier.messages] == [SECOND]
    assert row(runtime, message_id).settled_at is not None and not row(runtime, message_id).failed


def test_where_the_carrier_refuses_every_leader_a_person_is_given_the_reason(
    runtime: Runtime, place: City, carrier: SimulatedTelephony, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader(runtime, place, FIRST)
    leader(runtime, place, SECOND)
    refuse(monkeypatch, FIRST, SECOND)
    message_id = locked(runtime, place)
    staff.tell_locked(message_id)
    assert (row(runtime, message_id).failed, row(runtime, message_id).error) == (True, str(REFUSED))


@pytest.mark.parametrize("own", ["", "{name}的密码锁了"], ids=["shipped words", "the city's own without the time"])
def test_a_lock_days_later_is_told_although_the_first_try_meets_a_silent_carrier(
    runtime: Runtime, place: City, carrier: SimulatedTelephony, clock: Clock, own: str
) -> None:
    if own:
        with session_scope(runtime.sessions) as session:
            templates.put_text(session, user_id=None, now=clock(), name="staff.pin_locked", text=own)
    leader(runtime, place, FIRST)
    staff.tell_locked(locked(runtime, place))
    clock.forward(timedelta(days=3))
    second = locked(runtime, place)
    carrier.go_silent()
    staff.tell_locked(second)
    carrier.faults.clear()
    clock.forward(RETRY_AFTER[0])
    staff.tell_locked(second)
    assert len(carrier.messages) == 2
    assert row(runtime, second).settled_at is not None


def test_who_was_told_before_the_carrier_fell_silent_is_not_told_twice(
    runtime: Runtime, place: City, carrier: SimulatedTelephony, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for phone in (FIRST, SECOND):
        leader(runtime, place, phone)
    real = SimulatedTelephony.send_message

    def answer_lost(self: SimulatedTelephony, **text: str) -> str:
        real(self, **text)
        raise CarrierUnreachable("the answer was lost")

    message_id = locked(runtime, place)
    with monkeypatch.context() as lost:
        lost.setattr(SimulatedTelephony, "send_message", answer_lost)
        staff.tell_locked(message_id)
    refuse(monkeypatch, SECOND)  # the one told before counts
    clock.forward(RETRY_AFTER[0])
    staff.tell_locked(message_id)
    assert [text.to for text in carrier.messages] == [FIRST]
    assert row(runtime, message_id).settled_at is not None and not row(runtime, message_id).failed


def test_where_no_leader_left_a_number_the_duty_telephone_is_told_however_it_is_written(
    runtime: Runtime, place: City, carrier: SimulatedTelephony
) -> None:
    on_duty(runtime, place, "19900000001")
    staff.tell_locked(locked(runtime, place))
    assert [text.to for text in carrier.messages] == ["+8619900000001"]


def test_a_duty_telephone_that_shows_no_texts_is_given_to_a_person_in_words(
    runtime: Runtime, place: City, carrier: SimulatedTelephony
) -> None:
    on_duty(runtime, place, LANDLINE)
    message_id = locked(runtime, place)
    staff.tell_locked(message_id)
    assert carrier.messages == []
    assert (row(runtime, message_id).failed, row(runtime, message_id).error) == (True, "值班电话收不到短信")


def test_a_unit_with_no_number_at_all_troubles_nobody(
    runtime: Runtime, place: City, carrier: SimulatedTelephony
) -> None:
    message_id = locked(runtime, place)
    staff.tell_locked(message_id)
    assert carrier.messages == []
    assert row(runtime, message_id).settled_at is not None and not row(runtime, message_id).failed
