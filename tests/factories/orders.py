"""An order at any stage of the main line, brought there by the verbs themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from hotline.calendars.china import ChinaCalendar
from hotline.callers import service as callers
from hotline.callers.models import Caller
from hotline.work_orders import service
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories.units import WATER, City

TZ = ZoneInfo("Asia/Shanghai")
CALENDAR = ChinaCalendar()
WHEN: dict[str, Any] = {"calendar": CALENDAR, "tz": TZ}
PHONE = "+8619900001234"
RELEASED = "某小区停水，请尽快处理。"  # what units read of a confidential order
REPLY = "水管已修复，11月18日下午恢复供水。感谢您的反映。"

DRAFT: dict[str, Any] = {
    "demand_type": "help",
    "category_code": WATER,
    "content": "五洲国际小区停水两天，请尽快处理。",
    "address": "桃城区永兴路五洲国际5号楼3单元",
    "event_time": "两天前",
    "read_back_ok": True,
}


def caller(session: Session, phone: str | None = PHONE, name: str | None = "王小明") -> Caller:
    """Add a caller."""
    return callers.remember(session, phone=phone, name=name, now=NOON)


def report_fields(**changes: Any) -> dict[str, Any]:
    """Return a report that passes, with ``changes``."""
    return {
        "contacted": True,
        "contacted_at": NOON,
        "contact_way": "电话",
        "solved": "yes",
        "public_reply": REPLY,
        "process": "更换DN40闸阀一只",
        **changes,
    }


def draft(session: Session, city: City, *, now: datetime = NOON, who: Caller | None = None, **fields: Any) -> WorkOrder:
    """Return a draft ready to be submitted."""
    who = who or caller(session)
    order = service.start_draft(session, call=None, caller=who, actor=city.operator, now=now, tz=TZ)
    service.save_draft(session, order=order, fields={**DRAFT, **fields}, typed=True, actor=city.operator, now=now)
    return order


def order_at(
    session: Session,
    city: City,
    status: Status,
    *,
    now: datetime = NOON,
    step: timedelta = timedelta(minutes=5),
    via_township: bool = True,
    assisting: bool = False,
    report: dict[str, Any] | None = None,
    who: Caller | None = None,
    **fields: Any,
) -> WorkOrder:
    """Return an order in ``status`` of the main line (up to ``TO_CALL_BACK``), one step each ``step`` of time."""
    order = draft(session, city, now=now, who=who, **fields)
    moment = now

    def walk(what: Callable[[datetime], object]) -> None:
        nonlocal moment
        moment += step
        what(moment)

    def submit(at: datetime) -> None:
        service.submit(session, order=order, actor=city.operator, now=at, **WHEN)
        if order.confidential:
            service.release(session, order=order, actor=city.reviewer, now=at, content=RELEASED)

    line: list[Callable[[datetime], object]] = [
        submit,
        lambda at: service.dispatch(
            session,
            order=order,
            actor=city.reviewer,
            now=at,
            lead_unit_id=city.county.id,
            assisting_ids=[city.power.id] if assisting else [],
            advice="请核实供水情况",
            **WHEN,
        ),
        lambda at: service.sign(session, order=order, actor=city.county_clerk, now=at),
    ]
    if via_township:
        line += [
            lambda at: service.hand_down(
                session, order=order, actor=city.county_clerk, now=at, unit_id=city.township.id, **WHEN
            ),
            lambda at: service.sign(session, order=order, actor=city.township_clerk, now=at),
        ]
    reporter = city.township_clerk if via_township else city.county_clerk
    line.append(
        lambda at: service.report(
            session, order=order, actor=reporter, now=at, **report_fields(**(report or {})), **WHEN
        )
    )
    if via_township:
        line.append(lambda at: service.approve(session, order=order, actor=city.county_clerk, now=at, **WHEN))
    line.append(lambda at: service.approve(session, order=order, actor=city.reviewer, now=at, **WHEN))
    for what in line:
        if order.status == status:
            return order
        walk(what)
    assert order.status == status, f"{status} is not on the main line"
    return order
