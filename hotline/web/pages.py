"""Answers that pages have in common: places of the navigation, toasts, fragments, redirects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Flask, Response, flash, get_flashed_messages, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from hotline.web.access import actor
from hotline.web.words import N_
from hotline.work_orders.releasing import words_for


@dataclass(frozen=True, slots=True)
class Place:
    """One part of the house in the navigation, and who may open it."""

    href: str
    word: str
    icon: str
    roles: frozenset[str]


PLACES: Final = (
    Place("/desk", N_("受话台"), "headset", frozenset({"OPR"})),
    Place("/portal", N_("承办"), "inbox", frozenset({"U2", "U2L", "U3", "U3L"})),
    Place("/duty", N_("回访"), "telephone-outbound", frozenset({"CBK", "SUP"})),
    Place("/knowledge", N_("知识"), "book", frozenset({"KBE", "SUP"})),
    Place(
        "/office",
        N_("中心"),
        "columns-gap",
        frozenset({"REV", "SUP", "ADM", "KBE", "LDR", "OBS", "AUD", "SEC", "ADJ", "DTY"}),
    ),
)
# where a person works; whoever has several places starts at the first one named here
HOMES: Final = {"SUP": "/office"}


def places_of(role: str) -> list[Place]:
    """Return the places the role can open."""
    return [place for place in PLACES if role in place.roles]


def home_of(role: str) -> str:
    """Return where the role lands after log-in."""
    places = places_of(role)
    return HOMES.get(role) or (places[0].href if places else "/password")


def toast(text: str, *, tone: str = "done", undo: str | None = None) -> None:
    """Say something on the next page or fragment: eight seconds, with 撤销 when ``undo`` is a URL that takes a POST."""
    flash({"text": text, "tone": tone, "undo": undo})  # type: ignore[arg-type]  # the session keeps it as JSON


def fragment(template: str, /, **values: Any) -> Response:
    """Render a part of a page for htmx, with the toasts that wait."""
    return make_response(render_template(template, **values) + toasts_aside())


def toasts_aside() -> str:
    """Return the waiting toasts as out-of-band swaps, to append to any htmx answer."""
    return render_template("web/toasts.html", toasts=get_flashed_messages())


def go(href: str) -> AnyResponse:
    """Send the browser to ``href`` after a POST; a whole page also when htmx asked."""
    if is_htmx():
        answer = make_response("", 204)
        answer.headers["HX-Redirect"] = href
        return answer
    return redirect(href, 303)


def is_htmx() -> bool:
    """Whether htmx asks for a fragment."""
    return request.headers.get("HX-Request") == "true"


def local_path(target: str | None) -> str | None:
    """Return ``target`` when it is a path of this site, else None: a log-in link must not lead elsewhere."""
    if not target or not target.startswith("/") or "\\" in target:
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc or target.startswith("//") else target


def home_url() -> str:
    """Return where whoever asks works; the log-in for nobody."""
    someone = actor()
    return home_of(someone.role) if someone else "/login"


def nav_places() -> list[Place]:
    """Return the places whoever asks can open."""
    someone = actor()
    return places_of(someone.role) if someone else []


def init_app(app: Flask) -> None:
    """Offer ``nav_places() home_url() waiting_toasts() actor()`` to templates.

    And ``words_of(order)``: a demand as whoever asks may read it.
    """
    app.jinja_env.globals |= {
        "actor": actor,
        "home_url": home_url,
        "nav_places": nav_places,
        "waiting_toasts": get_flashed_messages,
        "words_of": lambda order: words_for(order, actor()),
    }
