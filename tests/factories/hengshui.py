"""The city of the cases worth replaying: departments, a utility, three counties with a street and two towns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.units.models import ResponsibilityLine, Unit
from hotline.units.service import add_category, add_line, add_unit
from tests.conftest import NOON
from tests.factories import people

LAMPS, DRAINS, WIRES, PAPERS, HEATING, FOOD = "0401", "0402", "0501", "0601", "0701", "0801"
_CATEGORIES = {
    LAMPS: "市政设施·路灯、井盖",
    DRAINS: "市政设施·下水道",
    WIRES: "物业·私拉电线",
    PAPERS: "民政·婚姻登记",
    HEATING: "民生·气代煤补贴",
    FOOD: "市场监管·食品安全",
}


@dataclass(frozen=True, slots=True)
class Office:
    """A unit and its clerk."""

    unit: Unit
    clerk: Actor

    @property
    def id(self) -> int:
        """The unit's id."""
        return self.unit.id


@dataclass(frozen=True, slots=True)
class Hengshui:
    """The units and people the stories need."""

    urban: Office  # 城管局
    civil: Office  # 民政局
    police: Office  # 公安局
    market: Office  # 市场监管局
    power: Office  # 电力公司
    taocheng: Office  # 桃城区 with its street
    street: Office
    jizhou: Office  # 冀州区
    zaoqiang: Office  # 枣强县 with its town
    town: Office
    lamp_line: ResponsibilityLine
    operator: Actor
    reviewer: Actor
    callback_officer: Actor
    supervisor: Actor


def hengshui(session: Session) -> Hengshui:
    """Build it."""
    hub = add_unit(session, code="HS", name="衡水市12345热线中心", parent=None)

    def office(code: str, name: str, parent: Unit = hub, area: str = "", **more: str) -> Office:
        unit = add_unit(session, code=code, name=name, parent=parent, area_code=area, **more)
        return Office(unit, people.actor(session, Role.U2 if parent is hub else Role.U3, unit=unit))

    for code, name in _CATEGORIES.items():
        add_category(session, code=code, name=name)
    urban = office("CGJ", "城管局", kind="department")
    taocheng, zaoqiang = office("TC", "桃城区政府", area="131102"), office("ZQ", "枣强县政府", area="131121")
    lamp_line = add_line(
        session,
        version="2026-1",
        code="L12",
        matter="城市道路照明维护",
        category_code=LAMPS,
        lead_unit=urban.unit,
        valid_from=date(2026, 1, 1),
        now=NOON,
    )
    return Hengshui(
        urban=urban,
        civil=office("MZJ", "民政局", kind="department"),
        police=office("GAJ", "公安局", kind="department"),
        market=office("SCJG", "市场监管局", kind="department"),
        power=office("DL", "电力公司", kind="utility"),
        taocheng=taocheng,
        street=office("TC02", "河东街道", parent=taocheng.unit, kind="township"),
        jizhou=office("JZ", "冀州区政府", area="131103"),
        zaoqiang=zaoqiang,
        town=office("ZQ02", "大营镇", parent=zaoqiang.unit, kind="township"),
        lamp_line=lamp_line,
        operator=people.actor(session, Role.OPR, name="话务员小李"),
        reviewer=people.actor(session, Role.REV, name="派单员小赵"),
        callback_officer=people.actor(session, Role.CBK, name="回访员小孙"),
        supervisor=people.actor(session, Role.SUP, name="督办员老周"),
    )
