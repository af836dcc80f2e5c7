"""The whole timetable as one table, and the loop that keeps it. ``python -m workers.schedule``

Our own loop instead of ``rq cron``: times of day are those of the city and not of the machine, a run that still
waits is not queued a second time while no worker is there, and the loop lives through the loss of Redis.
A run missed while the scheduler was down is not made up for: each does all that is due when it comes.
"""

from __future__ import annotations

import logging
import signal
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

import redis
from croniter import croniter
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from hotline.bootstrap import Runtime
from hotline.queues import UPKEEP
from workers import process

log = logging.getLogger(__name__)

ON_ITS_WAY: Final = {JobStatus.QUEUED, JobStatus.STARTED}


@dataclass(frozen=True, slots=True)
class Entry:
    """What to run and when: every so long, or at the times of a cron line read in the city's time zone."""

    name: str
    when: timedelta | str
    job: str
    queue: str = UPKEEP

    def after(self, moment: datetime, zone: tzinfo) -> datetime:
        """Return the first time after ``moment``."""
        if isinstance(self.when, timedelta):
            return moment + self.when
        following: datetime = croniter(self.when, moment.astimezone(zone)).get_next(datetime)
        return following


TIMETABLE: Final = (
    Entry("assign-calls", timedelta(seconds=5), "workers.upkeep.assign_calls"),
    Entry("watch-outbox", timedelta(minutes=1), "workers.upkeep.watch_outbox"),
    Entry("clean-outbox", "10 3 * * *", "workers.upkeep.clean_outbox"),
    Entry("clean-answers", "20 3 * * *", "workers.upkeep.clean_answers"),
    Entry("check-calendar", "30 8 * * 1", "workers.upkeep.check_calendar"),
)


def enqueue(entry: Entry, connection: redis.Redis) -> bool:
    """Queue one run, unless the one before still waits or works. Returns whether it was queued."""
    job_id = f"timetable-{entry.name}"
    present = Job.fetch_many([job_id], connection=connection, serializer=JSONSerializer)[0]
    if present is not None and present.get_status(refresh=False) in ON_ITS_WAY:
        return False
    process.queue(entry.queue, connection).enqueue(
        entry.job, job_id=job_id, result_ttl=0, failure_ttl=process.FAILED_JOB_KEPT_S
    )
    return True


def run(
    runtime: Runtime, connection: redis.Redis, stop: threading.Event, timetable: tuple[Entry, ...] = TIMETABLE
) -> None:
    """Keep the timetable until ``stop`` is set."""
    zone = runtime.settings.tz
    outage = process.Outage("scheduler")
    due = {entry: entry.after(runtime.now(), zone) for entry in timetable}
    while not stop.is_set():
        try:
            for entry in [entry for entry, at in due.items() if at <= runtime.now()]:
                enqueue(entry, connection)
                due[entry] = entry.after(runtime.now(), zone)
                outage.over()
        except redis.RedisError as fault:
            outage.wait(fault, stop)
        stop.wait(min(1.0, max(0.0, (min(due.values()) - runtime.now()).total_seconds())))


def main() -> None:
    """Run the timetable on the settings in the environment until told to stop."""
    runtime = process.start()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run(runtime, process.connect(runtime.settings.redis_url), stop)
    runtime.close()


if __name__ == "__main__":
    main()
