"""Callers: the carrier's webhooks in, TwiML out.

A repeated webhook gets the same answer again and changes nothing. Whatever goes wrong, a caller on the line hears a
sentence and gets a person; a webhook nobody listens to gets its answer in words.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final
from unicodedata import normalize

from flask import Blueprint, Response, current_app, request
from flask.blueprints import BlueprintSetupState
from prometheus_client import Counter
from sqlalchemy import Connection
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from hotline.accounts.service import SYSTEM
from hotline.calls import queries, service
from hotline.calls.arrivals import NumberBook, Opened, open_call
from hotline.calls.events import leg_on
from hotline.calls.models import Call
from hotline.calls.numbers import is_served
from hotline.calls.states import LEG_RANK, LEG_STATE_OF_STATUS, CallState, LegState, Outcome, Track
from hotline.delivery import service as delivery
from hotline.errors import HotlineError, Invalid, NotPermitted
from hotline.follow_ups import lines
from hotline.follow_ups import service as follow_ups
from hotline.follow_ups.states import KEYS, Way
from hotline.web import ivr_alarms, ivr_callbacks, ivr_contacts, ivr_units, twiml
from hotline.web.access import public
from hotline.web.context import runtime, the_request
from hotline.web.errors import STATUS
from hotline.web.stream_token import make_token
from hotline.web.twilio_signature import check_request
from hotline.web.twiml import Sound
from hotline.web.webhook import Reply, count_in_query, field, id_in_query, links, once, plain, xml

log = logging.getLogger(__name__)
bp = Blueprint("ivr", __name__, url_prefix="/ivr")
bp.register_blueprint(ivr_callbacks.bp)
bp.register_blueprint(ivr_alarms.bp)
bp.register_blueprint(ivr_contacts.bp)
bp.register_blueprint(ivr_units.bp)

NUMBERS: Final = "hotline_dialled_numbers"
MEDIA_PATH: Final = "/media/stream"
OVER: Final = frozenset(
    word for word, state in LEG_STATE_OF_STATUS.items() if LEG_RANK[state] == LEG_RANK[LegState.ENDED]
)
STREAM_OVER: Final = frozenset({"stream-stopped", "stream-error"})
SILENT: Final = frozenset({"ivr.status", "ivr.conference"})  # nobody listens to the answer
WE_RANG: Final = ("ivr.callback.", "ivr.alarm.", "ivr.contact.")
STAR: Final = "*"
IN_QUEUE: Final = frozenset({"ivr.wait", "ivr.key"})
FAULTS: Final = Counter("hotline_ivr_faults", "Webhooks answered with an apology or words.", ("route", "kind"))


@bp.record
def keep_numbers(state: BlueprintSetupState) -> None:
    """Give the app its own memory of the dialled numbers."""
    state.app.extensions[NUMBERS] = NumberBook()


@bp.before_request
def only_the_carrier() -> None:
    """Refuse what the carrier did not sign."""
    check_request(runtime().settings, the_request())


@bp.errorhandler(NotPermitted)
def refuse(fault: NotPermitted) -> Response:
    """Say no in words; the check has logged it."""
    return plain(fault.message, 403)


@bp.errorhandler(HotlineError)
def on_known_fault(fault: HotlineError) -> Response:
    """Answer an expected fault: a sentence and a person where somebody listens."""
    log.info("%s: %s", request.endpoint, type(fault).__name__)
    return _apologise(type(fault).__name__, fault.message, STATUS[type(fault)])


@bp.errorhandler(HTTPException)
def on_refused_form(fault: HTTPException) -> Response:
    """Answer a body that is too large or cannot be read."""
    return _apologise(type(fault).__name__, "请求过大或无法读取", fault.code or 400)


@bp.errorhandler(Exception)
def on_fault(fault: Exception) -> Response:
    """Answer an unexpected fault (the database away, for one): logged, counted, never heard as silence."""
    log.error("%s failed", request.endpoint, exc_info=fault)
    return _apologise(type(fault).__name__, "暂时无法处理，请稍后再试", 503)


def _apologise(kind: str, sentence: str, status: int) -> Response:
    route = request.endpoint or ""
    FAULTS.labels(route, kind).inc()
    if route in SILENT:
        return plain(sentence, status)
    if route == "ivr.message":
        return plain(sentence, status) if status == 400 else xml(twiml.message(twiml.SMS_LATER))
    if route.startswith((*WE_RANG, "ivr.unit.")):
        return xml(twiml.farewell(twiml.GOODBYE))  # we rang them: nobody is to be kept waiting
    if route in IN_QUEUE and request.args.get("place") != "greeting":
        return xml(twiml.hold(links()))  # the line waits for a person already
    return xml(twiml.apology(links()))


def _sound(leg_id: int, issued_at: datetime | None = None) -> Sound:
    settings = runtime().settings
    stamp = issued_at.timestamp() if issued_at is not None else None
    return Sound(settings.media_url + MEDIA_PATH, make_token(settings, leg_id, stamp))


def _open(connection: Connection, now: datetime) -> Opened:
    """Return the call on this line; one that came while the database was away is opened now."""
    form, book = request.form, current_app.extensions[NUMBERS]
    who, dialled = form.get("From"), form.get("To", "")
    return open_call(connection, book, provider_id=field("CallSid"), dialled=dialled, phone=who, now=now)


def _call(session: Session, now: datetime) -> Call:
    call = queries.by_provider_id(session, field("CallSid"))
    return call or session.get_one(Call, _open(session.connection(), now).call_id)


def _sound_if_none(session: Session, call: Call) -> Sound | None:
    """The caller's stream goes on through redirects; it is started here if it never began, or has ended since."""
    leg = leg_on(session, call.id, Track.CALLER)
    if leg is None or (leg.stream_started_at is not None and leg.stream_ended_at is None):
        return None
    return _sound(leg.id)


@bp.post("/voice")
@public
def voice() -> Response:
    """A call comes in: greeting with the recording notice, then the stream, then the queue. Outside the number's hours
    a sentence and the end.

    The answer is made of what is written about the call, so a repetition gets the same without its being kept.
    """
    here = runtime()
    with here.engine.begin() as connection:
        opened = _open(connection, here.now())
    number = opened.number
    if not is_served(number.hours, opened.started_at, here.settings.tz):
        return xml(twiml.farewell(number.closed))
    sound = _sound(opened.leg_id, opened.started_at)
    return xml(twiml.greeting(number.greeting or twiml.GREETING, sound, links()))


@bp.post("/wait")
@public
def wait() -> Response:
    """A round of the waiting line: enters the queue, tells place and expected wait now and then, runs the queue."""

    def handle(session: Session, now: datetime) -> Reply:
        call = service.enter_queue(session, call_id=_call(session, now).id, now=now)
        entered = call.queued_at == now
        facts = queries.wait_facts(session, call, now=now)
        turn, told, quiet = count_in_query("turn"), count_in_query("told", without=-1), count_in_query("quiet")
        body = twiml.waiting(facts, links(), turn=turn, told=told, quiet=quiet)
        return Reply(body, call.id if entered else None, assign=not facts.ringing)

    return once(handle)


@bp.post("/key")
@public
def key() -> Response:
    """A key was pressed: during the greeting the star is a unit that works by telephone, any other goes on at once; in
    the queue 0 asks for a person."""

    def handle(session: Session, now: datetime) -> Reply:
        if request.args.get("place") == "greeting":
            call = _call(session, now)
            if request.form.get("Digits") == STAR:
                call.outcome = Outcome.UNIT
                return ivr_units.begin(session, now)
            if call.outcome == Outcome.UNIT:
                call.outcome = ""
            leg_id = _open(session.connection(), now).leg_id
            return Reply(twiml.queue(_sound(leg_id), links()))
        return Reply(twiml.key_in_queue(request.form.get("Digits", ""), links()))

    return once(handle)


@bp.post("/after-queue")
@public
def after_queue() -> Response:
    """The line left the queue: bridged or redirected it goes on elsewhere, hung up it is over, else it waits again."""

    def handle(session: Session, now: datetime) -> Reply:
        result = request.form.get("QueueResult", "")
        if result == "hangup" or request.form.get("CallStatus") in OVER:
            return _caller_gone(session, now)
        if result.startswith(("bridg", "redirect")):
            return Reply(twiml.nothing())
        return Reply(twiml.apology(links()))

    return once(handle)


@bp.post("/bridge")
@public
def bridge() -> Response:
    """A waiting caller's operator is being rung: into the conference. Without one any more, back to the queue."""

    def handle(session: Session, now: datetime) -> Reply:
        call = _call(session, now)
        if call.state != CallState.TALKING:
            return Reply(twiml.apology(links()))
        return Reply(twiml.join_caller(call.id, _sound_if_none(session, call), links()))

    return once(handle)


@bp.post("/again")
@public
def again() -> Response:
    """The operator's line fell before anybody talked: an apology, and first in line."""

    def handle(session: Session, now: datetime) -> Reply:
        _call(session, now)
        return Reply(twiml.apology(links()))

    return once(handle)


@bp.post("/after-call")
@public
def after_call() -> Response:
    """The conference is over: thanks after a conversation that was ended, else an apology and first in line."""

    def handle(session: Session, now: datetime) -> Reply:
        if request.form.get("CallStatus") in OVER:
            return _caller_gone(session, now)
        call = _call(session, now)
        operator_id = call.operator_id
        if service.after_talk(session, call_id=call.id, now=now):
            return Reply(twiml.thanks(ordered=call.outcome == Outcome.ORDERED))
        return Reply(twiml.apology(links()), call.id, (operator_id,) if operator_id is not None else ())

    return once(handle)


@bp.post("/operator")
@public
def operator() -> Response:
    """An operator's line is open: into the conference, unless nobody waits there any more."""
    leg_id = id_in_query("leg")

    def handle(session: Session, now: datetime) -> Reply:
        call = service.operator_answered(session, leg_id=leg_id, provider_id=field("CallSid"), now=now)
        if call is None:
            return Reply(twiml.hang_up())
        return Reply(twiml.join_operator(call.id, _sound(leg_id), links()), call.id)

    return once(handle)


@bp.post("/conference")
@public
def conference() -> Response:
    """Somebody came into a conference."""

    def handle(session: Session, now: datetime) -> Reply:
        if request.form.get("StatusCallbackEvent") == "participant-join":
            service.operator_joined(session, provider_id=field("CallSid"), now=now)
        return Reply(twiml.nothing())

    return once(handle)


@bp.post("/status")
@public
def status() -> Response:
    """The carrier's word about a line, the caller's or (``leg``) an operator's, about its ``stream``, or about a text
    (``message``)."""
    if "message" in request.args:
        return _text_status()
    if "stream" in request.args:
        return _stream_status()
    call_sid, word = field("CallSid"), field("CallStatus")
    if word not in LEG_STATE_OF_STATUS:
        raise Invalid("不认识的线路状态", CallStatus=word)

    if "attempt" in request.args:
        return ivr_callbacks.line_status(call_sid, word)
    if "alarm" in request.args:
        return ivr_alarms.line_status(call_sid, word)
    if "contact" in request.args:
        return ivr_contacts.line_status(call_sid, word)

    def handle(session: Session, now: datetime) -> Reply:
        if "leg" not in request.args:
            return _caller_gone(session, now) if word in OVER else Reply(twiml.nothing())
        change = service.operator_leg_status(
            session, leg_id=id_in_query("leg"), status=word, provider_id=call_sid, now=now
        )
        users = (change.user_id,) if change.user_id is not None else ()
        back = change.message_id is not None
        return Reply(twiml.nothing(), change.call_id, users, assign=back, message_id=change.message_id)

    return once(handle)


def _text_status() -> Response:
    receipt, word = field("MessageSid"), request.form.get("MessageStatus", "")

    def handle(session: Session, now: datetime) -> Reply:
        delivery.carrier_says(session, token=request.args["message"], receipt=receipt, status=word, now=now)
        return Reply(twiml.nothing())

    return once(handle)


def _stream_status() -> Response:
    line = field("CallSid")
    if request.form.get("StreamEvent") not in STREAM_OVER:
        return xml(twiml.nothing())
    return once(lambda session, now: Reply(twiml.nothing(), service.stream_lost(session, provider_id=line, now=now)))


def _caller_gone(session: Session, now: datetime) -> Reply:
    # also a call whose end is told before its beginning: who hangs up during the greeting is a row too
    call = _call(session, now)
    ended = service.caller_gone(session, provider_id=call.provider_id, now=now)
    return Reply(twiml.nothing(), call.id, ended.user_ids if ended is not None else (), assign=True)


@bp.post("/message")
@public
def message() -> Response:
    """An SMS: a unit's person works by it; of a citizen 1, 2 or 3 rates the last result; anything else is told where
    to call."""

    def handle(session: Session, now: datetime) -> Reply:
        done = ivr_units.answer_to(session, now)
        if done is not None:
            return Reply(twiml.message(done))
        satisfaction = KEYS.get(normalize("NFKC", request.form.get("Body", "")).strip())
        callback = lines.newest_open_of(session, request.form.get("From")) if satisfaction else None
        if satisfaction is None or callback is None:
            return Reply(twiml.message(twiml.SMS_CALL_US))
        rated = follow_ups.evaluate(
            session, callback=callback, satisfaction=satisfaction, way=Way.SMS, actor=SYSTEM, now=now
        )
        return Reply(twiml.message(twiml.SMS_THANKS if rated is not None else twiml.SMS_PERSON))

    return once(handle, key=field("MessageSid"))


@bp.post("/fallback")
@public
def fallback() -> Response:
    """The carrier could not get an answer from us: an apology and a person. Needs no database."""
    return xml(twiml.apology(links()))
