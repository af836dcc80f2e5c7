"""The same burst pipe told of twice is noticed; another matter next door is not."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM
from hotline.assets.service import put_asset
from hotline.db import key_ring
from hotline.work_orders import duplicates, service
from hotline.work_orders.duplicates import Demand
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories.orders import caller, order_at
from tests.factories.units import WATER, City, city

LATER = NOON + timedelta(days=1)
PIPE = "市民反映：永兴路五洲国际门口自来水管爆裂，水流了一地。"
OTHER_PHONE = "+8619900005678"


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def told(session: Session, here: City, content: str = PIPE, **fields: object) -> WorkOrder:
    return order_at(
        session,
        here,
        Status.TO_REVIEW,
        who=caller(session, phone=OTHER_PHONE, name=None),
        **{"content": content, "address": "桃城区永兴路五洲国际", "area_code": "131102001", **fields},
    )


def demand(text: str, **fields: object) -> Demand:
    known = {"address": "永兴路五洲国际门口", "area_code": "131102001", "category_code": WATER, **fields}
    return Demand(text=text, **known)  # type: ignore[arg-type]


def found(session: Session, wanted: Demand, **more: object) -> list[tuple[int, tuple[str, ...]]]:
    return [(one.order.id, one.reasons) for one in duplicates.find(session, wanted, now=LATER, **more)]


def test_the_same_matter_in_other_words_is_found_with_its_reasons(session: Session, here: City):
    order = told(session, here)
    wanted = demand("五洲国际门口水管爆裂，自来水流了一地")
    assert found(session, wanted) == [(order.id, ("地点相近", "说法相近", "分类相同"))]


def test_what_was_heard_wrong_is_found_by_its_sound(session: Session, here: City):
    order = told(session, here, "幸福里小区供暖不热")
    (only,) = duplicates.find(session, demand("性服里小区公暖不惹"), now=LATER)
    assert only.order is order
    assert "读音相近" in only.reasons


def test_another_matter_at_the_same_place_is_not_the_same(session: Session, here: City):
    told(session, here, "市民反映：广场舞音响声音太大，夜里睡不着。", category_code=WATER)
    assert found(session, demand("自来水管爆裂，水流了一地")) == []


def test_the_same_words_at_another_place_need_more_than_words(session: Session, here: City):
    told(session, here, address="冀州区德政大道", area_code="131103001")
    assert found(session, demand("自来水管爆裂", address="桃城区永兴路")) == []


def test_the_same_asset_alone_is_enough(session: Session, here: City):
    asset = put_asset(
        session,
        actor=SYSTEM,
        now=NOON,
        code="LD-12345678",
        name="3号灯杆",
        kind="路灯",
        address="德政大道",
        unit=here.county,
    )
    order = told(session, here, "灯杆倾斜", asset_code="LD-12345678")
    wanted = demand("晚上很黑看不见", address="", area_code="", category_code="", asset_id=asset.id)
    assert found(session, wanted) == [(order.id, ("同一部件 LD-12345678",))]


def test_the_same_caller_counts(session: Session, here: City):
    order = told(session, here, "水管爆裂", address="永兴路", area_code="")
    wanted = demand("水管又爆裂", address="", area_code="", category_code="")
    assert found(session, wanted) == []
    mine = demand(wanted.text, address="永兴路", area_code="", category_code="", **indexes())
    (only,) = found(session, mine)
    assert only[0] == order.id
    assert "同一来电人" in only[1]


def indexes() -> dict[str, object]:
    return {"phone_indexes": tuple(key_ring().indexes(OTHER_PHONE))}


def test_old_refused_and_merged_orders_and_itself_are_left_out(session: Session, here: City):
    order, main = told(session, here), told(session, here)
    service.merge(session, order=order, into=main, actor=here.reviewer, now=LATER)
    wanted = demand("自来水管爆裂，水流了一地")
    assert [one for one, _ in found(session, wanted)] == [main.id]
    service.refuse(session, order=main, actor=here.reviewer, now=LATER, ground="lawsuit")
    assert found(session, wanted) == []
    alone = told(session, here)
    assert found(session, duplicates.of_order(alone)) == []
    late = LATER + timedelta(days=duplicates.DAYS)
    assert duplicates.find(session, wanted, now=late) == []


def test_the_likeliest_comes_first_and_few_are_shown(session: Session, here: City):
    for _ in range(6):
        told(session, here, "五洲国际门口水管爆裂漏水")
    best = told(session, here)
    hits = duplicates.find(session, demand("永兴路五洲国际门口自来水管爆裂，水流了一地"), now=LATER)
    assert hits[0].order is best
    assert len(hits) == duplicates.SHOWN
    assert all(1 >= one.score >= two.score for one, two in pairwise(hits))
