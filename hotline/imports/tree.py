"""The tree of units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.imports.parts import (
    Column,
    Fault,
    Kind,
    Masked,
    Table,
    Values,
    Writing,
    area,
    choice,
    choices,
    code,
    flag,
    telephone,
    text,
)
from hotline.imports.uses import described, retiring_fault, uses_of_unit
from hotline.units import reach
from hotline.units import service as units
from hotline.units.models import HUB_TIER, Unit

TIERS: Final = {"热线中心": 1, "二级": 2, "三级": 3, "1": 1, "2": 2, "3": 3}
KIND_WORDS: Final = {
    "热线中心": "hub",
    "政府": "government",
    "部门": "department",
    "公用企业": "utility",
    "乡镇街道": "township",
    "站所": "office",
}
CHANNELS: Final = {"平台": "portal", "短信": "sms", "系统接口": "webhook", "邮件": "email"}
URL_AT_MOST: Final = 500
MAIL_AT_MOST: Final = 254


class UnitTable(Table):
    """Goes through the file once a tier, so that a parent is decided before what stands under it."""

    turns = units.LOWEST_TIER

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        rows = session.execute(select(Unit.code, Unit.tier, Unit.parent_id, Unit.id)).all()
        codes = {row.id: row.code for row in rows}
        self._tiers: dict[str, int] = {row.code: row.tier for row in rows}
        self._parents: dict[str, str] = {row.code: codes.get(row.parent_id, "") for row in rows}
        self._hub = next((row.code for row in rows if row.tier == HUB_TIER), "")
        self._refused: dict[str, int] = {}

    def turn(self, values: Values) -> int:
        return int(values["tier"])

    def survey(self, rows: Iterable[tuple[int, Values]]) -> Mapping[int, Fault]:
        """Return the lines whose units go round in a circle."""
        parents = dict(self._parents)
        lines: dict[str, int] = {}
        for line, values in rows:
            if values["code"] not in lines:
                lines[values["code"]] = line
                parents[values["code"]] = values.get("parent", "")
        found: dict[int, Fault] = {}
        decided: set[str] = set()
        for start in lines:
            walked: list[str] = []
            at = start
            while at and at in parents and at not in decided and at not in walked:
                walked.append(at)
                at = parents[at]
            if at in walked:
                circle = walked[walked.index(at) :]
                told = " → ".join([*circle, at])
                found |= {lines[one]: Fault("parent", f"上级单位成环：{told}") for one in circle if one in lines}
            decided.update(walked)
        return found

    def key(self, values: Values) -> str:
        return str(values["code"])

    def present(self, rows: Sequence[Values]) -> Mapping[str, Values]:
        wanted = select(Unit).where(Unit.code.in_([values["code"] for values in rows]))
        return {
            unit.code: {"code": unit.code, "tier": unit.tier, **units.unit_state(unit)}
            for unit in self.session.scalars(wanted)
        }

    def faults(self, values: Values, before: Values | None) -> Iterator[Fault]:
        tier, parent = values["tier"], values["parent"]
        if before is not None and before["tier"] != tier:
            yield Fault("tier", f"现为{_word(before['tier'])}单位，层级不能改")
        elif tier == HUB_TIER:
            if parent:
                yield Fault("parent", "热线中心没有上级单位")
            elif self._hub not in {"", values["code"]}:
                yield Fault("tier", f"热线中心只有一个，现为 {self._hub}")
        elif not parent:
            yield Fault("parent", "请填写上级单位编号")
        elif parent in self._refused:
            yield Fault("parent", f"上级单位 {parent} 在第 {self._refused[parent]} 行被退回")
        elif parent not in self._tiers:
            yield Fault("parent", f"没有编号为 {parent} 的单位")
        elif self._tiers[parent] != tier - 1:
            yield Fault("tier", f"上级单位 {parent} 是{_word(self._tiers[parent])}，本单位不能是{_word(tier)}")
        if isinstance(values["duty_phone"], Masked):
            yield Fault("duty_phone", "号码遮住了，也不是现在的号码；请填完整的号码")
        for field, reason in reach.faults(values["channel"], values["fallbacks"], values):
            yield Fault(field, reason)
        yield from retiring_fault(values, before, lambda: self._uses(values["code"]))

    def _uses(self, unit_code: str) -> str:
        unit = self.session.scalar(select(Unit).where(Unit.code == unit_code))
        return described(uses_of_unit(self.session, unit)) if unit else ""

    def taken(self, values: Values, line: int) -> None:
        self._tiers[values["code"]] = values["tier"]
        if values["tier"] == HUB_TIER:
            self._hub = values["code"]

    def refused(self, values: Values, line: int) -> None:
        if values["code"] not in self._tiers:
            self._refused[values["code"]] = line

    def write(self, values: Values, before: Values | None, writing: Writing) -> None:
        parent = self.session.scalar(select(Unit).where(Unit.code == values["parent"])) if values["parent"] else None
        fields = {name: value for name, value in values.items() if name not in {"tier", "parent"}}
        units.put_unit(self.session, actor=writing.actor, now=writing.now, parent=parent, **fields)


def _word(tier: int) -> str:
    return next(word for word, number in TIERS.items() if number == tier)


UNITS: Final = Kind(
    name="units",
    subject="unit",
    title="承办单位",
    help="热线中心、二级单位（县市区、部门、公用企业）和三级单位（乡镇街道、站所）。行的先后不限。",
    columns=(
        Column("code", "单位编号", "城市自定，不重复，20 个字以内", code(), required=True),
        Column("name", "单位名称", "60 个字以内", text(60), required=True),
        Column("tier", "层级", "热线中心、二级或三级", choice(TIERS), required=True),
        Column("parent", "上级单位编号", "热线中心不填；其他单位必填", code()),
        Column("kind", "类型", "、".join(KIND_WORDS), choice(KIND_WORDS), default="government"),
        Column("area_code", "行政区划代码", "6、9 或 12 位数字；部门可不填", area),
        Column("channel", "推送方式", "、".join(CHANNELS) + "；默认平台", choice(CHANNELS), default="portal"),
        Column("fallbacks", "备用方式", "送不到时依次改用，用顿号隔开；平台总会收到", choices(CHANNELS), default=[]),
        Column("duty_phone", "值班电话", "用短信推送时必填", telephone),
        Column("email", "邮箱", "用邮件推送时必填", text(MAIL_AT_MOST)),
        Column("webhook_url", "推送地址", "用系统接口推送时必填，以 https:// 开头", text(URL_AT_MOST)),
        Column("active", "启用", "是（默认）或否", flag, default=True),
    ),
    example={
        "code": "HS-JZ-01",
        "name": "冀州区冀州镇",
        "tier": "三级",
        "parent": "HS-JZ",
        "kind": "乡镇街道",
        "area_code": "131103001",
        "channel": "平台",
        "fallbacks": "短信",
        "duty_phone": "19900000001",
        "active": "是",
    },
    begin=UnitTable,
)
