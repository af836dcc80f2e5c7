"""Servers these tests lean on."""

from tests.databases import either_url
from tests.postgres import postgres_cluster, postgres_url

__all__ = ["either_url", "postgres_cluster", "postgres_url"]
