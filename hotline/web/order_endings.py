"""How programs close an order or have it redone: which verb that is depends on where the order stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.calendars.base import Calendar
from hotline.errors import Invalid
from hotline.follow_ups import service as follow_ups
from hotline.follow_ups.models import Evaluation
from hotline.follow_ups.states import Way
from hotline.work_orders import service
from hotline.work_orders.asks.explanations import Explanation
from hotline.work_orders.closing import verdict
from hotline.work_orders.guards import pending
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Action, RequestKind, Satisfaction, Solved, Status
from hotline.work_orders.steps import rule_for
from hotline.work_orders.words import ACTION_WORDS

NOT_SO: Final = "按市民这样的评价，应当{what}"


def close(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    note: str = "",
    reason: str = "",
    satisfaction: str = "",
    solved: str = "",
    contacted: bool | None = None,
    reasons: Sequence[str] = (),
) -> None:
    """Close the order: with what a citizen said of it (N14), as explained where a supervisor agrees (N14, ``note``),
    checked without a citizen (N12, ``note``), unanswered (N3), or as it was closed before (N19, ``reason``)."""
    rule_for(order, Action.CLOSE, actor, now)
    if order.status == Status.TO_CHECK_HUB:
        service.close_checked(session, order=order, actor=actor, now=now, note=note)
    elif order.status == Status.NEEDS_INFO:
        service.close_unanswered(session, order=order, actor=actor, now=now)
    elif order.status == Status.REVIEW:
        service.keep_closed(session, order=order, actor=actor, now=now, reason=reason)
    elif pending(order, RequestKind.EXPLANATION) is not None:
        service.grant_explanation(session, order=order, actor=actor, now=now, calendar=calendar, tz=tz, answer=note)
    else:
        _fits(Action.CLOSE, satisfaction, solved, contacted)
        said = _said(
            session,
            order,
            actor,
            now=now,
            calendar=calendar,
            tz=tz,
            satisfaction=satisfaction,
            solved=solved,
            contacted=contacted,
            reasons=reasons,
        )
        follow_ups.apply_evaluation(session, evaluation=said, now=now, calendar=calendar, tz=tz)


def redo(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    solved: str,
    contacted: bool,
    reasons: Sequence[str],
) -> None:
    """Have it redone (N14): the citizen was asked and is not satisfied."""
    rule_for(order, Action.REDO, actor, now)
    _fits(Action.REDO, Satisfaction.DISSATISFIED, solved, contacted)
    said = _said(
        session,
        order,
        actor,
        now=now,
        calendar=calendar,
        tz=tz,
        satisfaction=Satisfaction.DISSATISFIED,
        solved=solved,
        contacted=contacted,
        reasons=reasons,
    )
    follow_ups.apply_evaluation(session, evaluation=said, now=now, calendar=calendar, tz=tz)


def explain(
    session: Session,
    *,
    order: WorkOrder,
    actor: Actor,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    ground: str,
    explained: str,
    reasons: Sequence[str],
) -> None:
    """Ask a supervisor to close it though the citizen is not satisfied (N14): law or condition forbids more."""
    rule_for(order, Action.CLOSE, actor, now)
    _said(
        session,
        order,
        actor,
        now=now,
        calendar=calendar,
        tz=tz,
        satisfaction=Satisfaction.DISSATISFIED,
        solved=Solved.IMPOSSIBLE,
        contacted=True,
        reasons=reasons,
        explanation=Explanation(ground, explained),
    )


def _fits(action: Action, satisfaction: str, solved: str, contacted: bool | None) -> None:
    """Raise ``Invalid`` where what was said asks for the other of the two."""
    if satisfaction and (what := verdict(satisfaction, solved, contacted)) != action:
        sentence = NOT_SO.format(what=ACTION_WORDS[what])
        raise Invalid(sentence, satisfaction=sentence)


def _said(
    session: Session,
    order: WorkOrder,
    actor: Actor,
    *,
    now: datetime,
    calendar: Calendar,
    tz: tzinfo,
    satisfaction: str,
    solved: str,
    contacted: bool | None,
    reasons: Sequence[str],
    explanation: Explanation | None = None,
) -> Evaluation:
    """Keep what the citizen said to whoever asked, as the duty desk does."""
    callback = follow_ups.open_callback(session, order=order, now=now, calendar=calendar, tz=tz)
    follow_ups.take(session, callback=callback, actor=actor, now=now)
    said = follow_ups.evaluate(
        session,
        callback=callback,
        satisfaction=satisfaction,
        way=Way.PERSON,
        actor=actor,
        now=now,
        solved=solved,
        contacted=contacted,
        reasons=reasons,
        explanation=explanation,
    )
    assert said is not None  # only a key or a text leaves it open
    return said
