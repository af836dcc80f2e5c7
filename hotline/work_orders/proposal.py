"""Which unit an order should go to, with the line of the responsibility list that says so. A pure rule.

The dispatcher decides; a proposal is a reason in words, never an act.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from hotline.assets.models import Asset
from hotline.assets.queries import called
from hotline.units.models import ResponsibilityLine, Unit

AREA_DIGITS: Final = 6  # GB/T 2260: the first six digits name the county
# what a government's name adds to the name of its place
OFFICE_WORDS: Final = ("人民政府", "管理委员会", "管委会", "街道办事处", "办事处")
ZONE: Final = "开发区"  # people say 高新区 for 高新技术产业开发区
SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """One unit that could lead. ``line`` is the responsibility line it rests on, None for the place alone."""

    unit: Unit
    line: ResponsibilityLine | None
    reason: str


@dataclass(frozen=True, slots=True)
class Place:
    """The unit of a place, and how it was recognised."""

    unit: Unit
    reason: str


def propose(
    *,
    text: str,
    address: str,
    area_code: str,
    category_code: str,
    lines: Sequence[ResponsibilityLine],
    units: Sequence[Unit],
    asset: Asset | None = None,
) -> list[Candidate]:
    """Return up to three tier-2 candidates, the likeliest first; empty when nothing points anywhere.

    ``lines`` are those in force, ``units`` the active ones. The unit of the ``asset`` named comes before all. Then a
    line of the same category (of several, the one whose matter shares most with ``text``); one without a lead unit
    means the government of the place. The place is always the last word, so that a dispatcher sees two sides wherever
    there are two.
    """
    by_id = {unit.id: unit for unit in units}
    place = find_place(address=address, area_code=area_code, units=units) or find_place(
        address=text, area_code="", units=units
    )
    found: list[Candidate] = []
    if asset is not None and asset.unit_id in by_id:
        found.append(Candidate(by_id[asset.unit_id], None, called(asset)))
    matching = [line for line in lines if category_code and line.category_code == category_code]
    for line in sorted(matching, key=lambda line: -_shared(line.matter, f"{text} {address}")):
        if line.lead_unit_id is None:
            if place:
                found.append(
                    Candidate(place.unit, line, f"责任清单 {line.code}：{line.matter}，由属地负责；{place.reason}")
                )
        elif line.lead_unit_id in by_id:
            found.append(Candidate(by_id[line.lead_unit_id], line, f"责任清单 {line.code}：{line.matter}"))
    if place:
        found.append(Candidate(place.unit, None, f"属地：{place.reason}"))
    return _first_of_each(found)[:SHOWN]


def find_place(*, address: str, area_code: str, units: Sequence[Unit]) -> Place | None:
    """Return the tier-2 government an address lies in: by area code, by its name, or by a township's name."""
    governments = [unit for unit in units if unit.tier == 2 and unit.area_code]
    county = area_code[:AREA_DIGITS]
    for unit in governments:
        if county and unit.area_code[:AREA_DIGITS] == county:
            return Place(unit, f"行政区划 {county} 属{place_name(unit)}")
    for unit in governments:
        if place_name(unit) in address:
            return Place(unit, f"地址写有“{place_name(unit)}”")
    for unit in governments:
        below = propose_below(text=address, above=unit, units=[one for one in units if one.parent_id == unit.id])
        if below is not None:
            return Place(unit, below.reason)
    return None


def propose_below(*, text: str, above: Unit, units: Sequence[Unit]) -> Place | None:
    """Return the one of a county's own units whose place ``text`` names, and how; None when it names none."""
    for unit in units:
        name = local_name(unit, above)
        if name in text:
            return Place(unit, f"地址写有“{name}”")
    return None


def local_name(unit: Unit, above: Unit) -> str:
    """Return what a unit is called within its county: a township is often listed with the county's name before it."""
    return place_name(unit).removeprefix(place_name(above)) or place_name(unit)


def place_name(unit: Unit) -> str:
    """Return the name of a government's place: ``桃城区`` of ``桃城区人民政府``, ``高新区`` of a development zone."""
    name = unit.name
    for words in OFFICE_WORDS:
        if name.endswith(words) and len(name) > len(words):
            name = name.removesuffix(words)
    return f"{name[:2]}区" if name.endswith(ZONE) and len(name) > len(ZONE) else name


def _shared(matter: str, text: str) -> int:
    return sum(matter[at : at + 2] in text for at in range(len(matter) - 1))


def _first_of_each(found: Iterable[Candidate]) -> list[Candidate]:
    kept: dict[int, Candidate] = {}
    for candidate in found:
        kept.setdefault(candidate.unit.id, candidate)
    return list(kept.values())
