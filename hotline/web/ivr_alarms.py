"""Duty officers on the line: what is urgent, and the key that signs for it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from hotline.alarms import ringing, service
from hotline.alarms.models import AlarmTry
from hotline.alarms.states import LAST_RANK, RANK, TryState
from hotline.calls import spoken
from hotline.errors import NotAllowedNow
from hotline.live.base import Hint
from hotline.units import queries as units
from hotline.web import twiml
from hotline.web.access import public
from hotline.web.forms import csrf
from hotline.web.switchboard import tell
from hotline.web.webhook import Reply, count_in_query, field, id_in_query, links, once
from hotline.work_orders.states import Urgency
from hotline.work_orders.words import URGENCY_WORDS

bp = Blueprint("alarm", __name__, url_prefix="/alarm")
csrf.exempt(bp)  # the carrier's signature guards it, as all of ``ivr``, where it is nested

ASKED_AT_MOST: Final = 3
SIGN_KEY, PASS_KEY = "1", "2"
SIGNED: Final = "已签收，请立即处置，处置情况请及时反馈。谢谢，再见。"
NOT_NEEDED: Final = "这张工单不需要您再签收。谢谢，再见。"
OVER: Final = "这次呼叫已经结束，请登录系统签收，或等候再次来电。再见。"
PASSED: Final = "好的，将为您转下一位值班人员。再见。"
NO_KEY: Final = "没有收到按键，将转下一位值班人员。再见。"
KEYS: Final = "签收处置请按一，转下一位请按二。"
CHANGED: Final = Hint("alarms", "changed")


@bp.post("/officer")
@public
def officer() -> Response:
    """An officer answers: told what is urgent, asked for a key."""
    try_id, turn = id_in_query("try"), count_in_query("turn")

    def handle(session: Session, now: datetime) -> Reply:
        attempt = ringing.officer_answered(session, try_id=try_id, provider_id=field("CallSid"), now=now)
        if attempt is None:
            return Reply(twiml.farewell(_too_late(session, service.attempt_of(session, try_id))))
        return Reply(twiml.ask_key(links().alarm_keyed(try_id, turn=turn), [_told(session, attempt), KEYS]))

    return _told_on(once(handle))


@bp.post("/keyed")
@public
def keyed() -> Response:
    """1 signs for the unit, 2 and silence lead to the next officer; another key is asked again."""
    try_id, turn, key = id_in_query("try"), count_in_query("turn") + 1, request.form.get("Digits", "")

    def handle(session: Session, now: datetime) -> Reply:
        attempt = service.attempt_of(session, try_id)
        if attempt.provider_id not in {None, field("CallSid")} or RANK[TryState(attempt.state)] == LAST_RANK:
            return Reply(twiml.farewell(SIGNED if attempt.state == TryState.SIGNED else _too_late(session, attempt)))
        if key == SIGN_KEY:
            signed = service.sign(session, attempt=attempt, now=now)
            return Reply(twiml.farewell(SIGNED if signed else NOT_NEEDED))
        if key == PASS_KEY or turn >= ASKED_AT_MOST:
            service.ended(session, attempt=attempt, state=TryState.PASSED if key else TryState.NO_KEY, now=now)
            return Reply(twiml.farewell(PASSED if key else NO_KEY))
        sentences = [twiml.WRONG_KEY] if key else []
        action = links().alarm_keyed(try_id, turn=turn)
        return Reply(twiml.ask_key(action, [*sentences, _told(session, attempt), KEYS]))

    try:
        return _told_on(once(handle))
    except NotAllowedNow:  # somebody changed the order at the same moment: now it is known how it stands
        return _told_on(once(handle))


def line_status(call_sid: str, word: str) -> Response:
    """Answer the carrier's word about an officer's line: one that is over lets the next officer be rung."""

    def handle(session: Session, now: datetime) -> Reply:
        ringing.line_status(session, try_id=id_in_query("alarm"), status=word, provider_id=call_sid, now=now)
        return Reply(twiml.nothing())

    return _told_on(once(handle))


def _too_late(session: Session, attempt: AlarmTry) -> str:
    return OVER if service.waits(session, attempt.alarm) else NOT_NEEDED


def _told_on(answer: Response) -> Response:
    tell(CHANGED)
    return answer


def _told(session: Session, attempt: AlarmTry) -> str:
    """What an officer hears: number, urgency and the township, nothing about the citizen, and of a confidential order
    not where either."""
    order = attempt.alarm.order
    told = {}
    if not order.confidential:
        told["事项"] = units.category_named(session, order.category_code)
        told["地点"] = units.areas_named(session, [order.area_code]).get(order.area_code, "")
    about = "".join(f"{what}：{words}，" for what, words in told.items() if words)
    urgency = URGENCY_WORDS[Urgency(order.urgency)]
    return (
        f"您好，这里是一二三四五热线。{attempt.alarm.unit.name}有一张{urgency}工单等待签收，"
        f"工单编号{spoken.number(order.order_no)}，{about}请登录系统查看详情。"
    )
