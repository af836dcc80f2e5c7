"""Fill an empty database with Hengshui: units, staff, categories, responsibility list, numbers, knowledge."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts import service as accounts
from hotline.audit import AccessLog
from hotline.calls.models import DialledNumber
from hotline.demo.places import HERE
from hotline.errors import NotAllowedNow
from hotline.knowledge_base import service as knowledge_base
from hotline.units import service as units
from hotline.units.models import Unit

SEEDED: Final = "seed_demo"
# which township clerks can log in: one place is left without anybody, to see what the dispatcher is told
WITHOUT_USER: Final = "HS-GX"


def is_demo(session: Session) -> bool:
    """Whether this database was filled by ``seed``."""
    return session.scalar(select(AccessLog.id).where(AccessLog.act == SEEDED).limit(1)) is not None


def is_empty(session: Session) -> bool:
    """Whether nobody has set anything up here."""
    return session.scalar(select(Unit.id).limit(1)) is None


def seed(session: Session, *, password: str, now: datetime) -> dict[str, int]:
    """Write the demo city in the present transaction and return what was made, by kind.

    Every user gets ``password``. Raises ``NotAllowedNow`` when the database already holds anything: demo data
    are never mixed with a city's own.
    """
    if not is_empty(session):
        raise NotAllowedNow("数据库里已有数据：演示数据只写入空库")
    city: dict[str, Any] = json.loads((HERE / "city.json").read_text(encoding="utf-8"))
    hub = units.add_unit(session, code=city["hub"]["code"], name=city["hub"]["name"], kind="hub", parent=None)
    staff = [(person, hub.id) for person in city["staff"]]
    for area in city["areas"]:
        staff += _area(session, hub, area)
    for department in city["departments"]:
        staff += _department(session, hub, department)
    hashed = accounts.hash_password(password)  # once: hashing is slow on purpose, and here are a hundred users
    for person, unit_id in staff:
        accounts.create_user(
            session,
            username=person["username"],
            display_name=person["name"],
            password=hashed,
            role=person["role"],
            unit_id=unit_id,
            seat=person.get("seat", ""),
            now=now,
        )
    lines = _lists(session, city, now)
    for number in city["numbers"]:
        session.add(DialledNumber(**number))
    with (HERE / "knowledge.jsonl").open(encoding="utf-8") as rows:
        knowledge = knowledge_base.import_lines(session, rows, actor_id=None, now=now)
    if knowledge.refused:
        raise ValueError(f"demo knowledge is wrong: {knowledge.refused}")
    audit.record(session, at=now, user_id=None, act=SEEDED, subject="city", subject_id=hub.code)
    session.flush()
    return {
        "units": len(city["areas"]) + len(city["departments"]) + 1,
        "users": len(staff),
        "responsibility lines": lines,
        "knowledge entries": knowledge.added,
    }


Staff = list[tuple[dict[str, str], int]]


def _area(session: Session, hub: Unit, area: dict[str, Any]) -> Staff:
    """Add a county and its townships; every one has a clerk but one."""
    made = units.add_unit(
        session,
        code=area["code"],
        name=area["name"],
        kind="government",
        parent=hub,
        area_code=area["area_code"],
    )
    login = area["code"].removeprefix("HS-").lower()
    staff: Staff = [
        ({"username": login, "name": f"{area['short']}经办员", "role": "U2"}, made.id),
        ({"username": f"{login}-lead", "name": f"{area['short']}负责人", "role": "U2L"}, made.id),
    ]
    for index, name in enumerate(area["townships"], start=1):
        township = units.add_unit(
            session,
            code=f"{area['code']}-{index:02d}",
            name=f"{area['short']}{name}",
            kind="township",
            parent=made,
            area_code=f"{area['area_code']}{index:03d}",
        )
        if area["code"] != WITHOUT_USER:
            staff.append(({"username": f"{login}{index:02d}", "name": f"{name}经办员", "role": "U3"}, township.id))
    return staff


def _department(session: Session, hub: Unit, department: dict[str, Any]) -> Staff:
    """Add a department or utility, the offices under it, and a clerk for each."""
    made = units.add_unit(
        session,
        code=department["code"],
        name=department["name"],
        kind=department["kind"],
        parent=hub,
    )
    login = department["code"].removeprefix("HS-").lower()
    staff: Staff = [({"username": login, "name": f"{department['short']}经办员", "role": "U2"}, made.id)]
    for index, name in enumerate(department["offices"], start=1):
        office = units.add_unit(
            session,
            code=f"{department['code']}-{index:02d}",
            name=name,
            kind="office",
            parent=made,
        )
        staff.append(({"username": f"{login}{index:02d}", "name": f"{name}经办员", "role": "U3"}, office.id))
    return staff


def _lists(session: Session, city: dict[str, Any], now: datetime) -> int:
    """Add categories and the responsibility list; returns how many lines."""
    for group in city["categories"]:
        units.add_category(session, code=group["code"], name=group["name"])
        for code, name in group["children"]:
            units.add_category(session, code=code, name=name, parent_code=group["code"])
    by_code = {unit.code: unit for unit in session.scalars(select(Unit))}
    responsibility = city["responsibility"]
    for line in responsibility["lines"]:
        units.add_line(
            session,
            version=responsibility["version"],
            code=line["code"],
            matter=line["matter"],
            category_code=line["category"],
            lead_unit=by_code[line["lead"]] if line["lead"] else None,
            basis=line["basis"],
            valid_from=date(2026, 1, 1),
            now=now,
        )
    return len(responsibility["lines"])
