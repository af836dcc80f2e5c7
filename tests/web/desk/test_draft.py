"""What an operator types stays: over later words, a reload, a hang-up, a fault."""

from __future__ import annotations

from collections.abc import Callable

from hotline.accounts.service import SYSTEM
from hotline.calls import queries as calls
from hotline.calls import service
from hotline.calls.models import Call
from hotline.db import SessionFactory, session_scope
from hotline.gazetteer.service import put_place
from hotline.units.queries import by_code
from hotline.work_orders import queries as orders
from hotline.work_orders.states import Status
from tests.web.desk.conftest import Desk, say
from tests.web.ivr.conftest import Clock


def test_typed_words_outlive_a_reload_and_the_hang_up(
    ready: Desk, talking: int, sessions: SessionFactory, clock: Clock
) -> None:
    ready.open(f"/desk/calls/{talking}")
    sent = ready.fields() | {"address": "永兴路五洲国际5号楼", "caller_name": "王小明"}
    assert ready.send(f"/desk/calls/{talking}/draft", sent).status_code == 303
    with session_scope(sessions) as session:
        service.caller_gone(session, provider_id=session.get_one(Call, talking).provider_id, now=clock())
    page = ready.open()
    assert "话后整理" in page
    assert ready.fields()["address"] == "永兴路五洲国际5号楼"
    assert ready.fields()["caller_name"] == "王小明"
    ready.send("/desk/wrap-up/done")
    assert f'href="/desk/calls/{talking}"' in ready.open()  # the idle desk lists the draft
    ready.open(f"/desk/calls/{talking}")
    assert ready.send(f"/desk/calls/{talking}/submit", ready.fields()).status_code == 303
    with session_scope(sessions) as session:
        assert orders.of_call(session, talking)[0].status == Status.TO_REVIEW


def test_later_words_fill_what_nobody_touched_and_nothing_else(
    ready: Desk, talking: int, sessions: SessionFactory, clock: Clock
) -> None:
    ready.open(f"/desk/calls/{talking}")
    ready.send(f"/desk/calls/{talking}/draft", ready.fields() | {"content": "老人行动不便，请先送水。"})
    with session_scope(sessions) as session:
        say(session, talking, "整栋楼都没有水", at=clock(), start_ms=9000)
        say(session, talking, "好的我记下了", at=clock(), start_ms=12000, track="operator")
    told = ready.browser.get(f"/desk/calls/{talking}/filling").get_json()
    assert told["values"]["content"] == "老人行动不便，请先送水。"
    assert "content" not in told["from_call"]
    assert "title" in told["from_call"]
    ready.open(f"/desk/calls/{talking}")
    assert ready.fields()["content"] == "老人行动不便，请先送水。"


def test_a_form_opened_before_the_latest_words_saves_what_its_reader_saw(
    ready: Desk, talking: int, sessions: SessionFactory, clock: Clock
) -> None:
    ready.open(f"/desk/calls/{talking}")
    old = ready.fields()
    with session_scope(sessions) as session:
        say(session, talking, "整栋楼都没有水", at=clock(), start_ms=9000)
    ready.send(f"/desk/calls/{talking}/submit", old)
    with session_scope(sessions) as session:
        order = orders.of_call(session, talking)[0]
        assert (order.content, order.touched) == (old["content"], [])


def test_a_field_put_back_to_what_it_was_stays_put_back(ready: Desk, talking: int, sessions: SessionFactory) -> None:
    ready.open(f"/desk/calls/{talking}")
    first = ready.fields()
    ready.send(f"/desk/calls/{talking}/draft", first | {"title": "别的"})
    ready.open(f"/desk/calls/{talking}")
    assert ready.fields()["title"] == "别的"
    ready.send(f"/desk/calls/{talking}/draft", ready.fields() | {"title": first["title"]})
    ready.open(f"/desk/calls/{talking}")
    assert ready.fields()["title"] == first["title"]


def test_no_order_number_is_spent_before_something_is_saved(
    ready: Desk, talking: int, sessions: SessionFactory
) -> None:
    ready.open(f"/desk/calls/{talking}")
    ready.browser.get(f"/desk/calls/{talking}/filling")
    with session_scope(sessions) as session:
        assert orders.of_call(session, talking) == []
    assert ready.send(f"/desk/calls/{talking}/resolve", {"outcome": "no_demand"}).status_code == 303
    with session_scope(sessions) as session:
        assert orders.of_call(session, talking) == []
        assert session.get_one(Call, talking).outcome == "no_demand"


def test_what_is_missing_is_said_beside_the_field_and_what_was_typed_is_kept(
    ready: Desk, rings: Callable[..., int], answered: Callable[[int], None], sessions: SessionFactory
) -> None:
    call_id = rings(said=None)
    ready.open()
    ready.send(f"/desk/calls/{call_id}/accept")
    answered(call_id)
    ready.open()
    answer = ready.send(f"/desk/calls/{call_id}/submit", ready.fields() | {"title": "路灯不亮"})
    assert answer.status_code == 422
    assert "请填写问题分类" in answer.text
    assert 'id="f-content-error"' in answer.text
    assert 'value="路灯不亮"' in answer.text
    sheet = ready.browser.htmx(f"/desk/calls/{call_id}/check", ready.fields() | {"title": "路灯不亮"})
    assert "还差几项" in sheet.text
    with session_scope(sessions) as session:
        assert [order.status for order in orders.of_call(session, call_id)] == [Status.DRAFT]


def test_the_sheet_asks_for_a_number_only_where_none_is_known(
    ready: Desk, rings: Callable[..., int], answered: Callable[[int], None]
) -> None:
    call_id = rings(phone=None, said="饶阳县大尹村镇的路灯不亮")
    ready.send(f"/desk/calls/{call_id}/accept")
    answered(call_id)
    ready.open()
    filled = ready.fields() | {"category_code": "0301", "content": "路灯不亮", "address": "永兴路"}

    def sheet(contact: str) -> str:
        return ready.browser.htmx(f"/desk/calls/{call_id}/check", filled | {"caller_contact": contact}).text

    assert "没有号码" in sheet("")
    assert "没有号码" not in sheet("19900001234")


def test_the_sheet_reads_back_number_unit_and_limit(ready: Desk, talking: int, sessions: SessionFactory) -> None:
    ready.open(f"/desk/calls/{talking}")
    sheet = ready.browser.htmx(f"/desk/calls/{talking}/check", ready.fields()).text
    with session_scope(sessions) as session:
        number = orders.of_call(session, talking)[0].order_no
    for words in (number, "桃城区人民政府", "责任清单 L1", "办理时限", "2026年11月25日"):
        assert words in sheet


def test_the_same_submission_twice_is_one_order_and_a_late_save_begins_none(
    ready: Desk, talking: int, sessions: SessionFactory
) -> None:
    ready.open(f"/desk/calls/{talking}")
    form = ready.fields()
    first = ready.send(f"/desk/calls/{talking}/submit", form)
    again = ready.send(f"/desk/calls/{talking}/submit", form)
    assert (first.status_code, again.status_code) == (303, 303)
    late = ready.browser.htmx(f"/desk/calls/{talking}/draft", form | {"title": "迟到的修改"})
    assert late.status_code == 409
    with session_scope(sessions) as session:
        assert len(orders.of_call(session, talking)) == 1


def test_one_call_may_give_a_second_order(ready: Desk, talking: int, sessions: SessionFactory) -> None:
    ready.open(f"/desk/calls/{talking}")
    ready.send(f"/desk/calls/{talking}/submit", ready.fields())
    assert '<form id="draft"' not in ready.open(f"/desk/calls/{talking}")
    ready.open(f"/desk/calls/{talking}?more=1")
    second = ready.fields()
    assert (second["content"], second["matter"]) == ("", "1")
    ready.send(
        f"/desk/calls/{talking}/submit",
        second | {"content": "路灯也不亮", "category_code": "0301", "address": "永兴路"},
    )
    with session_scope(sessions) as session:
        found = orders.of_call(session, talking)
        assert [order.status for order in found] == [Status.TO_REVIEW] * 2
        assert calls.visible_to(session, ready.actor, talking).outcome == "ordered"


def test_nothing_fitting_is_answered_for_a_reason_and_without_one_it_is_not(
    ready: Desk, talking: int, sessions: SessionFactory
) -> None:
    ready.open()
    refused = ready.send(f"/desk/calls/{talking}/resolve", {"suggestion_id": "", "outcome": "answered"})
    assert refused.status_code == 422
    assert "说明没有合适条目的原因" in refused.text
    told = {"suggestion_id": "", "outcome": "answered", "no_entry_reason": "告知物业电话"}
    assert ready.send(f"/desk/calls/{talking}/resolve", told).status_code == 303
    with session_scope(sessions) as session:
        order = orders.of_call(session, talking)[0]
        assert (order.status, order.no_entry_reason) == (Status.ANSWERED, "告知物业电话")


def test_a_place_of_two_counties_is_asked_for_and_the_answer_is_kept(
    ready: Desk,
    rings: Callable[..., int],
    answered: Callable[[int], None],
    sessions: SessionFactory,
    clock: Clock,
) -> None:
    with session_scope(sessions) as session:
        for code in ("JZ", "TC"):
            county = by_code(session, code)
            put_place(session, actor=SYSTEM, now=clock(), name="五洲国际", kind="estate", county=county)
    talking = rings("五洲国际停水两天了")
    ready.open()
    ready.send(f"/desk/calls/{talking}/accept")
    answered(talking)
    page = ready.open(f"/desk/calls/{talking}")
    assert "“五洲国际”不止一处" in page
    assert page.count('data-choose="area_code"') == 2
    assert ready.send(f"/desk/calls/{talking}/draft", ready.fields() | {"area_code": "131102"}).status_code == 303
    assert "不止一处" not in ready.open(f"/desk/calls/{talking}")
    assert ready.fields()["area_code"] == "131102"
