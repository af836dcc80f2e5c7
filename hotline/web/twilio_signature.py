"""Is it really the carrier who asks? Checked on every webhook and every socket, against the URL as configured.

The configured URL, not the request's: behind a proxy the request's own scheme, host and port are the proxy's.
"""

from __future__ import annotations

import hmac
import logging
from base64 import b64encode
from typing import Final
from urllib.parse import quote

from flask import Request
from twilio.request_validator import (
    HMAC_SHA1,
    HMAC_SHA256,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)
from werkzeug.datastructures import Headers

from hotline.config import Settings
from hotline.errors import NotPermitted

log = logging.getLogger(__name__)

HASHES: Final = {HMAC_SHA1: "sha1", HMAC_SHA256: "sha256"}
_PATH_SAFE: Final = "/:@!$&'()*+,;=~"


def check_request(settings: Settings, request: Request) -> None:
    """Raise ``NotPermitted`` unless a webhook carries the carrier's signature over its URL, query and form fields."""
    query = request.query_string.decode("latin-1")
    url = settings.public_url + quote(request.path, safe=_PATH_SAFE) + (f"?{query}" if query else "")
    _check(settings, url, _Fields(request.form.lists()), request.headers, request.path)


class _Fields(dict[str, list[str]]):
    """Every value of every field, since a field sent twice is signed twice; in the shape the library tries first."""

    def getall(self, name: str) -> list[str]:
        """Return the values of one field."""
        return self[name]


def check_socket(settings: Settings, headers: Headers, path: str) -> None:
    """Raise ``NotPermitted`` unless a handshake carries the signature over its ws/wss URL, which has no fields."""
    _check(settings, settings.media_url + path, _Fields(), headers, path)


def _check(settings: Settings, url: str, fields: _Fields, headers: Headers, path: str) -> None:
    signature = headers.get(SIGNATURE_HEADER)  # the validator raises TypeError when there is none
    algorithm = get_signature_algorithm(headers.get(SIGNATURE_SETTINGS_HEADER))
    if signature and _genuine(settings.twilio_auth_token, url, fields, signature, algorithm):
        return
    log.warning("refused %s: signature %s", path, "wrong" if signature else "missing")
    raise NotPermitted("来电平台签名校验未通过")


def _genuine(auth_token: str, url: str, fields: _Fields, signature: str, algorithm: str) -> bool:
    """Whether the signature fits. Nearly always it is over the URL as it stands: that is tried first, by hand, because
    the library, which has the last word, tries it with and without the port and takes five times as long."""
    hashed = HASHES.get(algorithm.upper())
    if hashed is not None:
        signed = url + "".join([name + value for name in sorted(fields) for value in sorted(set(fields[name]))])
        right = b64encode(hmac.digest(auth_token.encode(), signed.encode(), hashed))
        if hmac.compare_digest(right, signature.encode("utf-8", "surrogateescape")):
            return True
    return bool(RequestValidator(auth_token).validate(url, fields, signature, algorithm))
