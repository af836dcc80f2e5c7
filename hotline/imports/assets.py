"""Numbered things of a city and who keeps them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from hotline.assets import service as assets
from hotline.assets.models import LEVEL_WORDS, Asset, Level
from hotline.assets.service import Keeper
from hotline.imports.parts import (
    Column,
    Fault,
    Kind,
    Masked,
    Parse,
    Table,
    Values,
    Writing,
    WrongValue,
    area,
    code,
    flag,
    telephone,
    text,
)
from hotline.units.models import Category, Unit

HIDDEN: Final = "**"
KEEPERS: Final = {f"keeper_{level.value}": level for level in Level}


def _keeper(raw: Any) -> str:
    """A keeper as ``姓名 单位 电话``; unit and telephone may be left out."""
    parts = re.split(r"[\s,，、]+", str(raw).strip())
    if parts[0].endswith(HIDDEN):
        return Masked(" ".join(parts))
    if len(parts) > 3:
        raise WrongValue("请写“姓名 单位 电话”，用空格隔开")
    number = telephone(parts[-1]) if len(parts) > 1 and re.match(r"[+\d]", parts[-1]) else ""
    if isinstance(number, Masked):
        raise WrongValue("号码遮住了，请填完整的号码")
    if re.match(r"[+\d]", parts[0]):
        raise WrongValue("请先写姓名")
    return " ".join([*(parts[:-1] if number else parts), *([number] if number else [])])


def masked_keeper(cell: str) -> str:
    """Return a keeper as a sheet taken away shows it: ``张** 冀州镇 ****``; it stands for the one that is there."""
    keeper = _read(cell)
    name = f"{keeper.name[:1]}{HIDDEN}"
    return " ".join(part for part in (name, keeper.unit, "****" if keeper.phone else "") if part)


def _degrees(most: float) -> Parse:
    def parse(raw: Any) -> float:
        try:
            found = float(str(raw).strip())
        except ValueError as fault:
            raise WrongValue("请写十进制度数，如 37.735097") from fault
        if not -most <= found <= most:
            raise WrongValue(f"应在 -{most:g} 到 {most:g} 之间")
        return found

    return parse


def told(keeper: Keeper | None) -> str:
    """Return a keeper as a cell shows it."""
    return " ".join(part for part in (keeper.name, keeper.unit, keeper.phone) if part) if keeper else ""


def _read(cell: str) -> Keeper:
    parts = cell.split(" ")
    number = parts.pop() if len(parts) > 1 and re.match(r"[+\d]", parts[-1]) else ""
    return Keeper(parts[0], number, parts[1] if len(parts) > 1 else "")


class AssetTable(Table):
    """Assets by code."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._units = {unit.code: unit for unit in session.scalars(select(Unit).where(Unit.active))}
        self._categories = set(session.scalars(select(Category.code).where(Category.active)))

    def key(self, values: Values) -> str:
        return str(values["code"])

    def present(self, rows: Sequence[Values]) -> Mapping[str, Values]:
        wanted = (
            select(Asset)
            .where(Asset.code.in_([values["code"] for values in rows]))
            .options(joinedload(Asset.unit), joinedload(Asset.below), selectinload(Asset.keepers))
        )
        found = {}
        for asset in self.session.scalars(wanted):
            keepers = assets.keepers_of(asset)
            state = {name: "" if value is None else value for name, value in assets.asset_state(asset).items()}
            cells = {name: told(keepers.get(level)) for name, level in KEEPERS.items()}
            found[asset.code] = {"code": asset.code, **state, **cells}
        return found

    def faults(self, values: Values, before: Values | None) -> Iterator[Fault]:
        unit, below = self._units.get(values["unit"]), self._units.get(values["below"])
        if unit is None or unit.tier != assets.TIER:
            yield Fault("unit", f"没有编号为 {values['unit']} 的二级单位，或已停用")
        elif values["below"] and (below is None or below.parent_id != unit.id):
            yield Fault("below", f"{values['below']} 不是{unit.name}下属的三级单位，或已停用")
        if values["category"] and values["category"] not in self._categories:
            yield Fault("category", f"没有编号为 {values['category']} 的分类")
        if (values["lat"] == "") != (values["lng"] == ""):
            yield Fault("lat", "经度和纬度要么都写，要么都不写")
        for name in KEEPERS:
            if isinstance(values[name], Masked):
                yield Fault(name, "号码遮住了，请填完整的号码")

    def resolved(self, values: Values) -> Values:
        """Return the row with keepers masked in a sheet taken away put back as they are."""
        hidden = [name for name in KEEPERS if isinstance(values.get(name), Masked)]
        if not hidden:
            return values
        held = self.present([values]).get(str(values["code"]), {})
        same = {name: held[name] for name in hidden if held.get(name) and masked_keeper(held[name]) == values[name]}
        return {**values, **same}

    def write(self, values: Values, before: Values | None, writing: Writing) -> None:
        fields = {name: values[name] for name in ("code", "name", "kind", "address", "area_code", "active")}
        assets.put_asset(
            self.session,
            actor=writing.actor,
            now=writing.now,
            **fields,
            unit=self._units[values["unit"]],
            below=self._units.get(values["below"]),
            lat=None if values["lat"] == "" else values["lat"],
            lng=None if values["lng"] == "" else values["lng"],
            category_code=values["category"],
            keepers={level: _read(values[name]) for name, level in KEEPERS.items() if values[name]},
        )


ASSETS: Final = Kind(
    name="assets",
    subject="asset",
    title="城市部件",
    help="有编号的井盖、路灯、坑塘等，和负责它的单位、各级责任人。来电人报出编号，就填好地点、分类和承办单位。",
    columns=(
        Column("code", "部件编号", "标在部件上的编号，不重复，40 个字以内", code(40), required=True),
        Column("name", "部件名称", "60 个字以内", text(60), required=True),
        Column("kind", "类型", "如 井盖、路灯、坑塘，城市自定", text(20), required=True),
        Column("address", "位置", "200 个字以内", text(200), required=True),
        Column("area_code", "行政区划代码", "6、9 或 12 位数字", area),
        Column("unit", "二级单位编号", "承办单位里已有的编号", code(), required=True),
        Column("below", "三级单位编号", "二级单位下属的单位；没有可不填", code()),
        Column("category", "分类编号", "问题分类里已有的编号", code()),
        Column("lat", "纬度", "WGS-84，如 37.735097", _degrees(90)),
        Column("lng", "经度", "WGS-84，如 115.67006", _degrees(180)),
        *(
            Column(name, f"{LEVEL_WORDS[level]}责任人", "姓名 单位 电话，用空格隔开", _keeper)
            for name, level in KEEPERS.items()
        ),
        Column("active", "启用", "是（默认）或否", flag, default=True),
    ),
    example={
        "code": "LD-12345678",
        "name": "德政大道3号路灯杆",
        "kind": "路灯",
        "address": "冀州区德政大道3号",
        "area_code": "131103",
        "unit": "HS-JZ",
        "below": "",
        "category": "CJ-LD",
        "lat": "37.551200",
        "lng": "115.579300",
        "keeper_city": "",
        "keeper_county": "王五 区城管局 19900003333",
        "keeper_town": "张三 冀州镇 19900001111",
        "keeper_village": "李四 19900002222",
        "active": "是",
    },
    begin=AssetTable,
)
