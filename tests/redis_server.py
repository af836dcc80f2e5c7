"""A Redis of the test's own, which it may also take away and give back.

Fixtures: ``redis_process`` (start, kill), ``redis_url``.
"""

from __future__ import annotations

import random
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from tests import needs
from tests.waiting import until

NOT_TAKEN_BY_CLIENTS = range(20000, 32768)  # what connects somewhere is given a higher one


def free_port() -> int:
    """Return a loopback port nobody listens on now, and which no connection takes before it is listened on."""
    while True:
        port = random.choice(NOT_TAKEN_BY_CLIENTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class RedisProcess:
    """One server on a fixed port. Unless it ``keeps``, it remembers nothing across a restart, like a cache that was
    lost."""

    def __init__(self, folder: Path, port: int | None = None, *, keeps: bool = False) -> None:
        self._folder = folder
        self._keeps = "yes" if keeps else "no"
        self._program = needs.redis_server()
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port or free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start and wait until it answers."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, *options, "--save", "", "--appendonly", self._keeps], stdout=log, stderr=log
            )
        until(self._answers, "Redis to answer")

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_connect_timeout=1, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def kill(self) -> None:
        """End it as a power cut would, with all it held."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Ask it to end; what it keeps is written down."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None


@contextmanager
def kept_redis(folder: Path, port: int) -> Iterator[None]:
    """Run a server for as long as the block; what it holds survives a restart."""
    server = RedisProcess(folder, port, keeps=True)
    server.start()
    try:
        yield
    finally:
        server.stop()


@pytest.fixture
def redis_process(tmp_path: Path) -> Iterator[RedisProcess]:
    """A running server of this test."""
    server = RedisProcess(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_url(redis_process: RedisProcess) -> str:
    """URL of a running, empty server."""
    return redis_process.url
