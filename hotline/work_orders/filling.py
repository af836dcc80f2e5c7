"""What a draft can be filled with from the conversation. Pure; a field it is not sure of stays empty."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeVar

from hotline.gazetteer.queries import Heard
from hotline.gazetteer.service import COUNTY_TIER
from hotline.knowledge_base.language.tokens import sound_of
from hotline.routing.model import Model, Proposal, Question
from hotline.units.models import Category, ResponsibilityLine, Unit
from hotline.work_orders.proposal import place_name
from hotline.work_orders.states import DemandType, Urgency

Kind = TypeVar("Kind")

TITLE_LENGTH: Final = 30
CONTENT_LENGTH: Final = 2000

# said to be polite or to begin, never part of the matter
_OPENERS: Final = re.compile(
    r"^(?:喂|嗯|啊|那个|你好|您好|请问|麻烦|我想|我要|我(?=问|反映|咨询)|反映|投诉|举报|咨询|问|了解|一下|是这样的)+"
)
_CLOSERS: Final = re.compile(r"(?:谢谢你们|谢谢|麻烦你们了?|拜托了?|好吧?)+$")

# the first kind whose cue is heard; a question comes last because every complaint may hold one
_TYPE_CUES: Final[tuple[tuple[DemandType, re.Pattern[str]], ...]] = (
    (DemandType.COMPLAINT, re.compile("投诉|态度差|乱收费|不作为|推诿")),
    (DemandType.REPORT, re.compile("举报|违法|偷排|造假|假冒|过期食品")),
    (DemandType.SUGGESTION, re.compile("建议|能不能增设|希望增设")),
    (DemandType.PRAISE, re.compile("表扬|感谢.*(?:师傅|民警|医生|同志)|点赞")),
    (
        DemandType.HELP,
        re.compile("坏了|堵了|丢了一|没有?亮|停[水电气暖]|不热|漏|拖欠|污水|扰民|安全隐患|危险|没有?人管|施工"),
    ),
    (
        DemandType.CONSULT,
        re.compile("怎么(?:办|补|报|申|交|查|领|开)|什么(?:材料|条件|手续|时候)|请问|咨询|想问|查询|多少钱|能不能"),
    ),
)
_URGENCY_CUES: Final[tuple[tuple[Urgency, re.Pattern[str]], ...]] = (
    (Urgency.CRITICAL, re.compile("触电|漏电|漏气|燃气泄[漏露]|煤气味|着火|起火|爆炸|被困|坍?塌|掉进|要跳|轻生")),
    (Urgency.URGENT, re.compile("停水|停电|停气|停暖|没有?水|没有?电|爆管|水管爆")),
)
_NUMBER: Final = "[0-9一二两三四五六七八九十几半]"
_WHEN: Final = re.compile(
    f"{_NUMBER}{{1,3}}个?(?:小时|天|周|星期|月|年)(?:了|多了|前|以来|以前)?|(?:今|昨|前)天(?:早上|上午|下午|晚上|夜里)?|"
    f"上个?(?:周|星期|月)|(?:夜里|凌晨|半夜|晚上)(?:{_NUMBER}{{1,3}}点)?"
)
_TELL_NOTHING: Final = frozenset({"服务", "管理", "设施", "问题", "公共", "时间"})
# how far a place goes on after the name of its county or township
_ROAD: Final = re.compile(
    r"^(?:(?!的)[\u4e00-\u9fff0-9]){0,9}?(?:大道|大街|街|路(?!灯)|巷|胡同|小区|花园|家园|市场|广场|学校|医院|政府|村委会|村(?!镇))"
)
_HOUSE: Final = re.compile(rf"^(?:{_NUMBER}{{1,4}}(?:号楼|栋|号院|单元|号|楼|室))+")
_SIDE: Final = re.compile("^(?:[东西南北]边|[东西南北]侧|对面|门口|附近|旁边|路口|交叉口)")


@dataclass(frozen=True, slots=True)
class Found:
    """A unit's place heard in a text: where it stands, how long it is there, and how it is written."""

    unit: Unit
    at: int
    length: int
    name: str


# what looks places up in a text: ``hotline.gazetteer.queries.named_in`` on an open session
Gazetteer = Callable[[str], Sequence[Heard]]


def _no_places(_text: str) -> Sequence[Heard]:
    return ()


def fill(
    said: Sequence[str],
    *,
    units: Sequence[Unit],
    categories: Sequence[Category],
    lines: Sequence[ResponsibilityLine],
    gazetteer: Gazetteer = _no_places,
    model: Model | None = None,
) -> dict[str, str]:
    """Return draft fields with what the caller's words (finals, in order) tell; fields nothing tells are left out.

    Words are written as heard: a wrong character is the operator's to mend, a guess would hide it. Only names of
    units and of places in the gazetteer are written as they should be, since the tree and the gazetteer know them.
    A place of a name that stands in two counties tells no area: see ``which_place``. Kind of matter and urgency are
    the model's where there is one and it is sure; what is urgent by a word is so whatever a model says.
    """
    text = telling_text(said)
    if not text:
        return {}
    heard = "，".join(said)
    kind = _first(_TYPE_CUES, heard)
    fields = {
        "title": text.split("，", 1)[0][:TITLE_LENGTH],
        "content": f"市民{'咨询' if kind == DemandType.CONSULT else '反映'}：{text}。"[:CONTENT_LENGTH],
        "demand_type": kind or "",
        "urgency": _first(_URGENCY_CUES, heard) or _sure(ask_model(model, Question.URGENCY, said), set(Urgency)),
        "event_time": when.group() if (when := _WHEN.search(text)) else "",
        "category_code": _sure(learnt, {one.code for one in categories})
        if (learnt := ask_model(model, Question.CATEGORY, said))
        else guess_category(text, categories=categories, lines=lines),
    }
    places = places_in(text, units)
    named = _named(text, places, gazetteer)
    if places:
        fields["area_code"] = places[-1].unit.area_code
    if len(named) == 1:
        place = named[0].place
        fields["area_code"] = place.area_code or fields.get("area_code") or place.county.area_code
    if places or named:
        fields["address"] = _address(text, [*places, *(_as_found(one) for one in named[:1])])
    return {name: value for name, value in fields.items() if value}


def ask_model(model: Model | None, question: Question, said: Sequence[str]) -> Proposal | None:
    """Return what a model proposes for the caller's words (finals, in order); None without one, or without a clue."""
    text = telling_text(said).replace("，", " ")  # recognisers write no stops: the model knows by that what was heard
    return model.propose(question, title="", text=text) if model is not None and text else None


def _sure(learnt: Proposal | None, known: Collection[str]) -> str:
    """The label proposed first, if it is one of the known and stands clear of the second; else empty."""
    return learnt.candidates[0].label if learnt and not learnt.asks and learnt.candidates[0].label in known else ""


def which_place(said: Sequence[str], *, units: Sequence[Unit], gazetteer: Gazetteer) -> list[Heard]:
    """Return the places among which the operator must ask: one name the caller said, in several counties, none named.

    Empty when the words leave nothing to ask.
    """
    text = telling_text(said)
    named = _named(text, places_in(text, units), gazetteer) if text else []
    return named if len(named) > 1 else []


def telling_text(said: Sequence[str]) -> str:
    """Return the caller's words without what is said to be polite, parted by commas; empty when nothing is left."""
    return "，".join(sentence for sentence in (_telling(one) for one in said) if sentence)


def _named(text: str, places: Sequence[Found], gazetteer: Gazetteer) -> list[Heard]:
    """Return the places of the longest name told, of which one is meant: those of the county that is named, if any;
    one that stands in a named township before others. Names that are part of a unit's own say nothing new."""
    spans = [(found.at, found.at + found.length) for found in places]
    heard = [
        one
        for one in gazetteer(text)
        if not any(start <= one.at and one.at + one.length <= end for start, end in spans)
    ]
    if places:
        county = places[0].unit if places[0].unit.tier == COUNTY_TIER else places[0].unit.parent_id
        county_id = county.id if isinstance(county, Unit) else county
        heard = [one for one in heard if one.place.county_id == county_id]
    if not heard:
        return []
    same = [one for one in heard if (one.at, one.length) == (heard[0].at, heard[0].length)]
    areas = {found.unit.area_code for found in places}
    nearer = [one for one in same if one.place.area_code and one.place.area_code in areas]
    if nearer or len({one.place.county_id for one in same}) == 1:
        return (nearer or same)[:1]  # a road and an estate of one name in one county lie in one county
    return same


def _as_found(heard: Heard) -> Found:
    return Found(heard.place.county, heard.at, heard.length, heard.name)


def _telling(sentence: str) -> str:
    """Return the sentence without what is said to be polite; empty when nothing else is there."""
    plain = re.sub(r"[\s，。？！、,.?!]+", "", sentence)
    return _CLOSERS.sub("", _OPENERS.sub("", plain))


def _first(cues: Sequence[tuple[Kind, re.Pattern[str]]], text: str) -> Kind | None:
    return next((kind for kind, cue in cues if cue.search(text)), None)


def guess_category(text: str, *, categories: Sequence[Category], lines: Sequence[ResponsibilityLine]) -> str:
    """Return the code whose name and responsibility lines share the most telling pairs of characters with ``text``.

    A pair counts the less the more kinds use it. Empty when nothing is shared or two kinds share as much.
    """
    parents = {category.parent_code for category in categories}
    words: dict[str, set[str]] = {
        category.code: _pairs(category.name) for category in categories if category.code not in parents
    }
    for line in lines:
        if line.category_code in words:
            words[line.category_code] |= _pairs(line.matter)
    used = Counter(pair for pairs in words.values() for pair in pairs)
    here = _pairs(text)
    scores = {code: sum(1 / used[pair] for pair in pairs & here) for code, pairs in words.items()}
    best = sorted(scores.items(), key=lambda item: -item[1])[:2]
    if not best or best[0][1] < 1 or (len(best) > 1 and best[0][1] == best[1][1]):
        return ""
    return best[0][0]


def _pairs(text: str) -> set[str]:
    return {one + two for one, two in pairwise(text) if one.isalnum() and two.isalnum()} - _TELL_NOTHING


def places_in(text: str, units: Sequence[Unit]) -> list[Found]:
    """Return the county and township ``text`` names, county first, by letter or by sound; at most one of each.

    A township alone is taken only when its name stands in one county; a county beats a township elsewhere.
    """
    counties = {unit.id: unit for unit in units if unit.tier == 2 and unit.area_code}
    sounds = _Sounds(text)
    county = _earliest(sounds.find(unit, place_name(unit)) for unit in counties.values())
    townships = []
    for unit in units:
        above = counties.get(unit.parent_id or 0)
        if above is None or (county is not None and county.unit.id != above.id):
            continue
        name = place_name(unit).removeprefix(place_name(above))
        if (found := sounds.find(unit, name)) is not None:
            townships.append(found)
    township = _earliest(townships)
    if county is None and len({found.unit.id for found in townships if township and found.name == township.name}) > 1:
        return []
    return [found for found in (county, township) if found is not None]


def _earliest(found: Iterable[Found | None]) -> Found | None:
    hits = [hit for hit in found if hit is not None]
    return min(hits, key=lambda hit: (hit.at, -hit.length), default=None)


class _Sounds:
    """A text and its syllables, one a character, so that a name is found however it was written down."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._syllables = [sound_of(char).strip() for char in text]

    def find(self, unit: Unit, name: str) -> Found | None:
        """Return where ``name`` stands: written so, or (from three characters on) sounding so."""
        at = self._text.find(name)
        if at >= 0:
            return Found(unit, at, len(name), name)
        if len(name) < 3:
            return None
        wanted = [sound_of(char).strip() for char in name]
        for start in range(len(self._syllables) - len(wanted) + 1):
            if self._syllables[start : start + len(wanted)] == wanted:
                return Found(unit, start, len(name), name)
        return None


def _address(text: str, places: Sequence[Found]) -> str:
    """Return the names of the places and what goes on right after the last of them: road, house, side."""
    last = max(places, key=lambda found: found.at)
    names = "".join(found.name for found in places)
    rest = text[last.at + last.length :]
    for part in (_ROAD, _HOUSE, _SIDE):
        if match := part.match(rest):
            names += match.group()
            rest = rest[match.end() :]
    return names
