"""How figures are said on a telephone line."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

_DIGITS: Final = dict(zip("0123456789", "零一二三四五六七八九", strict=True))


def number(order_no: str) -> str:
    """``二六一一，零零零四二，七`` of ``2611-00042-7``: digit by digit, with a breath between the parts."""
    return "，".join("".join(_DIGITS[sign] for sign in part) for part in order_no.split("-"))


def left(due_at: datetime | None, now: datetime) -> str:
    """``还剩一天三小时``-like words of the time to a limit, in figures that speech reads well; "" without a limit."""
    if due_at is None:
        return ""
    span = abs(due_at - now)
    days, rest = divmod(span, timedelta(days=1))
    hours, rest = divmod(rest, timedelta(hours=1))
    minutes = rest // timedelta(minutes=1)
    parts = [f"{days}天"] if days else []
    parts += [f"{hours}小时"] if hours else []
    if not days:
        parts += [f"{minutes}分钟"] if minutes or not hours else []
    return ("还剩" if due_at >= now else "已超期") + "".join(parts)


def digit(key: int) -> str:
    """``一`` of 1: a key, as people say it."""
    return _DIGITS[str(key)]
