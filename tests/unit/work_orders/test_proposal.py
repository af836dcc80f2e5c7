"""The proposed unit, with the line of the responsibility list that says so."""

from __future__ import annotations

from datetime import date

from hotline.units.models import ResponsibilityLine, Unit
from hotline.work_orders.proposal import Candidate, propose, propose_below

CITY_MANAGEMENT = Unit(id=5, code="HS-CGJ", name="市城管局", tier=2, area_code="", parent_id=1)
JIZHOU = Unit(id=2, code="HS-JZ", name="冀州区人民政府", tier=2, area_code="131103", parent_id=1)
TAOCHENG = Unit(id=3, code="HS-TC", name="桃城区人民政府", tier=2, area_code="131102", parent_id=1)
ZHOUCUN = Unit(id=9, code="HS-JZ-04", name="周村镇人民政府", tier=3, area_code="131103", parent_id=2)
UNITS = [CITY_MANAGEMENT, JIZHOU, TAOCHENG, ZHOUCUN]

VILLAGE_LAMPS = ResponsibilityLine(
    id=1, version="2026-1", code="L01", matter="镇村路灯不亮、损坏的维修", category_code="CJ-LD",
    lead_unit_id=None, valid_from=date(2026, 1, 1),
)  # fmt: skip
CITY_LAMPS = ResponsibilityLine(
    id=2, version="2026-1", code="L02", matter="主城区道路路灯的维修", category_code="CJ-LD",
    lead_unit_id=5, valid_from=date(2026, 1, 1),
)  # fmt: skip


def proposed(text: str, address: str = "", area_code: str = "", category: str = "CJ-LD") -> list[Candidate]:
    return propose(
        text=text,
        address=address,
        area_code=area_code,
        category_code=category,
        lines=[VILLAGE_LAMPS, CITY_LAMPS],
        units=UNITS,
    )


def test_village_lamps_go_to_the_government_of_the_place_and_the_department_stands_second() -> None:
    first, second = proposed("镇上的路灯不亮", "冀州区周村镇")
    assert (first.unit, first.line) == (JIZHOU, VILLAGE_LAMPS)
    assert "L01" in first.reason
    assert "冀州区" in first.reason
    assert (second.unit, second.line) == (CITY_MANAGEMENT, CITY_LAMPS)


def test_city_lamps_go_to_the_department_and_the_place_stands_second() -> None:
    first, second = proposed("主城区道路的路灯坏了需要维修", "桃城区永兴路")
    assert (first.unit, first.line) == (CITY_MANAGEMENT, CITY_LAMPS)
    assert second.unit is TAOCHENG


def test_the_area_code_weighs_more_than_a_name_in_the_address() -> None:
    (only,) = proposed("有人乱停车", "从桃城区往南走", area_code="131103102", category="XX")
    assert only.unit is JIZHOU


def test_a_township_in_the_address_tells_its_county() -> None:
    (only,) = proposed("浇地的渠堵了", "周村镇东头", category="XX")
    assert only.unit is JIZHOU
    assert only.line is None
    assert "周村镇" in only.reason


def test_a_place_named_only_in_the_citizens_words_is_found() -> None:
    assert proposed("我们桃城区这边垃圾没人收", category="XX")[0].unit is TAOCHENG


def test_nothing_to_go_by_gives_no_candidate_rather_than_a_guess() -> None:
    assert proposed("您好", category="") == []


def test_a_county_is_pointed_to_its_township_named_in_the_address() -> None:
    east = Unit(id=10, code="HS-JZ-05", name="冀州区码头李镇", tier=3, area_code="131103005", parent_id=2)
    found = propose_below(text="码头李镇东头", above=JIZHOU, units=[ZHOUCUN, east])
    assert found is not None
    assert found.unit is east
    assert propose_below(text="冀州区别处", above=JIZHOU, units=[ZHOUCUN, east]) is None


def test_a_zone_is_found_by_the_name_people_use() -> None:
    zone = Unit(id=11, code="HS-GX", name="高新技术产业开发区管理委员会", tier=2, area_code="131171", parent_id=1)
    found = propose(text="", address="高新区和平路", area_code="", category_code="", lines=[], units=[*UNITS, zone])
    assert found[0].unit is zone
