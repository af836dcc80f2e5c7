"""What a unit does by telephone or SMS, whichever way it asks: find the order, take a step, say how it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any, Final, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.accounts.roles import UNITS
from hotline.accounts.service import Actor, actor_of
from hotline.calendars.base import Calendar
from hotline.delivery import templates
from hotline.errors import HotlineError, NotFound
from hotline.units import queries as units
from hotline.units.models import ResponsibilityLine, Unit
from hotline.work_orders import queries, service
from hotline.work_orders.models import SubOrder, WorkOrder
from hotline.work_orders.states import Action, ReturnGround, Solved, SubState
from hotline.work_orders.steps import allowed
from hotline.work_orders.words import SUB_WORDS

T = TypeVar("T")

# in the order of their keys
STEPS: Final = (Action.SIGN, Action.RETURN, Action.PROGRESS, Action.REPORT)
GROUNDS: Final = tuple(ReturnGround)
SOLVED: Final = tuple(Solved)
WAYS: Final = ("电话", "上门", "现场见面")
NOT_THERE: Final = "没有查到这张工单"
BY_TELEPHONE: Final = "单位通过电话办理"


@dataclass(frozen=True, slots=True)
class Here:
    """Who asks, when, and by which clock."""

    session: Session
    user: User
    now: datetime
    calendar: Calendar
    tz: tzinfo

    @property
    def actor(self) -> Actor:
        """The person as an actor."""
        return actor_of(self.user)

    def order(self, number: str) -> WorkOrder:
        """Return an order of this person's unit; ``NotFound`` for another's as for one that does not exist."""
        if self.user.role not in UNITS:
            raise NotFound(NOT_THERE)
        try:
            return queries.visible_to(self.session, self.actor, number)
        except NotFound as fault:
            raise NotFound(NOT_THERE) from fault

    def sub(self, order: WorkOrder) -> SubOrder | None:
        """Return the newest part of the person's own unit."""
        return next((sub for sub in reversed(order.sub_orders) if sub.unit_id == self.user.unit_id), None)

    def steps(self, order: WorkOrder) -> list[Action]:
        """Return what of ``STEPS`` can be done now."""
        may = allowed(order, self.actor, self.now)
        return [step for step in STEPS if step in may]

    def state(self, order: WorkOrder) -> tuple[str, datetime | None]:
        """Return the word for how the unit's part stands, and until when its next step is due."""
        sub = self.sub(order)
        if sub is None:
            return "由下属单位办理", None
        due_at = sub.sign_due_at if sub.state == SubState.TO_SIGN else sub.deadline_at
        return SUB_WORDS[SubState(sub.state)], due_at

    # ---- steps

    def sign(self, order: WorkOrder) -> str:
        """Sign; returns what is wrong, "" when nothing is."""
        return self._attempt(service.sign, order)

    def ask_return(
        self, order: WorkOrder, *, ground: str, line_id: int | None, unit_id: int | None, reason: str
    ) -> str:
        """Ask to give the order back; returns what is wrong, "" when nothing is."""
        told = {"responsibility_line_id": line_id, "suggested_unit_id": unit_id, "reason": reason}
        return self._attempt(service.ask_return, order, ground=ground, **told, **self._clock)

    def progress(self, order: WorkOrder, words: str) -> str:
        """Say how far one has come; returns what is wrong, "" when nothing is."""
        return self._attempt(service.progress, order, text=words, **self._clock)

    def report(
        self,
        order: WorkOrder,
        *,
        way: str,
        contacted_at: datetime | None,
        solved: str,
        reason: str,
        reply: str,
    ) -> str:
        """Report the result; ``way`` empty: nobody was contacted. Returns what is wrong, "" when nothing is."""
        return self._attempt(
            service.report,
            order,
            contacted=bool(way),
            contacted_at=contacted_at if way else None,
            contact_way=way,
            solved=solved,
            unsolved_reason=reason,
            public_reply=reply,
            process=BY_TELEPHONE,
            **self._clock,
        )

    @property
    def _clock(self) -> dict[str, Any]:
        return {"calendar": self.calendar, "tz": self.tz}

    def _attempt(self, verb: Callable[..., object], order: WorkOrder, **told: Any) -> str:
        """Take a step whole or not at all; returns what is wrong in words, "" when nothing is."""
        try:
            with self.session.begin_nested():
                verb(self.session, order=order, actor=self.actor, now=self.now, **told)
        except HotlineError as fault:
            return fault.message
        return ""

    # ---- what may be chosen

    def lines(self, order: WorkOrder) -> list[ResponsibilityLine]:
        """Return the lines in force that fit the order: the one it was dispatched by first."""
        found = list(units.lines_for(self.session, order.category_code, on=self._today()))
        return sorted(found, key=lambda line: line.id != order.responsibility_line_id)

    def line_coded(self, digits: str) -> ResponsibilityLine | None:
        """Return the line in force whose code has just these digits, or is just this; None for none or several."""
        every = units.lines_in_force(self.session, on=self._today())
        found = [line for line in every if digits in {line.code, _digits(line.code), _digits(line.code).lstrip("0")}]
        return found[0] if len(found) == 1 else None

    def others(self, order: WorkOrder, line: ResponsibilityLine | None) -> list[Unit]:
        """Return the units that might be meant instead: the line's, the place's, one's neighbours, every tier 2."""
        own = self.session.get_one(Unit, self.user.unit_id)
        first = [self.session.get(Unit, line.lead_unit_id)] if line is not None and line.lead_unit_id else []
        codes = {order.area_code, order.area_code[:6]} - {""}
        here = self.session.scalars(select(Unit).where(Unit.area_code.in_(codes)).order_by(Unit.tier)).all()
        near = units.children(self.session, own.parent_id) if own.tier == 3 and own.parent_id else ()
        found = [*first, *here, *near, *units.units_of_tier(self.session, 2)]
        kept = {unit.id: unit for unit in found if unit is not None and unit.active and unit.tier > 1}
        kept.pop(own.id, None)
        return list(kept.values())

    def unit_named(self, name: str) -> Unit | None:
        """Return the unit with this name or code."""
        found = [unit for unit in units.active_units(self.session) if name in (unit.name, unit.code)]
        return found[0] if len(found) == 1 else None

    def sentences(self, kind: str) -> dict[str, str]:
        """Return the city's standard sentences of a kind (``progress reason reply``) by key."""
        return standard_sentences(self.session, kind)

    def _today(self) -> date:
        return self.now.astimezone(self.tz).date()


def standard_sentences(session: Session, kind: str) -> dict[str, str]:
    """Return the city's standard sentences of a kind by key."""
    beginning = f"phone.{kind}."
    names = [name for name in templates.TEMPLATES if name.startswith(beginning)]
    return {name.removeprefix(beginning): templates.text_of(session, name) for name in names}


def _digits(code: str) -> str:
    return "".join(sign for sign in code if sign.isdigit())


def chosen(options: Sequence[T], key: str) -> T | None:
    """Return the option a key stands for, from 1."""
    return options[int(key) - 1] if key.isdigit() and 1 <= int(key) <= len(options) else None
