"""A tiny application on loopback, as small as one can be behind the exchange: it checks every signature it sees."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, request
from flask_sock import Sock
from simple_websocket import ConnectionClosed, Server
from twilio.request_validator import RequestValidator
from werkzeug.serving import make_server

TOKEN = "a-token-for-tests"
ACCOUNT = "AC" + "0123456789abcdef" * 2

Reply = str | Response | Callable[[dict[str, str]], "str | Response"]


def until(condition: Callable[[], Any], patience: float = 10.0, what: str = "") -> Any:
    """The first true value of the condition; fails when none comes."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"never came: {what or condition}")


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    path: str
    method: str
    params: dict[str, str]
    token: str
    genuine: bool


@dataclass
class Socket:
    """One media stream as the application saw it."""

    genuine: bool
    messages: list[dict[str, Any]] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)

    def events(self, name: str) -> list[dict[str, Any]]:
        """All messages of one kind so far."""
        return [message for message in list(self.messages) if message["event"] == name]


class Application:
    """Answers each path as told; `requests` holds what came, `sockets` the streams."""

    def __init__(self) -> None:
        """On a free port."""
        self.replies: dict[str, Reply] = {}
        self.requests: list[Seen] = []
        self.sockets: list[Socket] = []
        self.to_send: list[dict[str, Any]] = []
        self.hang_up_sockets_after = 10**9
        self._validator = RequestValidator(TOKEN)
        self._server = make_server("127.0.0.1", 0, self._flask(), threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str, reply: Reply) -> None:
        """Text is put inside `<Response>`; a function gets the form."""
        self.replies[path] = reply

    def seen(self, path: str) -> list[Seen]:
        """All requests to one path so far."""
        return [one for one in list(self.requests) if one.path == path]

    def _flask(self) -> Flask:
        app = Flask("application")
        sock = Sock(app)

        @app.route("/<path:path>", methods=["GET", "POST"])
        def anything(path: str) -> Response:
            form = request.form if request.method == "POST" else {}
            # As it came: Flask's own `request.url` decodes what was percent-encoded.
            url = request.host_url.rstrip("/") + request.environ["RAW_URI"]
            genuine = self._validator.validate(url, form, request.headers.get("X-Twilio-Signature", ""))
            params = request.values.to_dict()
            token = request.headers.get("I-Twilio-Idempotency-Token", "")
            self.requests.append(Seen(f"/{path}", request.method, params, token, genuine))
            reply = self.replies.get(f"/{path}", "")
            if callable(reply) and not isinstance(reply, Response):
                reply = reply(params)
            if isinstance(reply, Response):
                return reply
            return twiml(reply)

        @sock.route("/media")
        def media(ws: Server) -> None:
            given = request.headers.get("X-Twilio-Signature", "")
            url = request.url.replace("ws://", "wss://").replace("http://", "wss://")
            socket = Socket(self._validator.validate(url, {}, given))
            self.sockets.append(socket)
            try:
                while len(socket.messages) < self.hang_up_sockets_after:
                    message = json.loads(ws.receive())
                    socket.messages.append(message)
                    while message["event"] == "media" and self.to_send:
                        ws.send(json.dumps(self.to_send.pop(0)))
            except ConnectionClosed:
                socket.closed.set()

        return app


def twiml(inside: str) -> Response:
    """A document."""
    return Response(f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>', mimetype="text/xml")
