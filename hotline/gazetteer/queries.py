"""Which places a text names, by letter or by sound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from hotline.gazetteer.models import PLACE_WORDS, Place, PlaceKind, PlaceName
from hotline.knowledge_base.language.tokens import sound_of
from hotline.units.models import Unit

SHORTEST: Final = 2
SHORTEST_BY_SOUND: Final = 3  # two syllables alone mean too many things
LONGEST: Final = 12
LOOKED_AT: Final = 400  # characters of a text, the newest
_AT_ONCE: Final = 900


@dataclass(frozen=True, slots=True)
class Heard:
    """A place named in a text: where its name stands there, and how long it is."""

    place: Place
    name: str
    at: int
    length: int


def named_in(session: Session, text: str) -> Sequence[Heard]:
    """Return the active places ``text`` names, longest name first; what only stands inside a longer one is left out.

    Several places of one name all come: whoever asks must choose.
    """
    spoken = text[-LOOKED_AT:]
    offset = len(text) - len(spoken)
    syllables = [sound_of(char) for char in spoken]
    at_of: dict[str, list[tuple[int, int]]] = {}
    for at in range(len(spoken)):
        for length in range(SHORTEST, min(LONGEST, len(spoken) - at) + 1):
            at_of.setdefault("".join(syllables[at : at + length]), []).append((at, length))
    heard: list[Heard] = []
    sounds = list(at_of)
    for start in range(0, len(sounds), _AT_ONCE):
        rows = session.scalars(
            select(PlaceName).where(PlaceName.sound.in_(sounds[start : start + _AT_ONCE])).order_by(PlaceName.id)
        ).all()
        places = _active(session, {row.place_id for row in rows})
        for row in rows:
            place = places.get(row.place_id)
            for at, length in at_of[row.sound] if place else ():
                if spoken[at : at + length] == row.name or length >= SHORTEST_BY_SOUND:
                    assert place is not None
                    heard.append(Heard(place, row.name, at + offset, length))
    return _outermost(heard)


def _active(session: Session, ids: set[int]) -> dict[int, Place]:
    wanted = select(Place).where(Place.id.in_(ids), Place.active).options(joinedload(Place.county))
    return {place.id: place for place in session.scalars(wanted)} if ids else {}


def _outermost(heard: list[Heard]) -> list[Heard]:
    heard.sort(key=lambda one: (-one.length, one.at, one.place.id))
    kept: list[Heard] = []
    for one in heard:
        inside = any(
            other.at <= one.at and one.at + one.length <= other.at + other.length and other.length > one.length
            for other in kept
        )
        if not inside and all(other.place.id != one.place.id for other in kept):
            kept.append(one)
    return kept


def called(county: str, kind: str, name: str) -> str:
    """Return a place as people tell it from others of the name: ``冀州区 道路 人民路``."""
    return f"{county} {PLACE_WORDS[PlaceKind(kind)]} {name}"


def called_in_log(session: Session, subject_ids: Iterable[str]) -> dict[str, str]:
    """Return places as people call them, by what the log calls them (``county/kind/name``)."""
    parts = {one: one.split("/", 2) for one in subject_ids if one.count("/") >= 2}
    wanted = select(Unit.code, Unit.name).where(Unit.code.in_({county for county, _, _ in parts.values()}))
    names = {row.code: row.name for row in session.execute(wanted)}
    return {
        one: called(names.get(county, county), kind, name)
        for one, (county, kind, name) in parts.items()
        if kind in set(PlaceKind)
    }
