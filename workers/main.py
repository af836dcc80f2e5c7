"""A worker for exactly one queue: ``python -m workers.main QUEUE``

One queue each, because RQ takes a job safely only from a single queue; loaded and warm before the fork, because a
work horse that imports, configures and compiles everything anew does three jobs a second.
"""

from __future__ import annotations

import argparse
import logging
import signal
import threading
from types import FrameType
from typing import Any, Final

import phonenumbers
import redis
from rq import SimpleWorker, Worker
from rq.serializers import JSONSerializer
from sqlalchemy.orm import configure_mappers
from twilio.rest.api.v2010.account import call, message

from hotline import outbox, queues
from hotline.bootstrap import Runtime
from hotline.db import session_scope
from workers import callbacks, dispatch, imports, process, upkeep, watching

log = logging.getLogger(__name__)

# the carrier's library would import its own late
PRELOADED: Final = (callbacks, dispatch, imports, upkeep, watching, call, message)

# a dead machine's jobs are noticed after about 100 s instead of minutes
WORKER_TTL_S: Final = 20
MAINTENANCE_S: Final = 5


class QueueWorker(Worker):
    """An RQ worker that remembers having been told to stop, and looks for a lost Redis every few seconds."""

    max_connection_wait_time = process.Outage.LONGEST_S
    told_to_stop: threading.Event

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Finish the job at hand, then end."""
        self.told_to_stop.set()
        super().request_stop(signum, frame)


def serve(name: str, connection: redis.Redis, stop: threading.Event) -> None:
    """Work on one queue until told to stop; comes back after every loss of Redis."""
    outage = process.Outage(f"worker {name}")
    while not stop.is_set():
        try:
            worker = _worker(QueueWorker, name, connection)
            worker.told_to_stop = stop
            connection.ping()
            outage.over()
            worker.work(logging_level="WARNING")
        except redis.RedisError as fault:
            outage.wait(fault, stop)
        else:
            stop.wait(process.Outage.FIRST_S)  # RQ logs why it stopped and returns


def drain(name: str, connection: redis.Redis) -> bool:
    """Work off what is in the queue now, in this process. Returns whether there was anything."""
    return bool(_worker(SimpleWorker, name, connection).work(burst=True, logging_level="WARNING"))


def _worker(kind: type[Any], name: str, connection: redis.Redis) -> Any:
    return kind(
        [process.queue(name, connection)],
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL_S,
        maintenance_interval=MAINTENANCE_S,
        log_job_description=False,
    )


def warm_up(runtime: Runtime) -> None:
    """Do in the parent what every child would do for itself on first use: three quarters of a job's own work."""
    configure_mappers()
    phonenumbers.number_type(phonenumbers.parse("+8612345"))
    try:
        with session_scope(runtime.sessions) as session:
            outbox.claim_one(session, 0, now=runtime.now())  # no such row: only its statement is compiled
    except process.DATABASE_AWAY as fault:
        log.warning("database out of reach at the start (%s): jobs wait for it", type(fault).__name__)
    runtime.engine.dispose()  # a child must not find a connection of ours


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m workers.main", description="Work on one queue.")
    parser.add_argument("queue", choices=queues.ALL)
    parser.add_argument("--burst", action="store_true", help="end when the queue is empty")
    options = parser.parse_args()
    runtime = process.start()
    warm_up(runtime)
    connection = process.connect(runtime.settings.redis_url)
    if options.burst:
        drain(options.queue, connection)
        return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serve(options.queue, connection, stop)
    runtime.close()


if __name__ == "__main__":
    main()
