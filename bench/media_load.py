"""Callers for ``bench.speech``: the media process under gunicorn, and lines that send recorded sound in real time."""

from __future__ import annotations

import base64
import heapq
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from twilio.request_validator import SIGNATURE_HEADER, RequestValidator
from websockets.client import ClientProtocol
from websockets.frames import Close, Frame, Opcode
from websockets.uri import parse_uri

from bench.media_process import settings_of
from hotline.demo.places import GUNICORN_CONF
from hotline.media import PATH
from hotline.speech.sound import FRAME_BYTES, FRAME_MS, RATE
from hotline.web.stream_token import make_token

GOODBYE = Frame(Opcode.CLOSE, Close(1000, "").serialize()).serialize(mask=True)


@dataclass(frozen=True)
class Clip:
    """A recording brought to the telephone band, and what is said in it."""

    name: str
    mulaw: bytes
    text: str

    @property
    def frames(self) -> int:
        """Frames of 20 ms; the last one is filled up with silence."""
        return len(self.mulaw) // FRAME_BYTES

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.mulaw) / RATE


@dataclass
class Played:
    """One clip sent on one lane: when each of its frames left, and when the word to stop did."""

    clip: Clip
    sent: list[float] = field(default_factory=list)
    stopped: float = 0.0


@contextmanager
def media_process(model: Path, lanes: int, cores: set[int], mine: set[int]) -> Iterator[MediaProcess]:
    """Run the media process on ``cores`` (this one goes to ``mine``) and stop it at the end."""
    with socket.socket() as probe, tempfile.TemporaryDirectory() as folder:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        env = {
            "BENCH_PORT": str(port),
            "BENCH_DATABASE": f"{folder}/bench.db",
            "BENCH_MODEL": str(model),
            "BENCH_LANES": str(lanes),
        }
        command = [sys.executable, "-m", "gunicorn", "-c", str(GUNICORN_CONF), "--threads", str(4 * lanes + 8)]
        command += ["--bind", f"127.0.0.1:{port}", "--log-level", "warning", "bench.media_process:create()"]
        os.sched_setaffinity(0, cores)
        process = subprocess.Popen(command, env=os.environ | env)
        os.sched_setaffinity(0, mine)
        try:
            yield MediaProcess(env, process)
        finally:
            process.terminate()  # nothing if it has ended
            process.wait(60)


class MediaProcess:
    """The running media process, and its figures."""

    def __init__(self, env: dict[str, str], process: subprocess.Popen[bytes]) -> None:
        self.settings = settings_of(env)
        self._process = process
        until = time.monotonic() + 60
        while True:
            try:
                figures = self.figures()
                self.leg_ids = [lane["leg_id"] for lane in figures["lanes"]]
                self._proc = Path(f"/proc/{figures['pid']}")
                return
            except requests.ConnectionError:
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit("the media process did not start") from None
                time.sleep(0.1)

    def end(self) -> None:
        """Tell it to end as a service manager does, and wait until it has."""
        self._process.terminate()
        self._process.wait(60)

    def figures(self) -> dict[str, Any]:
        """Return CPU, memory, counts and what each lane heard so far."""
        answer = requests.get(f"{self.settings.public_url}/bench", timeout=30)
        answer.raise_for_status()
        return dict(answer.json())

    # read from outside: asking the process itself would cost it time that is then counted as hearing

    def cpu_s(self) -> float:
        """Return the CPU seconds of all its threads, ended ones too."""
        fields = (self._proc / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """Return the memory it holds now."""
        return int((self._proc / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def settled(self, heard: int) -> dict[str, Any]:
        """Return the figures once ``heard`` bytes of sound are decoded and written, or after 30 s as they are."""
        until = time.monotonic() + 30
        while True:
            now = self.figures()
            quiet = not now["media"]["pool_legs"] and not now["media"]["recorder_waiting"]
            if (quiet and now["media"]["pool_bytes_decoded"] >= heard) or time.monotonic() > until:
                return now
            time.sleep(1.0)


class Lane:
    """One leg's line: plays clips, each as a stream of its own, as the carrier would send it."""

    def __init__(self, media: MediaProcess, leg_id: int, clips: list[Clip]) -> None:
        self._media = media
        self._token = make_token(media.settings, leg_id)
        self._streams = [(Played(clip), messages_of(clip)) for clip in clips]  # made before, not while, measuring
        self._line: socket.socket | None = None
        self._position = 0
        self.frames = sum(clip.frames for clip in clips)
        self.played: list[Played] = []
        self.old_lines: list[socket.socket] = []

    def step(self) -> bool:
        """Send the next frame of 20 ms; False when all has been said."""
        if not self._streams:
            return False
        played, messages = self._streams[0]
        if self._line is None:
            self._line, self._position = self._connect(), 0
        try:
            self._line.sendall(messages[self._position])
        except OSError as fault:
            raise SystemExit(f"the media process closed a line: {self._line.recv(200)!r}") from fault
        played.sent.append(time.monotonic())
        self._position += 1
        if self._position == len(messages):
            stop = text({"event": "stop", "sequenceNumber": str(len(messages) + 2), "stop": {}})
            self._line.sendall(stop + GOODBYE)
            played.stopped = time.monotonic()
            self.played.append(played)
            self.old_lines.append(self._line)
            self._line = None
            self._streams.pop(0)
        return True

    def _connect(self) -> socket.socket:
        settings = self._media.settings
        url = settings.media_url + PATH
        client = ClientProtocol(parse_uri(url))
        shake = client.connect()
        shake.headers[SIGNATURE_HEADER] = RequestValidator(settings.twilio_auth_token).compute_signature(url, {})
        client.send_request(shake)
        line = socket.create_connection(("127.0.0.1", int(url.split(":")[2].split("/")[0])))
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.sendall(b"".join(client.data_to_send()))
        client.receive_data(line.recv(4096))
        if client.handshake_exc:
            raise client.handshake_exc
        start = {
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"leg": self._token},
        }
        line.sendall(text({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
        line.sendall(text({"event": "start", "sequenceNumber": "1", "start": start, "streamSid": "MZ" + "0" * 32}))
        return line


def text(message: dict[str, Any]) -> bytes:
    """Return a masked text frame."""
    return Frame(Opcode.TEXT, json.dumps(message).encode()).serialize(mask=True)


def messages_of(clip: Clip) -> list[bytes]:
    """Return the media messages of a clip, ready to send."""
    return [
        text(
            {
                "event": "media",
                "sequenceNumber": str(number + 2),
                "media": {
                    "track": "inbound",
                    "chunk": str(number + 1),
                    "timestamp": str(number * FRAME_MS),
                    "payload": base64.b64encode(clip.mulaw[number * FRAME_BYTES :][:FRAME_BYTES]).decode(),
                },
                "streamSid": "MZ" + "0" * 32,
            }
        )
        for number in range(clip.frames)
    ]


def play(lanes: list[Lane], midway: Callable[[], None]) -> None:
    """Let every lane say its clips in real time, their frames spread over the 20 ms. ``midway`` is called once."""
    left = longest = max(lane.frames for lane in lanes) * len(lanes)
    begun = time.monotonic()
    due = [(begun + number * FRAME_MS / 1000 / len(lanes), number) for number in range(len(lanes))]
    heapq.heapify(due)
    while due:
        at, number = due[0]
        time.sleep(max(0.0, at - time.monotonic()))
        left -= 1
        if left == longest // 2:
            midway()
        if lanes[number].step():
            heapq.heapreplace(due, (at + FRAME_MS / 1000, number))
        else:
            heapq.heappop(due)
    for lane in lanes:
        for line in lane.old_lines:
            line.settimeout(10)
            line.recv(4096)  # the server's goodbye
            line.close()
