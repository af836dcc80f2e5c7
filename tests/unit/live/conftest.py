"""Servers these tests lean on."""

from tests.redis_server import redis_process, redis_url

__all__ = ["redis_process", "redis_url"]
