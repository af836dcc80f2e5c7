"""Holds an answer against the provider's own description of its REST API, where that file is at hand."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

BESIDE = Path(__file__).resolve().parents[3] / "shared"
FILE = Path(os.environ.get("HOTLINE_SHARED", BESIDE)) / "contracts" / "twilio_api_v2010.json"
TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "number": (int, float),
    "object": dict,
    "array": list,
}


@cache
def contract() -> dict[str, Any]:
    """The description, or a skip that says what is missing."""
    if not FILE.is_file():
        pytest.skip(f"skipped: no {FILE.name}; put the provider's OpenAPI description into $HOTLINE_SHARED/contracts")
    return json.loads(FILE.read_text("utf-8"))


def faults(path: str, method: str, status: int, answer: Any) -> list[str]:
    """What an answer has that the contract has not, or the other way round."""
    responses = contract()["paths"]["/2010-04-01/Accounts/{AccountSid}" + path][method]["responses"]
    if str(status) not in responses:
        return [f"status {status} is not one of {', '.join(responses)}"]
    content = responses[str(status)].get("content")
    if content is None:
        return [] if answer is None else ["a body where none is described"]
    return list(_against(content["application/json"]["schema"], answer, "answer"))


def _against(schema: dict[str, Any], value: Any, where: str):
    if "$ref" in schema:
        schema = contract()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if value is None:
        if not schema.get("nullable"):
            yield f"{where} is null"
        return
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (kind == "integer" and isinstance(value, bool))):
        yield f"{where} is no {kind}: {value!r}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where} is not one of {schema['enum']}: {value!r}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where} does not look like {schema['pattern']}: {value!r}"
    if schema.get("format") == "date-time-rfc-2822" and not isinstance(parsedate_to_datetime(value), datetime):
        yield f"{where} is no date: {value!r}"
    properties = schema.get("properties", {})
    if properties:
        for name in value.keys() - properties.keys():
            yield f"{where} has {name}, which is not described"
        for name, inner in properties.items():
            if name in value:
                yield from _against(inner, value[name], f"{where}.{name}")
            elif name != "reason_conference_ended":  # left out while a conference runs: null is not described
                yield f"{where} lacks {name}"
    for at, item in enumerate(value if isinstance(value, list) else ()):
        yield from _against(schema.get("items", {}), item, f"{where}[{at}]")
