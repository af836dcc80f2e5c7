"""One log line and one measurement for every request. Ids only: no query strings, no fields, no paths with numbers."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from secrets import token_hex
from time import perf_counter
from typing import Final

import structlog
from flask import Flask, Response, g, has_request_context, request
from prometheus_client import Histogram
from structlog.typing import EventDict, Processor

from hotline.web.context import the_request

log = logging.getLogger("hotline.request")

ID: Final = re.compile(r"[A-Za-z0-9-]{8,64}")
ENCODER: Final = json.JSONEncoder(ensure_ascii=False)  # json.dumps would make a new one for every line
QUIET: Final = frozenset({"static", "health.healthz", "health.readyz", "health.metrics"})
SECONDS: Final = Histogram(
    "hotline_request_seconds",
    "Time to answer a request.",
    ("method", "rule", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15),
)


def configure() -> None:
    """Send all logs of this process to standard error, one JSON object a line. Called once by ``wsgi``."""
    shared: list[Processor] = [
        _name_request,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)


def _name_request(_logger: object, _method: str, event: EventDict) -> EventDict:
    if has_request_context() and "request_id" in g:
        event["request_id"] = g.request_id
    return event


def init_app(app: Flask) -> None:
    """Give every request an id (``X-Request-Id``, kept when a proxy sent a sane one), a log line and a measurement."""

    @app.before_request
    def begin() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.began = perf_counter()
        g.request_id = given if ID.fullmatch(given) else token_hex(8)

    @app.after_request
    def end(response: Response) -> Response:
        if "began" not in g:
            return response
        asked, request_id = the_request(), g.request_id
        response.headers["X-Request-Id"] = request_id
        if asked.endpoint not in QUIET:
            rule = asked.url_rule.rule if asked.url_rule else "-"  # the pattern: a path may hold an order's number
            took = perf_counter() - g.began
            SECONDS.labels(asked.method, rule, str(response.status_code)).observe(took)
            if log.isEnabledFor(logging.INFO):
                # past the handlers, which for a line of every request cost as much as a database statement
                sys.stderr.write(_line(request_id, asked.method, rule, response.status_code, took))
        return response


def _line(request_id: str, method: str, rule: str, status: int, took_s: float) -> str:
    """The same JSON as every other log line has."""
    line = {
        "event": "request",
        "level": "info",
        "logger": log.name,
        "request_id": request_id,
        "timestamp": datetime.now(UTC).isoformat(),
        "method": method,
        "rule": rule,
        "status": status,
        "ms": round(took_s * 1000, 1),
    }
    return ENCODER.encode(line) + "\n"
