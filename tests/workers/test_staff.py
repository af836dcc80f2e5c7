"""Members of staff are told on their own telephones: a locked PIN, by text, to those who can give a new one."""

from __future__ import annotations

from hotline import outbox
from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.outbox import OutboxMessage
from hotline.telephony.simulated import SimulatedTelephony
from hotline.units.models import Unit
from tests.factories.units import City
from workers import staff


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


def test_where_no_leader_left_a_number_the_duty_telephone_is_told_however_it_is_written(
    runtime: Runtime, place: City, carrier: SimulatedTelephony
) -> None:
    on_duty(runtime, place, "19900000001")
    staff.tell_locked(locked(runtime, place))
    assert [text.to for text in carrier.messages] == ["+8619900000001"]


def test_a_duty_telephone_that_shows_no_texts_is_given_to_a_person_in_words(
    runtime: Runtime, place: City, carrier: SimulatedTelephony
) -> None:
    on_duty(runtime, place, "0318-2024114")
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
