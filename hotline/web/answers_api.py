"""Published answers for programs: ``/api/public/v1``, for any site's script, described by ``public_openapi``."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from hotline.knowledge_base import answers, published
from hotline.knowledge_base.models import Entry
from hotline.web import citizens, public_openapi
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
    words_asked,
)
from hotline.web.auth import limiter

bp = Blueprint("api", __name__, url_prefix=citizens.API)
limiter.limit(citizens.OFTEN)(bp)

PER_PAGE: Final = 20
MOST_PER_PAGE: Final = 100
MOST_FOUND: Final = 50
CROSS_ORIGIN: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Expose-Headers": "ETag, Last-Modified",
    "Access-Control-Max-Age": "86400",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@bp.after_request
def let_any_site_ask(answer: Response) -> Response:
    """Scripts of other sites may read this; they send no cookie, and none would be looked at."""
    answer.headers.update(CROSS_ORIGIN)
    return answer


@bp.get("/entries")
@public
def get_entries() -> ResponseReturnValue:
    """Entries in short, the last changed first: ``?category= &area= &page= &size=``."""

    def make(asked: Asked) -> Response:
        name, number = request.args.get("category"), number_asked("page", 1, LAST_PAGE)
        size = number_asked("size", PER_PAGE, MOST_PER_PAGE)
        counts = dict(categories(asked))
        total = sum(counts.values()) if name is None else counts.get(name, 0)
        rows = published.page(asked.session, on=asked.today, area=asked.area, category=name, number=number, size=size)
        return jsonify(total=total, page=number, size=size, entries=[_brief(asked, one) for one in rows])

    return answered(make)


@bp.get("/entries/<path:code>")
@public
def get_entry(code: str) -> ResponseReturnValue:
    """One entry in full."""
    return answered(lambda asked: jsonify(_full(asked, entry_of(asked, code))))


@bp.get("/search")
@public
def get_search() -> ResponseReturnValue:
    """Entries that fit ``?q=``, best first, at most ``?limit=`` (10)."""

    def make(asked: Asked) -> Response:
        hits = hits_for(asked, words_asked(), number_asked("limit", SHOWN, MOST_FOUND))
        return jsonify(
            entries=[
                _brief(asked, one.entry) | {"score": round(one.score, 3), "matched": list(one.matched)} for one in hits
            ]
        )

    return answered(make)


@bp.get("/categories")
@public
def get_categories() -> ResponseReturnValue:
    """The categories with the number of their entries."""
    return answered(
        lambda asked: jsonify(categories=[{"name": name, "entries": count} for name, count in categories(asked)])
    )


@bp.get("/openapi.json")
@public
def describe() -> ResponseReturnValue:
    """The description of this API, OpenAPI 3.1."""
    return answered(lambda _asked: jsonify(public_openapi.document()))


def _brief(asked: Asked, one: Entry) -> dict[str, Any]:
    return {
        "code": one.code,
        "question": one.question,
        "summary": summary(one),
        "category": one.category,
        "areas": [
            {"code": limit.area_code, "name": asked.places.names.get(limit.area_code, "")} for limit in one.areas
        ],
        "updated_at": one.updated_at.isoformat(),
        "page": absolute("public.answers.entry", code=one.code),
        "url": absolute("public.api.get_entry", code=one.code),
    }


def _full(asked: Asked, one: Entry) -> dict[str, Any]:
    return _brief(asked, one) | {
        "similar": [similar.text for similar in one.similar],
        "answer": one.answer,
        "answer_html": answers.html(one.answer),
        "answer_text": answers.plain(one.answer),
        "owner": owner_of(asked, one),
        "source": one.source,
        "source_url": one.source_url,
        "valid_from": one.valid_from.isoformat() if one.valid_from else None,
        "valid_to": one.valid_to.isoformat() if one.valid_to else None,
        "version": one.version,
        "files": [
            {
                "name": file.name,
                "type": file.mime,
                "size": file.size,
                "url": absolute("public.answers.file", file_id=file.id, code=one.code),
            }
            for file in files_of(asked, one)
        ],
    }
