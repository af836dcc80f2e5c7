"""Access tokens of headsets: who may be called as `client:NAME` in a browser, signed by the application."""

from __future__ import annotations

import jwt

from .ids import CLIENT

KIND = "twilio-fpa;v=1"


class TokenError(ValueError):
    """A token that is no ticket to this exchange; the text is in Chinese, for the person at the telephone."""


def address_of(token: str, *, account_sid: str, api_key_sid: str, api_key_secret: str) -> str:
    """The address a token speaks for, `client:IDENTITY`. Raises TokenError: expired, forged, for another account, or
    without leave to be called."""
    if not api_key_secret:
        raise TokenError("交换机没有配置耳机密钥")
    try:
        if jwt.get_unverified_header(token).get("cty") != KIND:
            raise TokenError("令牌种类不对")
        claims = jwt.decode(
            token, api_key_secret, algorithms=["HS256"], issuer=api_key_sid, subject=account_sid,
            options={"require": ["exp", "iss", "sub"]},
        )  # fmt: skip
    except jwt.ExpiredSignatureError as fault:
        raise TokenError("令牌已过期，请刷新页面") from fault
    except jwt.InvalidTokenError as fault:
        raise TokenError("令牌无效") from fault
    grants = claims.get("grants")
    grants = grants if isinstance(grants, dict) else {}
    voice = grants.get("voice")
    incoming = voice.get("incoming") if isinstance(voice, dict) else None
    if not isinstance(incoming, dict) or incoming.get("allow") is not True:
        raise TokenError("令牌不允许接听")
    identity = grants.get("identity")
    address = f"client:{identity}"
    if not isinstance(identity, str) or not CLIENT.match(address):
        raise TokenError("令牌里没有坐席")
    return address
