"""One name in two counties: both are meant until the caller says which."""

from __future__ import annotations

from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM
from hotline.gazetteer.queries import named_in
from hotline.gazetteer.service import put_place
from hotline.units.models import Unit
from hotline.units.service import add_unit
from tests.conftest import NOON


def counties(session: Session) -> list[Unit]:
    hub = add_unit(session, code="HS", name="热线中心", parent=None, kind="hub")
    names = (("TC", "桃城区人民政府", "131102"), ("JZ", "冀州区人民政府", "131103"))
    return [add_unit(session, code=code, name=name, parent=hub, area_code=area) for code, name, area in names]


def heard(session: Session, text: str) -> list[str]:
    return [f"{one.place.county.code} {one.name}" for one in named_in(session, text)]


def test_a_name_in_two_counties_is_both_until_the_county_is_said(session: Session):
    for county in counties(session):
        put_place(session, actor=SYSTEM, now=NOON, name="人民路", kind="road", county=county)
    assert heard(session, "我在人民路这边") == ["TC 人民路", "JZ 人民路"]
    assert heard(session, "冀州区人民路上的路灯坏了") == ["JZ 人民路"]
    assert heard(session, "武邑县来的，在人民路") == ["TC 人民路", "JZ 人民路"]


def test_a_county_that_is_said_takes_nothing_from_places_that_stand_once(session: Session):
    there, here = counties(session)
    put_place(session, actor=SYSTEM, now=NOON, name="榕花街", kind="road", county=there)
    put_place(session, actor=SYSTEM, now=NOON, name="信都路", kind="road", county=here)
    assert sorted(heard(session, "冀州区信都路到榕花街")) == ["JZ 信都路", "TC 榕花街"]
