"""`<Dial>`: other telephones, the head of a queue, or a conference."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

from ..ids import callable_address
from ..leg import Callback, CallOver, Document, Leg, Redirected
from ..queues import CallQueue, Ticket, Waiting
from ..rooms import Member
from . import conference, grammar
from .errors import SCHEMA, TwimlError
from .parse import Verb
from .run import Session
from .scene import Scene
from .staying import stay

RING_S = "30"
DEFAULT_EVENTS = "completed"


def dial(session: Session, verb: Verb, scene: Scene) -> Document | None:
    """Connect the leg and stay until that ends; then the action, or the next verb."""
    nouns = verb.children or (Verb("Number", {}, verb.text),)
    way = {"Conference": conference.enter, "Queue": _queue}.get(nouns[0].name, _telephones)
    action = verb.get("action")
    method = verb.get("method", "POST").upper()
    if verb.get("record", "do-not-record") not in {"do-not-record", "false"}:
        session.leg.timeline.add("error", "<Dial> asks for a recording, which this exchange does not make")
    outcome: dict[str, str] = {}
    try:
        way(session, verb, nouns, scene, outcome)
    except CallOver:
        if action:
            # As on the real service the action hears of the end even when the caller has gone; its answer is ignored.
            session.tell(scene.resolve(action), method, outcome)
        raise
    return Document(scene.resolve(action), method, params=outcome) if action else None


def _telephones(session: Session, verb: Verb, nouns: tuple[Verb, ...], scene: Scene, outcome: dict[str, str]) -> None:
    """Ring all, talk with the first who answers."""
    leg, ticket = session.leg, Ticket(dialler=session.leg.sid)
    outcome |= {"DialCallStatus": "failed", "DialBridged": "false"}
    caller_id = verb.get("callerId") or leg.from_
    timeout = float(verb.get("timeout", RING_S))
    targets = [_target(noun, scene) for noun in nouns]
    children = [
        session.board.ring_for(
            leg,
            to=target.address,
            from_=caller_id,
            timeout=timeout,
            callback=target.callback,
            whisper=target.whisper,
            ticket=ticket,
        )
        for target in targets
    ]
    joined: Leg | None = None
    began = monotonic()
    try:
        leg.wait(lambda: ticket.winner is not None or all(child.over for child in children))
        joined = ticket.winner
        if joined is None:
            outcome |= {"DialCallStatus": children[0].status, "DialCallSid": children[0].sid}
            return
        for other in children:
            if other is not joined:
                session.board.hang_up(other)
        began = monotonic()
        outcome |= {"DialCallStatus": "completed", "DialBridged": "true", "DialCallSid": joined.sid}
        ticket.room.join(Member(leg))
        leg.timeline.add("dial", "bridged", child=joined.sid)
        sid = joined.sid
        stay(leg, verb, lambda: sid not in ticket.room.members)
    except (CallOver, Redirected):
        if joined is None:
            outcome["DialCallStatus"] = "canceled"
        raise
    finally:
        ticket.room.leave(leg)
        with leg.changed:
            ticket.closed = True
            for child in children:
                if child is not joined:
                    session.board.hang_up(child)
                child.notify()
        if joined is not None:
            outcome["DialCallDuration"] = str(round(monotonic() - began))
        leg.timeline.add("dial", outcome["DialCallStatus"])


@dataclass(frozen=True)
class _Target:
    """One telephone to ring: all that is wrong with it is found before the first one rings."""

    address: str
    callback: Callback | None
    whisper: Document | None


def _target(noun: Verb, scene: Scene) -> _Target:
    address = noun.text
    if noun.name == "Client":
        identity = next((child.text for child in noun.children if child.name == "Identity"), noun.text)
        address = f"client:{identity}"
    if not callable_address(address):
        raise TwimlError(SCHEMA, f"<{noun.name}> {address!r} cannot be called")
    callback = None
    if noun.get("statusCallback"):
        events = noun.get("statusCallbackEvent", DEFAULT_EVENTS).replace(",", " ").split()
        url = scene.resolve(noun.get("statusCallback"))
        callback = Callback(url, noun.get("statusCallbackMethod", "POST").upper(), frozenset(events))
    whisper = None
    if noun.get("url"):
        whisper = Document(scene.resolve(noun.get("url")), noun.get("method", "POST").upper())
    return _Target(address, callback, whisper)


def answer_for(session: Session, ticket: Ticket, whisper: Document | None) -> None:
    """The dialled side, after it has picked up: hear the whisper, then talk until the dialler has had enough."""
    leg = session.leg
    try:
        if whisper is not None:
            session.run(whisper, Scene(grammar.WHISPER))
        with leg.changed:
            leg.checkpoint()
            if ticket.winner is not None or ticket.closed:
                leg.finish()
                return
            ticket.room.join(Member(leg))
            ticket.winner = leg
            session.board.wake(ticket.dialler)
        leg.timeline.add("dial", "bridged")
        leg.wait(lambda: ticket.closed)
        leg.finish()
    except TwimlError as fault:
        leg.timeline.add("error", str(fault), code=fault.code)
        leg.finish()
    except CallOver:
        return
    except Redirected as redirected:
        ticket.room.leave(leg)
        session.board.wake(ticket.dialler)
        session.live(redirected.document)
    finally:
        ticket.room.leave(leg)
        session.board.wake(ticket.dialler)


def _queue(session: Session, verb: Verb, nouns: tuple[Verb, ...], scene: Scene, outcome: dict[str, str]) -> None:
    """Fetch the longest waiting leg of a queue and talk with it."""
    leg, noun = session.leg, nouns[0]
    outcome |= {"DequeueResult": "error", "DialCallStatus": "failed"}
    queue = session.board.existing_queue(noun.text)
    if queue is None:
        leg.timeline.add("error", f"<Queue> there is no queue {noun.text!r}")
        return
    url = scene.resolve(noun.get("url")) if noun.get("url") else ""
    ticket = Ticket(whisper_url=url, whisper_method=noun.get("method", "POST").upper(), dialler=leg.sid)
    try:
        found = _fetch(leg, queue, ticket, monotonic() + float(verb.get("timeout", RING_S)))
        if found is None:
            outcome |= {"DequeueResult": "queue-empty", "DialCallStatus": "no-answer"}
            return
        other, began = found.leg, monotonic()
        outcome |= {"DequeueResult": "bridged", "DialCallStatus": "completed", "DequeuedCallSid": other.sid}
        outcome |= {"QueueSid": queue.sid, "DequeuedCallQueueTime": str(found.seconds())}
        ticket.room.join(Member(leg))
        leg.timeline.add("dial", "bridged", other=other.sid)
        stay(leg, verb, lambda: other.sid not in ticket.room.members)
        outcome["DequeuedCallDuration"] = str(round(monotonic() - began))
    finally:
        ticket.room.leave(leg)
        with leg.changed:
            ticket.closed = True
            ticket.room.wake()


def _fetch(leg: Leg, queue: CallQueue, ticket: Ticket, deadline: float) -> Waiting | None:
    """The first who waits and does come, until the deadline."""
    while True:
        with leg.changed:
            found = queue.take(ticket)
        if found is not None:
            if _came(leg, found, ticket):
                return found
        elif not leg.wait(lambda: any(one.ticket is None for one in queue.waiting), deadline - monotonic()):
            return None


def _came(leg: Leg, found: Waiting, ticket: Ticket) -> bool:
    """Whether the waiting leg took the ticket; it may have hung up or been sent elsewhere meanwhile."""
    leg.wait(lambda: ticket.winner is not None or found.leg.over or found.ticket is not ticket)
    return ticket.winner is not None
