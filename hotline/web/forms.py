"""Forms: every POST of a page carries a token that a foreign site cannot know."""

from __future__ import annotations

import secrets

from flask import Flask
from flask_wtf.csrf import CSRFProtect, generate_csrf

from hotline.web.access import bearer_token


class Guard(CSRFProtect):
    """Asks for the token in the field ``csrf_token`` or the header ``X-CSRFToken`` (base.html gives it to htmx).

    A request with a bearer token needs none: no browser sends that by itself, and the cookie is then not looked at.
    """

    def protect(self, apply_exemptions: bool = False) -> None:
        """Raise ``CSRFError`` unless the request may act."""
        if not bearer_token():
            super().protect(apply_exemptions)


csrf = Guard()  # blueprints that check a signature instead: csrf.exempt(bp)


def once_token() -> str:
    """Return a fresh token for a form whose POST must act once (see ``idempotency``)."""
    return secrets.token_urlsafe(18)


def init_app(app: Flask) -> None:
    """Guard every POST; offer ``csrf_token() once_token()`` to templates."""
    # as long as the session: an operator's page stays open for a whole shift
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    csrf.init_app(app)
    app.jinja_env.globals |= {"csrf_token": generate_csrf, "once_token": once_token}
