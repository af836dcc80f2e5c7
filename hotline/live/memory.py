"""A bus inside one process: for tests, and for a small site that runs everything in one."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from hotline.live.base import MISSED, Hint

KEPT_PER_SUBSCRIBER: Final = 256


class MemorySubscription:
    """The hints of one listener. A slow one loses the oldest and is told so, instead of filling the memory."""

    def __init__(self, channels: tuple[str, ...]) -> None:
        self.channels = channels
        self._hints: deque[Hint] = deque(maxlen=KEPT_PER_SUBSCRIBER)
        self._missed: deque[Hint] = deque()  # told before all else
        self._arrived = threading.Condition()

    def put(self, hint: Hint) -> None:
        """Take a hint in; called by the bus from any thread."""
        with self._arrived:
            if len(self._hints) == KEPT_PER_SUBSCRIBER:
                self._missed = deque(Hint(channel, MISSED) for channel in self.channels)
            self._hints.append(hint)
            self._arrived.notify()

    def hints(self, timeout_s: float) -> Iterator[Hint]:
        """Yield what has arrived; ends after ``timeout_s`` seconds without anything."""
        # one at a time: whoever breaks off between two must find the other still there
        while (hint := self._take(timeout_s)) is not None:
            yield hint

    def _take(self, timeout_s: float) -> Hint | None:
        with self._arrived:
            if not self._arrived.wait_for(lambda: self._hints, timeout_s):
                return None
            return (self._missed or self._hints).popleft()


class MemoryBus:
    """Reaches the threads of this process only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[str, list[MemorySubscription]] = {}

    def publish(self, hint: Hint) -> bool:
        """Hand the hint to every listener of its channel. Always True."""
        with self._lock:
            listeners = list(self._listeners.get(hint.channel, ()))
        for listener in listeners:
            listener.put(hint)
        return True

    @contextmanager
    def subscribe(self, *channels: str) -> Iterator[MemorySubscription]:
        """Listen until the block ends."""
        subscription = MemorySubscription(channels)
        with self._lock:
            for channel in channels:
                self._listeners.setdefault(channel, []).append(subscription)
        try:
            yield subscription
        finally:
            with self._lock:
                for channel in channels:
                    self._listeners[channel].remove(subscription)
                    if not self._listeners[channel]:
                        del self._listeners[channel]
