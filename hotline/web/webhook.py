"""How every webhook of the carrier is taken: signed, read field by field, answered once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import Response, request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hotline.calls import receipts
from hotline.calls.links import Links
from hotline.errors import Invalid
from hotline.web import switchboard
from hotline.web.context import runtime, transaction

REPEATED_HEADER: Final = "I-Twilio-Idempotency-Token"
SID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
LARGEST_ID: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and what is due once it is committed.

    ``call_id``: screens that show this call or the queue change; ``user_ids``: operators whose desk changes;
    ``assign``: the queue may have an offer to make; ``message_id``: an outbox row to act on at once.
    """

    body: str
    call_id: int | None = None
    user_ids: tuple[int, ...] = ()
    assign: bool = False
    message_id: int | None = None


def xml(body: str) -> Response:
    """Return TwiML as an answer."""
    return Response(body, content_type="text/xml; charset=utf-8")


def plain(sentence: str, status: int) -> Response:
    """Return words as an answer: for whoever reads the carrier's log."""
    return Response(sentence, status, content_type="text/plain; charset=utf-8")


def field(name: str) -> str:
    """Return an id the carrier sends, or raise ``Invalid`` when it is missing or not of an id's form."""
    value = request.form.get(name, "")
    if not SID.fullmatch(value):
        raise Invalid(f"字段 {name} 缺失或格式不对", **{name: "缺失或格式不对"})
    return value


def id_in_query(name: str) -> int:
    """Return a row's id from the address, or raise ``Invalid``."""
    value = request.args.get(name, "")
    if not re.fullmatch(r"[0-9]{1,10}", value) or int(value) > LARGEST_ID:
        raise Invalid(f"参数 {name} 缺失或格式不对", **{name: "缺失或格式不对"})
    return int(value)


def count_in_query(name: str, *, without: int = 0) -> int:
    """Return a count this program put into the address itself; ``without`` for anything else."""
    value = request.args.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 7 else without


def links() -> Links:
    """Return the addresses the carrier is sent to."""
    return Links(runtime().settings.public_url)


def once(handle: Callable[[Session, datetime], Reply], *, key: str = "") -> Response:
    """Answer a webhook in one transaction and keep the answer: its repetition gets the same and does nothing.

    ``key`` says what makes two webhooks on this path the same one; by default the carrier's idempotency token, or
    all that was sent.
    """
    now = runtime().now()
    key = f"{request.path}:{key or request.headers.get(REPEATED_HEADER) or _digest()}"[:120]
    try:
        with transaction() as session:
            kept = receipts.answer_given(session, key)
            if kept is not None:
                return xml(kept)
            reply = handle(session, now)
            receipts.keep(session, key, reply.body, now=now)
    except IntegrityError:
        with transaction() as session:  # another process was answering the same webhook
            kept = receipts.answer_given(session, key)
        if kept is None:
            raise
        return xml(kept)
    _follow_up(reply)
    return xml(reply.body)


def _follow_up(reply: Reply) -> None:
    if reply.message_id is not None:
        switchboard.act_now(reply.message_id)
    if reply.call_id is not None:
        switchboard.tell_call(reply.call_id)
    switchboard.tell_desks(reply.user_ids, "call")
    if reply.assign:
        switchboard.assign()


def _digest() -> str:
    sent = sorted(request.form.items(multi=True))
    return hashlib.sha256(repr((request.query_string, sent)).encode()).hexdigest()
