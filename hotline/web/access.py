"""Who is asking, and which route admits whom. Every view says so; an architecture test reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, TypeVar

from flask import Flask, g, request
from flask_login import current_user
from werkzeug.exceptions import Unauthorized

from hotline.accounts.roles import Role
from hotline.accounts.service import Actor, actor_of, user_of_token
from hotline.errors import NotPermitted
from hotline.web.context import runtime, transaction

View = TypeVar("View", bound=Callable[..., Any])

PUBLIC: Final = "public"
ANY: Final = frozenset(Role.__members__)


@dataclass(frozen=True, slots=True)
class Visitor:
    """A logged-in member of staff, as Flask-Login knows one."""

    actor: Actor
    session_version: int
    username: str
    seat: str
    must_set_password: bool = False  # logged in with a code given once: sets a password before anything else
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        """What the cookie holds: a raised session version makes it worthless."""
        return f"{self.actor.user_id}.{self.session_version}"


def visitor() -> Visitor | None:
    """Return who logged in with a browser, or None."""
    return current_user._get_current_object() if current_user.is_authenticated else None


def actor() -> Actor | None:
    """Return who asks: by bearer token if one is sent (the cookie is then not looked at), else by log-in, else None.

    A door that has found out by itself says so with ``let_in``. Raises ``NotPermitted`` for a token that is unknown or
    revoked.
    """
    if "let_in" in g:
        known: Actor = g.let_in
        return known
    token = bearer_token()
    if token is None:
        someone = visitor()
        return someone.actor if someone else None
    if "token_actor" not in g:
        with transaction() as session:
            g.token_actor = actor_of(user_of_token(session, token))
    found: Actor = g.token_actor
    return found


def let_in(someone: Actor) -> None:
    """Take this one for whoever asks, in this request: its door has checked a signature. No token or cookie counts."""
    g.let_in = someone


def the_actor() -> Actor:
    """Return who asks, inside a view that names roles."""
    someone = actor()
    if someone is None:
        raise Unauthorized
    return someone


def when() -> dict[str, Any]:
    """Who acts, and when, as every verb asks: ``actor now``."""
    return {"actor": the_actor(), "now": runtime().now()}


def bearer_token() -> str | None:
    """Return the token of ``Authorization: Bearer``, or None. A browser never sends one by itself."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" and token.strip() else None


def roles(*allowed: str) -> Callable[[View], View]:
    """Admit these roles only; without any, everyone who is logged in.

    Nobody: 401 (a page leads to the log-in and back). Another role: 403.
    """
    admitted = frozenset(allowed) or ANY
    if unknown := admitted - ANY:
        raise ValueError(f"no such role: {', '.join(sorted(unknown))}")

    def mark(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if the_actor().role not in admitted:
                raise NotPermitted("您的岗位不能打开这里")
            return view(*args, **kwargs)

        guarded.access = admitted  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return mark


def public(view: View) -> View:
    """Say that anyone may ask: log-in, health, or what checks its own signature."""
    view.access = PUBLIC  # type: ignore[attr-defined]
    return view


def undeclared(app: Flask) -> list[str]:
    """Return the routes that say neither a role nor ``public``, as ``rule (endpoint)``. Must be empty."""
    return sorted(
        f"{rule.rule} ({rule.endpoint})"
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and not hasattr(app.view_functions[rule.endpoint], "access")
    )
