"""Units that work by telephone: ``*`` during the greeting, then digits; and their text messages."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from hotline.dial_in import dialogue, texts
from hotline.dial_in.questions import Prompt
from hotline.web import twiml
from hotline.web.access import public
from hotline.web.context import runtime
from hotline.web.forms import csrf
from hotline.web.webhook import Reply, count_in_query, field, links, once

bp = Blueprint("unit", __name__, url_prefix="/unit")
csrf.exempt(bp)  # the carrier's signature guards it, as all of ``ivr``, where it is nested


@bp.post("/keyed")
@public
def keyed() -> Response:
    """Digits of a unit's person: the order's number, the PIN, what is to be done."""
    line, turn = field("CallSid"), count_in_query("turn")

    def handle(session: Session, now: datetime) -> Reply:
        prompt = dialogue.hear(
            session,
            provider_id=line,
            phone=request.form.get("From"),
            turn=turn,
            digits=request.form.get("Digits", ""),
            now=now,
            calendar=runtime().calendar,
            tz=runtime().settings.tz,
        )
        return Reply(say(prompt))

    # the default key is made of all that was sent, and that may be a PIN
    return once(handle, key=f"{line}:{turn}")


def begin(session: Session, now: datetime) -> Reply:
    """Answer the star: ask for the number of an order."""
    return Reply(say(dialogue.begin(session, provider_id=field("CallSid"), now=now)))


def say(prompt: Prompt) -> str:
    """Return a prompt as TwiML; whoever pressed the star by mistake goes on like every caller."""
    if prompt.to_person:
        return twiml.redirect(links().key("greeting"))
    if prompt.digits == 0:
        return twiml.farewell("".join(prompt.sentences))
    return twiml.ask_key(links().unit_keyed(prompt.turn), list(prompt.sentences), digits=prompt.digits)


def answer_to(session: Session, now: datetime) -> str | None:
    """Do what a message of a unit's person asks and return the answer; None when it is from anybody else."""
    return texts.take(
        session,
        phone=request.form.get("From"),
        body=request.form.get("Body", ""),
        now=now,
        calendar=runtime().calendar,
        tz=runtime().settings.tz,
    )
