"""Verbs on places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts.service import Actor
from hotline.errors import Invalid
from hotline.gazetteer.models import Place, PlaceKind, PlaceName
from hotline.knowledge_base.tokens import sound_of
from hotline.units.models import Unit

COUNTY_TIER = 2


@dataclass(frozen=True, slots=True)
class NewPlace:
    """A place to be added."""

    name: str
    kind: str
    county: Unit
    area_code: str = ""
    aliases: Sequence[str] = ()
    active: bool = True


def put_place(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    name: str,
    kind: str,
    county: Unit,
    area_code: str = "",
    aliases: Sequence[str] = (),
    active: bool = True,
) -> Place:
    """Add a place or change the one of this name and kind in the county; leaves an audit row where something changed.

    Raises ``Invalid`` for an empty name, an unknown kind, or a county that is not a unit of tier 2.
    """
    faults: dict[str, object] = {}
    if not name.strip():
        faults["name"] = "请填写地名"
    if kind not in set(PlaceKind):
        faults["kind"] = f"没有地名类型 {kind}"
    if county.tier != COUNTY_TIER:
        faults["county"] = f"{county.name}不是县（市、区）"
    if faults:
        raise Invalid("；".join(str(fault) for fault in faults.values()), **faults)
    found = session.scalar(select(Place).where(Place.name == name, Place.kind == kind, Place.county_id == county.id))
    before = state_of(found) if found else None
    place = found or Place(name=name, kind=kind, county=county)
    place.area_code, place.active = area_code, active
    wanted = list(dict.fromkeys([name, *aliases]))
    if [one.name for one in place.names] != wanted:
        place.names = [PlaceName(name=one, sound=sound_of(one)) for one in wanted]
    if found is None:
        session.add(place)
    audit.changed(
        session,
        at=now,
        user_id=actor.user_id,
        subject="place",
        subject_id=f"{county.code}/{kind}/{name}",
        before=before,
        after=state_of(place),
    )
    return place


def add_places(session: Session, *, actor: Actor, now: datetime, places: Sequence[NewPlace]) -> None:
    """Add many places that are known to be new and right, each with its audit row, in three statements."""
    rows = [
        {
            "name": one.name,
            "kind": one.kind,
            "county_id": one.county.id,
            "area_code": one.area_code,
            "active": one.active,
        }
        for one in places
    ]
    ids = session.scalars(insert(Place).returning(Place.id, sort_by_parameter_order=True), rows).all()
    names = [
        {"place_id": place_id, "name": name, "sound": sound_of(name)}
        for place_id, one in zip(ids, places, strict=True)
        for name in dict.fromkeys([one.name, *one.aliases])
    ]
    session.execute(insert(PlaceName), names)
    audit.added_many(
        session,
        at=now,
        user_id=actor.user_id,
        subject="place",
        things={
            f"{one.county.code}/{one.kind}/{one.name}": {
                "area_code": one.area_code,
                "aliases": list(one.aliases),
                "active": one.active,
            }
            for one in places
        },
    )


def state_of(place: Place) -> dict[str, Any]:
    """Return what of a place a person can change."""
    return {
        "area_code": place.area_code,
        "aliases": [one.name for one in place.names[1:]],
        "active": place.active,
    }
