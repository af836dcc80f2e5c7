"""Ringing for urgent orders, for supervisors: who was rung when, with what end; ring once more."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from hotline.alarms import queries, service
from hotline.alarms.states import ALARM_WORDS, TRY_WORDS
from hotline.errors import NotFound
from hotline.live.base import Hint
from hotline.web import pages
from hotline.web.access import roles, when
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import once
from hotline.web.switchboard import tell

bp = Blueprint("alarms", __name__, url_prefix="/alarms")
SUPERVISORS: Final = ("SUP",)


@bp.get("")
@roles(*SUPERVISORS)
def listed() -> ResponseReturnValue:
    """What failed and still waits to be signed first, then what rings, then the last days."""
    with transaction() as session:
        rows = queries.recent(session, now=runtime().now())
        return render_template("office/alarms.html", rows=rows, alarm_words=ALARM_WORDS, try_words=TRY_WORDS)


@bp.post("/<int:alarm_id>/again")
@roles(*SUPERVISORS)
def again(alarm_id: int) -> ResponseReturnValue:
    """Ring whoever is on duty now, from the beginning."""
    with transaction() as session:

        def act() -> ResponseReturnValue:
            alarm = queries.alarm_of(session, alarm_id)
            if alarm is None:
                raise NotFound("没有这次拨打")
            new = service.again(session, alarm=alarm, **when())
            if new.ended_at is None:
                pages.toast("正在重新拨打值班人员")
            else:
                pages.toast("现在没有可以拨打的人，请排班或登记值班电话", tone="late")
            return pages.go(url_for("office.alarms.listed"))

        answer = once(session, act)
    tell(Hint("alarms", "changed"))
    return answer
