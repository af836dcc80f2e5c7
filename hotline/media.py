"""Callers' and operators' sound: media-stream sockets in, transcript out.

Speaks Twilio's Media Streams, one inbound track a socket. A call never depends on any of this: whatever goes wrong here
is counted, and the conversation goes on without a transcript.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, Protocol
from weakref import WeakSet

from flask import Blueprint, Response, request
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from websockets.frames import CloseCode

from hotline.config import Settings
from hotline.errors import NotPermitted
from hotline.speech.base import Heard, SpeechEngine
from hotline.speech.pool import Leg, LegPool
from hotline.speech.sound import CHUNK_MS
from hotline.web import stream_token
from hotline.web.access import public
from hotline.web.media_frames import BadFrame, Media, Start, Stop, parse
from hotline.web.recorder import Recorder
from hotline.web.sockets import HandedOver, ServerSocket, SocketClosed
from hotline.web.twilio_signature import check_socket

if TYPE_CHECKING:  # bootstrap names every adapter; here only the shape of what it built is needed
    from hotline.bootstrap import Runtime

log = logging.getLogger(__name__)

PATH: Final = "/media/stream"
EXTENSION: Final = "hotline_media"
MESSAGE_AT_MOST: Final = 1 << 16  # a frame of 20 ms is 400 bytes
BAD_FRAMES_AT_MOST: Final = 250  # in a row: five seconds of nothing but rubbish
START_WITHIN: Final = 50  # messages; the second one should be it
GAP_AT_MOST: Final = 15_000  # messages missing at once: five minutes, above that the number itself is wrong
# Sound comes in frames of 20 ms and is heard in chunks of 200 ms, so reading ten frames at once loses no time worth
# having and saves nine of ten wake-ups. All sockets wake at the same moments: the first one has this code fetched into
# the processor's caches for the others, which a thread that wakes alone pays for every time.
READ_EVERY_S: Final = CHUNK_MS / 1000


class Listening(Protocol):
    """One leg being listened to."""

    @property
    def refused(self) -> bool:
        """True once the leg turned out to be unknown or over: the socket is then closed."""
        ...

    def heard(self, heard: Heard) -> None:
        """Take words, from a decoding thread, in order. Must not wait."""
        ...

    def ended(self, *, frames: int, dropped: int) -> None:
        """The stream is over and all its words are handed in. Counts are frames of 20 ms."""
        ...


class Listener(Protocol):
    """Who wants to know what is said. ``hotline.web.recorder.Recorder`` is the real one."""

    def started(self, leg_id: int) -> Listening:
        """A leg's sound begins. Must not wait for anything slower than memory."""
        ...

    def figures(self) -> dict[str, int]:
        """Return its counts by name."""
        ...

    def close(self) -> None:
        """Keep what was handed in; nothing more comes."""
        ...


class MediaDesk:
    """The hearing of one process: its slots, its decoding pool, its counts."""

    def __init__(self, settings: Settings, engine: SpeechEngine, listener: Listener, *, slots: int) -> None:
        self.settings = settings
        self.listener = listener
        self.pool = LegPool(engine)
        self.counts: Counter[str] = Counter()
        self.stopping: Callable[[], bool] = lambda: False
        """Whether the process is about to end; whoever serves the desk says so. Streams then end by themselves."""
        self._slots = threading.BoundedSemaphore(slots)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Hear the rest of every leg and hand in, and write, what was said. Nothing is heard after it."""
        self.pool.close()
        self.listener.close()

    def count(self, what: str, by: int = 1) -> None:
        """Add to a count; from any thread."""
        with self._lock:
            self.counts[what] += by

    @contextmanager
    def slot(self) -> Iterator[bool]:
        """Hold one of the slots for a socket; yields False when all are taken."""
        free = self._slots.acquire(blocking=False)
        try:
            yield free
        finally:
            if free:
                self._slots.release()

    def figures(self) -> dict[str, int]:
        """Return every count by name: ``streams frames bad_json refused_full …``, ``pool_…``, ``recorder_…``."""
        with self._lock:
            counts = dict(self.counts)
        counts |= {f"pool_{name}": number for name, number in asdict(self.pool.figures()).items()}
        return counts | {f"recorder_{name}": number for name, number in self.listener.figures().items()}


class Metrics(Collector):
    """The figures of every desk of this process, for Prometheus."""

    STANDING: Final = frozenset({"pool_legs", "pool_backlog_ms", "recorder_waiting"})

    def __init__(self) -> None:
        self.desks: WeakSet[MediaDesk] = WeakSet()

    def collect(self) -> Iterator[Metric]:
        """Yield one metric a figure, ``hotline_media_…``."""
        totals: Counter[str] = Counter()
        for desk in list(self.desks):
            totals.update(desk.figures())
        for name, number in sorted(totals.items()):
            kind = GaugeMetricFamily if name in self.STANDING else CounterMetricFamily
            yield kind(f"hotline_media_{name}", f"Hearing: {name.replace('_', ' ')}", value=number)


METRICS: Final = Metrics()
REGISTRY.register(METRICS)


class Stream:
    """One socket from its first message to its last."""

    def __init__(self, desk: MediaDesk) -> None:
        self._desk = desk
        self._leg: Leg | None = None
        self._listening: Listening | None = None
        self._sequence = 0
        self._frames = 0
        self._lost = 0
        self._bad_in_a_row = 0
        self._before_start = 0

    def take(self, messages: list[bytes]) -> bool:
        """Take messages in the order they came; False when the peer said stop.

        Raises ``SocketClosed`` with the code and reason to close with.
        """
        for message in messages:
            try:
                if not self._take(message):
                    return False
                self._bad_in_a_row = 0
            except BadFrame as bad:
                self._desk.count(f"bad_{bad.kind}")
                self._bad_in_a_row += 1
                if self._bad_in_a_row > BAD_FRAMES_AT_MOST:
                    raise SocketClosed(CloseCode.INVALID_DATA, "nothing but bad frames") from bad
        if self._listening is None:
            self._before_start += len(messages)
            if self._before_start > START_WITHIN:
                raise SocketClosed(CloseCode.POLICY_VIOLATION, "no start frame")
        elif self._listening.refused:
            raise SocketClosed(CloseCode.POLICY_VIOLATION, "leg unknown or over")
        return True

    def end(self) -> None:
        """Hear the rest, hand in the last words and the counts, let go of the recogniser. Once, whatever happened."""
        if self._leg is None or self._listening is None:
            return
        self._leg.close()
        dropped = self._leg.frames_dropped + self._lost
        self._listening.ended(frames=self._frames, dropped=dropped)
        self._desk.count("frames", self._frames)
        self._desk.count("frames_lost", self._lost)

    def _take(self, raw: bytes) -> bool:
        message = parse(raw)
        if isinstance(message, Media):
            self._hear(message)
            return True
        if message.sequence:
            self._follow(message.sequence)
        if isinstance(message, Start):
            self._start(message)
        return not isinstance(message, Stop)

    def _start(self, start: Start) -> None:
        if self._leg is not None:
            raise BadFrame("order")
        if not start.is_telephone_sound:
            raise SocketClosed(CloseCode.UNSUPPORTED_DATA, "wants audio/x-mulaw at 8000 Hz")
        try:
            leg_id = stream_token.leg_of(self._desk.settings, start.parameters.get(stream_token.PARAMETER, ""))
        except NotPermitted as fault:
            self._desk.count("refused_token")
            raise SocketClosed(CloseCode.POLICY_VIOLATION, fault.message) from fault
        listening = self._listening = self._desk.listener.started(leg_id)
        self._leg = self._desk.pool.open_leg(str(leg_id), listening.heard)

    def _hear(self, media: Media) -> None:
        if self._leg is None:
            raise BadFrame("order")
        self._follow(media.sequence)
        if media.track != "inbound":  # the outbound one is announcements and everybody else, mixed
            raise BadFrame("track")
        self._frames += 1
        self._leg.feed(media.payload)

    def _follow(self, sequence: int) -> None:
        """Messages are numbered without gaps. One that comes late is too late to be heard; missing ones are counted."""
        if not self._sequence < sequence <= self._sequence + GAP_AT_MOST:
            raise BadFrame("order")
        self._lost += sequence - self._sequence - 1
        self._sequence = sequence


def make_desk(runtime: Runtime, *, slots: int) -> MediaDesk:
    """Return the hearing of this process, recording into its database. ``slots`` must be below the thread count.

    Starts threads, so it is made after a server has forked.
    """
    desk = MediaDesk(runtime.settings, runtime.speech, Recorder(runtime), slots=slots)
    METRICS.desks.add(desk)
    return desk


def make_blueprint(desk: MediaDesk) -> Blueprint:
    """Return the one route ``GET /media/stream``, a websocket; the desk is the application's extension ``EXTENSION``,
    where the server that ends the process finds it."""
    blueprint = Blueprint("media", __name__)
    blueprint.record(lambda state: state.app.extensions.update({EXTENSION: desk}))

    @blueprint.get(PATH, websocket=True)
    @public  # the carrier's signature guards it
    def stream() -> Response:
        try:
            check_socket(desk.settings, request.headers, request.path)
        except NotPermitted:
            desk.count("refused_signature")
            return Response(status=403)
        serve(desk, request.environ)
        return HandedOver()

    return blueprint


def serve(desk: MediaDesk, environ: dict[str, Any]) -> None:
    """Listen to one socket until it ends. Returns when everything it held has been given back."""
    try:
        socket = ServerSocket(environ, max_size=MESSAGE_AT_MOST)
    except SocketClosed:
        desk.count("refused_handshake")
        return
    # the goodbye comes after the slot is free again: a peer that is slow to answer it holds nothing back
    with desk.slot() as free:
        end = _listen(desk, socket) if free else _turn_away(desk)
    desk.count(f"closed_{end.code}")
    socket.close(end.code, end.reason)


def _turn_away(desk: MediaDesk) -> SocketClosed:
    log.warning("media: every slot is taken, a stream was turned away: that leg has no transcript")
    desk.count("refused_full")
    return SocketClosed(CloseCode.TRY_AGAIN_LATER, "every slot is taken")


def _listen(desk: MediaDesk, socket: ServerSocket) -> SocketClosed:
    """Listen until something ends it; return what. The recogniser is free and the last words are handed in by then."""
    desk.count("streams")
    stream = Stream(desk)
    try:
        while stream.take(socket.receive()):
            if desk.stopping():
                return SocketClosed(CloseCode.GOING_AWAY, "shutting down")
            time.sleep(READ_EVERY_S - time.monotonic() % READ_EVERY_S)
        return SocketClosed(CloseCode.NORMAL_CLOSURE, "stopped")
    except SocketClosed as end:
        return end
    except Exception:
        log.exception("media: a stream failed, its call goes on without a transcript")
        return SocketClosed(CloseCode.INTERNAL_ERROR, "internal error")
    finally:
        stream.end()
