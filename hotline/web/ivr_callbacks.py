"""Callbacks by telephone: officer and citizen into their conference, the rating by key, how their lines stand."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM
from hotline.follow_ups import lines
from hotline.follow_ups import service as follow_ups
from hotline.follow_ups.states import KEYS, Way
from hotline.telephony.base import CarrierRefused, CarrierUnreachable
from hotline.web import twiml
from hotline.web.access import public
from hotline.web.context import runtime
from hotline.web.forms import csrf
from hotline.web.webhook import Reply, count_in_query, field, id_in_query, links, once

log = logging.getLogger(__name__)
bp = Blueprint("callback", __name__, url_prefix="/callback")
csrf.exempt(bp)  # the carrier's signature guards it, as all of ``ivr``, where it is nested

WRONG_KEYS_AT_MOST: Final = 2


@bp.post("/officer")
@public
def officer() -> Response:
    """A callback officer's line is open: into the conference; the citizen is rung now."""
    attempt_id = id_in_query("attempt")

    def handle(session: Session, now: datetime) -> Reply:
        there = lines.officer_answered(session, attempt_id=attempt_id, provider_id=field("CallSid"), now=now)
        return Reply(twiml.meet(_room(attempt_id)) if there else twiml.hang_up())

    return once(handle)


@bp.post("/citizen")
@public
def citizen() -> Response:
    """The citizen answers a callback: greeted, then into the conference with the officer."""
    attempt_id = id_in_query("attempt")

    def handle(session: Session, now: datetime) -> Reply:
        there = lines.citizen_answered(session, attempt_id=attempt_id, provider_id=field("CallSid"), now=now)
        return Reply(twiml.meet(_room(attempt_id), twiml.CALLBACK_PERSON) if there else twiml.farewell(twiml.GOODBYE))

    return once(handle)


@bp.post("/keypad")
@public
def keypad() -> Response:
    """The citizen answers a call that asks for a key."""
    attempt_id = id_in_query("attempt")

    def handle(session: Session, now: datetime) -> Reply:
        there = lines.citizen_answered(session, attempt_id=attempt_id, provider_id=field("CallSid"), now=now)
        action = links().callback_keyed(attempt_id, wrong=0)
        return Reply(twiml.ask_rating(action, wrong_before=False) if there else twiml.farewell(twiml.GOODBYE))

    return once(handle)


@bp.post("/keyed")
@public
def keyed() -> Response:
    """A key of the rating, or none in time: thanks for 1, 2, 3; two more chances for anything else."""
    attempt_id = id_in_query("attempt")

    def handle(session: Session, now: datetime) -> Reply:
        satisfaction, wrong = KEYS.get(request.form.get("Digits", "")), count_in_query("wrong") + 1
        if satisfaction is not None:
            attempt = lines.attempt_of(session, attempt_id)
            follow_ups.evaluate(
                session,
                callback=attempt.callback,
                satisfaction=satisfaction,
                way=Way.KEYPAD,
                actor=SYSTEM,
                now=now,
                attempt=attempt,
            )
            return Reply(twiml.farewell(twiml.THANKS_RATED))
        if wrong > WRONG_KEYS_AT_MOST:
            return Reply(twiml.farewell(twiml.GOODBYE))
        return Reply(twiml.ask_rating(links().callback_keyed(attempt_id, wrong=wrong), wrong_before=True))

    return once(handle)


def _room(attempt_id: int) -> str:
    return f"callback-{attempt_id}"


def line_status(call_sid: str, word: str) -> Response:
    """Answer the carrier's word about a line of a callback; an officer whose citizen is gone is hung up."""
    to_hang_up: list[str] = []

    def handle(session: Session, now: datetime) -> Reply:
        line = lines.line_status(
            session,
            attempt_id=id_in_query("attempt"),
            party=request.args.get("party", ""),
            status=word,
            provider_id=call_sid,
            now=now,
            tz=runtime().settings.tz,
        )
        to_hang_up.extend([line] if line is not None else [])
        return Reply(twiml.nothing())

    answer = once(handle)
    for line in to_hang_up:
        try:
            runtime().telephony.hang_up(line)
        except (CarrierRefused, CarrierUnreachable) as fault:
            log.warning("officer's line not hung up: %s", type(fault).__name__)  # they hear silence and hang up
    return answer
