"""A browser's end of the line, without a browser: the protocol over a real socket."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

import jwt
import websocket
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant

from exchange import Exchange

from .application import ACCOUNT, until

KEY_SID = "SK" + "fedcba9876543210" * 2
KEY_SECRET = "a-secret-of-thirty-two-characters-or-more"
FRAME = 160


def token(identity: str = "desk-7", *, incoming: bool = True, secret: str = KEY_SECRET, **given: Any) -> str:
    """A ticket as the application's own library makes it."""
    made = AccessToken(given.pop("account", ACCOUNT), given.pop("key", KEY_SID), secret, identity=identity, **given)
    made.add_grant(VoiceGrant(incoming_allow=incoming))
    return made.to_jwt()


def tampered(original: str, **claims: Any) -> str:
    """The same ticket with other claims and the old signature."""
    head, _, signature = original.split(".")
    body = jwt.decode(original, options={"verify_signature": False}) | claims
    return ".".join((head, jwt.utils.base64url_encode(json.dumps(body).encode()).decode(), signature))


class Handheld:
    """A telephone somebody holds: what it was told is in `told`, what it heard in `heard`."""

    def __init__(self, exchange: Exchange, origin: str | None = None, **asked: Any) -> None:
        """Connect and register; `origin` as a browser would send it."""
        self.told: list[dict[str, Any]] = []
        self.heard = bytearray()
        self.messages_of_sound = 0
        self.closed_with: int | None = None
        self._socket = websocket.create_connection(
            f"{exchange.url.replace('http', 'ws')}/line",
            timeout=20,
            origin=origin or exchange.url,
            suppress_origin=origin == "",
            http_proxy_host=None,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if asked:
            self.say("register", **asked)
            until(lambda: self.told, what="an answer to the registration")

    def say(self, event: str, **facts: Any) -> None:
        """One message in words."""
        self._socket.send(json.dumps({"event": event, **facts}))

    def speak(self, mulaw: bytes) -> None:
        """One message of sound."""
        self._socket.send_binary(mulaw)

    def events(self, name: str) -> list[dict[str, Any]]:
        """What it was told of one kind."""
        return [one for one in list(self.told) if one["event"] == name]

    def wait_for(self, name: str, times: int = 1) -> dict[str, Any]:
        """The latest of a kind, once there are so many."""
        until(lambda: len(self.events(name)) >= times, what=f"{name}; so far {self.told}")
        return self.events(name)[-1]

    def wait_for_close(self) -> int:
        """The code the exchange closed with; 1006 for a lost socket."""
        return until(lambda: self.closed_with, what="the close")

    def lose(self) -> None:
        """The network goes: no goodbye."""
        self._socket.sock.shutdown(socket.SHUT_RDWR)

    def _read(self) -> None:
        try:
            while True:
                kind, data = self._socket.recv_data()
                if kind == websocket.ABNF.OPCODE_CLOSE:
                    self.closed_with = int.from_bytes(data[:2], "big")
                    return
                if kind == websocket.ABNF.OPCODE_BINARY:
                    assert len(data) == FRAME
                    self.heard += data
                    self.messages_of_sound += 1
                else:
                    self.told.append(json.loads(data))
        except (OSError, websocket.WebSocketException):
            self.closed_with = 1006
