"""The live line to a page: server-sent events on channels the asker may hear.

Event names are the kinds of the bus's hints, ``id`` is the channel, data the words of the hint (deciphered here; the
bus carries none in the clear). Besides: ``refresh`` (hints may have been missed, as also before the line stood: read
again), ``heartbeat``, ``log-in-ended`` and ``channel-closed`` (one of the channels may no longer be heard). Every open
line holds a thread, so they are counted; when the house is full a page polls instead.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final

import structlog
from flask import Blueprint, Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.accounts.service import Actor
from hotline.db import UnreadableError, key_ring, session_scope
from hotline.errors import Invalid, NotFound, Unavailable
from hotline.live.base import MISSED, Hint
from hotline.web.access import roles, the_actor, visitor
from hotline.web.context import runtime, transaction
from hotline.web.errors import reply

if TYPE_CHECKING:
    from hotline.bootstrap import Runtime

log = structlog.get_logger(__name__)
bp = Blueprint("live", __name__)

HEARTBEAT_S: Final = 10.0
POLL_S: Final = 3
CHANNELS_AT_MOST: Final = 10

# (session, actor, channel) -> may this person hear that channel? The part of the name before "-" picks the function.
MayListen = Callable[[Session, Actor, str], bool]


@dataclass(slots=True)
class Lines:
    """The open lines of one process. ``slots`` stays below the threads, so that a refusal can still be said."""

    listeners: Mapping[str, MayListen]
    slots: int
    heartbeat_s: float = HEARTBEAT_S
    open: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> bool:
        """Take a slot; False when all are taken."""
        with self._lock:
            if self.open >= self.slots:
                return False
            self.open += 1
            return True

    def give_back(self) -> None:
        """Give a slot back."""
        with self._lock:
            self.open -= 1

    def may_listen(self, session: Session, actor: Actor, channels: list[str]) -> bool:
        """Whether every channel exists and may be heard by ``actor``."""
        for channel in channels:
            allowed = self.listeners.get(channel.partition("-")[0])
            if allowed is None or not allowed(session, actor, channel):
                return False
        return True


@bp.get("/live/stream")
@roles()
def stream() -> ResponseReturnValue:
    """``?channel=NAME`` once or several times. 404 for one that may not be heard, 503 when the house is full."""
    lines: Lines = current_app.extensions["hotline_lines"]
    channels = list(dict.fromkeys(request.args.getlist("channel")))
    if not 0 < len(channels) <= CHANNELS_AT_MOST:
        raise Invalid(f"请指定 1 到 {CHANNELS_AT_MOST} 个频道")
    actor = the_actor()
    with transaction() as session:
        if not lines.may_listen(session, actor, channels):
            raise NotFound("没有这个频道，或者您不能收听")
    if not lines.take():
        answer = reply(503, "实时连接已满，页面改为每3秒刷新")
        answer.headers["Retry-After"] = str(POLL_S)
        return answer
    someone = visitor()
    line = Line(runtime(), lines, actor, someone.session_version if someone else None, channels)
    headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    answer = Response(line.events(), mimetype="text/event-stream", headers=headers)
    answer.call_on_close(lines.give_back)  # also when the first byte was never asked for
    return answer


@dataclass(slots=True)
class Line:
    """One open line."""

    runtime: Runtime
    lines: Lines
    actor: Actor
    session_version: int | None  # None: came with a token
    channels: list[str]

    def events(self) -> Iterator[str]:
        """Yield server-sent events until the log-in ends, the bus is lost or the reader is gone."""
        yield event("heartbeat")  # headers and a first sign of life leave at once
        try:
            with self.runtime.bus.subscribe(*self.channels) as subscription:
                yield event("refresh")  # what was published after the page was read and before it listened
                checked = monotonic()
                while True:
                    for hint in subscription.hints(self.lines.heartbeat_s):
                        yield told(hint)
                        if monotonic() - checked >= self.lines.heartbeat_s:
                            break  # a busy channel must not put off the check
                    if farewell := self._farewell():
                        yield event(farewell)
                        return
                    checked = monotonic()
                    yield event("heartbeat")
        except Unavailable:
            log.warning("live_line_lost", channels=len(self.channels))  # the page sees the end and polls

    def _farewell(self) -> str:
        """Return why the line must end now, or nothing."""
        with session_scope(self.runtime.sessions) as session:
            user = session.get(User, self.actor.user_id)
            welcome = (
                user is not None
                and user.active
                and (user.role, user.unit_id) == (self.actor.role, self.actor.unit_id)
                and self.session_version in (None, user.session_version)
            )
            if not welcome:
                return "log-in-ended"
            return "" if self.lines.may_listen(session, self.actor, self.channels) else "channel-closed"


def id_of(channel: str) -> int | None:
    """Return the number behind the dash: ``call-7`` -> 7; None where there is none."""
    tail = channel.partition("-")[2]
    return int(tail) if tail.isascii() and tail.isdigit() else None


def told(hint: Hint) -> str:
    """Return the event of a hint."""
    if hint.kind == MISSED:
        return event("refresh", channel=hint.channel)
    try:
        text = key_ring().decrypt(hint.body).decode() if hint.body else ""
    except UnreadableError:
        log.warning("live_hint_unreadable", kind=hint.kind)
        return event("refresh", channel=hint.channel)  # the words are in the database
    return event(hint.kind, text, hint.channel)


def event(name: str, text: str = "", channel: str = "") -> str:
    """Write one server-sent event."""
    rows = [f"event: {name}", *([f"id: {channel}"] if channel else []), *(f"data: {row}" for row in text.split("\n"))]
    return "\n".join(rows) + "\n\n"


def init_app(app: Flask, listeners: Mapping[str, MayListen], *, slots: int, heartbeat_s: float = HEARTBEAT_S) -> None:
    """Serve ``/live/stream``. ``listeners``: who may hear channels whose name starts with the key (before ``-``)."""
    app.extensions["hotline_lines"] = Lines(listeners, slots, heartbeat_s)
    app.register_blueprint(bp)
