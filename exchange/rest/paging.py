"""Lists of things: filters on their dates, pages, and the addresses of other pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import request

from .errors import invalid

DEFAULT_SIZE, LARGEST = 50, 1000
PAGING = frozenset({"Page", "PageSize", "PageToken"})
Item = TypeVar("Item")


def page(key: str, found: Sequence[Item], shown: Callable[[Item], dict[str, Any]]) -> dict[str, Any]:
    """One page in the provider's form, newest first as given."""
    number, size = _whole("Page", 0), min(LARGEST, max(1, _whole("PageSize", DEFAULT_SIZE)))
    start = number * size
    items = found[start : start + size]
    more = start + size < len(found)
    return {
        key: [shown(item) for item in items],
        "page": number,
        "page_size": size,
        "start": start,
        "end": start + max(0, len(items) - 1),
        "uri": _address(number, size),
        "first_page_uri": _address(0, size),
        "next_page_uri": _address(number + 1, size) if more else None,
        "previous_page_uri": _address(number - 1, size) if number else None,
    }


def check_filters(words: Iterable[str] = (), dates: Iterable[str] = ()) -> None:
    """Refuse a filter that is not understood: leaving it out would give wrong answers in silence."""
    asked_by_date = {name + ending for name in dates for ending in ("", "<", ">")}
    for name, value in request.args.items():
        if name in asked_by_date:
            _moment(name, value)
        elif name not in PAGING and name not in words:
            raise invalid(name, value)


def in_dates(name: str, moment: datetime | None) -> bool:
    """Whether a moment passes `Name=`, `Name<=` and `Name>=` of the request (days or ISO times, UTC)."""
    for ending, holds in (
        ("", lambda one, other: one == other),
        ("<", lambda one, other: one <= other),
        (">", lambda one, other: one >= other),
    ):
        given = request.args.get(name + ending)
        if given is None:
            continue
        wanted = _moment(name + ending, given)
        if moment is None:
            return False
        seen: date = moment if isinstance(wanted, datetime) else moment.date()
        if not holds(seen, wanted):
            return False
    return True


def _moment(name: str, given: str) -> date:
    try:
        return date.fromisoformat(given) if len(given) == 10 else datetime.fromisoformat(given)
    except ValueError as fault:
        raise invalid(name, given) from fault


def _whole(name: str, default: int) -> int:
    given = request.args.get(name, "")
    if given and not (given.isascii() and given.isdigit()):
        raise invalid(name, given)
    return int(given) if given else default


def _address(number: int, size: int) -> str:
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in PAGING]
    return f"{request.path}?{urlencode([*kept, ('PageSize', size), ('Page', number)])}"
