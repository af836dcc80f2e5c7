"""What holds for every kind of file a city brings."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM
from hotline.audit import AccessLog
from hotline.db import SessionFactory, session_scope
from hotline.imports import KINDS, preview, run
from hotline.units import service as units
from tests.conftest import NOON
from tests.unit.imports.files import rows_of


def small_city(session: Session) -> None:
    hub = units.add_unit(session, code="HS", name="热线中心", parent=None)
    units.add_unit(session, code="HS-JZ", name="冀州区", parent=hub, area_code="131103")
    units.add_unit(session, code="HS-CGJ", name="市城管局", parent=hub, kind="department")
    units.add_category(session, code="CJ", name="城建城管")
    units.add_category(session, code="CJ-LD", name="路灯照明", parent_code="CJ")


@pytest.mark.parametrize("name", KINDS)
def test_the_example_of_each_kind_is_taken_once_and_then_changes_nothing(sessions: SessionFactory, name: str):
    if name == "categories":
        with session_scope(sessions) as session:
            units.add_category(session, code="CJ", name="城建城管")
    else:
        with session_scope(sessions) as session:
            small_city(session)
    kind = KINDS[name]
    rows = rows_of(name, kind.example)
    with sessions() as session:
        seen = preview(session, kind, rows)
        assert not seen.refused
        assert seen.new + seen.changed == 1
    assert run(sessions, kind, rows, actor=SYSTEM, now=NOON).refused == []
    again = run(sessions, kind, rows, actor=SYSTEM, now=NOON)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 1)
    with sessions() as session:
        rows_left = session.scalars(select(AccessLog).order_by(AccessLog.id)).all()
        assert [row.act for row in rows_left][1:] == ["import", "import"]
        assert set(rows_left[0].details) == {"before", "after"}


def test_a_preview_writes_nothing(sessions: SessionFactory):
    with session_scope(sessions) as session:
        small_city(session)
    with sessions() as session:
        preview(session, KINDS["gazetteer"], rows_of("gazetteer", KINDS["gazetteer"].example))
        assert session.scalar(select(func.count()).select_from(AccessLog)) == 0
