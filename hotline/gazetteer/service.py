"""Verbs on places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts.service import Actor
from hotline.db import PreparedInsert
from hotline.errors import Invalid
from hotline.gazetteer.models import Place, PlaceKind, PlaceName
from hotline.knowledge_base.language.tokens import sound_of
from hotline.units.models import Unit

COUNTY_TIER = 2


@dataclass(frozen=True, slots=True)
class ReadyPlace:
    """A place known to be right, with all that takes time worked out: it may be made long before it is written.

    ``names`` come with their sounds, its own name first; ``was`` is its state when it is there already.
    """

    name: str
    kind: str
    county_id: int
    county_code: str
    area_code: str
    active: bool
    names: Sequence[tuple[str, str]]
    was: Mapping[str, Any] | None

    @property
    def key(self) -> tuple[str, str, int]:
        """What no other place has."""
        return self.name, self.kind, self.county_id

    @property
    def state(self) -> dict[str, Any]:
        """What of it a person can change, as ``state_of`` tells."""
        aliases = [name for name, _ in self.names[1:]]
        return {"area_code": self.area_code, "aliases": aliases, "active": self.active}


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


def ready(
    *,
    name: str,
    kind: str,
    county: Unit,
    area_code: str = "",
    aliases: Sequence[str] = (),
    active: bool = True,
    was: Mapping[str, Any] | None = None,
) -> ReadyPlace:
    """Return a place ready to be written; what it holds must be known to be right."""
    names = [(one, sound_of(one)) for one in dict.fromkeys([name, *aliases])]
    return ReadyPlace(name, kind, county.id, county.code, area_code, active, names, was)


def put_places(session: Session, *, actor: Actor, now: datetime, places: Sequence[ReadyPlace]) -> None:
    """Write many places, each with its audit row, in as few statements and as short a time as can be: nobody else
    writes meanwhile where the database is SQLite."""
    session.flush()
    connection = session.connection()
    changed = [one for one in places if one.was is not None]
    _PLACE.run_many(connection, [(*one.key, one.area_code, one.active) for one in places if one.was is None])
    if changed:
        connection.execute(_CHANGE, [_bound(one) | {"to": one.area_code, "on": one.active} for one in changed])
    if renamed := [one for one in changed if one.was and list(one.was["aliases"]) != one.state["aliases"]]:
        connection.execute(_UNNAME, [_bound(one) for one in renamed])
    named = [*(one for one in places if one.was is None), *renamed]
    ids = _ids(session, named)
    _NAME.run_many(connection, [(ids[one.key], *name) for one in named for name in one.names])
    audit.changed_many(
        session,
        at=now,
        user_id=actor.user_id,
        subject="place",
        things=[(f"{one.county_code}/{one.kind}/{one.name}", one.was, one.state) for one in places],
    )


_PLACE: Final = PreparedInsert(Place, "name", "kind", "county_id", "area_code", "active")
_NAME: Final = PreparedInsert(PlaceName, "place_id", "name", "sound")
_IS: Final = (
    Place.name == bindparam("of_name"),
    Place.kind == bindparam("of_kind"),
    Place.county_id == bindparam("of_county"),
)
_CHANGE: Final = update(Place.__table__).where(*_IS).values(area_code=bindparam("to"), active=bindparam("on"))  # type: ignore[arg-type]
_UNNAME: Final = delete(PlaceName.__table__).where(PlaceName.place_id == select(Place.id).where(*_IS).scalar_subquery())  # type: ignore[arg-type]


def _bound(place: ReadyPlace) -> dict[str, Any]:
    return dict(zip(("of_name", "of_kind", "of_county"), place.key, strict=True))


def _ids(session: Session, places: Sequence[ReadyPlace]) -> dict[tuple[str, str, int], int]:
    wanted = select(Place.id, Place.name, Place.kind, Place.county_id).where(
        Place.name.in_([one.name for one in places])
    )
    return {(row.name, row.kind, row.county_id): row.id for row in session.execute(wanted)}


def state_of(place: Place) -> dict[str, Any]:
    """Return what of a place a person can change."""
    return {
        "area_code": place.area_code,
        "aliases": [one.name for one in place.names[1:]],
        "active": place.active,
    }
