"""The token by which a media stream says which leg's sound it carries: signed, so that nobody else can."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Final

from itsdangerous import BadSignature, URLSafeSerializer

from hotline.config import Settings
from hotline.errors import NotPermitted

PARAMETER: Final = "leg"  # name of the TwiML <Parameter> that holds it
VALID_S: Final = 6 * 3600  # longer than any wait between the TwiML and its stream


def make_token(settings: Settings, leg_id: int, issued_at: float | None = None) -> str:
    """Return the token of a leg, for ``<Parameter name="leg" value="…"/>``.

    ``issued_at`` (seconds since 1970, by default now) decides how long it is good for: the same moment gives the same
    token, so that a repeated webhook can be given the same answer without keeping it.
    """
    return str(_serializer(settings.secret_key).dumps([leg_id, int(time.time() if issued_at is None else issued_at)]))


def leg_of(settings: Settings, token: str) -> int:
    """Return the leg id a token names. Raises ``NotPermitted`` when it was altered, is too old or is none of ours."""
    try:
        found = _serializer(settings.secret_key).loads(token)
    except BadSignature as fault:
        raise NotPermitted("the stream's token does not verify") from fault
    match found:
        case [int(leg_id), int(issued_at)] if time.time() - issued_at <= VALID_S:
            return leg_id
    raise NotPermitted("the stream's token names no leg, or is too old")


@lru_cache(maxsize=4)
def _serializer(secret: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt="media-stream-leg")
