"""Reads on ringing for urgent orders. For supervisors, who see every order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased, selectinload

from hotline.alarms.models import Alarm, AlarmTry
from hotline.alarms.service import waiting
from hotline.alarms.states import AlarmState, TryState
from hotline.work_orders.models import SubOrder, WorkOrder

SHOWN_FOR: Final = timedelta(days=3)
AT_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One round as its page shows it. ``waits``: the part is still not signed and nobody is rung: the hub must act."""

    alarm: Alarm
    waits: bool
    since: datetime

    @property
    def no_line(self) -> bool:
        """Whether nobody is rung because the carrier gives no answer; the round goes on by itself once it does."""
        return self.waits and self.alarm.state == AlarmState.RINGING


def recent(session: Session, *, now: datetime) -> list[Row]:
    """Return the rounds of the last days and every one the hub must act on; those first, then the newest."""
    found = session.execute(
        select(Alarm, SubOrder)
        .join(SubOrder, SubOrder.id == Alarm.sub_order_id)
        .where((Alarm.started_at >= now - SHOWN_FOR) | (Alarm.id.in_(_failing())))
        .options(selectinload(Alarm.tries), selectinload(Alarm.order), selectinload(Alarm.unit))
        .order_by(Alarm.id.in_(_failing()).desc(), Alarm.id.desc())
        .limit(AT_MOST)
    ).all()
    failing = set(session.scalars(_failing()))
    rows = [Row(alarm, alarm.id in failing, sub.assigned_at) for alarm, sub in found]
    return sorted(rows, key=lambda row: (not row.waits, row.alarm.state != AlarmState.RINGING))


def failing(session: Session) -> int:
    """Return how many parts nobody was or can be reached for and that are still not signed."""
    return session.scalar(select(func.count()).select_from(_failing().subquery())) or 0


def _failing() -> Select[int]:
    later = aliased(Alarm)
    newest = ~select(later.id).where(later.sub_order_id == Alarm.sub_order_id, later.round > Alarm.round).exists()
    without_line = Alarm.tries.any(AlarmTry.state == TryState.NO_LINE)
    return (
        select(Alarm.id)
        .join(SubOrder, SubOrder.id == Alarm.sub_order_id)
        .join(WorkOrder, WorkOrder.id == SubOrder.order_id)
        .where(
            (Alarm.state == AlarmState.FAILED) | ((Alarm.state == AlarmState.RINGING) & without_line),
            waiting(),
            newest,
        )
    )


def alarm_of(session: Session, alarm_id: int) -> Alarm | None:
    """Return one round."""
    return session.get(Alarm, alarm_id)
