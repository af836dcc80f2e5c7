"""The media process ``bench.speech`` measures: the application's own pieces under gunicorn, and a page of figures.

Real: gunicorn gthread, sockets, signature and token checks, pool, Vosk, recorder, SQLite. Left out: Redis (hints go
over the bus in memory, where the bench notes when they were sent) and a knowledge base with entries.
"""

from __future__ import annotations

import os
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, cast

from flask import Flask, jsonify

from hotline.bootstrap import Runtime
from hotline.calls import service as calls
from hotline.calls.models import CallLeg
from hotline.calls.states import Track
from hotline.clock import utc_now
from hotline.config import Settings
from hotline.db import Base, KeyRing, make_engine, make_sessions, session_scope, use_key_ring
from hotline.live.base import Hint
from hotline.live.memory import MemoryBus
from hotline.media import MediaDesk, make_blueprint
from hotline.migrations import metadata
from hotline.speech.base import Heard
from hotline.speech.models import check_model
from hotline.speech.vosk import VoskEngine
from hotline.web.recorder import Recorder, Recording

assert metadata  # importing it maps every table


def settings_of(env: dict[str, str]) -> Settings:
    """Return the settings both sides of the bench share."""
    return Settings(
        public_url=f"http://127.0.0.1:{env['BENCH_PORT']}",
        database_url=f"sqlite:///{env['BENCH_DATABASE']}",
        secret_key="bench " * 8,
        data_keys=(("k1", bytes(32)),),
        twilio_auth_token="bench",
        speech_model=Path(env["BENCH_MODEL"]),
    )


class NotingBus(MemoryBus):
    """Notes when a desk was told that words are stored: the end of the path."""

    def __init__(self) -> None:
        super().__init__()
        self.told: defaultdict[str, list[float]] = defaultdict(list)

    def publish(self, hint: Hint) -> bool:
        """Note the moment and send."""
        if hint.kind == "utterance":
            self.told[hint.channel].append(time.monotonic())
        return super().publish(hint)


class NotingListener:
    """Notes every final, as (number of the leg's stream, text), and hands everything on to the real recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.streams: Counter[int] = Counter()
        self.finals: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)

    def started(self, leg_id: int) -> NotingListening:
        """A leg's sound begins."""
        self.streams[leg_id] += 1
        return NotingListening(self.recorder.started(leg_id), self.streams[leg_id], self.finals[leg_id])

    def figures(self) -> dict[str, int]:
        """Return the recorder's."""
        return self.recorder.figures()

    def close(self) -> None:
        """Write what is left."""
        self.recorder.close()


class NotingListening:
    """One leg of ``NotingListener``."""

    def __init__(self, recording: Recording, number: int, finals: list[tuple[int, str]]) -> None:
        self._recording = recording
        self._number = number
        self._finals = finals

    @property
    def refused(self) -> bool:
        """As the recorder says."""
        return self._recording.refused

    def heard(self, heard: Heard) -> None:
        """Note a final and hand it on."""
        if heard.final:
            self._finals.append((self._number, heard.text))
        self._recording.heard(heard)

    def ended(self, *, frames: int, dropped: int) -> None:
        """Hand it on."""
        self._recording.ended(frames=frames, dropped=dropped)


def create() -> Flask:
    """Return the application; gunicorn calls this in its worker."""
    settings = settings_of(dict(os.environ))
    use_key_ring(KeyRing(settings.data_keys))
    engine = make_engine(settings.database_url)
    Base.metadata.create_all(engine)
    bus = NotingBus()
    runtime = Runtime(
        settings=settings,
        engine=engine,
        sessions=make_sessions(engine),
        telephony=cast(Any, None),
        bus=bus,
        calendar=cast(Any, None),
        speech=VoskEngine(check_model(settings.speech_model)),
    )
    lanes = make_lanes(runtime, int(os.environ["BENCH_LANES"]))
    listener = NotingListener(Recorder(runtime))
    desk = MediaDesk(
        settings, runtime.speech, listener, slots=4 * len(lanes)
    )  # a clip's end overlaps the next ones' on a busy machine
    app = Flask(__name__)
    app.register_blueprint(make_blueprint(desk))

    @app.get("/bench")
    def figures() -> Any:
        return jsonify(
            pid=os.getpid(),
            media=desk.figures(),
            lanes=[
                {
                    "leg_id": leg_id,
                    "streams": listener.streams[leg_id],
                    "finals": listener.finals[leg_id],
                    "told": bus.told[f"call-{call_id}"],
                }
                for leg_id, call_id in lanes
            ],
        )

    return app


def make_lanes(runtime: Runtime, lanes: int) -> list[tuple[int, int]]:
    """Make a call for each lane, so that its hints are told apart; callers and operators take turns."""
    made = []
    with session_scope(runtime.sessions) as session:
        for lane in range(lanes):
            opened = calls.open_call(
                session, provider_id=f"CA{lane:032x}", dialled="12345", phone="+8619900000000", now=utc_now()
            )
            leg = session.get_one(CallLeg, opened.leg_id)
            if lane % 2:
                leg.track = Track.OPERATOR
            made.append((leg.id, leg.call_id))
    return made
