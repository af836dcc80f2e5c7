"""Not satisfied, but nothing more can be done: an officer proposes to close, a supervisor decides."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.accounts.roles import Role
from hotline.accounts.service import actor_of
from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.follow_ups import service
from hotline.follow_ups.models import Callback, Evaluation
from hotline.follow_ups.states import CallbackState, Way
from hotline.outbox import OutboxMessage
from hotline.work_orders import journal, queries
from hotline.work_orders import service as work
from hotline.work_orders.asks.explanations import Explanation
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import CloseKind, RequestState, Status
from tests.conftest import NOON
from tests.factories.orders import WHEN, order_at, report_fields
from tests.factories.units import City, city

OPENED = NOON + timedelta(hours=2)
LATER = OPENED + timedelta(hours=1)
EXPLANATION = Explanation("law", "已解释：该小区属二次供水改造范围，须业主大会同意")


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


@pytest.fixture
def order(session: Session, here: City) -> WorkOrder:
    return order_at(session, here, Status.TO_CALL_BACK)


@pytest.fixture
def callback(session: Session, order: WorkOrder) -> Callback:
    return service.open_callback(session, order=order, now=OPENED, **WHEN)


def outgoing(session: Session, topic: str) -> list[dict]:
    return [row.payload for row in session.scalars(select(OutboxMessage).where(OutboxMessage.topic == topic))]


def proposed(
    session: Session, callback: Callback, here: City, *, now: datetime = OPENED, who=None, **said
) -> Evaluation:
    officer = who or here.callback_officer
    service.take(session, callback=callback, actor=officer, now=now)
    answer = {
        "satisfaction": "dissatisfied",
        "solved": "impossible",
        "contacted": True,
        "reasons": ["policy"],
        "explanation": EXPLANATION,
        **said,
    }
    return service.evaluate(session, callback=callback, way=Way.PERSON, actor=officer, now=now, **answer)


def messages_arrive(session: Session, order: WorkOrder) -> None:
    """All of them, and twice."""
    for _ in range(2):
        for evaluation in session.scalars(select(Evaluation).where(Evaluation.order_id == order.id)):
            service.apply_evaluation(session, evaluation=evaluation, now=LATER, **WHEN)


def granted(session: Session, order: WorkOrder, actor, answer: str = "政策依据充分") -> WorkOrder:
    return work.grant_explanation(session, order=order, actor=actor, now=LATER, answer=answer, **WHEN)


def refused(session: Session, order: WorkOrder, actor, answer: str = "仍可协调临时供水") -> WorkOrder:
    return work.refuse_explanation(session, order=order, actor=actor, now=LATER, answer=answer, **WHEN)


def test_the_order_waits_while_a_supervisor_looks_at_it(session: Session, here: City, order, callback):
    evaluation = proposed(session, callback, here)
    assert (evaluation.satisfaction, evaluation.solved) == ("dissatisfied", "impossible")
    assert (callback.state, order.status) == (CallbackState.DONE, Status.TO_CALL_BACK)
    assert outgoing(session, "order.evaluated") == []
    messages_arrive(session, order)
    assert (order.status, order.redo_count) == (Status.TO_CALL_BACK, 0)
    assert ("已作解释", EXPLANATION.explained) in queries.story(session, order, here.supervisor)[-1].notes
    assert ("解释依据", "政策法规不允许") in queries.story(session, order, here.supervisor)[-1].facts


def test_granted_it_closes_as_explained_and_counts_as_dissatisfied(session: Session, here: City, order, callback):
    proposed(session, callback, here)
    granted(session, order, here.supervisor)
    assert (order.status, order.close_kind) == (Status.CLOSED, CloseKind.EXPLAINED)
    assert (order.first_satisfaction, order.final_satisfaction, order.final_solved) == (
        "dissatisfied",
        "dissatisfied",
        "impossible",
    )
    assert order.appeal_until is not None
    assert order.requests[-1].state == RequestState.GRANTED
    assert len(outgoing(session, "sms.send")) == 2  # accepted, closed
    messages_arrive(session, order)
    assert (order.status, order.redo_count) == (Status.CLOSED, 0)
    with pytest.raises(NotAllowedNow):
        granted(session, order, here.supervisor)
    assert journal.verify(session) == []


def test_refused_it_is_redone_as_without_it(session: Session, here: City, order, callback):
    proposed(session, callback, here)
    with pytest.raises(Invalid) as caught:
        refused(session, order, here.supervisor, answer=" ")
    assert list(caught.value.details) == ["answer"]
    refused(session, order, here.supervisor)
    assert (order.status, order.redo_count) == (Status.IN_HAND_TIER3, 1)
    assert order.requests[-1].state == RequestState.REFUSED
    messages_arrive(session, order)
    assert order.redo_count == 1
    assert journal.verify(session) == []


def test_refused_after_the_last_redo_it_goes_to_supervision(session: Session, here: City, order, callback):
    for round_ in (1, 2):
        at = OPENED + timedelta(minutes=round_)
        evaluation = proposed(session, callback, here, now=at, solved="no", explanation=None)
        service.apply_evaluation(session, evaluation=evaluation, now=at, **WHEN)
        for verb, actor in (
            ("report", here.township_clerk),
            ("approve", here.county_clerk),
            ("approve", here.reviewer),
        ):
            fields = report_fields() if verb == "report" else {}
            getattr(work, verb)(session, order=order, actor=actor, now=at, **fields, **WHEN)
        callback = service.open_callback(session, order=order, now=at, **WHEN)
    proposed(session, callback, here, now=LATER)
    refused(session, order, here.supervisor)
    assert (order.close_kind, order.supervision, order.final_solved) == (
        CloseKind.REDO_EXHAUSTED,
        "blue",
        "impossible",
    )
    assert journal.verify(session) == []


def test_nobody_decides_their_own_proposal(session: Session, here: City, order, callback):
    proposed(session, callback, here)
    with pytest.raises(NotPermitted):
        refused(session, order, here.callback_officer)
    promoted = session.get_one(User, here.callback_officer.user_id)
    promoted.role = Role.SUP
    for decide in (granted, refused):
        with pytest.raises(NotPermitted, match="自己提请"):
            decide(session, order, actor_of(promoted))
    assert order.status == Status.TO_CALL_BACK


def test_nothing_is_decided_that_nobody_proposed(session: Session, here: City, order, callback):
    for decide in (granted, refused):
        with pytest.raises(NotAllowedNow, match="没有待审批"):
            decide(session, order, here.supervisor)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"solved": "no"}, ["solved"]),
        ({"contacted": False}, ["contacted"]),
        ({"satisfaction": "satisfied", "reasons": []}, ["satisfaction"]),
        ({"explanation": Explanation("weather", "下雨")}, ["ground"]),
        ({"explanation": Explanation("condition", "  ")}, ["explained"]),
        ({"explanation": Explanation("condition", "释" * 1001)}, ["explained"]),
    ],
)
def test_an_explanation_asks_for_all_it_stands_on(session: Session, here: City, order, callback, changes, named):
    with pytest.raises(Invalid) as caught:
        proposed(session, callback, here, **changes)
    assert list(caught.value.details) == named
    assert session.scalar(select(Evaluation)) is None
    assert list(order.requests) == []


def test_a_supervisor_who_calls_back_proposes_to_nobody(session: Session, here: City, order, callback):
    with pytest.raises(NotPermitted):
        proposed(session, callback, here, who=here.supervisor)


def test_an_order_taken_back_meanwhile_drops_the_proposal(session: Session, here: City, order, callback):
    proposed(session, callback, here)
    work.withdraw(session, order=order, actor=here.operator, now=LATER, reason="已自行解决", read_back_ok=True)
    assert order.requests[-1].state == RequestState.DROPPED
    with pytest.raises(NotAllowedNow):
        granted(session, order, here.supervisor)
