"""What a background process works with: one runtime and one connection to Redis, set up once."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from time import monotonic
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import exc

from hotline.bootstrap import Runtime, build
from hotline.config import Settings, SettingsError
from hotline.queues import IMPORTS
from hotline.web import request_log

log = logging.getLogger(__name__)

# shorter than ``hotline.outbox.HOLD``: a job is dead before its row may be taken by another
JOB_TIMEOUT_S: Final = 45
# a city's file is no such job: its row is settled when it is begun, and who sent it is told if it is cut off
IMPORT_TIMEOUT_S: Final = 30 * 60
FAILED_JOB_KEPT_S: Final = 7 * 24 * 3600

# what is raised while the database is down, or no connection to it comes free
DATABASE_AWAY: Final = (exc.OperationalError, exc.TimeoutError)

_runtime: Runtime | None = None


def use(runtime: Runtime) -> None:
    """Set the runtime the jobs of this process work with; a forked child drops the connections it inherits."""
    global _runtime
    first, _runtime = _runtime is None, runtime
    if first:
        os.register_at_fork(after_in_child=_forget_connections)


def _forget_connections() -> None:
    if _runtime is not None:
        _runtime.engine.dispose(close=False)  # the parent goes on using them


def runtime() -> Runtime:
    """Return the runtime of this process; raises RuntimeError before ``use``."""
    if _runtime is None:
        raise RuntimeError("no runtime: workers.process.use has not run")
    return _runtime


def start() -> Runtime:
    """Set up a background process from the environment. Ends the process with every fault of the settings."""
    request_log.configure()
    try:
        settings = Settings.from_env()
    except SettingsError as fault:
        sys.exit(str(fault))
    if not settings.redis_url:
        sys.exit("HOTLINE_REDIS_URL: is not set; relay, workers and scheduler need a Redis")
    use(build(settings))
    return runtime()


def run_until_told(work: Callable[[Runtime, redis.Redis, threading.Event], None]) -> None:
    """Set up a background process and let it ``work`` until SIGTERM or SIGINT sets the event it is handed."""
    running = start()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    work(running, connect(running.settings.redis_url), stop)
    running.close()


def connect(url: str) -> redis.Redis:
    """Return a connection for queues. It does not try again by itself: its owner waits and says so once."""
    return redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0))


def timeout_of(name: str) -> int:
    """Return how many seconds a job of a queue may take."""
    return IMPORT_TIMEOUT_S if name == IMPORTS else JOB_TIMEOUT_S


def queue(name: str, connection: redis.Redis) -> Queue:
    """Return one of our queues. Jobs travel as JSON: whoever can write to Redis must not be able to run code."""
    return Queue(name, connection=connection, serializer=JSONSerializer, default_timeout=timeout_of(name))


class Outage:
    """Waits longer and longer while something is down, and says so once when it goes and once when it comes back."""

    FIRST_S: Final = 0.5
    LONGEST_S: Final = 5.0

    def __init__(self, what: str) -> None:
        self._what = what
        self._since: float | None = None
        self._pause_s = self.FIRST_S

    def wait(self, fault: Exception, stop: threading.Event) -> None:
        """Wait for the next try, or until ``stop`` is set."""
        if self._since is None:
            self._since = monotonic()
            log.warning("%s waits: %s", self._what, _first_line(fault))
        stop.wait(self._pause_s)
        self._pause_s = min(self._pause_s * 2, self.LONGEST_S)

    def over(self) -> None:
        """It works (again)."""
        if self._since is not None:
            log.warning("%s goes on after %.0f s", self._what, monotonic() - self._since)
        self._since, self._pause_s = None, self.FIRST_S


def _first_line(fault: Exception) -> str:
    return (str(fault) or type(fault).__name__).splitlines()[0]
