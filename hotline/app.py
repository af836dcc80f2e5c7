"""The Flask application, whole or in the parts that run as processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from flask import Flask, Request, redirect
from flask.sessions import SessionInterface
from flask.typing import ResponseReturnValue
from flask_babel import Babel
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map
from werkzeug.utils import cached_property

from hotline import agents, api, backoffice, duty_desk, editors, ivr, media, portal, unit_api
from hotline import public as for_all
from hotline.web import (
    assets,
    auth,
    channels,
    citizens,
    errors,
    formats,
    forms,
    health,
    order_files,
    pages,
    request_log,
    security,
    sse,
)
from hotline.web.access import public
from hotline.web.webhook import LARGEST_ID
from hotline.web.words import sign

if TYPE_CHECKING:  # only wsgi and the tests build one
    from hotline.bootstrap import Runtime

ALL: Final = ("voice", "web", "live", "media")
HOLDING: Final = frozenset({"live", "media"})  # an open line holds a thread
PAGES: Final = frozenset({"web", "live"})  # parts with people at a browser: log-in, forms, templates

MAX_PAGE: Final = 24 << 20  # photographs of a report
MAX_WEBHOOK: Final = 256 << 10


class Site(Flask):
    """The application. No view or hook of it is asynchronous."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return it as it is: finding out anew for every hook of every request costs more than most hooks."""
        return func


class Webhook(Request):
    """A request of a carrier: a short url-encoded form without files, for which the parser of all forms takes twice
    as long."""

    @cached_property
    def form(self) -> ImmutableMultiDict[str, str]:
        """The fields, every value of each."""
        if self.mimetype != "application/x-www-form-urlencoded":
            return super().form
        parts = [part.partition("=") for part in self.get_data().decode(errors="replace").split("&") if part]
        return ImmutableMultiDict([(unquote_plus(name), unquote_plus(value)) for name, _, value in parts])


class NoSessions(SessionInterface):
    """Carriers and sound have no cookies to read."""

    def open_session(self, app: Flask, request: Request) -> None:
        """Open none."""


class RowId(IntegerConverter):
    """``<int:…>`` in an address: a number that no row can have leads nowhere (404)."""

    def __init__(self, url_map: Map, **limits: Any) -> None:
        super().__init__(url_map, **{"max": LARGEST_ID} | limits)


def create_app(runtime: Runtime, parts: Iterable[str] = ALL, *, threads: int = 64) -> Flask:
    """Build the application with these parts; health and figures are always served.

    ``threads`` is how many requests the server handles at once: live lines and callers' sockets together take at most
    three quarters of them. Raises KeyError for a part that does not exist.
    """
    chosen = frozenset(parts)
    if unknown := chosen - set(PARTS):
        raise KeyError(f"no such part: {', '.join(sorted(unknown))}")
    app = Site("hotline")
    app.secret_key = runtime.settings.secret_key
    app.extensions["hotline"] = runtime
    app.url_map.converters["int"] = RowId
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    if proxies := runtime.settings.trusted_proxies:
        # who asks and whether over TLS; the host and the path people see are the configured ones
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=0)  # type: ignore[method-assign]
    request_log.init_app(app)
    security.init_app(app, runtime.settings)
    app.register_blueprint(health.bp)
    with_pages = bool(chosen & PAGES)
    if not with_pages:
        app.session_interface = NoSessions()
        app.request_class = Webhook
    errors.init_app(app, with_pages=with_pages)
    app.config["MAX_CONTENT_LENGTH"] = MAX_PAGE if with_pages else MAX_WEBHOOK
    if with_pages:
        serve_people(app, runtime)
    slots = threads * 3 // 4 // max(1, len(chosen & HOLDING))
    for part in sorted(chosen):
        PARTS[part](app, runtime, slots)
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
    app.session_interface = citizens.Sessions()
    app.add_url_rule("/", "home", home)


@public
def home() -> ResponseReturnValue:
    """Lead each person to where they work."""
    return redirect(pages.home_url(), 303)


def _voice(app: Flask, _runtime: Runtime, _slots: int) -> None:
    """Callers."""
    forms.csrf.exempt(ivr.bp)  # the carrier's signature guards it
    app.register_blueprint(ivr.bp)


def _web(app: Flask, _runtime: Runtime, _slots: int) -> None:
    """Operators, units, callback officers, the hub, programs, and citizens who read."""
    app.register_blueprint(agents.bp)
    app.register_blueprint(portal.bp)
    app.register_blueprint(order_files.bp)
    app.register_blueprint(duty_desk.bp)
    app.register_blueprint(backoffice.bp)
    app.register_blueprint(editors.bp)
    app.register_blueprint(for_all.bp)
    forms.csrf.exempt(api.bp)  # it looks at no cookie
    app.register_blueprint(api.bp)
    forms.csrf.exempt(unit_api.bp)  # nor at any here
    app.register_blueprint(unit_api.bp)


def _live(app: Flask, _runtime: Runtime, slots: int) -> None:
    """The live line of every page."""
    sse.init_app(app, channels.LISTENERS, slots=slots)


def _media(app: Flask, runtime: Runtime, slots: int) -> None:
    """Callers' sound."""
    app.register_blueprint(media.make_blueprint(media.make_desk(runtime, slots=slots)))


PARTS: Final[dict[str, Callable[[Flask, Runtime, int], None]]] = {
    "voice": _voice,
    "web": _web,
    "live": _live,
    "media": _media,
}
