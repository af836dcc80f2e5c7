"""A carrier on one end, the real socket route on the other; a recogniser without ears at the port."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import websocket
from flask import Flask
from twilio.request_validator import RequestValidator
from werkzeug.serving import make_server

from hotline.config import Settings
from hotline.media import PATH, Listener, MediaDesk, make_blueprint
from hotline.speech.base import Heard, SpeechEngine
from hotline.speech.sound import FRAME_BYTES
from hotline.web.stream_token import make_token

FRAME = b"\x2a" * FRAME_BYTES
STREAM = "MZ" + "0" * 32


class EarlessRecogniser:
    """Hears how much sound there was."""

    def __init__(self, engine: EarlessEngine) -> None:
        self._engine, self._ms = engine, 0

    def accept(self, pcm: bytes) -> list[Heard]:
        self._ms += len(pcm) // 16
        return [Heard(f"{self._ms}毫秒", False, 0, self._ms)]

    def pause(self) -> list[Heard]:
        return []

    def finish(self) -> list[Heard]:
        self._engine.open_now -= 1
        return [Heard(f"共{self._ms}毫秒", True, 0, self._ms)]


class EarlessEngine:
    """A recogniser without a model, at the port; counts who still holds one."""

    name = "earless"
    sample_rate = 8000

    def __init__(self) -> None:
        self.open_now = 0

    def open(self) -> EarlessRecogniser:
        self.open_now += 1
        return EarlessRecogniser(self)


@dataclass
class Ear:
    """One leg as the listener saw it."""

    leg_id: int
    refused: bool = False
    words: list[Heard] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def heard(self, heard: Heard) -> None:
        self.words.append(heard)

    def ended(self, *, frames: int, dropped: int) -> None:
        self.counts = {"frames": frames, "dropped": dropped}

    @property
    def finals(self) -> list[str]:
        return [one.text for one in self.words if one.final]


class Ears:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.legs: list[Ear] = []
        self.closed = False

    def started(self, leg_id: int) -> Ear:
        self.legs.append(Ear(leg_id))
        return self.legs[-1]

    def figures(self) -> dict[str, int]:
        return {"legs": len(self.legs)}

    def close(self) -> None:
        self.closed = True


class Carrier:
    """Opens streams the way the carrier does."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.url = settings.media_url + PATH

    def signature(self, url: str | None = None, token: str | None = None) -> str:
        validator = RequestValidator(token or self.settings.twilio_auth_token)
        return str(validator.compute_signature(url or self.url, {}))

    def connect(self, signature: str | None = None) -> Line:
        """Open a socket; raises ``WebSocketBadStatusException`` when refused. "" sends no signature at all."""
        signature = self.signature() if signature is None else signature
        header = [f"X-Twilio-Signature: {signature}"] if signature else []
        return Line(self, websocket.create_connection(self.url, timeout=10, header=header))

    def open(self, leg_id: int = 7) -> Line:
        """Open a socket and say which leg it carries."""
        line = self.connect()
        line.connected()
        line.start(make_token(self.settings, leg_id))
        return line


class Line:
    """One stream, message by message."""

    def __init__(self, carrier: Carrier, socket: websocket.WebSocket) -> None:
        self.carrier, self.socket, self.sequence = carrier, socket, 0

    def say(self, message: dict[str, Any]) -> None:
        self.sequence += 1
        self.socket.send(json.dumps({"sequenceNumber": str(self.sequence), "streamSid": STREAM} | message))

    def connected(self) -> None:
        self.socket.send(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))

    def start(self, token: str | None, **form: Any) -> None:
        start = {
            "streamSid": STREAM,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1} | form,
            "customParameters": {} if token is None else {"leg": token},
        }
        self.say({"event": "start", "start": start})

    def media(self, frames: int = 1, *, payload: bytes = FRAME, track: str = "inbound") -> None:
        for _ in range(frames):
            encoded = base64.b64encode(payload).decode()
            self.say({"event": "media", "media": {"track": track, "chunk": "1", "timestamp": "0", "payload": encoded}})

    def stop(self) -> None:
        self.say({"event": "stop", "stop": {}})

    def goodbye(self) -> tuple[int, str]:
        """Wait for the other side to close; return its code and reason."""
        opcode, data = self.socket.recv_data()
        assert opcode == websocket.ABNF.OPCODE_CLOSE
        return int.from_bytes(data[:2], "big"), data[2:].decode()

    def hang_up(self) -> None:
        """Drop the line without a word."""
        self.socket.sock.close()


@dataclass
class Desk:
    """The hearing under test and the carrier that talks to it."""

    desk: MediaDesk
    carrier: Carrier
    engine: EarlessEngine
    ears: Ears

    def count(self, what: str) -> int:
        return self.desk.figures().get(what, 0)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        public_url="https://12345.example.gov.cn",
        database_url=f"sqlite:///{tmp_path}/hotline.db",
        secret_key="a secret of this test, long enough",
        data_keys=(("t1", bytes(32)),),
        twilio_auth_token="the carrier's token",
    )


MakeDesk = Callable[..., Desk]


@pytest.fixture
def make_desk(settings: Settings) -> Iterator[MakeDesk]:
    """Serve the socket route on loopback; ``engine``, ``listener`` and ``slots`` may be the test's own."""
    closing: list[Callable[[], None]] = []

    def make(engine: SpeechEngine | None = None, listener: Listener | None = None, slots: int = 8) -> Desk:
        app = Flask(__name__)
        server = make_server("127.0.0.1", 0, app, threaded=True)
        served = Settings(
            **{name: getattr(settings, name) for name in Settings.__dataclass_fields__}
            | {"stream_url": f"ws://127.0.0.1:{server.port}"}
        )
        earless, ears = EarlessEngine(), Ears()
        desk = MediaDesk(served, engine or earless, listener or ears, slots=slots)
        app.register_blueprint(make_blueprint(desk))
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        closing.extend([server.shutdown, server.server_close])
        return Desk(desk, Carrier(served), earless, ears)

    yield make
    for close in closing:
        close()


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    return make_desk()
