"""The bus between processes, over Redis publish/subscribe."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from hotline.errors import Unavailable
from hotline.live.base import MISSED, Hint

log = logging.getLogger(__name__)

PREFIX: Final = "hotline:live:"
# a web request waits at most this long for a Redis that does not answer, and then nobody asks for PAUSE_S
TIMEOUT_S: Final = 0.2
PAUSE_S: Final = 2.0


def connect(url: str) -> redis.Redis:
    """Return a client that gives up after ``TIMEOUT_S`` and never tries again by itself: a person is waiting."""
    return redis.Redis.from_url(
        url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0)
    )


class Breaker:
    """Remembers that Redis is down, so that only one request in ``PAUSE_S`` pays for finding out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._down = False
        self._ask_again_at = 0.0

    def may_ask(self) -> bool:
        """Return whether to try now. While down, the first to ask after the pause is the only one let through."""
        with self._lock:
            if not self._down:
                return True
            if monotonic() < self._ask_again_at:
                return False
            self._ask_again_at = monotonic() + PAUSE_S
            return True

    def failed(self, fault: Exception) -> None:
        """Open the breaker; one log line an outage."""
        with self._lock:
            first, self._down = not self._down, True
            self._ask_again_at = monotonic() + PAUSE_S
        if first:
            log.warning("live bus down, screens fall back to polling: %s", fault)

    def worked(self) -> None:
        """Close the breaker."""
        with self._lock:
            again, self._down = self._down, False
        if again:
            log.warning("live bus is back")


class RedisSubscription:
    """An open connection that listens. Comes back by itself from a restart of Redis."""

    def __init__(self, client: redis.Redis, breaker: Breaker, channels: tuple[str, ...]) -> None:
        self._client = client
        self._breaker = breaker
        self._channels = channels
        self._pubsub = self._open()

    def hints(self, timeout_s: float) -> Iterator[Hint]:
        """Yield what has arrived; ends after ``timeout_s`` seconds without anything. See the port for losses."""
        deadline = monotonic() + timeout_s
        while (left := deadline - monotonic()) > 0:
            try:
                message: dict[str, Any] | None = self._pubsub.get_message(timeout=left)
            except redis.RedisError:
                self._pubsub.close()
                self._pubsub = self._open()
                yield from (Hint(channel, MISSED) for channel in self._channels)
                message = None
                deadline = monotonic() + timeout_s
            if message is None or message["type"] != "message":
                continue
            kind, _, body = message["data"].partition(b"\n")
            yield Hint(message["channel"].decode().removeprefix(PREFIX), kind.decode(), body)
            deadline = monotonic() + timeout_s

    def close(self) -> None:
        """Stop listening."""
        self._pubsub.close()

    def _open(self) -> Any:
        """Subscribe and wait for the answer, so that whatever is published from now on is heard."""
        pubsub = self._client.pubsub()
        try:
            pubsub.subscribe(*(PREFIX + channel for channel in self._channels))
            if pubsub.get_message(timeout=TIMEOUT_S) is None:
                raise redis.TimeoutError("no answer to SUBSCRIBE")
        except redis.RedisError as fault:
            pubsub.close()
            self._breaker.failed(fault)
            raise Unavailable("实时更新暂不可用，页面将定时刷新") from fault
        self._breaker.worked()
        return pubsub


class RedisBus:
    """Reaches every process on the same Redis. Loses hints while Redis is down, delays nobody."""

    def __init__(self, url: str) -> None:
        self._client = connect(url)
        self._breaker = Breaker()

    def publish(self, hint: Hint) -> bool:
        """Send a hint to whoever listens now; False when Redis is down."""
        if not self._breaker.may_ask():
            return False
        try:
            self._client.publish(PREFIX + hint.channel, hint.kind.encode() + b"\n" + hint.body)
        except redis.RedisError as fault:
            self._breaker.failed(fault)
            return False
        self._breaker.worked()
        return True

    @contextmanager
    def subscribe(self, *channels: str) -> Iterator[RedisSubscription]:
        """Listen until the block ends. Raises ``Unavailable`` when Redis is down."""
        if not self._breaker.may_ask():
            raise Unavailable("实时更新暂不可用，页面将定时刷新")
        subscription = RedisSubscription(self._client, self._breaker, channels)
        try:
            yield subscription
        finally:
            subscription.close()
