"""A unit's person on the telephone: where the talk stands, and what has been keyed so far."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from hotline.dial_in.doing import Here
from hotline.units.models import ResponsibilityLine, Unit
from hotline.work_orders.models import WorkOrder

LISTED: Final = 8  # choices at once; 9 leads on


class At(StrEnum):
    """Which question was asked last."""

    NUMBER = "number"
    PIN = "pin"
    MENU = "menu"
    GROUND = "ground"
    LINE = "line"
    LINE_CODE = "line_code"
    UNIT = "unit"
    RETURN_SURE = "return_sure"
    PROGRESS = "progress"
    CONTACTED = "contacted"
    HOURS = "hours"
    SOLVED = "solved"
    REASON = "reason"
    REPLY = "reply"
    REPORT_SURE = "report_sure"


@dataclass(slots=True)
class Talk:
    """One call while a key is taken."""

    here: Here
    keyed: dict[str, Any]

    @property
    def order(self) -> WorkOrder:
        return self.here.order(self.keyed["number"])

    @property
    def line(self) -> ResponsibilityLine | None:
        return self.here.session.get(ResponsibilityLine, self.keyed["line"]) if "line" in self.keyed else None

    @property
    def unit(self) -> Unit | None:
        return self.here.session.get(Unit, self.keyed["unit"]) if "unit" in self.keyed else None

    def units(self) -> list[Unit]:
        """The units on the page that is being read."""
        begin = self.keyed.get("page", 0) * LISTED
        return self.here.others(self.order, self.line)[begin : begin + LISTED]
