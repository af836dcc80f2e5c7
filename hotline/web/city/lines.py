"""Numbers people dial, and deadline profiles, on their pages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, ClassVar, Final

from flask import request
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.calls.models import DialledNumber
from hotline.errors import Invalid
from hotline.imports.limits import rule_cells
from hotline.imports.uses import retire_number, retire_profile, uses_of_number, uses_of_profile
from hotline.web.city.kinds import Column, Filter, Kind, Look, Place, Values
from hotline.web.city.views import today
from hotline.web.context import runtime
from hotline.web.formats import date_words
from hotline.web.moments import moment_of
from hotline.web.words import URGENCY
from hotline.work_orders import clock, limits, rules
from hotline.work_orders.bounds import BOUND_WORDS, RANGES
from hotline.work_orders.models import DeadlineProfile
from hotline.work_orders.words import DEMAND_WORDS, URGENCY_WORDS

ALWAYS: Final = "全天"


class Numbers(Kind[DialledNumber]):
    """Dialled numbers."""

    key = "numbers"
    word = "热线号码"
    icon = "telephone-inbound"
    note = "市民拨打的号码；各有问候语、服务时间和技能组，进同一个队列"
    empty = "先建 12345：写好问候语和录音告知。"
    subject = "dialled_number"
    model = DialledNumber
    order = (DialledNumber.number,)
    searched = (DialledNumber.number, DialledNumber.name, DialledNumber.skill)
    search_hint = "号码、名称或技能组，按 / 直接输入"
    columns = (
        Column("名称", lambda row: row.name),
        Column("号码", lambda row: row.number, fit=True),
        Column("服务时间", lambda row: "、".join(row.hours) or ALWAYS, fit=True),
        Column("技能组", lambda row: row.skill or "所有话务员", fit=True),
        Column("问候语", lambda row: row.greeting),
        Column("状态", lambda row: "启用" if row.active else "停用", fit=True),
    )
    filters = (
        Filter("on", "启用", lambda: DialledNumber.active.is_(True)),
        Filter("off", "已停用", lambda: ~DialledNumber.active),
    )
    looks: ClassVar = {
        "greeting": Look("textarea", wide=True),
        "closed": Look("textarea", wide=True),
    }
    fixed = ("number",)

    def subject_id(self, row: DialledNumber) -> str:
        """Return the number."""
        return row.number

    def uses(self, session: Session, row: DialledNumber) -> Sequence[Place]:
        """Return the calls that go on over it."""
        return [Place(use) for use in uses_of_number(session, row)]

    def retire(self, session: Session, row: DialledNumber, *, actor: Actor, now: datetime) -> None:
        """Serve it like one nobody set up."""
        retire_number(session, line=row, actor=actor, now=now)


class Profiles(Kind[DeadlineProfile]):
    """Deadline profiles: those a city put into force, and what each makes of a demand."""

    key = "profiles"
    word = "时限方案"
    icon = "clock"
    note = "新受理的工单按启用的方案算时限；已受理的仍用原方案"
    empty = "现在用自带的河北默认时限；要换方案，新增一行写它的代号和启用日期。"
    subject = "deadline_profile"
    model = DeadlineProfile
    order = (DeadlineProfile.active_from.desc(), DeadlineProfile.name)
    searched = (DeadlineProfile.name, DeadlineProfile.title)
    search_hint = "方案代号或名称，按 / 直接输入"
    columns = (
        Column("方案", lambda row: row.title),
        Column("代号", lambda row: row.name, fit=True),
        Column("启用日期", lambda row: date_words(row.active_from), fit=True),
        Column("规则", lambda row: "本市自定" if row.rules else "自带", fit=True),
        Column("状态", lambda row: "启用" if row.active else "停用", fit=True),
    )
    filters = (
        Filter("coming", "还没到日子", lambda: DeadlineProfile.active_from > today()),
        Filter("begun", "已启用过", lambda: DeadlineProfile.active_from <= today()),
        Filter("off", "已停用", lambda: ~DeadlineProfile.active),
    )
    looks: ClassVar = {
        "active_from": Look("date"),
        "handle": Look("textarea", wide=True, attrs={"spellcheck": "false"}),
        "steps": Look("textarea", wide=True, attrs={"spellcheck": "false"}),
        "redo": Look("textarea", wide=True, attrs={"spellcheck": "false"}),
        **{name: Look("number", attrs={"min": str(kept[0]), "max": str(kept[-1])}) for name, kept in RANGES.items()},
    }
    fixed = ("name",)
    converter = "string"
    list_template = "city/profiles.html"

    def title(self, row: DeadlineProfile) -> str:
        """Return its title."""
        return row.title

    def row_id(self, row: DeadlineProfile) -> str:
        """Return its name."""
        return row.name

    def subject_id(self, row: DeadlineProfile) -> str:
        """Return its name."""
        return row.name

    def uses(self, session: Session, row: DeadlineProfile) -> Sequence[Place]:
        """Return the open orders that follow it."""
        return [Place(use) for use in uses_of_profile(session, row)]

    def retire(self, session: Session, row: DeadlineProfile, *, actor: Actor, now: datetime) -> None:
        """Choose it for new orders no more."""
        retire_profile(session, profile=row, actor=actor, now=now)

    @property
    def words(self) -> dict[str, str]:
        """Return the word of every field a change may name."""
        return self.told.titles | {"rules": "规则"}

    def start(self, session: Session, asked: Mapping[str, str]) -> dict[str, str]:
        """Begin a profile ``like`` one there is: few cities write all of theirs anew."""
        like = asked.get("like", "")
        if like not in rules.every_profile(session):
            return super().start(session, asked)
        return self.form_values(rule_cells(rules.written(session, like)))

    def form_values(self, values: Values) -> dict[str, str]:
        """Return what stands in the form, a rule a line."""
        ruled = {name: _a_rule_a_line(values[name]) for name in ("handle", "steps") if values.get(name)}
        return super().form_values(values) | ruled

    def about(self, session: Session, row: DeadlineProfile | None) -> dict[str, Any]:
        """Return what is in force, and the deadline of an example, line by line."""
        if row is not None:
            return {}
        names = dict.fromkeys([*limits.profile_names(), *(one.name for one in session.scalars(self.select()))])
        profiles = [(name, rules.profile_of(session, name).title) for name in names]
        in_force = rules.in_force(session, on=today())
        asked = {
            "profile": request.args.get("profile") if request.args.get("profile") in names else in_force,
            "type": request.args.get("type") if request.args.get("type") in DEMAND_WORDS else "help",
            "urgency": request.args.get("urgency") if request.args.get("urgency") in URGENCY else "normal",
            "accepted": request.args.get("accepted", ""),
            "hard": request.args.get("hard", ""),
        }
        tz = runtime().settings.tz
        fault, lines, steps = None, [], []
        try:
            accepted = moment_of(asked["accepted"] or f"{today()}T16:30", "accepted")
            profile = rules.profile_of(session, asked["profile"] or in_force)
            lines = clock.deadline(
                profile,
                asked["type"] or "",
                asked["urgency"] or "",
                accepted,
                runtime().calendar,
                tz,
                hard=bool(asked["hard"]),
            ).lines
            asked["accepted"] = f"{accepted:%Y-%m-%dT%H:%M}"
            for step, word in limits.STEP_WORDS.items():
                limit = profile.step(step, asked["urgency"] or "", hard=bool(asked["hard"]))
                steps.append((word, limit.word if limit else "不设时限"))
            steps += [(BOUND_WORDS[name], value) for name, value in asdict(profile.bounds).items()]
        except Invalid as found:
            fault = found.message
        return {
            "profiles": profiles,
            "in_force": in_force,
            "asked": asked,
            "fault": fault,
            "lines": lines,
            "steps": steps,
            "types": [(str(code), word) for code, word in DEMAND_WORDS.items()],
            "urgencies": [(str(code), word) for code, word in URGENCY_WORDS.items()],
        }


def _a_rule_a_line(value: Any) -> str:
    """Write a list or an object as JSON, each of its parts on a line of its own."""
    if isinstance(value, dict):
        lines = [f"{json.dumps(name)}: {json.dumps(part, ensure_ascii=False)}" for name, part in value.items()]
        return "{\n  " + ",\n  ".join(lines) + "\n}"
    return "[\n  " + ",\n  ".join(json.dumps(part, ensure_ascii=False) for part in value) + "\n]"
