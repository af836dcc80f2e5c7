"""The supervisors' board: orders by level, notices and their replies, citizens to be told, and how units stand."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hotline.errors import NotFound
from hotline.web.access import roles, the_actor
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import tell_once
from hotline.work_orders import queries as orders_queries
from hotline.work_orders import service
from hotline.work_orders.asks import extensions, information
from hotline.work_orders.models import Notice, OrderRequest
from hotline.work_orders.states import Supervision
from hotline.work_orders.supervision import queries
from hotline.work_orders.words import SUPERVISION_WORDS

bp = Blueprint("supervision", __name__, url_prefix="/supervision")

SUPERVISORS: Final = ("SUP",)
WAITING, LATE, REPLIES, TELL = "waiting", "late", "replies", "tell"
LEVELS: Final = tuple(level for level in Supervision if level != Supervision.NONE)


@bp.get("")
@roles(*SUPERVISORS)
def board() -> ResponseReturnValue:
    """What is supervised: the worst level that has any, unless another is asked for."""
    actor, now = the_actor(), runtime().now()
    page = max(request.args.get("page", 1, type=int), 1)
    under = request.args.get("unit", type=int)
    with transaction() as session:
        counts = queries.level_counts(session, actor, under=under)
        letters = queries.notice_counts(session, actor, now=now, under=under)
        worst = next((level for level in reversed(LEVELS) if counts.get(level)), LEVELS[0])
        show = request.args.get("show") or (REPLIES if letters.unread else worst.value)
        to_tell, to_ask = extensions.to_tell(session), information.to_tell(session)
        orders = notices = None
        if show == REPLIES:
            notices = queries.to_read(session, actor, under=under, page=page)
        elif show in (WAITING, LATE):
            notices = queries.waiting(session, actor, now=now, late_only=show == LATE, under=under, page=page)
        elif show != TELL:
            level = show if show in set(LEVELS) else worst.value
            orders = queries.orders_at(session, actor, level=level, under=under, page=page)
        figures = queries.by_unit(session, actor, now=now)
        chips = [
            _chip(REPLIES, "待阅回复", letters.unread, show, under),
            *(
                _chip(level.value, SUPERVISION_WORDS[level], counts.get(level, 0), show, under)
                for level in reversed(LEVELS)
            ),
            _chip(WAITING, "待单位回复", letters.waiting, show, under),
            _chip(LATE, "逾期未回复", letters.late, show, under),
            _chip(TELL, "待电话告知", len(to_tell) + len(to_ask), show, under),
        ]
        return render_template(
            "office/supervision.html",
            chips=chips,
            show=show,
            orders_found=orders,
            notices=notices,
            to_tell=[
                (row, orders_queries.caller_view(row.order, actor), extensions.told_ground(row.order))
                for row in to_tell
            ]
            if show == TELL
            else None,
            to_ask=[
                (order, orders_queries.caller_view(order, actor), information.missing_words(order))
                for order in to_ask
                if show == TELL
            ],
            total=sum(counts.values()),
            figures=figures,
            under=under,
            levels=LEVELS,
        )


def _chip(show: str, word: str, count: int, shown: str, under: int | None) -> dict[str, Any]:
    return {
        "href": url_for("office.supervision.board", show=show, unit=under),
        "word": word,
        "count": count,
        "on": show == shown,
        "tone": "late" if count and show in (LATE, Supervision.RED) else "",
    }


@bp.post("/notices/<int:notice_id>/read")
@roles(*SUPERVISORS)
def read(notice_id: int) -> ResponseReturnValue:
    """Note that the unit's reply was read."""
    with transaction() as session:
        notice = session.get(Notice, notice_id)
        if notice is None:
            raise NotFound("没有这份通知")

        def act() -> str:
            service.read_reply(session, notice=notice, actor=the_actor(), now=runtime().now())
            return f"{notice.unit.name}的回复已阅"

        return tell_once(session, act, then=url_for("office.supervision.board"))


@bp.post("/extensions/<int:request_id>/told")
@roles(*SUPERVISORS)
def told(request_id: int) -> ResponseReturnValue:
    """Note that a citizen was told by telephone that their order takes longer."""
    with transaction() as session:
        asked = session.get(OrderRequest, request_id)
        if asked is None:
            raise NotFound("没有这项延期")

        def act() -> str:
            extensions.told(session, request=asked, actor=the_actor(), now=runtime().now())
            return f"{asked.order.order_no} 已电话告知"

        return tell_once(session, act, then=url_for("office.supervision.board", show=TELL))
