"""Is it really the carrier who asks? Checked on every webhook and every socket, against the URL as configured.

The configured URL, not the request's: behind a proxy the request's own scheme, host and port are the proxy's.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from flask import Request
from twilio.request_validator import (
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)
from werkzeug.datastructures import Headers

from hotline.config import Settings
from hotline.errors import NotPermitted

log = logging.getLogger(__name__)

_PATH_SAFE: Final = "/:@!$&'()*+,;=~"


def check_request(settings: Settings, request: Request) -> None:
    """Raise ``NotPermitted`` unless a webhook carries the carrier's signature over its URL, query and form fields."""
    query = request.query_string.decode("latin-1")
    url = settings.public_url + quote(request.path, safe=_PATH_SAFE) + (f"?{query}" if query else "")
    # the MultiDict itself: a field sent twice is signed twice
    _check(settings, url, request.form, request.headers, request.path)


def check_socket(settings: Settings, headers: Headers, path: str) -> None:
    """Raise ``NotPermitted`` unless a handshake carries the signature over its ws/wss URL, which has no fields."""
    _check(settings, settings.media_url + path, {}, headers, path)


def _check(settings: Settings, url: str, fields: Mapping[str, str], headers: Headers, path: str) -> None:
    signature = headers.get(SIGNATURE_HEADER)  # the validator raises TypeError when there is none
    algorithm = get_signature_algorithm(headers.get(SIGNATURE_SETTINGS_HEADER))
    if signature and RequestValidator(settings.twilio_auth_token).validate(url, fields, signature, algorithm):
        return
    log.warning("refused %s: signature %s", path, "wrong" if signature else "missing")
    raise NotPermitted("来电平台签名校验未通过")
