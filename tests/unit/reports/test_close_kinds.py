"""How an order was closed decides what it counts in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import SYSTEM
from hotline.reports import leagues
from hotline.work_orders import service
from hotline.work_orders.asks.explanations import Explanation
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import RATED, UNASKED, UNCALLED, CloseKind, Status
from tests.conftest import NOON
from tests.factories import people
from tests.factories.orders import WHEN, order_at
from tests.factories.units import City, city

LATER = NOON + timedelta(hours=3)
PERIOD = (NOON - timedelta(days=1), NOON + timedelta(days=1))
SAID = {"satisfaction": "dissatisfied", "solved": "impossible", "contacted": True, "round": 1}


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def rated(session: Session, here: City, satisfaction: str = "satisfied", solved: str = "yes") -> WorkOrder:
    order = order_at(session, here, Status.TO_CALL_BACK)
    said = SAID | {"satisfaction": satisfaction, "solved": solved}
    return service.record_evaluation(session, order=order, actor=here.callback_officer, now=LATER, **said, **WHEN)


def test_every_way_of_closing_either_has_a_verdict_or_has_none() -> None:
    assert set(CloseKind) == RATED | UNCALLED | UNASKED
    assert not (RATED & UNCALLED or RATED & UNASKED or UNCALLED & UNASKED)


def test_what_was_explained_counts_as_dissatisfied_and_not_solved(session: Session, here: City):
    rated(session, here)
    order = order_at(session, here, Status.TO_CALL_BACK)
    why = Explanation("law", "已解释须业主大会同意")
    service.explain(session, order=order, actor=here.callback_officer, now=LATER, explanation=why, **SAID)
    service.grant_explanation(session, order=order, actor=here.supervisor, now=LATER, **WHEN)
    (score,) = leagues.league(session, *PERIOD)
    assert (score.closed, score.satisfied.part, score.satisfied.base) == (2, 1, 2)
    assert (score.solved.part, score.solved.base) == (1, 2)
    assert leagues.month(session, *PERIOD).by_satisfaction == {"satisfied": 1, "dissatisfied": 1}


def test_what_nobody_was_asked_about_counts_in_no_evaluation(session: Session, here: City):
    rated(session, here)
    withdrawn = order_at(session, here, Status.IN_HAND)
    service.withdraw(session, order=withdrawn, actor=here.operator, now=LATER, reason="已自行解决", read_back_ok=True)
    unreached = order_at(session, here, Status.TO_CALL_BACK)
    service.not_reached(session, order=unreached, actor=SYSTEM, now=LATER, round=1)
    for kind in (CloseKind.CHECKED, CloseKind.NO_INFO):  # whatever their columns say
        order = rated(session, here, "dissatisfied", "yes")
        order.close_kind = kind
    session.flush()
    (score,) = leagues.league(session, *PERIOD)
    assert (score.closed, score.satisfied.base, score.solved.base) == (5, 1, 1)
    assert leagues.month(session, *PERIOD).by_satisfaction == {"satisfied": 1}


def test_a_demand_found_unreasonable_is_shown_both_ways(session: Session, here: City):
    rated(session, here)
    order = order_at(session, here, Status.TO_CHECK_HUB)
    service.claim(
        session, order=order, actor=here.county_clerk, now=LATER, ground="malicious", evidence="同日重复投诉十二次"
    )
    panel = people.actor(session, Role.ADJ)
    service.decide_claim(session, order=order, actor=panel, now=LATER, upheld=True, answer="予以认定")
    service.approve(session, order=order, actor=here.reviewer, now=LATER, **WHEN)
    said = SAID | {"solved": "yes"}
    service.record_evaluation(session, order=order, actor=here.callback_officer, now=LATER, **said, **WHEN)
    (score,) = leagues.league(session, *PERIOD)
    assert (score.satisfied.part, score.satisfied.base) == (1, 2)
    assert (score.reasonable.part, score.reasonable.base) == (1, 1)


def test_a_score_set_aside_on_appeal_is_shown_both_ways(session: Session, here: City):
    rated(session, here)
    order = rated(session, here, "dissatisfied")
    service.appeal(session, order=order, actor=here.county_clerk, now=LATER, reason="市民评价的是另一件事")
    panel = people.actor(session, Role.ADJ)
    service.decide_appeal(session, order=order, actor=panel, now=LATER, upheld=True, answer="录音核实属实")
    (score,) = leagues.league(session, *PERIOD)
    assert (score.satisfied.part, score.satisfied.base) == (1, 2)
    assert (score.reasonable.part, score.reasonable.base) == (1, 1)
