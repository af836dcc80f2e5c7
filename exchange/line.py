"""`GET /line`: a websocket on which a browser is a telephone. Words are JSON text, sound is binary, 8 kHz mu-law."""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from .ids import E164
from .leg import Leg
from .switchboard import Switchboard
from .telephones import LATE_FRAMES, Telephone
from .tokens import TokenError, address_of
from .wire import Wire, WireClosed

log = logging.getLogger(__name__)

KEYS = frozenset("0123456789*#")
POLICY_VIOLATION, GOING_AWAY, NORMAL = 1008, 1001, 1000


class Refused(Exception):
    """A registration that is not accepted; the text is in Chinese, for the person at the telephone."""


class BrowserLink:
    """What goes out on one socket, in a thread of its own: the exchange's clock waits for no browser."""

    def __init__(self, wire: Wire) -> None:
        """Ready to be told; `start` lets it go out."""
        self._wire = wire
        self._words: deque[str] = deque()
        self._sound: deque[bytes] = deque(maxlen=LATE_FRAMES)
        self._ending: int | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="exchange-line", daemon=True)

    def start(self) -> None:
        """Let it go out."""
        self._thread.start()

    def tell(self, event: str, **facts: Any) -> None:
        """Words; before any sound that waits."""
        with self._changed:
            self._words.append(json.dumps({"event": event, **facts}, ensure_ascii=False))
            self._changed.notify()

    def sound(self, frame: bytes) -> None:
        """20 ms; beyond 400 ms waiting the oldest are dropped."""
        with self._changed:
            self._sound.append(frame)
            self._changed.notify()

    def end(self, code: int) -> None:
        """Close after the words that wait; the first code given counts."""
        with self._changed:
            if self._ending is None:
                self._ending = code
            self._changed.notify()

    def join(self, timeout: float) -> None:
        """Wait for the thread, that many seconds at most."""
        self._thread.join(timeout)

    def _next(self) -> str | bytes | None:
        with self._changed:
            while not self._words and not self._sound and self._ending is None:
                self._changed.wait()
            if self._words:
                return self._words.popleft()
            return None if self._ending is not None else self._sound.popleft()

    def _run(self) -> None:
        try:
            while (message := self._next()) is not None:
                self._wire.send(message)
            self._wire.close(self._ending or NORMAL)
        except WireClosed:
            log.debug("a line closed while something was on its way")


def routes(board: Switchboard) -> Blueprint:
    """The one route. Which origins may come here at all is the server's business; calls and numbers are for the
    exchange's own page."""
    line = Blueprint("line", __name__)

    @line.route("/line", websocket=True)
    def talk() -> Response:
        origin = request.headers.get("Origin")
        own_page = origin is None or origin == f"{request.scheme}://{request.host}"
        try:
            wire = Wire(request.environ)
        except WireClosed:
            return Response(status=400)
        link = BrowserLink(wire)
        link.start()
        board.opened(link)
        try:
            _serve(board, wire, link, own_page)
        except WireClosed:
            log.debug("a line is closed")
        finally:
            board.closed(link)
            link.end(NORMAL)
            wire.cut()
        return Response()  # to a socket that is shut: the server finds nobody there

    return line


def _serve(board: Switchboard, wire: Wire, link: BrowserLink, own_page: bool) -> None:
    """Register, then do what the browser asks until its socket is closed. Raises WireClosed."""
    waiting: deque[str | bytes] = deque()
    while not waiting:
        waiting.extend(wire.receive())
    try:
        with board.lines.lock:
            telephone = _register(board, _json(waiting.popleft()), link, own_page)
    except Refused as fault:
        link.tell("refused", reason=str(fault))
        link.end(POLICY_VIOLATION)
        while True:  # closing over unread bytes would reset the line, and the browser would not see why
            wire.receive()
    try:
        while True:
            while waiting:
                _take(board, telephone, link, waiting.popleft())
            waiting.extend(wire.receive())
    finally:
        with board.lines.lock:
            board.ringing.telephones.lost(telephone, link)


def _register(board: Switchboard, asked: dict[str, Any], link: BrowserLink, own_page: bool) -> Telephone:
    """The telephone this browser holds from now on. Raises Refused."""
    if asked.get("event") != "register":
        raise Refused("请先登记")
    if "token" in asked:
        try:
            return board.ringing.register(_address_of(board, str(asked["token"])), link)
        except TokenError as fault:
            raise Refused(str(fault)) from fault
    if not own_page:
        raise Refused("只有交换机自己的页面可以这样登记")
    if "number" in asked:
        if not E164.match(str(asked["number"])):
            raise Refused("号码要以 + 和国家代码开头")
        return board.ringing.register(str(asked["number"]), link)
    leg = board.calls.get(str(asked.get("call")))
    if leg is None or leg.over or leg.sid not in board.ringing.handsets:
        raise Refused("这通电话已经结束")
    if board.ringing.telephones.waiting_for_calls(leg):
        raise Refused("这通电话在另一台话机上")
    return board.ringing.register_call(leg, link)


def _address_of(board: Switchboard, token: str) -> str:
    settings = board.settings
    return address_of(
        token,
        account_sid=settings.account_sid,
        api_key_sid=settings.api_key_sid,
        api_key_secret=settings.api_key_secret,
    )


def _json(message: str | bytes) -> dict[str, Any]:
    """The object a text message holds; an empty one for anything else."""
    try:
        told = json.loads(message) if isinstance(message, str) else None
    except ValueError:
        told = None
    return told if isinstance(told, dict) else {}


def _take(board: Switchboard, telephone: Telephone, link: BrowserLink, message: str | bytes) -> None:
    with board.lines.lock:
        if telephone.link is not link:
            return  # replaced: what it still says counts no more
        if isinstance(message, bytes):
            telephone.take(message)
            return
        told = _json(message)
        act = _ACTS.get(str(told.get("event")))
        if act is None or not act(board, telephone, told):
            log.warning("a line's message was not understood: %s", str(told.get("event"))[:20])
            if telephone.leg is not None:
                telephone.leg.timeline.add("error", "line: a message from the browser was not understood")


def _ringing(leg: Leg) -> bool:
    return leg.direction != "inbound" and leg.answered is None and not leg.over


def _answer(board: Switchboard, telephone: Telephone, told: dict[str, Any]) -> bool:
    # Without a leg the caller was faster in giving up: nothing to answer, nothing wrong.
    if telephone.leg is not None and _ringing(telephone.leg):
        board.ringing.pick_up(telephone.leg)
    return True


def _mute(board: Switchboard, telephone: Telephone, told: dict[str, Any]) -> bool:
    telephone.mute(told.get("on") is True)
    return isinstance(told.get("on"), bool)


def _press(board: Switchboard, telephone: Telephone, told: dict[str, Any]) -> bool:
    digits = told.get("digits")
    if not isinstance(digits, str) or not digits or not set(digits) <= KEYS:
        return False
    if telephone.leg is not None and telephone.leg.answered is not None:
        telephone.leg.press(digits)
    return True


def _hang_up(board: Switchboard, telephone: Telephone, told: dict[str, Any]) -> bool:
    leg = telephone.leg
    if leg is not None:
        leg.timeline.add("script", "hangs up")
        if _ringing(leg):
            leg.finish("busy")  # what declining looks like to the application
        else:
            board.hang_up(leg)
    return True


_ACTS: dict[str, Callable[[Switchboard, Telephone, dict[str, Any]], bool]] = {
    "answer": _answer,
    "mute": _mute,
    "press": _press,
    "hang-up": _hang_up,
}
"""What a browser may ask for; each answers whether it understood."""
