"""What was heard, on its way to the database and to the desks.

Nothing here makes a socket or a decoding thread wait. One thread writes: finals in the order they were said, a short
transaction each, kept and tried again while the database is away. One thread tells the desks what is being said now;
a desk that is behind gets the newest partial only.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import uuid4

from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from hotline.calls import service as calls
from hotline.calls.listening import Suggester
from hotline.calls.states import Track
from hotline.db import key_ring, session_scope
from hotline.errors import HotlineError
from hotline.knowledge_base.search.following import Follower
from hotline.live.base import Hint
from hotline.speech.base import Heard
from hotline.work_orders.queries import area_of_call

if TYPE_CHECKING:  # bootstrap names every adapter; here only the shape of what it built is needed
    from hotline.bootstrap import Runtime

log = logging.getLogger(__name__)

KEPT_AT_MOST: Final = 10_000  # writes waiting for the database: hours of talk, a few megabytes
TRY_AGAIN_AFTER_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
SUGGEST_EVERY_S: Final = 0.7  # the screen need not change at every syllable
REFRESH_EVERY_S: Final = 1.0  # how long an edited answer may stay unknown here
SUGGEST_NEW_CHARACTERS: Final = 3
SUGGEST_FROM_CHARACTERS: Final = 160  # the end of what was said: what it is about now
_TEMPORARY: Final = (OperationalError, InterfaceError, PoolTimeout)

T = TypeVar("T")


@dataclass(slots=True)
class RecorderFigures:
    """Counts since the process began."""

    written: int = 0
    retries: int = 0
    lost: int = 0
    suggestions_failed: int = 0


@dataclass(eq=False, slots=True)
class Recording:
    """One leg's words. ``refused`` becomes true when its leg turns out not to exist or to be over."""

    recorder: Recorder
    leg_id: int
    leg: calls.StreamLeg | None = None  # known once the database has taken note of the stream
    refused: bool = False
    suggester: Suggester | None = None  # for a caller's leg
    _said: str = ""
    _suggested_at: float = 0.0
    _suggested_length: int = 0

    def heard(self, heard: Heard) -> None:
        """Take words from a decoding thread, in order; returns at once."""
        if heard.final:
            self._said = (self._said + heard.text)[-SUGGEST_FROM_CHARACTERS:]
            self.recorder.keep(self, heard)
            self._suggest("", 0.0)
        else:
            self.recorder.announce(self, heard.text)
            if abs(len(heard.text) - self._suggested_length) >= SUGGEST_NEW_CHARACTERS:
                self._suggest(heard.text, SUGGEST_EVERY_S)

    def ended(self, *, frames: int, dropped: int) -> None:
        """The stream is over; every word of it has been handed in."""
        self.recorder.end(self, frames=frames, dropped=dropped)

    def _suggest(self, partial: str, not_before_s: float) -> None:
        """Only what the citizen says is looked up, and not at every syllable."""
        now = time.monotonic()
        if self.suggester is None or now - self._suggested_at < not_before_s:
            return
        self._suggested_at, self._suggested_length = now, len(partial)
        self.recorder.suggest(self, (self._said + partial)[-SUGGEST_FROM_CHARACTERS:])


@dataclass(frozen=True, slots=True)
class _Write:
    """One short transaction; returns the hint to send once it is committed."""

    recording: Recording
    write: Callable[[Session], Hint | None]


@dataclass(slots=True)
class _Waiting:
    """What the two threads have before them, each with a bell of its own, so that one's work never wakes the other.

    ``changed`` guards ``writes``, ``suggestions`` and ``closing``; ``spoken`` guards ``partials``.
    """

    writes: deque[_Write] = field(default_factory=deque)
    suggestions: dict[Recording, str] = field(default_factory=dict)
    partials: dict[Recording, str] = field(default_factory=dict)
    closing: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)
    spoken: threading.Condition = field(default_factory=threading.Condition)


class Recorder:
    """Writes and tells what every leg of this process says. ``close`` writes what is left."""

    def __init__(self, runtime: Runtime, *, kept_at_most: int = KEPT_AT_MOST) -> None:
        self._runtime = runtime
        self._kept_at_most = kept_at_most
        self._figures = RecorderFigures()
        self._waiting = _Waiting()
        self._refreshed_at = -REFRESH_EVERY_S  # of the writing thread alone
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for name, work in (("record", self._run_writes), ("announce", self._run_partials))
        ]
        for thread in self._threads:
            thread.start()
        self._follower = Follower(runtime.knowledge, runtime.sessions, runtime.bus)

    def started(self, leg_id: int) -> Recording:
        """A leg's sound begins."""
        recording, now = Recording(self, leg_id), self._runtime.now()

        def write(session: Session) -> None:
            leg = calls.stream_started(session, leg_id=leg_id, now=now)
            if leg.track == Track.CALLER:
                recording.suggester = Suggester(self._runtime.knowledge, leg.call_id, leg.subjects)
            recording.leg = leg

        self._put(_Write(recording, write))
        return recording

    def keep(self, recording: Recording, heard: Heard) -> None:
        """Store a final result, once: a commit whose outcome got lost on the way is tried again."""
        now, key = self._runtime.now(), uuid4().hex

        def write(session: Session) -> Hint:
            row = calls.record_utterance(
                session,
                leg_id=recording.leg_id,
                text=heard.text,
                start_ms=heard.start_ms,
                end_ms=heard.end_ms,
                now=now,
                key=key,
            )
            return Hint(f"call-{row.call_id}", "utterance")

        self._put(_Write(recording, write))

    def end(self, recording: Recording, *, frames: int, dropped: int) -> None:
        """A leg's sound is over."""
        now = self._runtime.now()

        def write(session: Session) -> None:
            calls.stream_ended(session, leg_id=recording.leg_id, frames=frames, dropped=dropped, now=now)

        self._put(_Write(recording, write))

    def suggest(self, recording: Recording, heard_text: str) -> None:
        """Look up answers when no words wait to be written. Only the newest look-up of a leg counts."""
        with self._waiting.changed:
            self._waiting.suggestions[recording] = heard_text
            self._waiting.changed.notify()

    def announce(self, recording: Recording, text: str) -> None:
        """Show a partial result on the desk. Only the newest of a leg counts."""
        with self._waiting.spoken:
            self._waiting.partials[recording] = text
            self._waiting.spoken.notify()

    def figures(self) -> dict[str, int]:
        """Return the counts now: ``waiting written retries lost suggestions_failed``."""
        with self._waiting.changed:
            return asdict(self._figures) | {"waiting": len(self._waiting.writes)}

    def close(self) -> None:
        """Write what is left, once; what the database does not take then is lost and counted."""
        with self._waiting.changed, self._waiting.spoken:
            self._waiting.closing = True
            self._waiting.changed.notify()
            self._waiting.spoken.notify()
        for thread in self._threads:
            thread.join()
        self._follower.close()

    def _put(self, write: _Write) -> None:
        with self._waiting.spoken:
            self._waiting.partials.pop(write.recording, None)  # the final says it better
        with self._waiting.changed:
            if len(self._waiting.writes) >= self._kept_at_most:
                self._figures.lost += 1
                return
            self._waiting.writes.append(write)
            self._waiting.changed.notify()

    def _run_writes(self) -> None:
        waiting = self._waiting
        while True:
            with waiting.changed:
                waiting.changed.wait_for(lambda: waiting.writes or waiting.suggestions or waiting.closing)
                write = waiting.writes[0] if waiting.writes else None
                if write is None:
                    if waiting.closing:
                        return
                    recording, heard_text = _pop_oldest(waiting.suggestions)
            if write is None:
                self._look_up(recording, heard_text)
            else:
                self._write_until_settled(write)
                with waiting.changed:
                    waiting.writes.popleft()

    def _write_until_settled(self, write: _Write) -> None:
        attempt = 0
        while not write.recording.refused:
            try:
                with session_scope(self._runtime.sessions) as session:
                    hint = write.write(session)
            except _TEMPORARY as fault:
                if not self._wait_for_database(attempt, fault):
                    self._figures.lost += 1
                    return
                attempt += 1
            except HotlineError as fault:
                log.warning("leg %s: stream refused: %s", write.recording.leg_id, type(fault).__name__)
                write.recording.refused = True
            except SQLAlchemyError as fault:
                # the kind only: the statement's parameters are what was said
                log.error("leg %s: words could not be stored: %s", write.recording.leg_id, type(fault).__name__)
                self._figures.lost += 1
                return
            else:
                self._figures.written += 1
                if hint:
                    self._runtime.bus.publish(hint)
                return

    def _wait_for_database(self, attempt: int, fault: Exception) -> bool:
        """Pause before another try; False when the process is closing."""
        if attempt == 0:
            log.warning("database away (%s): finals are kept and written when it is back", type(fault).__name__)
        self._figures.retries += 1
        pause = TRY_AGAIN_AFTER_S[min(attempt, len(TRY_AGAIN_AFTER_S) - 1)]
        with self._waiting.changed:
            return not self._waiting.changed.wait_for(lambda: self._waiting.closing, pause)

    def _look_up(self, recording: Recording, heard_text: str) -> None:
        suggester, now = recording.suggester, self._runtime.now()
        assert suggester is not None
        try:
            self._refresh_index()
            if not (hits := suggester.look_up(heard_text, now)):
                return
            with session_scope(self._runtime.sessions) as session:
                if any(hit.areas for hit in hits):  # where the matter is may be known by now
                    suggester.area = area_of_call(session, suggester.call_id)
                    hits = suggester.look_up(heard_text, now)
                if not hits:
                    return
                suggester.write(session, hits, now)
        except (SQLAlchemyError, HotlineError) as fault:
            # the next words bring the next look-up
            log.warning("leg %s: no suggestion this time: %s", recording.leg_id, type(fault).__name__)
            self._figures.suggestions_failed += 1
            return
        suggester.stand(hits)
        self._runtime.bus.publish(Hint(f"call-{suggester.call_id}", "suggestion"))

    def _refresh_index(self) -> None:
        if time.monotonic() - self._refreshed_at < REFRESH_EVERY_S:
            return
        with session_scope(self._runtime.sessions) as session:
            self._runtime.knowledge.refresh(session)
        self._refreshed_at = time.monotonic()

    def _run_partials(self) -> None:
        waiting = self._waiting
        while True:
            with waiting.spoken:
                waiting.spoken.wait_for(lambda: waiting.partials or waiting.closing)
                if waiting.closing:
                    return
                recording, text = _pop_oldest(waiting.partials)
            if recording.leg is not None:
                body = {"leg": recording.leg_id, "track": recording.leg.track, "text": text}
                token = key_ring().encrypt(json.dumps(body, ensure_ascii=False).encode())
                self._runtime.bus.publish(Hint(f"call-{recording.leg.call_id}", "partial", token))


def _pop_oldest(waiting: dict[Recording, T]) -> tuple[Recording, T]:
    """Take the leg that has waited longest, so that a talkative one does not keep the others off the screen."""
    recording = next(iter(waiting))
    return recording, waiting.pop(recording)
