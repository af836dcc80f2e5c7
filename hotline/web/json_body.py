"""Reading a JSON request: each value of the type asked for, every fault named at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from flask import request

from hotline.errors import Invalid

MISSING: Final = object()
NO_MOMENT: Final = "应是带时区的 ISO 时间"


def read_object() -> dict[str, Any]:
    """Return the request's JSON object. Raises ``Invalid`` for anything else."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Invalid("请求体应是一个 JSON 对象")
    return body


def text(value: object) -> str:
    """A text."""
    if not isinstance(value, str):
        raise TypeError("应是文字")
    return value


def flag(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise TypeError("应是 true 或 false")
    return value


def moment(value: object) -> datetime:
    """An ISO moment with its zone."""
    try:
        found = datetime.fromisoformat(text(value))
    except ValueError as fault:
        raise TypeError(NO_MOMENT) from fault
    if found.tzinfo is None:
        raise TypeError(NO_MOMENT)
    return found


def texts(value: object) -> list[str]:
    """A list of texts."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TypeError("应是文字的列表")
    return value


Take = Callable[[object], Any]


def take(body: Mapping[str, Any], fields: Mapping[str, Take], *, required: frozenset[str]) -> dict[str, Any]:
    """Return the fields of ``body`` that are there, each taken by its function.

    Raises ``Invalid`` naming every unknown, missing or wrong one.
    """
    faults: dict[str, object] = {name: "没有这个字段" for name in body if name not in fields}
    faults |= {name: "缺少" for name in sorted(required) if body.get(name, MISSING) is MISSING}
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
