"""`<Enqueue>`: waiting, and every way out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from time import monotonic

from ..leg import CallOver, Document, Redirected
from ..queues import DEFAULT_LIMIT, CallQueue, Ticket, Waiting
from ..rooms import Member
from . import grammar
from .errors import TwimlError
from .parse import Verb
from .run import Session
from .scene import LeftQueue, Scene

LOOP_AT_LEAST_S = 0.5
"""A wait document that takes no time is asked for again after this, lest the application be flooded."""


def enqueue(session: Session, verb: Verb, scene: Scene) -> Document | None:
    """Wait in the queue of that name until somebody comes for the leg, it leaves, or the call takes another turn."""
    leg = session.leg
    waiting = Waiting(leg)
    with leg.changed:
        queue = session.board.queue(verb.text)
        full = len(queue.waiting) >= _limit(verb)
        if not full:
            queue.waiting.append(waiting)
            session.board.wake_all()
    if full:
        return _action(session, verb, scene, {"QueueResult": "queue-full"})
    leg.timeline.add("queue", f"enters {queue.name}", sid=queue.sid)
    result, fault = "error", None
    try:
        result = _wait(session, verb, scene, queue, waiting)
    except TwimlError as wrong:
        fault = wrong
        leg.timeline.add("error", str(wrong), code=wrong.code)
    except (CallOver, Redirected) as turn:
        result = "hangup" if isinstance(turn, CallOver) else "redirected"
        raise
    finally:
        with leg.changed:
            queue.leave(waiting)
            if waiting.ticket is not None:
                dialler, waiting.ticket = waiting.ticket.dialler, None
                session.board.wake(dialler)
        leg.timeline.add("queue", f"leaves {queue.name}: {result}", sid=queue.sid)
        outcome = {"QueueResult": result, "QueueSid": queue.sid, "QueueTime": str(waiting.seconds())}
        if result in {"hangup", "redirected"} and verb.get("action"):
            # The application is told, but its answer changes nothing: the call already goes elsewhere.
            session.tell(scene.resolve(verb.get("action")), verb.get("method", "POST").upper(), outcome)
    following = _action(session, verb, scene, outcome)
    if fault is not None and following is None:
        raise fault
    return following


def _limit(verb: Verb) -> int:
    return int(verb.get("maxQueueSize", str(DEFAULT_LIMIT)))


def _action(session: Session, verb: Verb, scene: Scene, outcome: Mapping[str, str]) -> Document | None:
    action = verb.get("action")
    if not action:
        return None
    return Document(scene.resolve(action), verb.get("method", "POST").upper(), params=outcome)


def _wait(session: Session, verb: Verb, scene: Scene, queue: CallQueue, waiting: Waiting) -> str:
    """The waiting itself; the word for how it ended."""
    leg = session.leg

    def params() -> Mapping[str, str]:
        with leg.changed:
            return queue.params(waiting, _limit(verb))

    url = verb.get("waitUrl")
    inner = replace(scene, place=grammar.QUEUE_WAIT, params=params)
    try:
        with leg.cut_when(lambda: waiting.ticket is not None):
            if not url:
                leg.timeline.add("caption", "(等候音乐)")
                leg.wait(lambda: False)
            document = Document(scene.resolve(url), verb.get("waitUrlMethod", "POST").upper())
            while True:
                begun = monotonic()
                session.run(document, inner)
                leg.pause(max(0.0, begun + LOOP_AT_LEAST_S - monotonic()))
    except LeftQueue:
        return "leave"
    assert waiting.ticket is not None
    return _meet(session, scene, queue, waiting, waiting.ticket)


def _meet(session: Session, scene: Scene, queue: CallQueue, waiting: Waiting, ticket: Ticket) -> str:
    """Be told, if the dialler wants it, and talk until either side has had enough."""
    leg = session.leg
    with leg.changed:
        queue.leave(waiting)
    if ticket.whisper_url:
        told = {"QueueSid": queue.sid, "QueueTime": str(waiting.seconds()), "DequeingCallSid": ticket.dialler}
        inner = replace(scene, place=grammar.QUEUE_WHISPER, params=lambda: told)
        session.run(Document(ticket.whisper_url, ticket.whisper_method), inner)
    try:
        with leg.changed:
            ticket.room.join(Member(leg))
            ticket.winner = leg
            ticket.room.wake()
            session.board.wake(ticket.dialler)
        leg.timeline.add("dial", "bridged")
        leg.wait(lambda: ticket.closed)
    finally:
        ticket.room.leave(leg)
        session.board.wake(ticket.dialler)
    return "bridged"
