"""Programs: the JSON API under ``/api/v1``, with bearer tokens. Same verbs and same eyes as the pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.callers import service as callers
from hotline.calls import queries as calls
from hotline.calls.models import Call
from hotline.errors import Invalid, NotAllowedNow
from hotline.knowledge_base import service as knowledge
from hotline.knowledge_base.queries import suggestions_of_call
from hotline.units import queries as units
from hotline.units.models import Unit
from hotline.web import openapi
from hotline.web.access import public, roles, the_actor
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import once
from hotline.web.json_body import Take, flag, moment, read_object, take, text, texts
from hotline.work_orders import queries, service
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
    """One action of the API: the verb, what it takes, and what it needs besides (``clock``: calendar and zone)."""

    verb: Callable[..., object]
    fields: Mapping[str, Take]
    required: frozenset[str] = frozenset()
    clock: bool = True


ACTS: Final[dict[str, Act]] = {
    "dispatch": Act(
        service.dispatch,
        {"unit": text, "assisting": texts, "advice": text, "hard": flag},
        frozenset({"unit"}),
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
    limit = request.args.get("limit", 5, type=int)
    if not 1 <= limit <= MOST:
        raise Invalid(f"limit 应在 1 到 {MOST} 之间", limit=f"1 到 {MOST}")
    index, today = runtime().knowledge, runtime().now().astimezone(runtime().settings.tz).date()
    with transaction() as session:
        index.refresh(session)
    hits = index.search(request.args.get("q", ""), limit=limit, on=today)
    return jsonify(
        entries=[
            {"id": hit.code, "question": hit.question, "answer": hit.answer, "score": round(hit.score, 3)}
            for hit in hits
        ]
    )


@bp.post("/knowledge/entries")
@roles("KBE", "ADM")
def post_entries() -> ResponseReturnValue:
    """Add or update one entry (an object) or many (a list). Refused ones are listed with their place and reason."""
    body = request.get_json(silent=True)
    rows = body if isinstance(body, list) else [body]
    with transaction() as session:

        def act() -> ResponseReturnValue:
            done = knowledge.import_entries(session, rows, actor_id=the_actor().user_id, now=runtime().now())
            refused = [{"at": line, "reason": reason} for line, reason in done.refused]
            status = 422 if refused and not done.added and not done.updated else 200
            return jsonify(added=done.added, updated=done.updated, refused=refused), status

        return once(session, act)


# ---- orders


@bp.post("/work-orders")
@roles("OPR")
def post_order() -> ResponseReturnValue:
    """Record and submit a demand that came by another channel than the telephone."""
    taken = dict(read_object())
    who = taken.pop("caller", None) or {}
    source = taken.pop("source_channel", "网站")
    if not isinstance(who, dict) or not isinstance(source, str):
        raise Invalid("caller 应是对象，source_channel 应是文字", caller="对象", source_channel="文字")
    person = take(who, {"name": text, "phone": text, "contact": text}, required=frozenset())
    actor, now = the_actor(), runtime().now()
    with transaction() as session:

        def act() -> ResponseReturnValue:
            caller = callers.remember(session, phone=person.get("phone"), name=person.get("name"), now=now)
            if "contact" in person:
                callers.set_details(session, caller=caller, contact=person["contact"])
            order = service.start_draft(
                session,
                call=None,
                caller=caller,
                actor=actor,
                now=now,
                tz=runtime().settings.tz,
                source_channel=source,
            )
            service.save_draft(session, order=order, fields=taken, typed=True, actor=actor, now=now)
            service.submit(session, order=order, actor=actor, now=now, **_clock())
            return jsonify(_order(session, order, actor)), 201

        return once(session, act)


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
    name = body.pop("action", "")
    actor = the_actor()
    with transaction() as session:
        order = visible_to(session, actor, number)

        def act() -> ResponseReturnValue:
            _do(session, order, name, body, actor)
            return jsonify(_order(session, order, actor))

        return once(session, act)


def _do(session: Session, order: WorkOrder, name: object, body: dict[str, Any], actor: Actor) -> None:
    wanted = ACTS.get(name) if isinstance(name, str) else None
    if wanted is None:
        may = queries.allowed_actions(order, actor)
        words = "、".join(word for _, word in may) or "无"
        raise NotAllowedNow(f"现在不能这样办理；可以：{words}", allowed=[action.value for action, _ in may])
    values = take(body, wanted.fields, required=wanted.required)
    if "unit" in values:
        unit = units.by_code(session, values.pop("unit"))
        values["lead_unit_id" if name == "dispatch" else "unit_id"] = unit.id
    if "assisting" in values:
        values["assisting_ids"] = [units.by_code(session, code).id for code in values.pop("assisting")]
    extra = _clock() if wanted.clock else {}
    wanted.verb(session, order=order, actor=actor, now=runtime().now(), **extra, **values)


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
        "actions": [action.value for action, _ in queries.allowed_actions(order, actor)],
    }


# ---- its own description


@bp.get("/openapi.json")
@public
def describe() -> Response:
    """The API's description, OpenAPI 3.1."""
    acts = [openapi.Act(name, ACTION_WORDS[Action(name)], act.fields, act.required) for name, act in ACTS.items()]
    return jsonify(openapi.document(acts))
