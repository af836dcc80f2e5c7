"""The provider's own description of its REST API, where that file is at hand, and what a request or an answer has that
the description has not."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import FormatChecker
from openapi_schema_validator import OAS30Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

BESIDE = Path(__file__).resolve().parents[3] / "shared"
FILE = Path(os.environ.get("HOTLINE_SHARED", BESIDE)) / "contracts" / "twilio_api_v2010.json"
WHOLE = "urn:provider"  # what references point into
METHODS = ("get", "post", "delete")
NOT_ALWAYS = {"reason_conference_ended"}  # left out while a conference runs: null is not described
# the description knows no refusals; this is how the provider's documentation shows them
REFUSAL = {
    "type": "object",
    "properties": {
        "code": {"type": "integer"},
        "message": {"type": "string"},
        "more_info": {"type": "string"},
        "status": {"type": "integer"},
    },
    "required": ["code", "message", "more_info", "status"],
    "additionalProperties": False,
}

Values = Mapping[str, Sequence[str]]
formats = FormatChecker(())
formats.checks("date-time-rfc-2822", raises=ValueError)(lambda text: text is None or parsedate_to_datetime(text))
formats.checks("uri")(lambda text: re.match(r"https?://[^/\s]+", text))
formats.checks("phone-number")(lambda text: re.match(r"\+?\d+$", text))


@cache
def contract() -> dict[str, Any]:
    """The description, or a skip that says what is missing."""
    if not FILE.is_file():
        pytest.skip(f"skipped: no {FILE.name}; put the provider's OpenAPI description into $HOTLINE_SHARED/contracts")
    return json.loads(FILE.read_text("utf-8"))


def operation(method: str, path: str) -> str | None:
    """The described path a request's path is an instance of, if it has that method."""
    for described, pattern in _patterns():
        if pattern.fullmatch(path) and method.lower() in contract()["paths"][described]:
            return described
    return None


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Paths with the least variable parts first, so that a name is not taken for an identifier."""
    paths = sorted(contract()["paths"], key=lambda path: path.count("{"))
    return [(path, re.compile(re.sub(r"\\{\w+\\}", "([^/]+?)", re.escape(path)))) for path in paths]


def request_faults(method: str, path: str, query: Values, form: Values) -> list[str]:
    """What a request says that the description does not know, and what it leaves out."""
    described = operation(method, path)
    if described is None:
        return [f"{method} {path} is not described"]
    what = contract()["paths"][described][method.lower()]
    place = dict(zip(re.findall(r"{(\w+)}", described), _parts(described, path), strict=True))
    given = {"path": {name: [value] for name, value in place.items()}, "query": query}
    faults = []
    for where, values in given.items():
        known = {one["name"]: one for one in what.get("parameters", ()) if one["in"] == where}
        fields = {name: one["schema"] for name, one in known.items()}
        faults += _fields(where, fields, [name for name, one in known.items() if one.get("required")], values)
    content = what.get("requestBody", {}).get("content", {})
    schema = content.get("application/x-www-form-urlencoded", {}).get("schema", {})
    return faults + _fields("form", schema.get("properties", {}), schema.get("required", ()), form)


def _parts(described: str, path: str) -> tuple[str, ...]:
    found = dict(_patterns())[described].fullmatch(path)
    assert found is not None
    return found.groups()


def _fields(where: str, known: Mapping[str, Any], required: Sequence[str], given: Values) -> list[str]:
    faults = [f"{where} lacks {name}" for name in required if name not in given]
    for name, values in given.items():
        if name not in known:
            faults.append(f"{where} has {name}, which is not described")
            continue
        schema = _resolved(known[name])
        faults += _against(schema, _typed(schema, values), f"{where}.{name}")
    return faults


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return contract()["components"]["schemas"][name] if name else schema


def _typed(schema: Mapping[str, Any], values: Sequence[str]) -> Any:
    """Text of a form as the value it stands for; left as it came where it stands for none, which is then a fault."""
    kind = schema.get("type")
    if kind == "array":
        return [_typed(_resolved(schema["items"]), [value]) for value in values]
    if len(values) != 1:
        return list(values)
    (value,) = values
    if kind == "boolean":
        return {"true": True, "false": False}.get(value.lower(), value)
    if kind == "integer":
        return int(value) if re.fullmatch(r"-?\d+", value) else value
    if kind == "number":
        return float(value) if re.fullmatch(r"-?\d+(\.\d+)?", value) else value
    return value


def answer_faults(method: str, path: str, status: int, answer: Any) -> list[str]:
    """What an answer (None: without a body) has that the description has not, or the other way round."""
    if status >= 400:
        return _against(REFUSAL, answer, "refusal")
    described = operation(method, path)
    if described is None:
        return [f"{method} {path} is not described"]
    responses = contract()["paths"][described][method.lower()]["responses"]
    if str(status) not in responses:
        return [f"status {status} is not one of {', '.join(responses)}"]
    content = responses[str(status)].get("content")
    if content is None:
        return [] if answer is None else ["a body where none is described"]
    return _against(_strict(content["application/json"]["schema"]), answer, "answer")


def _against(schema: Mapping[str, Any], value: Any, where: str) -> list[str]:
    validator = OAS30Validator(schema, registry=_registry(), format_checker=formats)
    return [f"{where}{fault.json_path[1:]}: {fault.message}" for fault in validator.iter_errors(value)]


@cache
def _registry() -> Registry[Any]:
    whole = {"components": _strict(contract()["components"])}
    return Registry().with_resource(WHOLE, Resource(contents=whole, specification=DRAFT4))  # type: ignore[call-arg]  # attrs' own words


def _strict(schema: Any) -> Any:
    """The description lists what there is and requires nothing: here all of it must be there, and nothing else."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _strict(value) for name, value in schema.items()}
    if isinstance(schema.get("$ref"), str):
        made["$ref"] = WHOLE + schema["$ref"]
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        made |= {"additionalProperties": False, "required": sorted(schema["properties"].keys() - NOT_ALWAYS)}
    return made


def operations() -> Iterator[tuple[str, str]]:
    """Every described method and path."""
    for path, methods in contract()["paths"].items():
        yield from ((method.upper(), path) for method in METHODS if method in methods)
