"""/Conferences and their /Participants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from flask import Blueprint, Response, jsonify, request

from ..conferences import KICKED, UPDATED, Conference
from ..ids import rfc2822
from ..leg import API_VERSION, Document, Leg
from ..ringing import RING_LIMIT_S
from ..rooms import Member
from ..switchboard import Switchboard
from ..twiml.grammar import EVENTS as TWIML_EVENTS
from . import forms
from .calls import EVENTS, required_parties
from .errors import RestError, invalid, not_found
from .paging import check_filters, in_dates, page

PARTICIPANT_STATUS = {"queued": "queued", "ringing": "ringing", "in-progress": "connected", "completed": "complete"}


def conference_json(conference: Conference, account_sid: str) -> dict[str, Any]:
    """The conference resource."""
    uri = f"/{API_VERSION}/Accounts/{account_sid}/Conferences/{conference.sid}"
    shown = {
        "account_sid": account_sid,
        "date_created": rfc2822(conference.created),
        "date_updated": rfc2822(conference.updated),
        "api_version": API_VERSION,
        "friendly_name": conference.name,
        "region": "us1",
        "sid": conference.sid,
        "status": conference.status,
        "uri": f"{uri}.json",
        "subresource_uris": {"participants": f"{uri}/Participants.json", "recordings": f"{uri}/Recordings.json"},
        "call_sid_ending_conference": conference.ended_by.leg.sid if conference.ended_by else None,
    }
    if conference.ended_because:
        # The contract lists words for it and not null, so a running conference goes without.
        shown["reason_conference_ended"] = conference.ended_because
    return shown


def participant_json(conference: Conference, member: Member) -> dict[str, Any]:
    """The participant resource."""
    leg = member.leg
    uri = f"/{API_VERSION}/Accounts/{leg.account_sid}/Conferences/{conference.sid}/Participants/{leg.sid}.json"
    return {
        "account_sid": leg.account_sid,
        "call_sid": leg.sid,
        "label": member.label,
        "call_sid_to_coach": member.coaching,
        "coaching": member.coaching is not None,
        "conference_sid": conference.sid,
        "date_created": rfc2822(member.joined),
        "date_updated": rfc2822(member.updated),
        "end_conference_on_exit": member.end_on_exit,
        "muted": member.muted,
        "hold": member.hold,
        "start_conference_on_enter": member.start_on_enter,
        "status": PARTICIPANT_STATUS.get(leg.status, "failed"),
        "queue_time": "0",
        "uri": uri,
    }


def routes(board: Switchboard) -> Blueprint:
    """The resources' routes, to be hung below an account."""
    blueprint = Blueprint("conferences", __name__)
    account_sid = board.settings.account_sid

    def shown(conference: Conference) -> dict[str, Any]:
        return conference_json(conference, account_sid)

    def find(sid: str) -> Conference:
        conference = board.conferences.get(sid)
        if conference is None:
            raise not_found(request.path)
        return conference

    @blueprint.get("/Conferences.json")
    def listing() -> Response:
        check_filters(["FriendlyName", "Status"], ["DateCreated", "DateUpdated"])
        with board.lines.lock:
            found = [
                conference
                for conference in board.conferences.all()[::-1]
                if request.args.get("FriendlyName", conference.name) == conference.name
                and request.args.get("Status", conference.status) == conference.status
                and in_dates("DateCreated", conference.created)
                and in_dates("DateUpdated", conference.updated)
            ]
            return jsonify(page("conferences", found, shown))

    @blueprint.get("/Conferences/<sid>.json")
    def fetch(sid: str) -> Response:
        return jsonify(shown(find(sid)))

    @blueprint.post("/Conferences/<sid>.json")
    def update(sid: str) -> Response:
        conference = find(sid)
        _refuse_announcement()
        if forms.text("Status") != "completed":
            raise invalid("Status", forms.text("Status"))
        with board.lines.lock:
            conference.end("conference-ended-via-api")
        return jsonify(shown(conference))

    _participants(blueprint, board, find)
    return blueprint


def _participants(blueprint: Blueprint, board: Switchboard, find: Callable[[str], Conference]) -> None:
    def find_member(sid: str, call_sid: str) -> tuple[Conference, Member]:
        conference = board.conferences.running(sid)
        if conference is not None:
            for key, member in conference.members.items():
                if call_sid in {key, member.label}:
                    return conference, member
        raise not_found(request.path)

    @blueprint.get("/Conferences/<sid>/Participants.json")
    def participants(sid: str) -> Response:
        check_filters(["Muted", "Hold", "Coaching"])
        conference = find(sid)
        with board.lines.lock:
            wanted = {
                name: request.args[name].lower() == "true"
                for name in ("Muted", "Hold", "Coaching")
                if name in request.args
            }
            found = [
                member
                for member in list(conference.members.values())[::-1]
                if not member.leg.over
                and wanted.get("Muted", member.muted) == member.muted
                and wanted.get("Hold", member.hold) == member.hold
                and wanted.get("Coaching", member.coaching is not None) == (member.coaching is not None)
            ]
            return jsonify(page("participants", found, lambda member: participant_json(conference, member)))

    @blueprint.post("/Conferences/<sid>/Participants.json")
    def add(sid: str) -> tuple[Response, int]:
        to, from_ = required_parties(board)
        with board.lines.lock:
            if sid.startswith("CF") and board.conferences.running(sid) is None:
                raise not_found(request.path)
            conference = board.conferences.running(sid) or board.conferences.named(sid)
        document = _joining(conference)
        timeout, callback = forms.seconds("Timeout", RING_LIMIT_S), forms.callback("", "completed", EVENTS)
        with board.lines.lock:  # so that the answer shows the call before it has moved on
            leg = board.dial_out(to, from_, document, timeout=timeout, callback=callback)
            forms.note_what_is_not_done(leg)
            return jsonify(participant_json(conference, _invited(leg))), 201

    @blueprint.get("/Conferences/<sid>/Participants/<call_sid>.json")
    def participant(sid: str, call_sid: str) -> Response:
        with board.lines.lock:
            return jsonify(participant_json(*find_member(sid, call_sid)))

    @blueprint.post("/Conferences/<sid>/Participants/<call_sid>.json")
    def change(sid: str, call_sid: str) -> Response:
        _refuse_announcement()
        with board.lines.lock:
            conference, member = find_member(sid, call_sid)
            conference.set_muted(member, forms.flag("Muted", member.muted))
            conference.set_hold(member, forms.flag("Hold", member.hold))
            member.end_on_exit = forms.flag("EndConferenceOnExit", member.end_on_exit)
            if forms.flag("Coaching", member.coaching is not None):
                coached = forms.text("CallSidToCoach") or member.coaching
                if coached not in conference.members:
                    raise RestError(400, 20001, "CallSidToCoach is no participant of this conference")
                conference.set_coaching(member, coached)
            else:
                conference.set_coaching(member, None)
            return jsonify(participant_json(conference, member))

    @blueprint.delete("/Conferences/<sid>/Participants/<call_sid>.json")
    def kick(sid: str, call_sid: str) -> tuple[str, int]:
        with board.lines.lock:
            conference, member = find_member(sid, call_sid)
            conference.exit(member.leg, UPDATED, KICKED)
        return "", 204


def _refuse_announcement() -> None:
    for name in ("AnnounceUrl", "HoldUrl"):
        if forms.text(name):
            raise RestError(400, 20001, f"{name} is not played by this exchange")


def _invited(leg: Leg) -> Member:
    """How a new participant will stand in the conference."""
    return Member(
        leg,
        muted=forms.flag("Muted", default=False),
        coaching=(forms.text("CallSidToCoach") or None) if forms.flag("Coaching", default=False) else None,
        label=forms.text("Label") or None,
        start_on_enter=forms.flag("StartConferenceOnEnter", default=True),
        end_on_exit=forms.flag("EndConferenceOnExit", default=False),
    )


def _joining(conference: Conference) -> Document:
    """What a new participant runs once it has picked up: the same document an application would write."""
    attributes = {
        "muted": str(forms.flag("Muted", default=False)).lower(),
        "startConferenceOnEnter": str(forms.flag("StartConferenceOnEnter", default=True)).lower(),
        "endConferenceOnExit": str(forms.flag("EndConferenceOnExit", default=False)).lower(),
        "beep": forms.text("Beep", "true"),
        "participantLabel": forms.text("Label"),
        "coach": forms.text("CallSidToCoach") if forms.flag("Coaching", default=False) else "",
        "waitUrl": forms.url("WaitUrl"),
        "waitMethod": forms.method("WaitMethod"),
    }
    callback = forms.callback("Conference", "start end", TWIML_EVENTS["Conference"])
    if callback is not None:
        attributes |= {
            "statusCallback": callback.url,
            "statusCallbackMethod": callback.method,
            "statusCallbackEvent": " ".join(sorted(callback.events)),
        }
    written = " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items() if value)
    twiml = f"<Response><Dial><Conference {written}>{escape(conference.name)}</Conference></Dial></Response>"
    return Document(twiml=twiml)
