"""From the dialled number to the evaluation, through telephones and pages."""

from __future__ import annotations

from hotline.demo.stage import Teller
from hotline.demo.story import answered_on_the_spot, lamp_from_call_to_evaluation
from hotline.follow_ups.models import Evaluation
from hotline.work_orders import journal, queries
from hotline.work_orders.models import WorkOrder
from tests.e2e.conftest import Records


def test_a_question_is_answered_on_the_spot(teller: Teller) -> None:
    answered_on_the_spot(teller)


def test_a_dark_lamp_goes_hub_county_township_and_back_until_the_citizen_is_satisfied(
    teller: Teller, records: Records
) -> None:
    number = lamp_from_call_to_evaluation(teller)
    with records() as session:
        order = session.query(WorkOrder).filter_by(order_no=number).one()
        assert journal.verify(session) == []
        actions = [event.action for event in order.events]
        assert actions == [
            *("open", "submit", "dispatch", "sign", "hand_down", "sign", "report", "approve", "approve", "close"),
        ]
        evaluation = session.query(Evaluation).filter_by(order_id=order.id).one()
        assert (evaluation.way, evaluation.satisfaction) == ("keypad", "satisfied")
        assert order.closed_at is not None
        held = queries.held_minutes(order, order.closed_at)
        elapsed = int((order.closed_at - order.spans[0].from_at).total_seconds() // 60)
        assert sum(one.minutes for one in held) == elapsed
        assert order.final_satisfaction == order.first_satisfaction == "satisfied"
