"""Carries outbox rows to the queues: woken by a nudge, else every second. ``python -m workers.relay``

A row stays claimed while its job waits its turn. When the claim ends the relay looks again: a job that still
waits is left alone, one that is gone (Redis forgot it, its worker died) is queued anew. Losing a nudge, the relay
or the whole of Redis therefore costs time and nothing else.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from typing import Any, Final

import redis
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from hotline import outbox
from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.errors import Unavailable
from hotline.outbox import OutboxMessage
from hotline.queues import JOB_OF_TOPIC, RELAY_CHANNEL
from workers import process

log = logging.getLogger(__name__)

SWEEP_EVERY_S: Final = 1.0
BATCH: Final = 200


def job_id(message: OutboxMessage) -> str:
    """Return the id of the job of this try: the same while it waits, another one once somebody began and died."""
    return f"outbox-{message.id}-{message.tries}"


def sweep(runtime: Runtime, connection: redis.Redis) -> int:
    """Queue every due row and return how many jobs were added.

    Raises ``redis.RedisError`` when Redis is down; the rows are then free for the next sweep.
    """
    connection.ping()  # before rows are claimed for nothing
    added = 0
    while True:
        with session_scope(runtime.sessions) as session:
            rows = outbox.claim(session, now=runtime.now(), limit=BATCH)
            for row in rows:
                if row.topic not in JOB_OF_TOPIC:
                    log.error("outbox row %d has a topic nobody works on: %s", row.id, row.topic)
                    outbox.fail(session, row.id, now=runtime.now(), error=f"没有处理这类消息的程序：{row.topic}")
        rows = [row for row in rows if row.topic in JOB_OF_TOPIC]
        try:
            added += _enqueue(rows, connection)
        except redis.RedisError:
            with session_scope(runtime.sessions) as session:
                outbox.release(session, [row.id for row in rows])
            raise
        if len(rows) < BATCH:
            return added


def _enqueue(rows: list[OutboxMessage], connection: redis.Redis) -> int:
    present = Job.fetch_many([job_id(row) for row in rows], connection=connection, serializer=JSONSerializer)
    batches: dict[str, list[Any]] = defaultdict(list)
    for row, job in zip(rows, present, strict=True):
        if job is not None and job.get_status(refresh=False) == JobStatus.QUEUED:
            continue  # still waits its turn
        name, path = JOB_OF_TOPIC[row.topic]
        batches[name].append(
            process.queue(name, connection).prepare_data(
                path,
                args=[row.id],
                job_id=job_id(row),
                timeout=process.timeout_of(name),
                result_ttl=0,
                failure_ttl=process.FAILED_JOB_KEPT_S,
            )
        )
    for name, batch in batches.items():
        process.queue(name, connection).enqueue_many(batch)
    return sum(map(len, batches.values()))


def run(runtime: Runtime, connection: redis.Redis, stop: threading.Event) -> None:
    """Sweep until ``stop`` is set. Lives through the loss of Redis and of the database."""
    outage = process.Outage("relay")
    while not stop.is_set():
        try:
            with runtime.bus.subscribe(RELAY_CHANNEL) as nudges:
                while not stop.is_set():
                    sweep(runtime, connection)
                    outage.over()
                    next(nudges.hints(SWEEP_EVERY_S), None)
        except (redis.RedisError, *process.DATABASE_AWAY, Unavailable) as fault:
            outage.wait(fault, stop)


def main() -> None:
    """Run the relay of the settings in the environment until told to stop."""
    process.run_until_told(run)


if __name__ == "__main__":
    main()
