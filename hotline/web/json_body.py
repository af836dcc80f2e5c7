"""Reading a JSON request: each value of the type asked for, every fault named at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from flask import request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from hotline.errors import Invalid

LARGEST: Final = 2**31 - 1
NO_MOMENT: Final = "应是带时区的 ISO 时间"
Take = Callable[[object], Any]


def read() -> object:
    """Return the request's JSON value. Raises ``Invalid`` without fields (400) for what is no JSON."""
    try:
        body = request.get_json()
        json.dumps(
            body, ensure_ascii=False
        ).encode()  # an escape may stand for half a character, which nothing can keep
    except (BadRequest, UnsupportedMediaType, UnicodeEncodeError, RecursionError) as fault:
        raise Invalid("请求体应是 JSON（Content-Type: application/json）") from fault
    return body


def read_object() -> dict[str, Any]:
    """Return the request's JSON object. Raises ``Invalid`` as ``read`` does for anything else."""
    body = read()
    if not isinstance(body, dict):
        raise Invalid("请求体应是一个 JSON 对象")
    return body


def text(value: object) -> str:
    """A text that every database can keep."""
    if not isinstance(value, str):
        raise TypeError("应是文字")
    if "\0" in value:
        raise TypeError("含有无法保存的字符")
    return value


def flag(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise TypeError("应是 true 或 false")
    return value


def number(value: object) -> int:
    """A whole number that every database can keep."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
        raise TypeError("应是整数")
    return value


def moment(value: object) -> datetime:
    """An ISO moment with its zone, as UTC."""
    try:
        found = datetime.fromisoformat(text(value))
        if found.tzinfo is None:
            raise TypeError(NO_MOMENT)
        return found.astimezone(UTC)
    except (ValueError, OverflowError) as fault:  # no moment, or one before the year 1 elsewhere
        raise TypeError(NO_MOMENT) from fault


def texts(value: object) -> list[str]:
    """A list of texts."""
    if not isinstance(value, list):
        raise TypeError("应是文字的列表")
    return [text(one) for one in value]


def numbers(value: object) -> list[int]:
    """A list of whole numbers."""
    if not isinstance(value, list):
        raise TypeError("应是整数的列表")
    return [number(one) for one in value]


def lines(value: object) -> list[dict[str, str]]:
    """A list of objects that hold nothing but texts."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise TypeError("应是对象的列表，值都是文字")
    return [{str(name): text(cell) for name, cell in one.items()} for one in value]


def take(
    body: Mapping[str, Any], fields: Mapping[str, Take], *, required: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return the fields of ``body`` that are there, each taken by its function.

    Raises ``Invalid`` naming every unknown, missing or wrong one.
    """
    faults: dict[str, object] = {name: "没有这个字段" for name in body if name not in fields}
    faults |= {name: "缺少" for name in sorted(required - body.keys())}
    taken = {}
    for name, value in body.items():
        if name in faults:
            continue
        try:
            taken[name] = fields[name](value)
        except TypeError as fault:
            faults[name] = str(fault)
    if faults:
        raise Invalid("；".join(f"{name}：{fault}" for name, fault in faults.items()), **faults)
    return taken
