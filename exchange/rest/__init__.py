"""The part of the provider's REST API the exchange answers, at the provider's paths, with its errors."""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, g, request

from ..leg import API_VERSION
from ..switchboard import Switchboard
from . import calls, conferences, messages
from .errors import RestError, not_found


def routes(board: Switchboard) -> Blueprint:
    """Everything below `/2010-04-01/Accounts/{sid}`, behind the account's identifier and token."""
    settings = board.settings
    account = Blueprint("rest", __name__, url_prefix=f"/{API_VERSION}/Accounts/<account_sid>")

    @account.url_value_preprocessor
    def take_account(endpoint: str | None, values: dict[str, str] | None) -> None:
        g.account_sid = values.pop("account_sid", None) if values is not None else None

    @account.before_request
    def authenticate() -> None:
        given = request.authorization
        wanted = settings.account_sid, settings.auth_token
        offered = (given.username or "", given.password or "") if given else ("", "")
        if not all(
            hmac.compare_digest(one.encode(), other.encode()) for one, other in zip(offered, wanted, strict=True)
        ):
            raise RestError(401, 20003, "Authenticate")
        if g.account_sid != settings.account_sid:
            raise not_found(request.path)

    @account.errorhandler(RestError)
    def refuse(fault: RestError) -> Response:
        return fault.response()

    for resource in (calls, conferences, messages):
        account.register_blueprint(resource.routes(board))
    return account
