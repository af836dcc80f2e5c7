"""A unit brings its list of households, ticks them off, and reports once."""

from __future__ import annotations

import io

from sqlalchemy import select

from hotline.db import SessionFactory, session_scope
from hotline.work_orders import batches
from hotline.work_orders.models import BatchItem, WorkOrder
from hotline.work_orders.states import Status
from tests.factories.orders import order_at
from tests.factories.units import City
from tests.web.staff import Staff

LIST = "姓名,联系电话,地址,备注\n张三,19900000001,大齐村1号,\n李四,19900000002,大齐村2号,\n王五,,大齐村3号,\n"


def made(sessions: SessionFactory, here: City) -> str:
    with session_scope(sessions) as session:
        return order_at(session, here, Status.IN_HAND_TIER3).order_no


def sheet(text: str) -> dict[str, object]:
    return {"file": (io.BytesIO(text.encode()), "名单.csv")}


def items(sessions: SessionFactory) -> list[bool]:
    with session_scope(sessions) as session:
        return [one.done_at is not None for one in session.scalars(select(BatchItem).order_by(BatchItem.no))]


def test_the_list_is_brought_ticked_and_done(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here)
    at = f"/portal/orders/{number}/households"
    browser = staff(here.township_clerk)
    assert at in browser.get(f"/portal/orders/{number}").text
    assert browser.post(at, sheet(LIST)).status_code == 303
    page = browser.get(at).text
    assert "共 3 户" in page
    assert "199****0001" in page
    assert "19900000001" not in page
    assert browser.post(f"{at}/done", {}).status_code == 422
    assert browser.post(f"{at}/done", {"no": "2", "text": "已退到账"}).status_code == 303
    assert items(sessions) == [False, True, False]
    assert "已办 1 户，还有 2 户" in browser.get(at).text
    assert browser.post(f"{at}/done", {"all": "1"}).status_code == 303
    assert items(sessions) == [True, True, True]
    assert "批量户 3 户" in browser.get(f"/portal/orders/{number}").text


def test_a_long_list_is_ticked_page_by_page(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here)
    at = f"/portal/orders/{number}/households"
    browser = staff(here.township_clerk)
    rows = "".join(f"户{no},,大齐村{no}号,\n" for no in range(1, batches.PER_PAGE + 4))
    assert browser.post(at, sheet(f"姓名,联系电话,地址,备注\n{rows}")).status_code == 303
    first = browser.get(at).text
    assert first.count('name="no"') == batches.PER_PAGE
    assert "共 203 户" in first and f'rel="next" href="{at}?page=2"' in first
    second = browser.get(f"{at}?page=2").text
    assert second.count('name="no"') == 3
    assert f'action="{at}/done?page=2"' in second and f'rel="prev" href="{at}?page=1"' in second
    wrong = browser.post(f"{at}/done?page=2", {})
    assert wrong.status_code == 422
    assert wrong.text.count('name="no"') == 3
    done = browser.post(f"{at}/done?page=2", {"no": ["202", "203"]})
    assert (done.status_code, done.headers["Location"]) == (303, f"{at}?page=2")
    assert items(sessions) == [False] * 201 + [True, True]
    assert browser.get(f"{at}?page=99").text.count('name="no"') == 1  # the last page there is


def test_a_wrong_line_is_told_and_nothing_is_kept(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here)
    at = f"/portal/orders/{number}/households"
    answer = staff(here.township_clerk).post(at, sheet(f"{LIST},19900000009,,\n"))
    assert answer.status_code == 422
    assert "第 5 行：请填写姓名或地址" in answer.text
    assert items(sessions) == []
    with session_scope(sessions) as session:
        assert session.scalars(select(WorkOrder.households)).all() == [0]
    assert staff(here.township_clerk).post(at, {}).status_code == 422


def test_the_hub_brings_a_list_and_a_stranger_sees_none(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = made(sessions, here)
    at = f"/office/orders/{number}/households"
    browser = staff(here.reviewer)
    assert browser.post(at, sheet(LIST)).status_code == 303
    assert "共 3 户" in browser.get(at).text
    assert browser.post(f"{at}/done", {"all": "1"}).status_code == 403
    assert staff(here.far_township_clerk).get(f"/portal/orders/{number}/households").status_code == 404
