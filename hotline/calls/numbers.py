"""Verbs on the numbers people dial."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, tzinfo
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts.service import Actor
from hotline.calls.models import DialledNumber
from hotline.errors import Invalid


def put_number(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    number: str,
    name: str,
    greeting: str,
    skill: str = "",
    subjects: Sequence[str] = (),
    hours: Sequence[str] = (),
    closed: str = "",
    active: bool = True,
) -> DialledNumber:
    """Add a dialled number or change it; leaves an audit row where something changed. Heard ten seconds later at most.

    ``hours`` are local spans ``08:30-12:00`` of every day, none: always. Raises ``Invalid`` for an empty number, name
    or greeting, and for hours without words for those who call outside them.
    """
    wanted = {"number": (number, "请填写号码"), "name": (name, "请填写名称"), "greeting": (greeting, "请填写问候语")}
    faults: dict[str, object] = {field: words for field, (value, words) in wanted.items() if not value.strip()}
    if hours and not closed.strip():
        faults["closed"] = "有服务时间的号码请填写非服务时间的提示语"
    if faults:
        raise Invalid("；".join(str(fault) for fault in faults.values()), **faults)
    found = session.scalar(select(DialledNumber).where(DialledNumber.number == number))
    before = state_of(found) if found else None
    line = found or DialledNumber(number=number)
    line.name, line.greeting, line.skill, line.closed, line.active = name, greeting, skill, closed, active
    line.subjects, line.hours = list(subjects), list(hours)
    if found is None:
        session.add(line)
    audit.changed(
        session,
        at=now,
        user_id=actor.user_id,
        subject="dialled_number",
        subject_id=number,
        before=before,
        after=state_of(line),
    )
    session.flush()
    return line


def is_served(hours: Sequence[str], at: datetime, tz: tzinfo) -> bool:
    """Whether a number with these hours is served at a moment; without hours it always is."""
    local = at.astimezone(tz).time()
    spans = ([time.fromisoformat(moment) for moment in span.split("-")] for span in hours)
    return not hours or any(opens <= local < closes for opens, closes in spans)


def state_of(line: DialledNumber) -> dict[str, Any]:
    """Return what of a dialled number a person can change."""
    names = ("name", "greeting", "skill", "subjects", "hours", "closed", "active")
    return {name: getattr(line, name) for name in names}
