"""A city's profiles: which orders and which steps get how much time, and what bounds hold, as data it can write."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any, Final

from hotline.errors import Invalid
from hotline.work_orders import bounds as bound
from hotline.work_orders.bounds import RANGES, Bounds
from hotline.work_orders.states import DemandType, Urgency

DEFAULT_PROFILE: Final = "hebei-default"
STEPS: Final = ("dispatch", "sign", "check", "call_back")  # every profile names these
# a profile may name these as well; what it leaves out follows the default profile
FURTHER_STEPS: Final = ("return", "decide", "panel", "review", "info", "reply", "criticism", "appeal")
STEP_WORDS: Final = {
    "dispatch": "派单",
    "sign": "签收",
    "check": "审核",
    "call_back": "回访",
    "return": "申请退回",
    "decide": "审批申请",
    "panel": "会商",
    "review": "复查",
    "info": "等候市民补充",
    "reply": "回复督办通知",
    "criticism": "催办后书面批评",
    "appeal": "考核申诉",
}
WORKING: Final = ("working_days", "working_hours")
COUNTED: Final = (*WORKING, "days", "hours", "minutes")
WITH_THE_DAY: Final = ("same_day", "same_working_day")
MOST: Final = 3000  # of any unit
_UNIT_WORDS: Final = {
    "working_days": "个工作日",
    "working_hours": "个工作小时",
    "days": "天",
    "hours": "小时",
    "minutes": "分钟",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """So much time.

    ``unit``: working_days, working_hours, days, hours, minutes, same_day (24:00), same_working_day (closing time).
    """

    unit: str
    count: float = 1
    from_next_day: bool = False

    @property
    def word(self) -> str:
        """``5 个工作日``."""
        if self.unit == "same_day":
            return "当日"
        if self.unit == "same_working_day":
            return "当个工作日"
        return f"{self.count:g} {_UNIT_WORDS[self.unit]}" + ("（自次日起算）" if self.from_next_day else "")

    @property
    def working(self) -> bool:
        """Whether it runs in working time only; all others run on wall time."""
        return self.unit in {*WORKING, "same_working_day"}

    def half(self) -> Limit:
        """Half of it; what ends with the day stays."""
        return self if self.unit.startswith("same") else Limit(self.unit, self.count / 2, self.from_next_day)


@dataclass(frozen=True, slots=True)
class Clause:
    """A limit and the orders it is for; an empty set means every kind."""

    limit: Limit
    types: frozenset[str]
    urgency: frozenset[str]
    hard: bool

    def fits(self, demand_type: str, urgency: str, hard: bool) -> bool:
        """Whether an order of this kind falls under the clause."""
        return (
            (not self.types or demand_type in self.types)
            and (not self.urgency or urgency in self.urgency)
            and (hard or not self.hard)
        )


@dataclass(frozen=True, slots=True)
class Profile:
    """A city's limits and bounds.

    The first clause that fits counts; ``steps`` has all of ``STEPS`` and ``FURTHER_STEPS``.
    """

    name: str
    title: str
    handle: tuple[Clause, ...]
    steps: Mapping[str, tuple[Clause, ...]]
    redo_half: bool
    redo_most: int
    bounds: Bounds

    def handling(self, demand_type: str, urgency: str, *, hard: bool) -> Limit:
        """Return how long an order of this kind may take; ``Invalid`` for a kind or urgency that does not exist."""
        faults: dict[str, object] = {}
        if demand_type not in set(DemandType):
            faults["demand_type"] = f"没有诉求类型 {demand_type}"
        if urgency not in set(Urgency):
            faults["urgency"] = f"没有紧急程度 {urgency}"
        if faults:
            raise Invalid("；".join(str(fault) for fault in faults.values()), **faults)
        limit = _first(self.handle, demand_type, urgency, hard)
        if limit is None:
            raise Invalid(f"时限方案 {self.name} 没有规定这类诉求的时限")
        return limit

    def redoing(self, demand_type: str, urgency: str, *, hard: bool) -> Limit:
        """Return how long a redo may take: half of what handling may where the city says so."""
        limit = self.handling(demand_type, urgency, hard=hard)
        return limit.half() if self.redo_half else limit

    def step(self, name: str, urgency: str, *, hard: bool = False) -> Limit | None:
        """Return how long one step (of ``STEPS`` or ``FURTHER_STEPS``) may take; None: the city sets no limit."""
        return _first(self.steps[name], "", urgency, hard)


@functools.cache
def profile_named(name: str) -> Profile:
    """Return the profile shipped under ``name``; raises ``Invalid`` naming those there are."""
    if name not in profile_names():
        raise Invalid(f"没有时限方案 {name}", profile=f"可用：{'、'.join(profile_names())}")
    return profile_from({"name": name, **shipped(name)})


def shipped(name: str) -> dict[str, Any]:
    """Return a shipped profile as it is written: ``title`` and its rules."""
    text = (resources.files("hotline.work_orders") / "profiles" / f"{name}.json").read_text("utf-8")
    return {key: value for key, value in json.loads(text).items() if key != "name"}


@functools.cache
def profile_names() -> tuple[str, ...]:
    """Return the names of the shipped profiles."""
    folder = resources.files("hotline.work_orders") / "profiles"
    return tuple(sorted(item.name.removesuffix(".json") for item in folder.iterdir() if item.name.endswith(".json")))


def profile_from(data: Mapping[str, Any]) -> Profile:
    """Return a profile as a city writes it: ``name title handle steps redo bounds``.

    Bounds may be left out, all or some: the rest follows the default profile, as with ``FURTHER_STEPS``. Raises
    ``Invalid`` naming every fault.
    """
    faults: dict[str, object] = {}
    handle = _clauses("handle", data.get("handle"), faults)
    if "handle" not in faults and not any(clause.fits("", "", False) for clause in handle):
        faults["handle"] = "最后一条应当不分类型和紧急程度，否则有的诉求没有时限"
    written = data.get("steps")
    if not isinstance(written, Mapping) or not set(STEPS) <= set(written) <= {*STEPS, *FURTHER_STEPS}:
        faults["steps"] = (
            f"应当写明 {'、'.join(STEPS)} 四步，可以再写 {'、'.join(FURTHER_STEPS)}；"
            "不设时限的写 []，没有写的按河北默认时限"
        )
        written = {}
    steps = {step: _clauses("steps", rows, faults) for step, rows in written.items()}
    if left_out := set(FURTHER_STEPS) - set(steps):
        steps |= {step: profile_named(DEFAULT_PROFILE).steps[step] for step in left_out}
    redo = data.get("redo")
    if not isinstance(redo, Mapping) or not isinstance(redo.get("half"), bool) or redo.get("most") not in range(11):
        faults["redo"] = '应当写成 {"half": true, "most": 2}'
        redo = {"half": True, "most": 0}
    bounds = _bounds(data.get("bounds", {}), faults)
    if faults or bounds is None:
        raise Invalid("；".join(f"{name}：{fault}" for name, fault in faults.items()), **faults)
    return Profile(data["name"], data["title"], handle, steps, redo["half"], redo["most"], bounds)


def _bounds(written: object, faults: dict[str, object]) -> Bounds | None:
    fault = bound.fault_of(written)
    if fault is None:
        assert isinstance(written, Mapping), "fault_of looked"
        usual = {} if set(written) == set(RANGES) else asdict(profile_named(DEFAULT_PROFILE).bounds)
        made = Bounds(**{**usual, **written})
        fault = bound.conflict_of(made)
        if fault is None:
            return made
    faults[fault[0]] = fault[1]
    return None


def _clauses(where: str, rows: object, faults: dict[str, object]) -> tuple[Clause, ...]:
    if not isinstance(rows, list):
        faults[where] = "应当是一个列表"
        return ()
    made = []
    for number, row in enumerate(rows, start=1):
        if fault := _clause_fault(row):
            faults[where] = f"第 {number} 条：{fault}"
            continue
        kinds, urgency = frozenset(row.get("types", ())), frozenset(row.get("urgency", ()))
        made.append(Clause(_limit(row["limit"]), kinds, urgency, row.get("hard", False)))
    return tuple(made)


def _clause_fault(row: object) -> str | None:
    if not isinstance(row, Mapping) or not {"limit"} <= set(row) <= {"limit", "types", "urgency", "hard"}:
        return "应当有 limit，可以有 types、urgency、hard"
    for name, words in (("types", DemandType), ("urgency", Urgency)):
        listed = row.get(name, [])
        if not isinstance(listed, list) or not {str(word) for word in listed} <= set(words):
            return f"{name} 只能是 {'、'.join(words)} 中的"
    if not isinstance(row.get("hard", False), bool):
        return "hard 只能是 true 或 false"
    return _limit_fault(row["limit"])


def _limit_fault(limit: object) -> str | None:
    units = set(limit) - {"from_next_day"} if isinstance(limit, Mapping) else set()
    if not isinstance(limit, Mapping) or len(units) != 1 or not units <= {*COUNTED, *WITH_THE_DAY}:
        return f"limit 应当是 {'、'.join((*COUNTED, *WITH_THE_DAY))} 之一"
    (unit,) = units
    count = limit[unit]
    if unit in WITH_THE_DAY and count is not True:
        return f"{unit} 只能是 true"
    if unit in COUNTED and (isinstance(count, bool) or not isinstance(count, int | float) or not 0 < count <= MOST):
        return f"{unit} 应当是大于 0、不超过 {MOST} 的数"
    return None if isinstance(limit.get("from_next_day", False), bool) else "from_next_day 只能是 true 或 false"


def _limit(data: Mapping[str, Any]) -> Limit:
    unit = next(key for key in data if key != "from_next_day")
    count = 1 if data[unit] is True else data[unit]
    return Limit(unit, count, data.get("from_next_day", False))


def _first(clauses: Sequence[Clause], demand_type: str, urgency: str, hard: bool) -> Limit | None:
    return next((clause.limit for clause in clauses if clause.fits(demand_type, urgency, hard)), None)
