"""From the dialled number to the evaluation, through telephones and pages."""

from __future__ import annotations

from hotline import bootstrap
from hotline.db import KeyRing, session_scope, use_key_ring
from hotline.demo.story import Teller, answered_on_the_spot, lamp_from_call_to_evaluation
from hotline.follow_ups.models import Evaluation
from hotline.work_orders import journal, queries
from hotline.work_orders.models import WorkOrder
from tests.e2e.conftest import House


def test_a_question_is_answered_on_the_spot(house: House, teller: Teller) -> None:
    answered_on_the_spot(teller)


def test_a_dark_lamp_goes_hub_county_township_and_back_until_the_citizen_is_satisfied(
    house: House, teller: Teller, keys: KeyRing
) -> None:
    number = lamp_from_call_to_evaluation(teller)
    runtime = bootstrap.build(house.settings)
    try:
        with session_scope(runtime.sessions) as session:
            order = session.query(WorkOrder).filter_by(order_no=number).one()
            assert journal.verify(session) == []
            actions = [event.action for event in order.events]
            assert actions == [
                *("open", "submit", "dispatch", "sign", "hand_down", "sign", "report", "approve", "approve", "close"),
            ]
            evaluation = session.query(Evaluation).filter_by(order_id=order.id).one()
            assert (evaluation.way, evaluation.satisfaction) == ("keypad", "satisfied")
            held = queries.held_minutes(order, order.closed_at)
            elapsed = int((order.closed_at - order.spans[0].from_at).total_seconds() // 60)
            assert sum(one.minutes for one in held) == elapsed
            assert order.final_satisfaction == order.first_satisfaction == "satisfied"
    finally:
        runtime.close()
        use_key_ring(keys)  # other tests of this process have keys of their own
