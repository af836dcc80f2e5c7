"""Whether a process lives, whether it can work, and its figures for Prometheus."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import redis
import structlog
from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from hotline.web.access import public
from hotline.web.context import runtime

if TYPE_CHECKING:
    from hotline.bootstrap import Runtime

log = structlog.get_logger(__name__)
bp = Blueprint("health", __name__)

ANSWER_WITHIN_S = 1.0


@bp.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(ok=True)


@bp.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """What the process leans on, each with true or false and a word.

    503 only without the database: calls are answered and orders commit without Redis and without a model.
    """
    parts = {name: check(runtime()) for name, check in CHECKS.items()}
    ready = parts["database"]["ok"]
    return jsonify(ready=ready, **parts), 200 if ready else 503


@bp.get("/metrics")
@public
def metrics() -> ResponseReturnValue:
    """Figures of this process, or of all workers when ``PROMETHEUS_MULTIPROC_DIR`` is set."""
    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _database(runtime: Runtime) -> dict[str, object]:
    try:
        with runtime.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as fault:
        log.warning("database_not_ready", fault=type(fault).__name__)
        return {"ok": False, "word": "数据库连不上"}
    return {"ok": True, "word": "正常"}


def _redis(runtime: Runtime) -> dict[str, object]:
    url = runtime.settings.redis_url
    if not url:
        return {"ok": True, "word": "未配置，在本进程内运行"}
    try:
        with redis.Redis.from_url(
            url, socket_timeout=ANSWER_WITHIN_S, socket_connect_timeout=ANSWER_WITHIN_S
        ) as client:
            client.ping()
    except redis.RedisError as fault:
        log.warning("redis_not_ready", fault=type(fault).__name__)
        return {"ok": False, "word": "连不上，页面改为定时刷新，派送稍后补发"}
    return {"ok": True, "word": "正常"}


def _model(runtime: Runtime) -> dict[str, object]:
    # a glance, not the checksums: those are looked at when the model is loaded
    path = runtime.settings.speech_model
    if path is None or not (path / "am" / "final.mdl").is_file():
        return {"ok": False, "word": "没有语音模型，通话照常但没有转写"}
    return {"ok": True, "word": path.name}


CHECKS: dict[str, Callable[[Runtime], dict[str, object]]] = {"database": _database, "redis": _redis, "model": _model}
