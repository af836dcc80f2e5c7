"""Knowledge editors: what operators are suggested, written by one and published by another.

Each room of the navigation stands in a file of ``web.knowledge``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, request, url_for

from hotline.web.knowledge import entries, reviews

bp = Blueprint("knowledge", __name__, url_prefix="/knowledge")
for room in (entries.bp, reviews.bp):
    bp.register_blueprint(room)


@dataclass(frozen=True, slots=True)
class Room:
    """One page of the editors' navigation."""

    endpoint: str
    word: str
    icon: str


ROOMS: Final = (
    Room("knowledge.entries.listed", "条目", "book"),
    Room("knowledge.reviews.listed", "到期复核", "calendar3"),
)


@dataclass(frozen=True, slots=True)
class OpenRoom:
    """A room as the navigation shows it."""

    href: str
    word: str
    icon: str
    on: bool
    count: int | None = None


@bp.context_processor
def offer_rooms() -> dict[str, Any]:
    """Offer ``rooms`` to this blueprint's templates: the one with the longest address that leads here is on."""
    hrefs = [url_for(room.endpoint) for room in ROOMS]
    here = max((href for href in hrefs if f"{request.path}/".startswith(f"{href}/")), key=len, default="")
    return {
        "rooms": [OpenRoom(href, room.word, room.icon, href == here) for href, room in zip(hrefs, ROOMS, strict=True)]
    }
