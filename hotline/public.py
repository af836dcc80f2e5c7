"""Citizens on the city's site: published answers to read and to search, as pages, as a feed and for programs.

Nobody logs in here. Only what ``knowledge_base.published.on_site`` lets through is ever shown.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from hotline.errors import NotFound
from hotline.knowledge_base import answers, published
from hotline.knowledge_base.states import EntryState
from hotline.web import answers_api, citizens, pages
from hotline.web.access import public
from hotline.web.answers_site import (
    LAST_PAGE,
    SHOWN,
    Asked,
    absolute,
    answered,
    categories,
    entry_of,
    files_of,
    hits_for,
    number_asked,
    owner_of,
    summary,
    this_hour,
    words_asked,
)
from hotline.web.auth import limiter
from hotline.web.sheets import attached

bp = Blueprint("public", __name__)
answers_bp = Blueprint("answers", __name__, url_prefix=citizens.PAGES)
limiter.limit(citizens.OFTEN)(answers_bp)

PER_PAGE: Final = 20
ASKED_FOR: Final = timedelta(days=90)
FEED: Final = 50
SITEMAP: Final = 50_000  # as many as a sitemap may have
UNWRITABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0


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
        hour = this_hour()
        often = published.most_asked(
            asked.session, on=asked.today, area=asked.area, since=hour - ASKED_FOR, until=hour, limit=SHOWN
        )
        return _page("public/home.html", asked, categories=categories(asked), often=often)

    return answered(make, hourly=True)


@answers_bp.get("/search")
@public
def search() -> ResponseReturnValue:
    """What fits ``?q=``; to htmx only the list, while somebody types."""

    def make(asked: Asked) -> str:
        words = words_asked()
        template = "public/_found.html" if pages.is_htmx() else "public/search.html"
        return _page(template, asked, q=words, found=hits_for(asked, words, SHOWN))

    return answered(make)


@answers_bp.get("/category")
@public
def category() -> ResponseReturnValue:
    """The entries of one category (``?name=``), a page at a time."""

    def make(asked: Asked) -> str:
        name, number = request.args.get("name", ""), number_asked("page", 1, LAST_PAGE)
        total = dict(categories(asked)).get(name)
        if total is None:
            raise NotFound("没有这一类问答")
        entries = published.page(
            asked.session, on=asked.today, area=asked.area, category=name, number=number, size=PER_PAGE
        )
        return _page(
            "public/category.html", asked, name=name, total=total, entries=entries, number=number, size=PER_PAGE
        )

    return answered(make)


@answers_bp.get("/entry/<path:code>")
@public
def entry(code: str) -> ResponseReturnValue:
    """One question with its answer."""

    def make(asked: Asked) -> str:
        found = entry_of(asked, code)
        return _page("public/entry.html", asked, entry=found, unit=owner_of(asked, found), files=files_of(asked, found))

    return answered(make)


@answers_bp.get("/files/<int:file_id>/<path:code>")
@public
def file(file_id: int, code: str) -> ResponseReturnValue:
    """A file that goes with an answer, to keep."""

    def make(asked: Asked) -> Response:
        for one in files_of(asked, entry_of(asked, code)):
            if one.id == file_id:
                return attached(one.name, one.body, one.mime)
        raise NotFound("没有这个附件")

    return answered(make)


@answers_bp.get("/feed.atom")
@public
def feed() -> ResponseReturnValue:
    """What changed last, as an Atom feed; what was withdrawn leaves a mark."""

    def make(asked: Asked) -> Response:
        entries = published.changes(asked.session, on=asked.today, limit=FEED)
        shown = [(one, one.state == EntryState.PUBLISHED) for one in entries]
        return _xml("public/feed.xml", "application/atom+xml", entries=shown, updated=asked.state.at)

    return answered(make)


@answers_bp.get("/sitemap.xml")
@public
def sitemap() -> ResponseReturnValue:
    """Every page of an entry, for search engines."""
    return answered(
        lambda asked: _xml(
            "public/sitemap.xml",
            "application/xml",
            entries=published.codes(asked.session, on=asked.today, limit=SITEMAP),
        )
    )


def _xml(template: str, kind: str, **values: Any) -> Response:
    text = render_template(template, absolute=absolute, summary=summary, html=answers.html, **values)
    return Response(UNWRITABLE.sub("", text), content_type=f"{kind}; charset=utf-8")


@bp.get(citizens.ROBOTS)
@public
def robots() -> ResponseReturnValue:
    """Search engines may read the answers and nothing else."""
    lines = (
        "User-agent: *",
        f"Allow: {citizens.PAGES}",
        "Allow: /static/",
        "Disallow: /",
        f"Sitemap: {absolute('public.answers.sitemap')}",
    )
    answer = Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
    answer.headers["Cache-Control"] = "public, max-age=86400"
    return answer


bp.register_blueprint(answers_bp)
bp.register_blueprint(answers_api.bp)
