"""Headers every answer carries. Scripts and styles come from this site only, none inside a page."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, request

from hotline.config import Settings

POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",  # the kit's arrows and ticks are data:, a photo before it is sent is blob:
        "media-src 'self' blob:",
        "worker-src 'self'",  # keeps the units' empty form for where there is no network
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

# what the carrier's browser library signals to and reports to (its sounds, from a third host, are not allowed)
TWILIO_SOURCES: Final = "wss://voice-js.roaming.twilio.com https://eventgw.twilio.com"
SEATED: Final = ("desk.", "duty.")  # blueprints whose pages may have a headset


def headset_sources(settings: Settings) -> str:
    """Where the headset of a seat may connect to besides this site; empty: browsers are no telephones here."""
    if not (settings.twilio_api_key and settings.twilio_api_secret):
        return ""
    if not settings.headset_url:
        return TWILIO_SOURCES
    parts = urlsplit(settings.headset_url)
    return f"{parts.scheme}://{parts.netloc}"


def init_app(app: Flask, settings: Settings) -> None:
    """Set the headers on every answer. Where the public URL is https they ask for strict transport security; pages
    with a headset may also connect to where it speaks."""

    always = dict(ALWAYS)
    if settings.secure_cookies:
        always["Strict-Transport-Security"] = "max-age=31536000"
    # pages show personal data: nothing of them stays in a shared computer's cache
    private = always | {"Cache-Control": "no-store"}
    sources = headset_sources(settings)
    seated = private | ({"Content-Security-Policy": f"{POLICY}; connect-src 'self' {sources}"} if sources else {})

    def headers_of(endpoint: str) -> dict[str, str]:
        if endpoint == "static":
            return always
        return seated if endpoint.startswith(SEATED) else private

    @app.after_request
    def set_headers(response: Response) -> Response:
        if response.mimetype == "text/xml":  # TwiML: no browser ever reads it
            return response
        present = {name.lower() for name, _ in response.headers}
        for name, value in headers_of(request.endpoint or "").items():
            if name.lower() not in present:  # one look for all: asking the headers for each walks them each time
                response.headers.add(name, value)
        return response
