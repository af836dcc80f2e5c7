"""Is it really the unit's system that asks? Every request is signed with the secret of one of the unit's keys.

``X-Hotline-Signature``: hex HMAC-SHA256 of four lines: the method, the path with its query as sent, ``X-Hotline-Time``
(seconds since 1970) and the hex SHA-256 of the body.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from flask import Request
from sqlalchemy.orm import Session
from werkzeug.exceptions import Unauthorized

from hotline.accounts.service import Actor
from hotline.units import keys

log = logging.getLogger(__name__)

KEY: Final = "X-Hotline-Key"
TIME: Final = "X-Hotline-Time"
SIGNATURE: Final = "X-Hotline-Signature"
APART: Final = timedelta(minutes=5)  # how far the two clocks may be apart
LONGEST_TIME: Final = 11  # digits, until the year 5138
PATH_SAFE: Final = "/:@!$&'()*+,;=~"
NOBODYS: Final = secrets.token_urlsafe(32)  # checked against when the key is unknown: the answer takes as long


def signature(secret: str, method: str, path: str, time: str, body: bytes) -> str:
    """Return what a request of this method, path (with query) and body, made at ``time``, is signed with."""
    words = "\n".join((method, path, time, hashlib.sha256(body).hexdigest()))
    return hmac.new(secret.encode(), words.encode(), hashlib.sha256).hexdigest()


def signer(session: Session, request: Request, now: datetime) -> Actor:
    """Return who has signed the request. Raises ``Unauthorized`` without telling why; the log does."""
    key_id, time = request.headers.get(KEY, ""), request.headers.get(TIME, "")
    held = keys.holder_of(session, key_id) if key_id else None
    secret, actor = held or (NOBODYS, None)
    right = signature(secret, request.method, _path(request), time, request.get_data())
    told = request.headers.get(SIGNATURE, "")
    if not hmac.compare_digest(right.encode(), told.encode()):
        why = "wrong signature" if held else "no such key"
    elif not _is_near(time, now):
        why = "time is off"
    elif actor is not None:
        return actor
    else:
        why = "no such key"
    log.warning("refused %s of %r: %s", request.path, key_id[:20], why)
    raise Unauthorized


def _path(request: Request) -> str:
    query = request.query_string.decode("latin-1")
    return quote(request.path, safe=PATH_SAFE) + (f"?{query}" if query else "")


def _is_near(time: str, now: datetime) -> bool:
    if not (time.isascii() and time.isdigit() and len(time) <= LONGEST_TIME):
        return False
    return abs(now.timestamp() - int(time)) <= APART.total_seconds()
