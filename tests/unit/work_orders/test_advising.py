"""What is proposed for an order, and how the choice is kept beside it through dispatch, return and designation."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.routing.models import RoutingModel, RoutingProposal
from hotline.routing.queries import ModelInUse
from hotline.units.models import ResponsibilityLine
from hotline.units.service import add_line
from hotline.work_orders import service
from hotline.work_orders.advising import Advice, advise, note_dispatched
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories.orders import WHEN, order_at
from tests.factories.units import WATER, City, city


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def listed(session: Session, here: City) -> ResponsibilityLine:
    return add_line(
        session,
        version="2026-1",
        code="L07",
        matter="公共供水停水",
        category_code=WATER,
        lead_unit=here.power,
        valid_from=date(2026, 1, 1),
        now=NOON,
    )


def advised(session: Session, order: WorkOrder) -> Advice:
    return advise(session, order, routing=ModelInUse(), on=NOON.date())


def kept(session: Session) -> RoutingProposal | None:
    return session.scalars(select(RoutingProposal)).one_or_none()


def test_a_damaged_model_proposes_by_the_list_alone_and_says_so_in_the_log(
    session: Session, here: City, caplog: pytest.LogCaptureFixture
) -> None:
    listed(session, here)
    session.add(RoutingModel(trained_at=NOON, rows=1, figures={}, active=True, data=b"rubbish"))
    session.flush()
    advice = advised(session, order_at(session, here, Status.TO_REVIEW))
    assert advice.units[0].unit is here.power
    assert advice.units[0].reason == "责任清单 L07：公共供水停水"
    assert (advice.category, advice.model_id) == (None, None)
    assert "cannot be read" in caplog.text


def test_what_was_proposed_and_chosen_is_kept_as_codes(session: Session, here: City) -> None:
    listed(session, here)
    order = order_at(session, here, Status.TO_REVIEW)
    advice = advised(session, order)
    service.dispatch(session, order=order, actor=here.reviewer, now=NOON, lead_unit_id=here.county.id, **WHEN)
    assert kept(session) is None  # nothing was shown to whoever dispatches by a program
    note_dispatched(session, order, advice, now=NOON)
    row = kept(session)
    assert row is not None
    assert row.units[0]["label"] == here.power.code
    assert (row.chosen_unit, row.chosen_category) == (here.county.code, WATER)
    assert all(set(one) == {"label", "confidence"} for one in row.units)


def test_a_unit_that_gave_it_back_is_counted_and_not_proposed_again(session: Session, here: City) -> None:
    line = listed(session, here)
    order = order_at(session, here, Status.TO_REVIEW)
    advice = advised(session, order)
    service.dispatch(session, order=order, actor=here.reviewer, now=NOON, lead_unit_id=here.power.id, **WHEN)
    note_dispatched(session, order, advice, now=NOON)
    later = NOON + timedelta(minutes=30)
    service.ask_return(
        session, order=order, actor=here.power_clerk, now=later, ground="incomplete", responsibility_line_id=line.id,
        reason="没有写明楼号", **WHEN,
    )  # fmt: skip
    assert here.power in [one.unit for one in advised(session, order).units]
    service.accept_return(session, order=order, actor=here.reviewer, now=later, lead_unit_id=here.county.id, **WHEN)
    row = kept(session)
    assert row is not None
    assert (row.chosen_unit, row.returned_by) == (here.county.code, [here.power.code])
    assert row.units[0]["label"] == here.power.code  # what was proposed stays
    assert here.power not in [one.unit for one in advised(session, order).units]
