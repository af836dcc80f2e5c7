"""What is in use is not taken away, and whoever tries is told where."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM
from hotline.audit import AccessLog
from hotline.errors import NotAllowedNow
from hotline.imports.uses import retire_category, retire_unit, uses_of_unit
from hotline.units.models import Category
from hotline.units.service import add_line
from tests.conftest import NOON
from tests.factories.units import WATER, city


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
