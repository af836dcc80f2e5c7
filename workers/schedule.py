"""The whole timetable as one table, and the loop that keeps it. ``python -m workers.schedule``

Our own loop instead of ``rq cron``: times of day are those of the city and not of the machine, a run that still
waits is not queued a second time while no worker is there, and the loop lives through the loss of Redis.
A run missed while the scheduler was down is not made up for: each does all that is due when it comes.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Final

import redis
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from hotline.bootstrap import Runtime
from hotline.queues import CALLS, IMPORTS, UPKEEP
from workers import process

log = logging.getLogger(__name__)

ON_ITS_WAY: Final = {JobStatus.QUEUED, JobStatus.STARTED}


@dataclass(frozen=True, slots=True)
class Every:
    """Again and again, this long apart."""

    span: timedelta

    def after(self, moment: datetime, zone: tzinfo) -> datetime:
        """Return the first time after ``moment``."""
        return moment + self.span


@dataclass(frozen=True, slots=True)
class Daily:
    """Every day at this time of the city; with ``weekday`` (Monday is 0) on that day only."""

    at: time
    weekday: int | None = None

    def after(self, moment: datetime, zone: tzinfo) -> datetime:
        """Return the first time after ``moment``."""
        local = moment.astimezone(zone)
        following = datetime.combine(local.date(), self.at, zone)
        while following <= local or self.weekday not in (None, following.weekday()):
            following += timedelta(days=1)
        return following


@dataclass(frozen=True, slots=True)
class Entry:
    """What to run and when."""

    name: str
    when: Every | Daily
    job: str
    queue: str = UPKEEP


MONDAY: Final = 0

TIMETABLE: Final = (
    Entry("assign-calls", Every(timedelta(seconds=5)), "workers.upkeep.assign_calls"),
    Entry("ring-duty-officers", Every(timedelta(seconds=15)), "workers.alarms.keep_ringing", CALLS),
    Entry("forget-contact-calls", Every(timedelta(minutes=1)), "workers.contacts.forget_calls"),
    Entry("watch-outbox", Every(timedelta(minutes=1)), "workers.upkeep.watch_outbox"),
    Entry("group-questions", Every(timedelta(minutes=2)), "workers.upkeep.group_questions"),
    Entry("watch-deadlines", Every(timedelta(minutes=5)), "workers.watching.watch_deadlines"),
    Entry("end-waits", Every(timedelta(minutes=5)), "workers.waiting.end_waits"),
    Entry("archive-orders", Every(timedelta(hours=1)), "workers.upkeep.archive_orders"),
    Entry("anchor-journals", Daily(time(0, 10)), "workers.upkeep.anchor_journals"),
    # minutes of work: among what may take long, at an hour at which nobody sends a file
    Entry("train-routing", Daily(time(1, 30)), "workers.upkeep.train_routing", IMPORTS),
    Entry("recount-deadlines", Daily(time(2, 40)), "workers.waiting.recount_deadlines"),
    Entry("clean-outbox", Daily(time(3, 10)), "workers.upkeep.clean_outbox"),
    Entry("clean-answers", Daily(time(3, 20)), "workers.upkeep.clean_answers"),
    Entry("ask-for-reviews", Daily(time(7, 30)), "workers.upkeep.ask_for_reviews"),
    Entry("forget-imports", Every(timedelta(hours=1)), "workers.imports.forget_files"),
    Entry("prepare-panel", Daily(time(8, 0), weekday=MONDAY), "workers.upkeep.prepare_panel"),
    Entry("check-calendar", Daily(time(8, 30), weekday=MONDAY), "workers.upkeep.check_calendar"),
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
    due = {entry: entry.when.after(runtime.now(), zone) for entry in timetable}
    while not stop.is_set():
        try:
            for entry in [entry for entry, at in due.items() if at <= runtime.now()]:
                enqueue(entry, connection)
                due[entry] = entry.when.after(runtime.now(), zone)
                outage.over()
        except redis.RedisError as fault:
            outage.wait(fault, stop)
        stop.wait(min(1.0, max(0.0, (min(due.values()) - runtime.now()).total_seconds())))


def main() -> None:
    """Run the timetable on the settings in the environment until told to stop."""
    process.run_until_told(run)


if __name__ == "__main__":
    main()
