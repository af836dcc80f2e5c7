"""The description of the JSON API, OpenAPI 3.1, made from the tables the API itself works by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from hotline import __version__
from hotline.web import json_body
from hotline.work_orders.drafting import CALLER_KINDS, DRAFT_FIELDS, DRAFT_SWITCHES, SOURCE_CHANNELS, WORDS
from hotline.work_orders.evidence import OF_UNITS
from hotline.work_orders.queries import Bucket
from hotline.work_orders.states import Action, DemandType, FileKind, Part, Solved, Status, SubState, Urgency
from hotline.work_orders.words import ACTION_WORDS

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
NUMBER: Final[Schema] = {"type": "integer"}
FLAG: Final[Schema] = {"type": "boolean"}
BYTES: Final[Schema] = {"contentMediaType": "application/octet-stream"}  # a file as it is
JSON: Final = "application/json"

_TYPES: Final[dict[json_body.Take, Schema]] = {
    json_body.text: TEXT,
    json_body.flag: FLAG,
    json_body.number: NUMBER,
    json_body.moment: MOMENT,
    json_body.texts: {"type": "array", "items": TEXT},
    json_body.numbers: {"type": "array", "items": NUMBER},
    json_body.lines: {"type": "array", "items": {"type": "object", "additionalProperties": TEXT}},
}
_CHOICES: Final[dict[str, list[str]]] = {
    "demand_type": [kind.value for kind in DemandType],
    "urgency": [kind.value for kind in Urgency],
    "solved": [kind.value for kind in Solved],
    "caller_kind": list(CALLER_KINDS),
}


class Act(Protocol):
    """What an action takes."""

    @property
    def fields(self) -> Mapping[str, json_body.Take]: ...

    @property
    def required(self) -> frozenset[str]: ...

    @property
    def choices(self) -> Mapping[str, Sequence[str]]: ...


def _object(required: Sequence[str] = (), **properties: Schema) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    return schema | {"required": sorted(required)} if required else schema


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _field(name: str, schema: Schema, word: str = "") -> Schema:
    chosen = {"enum": _CHOICES[name]} if name in _CHOICES else {}
    return schema | chosen | ({"description": word} if word else {})


def _action(name: str, act: Act) -> Schema:
    fields = {field: _field(field, _TYPES[take]) for field, take in act.fields.items()}
    for field, codes in act.choices.items():
        one = TEXT | {"enum": list(codes)}
        fields[field] = _list(one) if act.fields[field] is json_body.texts else one
    schema = _object(["action", *act.required], action={"const": name}, **fields)
    return schema | {"description": ACTION_WORDS[Action(name)], "additionalProperties": False}


def _draft() -> Schema:
    fields = {name: _field(name, FLAG if name in DRAFT_SWITCHES else TEXT, WORDS[name]) for name in DRAFT_FIELDS}
    return _object(
        ("demand_type", "category_code", "content"),
        source_channel=TEXT | {"enum": list(SOURCE_CHANNELS), "default": "网站"},
        caller=_object((), name=TEXT, phone=TEXT, contact=TEXT) | {"additionalProperties": False},
        **fields,
    ) | {"additionalProperties": False}


def _schemas(acts: Mapping[str, Act]) -> dict[str, Schema]:
    caller = _object((), name=TEXT, phone=TEXT | {"description": "masked"}, kind=TEXT)
    sub = _object((), unit=TEXT, unit_name=TEXT, tier=NUMBER, part=TEXT, state=TEXT, deadline_at=_or_null(MOMENT))
    utterance = _object((), track=TEXT, text=TEXT, start_ms=NUMBER, end_ms=NUMBER, final=FLAG)
    suggestion = _object((), entry_id=TEXT, question=TEXT, score={"type": "number"}, state=TEXT, shown_at=MOMENT)
    return {
        "Error": _object(
            ("error",), error=_object(("status", "message"), status=NUMBER, title=TEXT, message=TEXT, details=_object())
        ),
        "Call": _object(
            ("provider_id", "state"),
            provider_id=TEXT,
            dialled=TEXT,
            caller=_or_null(TEXT | {"description": "masked, or 号码保密; null once erased"}),
            state=TEXT,
            outcome=_or_null(TEXT),
            started_at=MOMENT,
            answered_at=_or_null(MOMENT),
            ended_at=_or_null(MOMENT),
            utterances=_list(utterance),
            suggestions=_list(suggestion),
        ),
        "Entry": _object(("id", "question"), id=TEXT, question=TEXT, answer=TEXT, score={"type": "number"}),
        "NewEntry": _object(
            ("question", "answer"),
            id=TEXT,
            question=TEXT,
            similar=_list(TEXT),
            answer=TEXT,
            category=TEXT,
            owner_unit=TEXT,
            source=TEXT,
            valid_from={"type": "string", "format": "date"},
            valid_to={"type": "string", "format": "date"},
        ),
        "NewOrder": _draft(),
        "Order": _object(
            ("order_no", "status"),
            order_no=TEXT,
            status={"enum": [status.value for status in Status]},
            **{name: _field(name, TEXT) for name in ("demand_type", "category_code", "urgency", "title", "content")},
            **{name: TEXT for name in ("desired_result", "area_code", "address", "event_time")},
            confidential=FLAG,
            caller=_or_null(caller),
            lead_unit=_or_null(TEXT),
            sub_orders=_list(sub),
            files=_list(_ref("File")),
            submitted_at=_or_null(MOMENT),
            deadline_at=_or_null(MOMENT),
            deadline_provisional=FLAG,
            satisfaction=_or_null(TEXT),
            solved=_or_null(TEXT),
            close_kind=_or_null(TEXT),
            households=_or_null(_object((), total=NUMBER, done=NUMBER)),
            closed_at=_or_null(MOMENT),
            actions=_list(TEXT),
        ),
        "Event": _object(
            ("seq", "at", "action"),
            seq=NUMBER,
            at=MOMENT,
            action=TEXT,
            word=TEXT,
            who=TEXT,
            status=TEXT,
            facts=_object(),
            notes=_object(),
        ),
        "File": _object(
            ("id", "kind", "name"),
            id=NUMBER,
            kind={"enum": [kind.value for kind in FileKind]},
            name=TEXT,
            type=TEXT,
            size=NUMBER,
            sha256=TEXT | {"description": "of what was sent"},
        ),
        "Household": _object(
            ("no", "done_at"),
            no=NUMBER,
            name=TEXT,
            contact=TEXT | {"description": "masked"},
            place=TEXT,
            note=TEXT,
            done_at=_or_null(MOMENT),
        ),
        "Action": {"oneOf": [_action(name, act) for name, act in acts.items()]},
    }


def _answer(words: str, schema: Schema, type_: str = JSON) -> Schema:
    return {"description": words, "content": {type_: {"schema": schema}}}


_REFUSALS: Final = {
    "400": "the body is no JSON",
    "401": "nobody: neither token nor signature",
    "403": "this role may not",
    "404": "no such thing, or not yours to know",
    "409": "not allowed now; details.allowed says what is",
    "422": "fields at fault are named in details",
}
_KEY: Final[Schema] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key again gets the same answer again and does nothing twice.",
    "schema": {"type": "string", "maxLength": 100},
}
_TOKEN: Final[Schema] = {"token": {"type": "http", "scheme": "bearer"}}
_SIGNED: Final[Schema] = {
    "key": {"type": "apiKey", "in": "header", "name": "X-Hotline-Key", "description": "id of the unit's key"},
    "time": {"type": "apiKey", "in": "header", "name": "X-Hotline-Time", "description": "seconds since 1970"},
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Hotline-Signature",
        "description": "hex HMAC-SHA256, with the key's secret, of METHOD, path with query, time and hex SHA-256 of "
        "the body, joined by line feeds; the clocks may be five minutes apart",
    },
}


def _operation(name: str, words: str, answer: Schema, *, parameters: Sequence[Schema] = (), status: str = "200",
               body: Schema | None = None, key: Schema = _KEY, type_: str = JSON,
               answer_type: str = JSON) -> Schema:  # fmt: skip
    refused = {code: _answer(text, _ref("Error")) for code, text in _REFUSALS.items()}
    operation: Schema = {
        "operationId": name,
        "summary": words,
        "parameters": [*parameters, *([key] if body else [])],
        "responses": {status: _answer(words, answer, answer_type)} | refused,
    }
    if body:
        operation["requestBody"] = {"required": True, "content": {type_: {"schema": body}}}
    return operation


def _parameter(name: str, where: str, schema: Schema = TEXT, *, required: bool = True) -> Schema:
    return {"name": name, "in": where, "required": required, "schema": schema}


def document(acts: Mapping[str, Act]) -> Schema:
    """Return the description of the programs' API, which knows these actions."""
    imported = _object(
        (), added=NUMBER, updated=NUMBER, unchanged=NUMBER, refused=_list(_object((), at=NUMBER, reason=TEXT))
    )
    paths = {
        "/calls": {
            "get": _operation(
                "get_calls",
                "One call with what was heard and suggested",
                _object(("calls",), calls=_list(_ref("Call"))),
                parameters=[_parameter("provider_id", "query")],
            )
        },
        "/knowledge/search": {
            "get": _operation(
                "search_knowledge",
                "Entries that fit, best first",
                _object(("entries",), entries=_list(_ref("Entry"))),
                parameters=[
                    _parameter("q", "query"),
                    _parameter("limit", "query", NUMBER | {"default": 5, "minimum": 1, "maximum": 50}, required=False),
                ],
            )
        },
        "/knowledge/entries": {
            "post": _operation(
                "post_entries",
                "Add or update entries",
                imported,
                body={"anyOf": [_ref("NewEntry"), _list(_ref("NewEntry"))]},
            )
        },
        "/work-orders": {
            "post": _operation(
                "post_order", "Record and submit a demand", _ref("Order"), status="201", body=_ref("NewOrder")
            )
        },
        **_of_one_order("/work-orders"),
    }
    words = "Tokens: `hotline token create`. Personal data are masked everywhere."
    return _described("12345 hotline", words, "/api/v1", _TOKEN, paths=paths, schemas=_schemas(acts))


def unit_document(acts: Mapping[str, Act]) -> Schema:
    """Return the description of the units' API, which knows these actions."""
    schemas = _schemas(acts)
    wanted = {name: schemas[name] for name in ("Error", "Order", "Event", "File", "Household", "Action")}
    part = _object(
        ("order_no", "status", "state", "updated_at"),
        order_no=TEXT,
        status=schemas["Order"]["properties"]["status"],
        title=TEXT,
        urgency=_field("urgency", TEXT),
        part={"enum": [part.value for part in Part]},
        state={"enum": [state.value for state in SubState]},
        assigned_at=MOMENT,
        sign_due_at=_or_null(MOMENT),
        deadline_at=_or_null(MOMENT),
        updated_at=MOMENT,
    )
    compulsory = _KEY | {"required": True}
    paths = {
        "/orders": {
            "get": _operation(
                "get_orders",
                "The unit's own part of its orders, the earliest change first",
                _object(("orders", "total"), orders=_list(_ref("Part")), total=NUMBER, page=NUMBER, per_page=NUMBER),
                parameters=[
                    _parameter("state", "query", {"enum": [bucket.value for bucket in Bucket]}, required=False),
                    _parameter("since", "query", MOMENT, required=False),
                    _parameter("page", "query", NUMBER | {"default": 1, "minimum": 1}, required=False),
                ],
            )
        },
        **_of_one_order("/orders", key=compulsory),
        "/orders/{number}/households": {
            "get": _operation(
                "get_households",
                "The households of a batch order",
                _object(
                    ("households", "total"),
                    households=_list(_ref("Household")),
                    total=NUMBER,
                    page=NUMBER,
                    per_page=NUMBER,
                ),
                parameters=[
                    _parameter("number", "path"),
                    _parameter("page", "query", NUMBER | {"default": 1, "minimum": 1}, required=False),
                ],
            )
        },
        "/orders/{number}/files": {
            "post": _operation(
                "post_file",
                "Bring a photograph or paper that proves the next report",
                _ref("File"),
                status="201",
                parameters=[
                    _parameter("number", "path"),
                    _parameter("kind", "query", {"enum": sorted(OF_UNITS)}),
                    _parameter("name", "query"),
                ],
                body=BYTES,
                key=compulsory,
                type_="application/octet-stream",
            )
        },
        "/orders/{number}/files/{file_id}": {
            "get": _operation(
                "get_file",
                "A photograph or paper",
                BYTES,
                parameters=[_parameter("number", "path"), _parameter("file_id", "path", NUMBER)],
                answer_type="*/*",
            )
        },
    }
    words = "For a unit's own system. Keys: `hotline unit-key create`. It sees what its unit sees."
    return _described(
        "12345 hotline, units' systems", words, "/api/unit/v1", _SIGNED, paths=paths, schemas=wanted | {"Part": part}
    )


def _of_one_order(root: str, *, key: Schema = _KEY) -> Schema:
    number = _parameter("number", "path")
    one = f"{root}/{{number}}"
    return {
        one: {"get": _operation("get_order", "One order", _ref("Order"), parameters=[number])},
        f"{one}/events": {
            "get": _operation(
                "get_events", "The order's life", _object(("events",), events=_list(_ref("Event"))), parameters=[number]
            )
        },
        f"{one}/actions": {
            "post": _operation(
                "post_action",
                "Do something to an order",
                _ref("Order"),
                parameters=[number],
                body=_ref("Action"),
                key=key,
            )
        },
    }


def _described(
    title: str, words: str, root: str, security: Schema, *, paths: Schema, schemas: Mapping[str, Schema]
) -> Schema:
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": __version__, "description": words},
        "servers": [{"url": root}],
        "security": [{name: [] for name in security}],
        "paths": paths,
        "components": {"securitySchemes": security, "schemas": dict(schemas)},
    }
