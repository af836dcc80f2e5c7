"""`<Gather>`: keys pressed, while something is said or after."""

from __future__ import annotations

from ..leg import Document, Leg
from .parse import Verb
from .run import Session
from .scene import Scene


def gather(session: Session, verb: Verb, scene: Scene) -> Document | None:
    """Collect keys; the first one cuts what is being said. Nothing pressed falls through to the next verb."""
    leg = session.leg
    if "speech" in verb.get("input", "dtmf") and "dtmf" not in verb.get("input", "dtmf"):
        leg.timeline.add("error", "<Gather> asks for speech only, which this exchange does not recognise")
    with leg.changed:
        leg.digits.clear()
        leg.listening = True
    try:
        with leg.cut_when(lambda: bool(leg.digits)):
            session.execute(verb.children, scene)
        digits, finished_by = _collect(leg, verb)
    finally:
        leg.listening = False
    leg.timeline.add("verb", f"Gather: {digits or 'nothing pressed'}")
    if not digits and not verb.flag("actionOnEmptyResult", default=False):
        return None
    action = verb.get("action")
    url = scene.resolve(action) if action else scene.resolve(scene.base)
    method = verb.get("method", "POST" if action else scene.method).upper()
    return Document(url, method, params={"Digits": digits, "FinishedOnKey": finished_by})


def _collect(leg: Leg, verb: Verb) -> tuple[str, str]:
    """Keys until there are enough, a finishing key comes, or none comes for `timeout` seconds."""
    wanted = int(verb.get("numDigits", "0"))
    patience = float(verb.get("timeout", "5"))
    finishing = verb.get("finishOnKey", "#")
    digits = ""
    while leg.wait(lambda: bool(leg.digits), patience):
        key = leg.digits.popleft()
        if key in finishing:
            return digits, key
        digits += key
        if len(digits) == wanted:
            break
    return digits, ""
