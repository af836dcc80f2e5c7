"""The token by which a media stream says which leg's sound it carries: signed, so that nobody else can."""

from __future__ import annotations

from typing import Final

from itsdangerous import BadSignature, URLSafeTimedSerializer

from hotline.config import Settings
from hotline.errors import NotPermitted

PARAMETER: Final = "leg"  # name of the TwiML <Parameter> that holds it
VALID_S: Final = 6 * 3600  # longer than any wait between the TwiML and its stream


def make_token(settings: Settings, leg_id: int) -> str:
    """Return the token of a leg, for ``<Parameter name="leg" value="…"/>``."""
    return str(_serializer(settings).dumps(leg_id))


def leg_of(settings: Settings, token: str) -> int:
    """Return the leg id a token names. Raises ``NotPermitted`` when it was altered, is too old or is none of ours."""
    try:
        leg_id = _serializer(settings).loads(token, max_age=VALID_S)
    except BadSignature as fault:
        raise NotPermitted("the stream's token does not verify") from fault
    if not isinstance(leg_id, int):
        raise NotPermitted("the stream's token names no leg")
    return leg_id


def _serializer(settings: Settings) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings.secret_key, salt="media-stream-leg")
