"""Hints reach who listens; who is slow or cut off is told so; a dead Redis holds nobody up."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

import hotline.live.redis as redis_bus
from hotline.errors import Unavailable
from hotline.live.base import MISSED, Bus, Hint, Subscription
from hotline.live.memory import KEPT_PER_SUBSCRIBER, MemoryBus
from hotline.live.redis import RedisBus
from tests.redis_server import RedisProcess, free_port
from tests.waiting import until


@pytest.fixture(params=["memory", "redis"])
def bus(request: pytest.FixtureRequest) -> Bus:
    if request.param == "memory":
        return MemoryBus()
    return RedisBus(request.getfixturevalue("redis_url"))


def heard(subscription: Subscription, count: int) -> list[Hint]:
    """Return the next hints."""
    hints = subscription.hints(10.0)
    return [next(hints) for _ in range(count)]


def test_a_hint_reaches_everyone_on_its_channel_and_nobody_else(bus: Bus) -> None:
    with bus.subscribe("call:1", "desk:7") as first, bus.subscribe("call:1") as second:
        sent = [Hint("call:1", "utterance"), Hint("call:2", "utterance"), Hint("desk:7", "offer", b"a\nb\x00")]
        assert all([bus.publish(hint) for hint in sent])
        assert heard(first, 2) == [sent[0], sent[2]]
        assert heard(second, 1) == [sent[0]]


def test_silence_ends_the_wait(bus: Bus) -> None:
    with bus.subscribe("call:1") as subscription:
        assert list(subscription.hints(0.01)) == []


def test_who_looks_up_between_two_hints_loses_neither(bus: Bus) -> None:
    with bus.subscribe("queue") as ear:
        for kind in ("first", "second", "third"):
            bus.publish(Hint("queue", kind))
        assert next(iter(ear.hints(10.0))).kind == "first"
        rest = ear.hints(10.0)
        assert [next(rest).kind, next(rest).kind] == ["second", "third"]


def test_who_left_hears_nothing_more(bus: Bus) -> None:
    with bus.subscribe("call:1") as subscription:
        pass
    with bus.subscribe("call:1"):
        bus.publish(Hint("call:1", "utterance"))
    assert isinstance(bus, RedisBus) or list(subscription.hints(0.01)) == []


def test_a_listener_in_another_thread_is_woken(bus: Bus) -> None:
    with bus.subscribe("call:1") as subscription, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(heard, subscription, 1)
        bus.publish(Hint("call:1", "utterance"))
        assert waiting.result(timeout=10) == [Hint("call:1", "utterance")]


def test_a_slow_listener_loses_the_oldest_and_is_told() -> None:
    bus = MemoryBus()
    with bus.subscribe("call:1") as subscription:
        for number in range(KEPT_PER_SUBSCRIBER + 3):
            bus.publish(Hint("call:1", str(number)))
        got = list(subscription.hints(0.01))
    assert got[0] == Hint("call:1", MISSED)
    assert [hint.kind for hint in got[1:]] == [str(number) for number in range(3, KEPT_PER_SUBSCRIBER + 3)]


def test_a_dead_redis_is_told_in_one_line_and_the_page_is_sent_to_polling(caplog: pytest.LogCaptureFixture) -> None:
    bus = RedisBus(f"redis://127.0.0.1:{free_port()}/0")
    with caplog.at_level(logging.WARNING):
        assert [bus.publish(Hint("call:1", "utterance")) for _ in range(50)] == [False] * 50
        with pytest.raises(Unavailable), bus.subscribe("call:1"):
            pass
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "live bus down, screens fall back to polling"
    ]


@pytest.fixture
def mute_redis() -> Iterator[str]:
    """URL of a server that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


def test_a_redis_that_does_not_answer_is_waited_for_once_and_not_by_every_request(mute_redis: str) -> None:
    bus = RedisBus(mute_redis)
    asked: list[bool] = []
    breaker = bus._breaker
    may_ask = breaker.may_ask

    def counted() -> bool:
        asked.append(may_ask())
        return asked[-1]

    breaker.may_ask = counted  # type: ignore[method-assign]
    started = monotonic()
    assert not any(bus.publish(Hint("call:1", "utterance")) for _ in range(200))
    assert asked.count(True) <= 1 + (monotonic() - started) / redis_bus.PAUSE_S


def test_publishing_works_again_after_the_pause(
    redis_process: RedisProcess, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(redis_bus, "PAUSE_S", 0.05)
    bus = RedisBus(redis_process.url)
    with caplog.at_level(logging.WARNING):
        assert bus.publish(Hint("call:1", "utterance"))
        redis_process.kill()
        until(lambda: not bus.publish(Hint("call:1", "utterance")), "the loss to be noticed")
        redis_process.start()
        until(lambda: bus.publish(Hint("call:1", "utterance")), "the bus to be back")
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "live bus down, screens fall back to polling",
        "live bus is back",
    ]


def test_a_listener_comes_back_after_a_restart_and_is_told_it_missed_some(redis_process: RedisProcess) -> None:
    bus = RedisBus(redis_process.url)
    with bus.subscribe("call:1") as subscription:
        redis_process.kill()
        redis_process.start()
        hints = subscription.hints(10.0)
        assert next(hints) == Hint("call:1", MISSED)
        assert bus.publish(Hint("call:1", "utterance"))
        assert next(hints) == Hint("call:1", "utterance")


def test_a_listener_whose_redis_stays_away_is_sent_to_polling(redis_process: RedisProcess) -> None:
    bus = RedisBus(redis_process.url)
    with bus.subscribe("call:1") as subscription:
        redis_process.kill()
        with pytest.raises(Unavailable):
            list(subscription.hints(10.0))


def test_many_threads_publish_through_one_bus(bus: Bus) -> None:
    with bus.subscribe("call:1") as subscription:
        threads = [threading.Thread(target=bus.publish, args=(Hint("call:1", str(n)),)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(int(hint.kind) for hint in heard(subscription, 20)) == list(range(20))
