"""The telephone page: a browser stands in for a citizen's handset."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from .switchboard import Switchboard

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self' {line}",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
CALLERS = ("+8619900001234", "+8619900005678", "+8619900002468", "anonymous")
"""Invented numbers to call from."""


def routes(board: Switchboard) -> Blueprint:
    """`/` and its static files."""
    page = Blueprint("phone", __name__, static_folder="static", static_url_path="/static", template_folder="templates")

    @page.get("/")
    def telephone() -> str:
        return render_template(
            "phone.html",
            numbers=list(board.numbers),
            callers=CALLERS,
            recordings=board.recordings.listing(board.settings.callers_dir),
            notice=board.settings.notice,
        )

    @page.after_request
    def strict(answer: Response) -> Response:
        # Some browsers do not count a socket of the same address as 'self'.
        line = f"ws://{request.host.rpartition(':')[0]}:{request.environ['SERVER_PORT']}"
        answer.headers["Content-Security-Policy"] = POLICY.format(line=line)
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "no-referrer"
        return answer

    return page
