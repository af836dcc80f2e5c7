"""What is in use is not taken away, and whoever tries is told where."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM
from hotline.audit import AccessLog
from hotline.db import SessionFactory, session_scope
from hotline.errors import NotAllowedNow
from hotline.imports import KINDS, preview, run
from hotline.imports.uses import retire_category, retire_line, retire_profile, retire_unit, uses_of_unit
from hotline.units.models import Category, ResponsibilityLine
from hotline.units.queries import lines_for, lines_in_force
from hotline.units.service import add_line
from hotline.units.versions import copy_version
from hotline.work_orders import rules
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories.orders import order_at
from tests.factories.units import WATER, City, city
from tests.unit.imports.files import rows_of


def test_a_unit_with_people_and_units_below_stays_and_names_them(session: Session):
    here = city(session)
    with pytest.raises(NotAllowedNow, match="下级单位 2 处（冀州镇、官道李镇）；人员 1 处"):
        retire_unit(session, actor=SYSTEM, now=NOON, unit=here.county)
    assert here.county.active


def test_only_the_list_in_force_and_those_to_come_count(session: Session):
    here = city(session)
    for version, since, lead in (
        ("1", date(2026, 1, 1), here.power),
        ("2", date(2026, 7, 1), here.county),
        ("3", date(2027, 1, 1), here.other_county),
    ):
        add_line(
            session,
            version=version,
            code="L1",
            matter="供水",
            category_code=WATER,
            lead_unit=lead,
            valid_from=since,
            now=NOON,
        )
    today = NOON.date()

    def listed(unit: object) -> bool:
        return "责任清单" in {use.where for use in uses_of_unit(session, unit, on=today)}  # type: ignore[arg-type]

    assert [listed(unit) for unit in (here.power, here.county, here.other_county)] == [False, True, True]


def test_what_nobody_uses_is_closed_with_who_and_what_it_was(session: Session):
    here = city(session)
    category = session.scalars(select(Category).where(Category.code == WATER)).one()
    retire_category(session, actor=here.supervisor, now=NOON, category=category)
    row = session.scalars(select(AccessLog).where(AccessLog.act == "retire")).one()
    assert (row.user_id, row.subject_id) == (here.supervisor.user_id, WATER)
    assert row.details == {"before": {"active": True}, "after": {"active": False}}


TODAY = NOON.date()


def led(session: Session, here: City, code: str = "L1") -> ResponsibilityLine:
    return add_line(
        session,
        version="2026-1",
        code=code,
        matter="供水",
        category_code=WATER,
        lead_unit=here.power,
        valid_from=date(2026, 1, 1),
        now=NOON,
    )


def test_a_line_out_of_use_sends_nothing_and_is_not_copied_on(session: Session):
    here = city(session)
    off, on = led(session, here), led(session, here, "L2")
    retire_line(session, actor=SYSTEM, now=NOON, line=off)
    assert lines_for(session, WATER, on=TODAY) == lines_in_force(session, on=TODAY) == [on]
    tomorrow = TODAY + timedelta(days=1)
    copied = copy_version(
        session, source="2026-1", version="2027-1", valid_from=tomorrow, today=TODAY, actor=SYSTEM, now=NOON
    )
    assert copied == 1
    retire_line(session, actor=SYSTEM, now=NOON, line=on)
    assert lines_in_force(session, on=TODAY) == []


def test_a_line_by_which_open_orders_went_out_stays_in_use_and_names_them(session: Session):
    here = city(session)
    line = led(session, here)
    order = order_at(session, here, Status.IN_HAND_TIER3)
    order.responsibility_line_id = line.id
    with pytest.raises(NotAllowedNow, match=f"在办工单 1 处（{order.order_no}）"):
        retire_line(session, actor=SYSTEM, now=NOON, line=line)
    assert line.active


def test_a_published_line_goes_out_of_use_by_a_file_and_comes_back_while_its_unit_is_there(sessions: SessionFactory):
    with session_scope(sessions) as session:
        here = city(session)
        led(session, here)
    kind = KINDS["responsibility"]
    row = {"version": "2026-1", "code": "L1", "matter": "供水", "category": WATER, "lead": "DL"}
    row |= {"valid_from": "2026-01-01"}
    off, on = (rows_of("responsibility", row | {"active": word}) for word in ("否", "是"))
    assert run(sessions, kind, off, actor=SYSTEM, now=NOON).changed == 1
    with session_scope(sessions) as session:
        assert lines_in_force(session, on=TODAY) == []
        here.power.active = False
        session.merge(here.power)
    with sessions() as session:
        assert [one.reason for one in preview(session, kind, on).refused] == ["没有编号为 DL 的单位，或已停用"]
    with session_scope(sessions) as session:
        here.power.active = True
        session.merge(here.power)
    assert run(sessions, kind, on, actor=SYSTEM, now=NOON).changed == 1
    with sessions() as session:
        assert len(lines_in_force(session, on=TODAY)) == 1


def test_a_profile_out_of_use_gives_way_to_the_one_before_it(session: Session):
    for name, since in (("redyellow-2-5", date(2026, 1, 1)), ("hebei-default", date(2026, 7, 1))):
        rules.put_profile(session, actor=SYSTEM, now=NOON, name=name, title=name, active_from=since, rules={})
    assert rules.in_force(session, on=TODAY) == "hebei-default"
    newest = rules.put_profile(
        session, actor=SYSTEM, now=NOON, name="hebei-default", title="新", active_from=date(2026, 7, 1), rules={}
    )
    retire_profile(session, actor=SYSTEM, now=NOON, profile=newest)
    assert rules.in_force(session, on=TODAY) == "redyellow-2-5"


def test_a_profile_that_open_orders_follow_stays_in_use_and_names_them(session: Session):
    here = city(session)
    order = order_at(session, here, Status.IN_HAND_TIER3)
    profile = rules.put_profile(
        session, actor=SYSTEM, now=NOON, name=order.profile, title="时限", active_from=date(2026, 1, 1), rules={}
    )
    with pytest.raises(NotAllowedNow, match=f"在办工单 1 处（{order.order_no}）"):
        retire_profile(session, actor=SYSTEM, now=NOON, profile=profile)
    assert profile.active
