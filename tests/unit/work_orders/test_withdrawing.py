"""The caller hurries, tells more, or takes the demand back."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.outbox import OutboxMessage
from hotline.work_orders import boards, journal, service
from hotline.work_orders.states import OPEN, CloseKind, SensitiveKind, Status, SubState
from hotline.work_orders.story import story
from hotline.work_orders.transitions import TRANSITIONS, Action
from tests.conftest import NOON
from tests.factories.orders import order_at
from tests.factories.units import City, city

LATER = NOON + timedelta(hours=3)
YES = {"reason": "邻居已经修好", "read_back_ok": True}


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def sent(session: Session, topic: str) -> list[dict[str, object]]:
    return [row.payload for row in session.scalars(select(OutboxMessage).where(OutboxMessage.topic == topic))]


@pytest.mark.parametrize("status", [Status.TO_REVIEW, Status.TO_SIGN, Status.IN_HAND_TIER3, Status.TO_CALL_BACK])
def test_a_demand_taken_back_is_over_for_everybody(session: Session, here: City, status: Status):
    order = order_at(session, here, status, assisting=True)
    holding = [sub.unit_id for sub in order.sub_orders]
    service.withdraw(session, order=order, actor=here.operator, now=LATER, **YES)
    assert (order.status, order.close_kind, order.closed_at) == (Status.CLOSED, CloseKind.WITHDRAWN, LATER)
    assert (order.final_satisfaction, order.final_solved) == ("", "")  # nobody was asked
    assert {sub.state for sub in order.sub_orders} <= {SubState.CLOSED}
    told = [row["unit_id"] for row in sent(session, "order.push") if row["what"] == "withdraw"]
    assert told == holding
    assert sent(session, "sms.send")[-1]["template"] == "withdrawn"
    asked = [{"order_id": order.id, "round": 1}] if status == Status.TO_CALL_BACK else []
    assert sent(session, "callback.withdraw") == asked
    assert journal.verify(session) == []
    last = story(session, order, here.operator)[-1]
    assert (last.word, last.notes) == ("撤诉", [("原因", "邻居已经修好")])
    assert ("办结方式", "市民撤诉") in last.facts


def test_it_is_read_back_to_the_caller_first(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND)
    with pytest.raises(Invalid) as caught:
        service.withdraw(session, order=order, actor=here.operator, now=LATER, reason=" ", read_back_ok=False)
    assert set(caught.value.details) == {"reason", "read_back_ok"}
    assert order.status == Status.IN_HAND


@pytest.mark.parametrize("kind", SensitiveKind)
def test_what_is_sensitive_is_not_ended_by_a_call(session: Session, here: City, kind: SensitiveKind):
    order = order_at(session, here, Status.IN_HAND)
    order.sensitive_kind = kind
    with pytest.raises(NotAllowedNow, match="不能撤诉"):
        service.withdraw(session, order=order, actor=here.operator, now=LATER, **YES)


def test_only_the_desk_takes_it_back(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND)
    for actor in (here.county_clerk, here.reviewer, here.callback_officer):
        with pytest.raises(NotPermitted):
            service.withdraw(session, order=order, actor=actor, now=LATER, **YES)


def test_every_open_state_can_be_taken_back_and_no_other():
    assert {state for state, action in TRANSITIONS if action == Action.WITHDRAW} == OPEN


def test_urges_are_counted_on_the_order_and_shown(session: Session, here: City):
    order, quiet = order_at(session, here, Status.IN_HAND), order_at(session, here, Status.IN_HAND)
    for _ in range(3):
        service.urge(session, order=order, actor=here.operator, now=LATER, text="还没有来人")
    assert order.urge_count == 3
    assert boards.urges(session, [order.id, quiet.id]) == {order.id: 3}
    shown = story(session, order, here.county_clerk)[-1]
    assert (shown.word, shown.notes) == ("催单", [("补充内容", "还没有来人")])


def test_an_urge_for_a_merged_order_reaches_who_works_on_the_main_one(session: Session, here: City):
    main, order = order_at(session, here, Status.IN_HAND), order_at(session, here, Status.TO_REVIEW)
    service.merge(session, order=order, into=main, actor=here.reviewer, now=LATER)
    service.urge(session, order=order, actor=here.operator, now=LATER)
    assert sent(session, "order.push")[-1] == {"order_id": main.id, "unit_id": here.county.id, "what": "urge"}
