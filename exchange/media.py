"""Media Streams: a leg's sound over a WebSocket to the application, and sound, marks and clears back."""

from __future__ import annotations

import base64
import binascii
import json
import queue
import select
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import websocket

from .ids import new_sid
from .leg import Leg
from .sound import frames_of
from .twiml.errors import INVALID_URL, STREAM_CLOSED, STREAM_HANDSHAKE, STREAM_UNREACHABLE, TwimlError

CONNECT_S = 5.0
SEND_S = 5.0
WAITING_LIMIT = 500
"""Ten seconds of frames; an application slower than that loses the newest, counted."""

_BACK = frozenset({"media", "mark", "clear"})
_TRACKS = {"inbound_track": ("inbound",), "outbound_track": ("outbound",), "both_tracks": ("inbound", "outbound")}


def dial_address(url: str, insecure_hosts: frozenset[str]) -> str:
    """Where to really connect: wss without TLS for the hosts so configured; plain ws elsewhere raises TwimlError."""
    parts = urlsplit(url)
    if parts.hostname in insecure_hosts:
        return urlunsplit(parts._replace(scheme="ws"))
    if parts.scheme != "wss":
        raise TwimlError(INVALID_URL, f"<Stream> url {url!r} is not a wss:// address")
    return url


class Stream:
    """One socket of one leg. It ends with the call, with `<Stop>`, or when the socket is lost; the call never notices.

    States: connecting, open, stopped, lost.
    """

    def __init__(
        self,
        leg: Leg,
        *,
        url: str,
        address: str,
        signature: str,
        name: str,
        track: str,
        parameters: Mapping[str, str],
        report: Callable[[Stream, str, str], None],
    ) -> None:
        """`report(stream, event, error)` is told of stream-started, stream-stopped and stream-error."""
        self.sid = new_sid("MZ")
        self.leg, self.url, self.name, self.track = leg, url, name or self.sid, track
        self.state = "connecting"
        self.sent = 0
        self.dropped = 0
        self._address, self._signature, self._parameters, self._report = address, signature, dict(parameters), report
        self._waiting: queue.Queue[dict[str, Any] | None] = queue.Queue(WAITING_LIMIT)
        self._tracks = _TRACKS[track]
        self._chunks = dict.fromkeys(self._tracks, 0)
        self._sequence = 0
        self._ending = False
        self._cut_off = threading.Event()
        self._back: deque[bytes | str] = deque()
        """Frames to play to the leg, and between them the names of marks."""
        self._thread = threading.Thread(target=self._run, name=f"exchange-stream-{self.sid}", daemon=True)

    def start(self) -> None:
        """Connect, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Say stop after what is waiting, and close, in the stream's own thread; nothing if it has ended."""
        with self.leg.changed:
            self._ending = True
            if not self._put(None):
                self._cut_off.set()  # no room for the word itself: what waits is given up

    def join(self, timeout: float) -> None:
        """Wait for the thread to end."""
        self._thread.join(timeout)

    def as_json(self) -> dict[str, Any]:
        """The stream as the lab's API shows it."""
        return {
            "sid": self.sid,
            "name": self.name,
            "url": self.url,
            "track": self.track,
            "state": self.state,
            "frames": self.sent,
            "dropped": self.dropped,
        }

    # -- called by the clock, under the lock ------------------------------------------------------------------------

    def feed(self, inbound: bytes, outbound: bytes) -> None:
        """20 ms of both directions of the leg; counted as dropped if the application does not keep up."""
        if self.state != "open" or self._ending:
            return
        for track, frame in (("inbound", inbound), ("outbound", outbound)):
            if track in self._chunks:
                self._chunks[track] += 1
                chunk = self._chunks[track]
                media = {"track": track, "chunk": str(chunk), "timestamp": str((chunk - 1) * 20)}
                if not self._put({"event": "media", "media": media, "frame": frame}):
                    self.dropped += 1

    def playback(self) -> bytes | None:
        """The next 20 ms the application sent for the leg; marks that come up are echoed."""
        while self._back:
            item = self._back.popleft()
            if isinstance(item, bytes):
                return item
            self._put({"event": "mark", "mark": {"name": item}})
        return None

    def dtmf(self, digit: str) -> None:
        """A key of the handset."""
        if self.state == "open":
            self._put({"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": digit}})

    # -- the stream's own thread ------------------------------------------------------------------------------------

    def _put(self, message: dict[str, Any] | None) -> bool:
        try:
            self._waiting.put_nowait(message)
        except queue.Full:
            return False
        return True

    def _run(self) -> None:
        try:
            socket = websocket.create_connection(
                self._address, timeout=CONNECT_S, header={"X-Twilio-Signature": self._signature}, http_proxy_host=None
            )
        except websocket.WebSocketBadStatusException as fault:
            return self._lost(STREAM_HANDSHAKE, f"the handshake was answered with HTTP {fault.status_code}")
        except (OSError, websocket.WebSocketException, ValueError) as fault:
            return self._lost(STREAM_UNREACHABLE, f"no connection: {type(fault).__name__}")
        try:
            self._talk(socket)
        except (OSError, websocket.WebSocketException) as fault:
            self._lost(STREAM_CLOSED, f"the socket was lost: {type(fault).__name__}")
        finally:
            socket.close(timeout=1)
        return None

    def _talk(self, socket: websocket.WebSocket) -> None:
        socket.settimeout(SEND_S)
        self._send(socket, {"event": "connected", "protocol": "Call", "version": "1.0.0"}, numbered=False)
        start = {
            "accountSid": self.leg.account_sid,
            "streamSid": self.sid,
            "callSid": self.leg.sid,
            "tracks": list(self._tracks),
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": self._parameters,
        }
        self._send(socket, {"event": "start", "start": start})
        self.state = "open"
        self._report(self, "stream-started", "")
        while not self._cut_off.is_set() and (message := self._waiting.get()) is not None:
            frame = message.pop("frame", None)
            if frame is not None:
                message["media"]["payload"] = base64.b64encode(frame).decode()
            self._send(socket, message)
            if select.select([socket.fileno()], [], [], 0)[0]:
                self._receive(socket)
        self.state = "stopped"
        self._send(socket, {"event": "stop", "stop": {"accountSid": self.leg.account_sid, "callSid": self.leg.sid}})
        self._report(self, "stream-stopped", "")

    def _send(self, socket: websocket.WebSocket, message: dict[str, Any], numbered: bool = True) -> None:
        if numbered:
            self._sequence += 1
            message |= {"sequenceNumber": str(self._sequence), "streamSid": self.sid}
        socket.send(json.dumps(message))
        if message["event"] == "media":
            self.sent += 1

    def _receive(self, socket: websocket.WebSocket) -> None:
        kind, data = socket.recv_data()
        if kind == websocket.ABNF.OPCODE_CLOSE:
            raise websocket.WebSocketConnectionClosedException("closed by the application")
        try:
            message = json.loads(data)
            event = message["event"]
            if event not in _BACK:
                raise ValueError(f"unknown event {event!r}")
            self._take(event, message)
        except (ValueError, KeyError, TypeError, binascii.Error) as fault:
            self.leg.timeline.add("error", f"stream: a message from the application was not understood: {fault}")

    def _take(self, event: str, message: dict[str, Any]) -> None:
        if event == "media":
            sound = base64.b64decode(message["media"]["payload"], validate=True)
            with self.leg.changed:
                self._back.extend(frames_of(sound))
        elif event == "mark":
            with self.leg.changed:
                self._back.append(str(message["mark"]["name"]))
        else:
            with self.leg.changed:
                marks = [item for item in self._back if isinstance(item, str)]
                self._back.clear()
            for name in marks:
                self._put({"event": "mark", "mark": {"name": name}})
        self.leg.timeline.add("stream", f"{event} from the application", name=self.name)

    def _lost(self, code: int, words: str) -> None:
        self.state = "lost"
        self.leg.timeline.add("error", f"{code}: stream {self.name}: {words}", code=code, url=self.url)
        self._report(self, "stream-error", words)
