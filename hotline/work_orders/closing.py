"""From the callback to the archive: T23, T24, T25, T30, T41."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.calendars.base import Calendar
from hotline.errors import Invalid, NotAllowedNow
from hotline.knowledge_base import tasks
from hotline.knowledge_base.states import SignalKind
from hotline.work_orders import clock, derivation
from hotline.work_orders.checking import take_up
from hotline.work_orders.derivation import What
from hotline.work_orders.guards import pending
from hotline.work_orders.handling import last_reporter
from hotline.work_orders.merging import on_its_own
from hotline.work_orders.models import Report, WorkOrder
from hotline.work_orders.rules import every_profile, rules_of
from hotline.work_orders.states import (
    DONE,
    LEFT_TO_SUPERVISORS,
    UNCALLED,
    Action,
    CloseKind,
    RequestKind,
    Satisfaction,
    Solved,
    Status,
    Supervision,
)
from hotline.work_orders.steps import advance, lead_sub, move_sub, rule_for, sms
from hotline.work_orders.transitions import LIVE, SYS

CONSULT: Final = "consult"


def verdict(satisfaction: str, solved: str, contacted: bool | None) -> Action:
    """Return ``CLOSE`` (T23: satisfied or solved) or ``REDO`` (T24: not satisfied, and not contacted or not solved).

    Both rows fit a citizen who is dissatisfied, never contacted, yet says it is solved: T24 asks for more, so it
    wins. Who was reached but would not rate closes unless the matter is said to be unsolved.
    """
    if satisfaction in (Satisfaction.SATISFIED, Satisfaction.FAIR):
        return Action.CLOSE
    if satisfaction == Satisfaction.NONE and solved in (Solved.YES, ""):
        return Action.CLOSE
    return Action.REDO if contacted is False or solved != Solved.YES else Action.CLOSE


def record_evaluation(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    round: int,
    satisfaction: str,
    solved: str,
    contacted: bool | None,
    reasons: Sequence[str] = (),
    heard: bool = True,
) -> WorkOrder:
    """Act on what the citizen said of round ``round``: close (N14 to N16) or have it redone (N14 to N15 to in hand).

    Safe to run twice: nothing is changed once the round is settled, nor while a supervisor looks at an explanation.
    After the last redo of the profile a dissatisfied citizen's order closes as ``redo_exhausted`` under blue
    supervision: a supervisor takes it from there. So does, as ``not_heard``, one whose citizen was dissatisfied by key
    or SMS and could not be reached afterwards: without their word nobody knows what a unit should do again.
    """
    if satisfaction not in set(Satisfaction):
        raise Invalid("没有这个满意度", satisfaction="请选择满意度")
    if solved and solved not in set(Solved):
        raise Invalid("没有这个选项", solved="请选择是否解决")
    if _settled(order, round) or pending(order, RequestKind.EXPLANATION) is not None:
        return order
    what = verdict(satisfaction, solved, contacted)
    rules = rules_of(order)
    kind = CloseKind.EVALUATED
    if what == Action.REDO and not heard:
        kind = CloseKind.NOT_HEARD
    elif what == Action.REDO and order.redo_count >= rules.redo_most:
        kind = CloseKind.REDO_EXHAUSTED
    action = what if kind == CloseKind.EVALUATED else Action.CLOSE
    rule_for(order, action, actor)
    order.first_satisfaction = order.first_satisfaction or satisfaction
    data: dict[str, object] = {
        "round": round,
        "satisfaction": satisfaction,
        "solved": solved,
        "contacted": contacted,
        "reasons": list(reasons),
    }
    if action == Action.REDO:
        _redo(session, order, actor=actor, now=now, calendar=calendar, tz=tz, data=data)
    else:
        if kind in LEFT_TO_SUPERVISORS and order.supervision == "none":
            order.supervision = data["level"] = Supervision.BLUE.value
        close_order(
            session,
            order,
            kind,
            actor=actor,
            now=now,
            satisfaction=satisfaction,
            solved=solved,
            data=data,
            appeal_until=appeal_limit(order, now=now, calendar=calendar, tz=tz),
        )
    return order


def appeal_limit(order: WorkOrder, *, now: datetime, calendar: Calendar, tz: tzinfo) -> datetime | None:
    """Return until when the unit may appeal against a score given now; None: the city sets no limit."""
    due = clock.step_due(rules_of(order), "appeal", order.urgency, now, calendar, tz)
    return due.at if due else None


def not_reached(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    round: int,
    kind: CloseKind = CloseKind.NOT_REACHED,
) -> WorkOrder:
    """Close an order whose citizen could not be asked (T25). Never counted as satisfied: it stays unrated.

    Safe to run twice. Whether the tries suffice is decided where they are counted, in ``follow_ups``.
    """
    if kind not in UNCALLED:
        raise Invalid("这不是未回访办结的原因")
    if _settled(order, round):
        return order
    rule_for(order, Action.CLOSE, actor)
    order.first_satisfaction = order.first_satisfaction or Satisfaction.NONE
    close_order(
        session,
        order,
        kind,
        actor=actor,
        now=now,
        satisfaction=Satisfaction.NONE,
        solved="",
        data={"round": round, "satisfaction": Satisfaction.NONE.value},
    )
    return order


def quiet_orders(session: Session, *, now: datetime, limit: int) -> Sequence[int]:
    """Return ids of settled orders nothing happened to for the quiet days of their profiles, the oldest first."""
    of_days: dict[int, list[str]] = {}
    for name, profile in every_profile(session).items():
        of_days.setdefault(profile.bounds.quiet_days, []).append(name)
    long_enough = or_(
        *(
            and_(WorkOrder.profile.in_(names), WorkOrder.updated_at <= now - timedelta(days=days))
            for days, names in of_days.items()
        )
    )
    settled = WorkOrder.status.in_(DONE - {Status.ARCHIVED})
    return session.scalars(select(WorkOrder.id).where(settled, long_enough).order_by(WorkOrder.id).limit(limit)).all()


def archive(session: Session, *, order: WorkOrder, actor: Actor, now: datetime) -> WorkOrder:
    """Archive what is settled: an answer or a refusal at once, a closed order after the quiet days of its profile."""
    rule_for(order, Action.ARCHIVE, actor)
    days = rules_of(order).bounds.quiet_days
    if order.status == Status.CLOSED and now - order.updated_at < timedelta(days=days):
        raise NotAllowedNow(f"办结满 {days} 天方可归档", allowed=[])
    was_closed = order.status == Status.CLOSED
    advance(session, order, Action.ARCHIVE, actor=actor, now=now)
    if was_closed and order.demand_type == CONSULT and not order.confidential:
        _ask_for_entry(session, order, now=now)
    return order


def _ask_for_entry(session: Session, order: WorkOrder, *, now: datetime) -> None:
    """What a unit had to be asked could be known at the desk: let editors have the question and the reply."""
    reply = session.scalars(
        select(Report.public_reply).where(Report.order_id == order.id).order_by(Report.id.desc()).limit(1)
    ).first()
    asked = order.title or order.content
    if asked:
        tasks.note(session, kind=SignalKind.NO_ENTRY, text=asked, told=reply or "", call_id=order.call_id, now=now)


def _settled(order: WorkOrder, round: int) -> bool:
    # under review the round is still the one that was closed
    return round < order.round or (round == order.round and order.status in DONE | {Status.REVIEW})


def _redo(
    session: Session,
    order: WorkOrder,
    *,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    data: dict[str, object],
) -> None:
    told = derivation.move(order, What.REDO, now=now, calendar=calendar, tz=tz)
    order.redo_count += 1
    if settled_by_hub(session, order):
        _to_a_unit(session, order, actor=actor, now=now, calendar=calendar, tz=tz, data={**data, **told})
        return
    reporter = last_reporter(session, order)
    above = lead_sub(order, 2)
    for sub in {reporter, above}:
        if sub is not None:
            sub.deadline_at = order.deadline_at
    advance(
        session,
        order,
        Action.REDO,
        actor=actor,
        now=now,
        holder=reporter,
        step_due_at=order.deadline_at,
        data={**data, "unit": reporter.unit_id, **told},
    )
    on_its_own(session, order=order, now=now)
    take_up(session, order=order, now=now, what="redo")


def settled_by_hub(session: Session, order: WorkOrder) -> bool:
    """Whether the result the citizen judges is the hub's own and no unit's."""
    last = select(Report.sub_order_id).where(Report.order_id == order.id).order_by(Report.id.desc()).limit(1)
    return session.execute(last).first() == (None,)


def _to_a_unit(
    session: Session,
    order: WorkOrder,
    *,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    data: dict[str, object],
) -> None:
    """What the hub settled itself did not satisfy: nobody can do it again, so it is reviewed and dispatched."""
    due = clock.step_due(rules_of(order), "dispatch", order.urgency, now, calendar, tz)
    advance(
        session,
        order,
        Action.REDO,
        actor=actor,
        now=now,
        to=Status.TO_REVIEW,
        step_due_at=due.at if due else None,
        data=data,
    )
    on_its_own(session, order=order, now=now)


def close_order(
    session: Session,
    order: WorkOrder,
    kind: CloseKind,
    *,
    actor: Actor,
    now: datetime,
    satisfaction: str,
    solved: str,
    data: Mapping[str, object],
    private: Mapping[str, object] | None = None,
    appeal_until: datetime | None = None,
) -> None:
    """Close the order and every part of it, and tell the citizen; the verb has asked ``rule_for`` before.

    ``satisfaction`` and ``solved`` are what the citizen said, empty where nobody was asked.
    """
    order.final_satisfaction = satisfaction
    order.final_solved = solved
    order.close_kind = kind
    order.appeal_until = appeal_until
    for sub in order.sub_orders:
        if sub.state in LIVE:
            move_sub(sub, Action.CLOSE)
            sub.closed_at = now
    advance(
        session,
        order,
        Action.CLOSE,
        actor=actor,
        now=now,
        data={**data, "kind": kind.value, "by_system": actor.role == SYS},
        private=private,
        messages=sms(order, "closed"),
    )
