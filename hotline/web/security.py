"""Headers every answer carries. Scripts and styles come from this site only, none inside a page."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, request

POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",  # the kit's arrows and ticks are data:, a photo before it is sent is blob:
        "media-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

ALWAYS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), microphone=(self), camera=(self)",
}


def init_app(app: Flask, *, https: bool) -> None:
    """Set the headers on every answer; ``https`` adds strict transport security."""

    always = dict(ALWAYS)
    if https:
        always["Strict-Transport-Security"] = "max-age=31536000"
    # pages show personal data: nothing of them stays in a shared computer's cache
    private = always | {"Cache-Control": "no-store"}

    @app.after_request
    def set_headers(response: Response) -> Response:
        if response.mimetype == "text/xml":  # TwiML: no browser ever reads it
            return response
        present = {name.lower() for name, _ in response.headers}
        for name, value in (always if request.endpoint == "static" else private).items():
            if name.lower() not in present:  # one look for all: asking the headers for each walks them each time
                response.headers.add(name, value)
        return response
