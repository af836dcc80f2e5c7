"""The relay brings every row to a queue, whatever becomes of Redis."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import redis

from hotline import outbox, queues
from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.live.base import Hint
from hotline.outbox import OutboxMessage
from tests.redis_server import RedisProcess
from tests.waiting import until
from tests.workers.conftest import Clock
from workers import process, relay


def put(runtime: Runtime, count: int = 1, topic: str = "order.push") -> list[int]:
    with session_scope(runtime.sessions) as session:
        return [
            outbox.add(session, topic, now=runtime.now(), order_id=number, unit_id=1, what="to_sign").id
            for number in range(count)
        ]


def queued(connection: redis.Redis, name: str = queues.DISPATCH) -> list[int]:
    """Return the row ids of the jobs that wait in a queue."""
    return [job.args[0] for job in process.queue(name, connection).jobs]


def test_each_row_is_queued_once_and_carries_nothing_but_its_id(
    runtime: Runtime, queues_connection: redis.Redis
) -> None:
    ids = put(runtime, 3)
    assert relay.sweep(runtime, queues_connection) == 3
    assert relay.sweep(runtime, queues_connection) == 0
    jobs = process.queue(queues.DISPATCH, queues_connection).jobs
    assert [(job.func_name, list(job.args), job.kwargs) for job in jobs] == [
        ("workers.dispatch.push_order", [message_id], {}) for message_id in ids
    ]
    assert all(":" not in job.id for job in jobs)


def test_calls_do_not_wait_behind_deliveries(runtime: Runtime, queues_connection: redis.Redis) -> None:
    put(runtime, 2)
    (call,) = put(runtime, topic="call.connect")
    relay.sweep(runtime, queues_connection)
    assert queued(queues_connection, queues.CALLS) == [call]


def test_a_job_that_waits_long_is_not_queued_a_second_time(
    runtime: Runtime, queues_connection: redis.Redis, clock: Clock
) -> None:
    ids = put(runtime, 2)
    relay.sweep(runtime, queues_connection)
    for _ in range(5):
        clock.forward(outbox.CLAIM)
        assert relay.sweep(runtime, queues_connection) == 0
    assert queued(queues_connection) == ids


def test_jobs_that_redis_forgot_are_queued_anew_when_the_claim_ends(
    runtime: Runtime, queues_connection: redis.Redis, redis_process: RedisProcess, clock: Clock
) -> None:
    ids = put(runtime, 3)
    relay.sweep(runtime, queues_connection)
    redis_process.kill()
    redis_process.start()
    assert queued(queues_connection) == []
    assert relay.sweep(runtime, queues_connection) == 0
    clock.forward(outbox.CLAIM)
    assert relay.sweep(runtime, queues_connection) == 3
    assert queued(queues_connection) == ids


def test_rows_are_free_again_when_redis_is_lost_before_they_are_queued(
    runtime: Runtime, queues_connection: redis.Redis, redis_process: RedisProcess
) -> None:
    ids = put(runtime, 3)
    redis_process.kill()
    with pytest.raises(redis.RedisError):
        relay.sweep(runtime, queues_connection)
    redis_process.start()
    assert relay.sweep(runtime, queues_connection) == 3
    assert queued(queues_connection) == ids


def test_more_rows_than_one_batch_all_go(
    runtime: Runtime, queues_connection: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "BATCH", 7)
    ids = put(runtime, 30)
    assert relay.sweep(runtime, queues_connection) == 30
    assert queued(queues_connection) == ids


def test_a_topic_nobody_works_on_is_given_to_a_person(runtime: Runtime, queues_connection: redis.Redis) -> None:
    (odd,) = put(runtime, topic="order.sing")
    (good,) = put(runtime)
    assert relay.sweep(runtime, queues_connection) == 1
    assert queued(queues_connection) == [good]
    with session_scope(runtime.sessions) as session:
        row = session.get_one(OutboxMessage, odd)
        assert row.failed
        assert "order.sing" in row.error


@contextmanager
def running(runtime: Runtime, connection: redis.Redis) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=(runtime, connection, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=10)
        assert not thread.is_alive()


def test_an_outage_of_redis_loses_nothing_and_is_told_in_one_line_each_way(
    runtime: Runtime,
    queues_connection: redis.Redis,
    redis_process: RedisProcess,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "workers.process"), running(runtime, queues_connection):
        before = put(runtime, 3)
        until(lambda: len(queued(queues_connection)) == 3, "the rows before the outage")
        redis_process.kill()
        during = put(runtime, 4)
        until(lambda: "relay waits" in caplog.text, "the relay to notice")
        redis_process.start()
        until(lambda: len(queued(queues_connection)) == 4, "the rows of the outage")
        assert queued(queues_connection) == during
        clock.forward(outbox.CLAIM)  # what Redis forgot comes back by itself
        until(lambda: len(queued(queues_connection)) == 7, "the rows before the outage, again")
        assert sorted(queued(queues_connection)) == before + during
    told = [record.message for record in caplog.records if record.name == "workers.process"]
    assert len(told) == 2
    assert told[0].startswith("relay waits")
    assert told[1].startswith("relay goes on")


def test_the_relay_is_woken_by_a_commit(
    runtime: Runtime, queues_connection: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "SWEEP_EVERY_S", 3600.0)
    outbox.after_commit(runtime.sessions, lambda: runtime.bus.publish(Hint(queues.RELAY_CHANNEL, "due")))
    channel = "hotline:live:" + queues.RELAY_CHANNEL
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=(runtime, queues_connection, stop))
    thread.start()
    until(lambda: queues_connection.pubsub_numsub(channel)[0][1] == 1, "the relay to listen")
    ids = put(runtime)
    until(lambda: queued(queues_connection) == ids, "the row, although no sweep is due for an hour")
    stop.set()
    runtime.bus.publish(Hint(queues.RELAY_CHANNEL, "end"))
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_two_relays_do_not_queue_a_row_twice(runtime: Runtime, queues_connection: redis.Redis) -> None:
    with running(runtime, queues_connection), running(runtime, process.connect(runtime.settings.redis_url)):
        ids = put(runtime, 60)
        until(lambda: len(queued(queues_connection)) >= 60, "every row")
    assert sorted(queued(queues_connection)) == ids


def test_the_next_try_is_a_job_of_its_own(runtime: Runtime, queues_connection: redis.Redis, clock: Clock) -> None:
    (message_id,) = put(runtime)
    relay.sweep(runtime, queues_connection)
    first = process.queue(queues.DISPATCH, queues_connection).job_ids
    with session_scope(runtime.sessions) as session:
        outbox.claim_one(session, message_id, now=clock())
        outbox.postpone(session, message_id, now=clock(), error="对方无应答")
    clock.forward(timedelta(minutes=1))
    relay.sweep(runtime, queues_connection)
    assert len({*first, *process.queue(queues.DISPATCH, queues_connection).job_ids}) == 2
