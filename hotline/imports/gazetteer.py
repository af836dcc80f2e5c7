"""Areas, roads and estates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from hotline.gazetteer import service as places
from hotline.gazetteer.models import PLACE_WORDS, Place
from hotline.gazetteer.queries import called
from hotline.imports.parts import (
    Column,
    Fault,
    Kind,
    Table,
    Todo,
    Values,
    Writing,
    area,
    choice,
    code,
    flag,
    items,
    text,
)
from hotline.units.models import Unit

KINDS: Final = {word: kind.value for kind, word in PLACE_WORDS.items()}


class PlaceTable(Table):
    """Places by county, kind and name: one name in two counties are two places."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        counties = session.scalars(select(Unit).where(Unit.tier == places.COUNTY_TIER, Unit.area_code != ""))
        self._counties = {unit.code: unit for unit in counties}
        self._by_area = {unit.area_code: unit for unit in self._counties.values()}

    def _county(self, written: str) -> Unit | None:
        return self._counties.get(written) or self._by_area.get(written)

    def key(self, values: Values) -> str:
        county = self._county(values["county"])
        return f"{county.code if county else values['county']}/{values['kind']}/{values['name']}"

    def name(self, values: Values) -> str:
        county = self._county(values["county"])
        return called(county.name if county else values["county"], values["kind"], values["name"])

    def present(self, rows: Sequence[Values]) -> Mapping[str, Values]:
        wanted = (
            select(Place)
            .where(Place.name.in_([values["name"] for values in rows]))
            .options(joinedload(Place.county), selectinload(Place.names))
        )
        written = {self.key(values): values["county"] for values in rows}
        found = {}
        for place in self.session.scalars(wanted):
            key = f"{place.county.code}/{place.kind}/{place.name}"
            county = written.get(key, place.county.code)  # code or area code: the same county either way
            found[key] = {"name": place.name, "kind": place.kind, "county": county, **places.state_of(place)}
        return found

    def faults(self, values: Values, before: Values | None) -> Iterator[Fault]:
        if self._county(values["county"]) is None:
            yield Fault("county", f"没有编号或行政区划代码为 {values['county']} 的县（市、区）")

    def prepare(self, todo: Sequence[Todo]) -> Sequence[places.ReadyPlace]:
        ready = []
        for values, before in todo:
            county = self._county(values["county"])
            assert county is not None, "faults() has looked"
            was = before and {name: before[name] for name in ("area_code", "aliases", "active")}
            ready.append(places.ready(**(values | {"county": county}), was=was))
        return ready

    def write_all(self, ready: Sequence[places.ReadyPlace], writing: Writing) -> None:
        places.put_places(self.session, actor=writing.actor, now=writing.now, places=ready)

    def write(self, values: Values, before: Values | None, writing: Writing) -> None:
        county = self._county(values["county"])
        assert county is not None, "faults() has looked"
        fields = {name: value for name, value in values.items() if name != "county"}
        places.put_place(self.session, actor=writing.actor, now=writing.now, county=county, **fields)


GAZETTEER: Final = Kind(
    name="gazetteer",
    subject="place",
    title="地名",
    help="来电人会说到的片区、道路和小区。两个县有同名的地方时各写一行，接电话时会请话务员选择。",
    columns=(
        Column("name", "地名", "2 到 12 个字最容易听出", text(40), required=True),
        Column("kind", "类型", "、".join(KINDS), choice(KINDS), required=True),
        Column("county", "所属县区", "单位编号，或 6 位行政区划代码", code(), required=True),
        Column("area_code", "行政区划代码", "到乡镇或村居；不填用县区的", area),
        Column("aliases", "别名", "多个用顿号隔开", items(40), default=[]),
        Column("active", "启用", "是（默认）或否", flag, default=True),
    ),
    example={
        "name": "德政大道",
        "kind": "道路",
        "county": "131103",
        "area_code": "",
        "aliases": "德政路",
        "active": "是",
    },
    begin=PlaceTable,
)
