"""What gunicorn serves: ``hotline.wsgi:app`` (a small site: all but the callers' sound), or one part:
``voice web live media``.

Built when first asked for, so that each process loads only what it serves; settings come from the environment.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import Final

from flask import Flask

from hotline.app import ALL, create_app
from hotline.bootstrap import build
from hotline.config import Settings, SettingsError
from hotline.knowledge_base.search.following import Follower
from hotline.web import request_log

# decoding comes in bursts that would make webhooks wait, so the sockets have a process of their own everywhere
SMALL_SITE: Final = ("voice", "web", "live")

GUNICORN_GIVES_UP: Final = 3


def __getattr__(name: str) -> Flask:
    if name == "app":
        return _serve(SMALL_SITE)
    if name in ALL:
        return _serve((name,))
    raise AttributeError(name)


@cache
def _serve(parts: tuple[str, ...]) -> Flask:
    request_log.configure()
    try:
        settings = Settings.from_env()
    except SettingsError as faults:
        # each fault is a line, which a traceback would hide; with this code gunicorn stops instead of trying for ever
        print(f"hotline: the settings are wrong\n{faults}", file=sys.stderr)  # noqa: T201
        sys.exit(GUNICORN_GIVES_UP)
    threads = int(os.environ.get("HOTLINE_THREADS", "64"))  # as gunicorn.conf.py
    runtime = build(settings, with_speech="media" in parts)
    if "web" in parts:  # nobody's first search waits until everything is read
        Follower(runtime.knowledge, runtime.sessions, runtime.bus, runtime.initials)
    return create_app(runtime, parts, threads=threads)
