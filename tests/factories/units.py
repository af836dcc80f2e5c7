"""A small city: the hub, a county with two townships, a department with a station, a utility."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.units.models import Unit
from hotline.units.service import add_category, add_unit
from tests.factories import people

WATER = "0301"


@dataclass(frozen=True, slots=True)
class City:
    """Units and one actor for each role."""

    hub: Unit
    county: Unit
    township: Unit
    other_township: Unit
    other_county: Unit
    far_township: Unit
    power: Unit
    operator: Actor
    reviewer: Actor
    callback_officer: Actor
    supervisor: Actor
    county_clerk: Actor
    township_clerk: Actor
    other_township_clerk: Actor
    other_county_clerk: Actor
    far_township_clerk: Actor
    power_clerk: Actor


def city(session: Session) -> City:
    """Add a city in which every unit has somebody and the category ``WATER`` exists."""
    hub = add_unit(session, code="HS", name="衡水市热线中心", parent=None)
    county = add_unit(session, code="JZ", name="冀州区政府", parent=hub, area_code="131103")
    other_county = add_unit(session, code="TC", name="桃城区政府", parent=hub, area_code="131102")
    power = add_unit(session, code="DL", name="电力公司", parent=hub, kind="utility")
    township = add_unit(session, code="JZ01", name="冀州镇", parent=county, kind="township")
    other_township = add_unit(session, code="JZ02", name="官道李镇", parent=county, kind="township")
    far_township = add_unit(session, code="TC01", name="郑家河沿镇", parent=other_county, kind="township")
    add_category(session, code=WATER, name="供水·停水")
    return City(
        hub=hub,
        county=county,
        township=township,
        other_township=other_township,
        other_county=other_county,
        far_township=far_township,
        power=power,
        operator=people.actor(session, Role.OPR, name="话务员小李"),
        reviewer=people.actor(session, Role.REV, name="派单员小赵"),
        callback_officer=people.actor(session, Role.CBK, name="回访员小孙"),
        supervisor=people.actor(session, Role.SUP, name="督办员老周"),
        county_clerk=people.actor(session, Role.U2, unit=county),
        township_clerk=people.actor(session, Role.U3, unit=township),
        other_township_clerk=people.actor(session, Role.U3, unit=other_township),
        other_county_clerk=people.actor(session, Role.U2, unit=other_county),
        far_township_clerk=people.actor(session, Role.U3, unit=far_township),
        power_clerk=people.actor(session, Role.U2, unit=power),
    )
