"""Programs: the JSON API under ``/api/v1``. Same verbs and same eyes as the pages.

Who asks is told by a bearer token alone: a browser's cookie counts for nothing here, so no foreign site can use it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.exceptions import Unauthorized

from hotline.accounts.service import Actor
from hotline.callers import service as callers
from hotline.callers.numbers import normalise
from hotline.calls import queries as calls
from hotline.calls.models import Call
from hotline.errors import Invalid, NotAllowedNow, NotFound
from hotline.knowledge_base import service as knowledge
from hotline.knowledge_base.queries import entries_by_id, suggestions_of_call
from hotline.units import queries as units
from hotline.units.models import Unit
from hotline.web import openapi
from hotline.web.access import bearer_token, public, roles, the_actor
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import once
from hotline.web.json_body import Take, flag, moment, read, read_object, take, text, texts
from hotline.work_orders import queries, service
from hotline.work_orders.drafting import DRAFT_FIELDS, DRAFT_SWITCHES
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import ACTION_WORDS, Action
from hotline.work_orders.story import story
from hotline.work_orders.visibility import visible_to

bp = Blueprint("api", __name__, url_prefix="/api/v1")

MOST: Final = 50
HUB: Final = ("OPR", "REV", "CBK", "SUP", "ADJ")
UNIT: Final = ("U2", "U2L", "U3", "U3L", "DTY")


@dataclass(frozen=True, slots=True)
class Act:
    """One action of the API: its verb, the fields it takes, and whether it reckons with calendar and zone."""

    verb: Callable[..., object]
    fields: Mapping[str, Take]
    required: frozenset[str] = frozenset()
    clock: bool = True


ACTS: Final[dict[str, Act]] = {
    "dispatch": Act(
        service.dispatch,
        {"lead_unit": text, "assisting": texts, "advice": text, "hard": flag},
        frozenset({"lead_unit"}),
    ),
    "sign": Act(service.sign, {}, clock=False),
    "hand_down": Act(service.hand_down, {"unit": text, "due_at": moment, "advice": text}, frozenset({"unit"})),
    "report": Act(
        service.report,
        {
            "contacted": flag,
            "contacted_at": moment,
            "contact_way": text,
            "solved": text,
            "unsolved_reason": text,
            "process": text,
            "public_reply": text,
        },
        frozenset({"contacted", "solved", "public_reply"}),
    ),
    "approve": Act(service.approve, {"note": text}),
    "reject": Act(service.reject, {"reason": text}, frozenset({"reason"}), clock=False),
    "supplement": Act(service.supplement, {"text": text}, frozenset({"text"}), clock=False),
    "urge": Act(service.urge, {"text": text}, clock=False),
}
UNIT_ARGUMENTS: Final = {"lead_unit": "lead_unit_id", "unit": "unit_id"}  # programs name units by code
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
            service.submit(session, order=order, actor=actor, now=now, **_clock())
            return jsonify(_order(session, order, actor)), 201

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
        return jsonify(_order(session, visible_to(session, actor, number), actor))


@bp.get("/work-orders/<number>/events")
@roles(*HUB, *UNIT)
def get_events(number: str) -> ResponseReturnValue:
    """The order's life, first event first, in the words this asker may see."""
    actor = the_actor()
    with transaction() as session:
        items = story(session, visible_to(session, actor, number), actor)
        return jsonify(
            events=[
                {
                    "seq": item.seq,
                    "at": item.at.isoformat(),
                    "action": item.action,
                    "word": item.word,
                    "who": item.who,
                    "status": item.status,
                    "facts": dict(item.facts),
                    "notes": dict(item.notes),
                }
                for item in items
            ]
        )


@bp.post("/work-orders/<number>/actions")
@roles(*HUB, *UNIT)
def post_action(number: str) -> ResponseReturnValue:
    """Do ``action`` to an order: ``sign``, ``report`` … with the fields it takes. 409 in words when not allowed now."""
    body = read_object()
    name = body.pop("action", None)
    if not isinstance(name, str):
        raise Invalid("请给出 action", action="缺少或不是文字")
    actor = the_actor()
    with transaction() as session:
        order = visible_to(session, actor, number)

        def act() -> ResponseReturnValue:
            try:
                _do(session, order, name, body, actor)
            except NotAllowedNow as fault:
                # programs are told codes, which they can send
                raise NotAllowedNow(fault.message, **fault.details | {"allowed": _allowed(order, actor)}) from fault
            return jsonify(_order(session, order, actor))

        return once(session, act)


def _do(session: Session, order: WorkOrder, name: str, body: dict[str, Any], actor: Actor) -> None:
    wanted = ACTS.get(name)
    if wanted is None:
        may = "、".join(ACTION_WORDS[Action(action)] for action in _allowed(order, actor))
        raise NotAllowedNow(f"没有这个动作；现在可以：{may or '无'}")
    values = take(body, wanted.fields, required=wanted.required)
    for field, argument in UNIT_ARGUMENTS.items():
        if field in values:
            values[argument] = _unit_id(session, field, values.pop(field))
    if "assisting" in values:
        values["assisting_ids"] = [_unit_id(session, "assisting", code) for code in values.pop("assisting")]
    extra = _clock() if wanted.clock else {}
    wanted.verb(session, order=order, actor=actor, now=runtime().now(), **extra, **values)


def _allowed(order: WorkOrder, actor: Actor) -> list[str]:
    """Return the actions this actor may do to the order now through this door."""
    return [action.value for action, _ in queries.allowed_actions(order, actor) if action in ACTS]


def _unit_id(session: Session, field: str, code: str) -> int:
    try:
        return units.by_code(session, code).id
    except NotFound as fault:
        raise Invalid(fault.message, **{field: fault.message}) from fault


def _clock() -> dict[str, Any]:
    return {"calendar": runtime().calendar, "tz": runtime().settings.tz}


def _order(session: Session, order: WorkOrder, actor: Actor) -> dict[str, Any]:
    who = queries.caller_view(order, actor)
    lead = session.get(Unit, order.lead_unit_id) if order.lead_unit_id else None
    return {
        "order_no": order.order_no,
        "status": order.status,
        "demand_type": order.demand_type,
        "category_code": order.category_code,
        "urgency": order.urgency,
        "confidential": order.confidential,
        "title": order.title,
        "content": order.content,
        "desired_result": order.desired_result,
        "area_code": order.area_code,
        "address": order.address,
        "event_time": order.event_time,
        "caller": {"name": who.name, "phone": who.phone, "kind": who.kind} if who else None,
        "lead_unit": lead.code if lead else None,
        "sub_orders": [
            {
                "unit": sub.unit.code,
                "unit_name": sub.unit.name,
                "tier": sub.tier,
                "part": sub.part,
                "state": sub.state,
                "deadline_at": sub.deadline_at.isoformat() if sub.deadline_at else None,
            }
            for sub in order.sub_orders
        ],
        "submitted_at": order.submitted_at.isoformat() if order.submitted_at else None,
        "deadline_at": order.deadline_at.isoformat() if order.deadline_at else None,
        "deadline_provisional": order.deadline_provisional,
        "satisfaction": order.final_satisfaction or None,
        "solved": order.final_solved or None,
        "close_kind": order.close_kind or None,
        "closed_at": order.closed_at.isoformat() if order.closed_at else None,
        "actions": _allowed(order, actor),
    }


# ---- its own description


@bp.get("/openapi.json")
@public
def describe() -> Response:
    """The API's description, OpenAPI 3.1."""
    return jsonify(openapi.document(ACTS))
