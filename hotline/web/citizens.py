"""The part of the site that is open to everybody: nobody logs in there, no cookie is read or set, anyone may keep a
copy of what it says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from werkzeug.http import is_resource_modified

PAGES: Final = "/answers"
API: Final = "/api/public/v1"
ROBOTS: Final = "/robots.txt"
KEEP_S: Final = 60
OFTEN: Final = "1200 per minute"  # people behind one address of a carrier, or the server of the city's site


def is_open(path: str) -> bool:
    """Whether an address lies in the open part."""
    return any(path == start or path.startswith(f"{start}/") for start in (PAGES, API, ROBOTS))


class Sessions(SecureCookieSessionInterface):
    """The cookie of staff, which the open part neither reads nor renews: a copy kept for all must not carry one."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of the request; none in the open part."""
        return None if is_open(request.path) else super().open_session(app, request)


def kept_until_changed(make: Callable[[], Response], *, state: str, changed_at: datetime) -> Response:
    """Return the answer ``make`` builds, to be kept by anyone for a minute and asked for again by its state.

    Not built at all (304) for whoever has that state already. htmx gets parts of pages, so they are kept apart.
    """
    part = "part" if request.headers.get("HX-Request") == "true" else "whole"
    tag, at = f"{state}-{part}", changed_at.replace(microsecond=0)
    known = not is_resource_modified(request.environ, etag=f'"{tag}"', last_modified=at)
    answer = Response(status=304) if known else make()
    answer.set_etag(tag)
    answer.last_modified = at
    answer.headers["Cache-Control"] = f"public, max-age={KEEP_S}"
    answer.headers["Vary"] = "HX-Request"
    return answer
