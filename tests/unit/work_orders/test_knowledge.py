"""What a unit had to be asked becomes a question for the editors of knowledge once the order is quiet (T30)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM
from hotline.knowledge_base.models import Signal
from hotline.knowledge_base.states import SignalKind
from hotline.work_orders import service
from hotline.work_orders.states import Status
from tests.factories.orders import REPLY, WHEN, order_at
from tests.factories.units import city


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"demand_type": "consult", "title": "咨询残疾证换领，我叫王小明"}, "咨询残疾证换领，我叫×××"),
        ({"demand_type": "consult", "title": "", "content": "残疾证到期怎么换"}, "残疾证到期怎么换"),
        ({"demand_type": "help", "title": "停水两天"}, None),
        ({"demand_type": "consult", "title": "咨询残疾证", "confidential": True}, None),
    ],
)
def test_a_consultation_that_is_quiet_for_thirty_days_asks_for_an_entry(
    session: Session, now: datetime, fields: dict[str, Any], asked: str | None
) -> None:
    here = city(session)
    order = order_at(session, here, Status.TO_CALL_BACK, via_township=False, **fields)
    later = now + timedelta(hours=3)
    answer = {"satisfaction": "satisfied", "solved": "yes", "contacted": True, "round": order.round}
    service.record_evaluation(session, order=order, actor=here.callback_officer, now=later, **answer, **WHEN)
    assert session.scalars(select(Signal)).all() == []
    service.archive(session, order=order, actor=SYSTEM, now=later + timedelta(days=30))
    noted = [(one.kind, one.text, one.told) for one in session.scalars(select(Signal))]
    assert noted == ([(SignalKind.NO_ENTRY, asked, REPLY)] if asked else [])
