"""Many legs, few cores: nobody waits, nobody starves, nothing is lost without being counted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import pytest

from hotline.errors import Unavailable
from hotline.speech.base import Heard
from hotline.speech.pool import LegPool, LegState
from hotline.speech.silent import SilentEngine
from hotline.speech.sound import CHUNK_BYTES, FRAME_BYTES

FRAME = b"\x2a" * FRAME_BYTES  # some sound: silence is passed over
CHUNK = b"\x2a" * CHUNK_BYTES
Accept = Callable[["CountingRecogniser"], list[Heard]]


class CountingRecogniser:
    """Counts the sound it gets; ``accept`` of its engine decides what it hears."""

    def __init__(self, engine: CountingEngine, number: int) -> None:
        self.engine, self.number = engine, number
        self.ms = 0
        self._inside = threading.Lock()

    def accept(self, pcm: bytes) -> list[Heard]:
        assert self._inside.acquire(blocking=False), "one leg in two threads at once"
        try:
            self.ms += len(pcm) // 16
            return self.engine.hear(self)
        finally:
            self._inside.release()

    def pause(self) -> list[Heard]:
        return []

    def finish(self) -> list[Heard]:
        self.engine.open_now -= 1
        return [Heard(f"{self.ms} ms", True, 0, self.ms)]


class CountingEngine:
    """A recogniser without ears, at the port."""

    name = "counting"
    sample_rate = 8000

    def __init__(self, hear: Accept = lambda _: []) -> None:
        self.hear = hear
        self.open_now = 0
        self.opened = 0

    def open(self) -> CountingRecogniser:
        self.open_now += 1
        self.opened += 1
        return CountingRecogniser(self, self.opened)


def test_a_leg_with_a_backlog_gives_way_to_the_others_after_every_chunk() -> None:
    gate, order = threading.Event(), []

    def hear(recogniser: CountingRecogniser) -> list[Heard]:
        gate.wait(10)
        order.append(recogniser.number)
        return []

    with LegPool(CountingEngine(hear), workers=1) as pool:
        talkative, short = pool.open_leg("1", print), pool.open_leg("2", print)
        talkative.feed(CHUNK * 50)
        short.feed(CHUNK * 2)
        gate.set()
    assert order[:5] == [1, 2, 1, 2, 1]
    assert len(order) == 52


def test_no_leg_is_ever_in_two_threads_and_every_frame_is_heard() -> None:
    finals: list[str] = []
    engine = CountingEngine()
    with LegPool(engine, workers=4) as pool:
        legs = [pool.open_leg(str(n), lambda heard: finals.append(heard.text)) for n in range(12)]

        def talk(mine: int) -> None:
            for _ in range(200):
                for leg in legs[mine::3]:
                    leg.feed(FRAME)

        talkers = [threading.Thread(target=talk, args=(n,)) for n in range(3)]
        for talker in talkers:
            talker.start()
        for talker in talkers:
            talker.join()
        for leg in legs:
            leg.close()
        figures = pool.figures()
    assert finals == ["4000 ms"] * 12
    assert (figures.frames_in, figures.frames_dropped, figures.bytes_decoded) == (2400, 0, 2400 * FRAME_BYTES)
    assert (figures.legs, engine.open_now) == (0, 0)


def test_a_full_buffer_never_makes_the_feeder_wait_and_the_newest_sound_is_kept() -> None:
    gate, entered, heard = threading.Event(), threading.Event(), []

    def hear(recogniser: CountingRecogniser) -> list[Heard]:
        entered.set()
        gate.wait(10)
        return [Heard("", False, 0, recogniser.ms)]

    with LegPool(CountingEngine(hear), workers=1, buffer_ms=2000) as pool:
        leg = pool.open_leg("1", heard.append)
        leg.feed(CHUNK)
        assert entered.wait(10)  # the recogniser is busy with the first 200 ms from here on
        kept = [leg.feed(FRAME) for _ in range(101)]  # 2020 ms more
        assert kept == [True] * 100 + [False]
        assert (leg.frames_dropped, leg.backlog_ms) == (51, 1000)
        gate.set()
    assert leg.bytes_decoded == CHUNK_BYTES * 6
    # the recogniser heard 1200 ms; the leg's clock counts the 1020 that were thrown away too
    assert [one.end_ms for one in heard] == [200, *(ms + 1020 for ms in (400, 600, 800, 1000, 1200, 1200))]


def test_a_recogniser_that_breaks_is_logged_once_without_words_and_the_call_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def hear(recogniser: CountingRecogniser) -> list[Heard]:
        if threading.current_thread().name == "hear-17" and recogniser.ms > 200:
            raise ValueError("我叫王小明")
        return []

    finals: list[str] = []
    with caplog.at_level(logging.DEBUG), LegPool(CountingEngine(hear), workers=2) as pool:
        broken = pool.open_leg("17", lambda heard: finals.append(heard.text))
        whole = pool.open_leg("18", lambda heard: finals.append(heard.text))
        for _ in range(100):
            broken.feed(FRAME)
            whole.feed(FRAME)
        broken.close()
        whole.close()
        assert pool.figures().legs_failed == 1
    assert (broken.state, whole.state) == (LegState.FAILED, LegState.CLOSED)
    assert finals == ["2000 ms"]
    assert [record.getMessage() for record in caplog.records] == [
        "leg 17: no transcript from here on, hearing failed: ValueError"
    ]
    assert broken.frames_in == 100
    assert "王小明" not in caplog.text


def test_a_recogniser_that_cannot_be_opened_leaves_a_failed_leg_that_can_be_closed() -> None:
    class NoMemory(CountingEngine):
        def open(self) -> CountingRecogniser:
            raise MemoryError

    with LegPool(NoMemory(), workers=1) as pool:
        leg = pool.open_leg("1", print)
        leg.feed(CHUNK)
        leg.close()
        assert (leg.state, leg.feed(FRAME)) == (LegState.FAILED, False)
        assert (pool.figures().legs, pool.figures().legs_failed) == (0, 1)


def test_closing_twice_hands_out_the_last_words_once_and_what_comes_later_is_counted() -> None:
    finals: list[str] = []
    with LegPool(CountingEngine(), workers=1) as pool:
        leg = pool.open_leg("1", lambda heard: finals.append(heard.text))
        leg.feed(b"\x2a" * (CHUNK_BYTES + 80))  # the remainder is heard at the end
        leg.close()
        leg.close()
        assert leg.feed(FRAME) is False
    assert finals == ["210 ms"]
    assert leg.frames_dropped == 1


def test_after_the_pool_is_closed_no_leg_is_taken() -> None:
    pool = LegPool(CountingEngine(), workers=1)
    pool.close()
    with pytest.raises(Unavailable):
        pool.open_leg("1", print)


def test_without_a_model_sound_is_drained_and_nothing_is_heard() -> None:
    heard: list[Heard] = []
    engine = SilentEngine()
    with LegPool(engine) as pool:
        leg = pool.open_leg("1", heard.append)
        assert all(leg.feed(FRAME) for _ in range(400))
        leg.close()
    assert (engine.name, heard, leg.frames_dropped) == ("none", [], 0)
