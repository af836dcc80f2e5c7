"""Numbers people dial."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select

from hotline.calls import numbers
from hotline.calls.models import DialledNumber
from hotline.imports.parts import (
    Column,
    Fault,
    Kind,
    Table,
    Values,
    Writing,
    WrongValue,
    code,
    digits,
    flag,
    hours,
    items,
    text,
)
from hotline.imports.uses import described, retiring_fault, uses_of_number


def short_number(raw: Any) -> str:
    """A dialled number: digits, perhaps a plus; 12345 also answers to +8612345."""
    found = re.sub(r"[\s-]", "", digits(raw))
    if found and not re.fullmatch(r"\+?[0-9]{3,19}", found):
        raise WrongValue("不是电话号码")
    return found


class NumberTable(Table):
    """Dialled numbers by number."""

    def key(self, values: Values) -> str:
        return str(values["number"])

    def present(self, rows: Sequence[Values]) -> Mapping[str, Values]:
        wanted = select(DialledNumber).where(DialledNumber.number.in_([values["number"] for values in rows]))
        return {one.number: {"number": one.number, **numbers.state_of(one)} for one in self.session.scalars(wanted)}

    def faults(self, values: Values, before: Values | None) -> Iterator[Fault]:
        if values["hours"] and not values["closed"]:
            yield Fault("closed", "有服务时间的号码请填写非服务时间的提示语")
        yield from retiring_fault(values, before, lambda: self._uses(values["number"]))

    def _uses(self, number: str) -> str:
        line = self.session.scalar(select(DialledNumber).where(DialledNumber.number == number))
        return described(uses_of_number(self.session, line)) if line else ""

    def write(self, values: Values, before: Values | None, writing: Writing) -> None:
        numbers.put_number(self.session, actor=writing.actor, now=writing.now, **values)


NUMBERS: Final = Kind(
    name="numbers",
    subject="dialled_number",
    title="热线号码",
    help="所有号码进同一个队列，各有各的问候语。问候语里要有录音告知。",
    columns=(
        Column("number", "号码", "如 12345、961890", short_number, required=True),
        Column("name", "名称", "60 个字以内", text(60), required=True),
        Column("greeting", "问候语", "先念出来的话，含录音告知", text(300, lines=True), required=True),
        Column("hours", "服务时间", "如 08:30-12:00、14:00-17:30；不填为全天", hours, default=[]),
        Column("closed", "非服务时间提示语", "有服务时间时必填", text(300, lines=True)),
        Column("skill", "技能组", "不填：所有话务员", code(40)),
        Column("subjects", "知识主题", "优先提示哪些知识分类，多个用顿号隔开", items(60), default=[]),
        Column("active", "启用", "是（默认）或否", flag, default=True),
    ),
    example={
        "number": "961890",
        "name": "961890便民服务热线",
        "greeting": "您好，这里是便民服务热线，为了保证服务质量，您的通话将被录音。",
        "hours": "08:30-12:00、14:00-17:30",
        "closed": "现在是非服务时间，请拨打12345。",
        "skill": "",
        "subjects": "",
        "active": "是",
    },
    begin=NumberTable,
)
