"""The proposed unit, with the line of the responsibility list that says so."""

from __future__ import annotations

from datetime import date

from hotline.routing.model import Candidate as Labelled
from hotline.routing.model import Proposal as Learnt
from hotline.units.models import ResponsibilityLine, Unit
from hotline.work_orders.proposal import Candidate, propose, propose_below, share_words, unsure

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


def learnt(*told: tuple[Unit, float], words: tuple[str, ...] = ("停水", "水压")) -> Learnt:
    return Learnt(tuple(Labelled(unit.code, sure, words) for unit, sure in told), asks=False)


def proposed(
    text: str,
    address: str = "",
    area_code: str = "",
    category: str = "CJ-LD",
    learnt: Learnt | None = None,
    without: tuple[int, ...] = (),
) -> list[Candidate]:
    return propose(
        text=text,
        address=address,
        area_code=area_code,
        category_code=category,
        lines=[VILLAGE_LAMPS, CITY_LAMPS],
        units=UNITS,
        learnt=learnt,
        without=without,
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


# ---- with what earlier orders taught


def test_earlier_orders_tell_the_unit_where_no_line_does_and_the_reason_names_their_words() -> None:
    first, second = proposed("停水了水压也低", category="XX", learnt=learnt((CITY_MANAGEMENT, 0.8), (JIZHOU, 0.1)))
    assert (first.unit, second.unit) == (CITY_MANAGEMENT, JIZHOU)
    assert first.line is None
    assert first.reason == "与以往同类工单相近：停水、水压"
    assert not unsure([first, second])
    assert 0 < second.confidence < first.confidence < 1


def test_what_the_list_and_earlier_orders_both_say_is_surer_and_tells_both_reasons() -> None:
    told = ("主城区道路的路灯坏了需要维修", "桃城区永兴路")
    alone = proposed(*told)[0]
    both = proposed(*told, learnt=learnt((CITY_MANAGEMENT, 0.9), (TAOCHENG, 0.05), words=("路灯",)))[0]
    assert both.unit is CITY_MANAGEMENT
    assert both.line is CITY_LAMPS
    assert both.confidence > alone.confidence
    assert both.reason == "责任清单 L02：主城区道路路灯的维修；与以往同类工单相近：路灯"


def test_where_list_and_earlier_orders_disagree_it_is_unsure_and_asks() -> None:
    city_only = propose(
        text="路灯坏了", address="", area_code="", category_code="CJ-LD", lines=[CITY_LAMPS], units=UNITS,
        learnt=learnt((TAOCHENG, 0.95), (JIZHOU, 0.03)),
    )  # fmt: skip
    assert [one.unit for one in city_only] == [CITY_MANAGEMENT, TAOCHENG]  # the list goes before habit …
    assert unsure(city_only)  # … but a person has to say
    assert not unsure(proposed("主城区道路的路灯坏了需要维修", "桃城区永兴路"))
    assert unsure([])


def test_earlier_orders_of_another_county_speak_for_the_government_of_this_place() -> None:
    first, *_ = proposed("浇地的渠堵了", "冀州区周村镇", category="XX", learnt=learnt((TAOCHENG, 0.9), (JIZHOU, 0.05)))
    assert first.unit is JIZHOU


def test_there_are_two_candidates_even_where_only_the_place_is_sure() -> None:
    found = proposed("道路上的路灯", "冀州区周村镇", category="XX")
    assert [one.unit for one in found] == [JIZHOU, CITY_MANAGEMENT]
    assert found[1].reason.startswith("责任清单相近事项 L02")
    assert len(proposed("主城区道路的路灯坏了", "桃城区", learnt=learnt((JIZHOU, 0.5), (TAOCHENG, 0.4)))) == 2


def test_a_unit_out_of_the_question_is_not_proposed_and_the_next_is() -> None:
    assert CITY_MANAGEMENT not in [one.unit for one in proposed("主城区道路的路灯", "桃城区", without=(5,))]


def test_a_model_that_names_units_no_longer_there_changes_nothing() -> None:
    gone = Unit(id=77, code="GONE", name="已撤并单位", tier=2, area_code="", parent_id=1)
    told = ("镇上的路灯不亮", "冀州区周村镇")
    assert proposed(*told, learnt=learnt((gone, 0.9))) == proposed(*told)


def test_nobody_is_told_that_anything_is_certain() -> None:
    assert [share_words(one) for one in (0.0, 0.724, 1.0)] == ["把握 1%", "把握 72%", "把握 99%"]
