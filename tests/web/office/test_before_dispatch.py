"""Before it goes out: a confidential demand is redacted, one told already is merged."""

from __future__ import annotations

from sqlalchemy import select

from hotline.db import SessionFactory, session_scope
from hotline.work_orders import service
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories.orders import WHEN, caller, draft, order_at
from tests.factories.units import City
from tests.web.staff import Staff

SAID = "我叫王小明，电话19900001234，邻居私接电线给电动车充电。"
REDACTED = "有人私接电线给电动车充电，请核实。"


def waiting(sessions: SessionFactory, here: City, phone: str = "+8619900001234", **fields: object) -> str:
    with session_scope(sessions) as session:
        order = draft(session, here, who=caller(session, phone=phone), **fields)
        service.submit(session, order=order, actor=here.operator, now=NOON, **WHEN)
        return order.order_no


def found(sessions: SessionFactory, number: str) -> WorkOrder:
    with session_scope(sessions) as session:
        order = session.scalars(select(WorkOrder).where(WorkOrder.order_no == number)).one()
        session.expunge(order)
        return order


def test_a_confidential_demand_is_released_masked_and_then_goes_out(
    here: City, staff: Staff, sessions: SessionFactory
) -> None:
    number = waiting(sessions, here, confidential=True, content=SAID)
    browser = staff(here.reviewer)
    at = f"/office/dispatch/{number}"
    page = browser.get(at).text
    assert "我叫王**，电话199****1234" in page
    assert "disabled" in page
    held = browser.post(at, {"lead": str(here.county.id)})
    assert (held.status_code, "脱敏放行" in held.text) == (409, True)
    refused = browser.post(f"{at}/release", {"content": SAID})
    assert refused.status_code == 422
    assert "还有个人信息" in refused.text
    assert SAID in refused.text
    assert browser.post(f"{at}/release", {"content": REDACTED}).headers["Location"] == at
    page = browser.get(at).text
    assert "已放行" in page
    assert REDACTED in page
    assert browser.post(at, {"lead": f"{here.county.id}:"}).status_code == 303
    assert found(sessions, number).status == Status.TO_SIGN
    assert REDACTED in staff(here.county_clerk).get(f"/portal/orders/{number}").text


def test_what_is_told_already_is_merged_with_one_press(here: City, staff: Staff, sessions: SessionFactory) -> None:
    with session_scope(sessions) as session:
        main = order_at(session, here, Status.IN_HAND, who=caller(session, phone="+8619900005678")).order_no
    number = waiting(sessions, here)
    browser = staff(here.reviewer)
    at = f"/office/dispatch/{number}"
    page = browser.get(at).text
    assert "可能是同一件事" in page
    assert "说法相近" in page
    assert f'value="{main}"' in page
    assert browser.post(f"{at}/merge", {}).status_code == 422
    assert browser.post(f"{at}/merge", {"into": main}).headers["Location"] == "/office/dispatch"
    assert f"/office/dispatch/{number}" not in browser.get("/office/dispatch").text
    assert "共同反映" in browser.get(f"/office/orders/{main}").text
    assert browser.get(f"/office/orders/{number}").status_code == 200


def test_nobody_else_releases_or_merges(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = waiting(sessions, here, confidential=True, content=SAID)
    for actor in (here.operator, here.county_clerk, here.supervisor):
        for name in ("release", "merge"):
            assert staff(actor).post(f"/office/dispatch/{number}/{name}", {"content": REDACTED}).status_code == 403


def test_a_sensitive_demand_says_so(here: City, staff: Staff, sessions: SessionFactory) -> None:
    number = waiting(sessions, here, sensitive_kind="minor")
    assert "涉未成年" in staff(here.reviewer).get(f"/office/dispatch/{number}").text
