"""The description of the API of published answers, OpenAPI 3.1."""

from __future__ import annotations

from typing import Any, Final

from hotline import __version__
from hotline.web import citizens

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
LINK: Final[Schema] = {"type": "string", "format": "uri"}
DAY: Final[Schema] = {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}
NUMBER: Final[Schema] = {"type": "integer"}
AREA: Final[Schema] = {
    "name": "area",
    "in": "query",
    "description": "Only what holds in this county or township, by its code (131102).",
    "schema": TEXT,
}
NOTES: Final = (
    "Published answers of the hotline, for the city's site and anyone else. No log-in, no cookie. Every answer has an "
    "ETag and may be kept for a minute; ask again with If-None-Match. Personal data there are none."
)


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": sorted(properties)}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _query(name: str, schema: Schema, words: str) -> Schema:
    return {"name": name, "in": "query", "description": words, "schema": schema}


def _whole(most: int, default: int) -> Schema:
    return {"type": "integer", "minimum": 1, "maximum": most, "default": default}


def _get(name: str, words: str, answer: Schema, *parameters: Schema, may_miss: bool = False) -> Schema:
    def told(what: str, schema: Schema) -> Schema:
        return {"description": what, "content": {"application/json": {"schema": schema}}}

    responses = {
        "200": told(words, answer),
        "304": {"description": "nothing changed since the ETag sent with If-None-Match"},
        "422": told("fields at fault are named in details", _ref("Error")),
        "429": told("too often; Retry-After says how many seconds to wait", _ref("Error")),
    }
    if may_miss:
        responses["404"] = told("not published (any more)", _ref("Error"))
    return {"get": {"operationId": name, "summary": words, "parameters": list(parameters), "responses": responses}}


def document() -> Schema:
    """Return the whole description."""
    brief = {
        "code": TEXT,
        "question": TEXT,
        "summary": TEXT | {"description": "the short form of the answer, or its beginning"},
        "category": TEXT,
        "areas": _list(_object(code=TEXT, name=TEXT)) | {"description": "where it holds; empty: everywhere"},
        "updated_at": MOMENT,
        "page": LINK,
        "url": LINK,
    }
    full = brief | {
        "similar": _list(TEXT),
        "answer": TEXT | {"description": "Markdown"},
        "answer_html": TEXT | {"description": "safe HTML: no script, no style, no image"},
        "answer_text": TEXT,
        "owner": TEXT | {"description": "the unit that answers for it"},
        "source": TEXT,
        "source_url": TEXT,
        "valid_from": DAY,
        "valid_to": DAY,
        "version": NUMBER,
        "files": _list(_object(name=TEXT, type=TEXT, size=NUMBER | {"description": "bytes"}, url=LINK)),
    }
    error = _object(status=NUMBER, title=TEXT, message=TEXT, details={"type": "object"})
    return {
        "openapi": "3.1.0",
        "info": {"title": "12345 hotline: published answers", "version": __version__, "description": NOTES},
        "servers": [{"url": citizens.API}],
        "paths": {
            "/categories": _get(
                "get_categories",
                "The categories with the number of their entries",
                _object(categories=_list(_object(name=TEXT, entries=NUMBER))),
                AREA,
            ),
            "/entries": _get(
                "get_entries",
                "Entries in short, the last changed first",
                _object(total=NUMBER, page=NUMBER, size=NUMBER, entries=_list(_ref("Brief"))),
                _query("category", TEXT, "Only this category; empty: those without one."),
                AREA,
                _query("page", _whole(100_000, 1), "Which page."),
                _query("size", _whole(100, 20), "How many on a page."),
            ),
            "/entries/{code}": _get(
                "get_entry",
                "One entry in full",
                _ref("Entry"),
                {"name": "code", "in": "path", "required": True, "schema": TEXT},
                may_miss=True,
            ),
            "/search": _get(
                "search",
                "Entries that fit, best first",
                _object(entries=_list(_ref("Hit"))),
                _query("q", TEXT, "A question in any words, or initials of its pinyin; 200 characters count."),
                AREA,
                _query("limit", _whole(50, 10), "How many at most."),
            ),
        },
        "components": {
            "schemas": {
                "Brief": _object(**brief),
                "Entry": _object(**full),
                "Hit": _object(**brief, score={"type": "number"}, matched=_list(TEXT)),
                "Error": _object(error=error),
            }
        },
    }
