"""Units' calls to citizens: both sides into their conference, how their lines stand."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from hotline.contacts import lines, queries, service
from hotline.contacts.states import ContactState
from hotline.telephony.base import CarrierUnreachable
from hotline.web import twiml
from hotline.web.access import public
from hotline.web.context import runtime
from hotline.web.forms import csrf
from hotline.web.webhook import Reply, field, id_in_query, once

log = logging.getLogger(__name__)
bp = Blueprint("contact", __name__, url_prefix="/contact")
csrf.exempt(bp)  # the carrier's signature guards it, as all of ``ivr``, where it is nested

TO_UNIT: Final = "正在为您接通来电人，请稍候。"
NOT_ANY_MORE: Final = "对不起，这张工单的情况有变化，现在不能联系来电人，请查看工单。"
NO_LINE: Final = "对不起，来电人的电话暂时不能接通，请稍后再试。"
TO_CITIZEN: Final = "您好，这里是一二三四五热线，办理您反映问题的单位与您联系，请稍候。"


@bp.post("/unit")
@public
def unit() -> Response:
    """The unit's side answers: into the conference, and the citizen is rung now; or told why that is not possible."""
    contact_id = id_in_query("contact")

    def handle(session: Session, now: datetime) -> Reply:
        there = lines.unit_answered(session, contact_id=contact_id, provider_id=field("CallSid"), now=now)
        return Reply(twiml.meet(room(contact_id), TO_UNIT) if there else twiml.farewell(_why(session, contact_id)))

    return once(handle)


@bp.post("/over")
@public
def over() -> Response:
    """The unit's side waited in the conference and nobody is put through: told why, and hung up."""
    contact_id = id_in_query("contact")
    return once(lambda session, now: Reply(twiml.farewell(_why(session, contact_id))))


def _why(session: Session, contact_id: int) -> str:
    """What the unit's side hears last."""
    call = service.call_of(session, contact_id)
    if call.state != ContactState.FAILED:
        return twiml.GOODBYE
    return NO_LINE if queries.still_may_call(session, call) else NOT_ANY_MORE


@bp.post("/citizen")
@public
def citizen() -> Response:
    """The citizen answers: told who calls, then into the conference."""
    contact_id = id_in_query("contact")

    def handle(session: Session, now: datetime) -> Reply:
        there = lines.citizen_answered(session, contact_id=contact_id, provider_id=field("CallSid"), now=now)
        return Reply(twiml.meet(room(contact_id), TO_CITIZEN) if there else twiml.farewell(twiml.GOODBYE))

    return once(handle)


def room(contact_id: int) -> str:
    """The name of a call's conference."""
    return f"contact-{contact_id}"


def line_status(call_sid: str, word: str) -> Response:
    """Answer the carrier's word about a line of such a call; the other side's line is hung up with it."""
    to_hang_up: list[str] = []

    def handle(session: Session, now: datetime) -> Reply:
        line = lines.line_status(
            session,
            contact_id=id_in_query("contact"),
            party=request.args.get("party", ""),
            status=word,
            provider_id=call_sid,
            now=now,
        )
        to_hang_up.extend([line] if line is not None else [])
        return Reply(twiml.nothing())

    answer = once(handle)
    for line in to_hang_up:
        try:
            lines.hang_up(runtime().telephony, line)
        except CarrierUnreachable as fault:
            log.warning("other side's line not hung up: %s", type(fault).__name__)  # they hear silence and hang up
    return answer
