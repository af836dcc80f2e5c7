"""The verbs that need no waiting for others: speaking, going elsewhere, ending, and streams."""

from __future__ import annotations

from collections.abc import Callable

from ..leg import CallOver, Document
from ..sound import SoundError, frames_of, mulaw_of_wav, silence
from .errors import TwimlError
from .parse import Verb
from .run import Session
from .scene import LeftQueue, Scene

DTMF_S = 0.25


def say(session: Session, verb: Verb, scene: Scene) -> None:
    """Speak the text, `loop` times."""
    if verb.text:
        _repeat(verb, lambda: session.say(verb.text))


def play(session: Session, verb: Verb, scene: Scene) -> None:
    """Play the keys, or the sound at the address; if that cannot be had it is noted and a second of silence played."""
    if verb.get("digits"):
        session.leg.timeline.add("caption", f"(按键音 {verb.get('digits')})")
        session.leg.play(silence(DTMF_S * len(verb.get("digits"))))
        return
    url = scene.resolve(verb.text)
    try:
        answer = session.board.webhooks.send("GET", url, {}, session.leg.timeline)
        frames = session.board.prompts.hurried(frames_of(mulaw_of_wav(answer.body)))
    except (TwimlError, SoundError) as fault:
        session.leg.timeline.add("error", f"<Play> {url}: {fault}", url=url)
        frames = silence(1)
    session.leg.timeline.add("caption", f"(播放 {url.rpartition('/')[2]})", url=url)
    _repeat(verb, lambda: session.leg.play(frames))


def _repeat(verb: Verb, once: Callable[[], None]) -> None:
    """`loop` times; 0 is until something comes in between."""
    times = int(verb.get("loop", "1"))
    while True:
        once()
        times -= 1
        if times == 0:
            return


def pause(session: Session, verb: Verb, scene: Scene) -> None:
    """Silence for `length` seconds."""
    session.leg.pause(float(verb.get("length", "1")))


def redirect(session: Session, verb: Verb, scene: Scene) -> Document:
    """Go on with another document."""
    return Document(scene.resolve(verb.text), verb.get("method", "POST").upper())


def hangup(session: Session, verb: Verb, scene: Scene) -> None:
    """End the call; one not yet answered is busy."""
    session.leg.finish("completed" if session.leg.answered else "busy")
    raise CallOver


def reject(session: Session, verb: Verb, scene: Scene) -> None:
    """Refuse the call."""
    refused = "busy" if verb.get("reason") == "busy" else "failed"
    session.leg.finish("completed" if session.leg.answered else refused)
    raise CallOver


def leave(session: Session, verb: Verb, scene: Scene) -> None:
    """Leave the queue whose wait document this is. Raises LeftQueue."""
    raise LeftQueue


def start(session: Session, verb: Verb, scene: Scene) -> None:
    """Open a media stream beside the call."""
    stream = verb.children[0]
    url = stream.get("url")
    callback = stream.get("statusCallback")
    session.board.open_stream(
        session.leg,
        url=url,
        name=stream.get("name"),
        track=stream.get("track", "inbound_track"),
        parameters={each.get("name"): each.get("value") for each in stream.children},
        callback=(stream.get("statusCallbackMethod", "POST").upper(), scene.resolve(callback)) if callback else None,
    )


def stop(session: Session, verb: Verb, scene: Scene) -> None:
    """Close the stream of that name, or all."""
    name = verb.children[0].get("name")
    for stream in session.leg.streams:
        if name in {stream.name, ""}:
            stream.stop()
