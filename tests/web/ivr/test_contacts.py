"""A unit calls the citizen back through the hub, and neither sees the other's number."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.bootstrap import Runtime
from hotline.contacts import queries, service
from hotline.contacts.models import ContactCall
from hotline.errors import Invalid, NotAllowedNow
from hotline.outbox import OutboxMessage
from hotline.telephones.models import Telephone
from hotline.telephony.base import CarrierRefused, CarrierUnreachable
from hotline.telephony.simulated import Line, SimulatedTelephony
from hotline.units.models import Unit
from hotline.web import ivr_contacts, twiml
from hotline.work_orders import service as orders
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.factories import units as make_units
from tests.factories.orders import PHONE, WHEN, caller, order_at
from tests.factories.units import City
from tests.web.ivr.conftest import PUBLIC, Carrier, Clock, said
from workers import contacts, process

Scope = Callable[[], AbstractContextManager[Session]]
CLERKS = "+8619900000301"


@pytest.fixture
def place(scope: Scope, runtime: Runtime) -> City:
    process.use(runtime)
    with scope() as session:
        return make_units.city(session)


@pytest.fixture
def order(scope: Scope, place: City, clock: Clock) -> WorkOrder:
    """An order in the township's hands."""
    with scope() as session:
        found = order_at(session, place, Status.IN_HAND_TIER3)
    clock.forward(3600)
    return found


@pytest.fixture
def asked(scope: Scope, place: City, order: WorkOrder, clock: Clock) -> ContactCall:
    """The clerk has typed their telephone and asked to be put through; it rings."""
    with scope() as session:
        call = service.ask(
            session,
            order=session.get_one(WorkOrder, order.id),
            actor=place.township_clerk,
            now=clock(),
            phone="199 0000 0301",
        )
    run_jobs(scope)
    return call


def run_jobs(scope: Scope) -> None:
    with scope() as session:
        waiting = session.scalars(
            select(OutboxMessage.id).where(OutboxMessage.topic == "contact.dial", OutboxMessage.settled_at.is_(None))
        ).all()
    for message_id in waiting:
        contacts.dial(message_id)
        contacts.dial(message_id)


def pass_time(scope: Scope, clock: Clock, seconds: int) -> None:
    """The jobs come as the relay brings them, every five seconds of that time."""
    for _ in range(0, seconds, 5):
        clock.forward(5)
        run_jobs(scope)


def take_back(scope: Scope, place: City, order: WorkOrder, clock: Clock) -> None:
    """The county recalls the order from the township."""
    with scope() as session:
        found = session.get_one(WorkOrder, order.id)
        orders.recall(session, order=found, actor=place.county_clerk, now=clock(), reason="改由县里办", **WHEN)


def waiting_rows(scope: Scope) -> list[OutboxMessage]:
    """What still waits for the carrier, or for a person."""
    open_or_failed = OutboxMessage.settled_at.is_(None) | OutboxMessage.failed
    with scope() as session:
        wanted = select(OutboxMessage).where(OutboxMessage.topic == "contact.dial", open_or_failed)
        return list(session.scalars(wanted))


def lines(telephony: SimulatedTelephony) -> list[Line]:
    return list(telephony.lines.values())


def now_is(scope: Scope, call: ContactCall) -> ContactCall:
    with scope() as session:
        return session.get_one(ContactCall, call.id)


def answer(carrier: Carrier, line: Line) -> list[str]:
    return said(carrier.ask(line.url.removeprefix(PUBLIC), line.provider_id, From="", To=""))


def told(carrier: Carrier, telephony: SimulatedTelephony, line: Line) -> list[str]:
    """What a line hears that was sent elsewhere in mid-call."""
    ((provider_id, url),) = telephony.redirects
    assert provider_id == line.provider_id
    return said(carrier.ask(url.removeprefix(PUBLIC), provider_id, From="", To=""))


def tell(carrier: Carrier, line: Line, word: str) -> None:
    form = {"CallSid": line.provider_id, "CallStatus": word}
    assert carrier.post(line.status_url.removeprefix(PUBLIC), form).status_code == 200


def test_both_are_rung_one_after_the_other_and_meet_behind_the_hotlines_number(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, asked: ContactCall, clock: Clock, place: City
) -> None:
    (unit,) = lines(telephony)
    assert (unit.to, unit.caller_id) == (CLERKS, "12345")
    assert answer(carrier, unit) == [ivr_contacts.TO_UNIT]
    run_jobs(scope)
    citizen = lines(telephony)[1]
    assert (citizen.to, citizen.caller_id) == (PHONE, "12345")
    clock.forward(10)
    assert answer(carrier, citizen) == [ivr_contacts.TO_CITIZEN]
    clock.forward(192)
    tell(carrier, citizen, "completed")
    tell(carrier, unit, "completed")
    call = now_is(scope, asked)
    assert (call.state, call.talked) == ("ended", timedelta(minutes=3, seconds=12))
    assert unit.ended
    with scope() as session:
        found = session.get_one(WorkOrder, asked.order_id)
        assert [one.id for one in queries.of_order(session, found, place.county_clerk)] == [call.id]
        assert [one.id for one in queries.of_order(session, found, place.supervisor)] == [call.id]
        assert queries.of_order(session, found, place.other_county_clerk) == []
        kept = session.scalars(select(Telephone)).one()
        assert (kept.phone, kept.user_id, kept.pin_hash) == (CLERKS, place.township_clerk.user_id, "")


def test_a_citizen_who_does_not_answer_frees_the_units_line(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, asked: ContactCall
) -> None:
    (unit,) = lines(telephony)
    answer(carrier, unit)
    run_jobs(scope)
    tell(carrier, lines(telephony)[1], "no-answer")
    assert (now_is(scope, asked).state, unit.ended) == ("no_answer", True)
    tell(carrier, unit, "completed")
    assert now_is(scope, asked).state == "no_answer"


def test_a_unit_that_does_not_answer_itself_rings_no_citizen(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, asked: ContactCall
) -> None:
    tell(carrier, lines(telephony)[0], "no-answer")
    run_jobs(scope)
    assert (now_is(scope, asked).state, len(lines(telephony))) == ("unit_away", 1)


def test_a_unit_that_leaves_while_the_citizen_is_rung_ends_the_ringing(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, asked: ContactCall
) -> None:
    (unit,) = lines(telephony)
    answer(carrier, unit)
    run_jobs(scope)
    tell(carrier, unit, "completed")
    citizen = lines(telephony)[1]
    assert citizen.ended
    assert answer(carrier, citizen) == [twiml.GOODBYE]


def test_a_number_the_carrier_refuses_ends_the_call_for_both(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, asked: ContactCall
) -> None:
    (unit,) = lines(telephony)
    answer(carrier, unit)
    telephony.faults["dial"] = CarrierRefused("no")
    run_jobs(scope)
    assert (now_is(scope, asked).state, unit.ended) == ("failed", True)


def test_words_that_come_again_or_late_and_foreign_lines_change_nothing(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, asked: ContactCall
) -> None:
    (unit,) = lines(telephony)
    for _ in range(2):
        answer(carrier, unit)
    run_jobs(scope)
    run_jobs(scope)
    assert len(lines(telephony)) == 2
    foreign = Line("CA" + "e" * 32, unit.to, "12345", unit.url, unit.status_url)
    assert answer(carrier, foreign) == [twiml.GOODBYE]
    tell(carrier, foreign, "completed")
    tell(carrier, unit, "ringing")
    assert now_is(scope, asked).state == "joined"


def test_nobody_is_put_through_for_a_confidential_withheld_unsigned_or_foreign_order(
    scope: Scope, place: City, order: WorkOrder, clock: Clock
) -> None:
    def refused(found: WorkOrder, who: object = place.township_clerk) -> None:
        with pytest.raises(NotAllowedNow):
            service.ask(session, order=found, actor=who, now=clock(), phone=CLERKS)  # type: ignore[arg-type]

    with scope() as session:
        found = session.get_one(WorkOrder, order.id)
        assert queries.offer(session, found, place.township_clerk) is not None
        for stranger in (place.other_township_clerk, place.power_clerk, place.operator):
            refused(found, stranger)
        found.confidential = True
        assert queries.offer(session, found, place.township_clerk) is None
        refused(found)
        withheld = order_at(session, place, Status.IN_HAND_TIER3, who=caller(session, phone=None))
        refused(withheld)
        refused(order_at(session, place, Status.TO_SIGN_TIER3))
        session.rollback()


def test_without_a_telephone_it_has_to_be_typed_and_the_duty_telephone_will_do(
    scope: Scope, place: City, order: WorkOrder, clock: Clock
) -> None:
    with scope() as session:
        found = session.get_one(WorkOrder, order.id)
        with pytest.raises(Invalid) as fault:
            service.ask(session, order=found, actor=place.township_clerk, now=clock())
        assert "phone" in fault.value.details
        session.get_one(Unit, place.township.id).duty_phone = "0318-2024114"
        service.ask(session, order=found, actor=place.township_clerk, now=clock())
        with pytest.raises(NotAllowedNow):
            service.ask(session, order=found, actor=place.township_clerk, now=clock())


def test_a_call_whose_end_was_never_told_is_forgotten(scope: Scope, asked: ContactCall, clock: Clock) -> None:
    contacts.forget_calls()
    assert now_is(scope, asked).state == "asked"
    clock.forward(7201)
    contacts.forget_calls()
    assert now_is(scope, asked).state == "failed"


def test_while_the_carrier_is_away_trying_ends_in_three_minutes_and_the_clerk_may_ask_again(
    telephony: SimulatedTelephony, scope: Scope, place: City, order: WorkOrder, clock: Clock
) -> None:
    def ask() -> ContactCall:
        with scope() as session:
            found = session.get_one(WorkOrder, order.id)
            return service.ask(session, order=found, actor=place.township_clerk, now=clock(), phone="199 0000 0301")

    telephony.faults["dial"] = CarrierUnreachable("away")
    call = ask()
    run_jobs(scope)
    assert now_is(scope, call).state == "asked"
    pass_time(scope, clock, 180)
    assert (now_is(scope, call).state, waiting_rows(scope)) == ("failed", [])

    del telephony.faults["dial"]
    again = ask()
    run_jobs(scope)
    assert [line.to for line in lines(telephony)] == [CLERKS]
    pass_time(scope, clock, 3600)
    assert (len(lines(telephony)), now_is(scope, again).state) == (1, "asked")


def test_a_carrier_that_is_back_within_a_minute_rings_the_clerk_once(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, place: City, order: WorkOrder, clock: Clock
) -> None:
    telephony.faults["dial"] = CarrierUnreachable("away")
    with scope() as session:
        found = session.get_one(WorkOrder, order.id)
        service.ask(session, order=found, actor=place.township_clerk, now=clock(), phone="199 0000 0301")
    run_jobs(scope)
    del telephony.faults["dial"]
    pass_time(scope, clock, 60)
    (unit,) = lines(telephony)
    assert answer(carrier, unit) == [ivr_contacts.TO_UNIT]
    pass_time(scope, clock, 60)
    assert [line.to for line in lines(telephony)] == [CLERKS, PHONE]


def test_a_unit_that_lost_the_order_while_the_carrier_was_away_is_not_rung(
    telephony: SimulatedTelephony, scope: Scope, place: City, order: WorkOrder, clock: Clock
) -> None:
    telephony.faults["dial"] = CarrierUnreachable("away")
    with scope() as session:
        found = session.get_one(WorkOrder, order.id)
        call = service.ask(session, order=found, actor=place.township_clerk, now=clock(), phone="199 0000 0301")
    run_jobs(scope)
    take_back(scope, place, order, clock)
    del telephony.faults["dial"]
    pass_time(scope, clock, 60)
    assert (now_is(scope, call).state, lines(telephony), waiting_rows(scope)) == ("failed", [], [])


def test_a_unit_that_lost_the_order_while_its_telephone_rang_is_told_and_no_citizen_is_rung(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, place: City, asked: ContactCall, clock: Clock
) -> None:
    (unit,) = lines(telephony)
    with scope() as session:
        order = session.get_one(WorkOrder, asked.order_id)
    take_back(scope, place, order, clock)
    assert answer(carrier, unit) == [ivr_contacts.NOT_ANY_MORE]
    run_jobs(scope)
    assert (now_is(scope, asked).state, len(lines(telephony))) == ("failed", 1)


def test_a_unit_that_lost_the_order_just_after_it_answered_is_told_on_the_line(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, asked: ContactCall
) -> None:
    (unit,) = lines(telephony)
    answer(carrier, unit)
    with scope() as session:
        session.get_one(WorkOrder, asked.order_id).confidential = True
    run_jobs(scope)
    assert (now_is(scope, asked).state, len(lines(telephony))) == ("failed", 1)
    assert told(carrier, telephony, unit) == [ivr_contacts.NOT_ANY_MORE]
    tell(carrier, unit, "completed")
    assert now_is(scope, asked).state == "failed"


def test_a_clerk_who_has_left_the_unit_is_put_through_to_nobody(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, asked: ContactCall, place: City
) -> None:
    (unit,) = lines(telephony)
    with scope() as session:
        session.get_one(User, asked.user_id).unit_id = place.other_township_clerk.unit_id
    assert answer(carrier, unit) == [ivr_contacts.NOT_ANY_MORE]
    assert now_is(scope, asked).state == "failed"


def test_a_clerk_on_the_line_is_told_when_the_citizen_cannot_be_rung_in_time(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, asked: ContactCall, clock: Clock
) -> None:
    (unit,) = lines(telephony)
    clock.forward(20)
    answer(carrier, unit)
    telephony.faults["dial"] = CarrierUnreachable("away")
    run_jobs(scope)
    assert now_is(scope, asked).state == "joined"
    pass_time(scope, clock, 160)
    assert (now_is(scope, asked).state, waiting_rows(scope)) == ("failed", [])
    assert told(carrier, telephony, unit) == [ivr_contacts.NO_LINE]


def test_a_line_that_rings_although_the_carrier_gave_no_answer_is_not_rung_again_while_it_rings(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, place: City, order: WorkOrder, clock: Clock
) -> None:
    telephony.faults["dial"] = CarrierUnreachable("time-out")
    with scope() as session:
        found = session.get_one(WorkOrder, order.id)
        call = service.ask(session, order=found, actor=place.township_clerk, now=clock(), phone="199 0000 0301")
    run_jobs(scope)
    del telephony.faults["dial"]
    pass_time(scope, clock, 40)
    late = Line("CA" + "d" * 32, CLERKS, "12345", f"{PUBLIC}/ivr/contact/unit?contact={call.id}", "")
    assert answer(carrier, late) == [ivr_contacts.TO_UNIT]
    pass_time(scope, clock, 60)
    assert [line.to for line in lines(telephony)] == [PHONE]


def test_one_chain_of_tries_goes_on_when_two_jobs_found_no_line(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, place: City, order: WorkOrder, clock: Clock
) -> None:
    telephony.faults["dial"] = CarrierUnreachable("time-out")
    with scope() as session:
        found = session.get_one(WorkOrder, order.id)
        call = service.ask(session, order=found, actor=place.township_clerk, now=clock(), phone="199 0000 0301")
    run_jobs(scope)
    late = Line("CA" + "d" * 32, CLERKS, "12345", f"{PUBLIC}/ivr/contact/unit?contact={call.id}", "")
    answer(carrier, late)  # the row of its own this writes meets the same carrier
    run_jobs(scope)
    assert len(waiting_rows(scope)) == 1


def test_where_the_jobs_were_away_the_timetable_frees_the_clerk_and_tells_who_is_on_the_line(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, asked: ContactCall, clock: Clock
) -> None:
    (unit,) = lines(telephony)
    answer(carrier, unit)
    clock.forward(179)
    contacts.forget_calls()
    assert now_is(scope, asked).state == "joined"
    clock.forward(1)
    telephony.faults["redirect"] = CarrierUnreachable("away")
    contacts.forget_calls()
    assert now_is(scope, asked).state == "failed"
    run_jobs(scope)
    assert len(lines(telephony)) == 1


def test_the_timetable_ends_no_call_of_which_the_citizen_is_rung_or_speaks(
    carrier: Carrier, telephony: SimulatedTelephony, scope: Scope, asked: ContactCall, clock: Clock
) -> None:
    (unit,) = lines(telephony)
    answer(carrier, unit)
    run_jobs(scope)
    clock.forward(200)
    contacts.forget_calls()
    assert now_is(scope, asked).state == "joined"
    answer(carrier, lines(telephony)[1])
    clock.forward(1200)
    contacts.forget_calls()
    assert (now_is(scope, asked).state, telephony.redirects) == ("connected", [])
