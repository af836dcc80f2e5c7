"""How knowledge is used: adoption, mending, what is asked most, what nobody uses. Every figure leads to its rows."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import dropwhile
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hotline.imports.workbook import write_sheets
from hotline.knowledge_base.floor import usage
from hotline.knowledge_base.floor.usage import PER_PAGE, Sort
from hotline.knowledge_base.states import SignalKind
from hotline.web.access import roles
from hotline.web.context import runtime, transaction
from hotline.web.knowledge import EDITORS
from hotline.web.knowledge.floor import KINDS
from hotline.web.sheets import WORKBOOK, attached
from hotline.web.words import N_

bp = Blueprint("usage", __name__, url_prefix="/usage")

PERIODS: Final = {7: N_("近 7 天"), 30: N_("近 30 天"), 90: N_("近 90 天")}
USUAL: Final = 30
WEEKS: Final = 12
TOP: Final = 8
MOST_ROWS: Final = 10_000
LAST_PAGE: Final = 1_000_000
SORTS: Final = {
    Sort.ASKED: N_("问得最多"),
    Sort.USED: N_("采用最多"),
    Sort.WRONG: N_("标“不对”最多"),
    Sort.SHOWN: N_("显示最多"),
}


@bp.get("")
@roles(*EDITORS)
def shown() -> ResponseReturnValue:
    """The figures of a period (``days``), twelve weeks of adoption, and the tops of the lists."""
    days = _days()
    start, end = _period(days)
    midnight = _midnight(1)
    edges = [midnight - timedelta(weeks=back) for back in range(WEEKS, -1, -1)]
    with transaction() as session:
        weeks = dropwhile(lambda week: not week.counts.shown, usage.weeks(session, edges))
        return render_template(
            "knowledge/usage.html",
            days=days,
            chips=_chips("knowledge.usage.shown", days),
            figures=usage.figures(session, start, end),
            weeks=list(weeks),
            asked=usage.entries(session, start, end, sort=Sort.ASKED, limit=TOP),
            unanswered=usage.unanswered(session, start, end, limit=TOP),
            unused=usage.unused(session, start, end, limit=TOP),
        )


@bp.get("/entries")
@roles(*EDITORS)
def entries() -> ResponseReturnValue:
    """What became of every entry that was shown in the period, by what is counted (``sort``)."""
    days, page = _days(), _page()
    start, end = _period(days)
    asked = request.args.get("sort", "")
    sort = Sort(asked) if asked in SORTS else Sort.ASKED
    with transaction() as session:
        count = usage.count_entries(session, start, end, sort=sort)
        return render_template(
            "knowledge/usage_entries.html",
            days=days,
            chips=_chips("knowledge.usage.entries", days, sort=sort.value),
            sorts=[
                {"href": url_for("knowledge.usage.entries", days=days, sort=one.value), "word": word, "on": one == sort}
                for one, word in SORTS.items()
            ],
            lines=usage.entries(session, start, end, sort=sort, page=page),
            count=count,
            **_pager("knowledge.usage.entries", page, count, days=days, sort=sort.value),
        )


@bp.get("/unused")
@roles(*EDITORS)
def unused() -> ResponseReturnValue:
    """Entries published before the period that nobody used in it."""
    days, page = _days(), _page()
    start, end = _period(days)
    with transaction() as session:
        count = usage.count_unused(session, start, end)
        return render_template(
            "knowledge/usage_unused.html",
            days=days,
            chips=_chips("knowledge.usage.unused", days),
            lines=usage.unused(session, start, end, page=page),
            count=count,
            **_pager("knowledge.usage.unused", page, count, days=days),
        )


@bp.get("/export.xlsx")
@roles(*EDITORS)
def export() -> ResponseReturnValue:
    """Everything of the period as a workbook: each entry shown, what nobody used, what had no answer."""
    days = _days()
    start, end = _period(days)
    with transaction() as session:
        used = [
            [line.entry.code, line.entry.question, line.asked, line.counts.shown, line.counts.used, line.counts.wrong]
            for line in usage.entries(session, start, end, sort=Sort.SHOWN, limit=MOST_ROWS)
        ]
        idle = [
            [entry.code, entry.question, times] for entry, times in usage.unused(session, start, end, limit=MOST_ROWS)
        ]
        missing = [
            [line.typical, KINDS[SignalKind(line.task.kind)], line.count]
            for line in usage.unanswered(session, start, end, limit=MOST_ROWS)
        ]
    sheets = (
        ("条目的使用", ("编号", "问题", "排在首位", "显示", "采用", "不对"), used),
        ("从未采用", ("编号", "问题", "显示"), idle),
        ("没有答案的提问", ("市民怎样问", "种类", "次数"), missing),
    )
    pages_of = [(title, list(head), [[str(cell) for cell in row] for row in rows]) for title, head, rows in sheets]
    return attached(f"知识使用情况-{PERIODS[days]}.xlsx", write_sheets(pages_of), WORKBOOK)


def _days() -> int:
    days = request.args.get("days", USUAL, type=int)
    return days if days in PERIODS else USUAL


def _page() -> int:
    return min(max(1, request.args.get("page", 1, type=int)), LAST_PAGE)


def _midnight(ahead: int) -> datetime:
    """Return the city's midnight that many days after the last one."""
    run = runtime()
    return datetime.combine(run.today() + timedelta(days=ahead), time(), run.settings.tz)


def _period(days: int) -> tuple[datetime, datetime]:
    """Return the last whole ``days`` of the city, today among them."""
    return _midnight(1 - days), _midnight(1)


def _chips(endpoint: str, days: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"href": url_for(endpoint, days=one, **more), "word": word, "on": one == days} for one, word in PERIODS.items()
    ]


def _pager(endpoint: str, page: int, count: int, **asked: Any) -> dict[str, Any]:
    return {
        "page": page,
        "newer": url_for(endpoint, page=page - 1, **asked) if page > 1 else None,
        "older": url_for(endpoint, page=page + 1, **asked) if page * PER_PAGE < count else None,
    }
