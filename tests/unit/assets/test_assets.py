"""A caller reads the number off a lamp post: place, kind of matter and who keeps it are known."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM
from hotline.assets import queries, service
from hotline.assets.models import Asset, AssetKeeper, Level
from hotline.assets.service import Keeper
from hotline.audit import AccessLog
from hotline.errors import Invalid
from hotline.work_orders import proposal
from hotline.work_orders import service as orders
from tests.conftest import NOON
from tests.factories.orders import draft
from tests.factories.units import WATER, City, city

CODE = "LD-12345678"
KEEPERS = {Level.COUNTY: Keeper("王五", "19900003333", "区城管局"), Level.TOWN: Keeper("张三", "19900001111")}


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def lamp(session: Session, here: City, code: str = CODE, **fields: object) -> Asset:
    told = {
        "name": "德政大道3号路灯杆",
        "kind": "路灯",
        "address": "冀州区德政大道3号",
        "area_code": "131103",
        "unit": here.county,
        "below": here.township,
        "category_code": WATER,
        "keepers": KEEPERS,
        **fields,
    }
    return service.put_asset(session, actor=SYSTEM, now=NOON, code=code, **told)  # type: ignore[arg-type]


def test_an_asset_is_written_with_its_keepers_and_leaves_a_trace_without_their_names(session: Session, here: City):
    asset = lamp(session, here)
    assert service.keepers_of(asset) == KEEPERS
    lamp(session, here, keepers={Level.TOWN: Keeper("赵六")})
    assert service.keepers_of(asset) == {Level.TOWN: Keeper("赵六")}
    assert len(session.scalars(select(AssetKeeper)).all()) == 1
    log = session.scalars(select(AccessLog).where(AccessLog.subject == "asset").order_by(AccessLog.id)).all()
    assert [row.act for row in log] == ["add", "change"]
    assert not any(word in str(row.details) for row in log for word in ("赵六", "张三", "1990000"))


def test_the_same_again_changes_nothing(session: Session, here: City):
    lamp(session, here)
    lamp(session, here)
    assert len(session.scalars(select(AccessLog).where(AccessLog.subject == "asset")).all()) == 1


def test_the_unit_is_tier_two_and_the_one_below_stands_under_it(session: Session, here: City):
    with pytest.raises(Invalid) as caught:
        lamp(session, here, unit=here.township, below=here.far_township)
    assert set(caught.value.details) == {"unit", "below"}
    with pytest.raises(Invalid, match="不是冀州区政府下属"):
        lamp(session, here, below=here.far_township)


@pytest.mark.parametrize("typed", [CODE, "ld-12345678", " 12345678 ", "1234 5678", "ＬＤ－１２３４５６７８"])
def test_it_is_found_however_the_number_is_typed(session: Session, here: City, typed: str):
    asset = lamp(session, here)
    assert queries.find(session, typed) is asset


def test_what_is_out_of_use_or_stands_twice_is_not_found(session: Session, here: City):
    lamp(session, here, active=False)
    assert queries.find(session, CODE) is None
    lamp(session, here, "A-5678")
    lamp(session, here, "B-5678")
    assert queries.find(session, "5678") is None
    assert queries.find(session, "") is None


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("三号路灯杆，12345678，晚上不亮", True),
        ("路灯编号是幺二三四，五六七八", False),  # a pause in the middle: two numbers
        ("路灯编号是幺二三四五六七八", True),
        ("我住三号楼，灯坏了两天", False),
        ("我的电话19900001234", False),
    ],
)
def test_it_is_heard_when_the_number_is_read_out(session: Session, here: City, said: str, found: bool):
    asset = lamp(session, here)
    assert queries.said_in(session, said) is (asset if found else None)


def test_naming_it_in_a_draft_fills_place_and_category(session: Session, here: City):
    asset = lamp(session, here)
    order = draft(session, here, content="路灯不亮", address="", area_code="", category_code="")
    order.touched = ["content"]
    fields = {"asset_code": "12345678"}
    changed = orders.save_draft(session, order=order, fields=fields, typed=True, actor=here.operator, now=NOON)
    assert changed == ["asset_code", "address", "area_code", "category_code"]
    assert (order.asset, order.asset_code) == (asset, CODE)
    assert (order.address, order.area_code, order.category_code) == (asset.address, "131103", WATER)
    # what a person wrote stays
    orders.save_draft(
        session,
        order=order,
        fields={"address": "德政大道路口", "asset_code": ""},
        typed=True,
        actor=here.operator,
        now=NOON,
    )
    orders.save_draft(session, order=order, fields=fields, typed=True, actor=here.operator, now=NOON)
    assert order.address == "德政大道路口"
    with pytest.raises(Invalid) as caught:
        odd = {"asset_code": "99"}
        orders.save_draft(session, order=order, fields=odd, typed=True, actor=here.operator, now=NOON)
    assert set(caught.value.details) == {"asset_code"}
    assert order.asset is asset


def test_who_keeps_it_is_proposed_first(session: Session, here: City):
    asset = lamp(session, here)
    found = proposal.propose(
        text="路灯不亮",
        address="桃城区永兴路",
        area_code="131102",
        category_code="",
        lines=[],
        units=[here.county, here.other_county],
        asset=asset,
    )
    assert [one.unit for one in found] == [here.county, here.other_county]
    assert found[0].reason == f"部件 {CODE} 德政大道3号路灯杆，责任人 张三（乡级）"
