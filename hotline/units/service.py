"""Verbs on units, the responsibility list and the kinds of matter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts.service import Actor
from hotline.errors import Invalid
from hotline.units import reach
from hotline.units.models import HUB_TIER, PORTAL, Category, ResponsibilityLine, Unit

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
    channel: str = PORTAL,
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


# ---- what a city sets up: add or change, with who, when, before and after


def put_unit(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    code: str,
    name: str,
    parent: Unit | None,
    kind: str,
    area_code: str = "",
    duty_phone: str = "",
    channel: str = PORTAL,
    fallbacks: Sequence[str] = (),
    webhook_url: str = "",
    email: str = "",
    active: bool = True,
) -> Unit:
    """Add a unit or change the one of this code; leaves an audit row where something changed.

    Moved under another parent of the same tier it takes all below along. Raises ``Invalid`` as ``add_unit`` does,
    for a parent that is the unit itself, stands under it, or would change its tier, and for a channel whose address
    is missing or none.
    """
    held = {"duty_phone": duty_phone, "webhook_url": webhook_url, "email": email}
    if faults := dict(reach.faults(channel, fallbacks, held)):
        raise Invalid("；".join(faults.values()), **faults)
    unit = session.scalar(select(Unit).where(Unit.code == code))
    before = unit_state(unit) if unit else None
    if unit is None:
        unit = add_unit(session, code=code, name=name, parent=parent, kind=kind)
    elif not name.strip():
        raise Invalid("请填写单位名称", name="请填写单位名称")
    elif unit.parent_id != (parent.id if parent else None):
        _move(session, unit, parent)
    unit.name, unit.kind, unit.area_code, unit.channel = name, kind, area_code, channel
    unit.duty_phone, unit.active = duty_phone or None, active
    unit.fallbacks, unit.webhook_url, unit.email = list(fallbacks), webhook_url, email
    audit.changed(
        session,
        at=now,
        user_id=actor.user_id,
        subject="unit",
        subject_id=code,
        before=before,
        after=unit_state(unit),
        hidden=("duty_phone",),
    )
    session.flush()
    return unit


def _move(session: Session, unit: Unit, parent: Unit | None) -> None:
    if parent is None or parent.tier + 1 != unit.tier or f"/{unit.id}/" in parent.path:
        raise Invalid("上级单位应比本单位高一级，且不在其下", parent="上级单位应比本单位高一级，且不在其下")
    session.flush()
    old, unit.parent = unit.path, parent
    below = session.scalars(select(Unit).where(Unit.path.startswith(old, autoescape=True))).all()
    for one in below:
        one.path = f"{parent.path}{unit.id}/{one.path.removeprefix(old)}"


def unit_state(unit: Unit) -> dict[str, Any]:
    """Return what of a unit a person can change."""
    return {
        "name": unit.name,
        "kind": unit.kind,
        "parent": unit.parent.code if unit.parent else "",
        "area_code": unit.area_code,
        "duty_phone": unit.duty_phone or "",
        "channel": unit.channel,
        "fallbacks": list(unit.fallbacks),
        "webhook_url": unit.webhook_url,
        "email": unit.email,
        "active": unit.active,
    }


def put_category(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    code: str,
    name: str,
    parent_code: str = "",
    active: bool = True,
) -> Category:
    """Add a kind of matter or change the one of this code; leaves an audit row where something changed.

    Raises ``Invalid`` for an empty name, an unknown parent, or a parent that stands under it.
    """
    if not name.strip():
        raise Invalid("请填写分类名称", name="请填写分类名称")
    category = session.scalar(select(Category).where(Category.code == code))
    before = category_state(category) if category else None
    above, seen = parent_code, {code}
    while above:
        if above in seen:
            raise Invalid("上级分类成环", parent_code="上级分类成环")
        seen.add(above)
        found = session.scalar(select(Category).where(Category.code == above))
        if found is None:
            raise Invalid(f"没有上级分类 {above}", parent_code=f"没有上级分类 {above}")
        above = found.parent_code
    if category is None:
        category = Category(code=code)
        session.add(category)
    category.name, category.parent_code, category.active = name, parent_code, active
    audit.changed(
        session,
        at=now,
        user_id=actor.user_id,
        subject="category",
        subject_id=code,
        before=before,
        after=category_state(category),
    )
    session.flush()
    return category


def category_state(category: Category) -> dict[str, Any]:
    """Return what of a kind of matter a person can change."""
    return {"name": category.name, "parent": category.parent_code, "active": category.active}


def put_line(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    version: str,
    code: str,
    matter: str,
    category_code: str,
    lead_unit: Unit | None,
    valid_from: date,
    basis: str = "",
    active: bool = True,
) -> ResponsibilityLine:
    """Add a line of a version of the responsibility list, with its audit row. Lines never change: what changes comes
    with a new version. Raises ``Invalid`` for one that is there already."""
    line = add_line(
        session,
        version=version,
        code=code,
        matter=matter,
        category_code=category_code,
        lead_unit=lead_unit,
        valid_from=valid_from,
        basis=basis,
        now=now,
    )
    line.active = active
    after = {
        "matter": matter,
        "category": category_code,
        "lead": lead_unit.code if lead_unit else "",
        "valid_from": valid_from,
        "basis": basis,
        "active": active,
    }
    audit.changed(
        session,
        at=now,
        user_id=actor.user_id,
        subject="responsibility_line",
        subject_id=f"{version}/{code}",
        before=None,
        after=after,
    )
    return line


def switch_line(session: Session, *, actor: Actor, now: datetime, line: ResponsibilityLine, active: bool) -> None:
    """Put a line into use or out of it, with its audit row; the line itself stays as it was published."""
    before = {"active": line.active}
    line.active = active
    audit.changed(
        session,
        at=now,
        user_id=actor.user_id,
        subject="responsibility_line",
        subject_id=f"{line.version}/{line.code}",
        before=before,
        after={"active": active},
    )
    session.flush()
