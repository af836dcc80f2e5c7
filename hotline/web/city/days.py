"""The calendar: a month with its working days, holidays and make-up days, and the city's own on top."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline import audit
from hotline.calendars import service
from hotline.calendars.base import Day
from hotline.calendars.models import CityDay
from hotline.errors import Invalid, NotFound
from hotline.web import pages
from hotline.web.access import roles, the_actor
from hotline.web.city.changes import steps_of
from hotline.web.city.views import KEEPERS, today
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import once, tell_once
from hotline.web.sheets import sheet_answer

bp = Blueprint("days", __name__, url_prefix="/calendar")
SUBJECT: Final = "city_day"
WORDS: Final = {"working": "上班", "name": "说明"}
ACTS: Final = {"add": "新增", "change": "修改", "remove": "恢复公共日历"}
FIRST_YEAR, LAST_YEAR = 2000, 2100
LONGEST: Final = 20


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of the month view; ``own`` when the city declared it."""

    day: Day
    own: bool
    href: str

    @property
    def look(self) -> str:
        """How the cell is drawn."""
        weekend = self.day.day.weekday() >= calendar.SATURDAY
        kind = ("make-up" if weekend else "") if self.day.working else "off"
        return f"{kind}{' own' if self.own else ''}".strip()


@bp.get("")
@roles(*KEEPERS)
def month() -> ResponseReturnValue:
    """A month, Monday first."""
    first = _month(request.args.get("month", ""))
    before, after = (first - timedelta(days=1)).replace(day=1), (first + timedelta(days=32)).replace(day=1)
    with transaction() as session:
        own = _own(session)
        weeks = [
            [_cell(one, own) if one.month == first.month else None for one in week]
            for week in calendar.Calendar().monthdatescalendar(first.year, first.month)
        ]
    cells = [cell for week in weeks for cell in week if cell]
    return render_template(
        "city/calendar.html",
        first=first,
        weeks=weeks,
        before=url_for("office.city.days.month", month=f"{before:%Y-%m}"),
        after=url_for("office.city.days.month", month=f"{after:%Y-%m}"),
        working=sum(cell.day.working for cell in cells),
        provisional=any(cell.day.provisional for cell in cells),
        own=sorted(own.items(), reverse=True),
        today=today(),
        weekdays="一二三四五六日",
    )


def _cell(day: date, own: dict[date, CityDay]) -> Cell:
    href = url_for("office.city.days.opened", day=day.isoformat())
    if kept := own.get(day):  # straight from the database: the clocks follow within seconds
        return Cell(Day(day, kept.working, kept.name, provisional=False), own=True, href=href)
    return Cell(runtime().calendar.day(day), own=False, href=href)


def _own(session: Session) -> dict[date, CityDay]:
    return {row.day: row for row in session.scalars(select(CityDay))}


def _month(text: str) -> date:
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        first = today().replace(day=1)
    return first if FIRST_YEAR <= first.year <= LAST_YEAR else today().replace(day=1)


@bp.get("/export.<form>")
@roles(*KEEPERS)
def sheet(form: str) -> ResponseReturnValue:
    """Take the city's own days away; the sheet can be imported again."""
    with transaction() as session:
        rows = [
            [day.isoformat(), "上班" if row.working else "休息", row.name] for day, row in sorted(_own(session).items())
        ]
    return sheet_answer("工作日历", form, ["日期", "上班", "说明"], rows)


@bp.get("/<day>")
@roles(*KEEPERS)
def opened(day: str) -> ResponseReturnValue:
    """One day: what it is, and what the city makes of it."""
    return _page(_day(day), {}, {})


@bp.post("/<day>")
@roles(*KEEPERS)
def save(day: str) -> ResponseReturnValue:
    """Declare a day working or free."""
    wanted, typed = _day(day), request.form.to_dict()
    name, working = typed.get("name", "").strip(), typed.get("working", "")
    faults: dict[str, object] = {}
    if not name:
        faults["name"] = "请填写说明，如 春节、调休上班"
    elif len(name) > LONGEST:
        faults["name"] = f"不能超过 {LONGEST} 个字"
    if working not in ("0", "1"):
        faults["working"] = "请选择上班或休息"
    if faults:
        return _page(wanted, typed, faults), 422
    with transaction() as session:

        def act() -> str:
            service.put_day(session, day=wanted, working=working == "1", name=name, **_who())
            return f"{wanted.month}月{wanted.day}日 已设为{'上班' if working == '1' else '休息'}；已给出的时限不变"

        return tell_once(session, act, then=url_for("office.city.days.month", month=f"{wanted:%Y-%m}"))


@bp.post("/<day>/public")
@roles(*KEEPERS)
def leave(day: str) -> ResponseReturnValue:
    """Leave the day to the public calendar again; the way back is offered."""
    wanted = _day(day)
    with transaction() as session:

        def act() -> ResponseReturnValue:
            kept = session.get(CityDay, wanted)
            if kept is None:
                raise Invalid("这一天没有本市的设置")
            back = url_for("office.city.days.again", day=day, working=int(kept.working), name=kept.name)
            service.remove_day(session, day=wanted, **_who())
            pages.toast(f"{wanted.month}月{wanted.day}日 已恢复公共日历", undo=back)
            return pages.go(url_for("office.city.days.month", month=f"{wanted:%Y-%m}"))

        return once(session, act)


@bp.post("/<day>/again")
@roles(*KEEPERS)
def again(day: str) -> ResponseReturnValue:
    """Take back that a day was left to the public calendar."""
    wanted, name = _day(day), request.args.get("name", "").strip()[:LONGEST]
    if not name:
        raise Invalid("没有可以撤销的设置")
    with transaction() as session:

        def act() -> str:
            service.put_day(session, day=wanted, working=request.args.get("working") == "1", name=name, **_who())
            return f"{wanted.month}月{wanted.day}日 已恢复本市的设置"

        return tell_once(session, act, then=url_for("office.city.days.month", month=f"{wanted:%Y-%m}"))


@bp.get("/history")
@roles(*KEEPERS)
def history() -> ResponseReturnValue:
    """Who changed which day, when, from what to what."""
    with transaction() as session:
        steps = steps_of(session, audit.of(session, SUBJECT), ACTS, WORDS, {})
    return render_template(
        "city/history.html", steps=steps, title="工作日历", one=False, back=url_for("office.city.days.month")
    )


def _who() -> dict[str, Any]:
    return {"user_id": the_actor().user_id, "now": runtime().now()}


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise NotFound("没有这一天") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise NotFound("没有这一天")
    return day


def _page(day: date, typed: dict[str, str], faults: dict[str, object]) -> str:
    with transaction() as session:
        cell = _cell(day, _own(session))
    values = {"working": str(int(cell.day.working)), "name": cell.day.name if cell.own else ""} | typed
    return render_template(
        "city/day.html",
        cell=cell,
        values=values,
        faults=faults,
        weekday="一二三四五六日"[day.weekday()],
        back=url_for("office.city.days.month", month=f"{day:%Y-%m}"),
    )
