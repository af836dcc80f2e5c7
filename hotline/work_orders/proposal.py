"""Which unit an order should go to: the asset, the responsibility list, earlier orders and the place, weighed. Pure.

The dispatcher decides; a proposal is a reason in words, never an act.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from hotline.assets.models import Asset
from hotline.assets.queries import called
from hotline.routing.model import MARGIN
from hotline.routing.model import Proposal as Learnt
from hotline.units.models import ResponsibilityLine, Unit

AREA_DIGITS: Final = 6  # GB/T 2260: the first six digits name the county
# what a government's name adds to the name of its place
OFFICE_WORDS: Final = ("人民政府", "管理委员会", "管委会", "街道办事处", "办事处")
ZONE: Final = "开发区"  # people say 高新区 for 高新技术产业开发区
SHOWN: Final = 2
# what speaks for a unit, and how much: a name plate settles it, the list beats habit, a place alone says little
ASSET, LINE, LEARNT, PLACE, LIKE = 8.0, 3.0, 2.0, 0.5, 0.3
ALIKE: Final = 2  # pairs of characters: one alone is chance, 城区 stands in half of all addresses
DOUBT: Final = 0.5  # what nobody has thought of: nothing is ever certain
WORDS: Final = 3  # of the message, told as reason


@dataclass(frozen=True, slots=True)
class Candidate:
    """One unit that could lead. ``line`` is the responsibility line it rests on, None for anything else;
    ``confidence`` from 0 to 1, of all candidates together below 1."""

    unit: Unit
    line: ResponsibilityLine | None
    reason: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Clue:
    """One thing that speaks for a unit."""

    unit: Unit
    weight: float
    reason: str
    line: ResponsibilityLine | None = None


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
    learnt: Learnt | None = None,
    without: Collection[int] = (),
) -> list[Candidate]:
    """Return the two likeliest candidates, the likeliest first; fewer only when nothing points to a second.

    ``lines`` are those in force, ``units`` the active ones, ``learnt`` what the routing model says of the message,
    ``without`` the ids of units that are out of the question. A line without a lead unit means the government of the
    place; so do earlier orders that went to a government elsewhere.
    """
    possible = [unit for unit in units if unit.id not in without]
    place = find_place(address=address, area_code=area_code, units=possible) or find_place(
        address=text, area_code="", units=possible
    )
    by_id = {unit.id: unit for unit in possible}
    own = [line for line in lines if category_code and line.category_code == category_code]
    said = f"{text} {address}"
    clues = [
        *_of_asset(asset, by_id),
        *_of_lines(own, said, by_id, place),
        *_of_earlier(learnt, possible, place),
        *([Clue(place.unit, PLACE, f"属地：{place.reason}")] if place else []),
    ]
    if len({clue.unit.id for clue in clues}) < SHOWN:
        others = [line for line in lines if line not in own and _shared(line.matter, said) >= ALIKE]
        clues += _of_lines(others, said, by_id, place, weight=LIKE, word="责任清单相近事项")
    return _weighed(clues)[:SHOWN]


def unsure(candidates: Sequence[Candidate]) -> bool:
    """Return whether the first two are too near for the first to be taken unasked; so is no candidate at all."""
    first, second = [*(one.confidence for one in candidates), 0.0, 0.0][:SHOWN]
    return first - second < MARGIN


def share_words(confidence: float) -> str:
    """Return a confidence as people read it: ``把握 72%``, never a certainty."""
    return f"把握 {min(max(round(confidence * 100), 1), 99)}%"


def earlier_words(words: Sequence[str]) -> str:
    """Return why a model proposes something, by the message's words that spoke for it."""
    return "与以往同类工单相近" + (f"：{'、'.join(words[:WORDS])}" if words else "")


def _of_asset(asset: Asset | None, by_id: dict[int, Unit]) -> list[Clue]:
    known = asset is not None and asset.unit_id in by_id
    return [Clue(by_id[asset.unit_id], ASSET, called(asset))] if asset is not None and known else []


def _of_lines(
    lines: Sequence[ResponsibilityLine],
    said: str,
    by_id: dict[int, Unit],
    place: Place | None,
    *,
    weight: float = LINE,
    word: str = "责任清单",
) -> Iterator[Clue]:
    """Share ``weight`` among the lines by how much of each matter was said, those that say most first."""
    shared = {line.code: (1 + _shared(line.matter, said)) ** 2 for line in lines}  # squared: one that fits, stands out
    for line in sorted(lines, key=lambda line: -shared[line.code]):
        own = weight * shared[line.code] / sum(shared.values())
        reason = f"{word} {line.code}：{line.matter}"
        if line.lead_unit_id is None:
            if place:
                yield Clue(place.unit, own, f"{reason}，由属地负责；{place.reason}", line)
        elif line.lead_unit_id in by_id:
            yield Clue(by_id[line.lead_unit_id], own, reason, line)


def _of_earlier(learnt: Learnt | None, units: Sequence[Unit], place: Place | None) -> Iterator[Clue]:
    by_code = {unit.code: unit for unit in units if unit.tier == 2}
    for one in learnt.candidates if learnt else ():
        unit = by_code.get(one.label)
        if unit is not None:
            # a government had its orders for where they were, which the model cannot tell
            there = place.unit if place and unit.area_code else unit
            yield Clue(there, LEARNT * one.confidence, earlier_words(one.words))


def _weighed(clues: Sequence[Clue]) -> list[Candidate]:
    """One candidate a unit: its weightiest line, and its two weightiest reasons in words."""
    of_unit: defaultdict[int, list[Clue]] = defaultdict(list)
    for clue in clues:
        of_unit[clue.unit.id].append(clue)
    total = sum(clue.weight for clue in clues) + DOUBT
    found = [
        Candidate(
            unit=own[0].unit,
            line=max((one for one in own if one.line), key=lambda one: one.weight, default=own[0]).line,
            reason="；".join(one.reason for one in _telling(own)),
            confidence=sum(one.weight for one in own) / total,
        )
        for own in of_unit.values()
    ]
    return sorted(found, key=lambda one: -one.confidence)


def _telling(clues: Sequence[Clue]) -> list[Clue]:
    """The weightiest clue, and the next if it says enough."""
    first, *others = sorted(clues, key=lambda clue: -clue.weight)
    return [first, *(one for one in others if one.weight > PLACE)][:2]


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
