"""The log of changes as people read it: who, when, which field, from what to what, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts import queries as accounts
from hotline.imports.parts import shown
from hotline.web.formats import date_words

DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
FIGURES: Final = {"new": "新增", "changed": "修改", "refused": "不能导入", "rows": "导出"}


@dataclass(frozen=True, slots=True)
class Step:
    """One change as people read it. ``lines``: field, before, after, in words."""

    at: Any
    who: str
    what: str
    title: str
    reason: str
    lines: Sequence[tuple[str, str, str]]


def steps_of(
    session: Session,
    rows: Sequence[audit.AccessLog],
    acts: Mapping[str, str],
    words: Mapping[str, str],
    choices: Mapping[str, Mapping[str, str]],
) -> list[Step]:
    """Return rows of the log as people read them: acts, fields and values by their words."""
    people = accounts.named(session, [row.user_id for row in rows])
    steps = []
    for row in rows:
        if row.act not in acts:
            continue
        before, after = row.details.get("before") or {}, row.details.get("after") or {}
        names = [name for name in words if name in before or name in after]
        steps.append(
            Step(
                at=row.at,
                who=people[row.user_id].display_name if row.user_id in people else "系统",
                what=acts[row.act],
                title=row.subject_id,
                reason=row.reason or _figures(row.details),
                lines=[
                    (
                        words[name],
                        _told(choices.get(name, {}), before.get(name)),
                        _told(choices.get(name, {}), after.get(name)),
                    )
                    for name in names
                ],
            )
        )
    return steps


def _figures(details: Mapping[str, Any]) -> str:
    return "，".join(f"{word} {details[name]} 行" for name, word in FIGURES.items() if details.get(name))


def _told(choices: Mapping[str, str], value: Any) -> str:
    if isinstance(value, str) and DAY.fullmatch(value):
        return date_words(date.fromisoformat(value))
    if choices and isinstance(value, list):
        return shown([choices.get(str(one), one) for one in value])
    return choices.get(str(value), shown(value))
