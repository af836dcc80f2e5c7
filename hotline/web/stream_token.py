"""The token by which a media stream says which leg's sound it carries: signed, so that nobody else can."""

from __future__ import annotations

import hashlib
import time
from functools import lru_cache
from typing import Final

from itsdangerous import BadSignature, Signer

from hotline.config import Settings
from hotline.errors import NotPermitted

PARAMETER: Final = "leg"  # name of the TwiML <Parameter> that holds it
VALID_S: Final = 6 * 3600  # longer than any wait between the TwiML and its stream


def make_token(settings: Settings, leg_id: int, issued_at: float | None = None) -> str:
    """Return the token of a leg, for ``<Parameter name="leg" value="…"/>``.

    ``issued_at`` (seconds since 1970, by default now) decides how long it is good for: the same moment gives the same
    token, so that a repeated webhook can be given the same answer without keeping it.
    """
    at = int(time.time() if issued_at is None else issued_at)
    return _signer(settings.secret_key).sign(f"{leg_id}.{at}").decode()


def leg_of(settings: Settings, token: str) -> int:
    """Return the leg id a token names. Raises ``NotPermitted`` when it was altered, is too old or is none of ours."""
    try:
        leg_id, at = map(int, _signer(settings.secret_key).unsign(token).split(b"."))
    except (BadSignature, ValueError) as fault:  # the second: signed by us, but for something else
        raise NotPermitted("the stream's token does not verify") from fault
    if time.time() - at > VALID_S:
        raise NotPermitted("the stream's token is too old")
    return leg_id


@lru_cache(maxsize=4)
def _signer(secret: str) -> Signer:
    return Signer(secret, salt="media-stream-leg", digest_method=hashlib.sha256)
