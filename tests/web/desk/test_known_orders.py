"""A call about an order that exists, one that is not for us, one that cannot wait, and one about two matters."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from hotline.calls.models import Call
from hotline.db import SessionFactory, session_scope
from hotline.outbox import OutboxMessage
from hotline.work_orders import queries as orders
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.factories import calls as make
from tests.factories.orders import caller, order_at
from tests.factories.units import City
from tests.web.desk.conftest import Desk


@pytest.fixture
def number(sessions: SessionFactory, town: City) -> str:
    """The number of an order the same caller has open, in a township's hands."""
    with session_scope(sessions) as session:
        return order_at(session, town, Status.IN_HAND_TIER3, who=caller(session, phone=make.PHONE)).order_no


def found(sessions: SessionFactory, number: str) -> WorkOrder:
    with session_scope(sessions) as session:
        order = session.scalars(select(WorkOrder).where(WorkOrder.order_no == number)).one()
        session.expunge(order)
        return order


def outcome(sessions: SessionFactory, call_id: int) -> str:
    with session_scope(sessions) as session:
        return session.get_one(Call, call_id).outcome


def test_the_caller_s_open_order_is_hurried_from_the_desk(
    number: str, ready: Desk, talking: int, sessions: SessionFactory
) -> None:
    at = f"/desk/calls/{talking}/orders/{number}"
    assert at in ready.open(f"/desk/calls/{talking}")
    assert "撤诉" in ready.open(at)
    assert ready.send(f"{at}/tell", {"what": "urge", "text": "还没有人来"}).status_code == 303
    assert ready.send(f"{at}/tell", {"what": "supplement", "text": "三单元也停了"}).status_code == 303
    assert found(sessions, number).urge_count == 1
    assert outcome(sessions, talking) == "ordered"
    page = ready.open(f"/desk/calls/{talking}")
    assert "已催 1 次" in page
    assert ready.send(f"{at}/tell", {"what": "supplement", "text": " "}).status_code == 422
    assert "三单元也停了" in ready.open(at)


def test_a_demand_is_taken_back_once_it_was_read_back(
    number: str, ready: Desk, talking: int, sessions: SessionFactory
) -> None:
    at = f"/desk/calls/{talking}/orders/{number}"
    refused = ready.send(f"{at}/withdraw", {"reason": "已经来水"})
    assert refused.status_code == 422
    assert "复述" in refused.text
    assert "已经来水" in refused.text
    assert ready.send(f"{at}/withdraw", {"reason": "已经来水", "read_back_ok": "1"}).status_code == 303
    order = found(sessions, number)
    assert (order.status, order.close_kind) == (Status.CLOSED, "withdrawn")


def test_what_is_missing_is_said_beside_the_call_and_without_script_a_link_leads_back(
    number: str, ready: Desk, talking: int
) -> None:
    at = f"/desk/calls/{talking}/orders/{number}"
    whole = ready.open(at)
    assert f'href="/desk/calls/{talking}"' in whole and "返回通话" in whole
    for path, typed in (("withdraw", {"reason": "已经来水"}), ("tell", {"what": "supplement", "text": " "})):
        assert f'hx-post="{at}/{path}" hx-target="#peek"' in whole
        beside = ready.browser.htmx(f"{at}/{path}", typed)
        assert beside.status_code == 422
        assert "<html" not in beside.text and "返回通话" not in beside.text
        assert "返回通话" in ready.send(f"{at}/{path}", typed).text
    done = ready.browser.htmx(f"{at}/withdraw", {"reason": "已经来水", "read_back_ok": "1"})
    assert (done.status_code, done.headers["HX-Redirect"]) == (204, f"/desk/calls/{talking}")


def test_the_same_matter_goes_to_the_order_there_is_and_leaves_no_draft(
    number: str, ready: Desk, talking: int, sessions: SessionFactory
) -> None:
    ready.open(f"/desk/calls/{talking}")
    ready.send(f"/desk/calls/{talking}/draft", ready.fields())
    at = f"/desk/calls/{talking}/orders/{number}"
    assert "本次草稿不再保留" in ready.open(f"{at}?same=1")
    assert ready.send(f"{at}/tell", {"what": "supplement", "text": "又漏水了", "same": "1"}).status_code == 303
    with session_scope(sessions) as session:
        assert [order.status for order in orders.of_call(session, talking)] == [Status.CLOSED]
        texts = [row.payload for row in session.scalars(select(OutboxMessage)) if row.topic == "sms.send"]
    assert "withdrawn" not in [text["template"] for text in texts]


def test_what_is_not_for_us_is_refused_with_the_channel(ready: Desk, talking: int, sessions: SessionFactory) -> None:
    ready.open(f"/desk/calls/{talking}")
    at = f"/desk/calls/{talking}/refuse"
    assert "纪检" in ready.open(at)
    assert ready.send(at, {}).status_code == 422
    assert ready.send(at, {"ground": "lawsuit"}).status_code == 303
    with session_scope(sessions) as session:
        order = orders.of_call(session, talking)[0]
        assert order.status == Status.REFUSED
        assert order.content  # what was said is kept
    assert outcome(sessions, talking) == "answered"
    assert "不予受理" in ready.open(f"/desk/calls/{talking}")


def test_what_is_urgent_goes_out_from_the_desk_at_once(
    ready: Desk, talking: int, sessions: SessionFactory, town: City
) -> None:
    ready.open(f"/desk/calls/{talking}")
    urgent = ready.fields() | {"urgency": "critical", "sensitive_kind": "hazard"}
    sheet = ready.browser.htmx(f"/desk/calls/{talking}/check", urgent).text
    assert f"立即派给{town.other_county.name}" in sheet
    assert "安全隐患" in sheet
    assert ready.send(f"/desk/calls/{talking}/dispatch", urgent).status_code == 303
    with session_scope(sessions) as session:
        order = orders.of_call(session, talking)[0]
        assert (order.status, order.lead_unit_id) == (Status.TO_SIGN, town.other_county.id)
        assert order.sensitive_kind == "hazard"


def test_what_can_wait_is_not_sent_past_the_dispatcher(ready: Desk, talking: int, sessions: SessionFactory) -> None:
    ready.open(f"/desk/calls/{talking}")
    calm = ready.fields() | {"urgency": "normal"}
    assert "立即派给" not in ready.browser.htmx(f"/desk/calls/{talking}/check", calm).text
    assert ready.send(f"/desk/calls/{talking}/dispatch", calm).status_code == 409
    with session_scope(sessions) as session:
        assert [order.status for order in orders.of_call(session, talking)] in ([], [Status.DRAFT])


def test_one_call_gives_two_orders_with_lives_of_their_own(
    ready: Desk, talking: int, sessions: SessionFactory, answered: Callable[[int], None]
) -> None:
    ready.open(f"/desk/calls/{talking}")
    assert ready.send(f"/desk/calls/{talking}/submit", ready.fields()).status_code == 303
    page = ready.open(f"/desk/calls/{talking}")
    assert "再记一件" in page
    ready.open(f"/desk/calls/{talking}?more=1")
    second = ready.fields()
    assert (second["content"], second["address"]) == ("", "")  # the words were the first one's
    second |= {"content": "门口路灯也不亮", "category_code": "0301", "address": "永兴路", "demand_type": "report"}
    assert ready.send(f"/desk/calls/{talking}/draft", second).status_code == 303
    assert "门口路灯也不亮" in ready.open(f"/desk/calls/{talking}")
    assert ready.send(f"/desk/calls/{talking}/submit", ready.fields()).status_code == 303
    with session_scope(sessions) as session:
        first, other = orders.of_call(session, talking)
        assert {first.status, other.status} == {Status.TO_REVIEW}
        assert first.order_no != other.order_no
        assert first.caller_id == other.caller_id
        assert other.content == "门口路灯也不亮"
