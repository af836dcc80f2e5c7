"""The server's end of a websocket, taken over from the WSGI server (gunicorn gthread or Werkzeug).

One thread a socket, the request's own, and one read for everything that has arrived: the usual pairing of Flask with
simple-websocket takes a second thread and wakes both for every frame, 50 times a second for sound. The protocol itself
is the ``websockets`` library's, whose parser takes about a third of wsproto's time for such a frame.
"""

from __future__ import annotations

import logging
import socket
import time
from typing import Any, Final

from flask import Response
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

log = logging.getLogger(__name__)

READ_BYTES: Final = 1 << 16
LOOK_UP_S: Final = 1.0  # a reader hears of the end of the process though its peer is silent
PING_AFTER_S: Final = 20.0
GONE_AFTER_PINGS: Final = 2
LINGER_S: Final = 1.0
_HANDSHAKE: Final = ("Host", "Connection", "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version")


class SocketClosed(Exception):
    """The socket is closed; by whom and why is in ``code`` and ``reason``."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason


class ServerSocket:
    """An accepted websocket. Raises ``SocketClosed`` from the constructor when the handshake is refused."""

    def __init__(self, environ: dict[str, Any], *, max_size: int) -> None:
        self._socket: socket.socket = environ.get("gunicorn.socket") or environ["werkzeug.socket"]
        self._socket.settimeout(LOOK_UP_S)
        # no extensions: deflating 160 bytes of sound costs time and saves nothing
        self._protocol = ServerProtocol(max_size=max_size)
        self._parts = bytearray()  # of a message that comes in fragments
        self._unanswered = 0
        self._heard_at = time.monotonic()
        self._shake_hands(environ)

    def receive(self) -> list[bytes]:
        """Wait for the peer, ``LOOK_UP_S`` at most, and return every message that is complete: text or binary, as
        bytes; may be none.

        A silent peer is pinged, and given up when it answers none of them. Raises ``SocketClosed`` at the end.
        """
        if self._protocol.state is not State.OPEN:
            self._end()
        try:
            data = self._socket.recv(READ_BYTES)
        except TimeoutError:
            if time.monotonic() - self._heard_at >= PING_AFTER_S:
                self._ping()
            return []
        except OSError as fault:
            raise SocketClosed(CloseCode.ABNORMAL_CLOSURE, type(fault).__name__) from fault
        self._unanswered, self._heard_at = 0, time.monotonic()
        if not data:
            raise SocketClosed(CloseCode.ABNORMAL_CLOSURE, "hung up")
        self._protocol.receive_data(data)
        messages = [message for event in self._protocol.events_received() if (message := self._message(event))]
        self._flush()
        return messages

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye with a code and a reason (123 bytes at most) and wait a moment for the peer's own."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
            self._flush()
            self._linger()

    def _shake_hands(self, environ: dict[str, Any]) -> None:
        headers = {name: environ.get("HTTP_" + name.upper().replace("-", "_"), "") for name in _HANDSHAKE}
        lines = [f"{name}: {value}" for name, value in headers.items()]
        self._protocol.receive_data("\r\n".join(["GET / HTTP/1.1", *lines, "", ""]).encode("latin-1"))
        for request in self._protocol.events_received():
            assert isinstance(request, Request)
            self._protocol.send_response(self._protocol.accept(request))
        self._flush()
        if self._protocol.state is not State.OPEN:
            raise SocketClosed(CloseCode.PROTOCOL_ERROR, "handshake refused")

    def _message(self, event: object) -> bytes | None:
        assert isinstance(event, Frame)
        if event.opcode in (Opcode.TEXT, Opcode.BINARY) and event.fin:
            return bytes(event.data)
        if event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._parts += event.data
            if event.fin:
                whole, self._parts = bytes(self._parts), bytearray()
                return whole
        return None

    def _ping(self) -> None:
        self._heard_at = time.monotonic()  # the next one after as long again
        self._unanswered += 1
        if self._unanswered > GONE_AFTER_PINGS:
            self._protocol.fail(CloseCode.INTERNAL_ERROR, "no sign of life")
        else:
            self._protocol.send_ping(b"")
        self._flush()

    def _end(self) -> None:
        """Tell who closed. A frame that was too big or broken has made the protocol close by itself."""
        said = self._protocol.close_rcvd or self._protocol.close_sent
        if self._protocol.close_sent and not self._protocol.close_rcvd:
            self._linger()
        raise SocketClosed(said.code, said.reason) if said else SocketClosed(CloseCode.ABNORMAL_CLOSURE)

    def _flush(self) -> None:
        try:
            for data in self._protocol.data_to_send():
                if data:
                    self._socket.sendall(data)
                else:
                    self._socket.shutdown(socket.SHUT_WR)
        except OSError as fault:  # the peer is gone; the next read says so
            log.debug("peer gone while sending: %s", type(fault).__name__)

    def _linger(self) -> None:
        """Read what was under way: closing over unread bytes would reset the line and lose our last words."""
        until = time.monotonic() + LINGER_S
        try:
            while self._protocol.close_rcvd is None and (left := until - time.monotonic()) > 0:
                self._socket.settimeout(left)
                data = self._socket.recv(READ_BYTES)
                if not data:
                    break
                self._protocol.receive_data(data)
            self._flush()
        except OSError as fault:
            log.debug("peer gone while closing: %s", type(fault).__name__)


class HandedOver(Response):
    """What the view returns once the socket has been used up: the WSGI server must not write to it any more."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if "gunicorn.socket" in environ:
            raise StopIteration  # gunicorn's own sign to drop the connection without a word
        return super().__call__(environ, start_response)
