"""Units and their tree, on their pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final

from flask import url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.accounts.service import Actor
from hotline.delivery.allowed import Allowed
from hotline.errors import Invalid
from hotline.imports.parts import Writing
from hotline.imports.tree import CHANNELS, KIND_WORDS, TIERS
from hotline.imports.uses import retire_unit, uses_of_unit
from hotline.units.keys import keys_of
from hotline.units.models import HUB_TIER, Unit
from hotline.web.city.kinds import Column, Filter, Kind, Look, Place, Values
from hotline.web.city.views import today
from hotline.web.context import runtime
from hotline.web.formats import mask_phone
from hotline.web.words import CHANGES, KEY_ACTS

TIER_WORDS: Final = {1: "热线中心", 2: "二级", 3: "三级"}
TREE_AT_MOST: Final = 500
CHANNEL_WORDS: Final = {value: word for word, value in CHANNELS.items()}


def unit_choices(session: Session, *, tiers: Sequence[int], none: str = "无") -> list[tuple[Any, str]]:
    """Return the units of these tiers by code, those out of use marked, for a select."""
    rows = session.scalars(select(Unit).where(Unit.tier.in_(tiers)).order_by(Unit.path))
    return [("", none), *((row.code, f"{row.name}{'' if row.active else '（停用）'}") for row in rows)]


@dataclass(slots=True)
class Branch:
    """One unit with what stands under it and how many can log in there."""

    unit: Unit
    people: int = 0
    below: list[Branch] = field(default_factory=list)


class Units(Kind[Unit]):
    """Units."""

    key = "units"
    word = "单位"
    icon = "diagram-3"
    note = "承办单位及其上下级；工单派给二级单位，再由它转给三级单位"
    empty = "先建热线中心，再建区县、部门和公用企业，最后建乡镇和科室；也可以一次导入。"
    subject = "unit"
    model = Unit
    order = (Unit.path,)
    searched = (Unit.name, Unit.code, Unit.area_code)
    search_hint = "名称、编号或区划代码，按 / 直接输入"
    columns = (
        Column("名称", lambda row: row.name),
        Column("编号", lambda row: row.code, fit=True),
        Column("级别", lambda row: TIER_WORDS[row.tier], fit=True),
        Column("上级", lambda row: row.parent.name if row.parent else ""),
        Column("区划", lambda row: row.area_code, fit=True),
        Column("通知方式", lambda row: CHANNEL_WORDS.get(row.channel, row.channel), fit=True),
        Column("值班电话", lambda row: mask_phone(row.duty_phone) if row.duty_phone else "", fit=True),
        Column("状态", lambda row: "启用" if row.active else "停用", fit=True),
    )
    filters = (
        Filter("tier2", "二级", lambda: Unit.tier == HUB_TIER + 1),
        Filter("tier3", "三级", lambda: Unit.tier == HUB_TIER + 2),
        Filter("silent", "没有人员", lambda: Unit.id.not_in(_staffed())),
        Filter("no-phone", "没有值班电话", lambda: Unit.duty_phone.is_(None)),
        Filter("off", "已停用", lambda: ~Unit.active),
    )
    looks: ClassVar = {
        "tier": Look("select", words={word: tier for word, tier in TIERS.items() if not word.isdigit()}),
        "parent": Look("select", lambda session: unit_choices(session, tiers=(1, 2), none="无（热线中心）")),
        "kind": Look("select", words=KIND_WORDS),
        "channel": Look("select", words=CHANNELS),
        "fallbacks": Look(words=CHANNELS, attrs={"placeholder": "短信、邮件"}),
        "webhook_url": Look("url", wide=True, attrs={"autocomplete": "off"}),
        "email": Look("email", attrs={"autocomplete": "off"}),
        "duty_phone": Look("tel", attrs={"autocomplete": "off"}),
    }
    frozen = ("tier",)
    secret = ("duty_phone",)
    list_template = "city/units.html"
    form_template = "city/unit.html"
    acts: ClassVar = CHANGES | KEY_ACTS

    def about(self, session: Session, row: Unit | None) -> dict[str, Any]:
        """Return the tree, none when it is too big to be taken in; of one unit the keys of its systems."""
        if row is not None:
            return {"keys": keys_of(session, row.id)}
        return {"tree": tree(session) if self.count(session) <= TREE_AT_MOST else []}

    def write(
        self, session: Session, before: dict[str, Any] | None, typed: Values, *, actor: Actor, now: datetime
    ) -> Writing:
        """Write what was typed; an address this site may not push to is refused."""
        url = str(typed.get("webhook_url", "")).strip()
        if url and (fault := Allowed.of(runtime().settings.webhook_allow).fault(url)):
            raise Invalid(fault, webhook_url=fault)
        return super().write(session, before, typed, actor=actor, now=now)

    def uses(self, session: Session, row: Unit) -> Sequence[Place]:
        """Return what refers to the unit."""
        pages = {
            "下级单位": url_for("office.city.units_listed", q=row.code),
            "人员": url_for("office.city.users_listed", q=row.code),
            "责任清单": url_for("office.city.responsibility_listed", q=row.code),
            "地名": url_for("office.city.gazetteer_listed", q=row.code),
        }
        return [Place(use, pages.get(use.where)) for use in uses_of_unit(session, row, on=today())]

    def retire(self, session: Session, row: Unit, *, actor: Actor, now: datetime) -> None:
        """Close it for new orders."""
        retire_unit(session, unit=row, actor=actor, now=now)


def _staffed() -> Any:
    return select(User.unit_id).where(User.active, User.unit_id.is_not(None))


def tree(session: Session) -> list[Branch]:
    """Return the units from the hub down, each level by code."""
    counts = session.execute(select(User.unit_id, func.count()).where(User.active).group_by(User.unit_id))
    people = {unit_id: number for unit_id, number in counts if unit_id is not None}
    branches = {
        unit.id: Branch(unit, people.get(unit.id, 0)) for unit in session.scalars(select(Unit).order_by(Unit.code))
    }
    tops: list[Branch] = []
    for branch in branches.values():
        above = branches.get(branch.unit.parent_id or 0)
        (above.below if above else tops).append(branch)
    return tops
