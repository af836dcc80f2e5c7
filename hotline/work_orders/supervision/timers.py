"""What happens to an order by itself when time runs out (T27, T28).

Each look does all that is due and says when to look again, so a worker that comes late makes up for it and one
that runs twice does nothing the second time. What the timers raise only a supervisor lowers, and a ground from
before a supervisor's last word does not raise it again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import SYSTEM
from hotline.calendars.base import Calendar
from hotline.work_orders import clock
from hotline.work_orders.limits import Profile
from hotline.work_orders.models import SubOrder, WorkOrder
from hotline.work_orders.rules import rules_of
from hotline.work_orders.states import Action, NoticeKind, Supervision
from hotline.work_orders.supervision import lights
from hotline.work_orders.supervision.notices import RISING, issue, sent, turn_blue

# a calendar or a rule may change what was counted: no order is left alone for longer
AT_LEAST_DAILY: Final = timedelta(days=1)
_WORDS: Final = {
    NoticeKind.REMINDER: "这张工单已超过办理时限（{deadline}），请抓紧办理，并书面说明情况。",
    NoticeKind.CRITICISM: "这张工单超过办理时限（{deadline}），催办后仍未办结，现予书面批评。请书面说明原因和整改。",
}


def due(session: Session, *, now: datetime, skip: Collection[int] = (), limit: int) -> Sequence[int]:
    """Return the ids of orders to be looked at now, the longest waiting first."""
    return session.scalars(
        select(WorkOrder.id)
        .where(WorkOrder.watch_at.is_not(None), WorkOrder.watch_at <= now, WorkOrder.id.not_in(skip))
        .order_by(WorkOrder.watch_at, WorkOrder.id)
        .limit(limit)
    ).all()


def look(session: Session, *, order: WorkOrder, now: datetime, calendar: Calendar, tz: tzinfo) -> datetime | None:
    """Do what time demands of this order and return when to look again; None: not before somebody takes a step."""
    following = None
    if lights.is_watched(order):
        watch = _Watch(session, order, rules_of(order), now, calendar, tz)
        ahead = [*watch.turn_blue(), *watch.remind(), *watch.criticise()]
        following = min([now + AT_LEAST_DAILY, *ahead])
    session.flush()
    # not the order's own business: whoever works on it at this moment is not told that somebody was faster
    session.execute(
        update(WorkOrder)
        .where(WorkOrder.id == order.id, WorkOrder.event_count == order.event_count)
        .values(watch_at=following)
        .execution_options(synchronize_session=False)
    )
    session.expire(order, ["watch_at"])
    return following


@dataclass(frozen=True, slots=True)
class _Watch:
    """One look at one order. Each step does what is due and returns the moments at which more will be."""

    session: Session
    order: WorkOrder
    rules: Profile
    now: datetime
    calendar: Calendar
    tz: tzinfo

    def turn_blue(self) -> list[datetime]:
        """Raise an order nobody watches yet where there is ground to."""
        order = self.order
        limit = self.rules.handling(order.demand_type, order.urgency, hard=order.hard)
        found = lights.alerts(order, limit, self.rules.bounds.blue_percent / 100, self.calendar, self.tz)
        if order.supervision == Supervision.NONE:
            spoken = _last_word(order)
            fresh = next((one for one in found if one.at <= self.now and (spoken is None or one.at > spoken)), None)
            if fresh is not None:
                data = {"alert": fresh.ground.value, "due": fresh.at.isoformat(), "unit": fresh.unit_id}
                turn_blue(self.session, order, actor=SYSTEM, now=self.now, data=data)
        return [one.at for one in found if one.at > self.now]

    def remind(self) -> list[datetime]:
        """Remind units on the working day after the order ran out."""
        expired = self.order.deadline_at
        if expired is None:
            return []
        at = lights.reminder_at(expired, self.calendar, self.tz)
        if at > self.now:
            return [at]
        for part in lights.overdue_parts(self.order, self.now):
            if sent(self.order, part.unit_id, NoticeKind.REMINDER, expired) is None:
                self._send(part, NoticeKind.REMINDER, Supervision.YELLOW, expired)
        return []

    def criticise(self) -> list[datetime]:
        """Criticise units in writing that have not reported days after their reminder."""
        expired = self.order.deadline_at
        ahead: list[datetime] = []
        if expired is None:
            return ahead
        for part in lights.overdue_parts(self.order, self.now):
            reminder = sent(self.order, part.unit_id, NoticeKind.REMINDER, expired)
            if reminder is None or sent(self.order, part.unit_id, NoticeKind.CRITICISM, expired):
                continue
            at = self._due("criticism", reminder.issued_at)
            if at is not None and at > self.now:
                ahead.append(at)
            elif at is not None:
                self._send(part, NoticeKind.CRITICISM, Supervision.RED, expired)
        return ahead

    def _send(self, part: SubOrder, kind: NoticeKind, level: Supervision, expired: datetime) -> None:
        issue(
            self.session,
            self.order,
            part,
            kind,
            level=max(level, Supervision(self.order.supervision), key=RISING.__getitem__),
            words=_WORDS[kind].format(deadline=clock.moment_words(expired, self.tz)),
            reply_due=self._due("reply", self.now),
            expired=expired,
            actor=SYSTEM,
            now=self.now,
        )

    def _due(self, step: str, at: datetime) -> datetime | None:
        found = clock.step_due(self.rules, step, self.order.urgency, at, self.calendar, self.tz)
        return found.at if found else None


def _last_word(order: WorkOrder) -> datetime | None:
    """When a supervisor last set the level."""
    spoken = (
        event.at
        for event in reversed(order.events)
        if event.action == Action.SUPERVISE and event.actor_role == Role.SUP
    )
    return next(spoken, None)
