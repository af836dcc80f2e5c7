"""Runs documents for one leg: fetch, check, one verb after another, and what follows from each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from ..leg import CallOver, Document, Leg, Redirected
from . import grammar
from .board import Board
from .errors import WRONG_CONTENT_TYPE, TwimlError
from .parse import Verb, check
from .scene import Scene

log = logging.getLogger(__name__)

XML_TYPES = frozenset({"text/xml", "application/xml", "text/html", "application/xhtml+xml"})
SORRY = "很抱歉，应用程序出错，通话即将结束。"
FALLBACKS_PER_CALL = 5

ANSWERS_THE_CALL = grammar.VOICE - {"Reject", "Redirect", "Pause", "Hangup"}
"""The line opens with the first of these; before, the caller hears it ring."""


CALL_SCENE = Scene(grammar.CALL)


class Session:
    """The running of one leg's documents, in the leg's own thread."""

    def __init__(self, leg: Leg, board: Board, verbs: Mapping[str, Action]) -> None:
        """`verbs` are those it knows by name, `board` gives what they need."""
        self.leg = leg
        self.board = board
        self._verbs = verbs
        self._asked = ""
        self._fallbacks = 0

    def live(self, document: Document) -> None:
        """Run from here to the end of the call, whatever comes in between."""
        following: Document | None = document
        while following is not None:
            try:
                self.run(following, CALL_SCENE)
                following = None
            except Redirected as redirected:
                following = redirected.document
            except CallOver:
                return
            except TwimlError as fault:
                following = self._after(fault)
        self.leg.timeline.add("verb", "end of the document")
        self.leg.finish()

    def run(self, document: Document, scene: Scene) -> None:
        """One document and all it leads to, until one runs to its end. Raises TwimlError for a fault in any."""
        following: Document | None = document
        while following is not None:
            verbs, here = self._load(following, scene)
            following = self.execute(verbs, here)

    def execute(self, verbs: list[Verb] | tuple[Verb, ...], scene: Scene) -> Document | None:
        """Verbs in order; the document one of them leads to ends the others."""
        for verb in verbs:
            self.leg.checkpoint()
            self.leg.timeline.add("verb", verb.name, **verb.attributes)
            if verb.name in ANSWERS_THE_CALL:
                self.leg.answer()
            following = self._verbs[verb.name](self, verb, scene)
            if following is not None:
                return following
        return None

    def say(self, text: str) -> None:
        """Let the leg hear a text; its caption appears when it begins."""
        speech = self.board.prompts.say(text)
        self.leg.timeline.add("caption", text, recordings=list(speech.recordings))
        self.leg.play(speech.frames)

    def tell(self, url: str, method: str, params: Mapping[str, str]) -> None:
        """A request nobody waits for."""
        form = {**self.leg.params(), **params}
        self.board.webhooks.notify(self.leg.sid, method, url, form, self.leg.timeline)

    def _load(self, document: Document, scene: Scene) -> tuple[list[Verb], Scene]:
        if document.twiml is not None:
            self._asked = ""
            return check(document.twiml, scene.place), replace(scene, base="")
        self._asked = document.url
        self.leg.checkpoint()
        params = {**self.leg.params(), **scene.params(), **document.params}
        answer = self.board.webhooks.send(document.method, document.url, params, self.leg.timeline)
        self.leg.checkpoint()
        if answer.content_type not in XML_TYPES:
            raise TwimlError(WRONG_CONTENT_TYPE, f"{document.url} answered with {answer.content_type!r}, not XML")
        return check(answer.body, scene.place), replace(scene, base=answer.url, method=document.method)

    def _after(self, fault: TwimlError) -> Document | None:
        """What to run after a fault: the fallback address, or nothing once the caller has been told."""
        leg = self.leg
        leg.timeline.add("error", str(fault), code=fault.code, url=self._asked)
        fallback = leg.fallback
        if fallback is not None and self._asked != fallback.url and self._fallbacks < FALLBACKS_PER_CALL:
            self._fallbacks += 1
            return replace(fallback, params={"ErrorCode": str(fault.code), "ErrorUrl": self._asked})
        try:
            leg.answer()
            self.say(SORRY)
        except Redirected as redirected:
            return redirected.document
        except CallOver:
            log.debug("%s ended before it could be told", leg.sid)
        return None


Action: TypeAlias = Callable[[Session, Verb, Scene], Document | None]
"""How one verb is run; the document it gives, if any, is run instead of the verbs after it."""
