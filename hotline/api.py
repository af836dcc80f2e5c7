"""Programs: the JSON API under ``/api/v1``. Same verbs and same eyes as the pages.

Who asks is told by a bearer token alone: a browser's cookie counts for nothing here, so no foreign site can use it.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.exceptions import Unauthorized

from hotline.callers import service as callers
from hotline.callers.numbers import normalise
from hotline.calls import queries as calls
from hotline.calls.models import Call
from hotline.errors import Invalid
from hotline.knowledge_base import service as knowledge
from hotline.knowledge_base.queries import entries_by_id, suggestions_of_call
from hotline.web import openapi, order_acts, order_json
from hotline.web.access import bearer_token, public, roles, the_actor
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import once
from hotline.web.json_body import Take, flag, read, read_object, take, text
from hotline.web.order_pages import by_clock
from hotline.work_orders import service
from hotline.work_orders.drafting import DRAFT_FIELDS, DRAFT_SWITCHES
from hotline.work_orders.visibility import visible_to

bp = Blueprint("api", __name__, url_prefix="/api/v1")

MOST: Final = 50
HUB: Final = ("OPR", "REV", "CBK", "SUP", "ADJ")
UNIT: Final = ("U2", "U2L", "U3", "U3L", "DTY")


DRAFT: Final[dict[str, Take]] = {name: flag if name in DRAFT_SWITCHES else text for name in DRAFT_FIELDS}


@bp.before_request
def only_programs() -> None:
    """Admit nobody without a token but to the description."""
    if bearer_token() is None and request.endpoint != "api.describe":
        raise Unauthorized


# ---- calls


@bp.get("/calls")
@roles(*HUB)
def get_calls() -> ResponseReturnValue:
    """One call by the carrier's id (``?provider_id=``), with what was heard and suggested."""
    provider_id = request.args.get("provider_id", "")
    if not provider_id:
        raise Invalid("请给出 provider_id", provider_id="缺少")
    with transaction() as session:
        call = calls.visible_by_provider_id(session, the_actor(), provider_id)
        return jsonify(calls=[_call(session, call)])


def _call(session: Session, call: Call) -> dict[str, Any]:
    return {
        "provider_id": call.provider_id,
        "dialled": call.dialled,
        "caller": call.caller.phone_mask or None,
        "state": call.state,
        "outcome": call.outcome or None,
        "started_at": call.started_at.isoformat(),
        "answered_at": call.answered_at.isoformat() if call.answered_at else None,
        "ended_at": call.ended_at.isoformat() if call.ended_at else None,
        "utterances": [
            {"track": row.track, "text": row.text, "start_ms": row.start_ms, "end_ms": row.end_ms, "final": True}
            for row in calls.utterances(session, call.id)
        ],
        "suggestions": [
            {
                "entry_id": row.entry.code,
                "question": row.entry.question,
                "score": round(row.score, 3),
                "state": row.state,
                "shown_at": row.shown_at.isoformat(),
            }
            for row in suggestions_of_call(session, call.id)
        ],
    }


# ---- knowledge


@bp.get("/knowledge/search")
@roles()
def search_knowledge() -> ResponseReturnValue:
    """Entries that fit ``?q=``, best first, at most ``?limit=`` (5)."""
    wanted, limit = request.args.get("q", "").strip(), _limit(request.args.get("limit", "5"))
    if not wanted:
        raise Invalid("请给出 q", q="缺少")
    index, today = runtime().knowledge, runtime().today()
    with transaction() as session:
        index.refresh(session)
        hits = index.search(wanted, limit=limit, on=today)
        entries = entries_by_id(session, (hit.entry_id for hit in hits))
        return jsonify(
            entries=[
                {
                    "id": hit.code,
                    "question": hit.question,
                    "answer": entries[hit.entry_id].answer,
                    "score": round(hit.score, 3),
                }
                for hit in hits
                if hit.entry_id in entries
            ]
        )


def _limit(typed: str) -> int:
    if typed.isascii() and typed.isdigit() and len(typed) < 4 and 1 <= int(typed) <= MOST:
        return int(typed)
    raise Invalid(f"limit 应在 1 到 {MOST} 之间", limit=f"1 到 {MOST}")


@bp.post("/knowledge/entries")
@roles("KBE", "ADM")
def post_entries() -> ResponseReturnValue:
    """Add or update one entry (an object) or many (a list). Refused ones are listed with their place and reason.

    422 when every one was refused.
    """
    body = read()
    rows = body if isinstance(body, list) else [body]
    with transaction() as session:

        def act() -> ResponseReturnValue:
            done = knowledge.import_entries(session, rows, actor_id=the_actor().user_id, now=runtime().now())
            refused = [{"at": line, "reason": reason} for line, reason in done.refused]
            if refused and len(refused) == len(rows):
                raise Invalid("没有可以收下的知识", refused=refused)
            return jsonify(added=done.added, updated=done.updated, unchanged=done.unchanged, refused=refused)

        return once(session, act)


# ---- orders


@bp.post("/work-orders")
@roles("OPR")
def post_order() -> ResponseReturnValue:
    """Record and submit a demand that came by another channel than the telephone."""
    taken = read_object()
    source = taken.pop("source_channel", "网站")
    who = _caller_told(taken.pop("caller", {}))
    fields = take(taken, DRAFT)
    actor, now = the_actor(), runtime().now()
    with transaction() as session:

        def act() -> ResponseReturnValue:
            caller = callers.remember(
                session, phone=who.get("phone"), name=who.get("name"), contact=who.get("contact"), now=now
            )
            order = service.start_draft(
                session,
                call=None,
                caller=caller,
                actor=actor,
                now=now,
                tz=runtime().settings.tz,
                source_channel=source,
            )
            service.save_draft(session, order=order, fields=fields, typed=True, actor=actor, now=now)
            service.submit(session, order=order, actor=actor, now=now, **by_clock())
            return jsonify(order_json.whole(session, order, actor)), 201

        return once(session, act)


def _caller_told(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise Invalid("caller 应是一个对象", caller="应是一个对象")
    told: dict[str, str] = take(value, {"name": text, "phone": text, "contact": text})
    if told.get("phone") and normalise(told["phone"]) is None:
        raise Invalid("caller.phone 不是电话号码", phone="不是电话号码")
    return told


@bp.get("/work-orders/<number>")
@roles(*HUB, *UNIT)
def get_order(number: str) -> ResponseReturnValue:
    """One order, as far as the asker may see it."""
    actor = the_actor()
    with transaction() as session:
        return jsonify(order_json.whole(session, visible_to(session, actor, number), actor))


@bp.get("/work-orders/<number>/events")
@roles(*HUB, *UNIT)
def get_events(number: str) -> ResponseReturnValue:
    """The order's life, first event first, in the words this asker may see."""
    actor = the_actor()
    with transaction() as session:
        return jsonify(events=order_json.events(session, visible_to(session, actor, number), actor))


@bp.post("/work-orders/<number>/actions")
@roles(*HUB, *UNIT)
def post_action(number: str) -> ResponseReturnValue:
    """Do ``action`` to an order: ``sign``, ``report`` … with the fields it takes. 409 in words when not allowed now."""
    name, fields = order_acts.read_action()
    actor = the_actor()
    with transaction() as session:
        order = visible_to(session, actor, number)

        def act() -> ResponseReturnValue:
            order_acts.do(session, order, name, fields, actor)
            return jsonify(order_json.whole(session, order, actor))

        return once(session, act)


# ---- its own description


@bp.get("/openapi.json")
@public
def describe() -> Response:
    """The API's description, OpenAPI 3.1."""
    return jsonify(openapi.document(order_acts.ACTS))
