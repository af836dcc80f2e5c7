"""A unit's own system and a mail server on loopback, each in the mood a test wants."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any


@dataclass
class Heard:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        """The body as JSON."""
        told: dict[str, Any] = json.loads(self.body)
        return told


def well(receiver: Receiver, heard: Heard) -> tuple[int, dict[str, str], bytes]:
    """Answer as a good receiver does: the same key is the same order, with the same receipt."""
    key = heard.headers["idempotency-key"]
    receipt = receiver.taken.setdefault(key, f"R-{len(receiver.taken) + 1}")
    return 200, {"Content-Type": "application/json"}, json.dumps({"receipt": receipt}).encode()


@dataclass
class Receiver:
    """``mood`` makes the answer; raising ``Silent`` in it leaves the caller without one until the test ends."""

    mood: Callable[[Receiver, Heard], tuple[int, dict[str, str], bytes]] = well
    heard: list[Heard] = field(default_factory=list)
    taken: dict[str, str] = field(default_factory=dict)  # idempotency key -> receipt
    closing: threading.Event = field(default_factory=threading.Event)
    url: str = ""
    port: int = 0


class Silent(Exception):
    """The receiver says nothing more, and holds the line."""


class HangsUp(Exception):
    """The receiver closes at once."""


class Drips(Exception):
    """The receiver says one letter of its answer now and then."""


@contextmanager
def receiver(tls: SSLContext | None = None) -> Iterator[Receiver]:
    """Serve until the block ends."""
    here = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard = Heard(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            here.heard.append(heard)
            try:
                status, headers, answer = here.mood(here, heard)
            except Silent:
                here.closing.wait()
                return
            except Drips:
                while not here.closing.wait(0.02):
                    try:
                        self.wfile.write(b"H")
                        self.wfile.flush()
                    except OSError:
                        return
                return
            except HangsUp:
                return
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(answer))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(answer)
            except OSError:
                return  # the caller has read enough

        def do_GET(self) -> None:
            here.heard.append(Heard(self.path, {}, b""))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    here.port = server.server_port
    here.url = f"{'https' if tls else 'http'}://127.0.0.1:{here.port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield here
    finally:
        here.closing.set()
        server.shutdown()
        server.server_close()


@dataclass
class MailServer:
    """Speaks as much SMTP as a letter takes. ``replies`` changes what it says to a verb."""

    letters: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)
    port: int = 0


@contextmanager
def mail_server(tls: SSLContext, *, starttls: bool = False) -> Iterator[MailServer]:
    """Serve until the block ends, with TLS from the first byte or, with ``starttls``, after it is asked for."""
    here = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def setup(self) -> None:
            if not starttls:
                self.request = tls.wrap_socket(self.request, server_side=True)
            super().setup()

        def say(self, words: str) -> None:
            self.wfile.write(f"{words}\r\n".encode())

        def handle(self) -> None:
            self.say("220 here")
            secure = not starttls
            while line := self.rfile.readline().decode().strip():
                verb = line.split()[0].upper()
                if verb in here.replies:
                    self.say(here.replies[verb])
                elif verb == "EHLO":
                    self.say("250-here\r\n250 AUTH PLAIN" if secure else "250-here\r\n250 STARTTLS")
                elif verb == "STARTTLS":
                    self.say("220 go on")
                    self.request = tls.wrap_socket(self.request, server_side=True)
                    socketserver.StreamRequestHandler.setup(self)
                    secure = True
                elif verb == "AUTH":
                    here.logins.append(line)
                    self.say("235 welcome")
                elif verb == "DATA":
                    self.say("354 tell")
                    lines = []
                    while (said := self.rfile.readline().decode()) != ".\r\n":
                        lines.append(said)
                    here.letters.append("".join(lines))
                    self.say("250 taken")
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 well")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    here.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
