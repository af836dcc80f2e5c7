"""Knowledge editors: what operators are suggested, written by one and published by another.

Each room of the navigation stands in a file of ``web.knowledge``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, g, request, url_for
from sqlalchemy.orm import Session

from hotline.knowledge_base import catalogue
from hotline.knowledge_base.floor import lists as from_the_floor
from hotline.web import pages
from hotline.web.access import actor
from hotline.web.context import transaction
from hotline.web.knowledge import EDITORS, checking, editor, entries, files, floor, reviews, usage, words

bp = Blueprint("knowledge", __name__, url_prefix="/knowledge")
for room in (entries.bp, editor.bp, checking.bp, reviews.bp, floor.bp, usage.bp, files.bp, words.bp):
    bp.register_blueprint(room)


@dataclass(frozen=True, slots=True)
class Room:
    """One page of the editors' navigation. ``count``: how much waits there."""

    endpoint: str
    word: str
    icon: str
    count: Callable[[Session], int] | None = None


ROOMS: Final = (
    Room("knowledge.entries.listed", "条目", "book"),
    Room("knowledge.checking.listed", "待审核", "clipboard-check", catalogue.count_to_check),
    Room("knowledge.reviews.listed", "到期复核", "calendar3"),
    Room("knowledge.floor.listed", "来自一线", "headset", from_the_floor.count_open),
    Room("knowledge.files.start", "导入导出", "file-earmark-text"),
    Room("knowledge.words.listed", "用语", "chat-left-text"),
    Room("knowledge.usage.shown", "使用情况", "graph-up"),
)


@dataclass(frozen=True, slots=True)
class OpenRoom:
    """A room as the navigation shows it."""

    href: str
    word: str
    icon: str
    on: bool
    count: int | None = None


@bp.before_request
def count_rooms() -> None:
    """Count what waits in each room: a page shows its navigation while its own transaction is open."""
    someone = actor()
    if someone is None or someone.role not in EDITORS or pages.is_htmx():
        return
    with transaction() as session:
        g.waiting = {room.endpoint: room.count(session) for room in ROOMS if room.count}


@bp.context_processor
def offer_rooms() -> dict[str, Any]:
    """Offer ``rooms`` to this blueprint's templates: the one with the longest address that leads here is on."""
    hrefs = [url_for(room.endpoint) for room in ROOMS]
    here = max((href for href in hrefs if f"{request.path}/".startswith(f"{href}/")), key=len, default="")
    waiting: dict[str, int] = g.get("waiting", {})
    return {
        "rooms": [
            OpenRoom(href, room.word, room.icon, href == here, waiting.get(room.endpoint) or None)
            for href, room in zip(hrefs, ROOMS, strict=True)
        ]
    }
