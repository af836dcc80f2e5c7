"""Verbs on units, the responsibility list and the kinds of matter."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.errors import Invalid
from hotline.units.models import HUB_TIER, Category, ResponsibilityLine, Unit

LOWEST_TIER = 3


def add_unit(
    session: Session,
    *,
    code: str,
    name: str,
    parent: Unit | None,
    kind: str = "government",
    area_code: str = "",
    duty_phone: str | None = None,
    channel: str = "portal",
) -> Unit:
    """Add a unit under ``parent`` (None: the hub itself); tier and path follow from where it stands.

    Raises ``Invalid`` for a taken or empty code, an empty name, a second hub, or a place below tier 3.
    """
    tier = parent.tier + 1 if parent else HUB_TIER
    faults: dict[str, object] = {}
    if not code.strip():
        faults["code"] = "请填写单位编号"
    elif session.scalar(select(Unit.id).where(Unit.code == code)):
        faults["code"] = f"单位编号 {code} 已有"
    if not name.strip():
        faults["name"] = "请填写单位名称"
    if parent is None and session.scalar(select(Unit.id).where(Unit.tier == HUB_TIER)):
        faults["parent"] = "热线中心只有一个，请选择上级单位"
    if tier > LOWEST_TIER:
        faults["parent"] = "三级单位之下不再设承办单位"
    if faults:
        raise Invalid("；".join(str(fault) for fault in faults.values()), **faults)
    unit = Unit(
        code=code,
        name=name,
        tier=tier,
        kind=kind,
        parent=parent,
        area_code=area_code,
        duty_phone=duty_phone,
        channel=channel,
    )
    session.add(unit)
    session.flush()  # the path needs the id
    unit.path = f"{parent.path if parent else '/'}{unit.id}/"
    session.flush()
    return unit


def set_active(session: Session, *, unit: Unit, active: bool) -> None:
    """Open or close a unit for new orders; those it holds stay with it."""
    unit.active = active
    session.flush()


def add_line(
    session: Session,
    *,
    version: str,
    code: str,
    matter: str,
    category_code: str,
    lead_unit: Unit | None,
    valid_from: date,
    now: datetime,
    basis: str = "",
) -> ResponsibilityLine:
    """Add one line of the responsibility list. ``lead_unit`` None: the government of the place leads."""
    if session.scalar(
        select(ResponsibilityLine.id).where(ResponsibilityLine.version == version, ResponsibilityLine.code == code)
    ):
        raise Invalid(f"责任清单 {version} 已有 {code}", code=f"责任清单 {version} 已有 {code}")
    line = ResponsibilityLine(
        version=version,
        code=code,
        matter=matter,
        category_code=category_code,
        lead_unit_id=lead_unit.id if lead_unit else None,
        basis=basis,
        valid_from=valid_from,
        created_at=now,
    )
    session.add(line)
    session.flush()
    return line


def add_category(session: Session, *, code: str, name: str, parent_code: str = "") -> Category:
    """Add a kind of matter to the city's code list; raises ``Invalid`` for a taken code or an unknown parent."""
    if session.scalar(select(Category.id).where(Category.code == code)):
        raise Invalid(f"问题分类 {code} 已有", code=f"问题分类 {code} 已有")
    if parent_code and not session.scalar(select(Category.id).where(Category.code == parent_code)):
        raise Invalid(f"没有上级分类 {parent_code}", parent_code=f"没有上级分类 {parent_code}")
    category = Category(code=code, name=name, parent_code=parent_code)
    session.add(category)
    session.flush()
    return category
