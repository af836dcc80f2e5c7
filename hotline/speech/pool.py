"""Hearing many legs at once: sound goes in from socket threads, words come out of decoding threads.

A recogniser answers in bursts (mostly half a millisecond for 100 ms of sound, sometimes 400), so a socket thread never
waits for it: ``Leg.feed`` only appends to a bounded buffer. Every leg has a decoding thread of its own, because what a
recogniser allocates then lies together (one thread for six recognisers costs a tenth more), but only as many decode at
once as there are cores: a thread works when it has a turn, and passes it on after every chunk to the leg that has
waited longest, so that one with a backlog cannot starve the others.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from hotline.errors import Unavailable
from hotline.speech.base import Heard, Recogniser, SpeechEngine
from hotline.speech.silence import SilenceGate
from hotline.speech.sound import CHUNK_BYTES, CHUNK_MS, FRAME_BYTES, ms_of, pcm_of

log = logging.getLogger(__name__)

BUFFER_MS: Final = 10_000

OnHeard = Callable[[Heard], None]


class LegState(Enum):
    """How a leg is doing."""

    HEARING = "hearing"
    FAILED = "failed"  # its recogniser raised: the call goes on without a transcript
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """Counts since the pool began, and what stands now, for the metrics page."""

    legs: int
    legs_failed: int
    frames_in: int
    frames_dropped: int
    bytes_decoded: int
    backlog_ms: int


class Leg:
    """One leg's sound on its way to words. Made by ``LegPool.open_leg``."""

    def __init__(self, pool: LegPool, leg_id: str, on_heard: OnHeard) -> None:
        self.leg_id = leg_id
        self.state = LegState.HEARING
        self.frames_in = 0
        self.bytes_dropped = 0
        self.bytes_decoded = 0
        self._pool = pool
        self._on_heard = on_heard
        self._recogniser: Recogniser | None = None  # opened by the thread that will use it
        self._lock = threading.Lock()
        self._buffer = bytearray()
        self._bytes_heard = 0
        self._gate = SilenceGate()
        self._queued = False
        self._closing = False
        self._over = False
        self._turn = threading.Semaphore(0)
        self.thread = threading.Thread(target=self._run, name=f"hear-{leg_id}", daemon=True)
        self._cut = 0  # bytes dropped since the last chunk was taken
        self._unheard = 0  # bytes dropped or passed over since the recogniser last heard anything
        self._holes: list[tuple[int, int]] = []  # (recogniser's clock, ms it did not hear there)

    def feed(self, mulaw: bytes) -> bool:
        """Take one frame of mu-law sound. Never waits. False if sound had to be dropped or the leg is closed.

        When the buffer is full its older half goes, in one piece. The newest is kept because the operator needs what is
        being said now, and one clean hole leaves whole sentences on both sides where dropping frame by frame would
        chop every word of an overloaded minute.
        """
        with self._lock:
            self.frames_in += 1
            if self._closing or self.state is not LegState.HEARING:
                self.bytes_dropped += len(mulaw)
                return False
            self._buffer += mulaw
            kept = len(self._buffer) <= self._pool.buffer_bytes
            if not kept:
                self._drop_older_half()
            self._queue_if_due()
            return kept

    def close(self) -> None:
        """Hear the rest, hand out the last finals, free the recogniser; returns when that is done. May be repeated.

        Not to be called from ``on_heard``.
        """
        with self._lock:
            self._closing = True
            self._queue_if_due()
        self.thread.join()

    @property
    def frames_dropped(self) -> int:
        """Frames of sound that were never heard."""
        return self.bytes_dropped // FRAME_BYTES

    @property
    def backlog_ms(self) -> int:
        """Milliseconds of sound that wait to be heard."""
        return ms_of(len(self._buffer))

    def _queue_if_due(self) -> None:
        """With the lock held: stand in the queue if there is work, unless standing there or being worked on."""
        if not self._queued and not self._over and (self._closing or len(self._buffer) >= CHUNK_BYTES):
            self._queued = True
            self._pool.ask_for_turn(self._turn)

    def _drop_older_half(self) -> None:
        cut = len(self._buffer) - self._pool.buffer_bytes // 2
        del self._buffer[:cut]
        self.bytes_dropped += cut
        self._cut += cut

    def _take_chunk(self) -> bytes:
        chunk = bytes(self._buffer[:CHUNK_BYTES])
        del self._buffer[:CHUNK_BYTES]
        self._unheard, self._cut = self._unheard + self._cut, 0
        return chunk

    def _sound_of(self, chunk: bytes) -> list[bytes]:
        """Return what to hear of this chunk and those held back, and note where the recogniser's clock stood still."""
        before = self._gate.passed_over
        sound = self._gate.take(chunk) if chunk else []
        self._unheard += self._gate.passed_over - before
        if sound and self._unheard:
            self._holes.append((ms_of(self._bytes_heard), ms_of(self._unheard)))
            self._unheard = 0
        self._bytes_heard += sum(map(len, sound))
        return sound

    def _run(self) -> None:
        while not self._over:
            self._turn.acquire()
            try:
                self._work()
            finally:
                self._pool.pass_turn()

    def _work(self) -> None:
        """Hear one chunk, or the end."""
        with self._lock:
            chunk = self._take_chunk()
            last = self._closing and not self._buffer
        self._hear(chunk, last=last)
        with self._lock:
            self.bytes_decoded += len(chunk)
            self._queued = False
            if last:
                self._over = True
                self._recogniser = None
                if self.state is not LegState.FAILED:
                    self.state = LegState.CLOSED
                self._pool.forget(self)
            else:
                self._queue_if_due()

    def _hear(self, chunk: bytes, *, last: bool) -> None:
        if self.state is not LegState.HEARING:
            return
        try:
            if self._recogniser is None:
                self._recogniser = self._pool.engine.open()
            was_shut = self._gate.shut
            for sound in self._sound_of(chunk):
                for words in self._recogniser.accept(pcm_of(sound)):
                    self._on_heard(self._in_leg_time(words))
            if self._gate.shut and not was_shut:
                for words in self._recogniser.pause():
                    self._on_heard(self._in_leg_time(words))
            if last:
                for words in self._recogniser.finish():
                    self._on_heard(self._in_leg_time(words))
        except Exception as fault:  # whatever a recogniser raises, the call and the other legs go on
            self._fail(fault)

    def _fail(self, fault: Exception) -> None:
        # the kind of the fault only: its text might hold words that were said
        log.error("leg %s: no transcript from here on, hearing failed: %s", self.leg_id, type(fault).__name__)
        with self._lock:
            self.state = LegState.FAILED
            self._recogniser = None
            self.bytes_dropped += len(self._buffer)
            self._buffer.clear()

    def _in_leg_time(self, heard: Heard) -> Heard:
        """Count the holes in: the recogniser's clock stands still while sound is dropped or silence passed over."""
        if not self._holes:
            return heard
        start = heard.start_ms + sum(lost for where, lost in self._holes if where <= heard.start_ms)
        end = heard.end_ms + sum(lost for where, lost in self._holes if where < heard.end_ms)
        return Heard(heard.text, heard.final, start, end)


class LegPool:
    """Legs over one engine, ``workers`` of them decoding at once. Use as a context manager, or call ``close``."""

    def __init__(self, engine: SpeechEngine, workers: int | None = None, *, buffer_ms: int = BUFFER_MS) -> None:
        self.engine = engine
        # the cores this process may use, which is fewer than the machine has where it was given a share
        self.workers = workers or len(os.sched_getaffinity(0))
        self.buffer_bytes = buffer_ms * CHUNK_BYTES // CHUNK_MS
        self._free = self.workers  # turns nobody has
        self._queue: deque[threading.Semaphore] = deque()
        self._lock = threading.Lock()
        self._legs: set[Leg] = set()
        self._past: Counter[str] = Counter()
        self._shut = False

    def __enter__(self) -> LegPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open_leg(self, leg_id: str, on_heard: OnHeard) -> Leg:
        """Return a leg whose words go to ``on_heard``, called from a decoding thread, which should hand on quickly.

        ``leg_id`` is only for the log. A leg whose recogniser cannot be opened hears nothing and ends ``FAILED``.
        """
        leg = Leg(self, leg_id, on_heard)
        with self._lock:
            if self._shut:
                raise Unavailable("the hearing is shut down")
            self._legs.add(leg)
            leg.thread.start()
        return leg

    def figures(self) -> PoolFigures:
        """Return the counts now."""
        with self._lock:
            legs, past = list(self._legs), Counter(self._past)
        return PoolFigures(
            legs=len(legs),
            legs_failed=past["failed"] + sum(leg.state is LegState.FAILED for leg in legs),
            frames_in=past["in"] + sum(leg.frames_in for leg in legs),
            frames_dropped=past["dropped"] + sum(leg.frames_dropped for leg in legs),
            bytes_decoded=past["decoded"] + sum(leg.bytes_decoded for leg in legs),
            backlog_ms=sum(leg.backlog_ms for leg in legs),
        )

    def close(self) -> None:
        """Close every leg; their threads have ended then."""
        with self._lock:
            self._shut = True
            legs = list(self._legs)
        for leg in legs:
            leg.close()

    def ask_for_turn(self, turn: threading.Semaphore) -> None:
        """Release ``turn`` as soon as its leg may decode: at once, or when those before it in the queue have."""
        with self._lock:
            if self._free:
                self._free -= 1
                turn.release()
            else:
                self._queue.append(turn)

    def pass_turn(self) -> None:
        """Hand the turn on to whoever has waited longest."""
        with self._lock:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._free += 1

    def forget(self, leg: Leg) -> None:
        """Let go of a closed leg, keeping its counts."""
        with self._lock:
            self._legs.discard(leg)
            self._past.update(
                {
                    "failed": int(leg.state is LegState.FAILED),
                    "in": leg.frames_in,
                    "dropped": leg.frames_dropped,
                    "decoded": leg.bytes_decoded,
                }
            )
