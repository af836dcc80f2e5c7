"""The hands on the other side: place calls, press keys, read timelines. For tests, the demo and the telephone page."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from flask import Blueprint, Response, jsonify, request

from .handsets import Handset, Rule, ScriptError, checked_script
from .leg import Leg
from .settings import Number
from .sound import wav_of_mulaw
from .switchboard import Switchboard

KEYS = frozenset("0123456789*#")


class LabError(Exception):
    """A request the lab refuses, in words."""

    def __init__(self, status: int, words: str) -> None:
        """HTTP status and what is wrong."""
        super().__init__(words)
        self.status, self.words = status, words


def routes(board: Switchboard) -> Blueprint:
    """`/lab/…`: JSON in and out. Requests that could come from a stranger's page in a browser are refused."""
    lab = Blueprint("lab", __name__, url_prefix="/lab")

    @lab.before_request
    def only_json() -> None:
        # A page from elsewhere can post forms to loopback, but not JSON without asking first.
        if request.method in {"POST", "PUT"} and not request.is_json:
            raise LabError(415, "send JSON")

    @lab.errorhandler(LabError)
    def refuse(fault: LabError) -> tuple[Response, int]:
        return jsonify(error=fault.words), fault.status

    @lab.errorhandler(ScriptError)
    def refuse_script(fault: ScriptError) -> tuple[Response, int]:
        return jsonify(error=str(fault)), 400

    def find(sid: str) -> Leg:
        leg = board.calls.get(sid)
        if leg is None:
            raise LabError(404, f"no call {sid}")
        return leg

    def handset(sid: str) -> tuple[Leg, Handset]:
        leg = find(sid)
        held = board.ringing.handsets.get(sid)
        if leg.over or held is None:
            raise LabError(409, "the call is over")
        return leg, held

    _calls(lab, board, find, handset)
    _surroundings(lab, board)
    return lab


def _body() -> dict[str, Any]:
    given = request.get_json(silent=True)
    if not isinstance(given, dict):
        raise LabError(400, "send a JSON object")
    return given


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value.strip():
        raise LabError(400, f"{name} is missing")
    return value.strip()


def with_timeline(leg: Leg, since: int = 0) -> dict[str, Any]:
    """A call and the entries of its timeline from number `since` on."""
    entries = leg.timeline.entries[since:]
    return leg.as_json() | {
        "timeline": [entry.as_json() for entry in entries],
        "next": since + len(entries),
        "left_out": leg.timeline.left_out,
    }


def _calls(lab: Blueprint, board: Switchboard, find: Any, handset: Any) -> None:
    @lab.post("/calls")
    def dial() -> tuple[Response, int]:
        given = _body()
        to = _text(given, "to")
        if to not in board.numbers:
            raise LabError(404, f"{to} is no number of this exchange; it has {', '.join(board.numbers) or 'none'}")
        leg = board.dial_in(_text(given, "from"), to, given.get("script") or [])
        return jsonify(leg.as_json()), 201

    @lab.get("/calls")
    def calls() -> Response:
        with board.lines.lock:
            legs = list(board.calls.values())[::-1]
        wanted = request.args.get("handset")
        live = request.args.get("live") == "1"
        return jsonify(
            calls=[
                leg.as_json()
                for leg in legs
                if not (live and leg.over) and (wanted is None or leg.handset_address == wanted)
            ]
        )

    @lab.get("/calls/<sid>")
    def call(sid: str) -> Response:
        since = request.args.get("since", "0")
        if not since.isdigit():
            raise LabError(400, "since is a number")
        return jsonify(with_timeline(find(sid), int(since)))

    @lab.post("/calls/<sid>/press")
    def press(sid: str) -> Response:
        leg, _ = handset(sid)
        digits = _text(_body(), "digits")
        if not set(digits) <= KEYS:
            raise LabError(400, "not keys of a telephone")
        leg.press(digits)
        return jsonify(leg.as_json())

    @lab.post("/calls/<sid>/say")
    def say(sid: str) -> Response:
        leg, mouth = handset(sid)
        given = _body()
        if "text" in given:
            mouth.say_text(_text(given, "text"))
        else:
            mouth.say(_text(given, "wav"))
        return jsonify(leg.as_json())

    @lab.post("/calls/<sid>/script")
    def script(sid: str) -> Response:
        leg, mouth = handset(sid)
        mouth.follow(checked_script(_body().get("script"), board.recordings))
        return jsonify(leg.as_json())

    @lab.post("/calls/<sid>/answer")
    def answer(sid: str) -> Response:
        leg, _ = handset(sid)
        if leg.direction == "inbound" or leg.answered is not None:
            raise LabError(409, "this handset does not ring")
        board.ringing.pick_up(leg)
        return jsonify(leg.as_json())

    @lab.post("/calls/<sid>/hang-up")
    def hang_up(sid: str) -> Response:
        leg = find(sid)
        if not leg.over:
            leg.timeline.add("script", "hangs up")
            board.hang_up(leg)
        return jsonify(leg.as_json())

    @lab.get("/calls/<sid>/heard.wav")
    def heard(sid: str) -> Response:
        return Response(wav_of_mulaw(bytes(find(sid).heard)), mimetype="audio/wav")


def _surroundings(lab: Blueprint, board: Switchboard) -> None:
    @lab.get("/")
    def about() -> Response:
        with board.lines.lock:
            live = len(board.lines.legs)
        return jsonify(
            numbers=list(board.numbers),
            live_calls=live,
            ticks=board.lines.ticks,
            ticks_skipped=board.lines.skipped,
            notice=board.settings.notice,
        )

    @lab.get("/recordings")
    def recordings() -> Response:
        return jsonify(recordings=board.recordings.listing(board.settings.callers_dir))

    @lab.get("/handsets/rules")
    def rules() -> Response:
        return jsonify(rules=[rule.as_json() for rule in board.ringing.rules])

    @lab.put("/handsets/rules")
    def put_rules() -> Response:
        given = _body().get("rules")
        if not isinstance(given, list):
            raise LabError(400, "rules is a list")
        board.ringing.rules = [Rule.of(one, board.recordings) for one in given]
        return jsonify(rules=[rule.as_json() for rule in board.ringing.rules])

    @lab.get("/handsets/<number>/messages")
    def received(number: str) -> Response:
        return jsonify(messages=[message.as_json() for message in board.messages.received_by(number)])

    @lab.post("/messages")
    def write() -> tuple[Response, int]:
        given = _body()
        to = _text(given, "to")
        if to not in board.numbers:
            raise LabError(404, f"{to} is no number of this exchange")
        message = board.messages.receive(_text(given, "from"), to, _text(given, "body"))
        return jsonify(message.as_json()), 201

    @lab.get("/messages/<sid>")
    def message(sid: str) -> Response:
        found = board.messages.get(sid)
        if found is None:
            raise LabError(404, f"no message {sid}")
        return jsonify(found.as_json() | {"timeline": [entry.as_json() for entry in found.timeline.entries]})

    @lab.get("/numbers")
    def numbers() -> Response:
        return jsonify(numbers={number: asdict(where) for number, where in board.numbers.items()})

    @lab.put("/numbers")
    def put_numbers() -> Response:
        known = {field.name for field in fields(Number)}
        for number, where in _body().get("numbers", {}).items():
            if not isinstance(where, dict) or not where.keys() <= known:
                raise LabError(400, f"{number}: wants some of {', '.join(sorted(known))}")
            board.set_number(number, Number(**{name: str(value) for name, value in where.items()}))
        return numbers()
