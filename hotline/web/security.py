"""Headers every answer carries. Scripts and styles come from this site only, none inside a page."""

from __future__ import annotations

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


def init_app(app: Flask, *, https: bool) -> None:
    """Set the headers on every answer; ``https`` adds strict transport security."""

    @app.after_request
    def set_headers(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", POLICY)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "geolocation=(self), microphone=(self), camera=(self)")
        if https:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if request.endpoint != "static":
            # pages show personal data: nothing of them stays in a shared computer's cache
            headers.setdefault("Cache-Control", "no-store")
        return response
