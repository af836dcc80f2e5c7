"""The exchange's end of a websocket, taken over from the HTTP server: one thread reads it, another may write.

The protocol is the `websockets` library's, which leaves the reading and writing of bytes to whoever uses it.
"""

from __future__ import annotations

import logging
import socket
import threading
from typing import Any

from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

log = logging.getLogger(__name__)

READ_BYTES = 1 << 16
LARGEST_MESSAGE = 1 << 16
PING_AFTER_S = 20.0
GONE_AFTER_PINGS = 2
_HANDSHAKE = ("Host", "Connection", "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version")


class WireClosed(Exception):
    """The socket is closed or lost; nothing comes or goes any more."""


class Wire:
    """An accepted websocket. Text is `str`, binary `bytes`, both ways. Raises WireClosed when the handshake fails."""

    def __init__(self, environ: dict[str, Any]) -> None:
        """Answer the handshake of this request; the HTTP server must not write to its socket from here on."""
        self._socket: socket.socket = environ["werkzeug.socket"]
        self._socket.settimeout(PING_AFTER_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # no extensions: deflating 160 bytes of sound costs time and saves nothing
        self._protocol = ServerProtocol(max_size=LARGEST_MESSAGE)
        self._lock = threading.Lock()  # over the protocol's state and the order of what goes out
        self._parts = bytearray()
        self._parts_are_text = False
        self._unanswered = 0
        headers = {name: environ.get("HTTP_" + name.upper().replace("-", "_"), "") for name in _HANDSHAKE}
        lines = [f"{name}: {value}" for name, value in headers.items()]
        with self._lock:
            self._protocol.receive_data("\r\n".join(["GET / HTTP/1.1", *lines, "", ""]).encode("latin-1"))
            for request in self._protocol.events_received():
                assert isinstance(request, Request)
                self._protocol.send_response(self._protocol.accept(request))
            self._flush()
        if self._protocol.state is not State.OPEN:
            raise WireClosed("handshake refused")

    def receive(self) -> list[str | bytes]:
        """Wait for the peer and return the messages that are complete, perhaps none. A silent peer is pinged, and
        given up when it answers none. Raises WireClosed at the end."""
        if self._protocol.state is not State.OPEN:
            raise WireClosed("closed")
        try:
            data = self._socket.recv(READ_BYTES)
        except TimeoutError:
            self._ping()
            return []
        except OSError as fault:
            raise WireClosed(type(fault).__name__) from fault
        if not data:
            raise WireClosed("hung up")
        self._unanswered = 0
        with self._lock:
            self._protocol.receive_data(data)
            messages = [got for event in self._protocol.events_received() if (got := self._message(event)) is not None]
            self._flush()
        return messages

    def send(self, message: str | bytes) -> None:
        """One message. Raises WireClosed when nobody can get it any more."""
        with self._lock:
            if self._protocol.state is not State.OPEN:
                raise WireClosed("closed")
            if isinstance(message, str):
                self._protocol.send_text(message.encode())
            else:
                self._protocol.send_binary(message)
            self._flush()

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye (reason: 123 bytes at most); the reader then sees the end. Nothing if it is closed."""
        with self._lock:
            if self._protocol.state is State.OPEN:
                self._protocol.send_close(code, reason)
                self._flush()

    def cut(self) -> None:
        """End the connection below the protocol, so that nobody reads or writes it any more."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError as fault:
            log.debug("the other end was faster: %s", type(fault).__name__)

    def _message(self, event: object) -> str | bytes | None:
        assert isinstance(event, Frame)
        if event.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return None
        if event.opcode is not Opcode.CONT:
            self._parts_are_text = event.opcode is Opcode.TEXT
        self._parts += event.data
        if not event.fin:
            return None
        whole, self._parts = bytes(self._parts), bytearray()
        return whole.decode("utf-8", "replace") if self._parts_are_text else whole

    def _ping(self) -> None:
        self._unanswered += 1
        with self._lock:
            if self._unanswered > GONE_AFTER_PINGS:
                self._protocol.fail(CloseCode.INTERNAL_ERROR, "no sign of life")
            else:
                self._protocol.send_ping(b"")
            self._flush()

    def _flush(self) -> None:
        """Send what the protocol has to say; call under the lock. A peer that is gone shows at the next read."""
        try:
            for data in self._protocol.data_to_send():
                if data:
                    self._socket.sendall(data)
                else:
                    self._socket.shutdown(socket.SHUT_WR)
        except OSError as fault:
            log.debug("peer gone while sending: %s", type(fault).__name__)
