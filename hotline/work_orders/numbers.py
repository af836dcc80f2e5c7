"""Order numbers: said on the telephone, typed on a keypad, so a slip of the finger must not name another order.

``2611-00042-7`` is month, running number (five digits or more) and a check digit after Damm, which notices every
single wrong digit and every swap of neighbours.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, tzinfo
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from hotline.errors import Invalid

# H. M. Damm's weakly totally anti-symmetric quasigroup of order 10
_DAMM: Final = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)
_MONTH_DIGITS: Final = 4
_SHORTEST: Final = 10  # month 4, running number 5, check digit 1


def check_digit(digits: str) -> str:
    """Return the digit to append to ``digits``."""
    interim = "0"
    for digit in digits:
        interim = _DAMM[int(interim)][int(digit)]
    return interim


def write(month: str, running: int) -> str:
    """Return the order number of the ``running``-th order of ``month`` (yymm)."""
    body = f"{running:05}"
    return f"{month}-{body}-{check_digit(month + body)}"


def parse(typed: str) -> str:
    """Return the order number a person typed, with or without dashes, blanks or full-width digits.

    Raises ``Invalid`` saying what is wrong: not a number, too short, no such month, or a digit mistyped.
    """
    digits = unicodedata.normalize("NFKC", typed)
    for mark in " -–—_#*":
        digits = digits.replace(mark, "")
    if not (digits.isascii() and digits.isdigit()):
        raise Invalid("工单编号只有数字", order_no="工单编号只有数字，例如 2611-00042-7")
    if len(digits) < _SHORTEST:
        raise Invalid("工单编号不完整", order_no=f"工单编号至少 {_SHORTEST} 位数字")
    month, body, check = digits[:_MONTH_DIGITS], digits[_MONTH_DIGITS:-1], digits[-1]
    if not 1 <= int(month[2:]) <= 12 or int(body) == 0 or (len(body) > 5 and body[0] == "0"):
        raise Invalid("没有这样的工单编号", order_no="没有这样的工单编号")
    if check_digit(month + body) != check:
        raise Invalid("工单编号有误，请核对", order_no="工单编号有一位不对，请核对")
    return f"{month}-{body}-{check}"


def next_number(session: Session, *, now: datetime, tz: tzinfo) -> str:
    """Take the next number of the present month in the city's zone. The counter's row stays locked until commit."""
    month = now.astimezone(tz).strftime("%y%m")
    running = session.scalar(
        text(
            "INSERT INTO order_counters (month, last) VALUES (:month, 1) "
            "ON CONFLICT (month) DO UPDATE SET last = order_counters.last + 1 RETURNING last"
        ),
        {"month": month},
    )
    assert running is not None
    return write(month, running)
