"""Citizens on the city's site: published answers to read and to search, as pages, as a feed and for programs.

Nobody logs in here. Only what ``knowledge_base.published.on_site`` lets through is ever shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeVar, cast
from urllib.parse import urljoin

from flask import Blueprint, Response, current_app, jsonify, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline import __version__
from hotline.db import reading
from hotline.errors import Invalid, NotFound
from hotline.knowledge_base import answers, published
from hotline.knowledge_base.finding import Found, find
from hotline.knowledge_base.models import Entry
from hotline.knowledge_base.published import State
from hotline.knowledge_base.states import EntryState
from hotline.units import queries as units
from hotline.web import citizens, pages, public_openapi
from hotline.web.access import public
from hotline.web.auth import limiter
from hotline.web.context import runtime
from hotline.work_orders.clock import start_of_local_day
from hotline.work_orders.proposal import AREA_DIGITS, place_name

bp = Blueprint("public", __name__)
answers_bp = Blueprint("answers", __name__, url_prefix=citizens.PAGES)
api_bp = Blueprint("api", __name__, url_prefix=citizens.API)
# people behind one address of a carrier, or the server of the city's site
limiter.limit("1200 per minute")(answers_bp)
limiter.limit("1200 per minute")(api_bp)

PER_PAGE: Final = 20
MOST_PER_PAGE: Final = 100
SHOWN: Final = 10
MOST_FOUND: Final = 50
LONGEST: Final = 200  # characters of a search
LAST_PAGE: Final = 100_000
ASKED_FOR: Final = timedelta(days=90)
FEED: Final = 50
SUMMARY: Final = 120  # characters
SITEMAP: Final = 50_000  # as many as a sitemap may have
CROSS_ORIGIN: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Expose-Headers": "ETag, Last-Modified",
    "Access-Control-Max-Age": "86400",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
UNWRITABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0

T = TypeVar("T")


# ---- what a request leans on


@dataclass(frozen=True, slots=True)
class Places:
    """Names of the areas an entry may be limited to, and the counties to choose from."""

    names: Mapping[str, str]
    counties: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: the state of what is shown, on which day, and where it shall hold (empty: anywhere)."""

    session: Session
    state: State
    today: date
    area: str
    places: Places

    def remembered(self, key: str, make: Callable[[], T]) -> T:
        """Return what ``make`` works out, once for each state, day and area. It must hold no rows of the session."""
        now = (self.state.seq, self.today)
        kept = current_app.extensions.get("public_answers")
        if kept is None or kept[0] != now:
            kept = current_app.extensions["public_answers"] = (now, {})
        known: dict[tuple[str, str], object] = kept[1]
        if (key, self.area) not in known:
            known[key, self.area] = make()
        return cast("T", known[key, self.area])


def _answered(make: Callable[[Asked], ResponseReturnValue], *, hourly: bool = False) -> Response:
    """Answer by what was published at present. ``hourly``: it tells figures, which are counted up to the last hour."""
    run = runtime()
    today, hour = run.today(), _hour()
    with reading(run.sessions) as session:
        state = published.state_of(session)
        # at midnight entries begin to hold and cease to
        changed_at = max(state.at, start_of_local_day(run.now(), run.settings.tz))
        tag = f"{state.seq}-{today:%Y%m%d}-{__version__}"
        if hourly:
            changed_at, tag = max(changed_at, hour), f"{tag}-{hour:%H}"

        def answer() -> Response:
            asked = Asked(session, state, today, "", Places({}, ()))
            places = asked.remembered("places", lambda: _places(session))
            return make_response(make(Asked(session, state, today, _area(places), places)))

        return citizens.kept_until_changed(answer, state=tag, changed_at=changed_at)


def _hour() -> datetime:
    return runtime().now().replace(minute=0, second=0, microsecond=0)


def _places(session: Session) -> Places:
    found = [unit for unit in units.active_units(session) if unit.area_code]
    names = {unit.area_code: place_name(unit) for unit in found}
    return Places(names, tuple((code, names[code]) for code in sorted(names) if len(code) == AREA_DIGITS))


def _area(places: Places) -> str:
    area = request.args.get("area", "")
    if area and area not in places.names:
        raise Invalid("没有这个区划", area="没有这个区划")
    return area


def _number(name: str, default: int, most: int) -> int:
    typed = request.args.get(name) or str(default)
    if typed.isascii() and typed.isdigit() and len(typed) < 7 and 1 <= int(typed) <= most:
        return int(typed)
    raise Invalid(f"{name} 应在 1 到 {most} 之间", **{name: f"1 到 {most}"})


def _words() -> str:
    """What is searched for; of anything too long its beginning."""
    return " ".join(request.args.get("q", "")[:LONGEST].split())


def _found(asked: Asked, words: str, limit: int) -> list[Found]:
    if not words:
        return []
    run = runtime()
    return find(
        asked.session,
        words,
        index=run.knowledge,
        initials=run.initials,
        limit=limit,
        on=asked.today,
        area=asked.area,
        for_site=True,
    )


def _categories(asked: Asked) -> list[tuple[str, int]]:
    return asked.remembered("categories", lambda: published.categories(asked.session, on=asked.today, area=asked.area))


def _entry(asked: Asked, code: str) -> Entry:
    found = published.by_code(asked.session, code, on=asked.today) if "\0" not in code else None
    if found is None:
        raise NotFound("没有这条问答，或者它已经停用")
    return found


def _page(template: str, asked: Asked, **values: Any) -> str:
    return render_template(
        template,
        **{"area": asked.area, "counties": asked.places.counties, "places": asked.places.names, "q": ""} | values,
    )


# ---- pages


@answers_bp.get("")
@public
def home() -> ResponseReturnValue:
    """Where to search and what there is."""

    def make(asked: Asked) -> str:
        hour = _hour()
        often = published.most_asked(
            asked.session, on=asked.today, area=asked.area, since=hour - ASKED_FOR, until=hour, limit=SHOWN
        )
        return _page("public/home.html", asked, categories=_categories(asked), often=often)

    return _answered(make, hourly=True)


@answers_bp.get("/search")
@public
def search() -> ResponseReturnValue:
    """What fits ``?q=``; to htmx only the list, while somebody types."""

    def make(asked: Asked) -> str:
        words = _words()
        template = "public/_found.html" if pages.is_htmx() else "public/search.html"
        return _page(template, asked, q=words, found=_found(asked, words, SHOWN))

    return _answered(make)


@answers_bp.get("/category")
@public
def category() -> ResponseReturnValue:
    """The entries of one category (``?name=``), a page at a time."""

    def make(asked: Asked) -> str:
        name, number = request.args.get("name", ""), _number("page", 1, LAST_PAGE)
        total = dict(_categories(asked)).get(name)
        if total is None:
            raise NotFound("没有这一类问答")
        entries = published.page(
            asked.session, on=asked.today, area=asked.area, category=name, number=number, size=PER_PAGE
        )
        return _page(
            "public/category.html", asked, name=name, total=total, entries=entries, number=number, size=PER_PAGE
        )

    return _answered(make)


@answers_bp.get("/entry/<path:code>")
@public
def entry(code: str) -> ResponseReturnValue:
    """One question with its answer."""

    def make(asked: Asked) -> str:
        found = _entry(asked, code)
        return _page("public/entry.html", asked, entry=found, unit=_owner(asked, found))

    return _answered(make)


def _owner(asked: Asked, found: Entry) -> str:
    names = asked.remembered("units", lambda: {one.id: one.name for one in units.active_units(asked.session)})
    return names.get(found.owner_unit_id or 0, "")


@answers_bp.get("/feed.atom")
@public
def feed() -> ResponseReturnValue:
    """What changed last, as an Atom feed; what was withdrawn leaves a mark."""

    def make(asked: Asked) -> Response:
        entries = published.changes(asked.session, on=asked.today, limit=FEED)
        shown = [(one, one.state == EntryState.PUBLISHED) for one in entries]
        return _xml("public/feed.xml", "application/atom+xml", entries=shown, updated=asked.state.at)

    return _answered(make)


@answers_bp.get("/sitemap.xml")
@public
def sitemap() -> ResponseReturnValue:
    """Every page of an entry, for search engines."""
    return _answered(
        lambda asked: _xml(
            "public/sitemap.xml",
            "application/xml",
            entries=published.codes(asked.session, on=asked.today, limit=SITEMAP),
        )
    )


def _xml(template: str, kind: str, **values: Any) -> Response:
    text = render_template(template, absolute=_absolute, summary=_summary, html=answers.html, **values)
    return Response(UNWRITABLE.sub("", text), content_type=f"{kind}; charset=utf-8")


def _absolute(endpoint: str, **values: Any) -> str:
    return urljoin(runtime().settings.public_url, url_for(endpoint, **values))


@bp.get(citizens.ROBOTS)
@public
def robots() -> ResponseReturnValue:
    """Search engines may read the answers and nothing else."""
    lines = (
        "User-agent: *",
        f"Allow: {citizens.PAGES}",
        "Allow: /static/",
        "Disallow: /",
        f"Sitemap: {_absolute('public.answers.sitemap')}",
    )
    answer = Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
    answer.headers["Cache-Control"] = "public, max-age=86400"
    return answer


# ---- programs


@api_bp.after_request
def let_any_site_ask(answer: Response) -> Response:
    """Scripts of other sites may read this; they send no cookie, and none would be looked at."""
    answer.headers.update(CROSS_ORIGIN)
    return answer


@api_bp.get("/entries")
@public
def get_entries() -> ResponseReturnValue:
    """Entries in short, the last changed first: ``?category= &area= &page= &size=``."""

    def make(asked: Asked) -> Response:
        name, number = request.args.get("category"), _number("page", 1, LAST_PAGE)
        size = _number("size", PER_PAGE, MOST_PER_PAGE)
        counts = dict(_categories(asked))
        total = sum(counts.values()) if name is None else counts.get(name, 0)
        rows = published.page(asked.session, on=asked.today, area=asked.area, category=name, number=number, size=size)
        return jsonify(total=total, page=number, size=size, entries=[_brief(asked, one) for one in rows])

    return _answered(make)


@api_bp.get("/entries/<path:code>")
@public
def get_entry(code: str) -> ResponseReturnValue:
    """One entry in full."""
    return _answered(lambda asked: jsonify(_full(asked, _entry(asked, code))))


@api_bp.get("/search")
@public
def get_search() -> ResponseReturnValue:
    """Entries that fit ``?q=``, best first, at most ``?limit=`` (10)."""

    def make(asked: Asked) -> Response:
        found = _found(asked, _words(), _number("limit", SHOWN, MOST_FOUND))
        return jsonify(
            entries=[
                _brief(asked, one.entry) | {"score": round(one.score, 3), "matched": list(one.matched)} for one in found
            ]
        )

    return _answered(make)


@api_bp.get("/categories")
@public
def get_categories() -> ResponseReturnValue:
    """The categories with the number of their entries."""
    return _answered(
        lambda asked: jsonify(categories=[{"name": name, "entries": count} for name, count in _categories(asked)])
    )


@api_bp.get("/openapi.json")
@public
def describe() -> ResponseReturnValue:
    """The description of this API, OpenAPI 3.1."""
    return _answered(lambda _asked: jsonify(public_openapi.document()))


def _summary(one: Entry) -> str:
    """The short form of an answer, or the beginning of the long one."""
    text = one.spoken or answers.plain(one.answer).replace("\n", " ")
    return text if len(text) <= SUMMARY else f"{text[:SUMMARY]}…"


def _brief(asked: Asked, one: Entry) -> dict[str, Any]:
    return {
        "code": one.code,
        "question": one.question,
        "summary": _summary(one),
        "category": one.category,
        "areas": [
            {"code": limit.area_code, "name": asked.places.names.get(limit.area_code, "")} for limit in one.areas
        ],
        "updated_at": one.updated_at.isoformat(),
        "page": _absolute("public.answers.entry", code=one.code),
        "url": _absolute("public.api.get_entry", code=one.code),
    }


def _full(asked: Asked, one: Entry) -> dict[str, Any]:
    return _brief(asked, one) | {
        "similar": [similar.text for similar in one.similar],
        "answer": one.answer,
        "answer_html": answers.html(one.answer),
        "answer_text": answers.plain(one.answer),
        "owner": _owner(asked, one),
        "source": one.source,
        "source_url": one.source_url,
        "valid_from": one.valid_from.isoformat() if one.valid_from else None,
        "valid_to": one.valid_to.isoformat() if one.valid_to else None,
        "version": one.version,
    }


bp.register_blueprint(answers_bp)
bp.register_blueprint(api_bp)
