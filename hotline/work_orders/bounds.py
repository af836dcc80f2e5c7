"""How often and for how long a city allows what no single deadline limits: part of its profile, data it can write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Bounds:
    """Whole numbers, each inside its range of ``RANGES``.

    ``blue_percent``: of the time used, an order turns blue. ``returns``: the accepted return at which a panel names
    who leads. ``extensions``: granted to one order. ``suspended_days``: from now to the review date of a suspension.
    ``reopened_days``: after closing in which a citizen's new fact reopens. ``quiet_days``: after which what is settled
    is archived. ``tries``: calls nobody answered, at different times of day over ``try_days`` days, after which a
    citizen counts as not reached.
    """

    blue_percent: int
    returns: int
    extensions: int
    suspended_days: int
    reopened_days: int
    quiet_days: int
    tries: int
    try_days: int


RANGES: Final[Mapping[str, range]] = {
    "blue_percent": range(1, 100),
    # a city may be stricter, never laxer: no order is given back a fourth time
    "returns": range(1, 4),
    "extensions": range(11),
    "suspended_days": range(1, 366),
    "reopened_days": range(366),
    "quiet_days": range(1, 3651),
    # at hours two apart: a sixth try would find no new time of day
    "tries": range(1, 6),
    "try_days": range(1, 6),
}
BOUND_WORDS: Final[Mapping[str, str]] = {
    "blue_percent": "时限用去百分之几转蓝",
    "returns": "第几次退回转会商",
    "extensions": "最多延期次数",
    "suspended_days": "挂起最长天数",
    "reopened_days": "办结后可复查天数",
    "quiet_days": "办结后归档天数",
    "tries": "几次无人接听算未联系上",
    "try_days": "无人接听至少分在几天",
}


def fault_of(written: object) -> tuple[str, str] | None:
    """Return field and reason why this cannot be what a city writes of its bounds (some or all of them), or None."""
    if not isinstance(written, Mapping) or not set(written) <= set(RANGES):
        return "bounds", f"应当是一个对象，可以写 {'、'.join(RANGES)}；没有写的按河北默认时限"
    for name, value in written.items():
        if isinstance(value, bool) or not isinstance(value, int) or value not in RANGES[name]:
            return name, range_words(name)
    return None


def range_words(name: str) -> str:
    """Return what a bound may be, in words."""
    return f"应当是 {RANGES[name][0]} 到 {RANGES[name][-1]} 的整数"


def conflict_of(bounds: Bounds) -> tuple[str, str] | None:
    """Return field and reason why these do not go together, or None."""
    if bounds.quiet_days < bounds.reopened_days:
        return "quiet_days", f"不能少于{BOUND_WORDS['reopened_days']}：还能申请复查的工单不能已经归档"
    if bounds.try_days > bounds.tries:
        return "try_days", "不能多于无人接听的次数"
    return None
