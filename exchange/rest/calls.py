"""/Calls: create, fetch, change, list."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from ..ids import callable_address, rfc2822
from ..leg import API_VERSION, ENDED, Leg
from ..ringing import RING_LIMIT_S
from ..switchboard import Switchboard
from . import forms
from .errors import RestError, invalid, not_found
from .paging import check_filters, in_dates, page

EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
SUBRESOURCES = (
    "notifications",
    "recordings",
    "payments",
    "events",
    "siprec",
    "streams",
    "transcriptions",
    "user_defined_message_subscriptions",
    "user_defined_messages",
)


def call_json(leg: Leg) -> dict[str, Any]:
    """The call resource."""
    uri = f"/{API_VERSION}/Accounts/{leg.account_sid}/Calls/{leg.sid}"
    return {
        "sid": leg.sid,
        "date_created": rfc2822(leg.created),
        "date_updated": rfc2822(leg.updated),
        "parent_call_sid": leg.parent.sid if leg.parent else None,
        "account_sid": leg.account_sid,
        "to": leg.to,
        "to_formatted": leg.to,
        "from": leg.from_,
        "from_formatted": leg.from_,
        "phone_number_sid": leg.number_sid,
        "status": leg.status,
        "start_time": rfc2822(leg.answered),
        "end_time": rfc2822(leg.ended),
        "duration": str(leg.duration_s()) if leg.over else None,
        "price": None,
        "price_unit": "USD",
        "direction": leg.direction,
        "answered_by": None,
        "api_version": API_VERSION,
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": "0",
        "trunk_sid": None,
        "uri": f"{uri}.json",
        "subresource_uris": {name: f"{uri}/{_camel(name)}.json" for name in SUBRESOURCES},
    }


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def required_parties(board: Switchboard) -> tuple[str, str]:
    """`To` and `From` of a new call, refused with the provider's numbers if they cannot stand."""
    to, from_ = forms.text("To"), forms.text("From")
    if not to:
        raise RestError(400, 21201, "No 'To' number is specified")
    if not from_:
        raise RestError(400, 21213, "No 'From' number is specified")
    if not callable_address(to):
        raise RestError(400, 21211, f"The 'To' number {to} is not a valid phone number.")
    if not to.startswith("client:") and from_ not in board.numbers:
        raise RestError(400, 21210, f"The source phone number provided, {from_}, is not one of this account's numbers.")
    return to, from_


def routes(board: Switchboard) -> Blueprint:
    """The resource's routes, to be hung below an account."""
    blueprint = Blueprint("calls", __name__)

    def find(sid: str) -> Leg:
        leg = board.calls.get(sid)
        if leg is None:
            raise not_found(request.path)
        return leg

    @blueprint.post("/Calls.json")
    def create() -> tuple[Response, int]:
        to, from_ = required_parties(board)
        document = forms.document(required=True)
        assert document is not None
        timeout, callback = forms.seconds("Timeout", RING_LIMIT_S), forms.callback("", "completed", EVENTS)
        fallback = forms.fallback()
        with board.lines.lock:  # so that the answer shows the call before it has moved on
            leg = board.dial_out(to, from_, document, timeout=timeout, callback=callback, fallback=fallback)
            forms.note_what_is_not_done(leg)
            return jsonify(call_json(leg)), 201

    @blueprint.get("/Calls/<sid>.json")
    def fetch(sid: str) -> Response:
        return jsonify(call_json(find(sid)))

    @blueprint.post("/Calls/<sid>.json")
    def update(sid: str) -> Response:
        leg = find(sid)
        status = forms.text("Status")
        if status not in {"", "completed", "canceled"}:
            raise invalid("Status", status)
        document = forms.document(required=False)
        if status:
            with board.lines.lock:
                if status == "completed" or leg.answered is None:
                    board.hang_up(leg)
        elif document is not None:
            with board.lines.lock:
                if leg.over or leg.answered is None:
                    raise RestError(400, 21220, "Call is not in-progress. Cannot redirect.")
                leg.fallback = forms.fallback() or leg.fallback
                leg.callback = forms.callback("", "completed", EVENTS) or leg.callback
                leg.timeline.add("status", "redirected by the REST API", url=document.url)
                leg.redirect(document)
        else:
            raise RestError(400, 20001, "Nothing to change: give Status, Url or Twiml")
        return jsonify(call_json(leg))

    @blueprint.delete("/Calls/<sid>.json")
    def delete(sid: str) -> tuple[str, int]:
        leg = find(sid)
        if leg.status not in ENDED:
            raise RestError(400, 20001, "A call in progress cannot be deleted")
        with board.lines.lock:
            board.calls.pop(sid, None)
        return "", 204

    @blueprint.get("/Calls.json")
    def listing() -> Response:
        words = {"To": "to", "From": "from_", "Status": "status"}
        check_filters([*words, "ParentCallSid"], ["StartTime", "EndTime"])
        parent = request.args.get("ParentCallSid")
        with board.lines.lock:
            legs = list(board.calls.values())[::-1]
        found = [
            leg
            for leg in legs
            if all(request.args.get(name, getattr(leg, field)) == getattr(leg, field) for name, field in words.items())
            and (parent is None or (leg.parent is not None and leg.parent.sid == parent))
            and in_dates("StartTime", leg.answered)
            and in_dates("EndTime", leg.ended)
        ]
        return jsonify(page("calls", found, call_json))

    return blueprint
