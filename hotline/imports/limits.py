"""Deadline profiles, the city's own days, and the words of messages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import select

from hotline.calendars import service as calendars
from hotline.calendars.models import CityDay
from hotline.delivery import templates
from hotline.imports.parts import (
    Column,
    Fault,
    Kind,
    Parse,
    Table,
    Values,
    Writing,
    WrongValue,
    choice,
    code,
    day,
    digits,
    flag,
    structure,
    text,
)
from hotline.imports.uses import described, retiring_fault, uses_of_profile
from hotline.work_orders import rules
from hotline.work_orders.bounds import BOUND_WORDS, RANGES, range_words
from hotline.work_orders.limits import DEFAULT_PROFILE, FURTHER_STEPS, STEPS, profile_named
from hotline.work_orders.models import DeadlineProfile

RULES: Final = ("handle", "steps", "redo")


_USUAL: Final = asdict(profile_named(DEFAULT_PROFILE).bounds)


def _rules(values: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: values[name] for name in RULES if values[name] not in ("", None)}
    bounds = {name: values[name] for name in RANGES if values[name] not in ("", None)}
    return found | ({"bounds": bounds} if bounds else {})


def rule_cells(rules: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rules of a profile by column: each bound has one of its own."""
    bounds = rules.get("bounds", {})
    return {name: rules.get(name, "") for name in RULES} | {name: bounds.get(name, "") for name in RANGES}


def _bound(name: str) -> Parse:
    def parse(raw: Any) -> int:
        found = digits(raw)
        if not re.fullmatch(r"[0-9]{1,4}", found) or int(found) not in RANGES[name]:
            raise WrongValue(range_words(name))
        return int(found)

    return parse


class ProfileTable(Table):
    """Deadline profiles by name."""

    def key(self, values: Values) -> str:
        return str(values["name"])

    def present(self, rows: Sequence[Values]) -> Mapping[str, Values]:
        wanted = select(DeadlineProfile).where(DeadlineProfile.name.in_([values["name"] for values in rows]))
        return {
            one.name: {
                "name": one.name,
                "title": one.title,
                "active_from": one.active_from,
                "active": one.active,
                **rule_cells(one.rules),
            }
            for one in self.session.scalars(wanted)
        }

    def faults(self, values: Values, before: Values | None) -> Iterator[Fault]:
        found = rules.fault_of(self.session, name=values["name"], title=values["title"], rules=_rules(values))
        if found:
            yield Fault(*found)
        yield from retiring_fault(values, before, lambda: self._uses(values["name"]))

    def _uses(self, name: str) -> str:
        profile = self.session.get(DeadlineProfile, name)
        return described(uses_of_profile(self.session, profile)) if profile else ""

    def write(self, values: Values, before: Values | None, writing: Writing) -> None:
        rules.put_profile(
            self.session,
            actor=writing.actor,
            now=writing.now,
            name=values["name"],
            title=values["title"],
            active_from=values["active_from"],
            rules=_rules(values),
            active=values["active"],
        )


class CalendarTable(Table):
    """The city's own days by date."""

    def key(self, values: Values) -> str:
        return str(values["day"].isoformat())

    def present(self, rows: Sequence[Values]) -> Mapping[str, Values]:
        wanted = select(CityDay).where(CityDay.day.in_([values["day"] for values in rows]))
        return {
            one.day.isoformat(): {"day": one.day, "working": one.working, "name": one.name}
            for one in self.session.scalars(wanted)
        }

    def write(self, values: Values, before: Values | None, writing: Writing) -> None:
        calendars.put_day(self.session, user_id=writing.actor.user_id, now=writing.now, **values)


class TextTable(Table):
    """Words of messages by template."""

    def key(self, values: Values) -> str:
        return str(values["name"])

    def present(self, rows: Sequence[Values]) -> Mapping[str, Values]:
        names = {values["name"] for values in rows} & set(templates.TEMPLATES)
        return {name: {"name": name, "text": templates.text_of(self.session, name)} for name in names}

    def faults(self, values: Values, before: Values | None) -> Iterator[Fault]:
        if fault := templates.fault_of(values["name"], values["text"]):
            yield Fault("text" if values["name"] in templates.TEMPLATES else "name", fault)

    def write(self, values: Values, before: Values | None, writing: Writing) -> None:
        templates.put_text(self.session, user_id=writing.actor.user_id, now=writing.now, **values)


PROFILES: Final = Kind(
    name="profiles",
    subject="deadline_profile",
    title="时限方案",
    help="JSON 文件，一个方案一个对象；启用自带方案时只写代号、名称和启用日期。已受理的工单仍用原方案。",
    columns=(
        Column("name", "方案代号", "如 our-city-2027", code(40), required=True),
        Column("title", "方案名称", "60 个字以内", text(60), required=True),
        Column("active_from", "启用日期", "自这一天起受理的工单使用", day, required=True),
        Column("handle", "办理时限", "JSON 列表，第一条符合的生效", structure),
        Column(
            "steps",
            "各步时限",
            f"JSON：{'、'.join(STEPS)}，可加 {'、'.join(FURTHER_STEPS)}",
            structure,
        ),
        Column("redo", "重办", '{"half": true, "most": 2}', structure),
        *(
            Column(name, BOUND_WORDS[name], f"{allowed[0]} 到 {allowed[-1]}，不填为 {_USUAL[name]}", _bound(name))
            for name, allowed in RANGES.items()
        ),
        Column("active", "启用", "是（默认）或否", flag, default=True),
    ),
    example={
        "name": "our-city-2027",
        "title": "本市时限",
        "active_from": "2027-01-01",
        "handle": '[{"types": ["consult"], "limit": {"working_days": 1}}, {"limit": {"working_days": 5}}]',
        "steps": '{"dispatch": [], "sign": [{"limit": {"working_days": 1}}], "check": [], "call_back": []}',
        "redo": '{"half": true, "most": 2}',
        "blue_percent": "70",
        "extensions": "1",
        "active": "是",
    },
    begin=ProfileTable,
)
CALENDAR: Final = Kind(
    name="calendar",
    subject="city_day",
    title="工作日历",
    help="公共日历之外本市自己的工作日和休息日。已给出的时限不会缩短。",
    columns=(
        Column("day", "日期", "2026-11-21", day, required=True),
        Column("working", "上班", "上班或休息", choice({"上班": True, "休息": False}), required=True),
        Column("name", "说明", "20 个字以内", text(20), required=True),
    ),
    example={"day": "2027-02-05", "working": "休息", "name": "春节"},
    begin=CalendarTable,
)
TEXTS: Final = Kind(
    name="texts",
    subject="message_text",
    title="短信内容",
    help="只能使用该模板已有的占位符；不写来电内容和个人信息。签名由系统加上。",
    columns=(
        Column("name", "模板", "、".join(templates.TEMPLATES), text(40), required=True),
        Column("text", "内容", "占位符写成 {order_no}", text(300), required=True),
    ),
    example={"name": "accepted", "text": "您好，您的诉求已受理，工单编号{order_no}。"},
    begin=TextTable,
)
