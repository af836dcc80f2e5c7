"""/Messages: create, fetch, list."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from ..ids import E164, rfc2822
from ..leg import API_VERSION
from ..messages import Message, segments
from ..switchboard import Switchboard
from . import forms
from .errors import RestError, not_found
from .paging import check_filters, in_dates, page

LONGEST = 1600


def message_json(message: Message, account_sid: str) -> dict[str, Any]:
    """The message resource."""
    uri = f"/{API_VERSION}/Accounts/{account_sid}/Messages/{message.sid}"
    return {
        "body": message.body,
        "num_segments": str(segments(message.body)),
        "direction": message.direction,
        "from": message.from_,
        "to": message.to,
        "date_updated": rfc2822(message.updated),
        "price": None,
        "error_message": None if message.error_code is None else "Unreachable destination handset",
        "uri": f"{uri}.json",
        "account_sid": account_sid,
        "num_media": "0",
        "status": message.status,
        "messaging_service_sid": None,
        "sid": message.sid,
        "date_sent": rfc2822(message.sent),
        "date_created": rfc2822(message.created),
        "error_code": message.error_code,
        "price_unit": "USD",
        "api_version": API_VERSION,
        "subresource_uris": {"media": f"{uri}/Media.json"},
    }


def routes(board: Switchboard) -> Blueprint:
    """The resource's routes, to be hung below an account."""
    blueprint = Blueprint("messages", __name__)
    account_sid = board.settings.account_sid

    @blueprint.post("/Messages.json")
    def create() -> tuple[Response, int]:
        to, from_, body = forms.text("To"), forms.text("From"), request.form.get("Body", "")
        if not to:
            raise RestError(400, 21604, "A 'To' phone number is required.")
        if not E164.match(to):
            raise RestError(400, 21211, f"Invalid 'To' Phone Number: {to}")
        if not from_:
            raise RestError(400, 21603, "A 'From' phone number is required.")
        if from_ not in board.numbers:
            raise RestError(400, 21606, f"The 'From' phone number {from_} is not one of this account's numbers.")
        if not body:
            raise RestError(400, 21602, "Message body is required.")
        if len(body) > LONGEST:
            raise RestError(400, 21617, f"The concatenated message body exceeds the {LONGEST} character limit.")
        callback = forms.url("StatusCallback", 21609)
        queued = board.messages.send(from_, to, body, callback)
        return jsonify(message_json(queued, account_sid) | {"status": "queued", "date_sent": None}), 201

    @blueprint.get("/Messages/<sid>.json")
    def fetch(sid: str) -> Response:
        message = board.messages.get(sid)
        if message is None:
            raise not_found(request.path)
        return jsonify(message_json(message, account_sid))

    @blueprint.get("/Messages.json")
    def listing() -> Response:
        check_filters(["To", "From"], ["DateSent"])
        found = [
            message
            for message in board.messages.all()[::-1]
            if request.args.get("To", message.to) == message.to
            and request.args.get("From", message.from_) == message.from_
            and in_dates("DateSent", message.sent)
        ]
        return jsonify(page("messages", found, lambda message: message_json(message, account_sid)))

    return blueprint
