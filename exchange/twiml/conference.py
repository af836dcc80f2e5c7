"""`<Dial><Conference>`: waiting for its start, and being in it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from time import monotonic

from ..conferences import HUNG_UP, UPDATED
from ..leg import Callback, Document, Redirected
from ..rooms import Member
from . import grammar
from .errors import CONFERENCE_WAIT, TwimlError
from .parse import Verb
from .run import Session
from .scene import Scene
from .staying import stay

LOOP_AT_LEAST_S = 0.5


def enter(session: Session, verb: Verb, nouns: tuple[Verb, ...], scene: Scene, outcome: dict[str, str]) -> None:
    """Enter the conference of that name and stay until this leg leaves or is put out."""
    leg, noun = session.leg, nouns[0]
    callback = None
    if noun.get("statusCallback"):
        # Without statusCallbackEvent the real service reports nothing at all.
        events = frozenset(noun.get("statusCallbackEvent").replace(",", " ").split())
        url = scene.resolve(noun.get("statusCallback"))
        callback = Callback(url, noun.get("statusCallbackMethod", "POST").upper(), events)
    member = Member(
        leg,
        muted=noun.flag("muted", default=False),
        coaching=noun.get("coach") or None,
        label=noun.get("participantLabel") or None,
        start_on_enter=noun.flag("startConferenceOnEnter", default=True),
        end_on_exit=noun.flag("endConferenceOnExit", default=False),
    )
    outcome |= {"DialCallStatus": "answered", "DialBridged": "false"}
    with leg.changed:
        conference = session.board.conferences.named(noun.text)
        conference.enter(member, callback, noun.get("beep", "true"))
    leg.timeline.add("conference", f"enters {conference.name}", sid=conference.sid)
    reason = HUNG_UP
    try:
        with leg.cut_when(lambda: conference.mixing or leg.room is not conference):
            _await_start(session, noun, scene)
        outcome["DialBridged"] = "true"
        stay(leg, verb, lambda: leg.room is not conference)
    except Redirected:
        reason = UPDATED
        raise
    finally:
        conference.exit(leg, reason)
        leg.timeline.add("conference", f"leaves {conference.name}", sid=conference.sid)


def _await_start(session: Session, noun: Verb, scene: Scene) -> None:
    """What a leg hears before the conference starts; ends by being cut."""
    leg = session.leg
    with suppress(TwimlError):
        if "waitUrl" not in noun.attributes:
            leg.timeline.add("caption", "(等候音乐)")
        elif noun.get("waitUrl"):
            document = Document(scene.resolve(noun.get("waitUrl")), noun.get("waitMethod", "POST").upper())
            inner = replace(scene, place=grammar.CONFERENCE_WAIT, params=dict)
            while True:
                begun = monotonic()
                try:
                    session.run(document, inner)
                except TwimlError as fault:
                    # The conference itself is not at fault: the leg waits on in silence.
                    leg.timeline.add("error", f"<Conference> waitUrl: {fault}", code=CONFERENCE_WAIT)
                    raise
                leg.pause(max(0.0, begun + LOOP_AT_LEAST_S - monotonic()))
    leg.wait(lambda: False)
