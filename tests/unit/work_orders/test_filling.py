"""A draft takes from the conversation what it tells, and leaves empty what it does not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM
from hotline.gazetteer.queries import named_in
from hotline.gazetteer.service import put_place
from hotline.units.models import Category, ResponsibilityLine, Unit
from hotline.units.queries import active_units
from hotline.work_orders.drafting import _checked
from hotline.work_orders.filling import fill, places_in, which_place
from tests.conftest import NOON
from tests.factories.units import City, city


def unit(id: int, name: str, tier: int, parent: int | None, area: str) -> Unit:
    return Unit(id=id, code=f"U{id}", name=name, tier=tier, parent_id=parent, area_code=area)


UNITS = [
    unit(1, "热线中心", 1, None, ""),
    unit(2, "饶阳县人民政府", 2, 1, "131124"),
    unit(3, "武邑县人民政府", 2, 1, "131122"),
    unit(4, "桃城区人民政府", 2, 1, "131102"),
    unit(5, "饶阳县大尹村镇", 3, 2, "131124002"),
    unit(6, "武邑县审坡镇", 3, 3, "131122003"),
    unit(7, "饶阳县城关镇", 3, 2, "131124009"),
    unit(8, "武邑县城关镇", 3, 3, "131122009"),
    unit(9, "市城市管理综合行政执法局", 2, 1, ""),
]
CATEGORIES = [
    Category(code="CJ", name="城建城管", parent_code=""),
    Category(code="CJ-LD", name="路灯照明", parent_code="CJ"),
    Category(code="CJ-JG", name="井盖缺失", parent_code="CJ"),
    Category(code="WY-FW", name="物业服务", parent_code="CJ"),
]
LINES = [
    ResponsibilityLine(
        version="1",
        code="L1",
        matter="镇村路灯不亮、损坏的维修",
        category_code="CJ-LD",
        valid_from=date(2026, 1, 1),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
]


def filled(*said: str) -> dict[str, str]:
    return fill(said, units=UNITS, categories=CATEGORIES, lines=LINES)


def test_a_dark_lamp_in_a_township_fills_place_kind_time_and_category() -> None:
    fields = filled("喂您好", "饶阳县大尹村镇的路灯坏了一个月没有了晚上看不见路")
    assert fields == {
        "title": "饶阳县大尹村镇的路灯坏了一个月没有了晚上看不见路",
        "content": "市民反映：饶阳县大尹村镇的路灯坏了一个月没有了晚上看不见路。",
        "demand_type": "help",
        "event_time": "一个月",
        "category_code": "CJ-LD",
        "area_code": "131124002",
        "address": "饶阳县大尹村镇",
    }


def test_a_name_heard_with_other_characters_is_written_as_the_tree_knows_it() -> None:
    found = places_in("我在绕阳线大隐村镇这边", UNITS)  # same sounds, every second character wrong
    assert [one.name for one in found] == ["饶阳县", "大尹村镇"]


def test_the_side_of_a_building_goes_with_the_address() -> None:
    assert filled("井盖丢了一个在武邑县审坡镇政府东边")["address"] == "武邑县审坡镇政府东边"


def test_a_township_name_that_two_counties_have_is_not_guessed() -> None:
    assert "area_code" not in filled("城关镇的井盖丢了一个")
    assert filled("武邑县城关镇的井盖丢了一个")["area_code"] == "131122009"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("我要投诉一家烧烤店", "complaint"),
        ("我举报有人偷排污水", "report"),
        ("请问异地就医怎么报销", "consult"),
        ("我建议在路口增设红绿灯", "suggestion"),
        ("我想表扬一下派出所的民警", "praise"),
    ],
)
def test_the_kind_of_demand_follows_its_cue(said: str, kind: str) -> None:
    assert filled(said)["demand_type"] == kind


def test_danger_to_life_is_critical_and_water_is_urgent() -> None:
    assert filled("楼道里漏气了味道很大")["urgency"] == "critical"
    assert filled("家里停水两天了")["urgency"] == "urgent"
    assert "urgency" not in filled("路灯坏了")


def test_courtesy_alone_fills_nothing_and_a_common_word_is_no_category() -> None:
    assert filled() == {}
    assert filled("喂", "您好", "谢谢") == {}
    assert "category_code" not in filled("请帮我转人工服务我要查询昨天的工单")


@given(st.lists(st.text(max_size=400), max_size=5))
def test_whatever_is_heard_the_draft_takes_it(said: list[str]) -> None:
    fields = filled(*said)
    assert _checked(fields) == fields


# ---- places of the gazetteer


def with_places(session: Session, *listed: tuple[str, str, str]) -> City:
    """The small city with places: name, kind, code of the county."""
    here = city(session)
    here.county.name, here.other_county.name = "冀州区人民政府", "桃城区人民政府"
    counties = {"JZ": here.county, "TC": here.other_county}
    for name, kind, county in listed:
        put_place(session, actor=SYSTEM, now=NOON, name=name, kind=kind, county=counties[county], aliases=[f"老{name}"])
    session.flush()
    return here


def told(session: Session, *said: str) -> tuple[dict[str, str], list[str]]:
    units, gazetteer = active_units(session), partial(named_in, session)
    asked = which_place(said, units=units, gazetteer=gazetteer)
    fields = fill(said, units=units, categories=[], lines=[], gazetteer=gazetteer)
    return fields, [one.place.county.code for one in asked]


def test_a_road_of_the_gazetteer_tells_its_county_and_is_written_as_it_should_be(session: Session):
    with_places(session, ("德政大道", "road", "JZ"))
    fields, asked = told(session, "德正大道那边的路灯不亮了")
    assert (fields["area_code"], fields["address"], asked) == ("131103", "德政大道", [])
    assert told(session, "老德政大道的路灯不亮了")[0]["area_code"] == "131103"


def test_one_name_in_two_counties_is_asked_for_and_fills_no_area(session: Session):
    with_places(session, ("人民路", "road", "JZ"), ("人民路", "road", "TC"))
    fields, asked = told(session, "人民路的路灯不亮了")
    assert "area_code" not in fields and fields["address"].startswith("人民路")
    assert asked == ["JZ", "TC"]


def test_naming_the_county_answers_the_question(session: Session):
    with_places(session, ("人民路", "road", "JZ"), ("人民路", "road", "TC"))
    fields, asked = told(session, "桃城区人民路的路灯不亮了")
    assert (fields["area_code"], fields["address"], asked) == ("131102", "桃城区人民路", [])


def test_a_place_taken_out_of_use_is_not_heard(session: Session):
    here = with_places(session, ("人民路", "road", "JZ"))
    put_place(session, actor=SYSTEM, now=NOON, name="人民路", kind="road", county=here.county, active=False)
    assert "area_code" not in told(session, "人民路的路灯不亮了")[0]
