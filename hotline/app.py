"""The Flask application, whole or in the parts that run as processes of their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from flask import Flask, redirect
from flask.typing import ResponseReturnValue
from flask_babel import Babel

from hotline.web import assets, auth, errors, formats, forms, health, pages, request_log, security, sse
from hotline.web.access import public
from hotline.web.words import sign

if TYPE_CHECKING:  # only wsgi and the tests build one
    from hotline.bootstrap import Runtime

ALL: Final = ("voice", "web", "live", "media")
PAGES: Final = frozenset({"web", "live"})  # parts with people at a browser: log-in, forms, templates

MAX_PAGE: Final = 24 << 20  # photographs of a report
MAX_WEBHOOK: Final = 256 << 10


def create_app(runtime: Runtime, parts: Iterable[str] = ALL) -> Flask:
    """Build the application with these parts; health and figures are always served.

    Raises KeyError for a part that does not exist.
    """
    chosen = frozenset(parts)
    if unknown := chosen - set(PARTS):
        raise KeyError(f"no such part: {', '.join(sorted(unknown))}")
    app = Flask("hotline")
    app.secret_key = runtime.settings.secret_key
    app.extensions["hotline"] = runtime
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    request_log.init_app(app)
    security.init_app(app, https=runtime.settings.secure_cookies)
    app.register_blueprint(health.bp)
    with_pages = bool(chosen & PAGES)
    errors.init_app(app, with_pages=with_pages)
    app.config["MAX_CONTENT_LENGTH"] = MAX_PAGE if with_pages else MAX_WEBHOOK
    if with_pages:
        serve_people(app, runtime)
    for part in sorted(chosen):
        PARTS[part](app, runtime)
    return app


def serve_people(app: Flask, runtime: Runtime) -> None:
    """Set up what every page leans on: words, templates, log-in, guarded forms, the first page."""
    Babel(app, default_locale="zh", default_timezone=runtime.settings.timezone, locale_selector=lambda: "zh")
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    assets.init_app(app)
    formats.init_app(app)
    pages.init_app(app)
    app.jinja_env.globals["sign"] = sign
    forms.init_app(app)
    auth.init_app(app, runtime.settings)
    app.add_url_rule("/", "home", home)


@public
def home() -> ResponseReturnValue:
    """Lead each person to where they work."""
    return redirect(pages.home_url(), 303)


def _voice(app: Flask, runtime: Runtime) -> None:
    """Callers."""


def _web(app: Flask, runtime: Runtime) -> None:
    """Operators, units, callback officers, the hub, programs."""


def _live(app: Flask, runtime: Runtime) -> None:
    """The live line of every page."""
    sse.init_app(app, LISTENERS, slots=int(os.environ.get("HOTLINE_LIVE_SLOTS", "48")))


def _media(app: Flask, runtime: Runtime) -> None:
    """Callers' sound."""


PARTS: Final[dict[str, Callable[[Flask, Runtime], None]]] = {
    "voice": _voice,
    "web": _web,
    "live": _live,
    "media": _media,
}
LISTENERS: Final[Mapping[str, sse.MayListen]] = {}
