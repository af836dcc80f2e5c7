"""How often the proposal was right, for those who answer for it; and the proposal on the dispatcher's page."""

from __future__ import annotations

import re
from datetime import date

import pytest

from hotline.db import SessionFactory, session_scope
from hotline.routing.models import RoutingModel
from hotline.routing.service import keep
from hotline.routing.training import Outcome, retrain
from hotline.units.service import add_category, add_line
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories.orders import order_at
from tests.factories.units import WATER, City
from tests.unit.routing.messages import row
from tests.web.staff import Clock, Staff

LAMPS = "0309"
WHERE = ("小区", "胡同口", "桥头", "学校", "市场", "医院", "广场", "河边", "车站", "公园")


@pytest.fixture
def outcome(here: City) -> Outcome:
    """Of earlier orders: what is dark goes to the power company, what is dry to the county."""
    told = []
    for number, where in enumerate(WHERE * 2):
        told.append(row(f"a{number}", f"{where}路灯不亮晚上很黑", LAMPS, here.power.code))
        told.append(row(f"b{number}", f"{where}停水两天水压低", WATER, here.county.code))
    return retrain(told, in_use=None, now=NOON)


def order(sessions: SessionFactory, here: City, **fields: str) -> str:
    with session_scope(sessions) as session:
        return order_at(session, here, Status.TO_REVIEW, **fields).order_no


def test_nothing_to_compare_is_said_in_words(here: City, staff: Staff) -> None:
    page = staff(here.supervisor).get("/office/accuracy").text
    assert "近 30 天还没有可比的派单" in page
    assert "还没有训练过模型" in page


def test_only_supervisors_and_reviewers_see_it(here: City, staff: Staff) -> None:
    assert staff(here.reviewer).get("/office/accuracy").status_code == 200
    for other in (here.operator, here.county_clerk, here.callback_officer):
        assert staff(other).get("/office/accuracy").status_code == 403


def test_what_was_chosen_is_told_by_unit_and_by_category(
    here: City, staff: Staff, sessions: SessionFactory, outcome: Outcome, clock: Clock
) -> None:
    with session_scope(sessions) as session:
        add_category(session, code=LAMPS, name="路灯照明")
        keep(session, outcome)
    browser = staff(here.reviewer)
    for lead in (here.county, here.county, here.other_county):
        number = order(sessions, here)
        sent = {"lead": "other", "other": lead.id}
        assert browser.post(f"/office/dispatch/{number}", sent).status_code == 303
    # a dark street under the wrong kind of matter
    number = order(sessions, here, title="", content="桥头路灯不亮晚上很黑")
    assert "分类请再看一眼：更像路灯照明" in browser.get(f"/office/dispatch/{number}").text
    browser.post(f"/office/dispatch/{number}", {"lead": "other", "other": here.power.id})

    page = staff(here.supervisor).get("/office/accuracy?days=7").text
    rows = {
        cells[0]: cells[1:]
        for cells in (re.findall(r"<td[^>]*>([^<]*)</td>", one) for one in re.findall(r"<tr>.*?</tr>", page, re.S))
        if cells
    }
    assert rows[here.county.name] == ["2", "100%", "100%", "—"]
    assert rows[here.other_county.name][:2] == ["1", "0%"]
    assert rows[here.power.name][:2] == ["1", "100%"]
    assert "建议 路灯照明，实为" in page
    assert "在用" in page
    clock.on(days=8)
    assert "近 7 天还没有可比的派单" in staff(here.supervisor).get("/office/accuracy?days=7").text


def test_a_model_that_was_worse_is_told_with_both_figures(here: City, staff: Staff, sessions: SessionFactory) -> None:
    figures = {"after": {"unit": {"accuracy": 0.8}}, "before": {"unit": {"accuracy": 0.9}}}
    with session_scope(sessions) as session:
        session.add(RoutingModel(trained_at=NOON, rows=3200, figures=figures, active=False))
    page = staff(here.supervisor).get("/office/accuracy?days=zzz").text
    assert "未启用" in page
    assert "90% → 80%" in page


def test_an_unsure_proposal_asks_and_nothing_is_chosen_beforehand(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    with session_scope(sessions) as session:
        for code, lead in (("L07", here.power), ("L08", here.other_county)):
            add_line(
                session, version="2026-1", code=code, matter="公共供水停水", category_code=WATER,
                lead_unit=session.merge(lead), valid_from=date(2026, 1, 1), now=NOON,
            )  # fmt: skip
    order(sessions, here, address="某处")
    page = staff(here.reviewer).get("/office/dispatch").text
    assert "拿不准派给谁，请您选定" in page
    assert "责任清单 L07" in page and "责任清单 L08" in page
    assert not re.search(r'name="lead" value="[^"]*" checked', page)
