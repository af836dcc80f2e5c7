"""Gas-heating money not paid back to 808 households: one order, one report, each household done for itself."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.imports import read
from hotline.work_orders import batches, journal, service
from hotline.work_orders.models import BatchItem, WorkOrder
from hotline.work_orders.states import Status
from hotline.work_orders.story import story
from tests.conftest import NOON
from tests.factories.orders import WHEN, order_at, report_fields
from tests.factories.units import City, city

DAY = timedelta(days=1)


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


@pytest.fixture
def order(session: Session, here: City) -> WorkOrder:
    return order_at(session, here, Status.IN_HAND_TIER3, content="气代煤取暖补贴没有退到户。")


def sheet(*lines: str, head: str = "姓名,联系电话,地址,备注"):
    return read("\n".join([head, *lines]).encode(), "名单.csv")


def households(count: int):
    return sheet(*(f"户主{n},1990000{n:04},大齐村{n}号," for n in range(1, count + 1)))


def write(session: Session, here: City, order: WorkOrder, rows, actor=None) -> int:
    return service.list_households(session, order=order, actor=actor or here.reviewer, now=NOON + DAY, rows=rows)


def done(session: Session, here: City, order: WorkOrder, numbers=None, now=NOON + DAY, **more):
    return service.settle_households(session, order=order, actor=here.township_clerk, now=now, numbers=numbers, **more)


def report(session: Session, here: City, order: WorkOrder, now=NOON + DAY, **fields):
    return service.report(session, order=order, actor=here.township_clerk, now=now, **report_fields(**fields), **WHEN)


def test_808_households_one_report_four_days(session: Session, here: City, order: WorkOrder):
    assert write(session, here, order, households(808)) == 808
    assert order.households == 808
    left = iter(range(1, 809))
    for day in range(1, 4):
        numbers = list(islice(left, 200))
        assert done(session, here, order, numbers, now=NOON + day * DAY).done == day * 200
        with pytest.raises(Invalid) as caught:
            report(session, here, order, now=NOON + day * DAY)
        assert caught.value.details["solved"] == f"还有 {808 - day * 200} 户没有办完（共 808 户），不能填“已解决”"
    assert done(session, here, order, now=NOON + 4 * DAY, text="补贴已到账") == batches.Progress(808, 808)
    report(session, here, order, now=NOON + 4 * DAY)
    assert order.status == Status.TO_CHECK_TIER2
    told = story(session, order, here.township_clerk)[-1]
    assert ("批量", "共 808 户，已办 808 户") in told.facts
    assert journal.verify(session) == []
    notes = {one.note for one in batches.items(session, order)}
    assert notes == {"", "补贴已到账"}


def test_partly_may_be_reported_and_says_how_many(session: Session, here: City, order: WorkOrder):
    write(session, here, order, households(3))
    done(session, here, order, [2])
    report(session, here, order, solved="partly", unsolved_reason="资金不足")
    assert order.events[-1].data["households"] == 3
    assert order.events[-1].data["households_done"] == 1


def test_a_list_with_a_fault_is_not_written_at_all_and_every_line_is_told(
    session: Session, here: City, order: WorkOrder
):
    rows = sheet(
        "张三,19900000001,大齐村1号,", ",19900000002,,", "", "张三,19900000001,大齐村1号,", f"李四,,{'长' * 201},"
    )
    with pytest.raises(Invalid) as caught:
        write(session, here, order, rows)
    lines = caught.value.details["lines"]
    assert isinstance(lines, list)
    told = [line for line in lines if line]
    assert [line.split("：")[1] for line in told] == ["请填写姓名或地址", "与前面的一户相同", "地址最多 200 字"]
    assert session.scalar(select(func.count(BatchItem.id))) == 0
    assert (order.households, order.events[-1].action) == (0, "sign")


def test_a_sheet_with_nothing_in_it_is_said(session: Session, here: City, order: WorkOrder):
    with pytest.raises(Invalid, match="没有一户"):
        write(session, here, order, sheet("1,2", head="序号,金额"))


def test_more_households_come_after_those_there_are(session: Session, here: City, order: WorkOrder):
    write(session, here, order, households(2))
    with pytest.raises(Invalid, match="没有写入"):
        write(session, here, order, households(3))  # the first two are there
    write(session, here, order, sheet("王五,,大齐村99号,"), actor=here.township_clerk)
    assert [one.no for one in batches.items(session, order)] == [1, 2, 3]
    assert order.households == 3


def test_names_and_numbers_are_kept_encrypted(session: Session, here: City, order: WorkOrder):
    write(session, here, order, households(1))
    session.flush()
    kept = session.execute(text("select name, contact, place from batch_items")).one()
    assert not any("户主1".encode() in bytes(cell) or b"1990000" in bytes(cell) for cell in kept)
    assert "户主" not in str([event.data for event in order.events])


def test_only_who_holds_the_order_settles_and_only_what_is_left(session: Session, here: City, order: WorkOrder):
    write(session, here, order, households(2))
    with pytest.raises(NotPermitted):
        service.settle_households(session, order=order, actor=here.reviewer, now=NOON + DAY)
    with pytest.raises(Invalid, match="没有第 7 户"):
        done(session, here, order, [7])
    done(session, here, order, [1])
    with pytest.raises(Invalid, match="还没有办完"):
        done(session, here, order, [1])
    report(session, here, order, solved="partly", unsolved_reason="资金不足")
    waiting = order_at(session, here, Status.TO_CALL_BACK)
    with pytest.raises(NotAllowedNow):
        write(session, here, waiting, households(1))
