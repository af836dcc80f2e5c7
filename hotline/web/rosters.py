"""Who is on duty: a week of a unit as a table, with its gaps; in the units' part and in the hub's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.errors import Invalid
from hotline.rosters import queries, service
from hotline.rosters.models import DutyShift
from hotline.rosters.queries import KEEPERS, Gap
from hotline.web import pages
from hotline.web.access import roles, the_actor, when
from hotline.web.context import runtime, transaction
from hotline.web.formats import clock
from hotline.web.idempotency import tell_once
from hotline.web.moments import LOCAL, YEARS, moment_typed

WEEK: Final = timedelta(days=7)
WEEKDAYS: Final = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the week with whoever begins or goes on that day, and the stretches nobody is on."""

    date: date
    word: str
    shifts: list[DutyShift]
    gaps: list[Gap]


def make(template: str, readers: tuple[str, ...], keepers: tuple[str, ...]) -> Blueprint:
    """Return the roster's pages for one part of the house; ``template`` extends that part's page."""
    bp = Blueprint("roster", __name__, url_prefix="/roster")

    def page(typed: dict[str, Any] | None = None, faults: dict[str, object] | None = None) -> str:
        actor, tz, now = the_actor(), runtime().settings.tz, runtime().now()
        monday = _monday()
        with transaction() as session:
            unit = queries.unit_of(session, actor, _asked_unit())
            chosen = _asked_shift(session, unit.id)
            start = datetime.combine(monday, time(), tz)
            shifts = queries.between(session, unit.id, start, start + WEEK)
            return render_template(
                template,
                unit=unit,
                units=queries.kept_by(session, actor),
                days=[_day(monday + timedelta(days=number), shifts) for number in range(7)],
                now_on=queries.on_duty(session, unit, now=now),
                gaps=[gap_words(gap) for gap in queries.gaps(shifts, max(start, min(now, start + WEEK)), start + WEEK)],
                monday=monday,
                earlier=url_for(".week", unit=unit.id, week=(monday - WEEK).isoformat()),
                later=url_for(".week", unit=unit.id, week=(monday + WEEK).isoformat()),
                keeps=actor.role in KEEPERS,
                shift=chosen,
                typed=typed or _typed_of(chosen, monday),
                faults=faults or {},
                words=shift_words,
            )

    @bp.get("")
    @roles(*readers)
    def week() -> ResponseReturnValue:
        """A week (``?week=`` any day of it) of one's own unit or one below (``?unit=``)."""
        return page()

    @bp.post("")
    @roles(*keepers)
    def put() -> ResponseReturnValue:
        """Put somebody on duty, or change a shift."""

        def do(session: Session) -> str:
            unit = queries.unit_of(session, the_actor(), _asked_unit())
            service.put_shift(
                session,
                unit=unit,
                shift=_asked_shift(session, unit.id),
                name=request.form.get("name", ""),
                phone=request.form.get("phone", ""),
                starts_at=moment_typed("starts_at"),
                ends_at=moment_typed("ends_at"),
                position=request.form.get("position", 1, type=int),
                username=request.form.get("username", ""),
                **when(),
            )
            return "值班表已保存"

        try:
            return _once(do)
        except Invalid as fault:
            return page(request.form.to_dict(), fault.details), 422

    @bp.post("/remove")
    @roles(*keepers)
    def remove() -> ResponseReturnValue:
        """Take a shift off the roster."""

        def do(session: Session) -> str:
            shift = service.shift_of(session, the_actor(), request.form.get("shift", 0, type=_row_id))
            service.remove_shift(session, shift=shift, **when())
            return "已从值班表去掉"

        return _once(do)

    @bp.post("/copy")
    @roles(*keepers)
    def copy() -> ResponseReturnValue:
        """Copy the week before this one."""

        def do(session: Session) -> str:
            unit = queries.unit_of(session, the_actor(), _asked_unit())
            monday = datetime.combine(_monday(), time(), runtime().settings.tz)
            return f"已复制上周 {service.copy_week(session, unit=unit, monday=monday, **when())} 个班次"

        try:
            return _once(do)
        except Invalid as fault:
            pages.toast(fault.message, tone="soon")
            return pages.go(_here())

    return bp


def _once(do: Any) -> ResponseReturnValue:
    with transaction() as session:
        return tell_once(session, lambda: do(session), then=_here())


def _here() -> str:
    return url_for(".week", unit=_asked_unit(), week=_monday().isoformat())


def _row_id(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _asked_unit() -> int | None:
    return _row_id(request.values.get("unit", "")) or None


def _asked_shift(session: Session, unit_id: int) -> DutyShift | None:
    shift_id = _row_id(request.values.get("shift", ""))
    shift = service.shift_of(session, the_actor(), shift_id) if shift_id else None
    return shift if shift is not None and shift.unit_id == unit_id else None


def _monday() -> date:
    """The Monday of the week asked for, else of this one."""
    asked = request.values.get("week", "")
    try:
        found = date.fromisoformat(asked)
    except ValueError:
        found = runtime().today()
    if found.year not in YEARS:
        found = runtime().today()
    return found - timedelta(days=found.weekday())


def _day(day: date, shifts: Any) -> Day:
    tz = runtime().settings.tz
    start = datetime.combine(day, time(), tz)
    end = start + timedelta(days=1)
    on = [shift for shift in shifts if shift.starts_at < end and shift.ends_at > start]
    word = f"{WEEKDAYS[day.weekday()]} {day.month}月{day.day}日"
    return Day(day, word, on, queries.gaps(on, start, end))


def shift_words(shift: DutyShift, day: date) -> str:
    """``20:00–次日 08:00``: a shift as it stands on one day."""
    tz = runtime().settings.tz
    start, end = shift.starts_at.astimezone(tz), shift.ends_at.astimezone(tz)
    begins = f"{start:%H:%M}" if start.date() == day else "00:00"
    ends = (
        f"{end:%H:%M}"
        if end.date() == day
        else ("24:00" if end.date() > day + timedelta(days=1) else f"次日 {end:%H:%M}")
    )
    return f"{begins}–{ends}"


def gap_words(gap: Gap) -> str:
    """``周六 20:00 至 周日 08:00 无人值班``."""
    tz = runtime().settings.tz
    ends = gap.ends_at.astimezone(tz)
    starts = gap.starts_at.astimezone(tz)
    if ends.time() == time():  # midnight is the end of the day before
        last = ends - timedelta(days=1)
        until = f"{WEEKDAYS[last.weekday()]} 24:00"
    else:
        until = f"{WEEKDAYS[ends.weekday()]} {clock(gap.ends_at, tz)}"
    return f"{WEEKDAYS[starts.weekday()]} {clock(gap.starts_at, tz)} 至 {until} 无人值班"


def _typed_of(shift: DutyShift | None, monday: date) -> dict[str, Any]:
    tz = runtime().settings.tz
    if shift is None:
        return {"starts_at": f"{monday.isoformat()}T08:00", "ends_at": f"{monday.isoformat()}T20:00", "position": 1}
    return {
        "name": shift.name,
        "starts_at": f"{shift.starts_at.astimezone(tz):{LOCAL}}",
        "ends_at": f"{shift.ends_at.astimezone(tz):{LOCAL}}",
        "position": shift.position,
    }
