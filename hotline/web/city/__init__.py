"""The pages with which a city makes the system its own: one set of pages for every kind of its data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from hotline.web import pages
from hotline.web.access import roles
from hotline.web.city import days, imports, lists, people, texts, unit_keys
from hotline.web.city.kinds import Kind
from hotline.web.city.lines import Numbers, Profiles
from hotline.web.city.lists import Assets, Categories, Places, Responsibility
from hotline.web.city.people import Users
from hotline.web.city.setup import bp as setup
from hotline.web.city.units import Units
from hotline.web.city.views import KEEPERS, add_pages

KINDS: Final[tuple[Kind[Any], ...]] = (
    Units(),
    Users(),
    Categories(),
    Responsibility(),
    Places(),
    Assets(),
    Numbers(),
    Profiles(),
)

bp = Blueprint("city", __name__, url_prefix="/city")
for part in (setup, imports.bp, people.bp, lists.bp, days.bp, texts.bp, unit_keys.bp):
    bp.register_blueprint(part)
for one in KINDS:
    add_pages(bp, one)


@dataclass(frozen=True, slots=True)
class Page:
    """One page in the navigation."""

    href: str
    word: str
    icon: str
    on: bool


@dataclass(frozen=True, slots=True)
class Part:
    """Pages that belong together."""

    word: str
    pages: list[Page]


PARTS: Final = (
    ("开始", ("setup",)),
    ("谁来办", ("units", "users", "categories", "responsibility")),
    ("听得懂、接得通", ("gazetteer", "assets", "numbers")),
    ("时限与告知", ("profiles", "calendar", "texts")),
)
OWN_PAGES: Final = {
    "setup": ("office.city.setup.checks", "开通检查", "check-lg"),
    "calendar": ("office.city.days.month", "工作日历", "calendar3"),
    "texts": ("office.city.texts.listed", "短信内容", "chat-left-text"),
}


@bp.get("")
@roles(*KEEPERS)
def home() -> ResponseReturnValue:
    """Begin with what is still missing."""
    return pages.go(url_for("office.city.setup.checks"))


@bp.context_processor
def offer_navigation() -> dict[str, Any]:
    """Offer ``city_nav`` and ``back_to`` to this blueprint's templates."""
    kinds = {kind.key: (f"office.city.{kind.key}_listed", kind.word, kind.icon) for kind in KINDS} | OWN_PAGES

    def page(key: str) -> Page:
        endpoint, word, icon = kinds[key]
        href = url_for(endpoint)
        here = request.path
        imported = here.startswith(f"{url_for('office.city.home')}/import/{key}")
        return Page(href, word, icon, on=here == href or here.startswith(f"{href}/") or imported)

    return {
        "city_nav": [Part(word, [page(key) for key in keys]) for word, keys in PARTS],
        "back_to": lambda key: url_for(kinds[key][0]),
    }
