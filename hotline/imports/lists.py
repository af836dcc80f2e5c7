"""Kinds of matter and the responsibility list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from hotline.imports.parts import Column, Fault, Kind, Table, Values, Writing, code, day, flag, text
from hotline.imports.uses import described, retiring_fault, uses_of_category, uses_of_line
from hotline.units import service as units
from hotline.units.models import Category, ResponsibilityLine, Unit

DEEPEST: Final = 4


class CategoryTable(Table):
    """Kinds of matter; the file is gone through once for each level of the tree."""

    turns = DEEPEST

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        rows = session.execute(select(Category.code, Category.parent_code)).all()
        self._parents: dict[str, str] = {row.code: row.parent_code for row in rows}
        self._there = set(self._parents)
        self._refused: dict[str, int] = {}

    def survey(self, rows: Iterable[tuple[int, Values]]) -> Mapping[int, Fault]:
        """Return the lines that go round in a circle or stand too deep."""
        lines: dict[str, int] = {}
        for line, values in rows:
            if values["code"] not in lines:
                lines[values["code"]] = line
                self._parents[values["code"]] = values.get("parent", self._parents.get(values["code"], ""))
        found = {}
        for name, line in lines.items():
            walked = self._walk(name)
            if walked[-1] in walked[:-1]:
                found[line] = Fault("parent", f"上级分类成环：{' → '.join(walked)}")
            elif len(walked) > DEEPEST:
                found[line] = Fault("parent", f"分类最多 {DEEPEST} 层")
        return found

    def _walk(self, name: str) -> list[str]:
        walked = [name]
        while (above := self._parents.get(walked[-1], "")) and len(walked) <= DEEPEST + 1:
            walked.append(above)
            if above in walked[:-1]:
                break
        return walked

    def turn(self, values: Values) -> int:
        return min(len(self._walk(values["code"])), DEEPEST)

    def key(self, values: Values) -> str:
        return str(values["code"])

    def present(self, rows: Sequence[Values]) -> Mapping[str, Values]:
        wanted = select(Category).where(Category.code.in_([values["code"] for values in rows]))
        return {one.code: {"code": one.code, **units.category_state(one)} for one in self.session.scalars(wanted)}

    def faults(self, values: Values, before: Values | None) -> Iterator[Fault]:
        parent = values["parent"]
        if parent in self._refused:
            yield Fault("parent", f"上级分类 {parent} 在第 {self._refused[parent]} 行被退回")
        elif parent and parent not in self._there:
            yield Fault("parent", f"没有编号为 {parent} 的分类")
        yield from retiring_fault(values, before, lambda: self._uses(values["code"]))

    def _uses(self, category_code: str) -> str:
        category = self.session.scalar(select(Category).where(Category.code == category_code))
        return described(uses_of_category(self.session, category)) if category else ""

    def taken(self, values: Values, line: int) -> None:
        self._there.add(values["code"])

    def refused(self, values: Values, line: int) -> None:
        if values["code"] not in self._there:
            self._refused[values["code"]] = line

    def write(self, values: Values, before: Values | None, writing: Writing) -> None:
        units.put_category(
            self.session,
            actor=writing.actor,
            now=writing.now,
            code=values["code"],
            name=values["name"],
            parent_code=values["parent"],
            active=values["active"],
        )


class LineTable(Table):
    """Lines of the responsibility list by version and code. One that is there never changes, but goes out of use."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        rows = session.execute(select(Unit.code, Unit.id).where(Unit.active)).all()
        self._units = {row.code: row.id for row in rows}
        self._codes = {row.id: row.code for row in session.execute(select(Unit.code, Unit.id))}
        self._categories = set(session.scalars(select(Category.code)))
        begun = select(ResponsibilityLine.version, ResponsibilityLine.valid_from).distinct()
        self._since = {row.version: row.valid_from for row in session.execute(begun)}

    def key(self, values: Values) -> str:
        return f"{values['version']}/{values['code']}"

    def present(self, rows: Sequence[Values]) -> Mapping[str, Values]:
        keys = [(values["version"], values["code"]) for values in rows]
        wanted = select(ResponsibilityLine).where(tuple_(ResponsibilityLine.version, ResponsibilityLine.code).in_(keys))
        return {
            f"{line.version}/{line.code}": {
                "version": line.version,
                "code": line.code,
                "matter": line.matter,
                "category": line.category_code,
                "lead": self._codes.get(line.lead_unit_id or 0, ""),
                "valid_from": line.valid_from,
                "basis": line.basis,
                "active": line.active,
            }
            for line in self.session.scalars(wanted)
        }

    def faults(self, values: Values, before: Values | None) -> Iterator[Fault]:
        if before is not None and before | {"active": values["active"]} != values:
            yield Fault("version", f"{values['version']} 版已有这一条，已发布的不能改；请用新版本号")
            return
        yield from retiring_fault(values, before, lambda: self._uses(values["version"], values["code"]))
        if before is not None and before["active"] >= values["active"]:
            return
        if values["category"] not in self._categories:
            yield Fault("category", f"没有编号为 {values['category']} 的分类")
        if values["lead"] and values["lead"] not in self._units:
            yield Fault("lead", f"没有编号为 {values['lead']} 的单位，或已停用")
        since = self._since.get(values["version"])
        if since not in {None, values["valid_from"]}:
            yield Fault("valid_from", f"{values['version']} 版自 {since} 起施行，同一版应当一致")

    def _line(self, version: str, name: str) -> ResponsibilityLine:
        wanted = select(ResponsibilityLine).where(
            ResponsibilityLine.version == version, ResponsibilityLine.code == name
        )
        return self.session.scalars(wanted).one()

    def _uses(self, version: str, name: str) -> str:
        return described(uses_of_line(self.session, self._line(version, name)))

    def taken(self, values: Values, line: int) -> None:
        self._since.setdefault(values["version"], values["valid_from"])

    def write(self, values: Values, before: Values | None, writing: Writing) -> None:
        if before is not None:
            line = self._line(values["version"], values["code"])
            units.switch_line(self.session, actor=writing.actor, now=writing.now, line=line, active=values["active"])
            return
        units.put_line(
            self.session,
            actor=writing.actor,
            now=writing.now,
            version=values["version"],
            code=values["code"],
            matter=values["matter"],
            category_code=values["category"],
            lead_unit=self.session.get_one(Unit, self._units[values["lead"]]) if values["lead"] else None,
            valid_from=values["valid_from"],
            basis=values["basis"],
            active=values["active"],
        )


CATEGORIES: Final = Kind(
    name="categories",
    subject="category",
    title="问题分类",
    help=f"城市自己的分类表，最多 {DEEPEST} 层。行的先后不限。",
    columns=(
        Column("code", "分类编号", "不重复，20 个字以内", code(), required=True),
        Column("name", "分类名称", "60 个字以内", text(60), required=True),
        Column("parent", "上级分类编号", "一级分类不填", code()),
        Column("active", "启用", "是（默认）或否", flag, default=True),
    ),
    example={"code": "CJ-LD", "name": "路灯照明", "parent": "CJ", "active": "是"},
    begin=CategoryTable,
)
RESPONSIBILITY: Final = Kind(
    name="responsibility",
    subject="responsibility_line",
    title="责任清单",
    help="每一版写全；新版本自施行日起代替旧版本。已有的条目不能改，只能停用或再启用。",
    columns=(
        Column("version", "版本", "如 2026-1", code(), required=True),
        Column("code", "条目编号", "同一版内不重复", code(), required=True),
        Column("matter", "事项", "100 个字以内", text(100), required=True),
        Column("category", "分类编号", "问题分类里已有的编号", code(), required=True),
        Column("lead", "主办单位编号", "不填：事发地政府", code()),
        Column("valid_from", "施行日期", "2026-01-01", day, required=True),
        Column("basis", "依据", "1000 个字以内", text(1000, lines=True)),
        Column("active", "启用", "是（默认）或否", flag, default=True),
    ),
    example={
        "version": "2026-2",
        "code": "L02",
        "matter": "主城区道路路灯的维修",
        "category": "CJ-LD",
        "lead": "HS-CGJ",
        "valid_from": "2026-07-01",
        "basis": "市政照明由市城管局主管",
        "active": "是",
    },
    begin=LineTable,
)
