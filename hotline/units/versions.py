"""Versions of the responsibility list: each is whole, begins on a day, and stays as it was once that day has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotAllowedNow
from hotline.units.models import ResponsibilityLine, Unit
from hotline.units.service import put_line


@dataclass(frozen=True, slots=True)
class Version:
    """One version, the day it begins and how many lines it has."""

    version: str
    valid_from: date
    lines: int


def versions(session: Session) -> Sequence[Version]:
    """Return every version, the one that begins last first."""
    wanted = select(
        ResponsibilityLine.version, func.min(ResponsibilityLine.valid_from), func.count(ResponsibilityLine.id)
    ).group_by(ResponsibilityLine.version)
    found = [Version(*row) for row in session.execute(wanted)]
    return sorted(found, key=lambda one: (one.valid_from, one.version), reverse=True)


def version_in_force(session: Session, *, on: date) -> str | None:
    """Return the version that counts on a day, None before the first."""
    return next((one.version for one in versions(session) if one.valid_from <= on), None)


def copy_version(
    session: Session, *, source: str, version: str, valid_from: date, today: date, actor: Actor, now: datetime
) -> int:
    """Copy every line in use of a version into a new one and return how many.

    Raises ``Invalid`` for a name that is taken or empty, a day that is not in the future, or a source without lines.
    """
    known = {one.version for one in versions(session)}
    faults: dict[str, object] = {}
    if not version.strip():
        faults["version"] = "请填写新版本号，如 2027-1"
    elif version in known:
        faults["version"] = f"已有 {version} 版"
    if valid_from <= today:
        faults["valid_from"] = "施行日期应在今天之后：施行前可以修改，施行后不再改动"
    if source not in known:
        faults["source"] = f"没有 {source} 版"
    if faults:
        raise Invalid("；".join(map(str, faults.values())), **faults)
    wanted = select(ResponsibilityLine).where(ResponsibilityLine.version == source, ResponsibilityLine.active)
    lines = session.scalars(wanted).all()
    for line in lines:
        put_line(
            session,
            actor=actor,
            now=now,
            version=version,
            code=line.code,
            matter=line.matter,
            category_code=line.category_code,
            lead_unit=session.get(Unit, line.lead_unit_id) if line.lead_unit_id else None,
            valid_from=valid_from,
            basis=line.basis,
        )
    return len(lines)


def change_line(
    session: Session,
    *,
    line: ResponsibilityLine,
    actor: Actor,
    now: datetime,
    today: date,
    matter: str,
    category_code: str,
    lead_unit: Unit | None,
    basis: str,
) -> None:
    """Change a line of a version that has not begun; raises ``NotAllowedNow`` for one that has."""
    if line.valid_from <= today:
        raise NotAllowedNow(f"{line.version} 版已施行，不再改动；请建新版本")
    before = _state(session, line)
    line.matter, line.category_code, line.basis = matter, category_code, basis
    line.lead_unit_id = lead_unit.id if lead_unit else None
    audit.changed(
        session,
        at=now,
        user_id=actor.user_id,
        subject="responsibility_line",
        subject_id=f"{line.version}/{line.code}",
        before=before,
        after=_state(session, line),
    )
    session.flush()


def _state(session: Session, line: ResponsibilityLine) -> dict[str, Any]:
    lead = session.get(Unit, line.lead_unit_id) if line.lead_unit_id else None
    return {
        "matter": line.matter,
        "category": line.category_code,
        "lead": lead.code if lead else "",
        "basis": line.basis,
    }
