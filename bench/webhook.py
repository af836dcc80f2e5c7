"""How many incoming calls one voice process answers, beside a bare Flask route under the same server settings.

    python -m bench.webhook [--database URL] [--rate R] --seconds S

Both servers run for the whole time and are asked in turns, so that a busy machine treats them alike. Every request is
a new call with a signature of its own; an answer without a queue, or with an apology, is an error.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import multiprocessing
import os
import secrets
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import func, select
from twilio.request_validator import RequestValidator

from hotline.calls.models import Call, DialledNumber
from hotline.db import make_engine, make_sessions, session_scope
from hotline.migrations.metadata import metadata

HOST: Final = "127.0.0.1"
PUBLIC_URL: Final = "https://hotline.example"
PATH: Final = "/ivr/voice"
TOKEN: Final = "bench-token-of-nobody"
CONNECTIONS: Final = 16  # at once, for the most a server can do
SLICES: Final = 12  # turns each server gets: short ones, so that what else the machine does falls on both
START_WITHIN_S: Final = 60.0
READ: Final = 1 << 16
APOLOGY: Final = "暂时繁忙".encode()


def bare() -> Flask:
    """Return the route ours is measured against: it reads nothing and answers a constant."""
    app = Flask("bare")

    @app.post(PATH)
    def answer() -> tuple[str, dict[str, str]]:
        return "<Response><Enqueue>x</Enqueue></Response>", {"Content-Type": "text/xml; charset=utf-8"}

    return app


# ---- the load: one thread, one selector, requests made beforehand


def make_requests(count: int) -> list[bytes]:
    """Return that many signed webhooks of different calls, as bytes to send."""
    validator, made = RequestValidator(TOKEN), []
    for number in range(count):
        form = {
            "AccountSid": "AC" + "0" * 32,
            "ApiVersion": "2010-04-01",
            "CallSid": "CA" + secrets.token_hex(16),
            "CallStatus": "ringing",
            "Direction": "inbound",
            "From": f"+861990000{number % 10_000:04}",
            "To": "12345",
        }
        for party in ("From", "Caller", "To", "Called"):
            form |= {f"{party}City": "", f"{party}State": "", f"{party}Zip": "", f"{party}Country": "CN"}
        form |= {"Caller": form["From"], "Called": form["To"]}
        body = urlencode(form).encode()
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: hotline.example\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n"
            f"X-Twilio-Signature: {validator.compute_signature(PUBLIC_URL + PATH, form)}\r\n"
            f"I-Twilio-Idempotency-Token: {secrets.token_hex(16)}\r\n"
            f"Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


@dataclass
class Line:
    """One kept-alive connection. ``due``: when the request under way should have been sent."""

    sock: socket.socket
    due: float = 0.0
    got: bytearray = field(default_factory=bytearray)


@dataclass
class Load:
    """What came of one run: milliseconds of each answer, and how many were wrong."""

    ms: list[float] = field(default_factory=list)
    errors: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0  # of the server meanwhile


def run_load(port: int, requests: list[bytes], *, seconds: float, rate: float | None) -> Load:
    """Send for ``seconds``: as fast as ``CONNECTIONS`` lines allow, or, with ``rate``, on a schedule that waits for
    nobody, times counted from when each request was due."""
    load, selector = Load(), selectors.DefaultSelector()
    idle: deque[Line] = deque(_connect(port, selector) for _ in range(CONNECTIONS))
    began = time.perf_counter()
    sent, busy = 0, 0
    while True:
        now = time.perf_counter() - began
        over = now >= seconds or sent == len(requests)
        if over and not busy:
            break
        while not over and (rate is None or sent / rate <= now):
            if not idle:
                if rate is None:
                    break
                idle.append(_connect(port, selector))
            line = idle.popleft()
            line.due = now if rate is None else sent / rate
            line.sock.sendall(requests[sent])
            sent, busy = sent + 1, busy + 1
            over = sent == len(requests)
            now = time.perf_counter() - began
        wait = 1.0 if rate is None or over else max(0.0, sent / rate - (time.perf_counter() - began))
        for key, _events in selector.select(wait):
            line = key.data
            if _take(line, load, time.perf_counter() - began):
                busy -= 1
                idle.append(line)
    load.seconds = time.perf_counter() - began
    for line in idle:
        line.sock.close()
    return load


def _connect(port: int, selector: selectors.BaseSelector) -> Line:
    line = Line(socket.create_connection((HOST, port)))
    line.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    selector.register(line.sock, selectors.EVENT_READ, line)
    return line


def _take(line: Line, load: Load, now: float) -> bool:
    """Read what is there; True when the answer is whole."""
    data = line.sock.recv(READ)
    if not data:
        raise ConnectionError("the server closed a connection that was to be kept")
    line.got += data
    head, found, body = bytes(line.got).partition(b"\r\n\r\n")
    if not found:
        return False
    length = next(
        int(row.partition(b":")[2]) for row in head.split(b"\r\n") if row.lower().startswith(b"content-length:")
    )
    if len(body) < length:
        return False
    right = head.startswith(b"HTTP/1.1 200") and b"<Enqueue" in body and APOLOGY not in body
    load.errors += not right
    load.ms.append((now - line.due) * 1000)
    line.got.clear()
    return True


def _loader(pipe: Connection) -> None:
    """The load's own process: takes (port, seconds, rate, most requests), gives back a ``Load``."""
    while True:
        task = pipe.recv()
        if task is None:
            return
        port, seconds, rate, most = task
        requests = make_requests(most)
        pipe.send("ready")
        pipe.recv()
        pipe.send(run_load(port, requests, seconds=seconds, rate=rate))


class Loader:
    """The other end of ``_loader``."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_loader, args=(theirs,), daemon=True)
        self._process.start()

    def run(self, port: int, *, seconds: float, rate: float | None, most: int) -> Load:
        """Make the requests first, then send them."""
        self._pipe.send((port, seconds, rate, most))
        self._pipe.recv()
        self._pipe.send("go")
        load: Load = self._pipe.recv()
        return load

    def close(self) -> None:
        """End the process."""
        self._pipe.send(None)
        self._process.join()


# ---- the servers


def settings_env(database_url: str, data_dir: Path) -> dict[str, str]:
    """Return the environment of a voice process."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")},
        "HOTLINE_PUBLIC_URL": PUBLIC_URL,
        "HOTLINE_DATABASE_URL": database_url,
        "HOTLINE_SECRET_KEY": secrets.token_hex(32),
        "HOTLINE_DATA_KEYS": f"b1:{b64encode(secrets.token_bytes(32)).decode()}",
        "HOTLINE_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "HOTLINE_TWILIO_AUTH_TOKEN": TOKEN,
        "HOTLINE_DATA_DIR": str(data_dir),
    }


@dataclass(frozen=True)
class Server:
    """A gunicorn that serves on ``port``."""

    port: int
    pid: int

    def cpu_s(self) -> float:
        """Processor seconds its workers have used; 0 where the system does not tell."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        if not children.exists():
            return 0.0
        stats = [
            Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split() for child in children.read_text().split()
        ]
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(app: str, env: dict[str, str], log: Path) -> Iterator[Server]:
    """Run gunicorn with the project's own settings."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "-b", f"{HOST}:{port}", app]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=env, cwd=Path(__file__).parent.parent, stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + START_WITHIN_S
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{app} does not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    """Whether the server answers a request, its application loaded."""
    try:
        with socket.create_connection((HOST, port), timeout=1) as probe:
            probe.settimeout(START_WITHIN_S)
            probe.sendall(b"GET /nothing-here HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return probe.recv(12).startswith(b"HTTP/1.1 ")
    except OSError:
        return False


def prepare(database_url: str) -> None:
    """Make the tables and the dialled number."""
    engine = make_engine(database_url)
    metadata.create_all(engine)
    with session_scope(make_sessions(engine)) as session:
        if session.scalar(select(func.count()).select_from(DialledNumber).where(DialledNumber.number == "12345")) == 0:
            greeting = "您好，这里是一二三四五政务服务便民热线，为了保证服务质量，您的通话将被录音。"
            session.add(DialledNumber(number="12345", name="12345", greeting=greeting, subjects=[]))
    engine.dispose()


def calls_kept(database_url: str) -> int:
    """Return how many calls are written."""
    engine = make_engine(database_url)
    with session_scope(make_sessions(engine)) as session:
        kept = session.scalar(select(func.count()).select_from(Call)) or 0
    engine.dispose()
    return kept


def percentile(values: list[float], share: float) -> float:
    """Return the value that ``share`` of all are at most."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def measure(database_url: str, *, rate: float, seconds: float, folder: Path) -> dict[str, Any]:
    """Return the figures."""
    prepare(database_url)
    before = calls_kept(database_url)
    env = settings_env(database_url, folder)
    ours, theirs = Load(), Load()
    loader = Loader()
    with (
        serving("hotline.wsgi:voice", env, folder / "voice.log") as voice,
        serving("bench.webhook:bare()", env, folder / "bare.log") as plain,
    ):
        for server in (voice, plain):
            loader.run(server.port, seconds=1, rate=None, most=3000)  # connections, caches, compiled statements
        warm = calls_kept(database_url)
        for _ in range(SLICES):
            for server, total in ((voice, ours), (plain, theirs)):
                used = server.cpu_s()
                part = loader.run(
                    server.port, seconds=seconds / SLICES, rate=None, most=int(seconds / SLICES * 6000) + 1
                )
                total.ms += part.ms
                total.errors += part.errors
                total.seconds += part.seconds
                total.cpu_s += server.cpu_s() - used
        paced = loader.run(voice.port, seconds=seconds, rate=rate, most=int(rate * seconds))
    loader.close()
    kept = calls_kept(database_url)
    per_s, bare_per_s = len(ours.ms) / ours.seconds, len(theirs.ms) / theirs.seconds
    return {
        "requests_per_s": round(per_s, 1),
        "p50_ms": round(percentile(paced.ms, 0.50), 2),
        "p99_ms": round(percentile(paced.ms, 0.99), 2),
        "errors": ours.errors + theirs.errors + paced.errors,
        "bare_requests_per_s": round(bare_per_s, 1),
        "ratio": round(per_s / bare_per_s, 3),
        "cpu_ms": round(ours.cpu_s * 1000 / len(ours.ms), 3),
        "bare_cpu_ms": round(theirs.cpu_s * 1000 / len(theirs.ms), 3),
        "rate": rate,
        "paced_requests": len(paced.ms),
        "full_load_p50_ms": round(percentile(ours.ms, 0.50), 2),
        "full_load_p99_ms": round(percentile(ours.ms, 0.99), 2),
        "answers": len(ours.ms) + len(paced.ms),
        "calls_written": kept - warm,
        "calls_written_warm_up": warm - before,
        "database": database_url.partition(":")[0],
        "workers": int(os.environ.get("HOTLINE_WORKERS", "1")),
        "threads": int(os.environ.get("HOTLINE_THREADS", "64")),
        "load_average": [round(value, 2) for value in os.getloadavg()],
        "cpus": os.cpu_count(),
        "versions": {
            "python": sys.version.split()[0],
            **{name: importlib.metadata.version(name) for name in ("flask", "gunicorn", "sqlalchemy", "twilio")},
        },
    }


def main() -> None:
    """Print one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="", help="SQLAlchemy URL; default: a SQLite file made for this run")
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second of the paced part")
    parser.add_argument("--seconds", type=float, default=12.0, help="length of each part")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-webhook-") as folder:
        url = given.database or f"sqlite:///{folder}/bench.db"
        figures = measure(url, rate=given.rate, seconds=given.seconds, folder=Path(folder))
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()
