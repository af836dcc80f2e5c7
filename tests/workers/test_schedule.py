"""The timetable runs what is due, in the city's time, and never piles up."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import redis

from hotline import queues
from hotline.bootstrap import Runtime
from tests.redis_server import RedisProcess
from tests.waiting import until
from tests.workers.conftest import Clock
from workers import main, process, schedule
from workers.schedule import Daily, Entry, Every

HENGSHUI = ZoneInfo("Asia/Shanghai")
CLEAN = Entry("clean", Every(timedelta(seconds=5)), "workers.upkeep.clean_answers")


@pytest.mark.parametrize(
    ("moment", "first"),
    [
        (datetime(2026, 11, 17, 19, 9, tzinfo=UTC), datetime(2026, 11, 17, 19, 10, tzinfo=UTC)),  # 3:09 in Hengshui
        (datetime(2026, 11, 17, 19, 10, tzinfo=UTC), datetime(2026, 11, 18, 19, 10, tzinfo=UTC)),
        (datetime(2026, 11, 18, 4, 0, tzinfo=UTC), datetime(2026, 11, 18, 19, 10, tzinfo=UTC)),
    ],
)
def test_ten_past_three_is_that_of_the_city(moment: datetime, first: datetime) -> None:
    assert Daily(time(3, 10)).after(moment, HENGSHUI) == first


def test_mondays_are_those_of_the_city() -> None:
    sunday_night = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)  # Monday 4:00 in Hengshui
    assert Daily(time(8, 30), weekday=0).after(sunday_night, HENGSHUI) == datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
    monday_noon = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
    assert Daily(time(8, 30), weekday=0).after(monday_noon, HENGSHUI) == datetime(2026, 11, 30, 0, 30, tzinfo=UTC)


def test_a_run_that_still_waits_is_not_queued_again_and_the_next_one_is_once_it_is_done(
    runtime: Runtime, queues_connection: redis.Redis
) -> None:
    assert schedule.enqueue(CLEAN, queues_connection)
    assert not schedule.enqueue(CLEAN, queues_connection)
    assert main.drain(queues.UPKEEP, queues_connection)
    assert schedule.enqueue(CLEAN, queues_connection)


def test_the_scheduler_goes_on_after_redis_was_away(
    runtime: Runtime, queues_connection: redis.Redis, redis_process: RedisProcess, clock: Clock
) -> None:
    stop = threading.Event()
    arguments = (runtime, process.connect(redis_process.url), stop, (CLEAN,))
    thread = threading.Thread(target=schedule.run, args=arguments)
    thread.start()

    def waits() -> int:
        return len(process.queue(queues.UPKEEP, queues_connection))

    try:
        clock.forward(timedelta(seconds=5))
        until(waits, "the first run")
        redis_process.kill()
        clock.forward(timedelta(seconds=5))
        redis_process.start()
        until(waits, "the run that was due during the outage")
    finally:
        stop.set()
        thread.join(timeout=10)
    assert not thread.is_alive()


@pytest.mark.parametrize("entry", schedule.TIMETABLE, ids=lambda entry: entry.name)
def test_every_entry_of_the_timetable_runs_twice_on_an_empty_site(
    runtime: Runtime, queues_connection: redis.Redis, entry: Entry
) -> None:
    for _ in range(2):
        schedule.enqueue(entry, queues_connection)
        assert main.drain(entry.queue, queues_connection)
        assert process.queue(entry.queue, queues_connection).failed_job_registry.count == 0
