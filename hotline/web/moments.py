"""Days and moments as the fields of a form send them, in the city's zone."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from flask import request

from hotline.errors import Invalid
from hotline.web.context import runtime

LOCAL: Final = "%Y-%m-%dT%H:%M"  # what a datetime-local field speaks
YEARS: Final = range(2000, 2101)  # others are slips of the hand, and some cannot be told in another zone


def moment_typed(name: str) -> datetime | None:
    """Return the moment of a field; None when left empty. Raises ``Invalid`` naming the field."""
    typed = request.form.get(name, "").strip()
    return moment_of(typed, name) if typed else None


def moment_of(typed: str, name: str) -> datetime:
    """Return the moment that was typed. Raises ``Invalid`` naming the field."""
    try:
        found = datetime.fromisoformat(typed).replace(tzinfo=runtime().settings.tz)
    except ValueError as fault:
        words = "时间格式不对，请按“年-月-日 时:分”填写"
        raise Invalid(words, **{name: words}) from fault
    if found.year not in YEARS:
        raise Invalid("日期不对", **{name: "日期不对，请核对"})
    return found
