"""Verbs on callbacks: open, take, try, evaluate, give up; withdraw. What is said reaches the order by the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from hotline import outbox
from hotline.accounts.models import User
from hotline.accounts.service import SYSTEM, Actor
from hotline.calendars.base import Calendar
from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.follow_ups.guards import check_said, may_ask, must_hold
from hotline.follow_ups.models import Attempt, Callback, Evaluation
from hotline.follow_ups.states import (
    LAST_RANK,
    OFFICERS,
    OPEN,
    RANK,
    STATE_WORDS,
    TRANSITIONS,
    AttemptState,
    CallbackAction,
    CallbackState,
    Way,
)
from hotline.follow_ups.trying import enough_tries, next_try
from hotline.work_orders import clock
from hotline.work_orders import service as orders
from hotline.work_orders.asks.explanations import Explanation
from hotline.work_orders.guards import gets_texts
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.rules import rules_of
from hotline.work_orders.states import CloseKind, Satisfaction, Status

_ABANDONED_AFTER: Final = timedelta(hours=1)  # a planned try nobody told the end of


def open_callback(session: Session, *, order: WorkOrder, now: datetime, calendar: Calendar, tz: tzinfo) -> Callback:
    """Open the callback of the order's present round, due the same working day. Safe to run twice.

    A citizen who withheld the number or wants no callback cannot be asked: the order closes unrated, with that reason.
    Raises ``NotAllowedNow`` when the order does not wait for a callback.
    """
    round_ = order.round
    callback = session.scalar(select(Callback).where(Callback.order_id == order.id, Callback.round == round_))
    if callback is not None:
        return callback
    if order.status != Status.TO_CALL_BACK:
        raise NotAllowedNow("工单现在不需要回访", status=order.status)
    callback = Callback(
        order_id=order.id,
        round=round_,
        state=CallbackState.WAITING,
        due_at=clock.end_of_working_day(now, calendar, tz),
        next_try_at=now,
        created_at=now,
    )
    session.add(callback)
    session.flush()
    unaskable = _unaskable(order)
    if unaskable:
        _move(callback, CallbackAction.GIVE_UP)
        callback.done_at = now
        orders.not_reached(session, order=order, actor=SYSTEM, now=now, round=round_, kind=unaskable)
        session.flush()
    return callback


def take(session: Session, *, callback: Callback, actor: Actor, now: datetime) -> Callback:
    """Take a callback to make it oneself; taking one's own again changes nothing.

    Raises ``NotPermitted`` for anyone but a callback officer or supervisor, for whoever handled the order and for
    people of a unit that handles it; ``NotAllowedNow`` when somebody else has it, it is done or the order no longer
    waits for it.
    """
    may_ask(session, callback, actor)
    _must_wait(session, callback)
    if callback.state == CallbackState.TAKEN and callback.officer_id == actor.user_id:
        return callback
    if callback.state == CallbackState.TAKEN:
        name = session.scalar(select(User.display_name).where(User.id == callback.officer_id))
        raise NotAllowedNow(f"{name}正在回访", allowed=[], status=callback.state)
    _move(callback, CallbackAction.TAKE)
    callback.officer_id = actor.user_id
    callback.taken_at = now
    _flush(session)
    return callback


def release(
    session: Session, *, callback: Callback, actor: Actor, now: datetime, next_try_at: datetime | None = None
) -> Callback:
    """Give a taken callback back; with ``next_try_at`` it is offered again then, at the hour the citizen asked for.

    Whoever has taken it may, and a supervisor for them: they may have left.
    """
    if callback.officer_id != actor.user_id and actor.role != "SUP":
        raise NotPermitted("只有正在回访的人可以放回")
    _move(callback, CallbackAction.RELEASE)
    under_way = live_attempt(callback)
    if under_way is not None and now - under_way.at >= _ABANDONED_AFTER:
        _end(under_way, AttemptState.FAILED, now)  # else it would look as if somebody were still on the telephone
    callback.officer_id = None
    callback.next_try_at = max(now, next_try_at) if next_try_at else now
    _flush(session)
    return callback


def plan_attempt(session: Session, *, callback: Callback, way: str, actor: Actor, now: datetime) -> Attempt:
    """Plan one try and let the outbox carry it out: a bridged or keypad call (``callback.dial``) or an SMS.

    A person's try needs the callback taken by that person; keypad and SMS ask only while nobody has it, and never
    again once a key said dissatisfied. Raises ``NotAllowedNow``; also while another try is under way, and when the
    order no longer waits for a callback.
    """
    if way not in set(Way):
        raise Invalid("没有这种回访方式", way=f"可选：{'、'.join(Way)}")
    _must_wait(session, callback)
    if way == Way.PERSON:
        must_hold(session, callback, actor)
    elif callback.state != CallbackState.WAITING:
        raise NotAllowedNow(f"{STATE_WORDS[CallbackState(callback.state)]}，不再自动回访", status=callback.state)
    elif needs_person(callback):
        raise NotAllowedNow("市民按键表示不满意，须由人工回访", status=callback.state)
    under_way = live_attempt(callback)
    if under_way is not None:
        if now - under_way.at < _ABANDONED_AFTER:
            raise NotAllowedNow("上一次拨打还没有结束", status=under_way.state)
        under_way.state = AttemptState.FAILED
        under_way.ended_at = now
    attempt = Attempt(way=way, officer_id=actor.user_id, at=now, state=AttemptState.PLANNED, answer="")
    callback.attempts.append(attempt)
    _flush(session)
    if way == Way.SMS:
        outbox.add(session, "sms.send", now=now, template="evaluate", order_id=callback.order_id)
    else:
        outbox.add(session, "callback.dial", now=now, attempt_id=attempt.id)
    return attempt


def attempt_update(
    session: Session,
    *,
    attempt: Attempt,
    now: datetime,
    state: str | None = None,
    citizen_provider_id: str | None = None,
    officer_provider_id: str | None = None,
) -> bool:
    """Note what the carrier tells of a try; returns whether its state moved. It only moves forward by rank."""
    attempt.citizen_provider_id = citizen_provider_id or attempt.citizen_provider_id
    attempt.officer_provider_id = officer_provider_id or attempt.officer_provider_id
    moved = state is not None and RANK[AttemptState(state)] > RANK[AttemptState(attempt.state)]
    if moved and state is not None:
        attempt.state = state
        if RANK[AttemptState(state)] == LAST_RANK:
            attempt.ended_at = now
    session.flush()
    return moved


def evaluate(
    session: Session,
    *,
    callback: Callback,
    satisfaction: str,
    way: str,
    actor: Actor,
    now: datetime,
    solved: str = "",
    contacted: bool | None = None,
    reasons: Sequence[str] = (),
    comment: str = "",
    attempt: Attempt | None = None,
    explanation: Explanation | None = None,
) -> Evaluation | None:
    """Keep what the citizen said and send it to the order (``order.evaluated``).

    With ``explanation`` the officer, who heard "not satisfied", holds that nothing more can be done: a supervisor
    decides that first, and the order acts on what was said only then.

    A key or an SMS tells satisfaction only. When it says dissatisfied nobody knows yet what is wrong: the answer is
    kept on the try, the callback waits for a person, and None is returned. A person has to ask all of it.
    Raises ``Invalid`` naming what is missing, ``NotAllowedNow`` when the callback is settled or the order no longer
    waits for it.
    """
    reasons = list(dict.fromkeys(reasons))
    check_said(way, satisfaction, solved, contacted, reasons, explanation)
    _must_wait(session, callback)
    if way == Way.PERSON:
        must_hold(session, callback, actor)
    if satisfaction == Satisfaction.DISSATISFIED and way != Way.PERSON:
        _ask_in_person(session, callback, attempt, way=way, satisfaction=satisfaction, now=now)
        return None
    if explanation is not None:
        orders.explain(
            session,
            order=session.get_one(WorkOrder, callback.order_id),
            actor=actor,
            now=now,
            explanation=explanation,
            round=callback.round,
            satisfaction=satisfaction,
            solved=solved,
            contacted=contacted,
            reasons=reasons,
        )
    _move(callback, CallbackAction.EVALUATE)
    callback.done_at = now
    evaluation = Evaluation(
        callback_id=callback.id,
        order_id=callback.order_id,
        round=callback.round,
        way=way,
        satisfaction=satisfaction,
        solved=solved,
        contacted=contacted,
        reasons=reasons,
        comment=comment.strip() or None,
        officer_id=actor.user_id,
        at=now,
    )
    session.add(evaluation)
    if attempt is not None:
        attempt.answer = satisfaction
        _end(attempt, AttemptState.ENDED, now)
    _flush(session)
    if explanation is None:
        outbox.add(session, "order.evaluated", now=now, evaluation_id=evaluation.id)
    return evaluation


def apply_evaluation(
    session: Session, *, evaluation: Evaluation, now: datetime, calendar: Calendar, tz: tzinfo
) -> WorkOrder:
    """Let the order act on an evaluation: closed, or redone. Safe to run twice."""
    callback = session.get_one(Callback, evaluation.callback_id)
    order = session.get_one(WorkOrder, evaluation.order_id)
    officer = session.get(User, evaluation.officer_id) if evaluation.officer_id else None
    return orders.record_evaluation(
        session,
        order=order,
        actor=Actor(officer.id, officer.role, officer.unit_id, officer.display_name) if officer else SYSTEM,
        now=now,
        calendar=calendar,
        tz=tz,
        round=evaluation.round,
        satisfaction=evaluation.satisfaction,
        solved=evaluation.solved,
        contacted=evaluation.contacted,
        reasons=evaluation.reasons,
        heard=callback.state != CallbackState.NOT_REACHED,
    )


def unreachable(session: Session, *, attempt: Attempt, actor: Actor, now: datetime, tz: tzinfo) -> Callback:
    """Note that the citizen did not answer, plan the next try at another time of day, or give up. Safe to run twice.

    A try the carrier failed is no miss: there will be another. Given up after the profile's tries (three, pairwise two
    hours of the day apart, over two days or more): the citizen gets a message and the order closes as not reached,
    never counted as satisfied. Where a key or an SMS said dissatisfied before, that is sent to the order instead
    (``order.evaluated``): it counts, and a supervisor takes it from there.
    """
    if actor.role not in OFFICERS and actor != SYSTEM:
        raise NotPermitted("只有回访员或督办员可以回访")
    callback = attempt.callback
    order = session.get_one(WorkOrder, callback.order_id)
    if callback.state not in OPEN or order.status != Status.TO_CALL_BACK:
        _end(attempt, AttemptState.ENDED, now)
        _flush(session)
        return callback
    if attempt.state != AttemptState.FAILED and not attempt.answer:
        # a voice box counts as a connection to the carrier; whoever listened knows better
        attempt.state = AttemptState.NO_ANSWER
        attempt.ended_at = attempt.ended_at or now
    if callback.state == CallbackState.TAKEN and attempt.way == Way.PERSON:
        _move(callback, CallbackAction.RELEASE)
        callback.officer_id = None
    missed = [one.at.astimezone(tz) for one in callback.attempts if one.state == AttemptState.NO_ANSWER]
    bounds = rules_of(order).bounds
    if enough_tries(missed, tries=bounds.tries, days=bounds.try_days):
        _move(callback, CallbackAction.GIVE_UP)
        callback.done_at = now
        _flush(session)
        if gets_texts(order):
            outbox.add(session, "sms.send", now=now, template="not_reached", order_id=order.id)
        told = _told_dissatisfied(callback)
        if told is None:
            orders.not_reached(session, order=order, actor=SYSTEM, now=now, round=callback.round)
        else:
            _keep_unheard(session, callback, told, now=now)
        return callback
    callback.next_try_at = next_try(missed, now.astimezone(tz), tries=bounds.tries, days=bounds.try_days)
    _flush(session)
    return callback


def withdraw(session: Session, *, order_id: int, round: int, now: datetime) -> None:
    """Ask no more about this round of an order that was taken back. Safe to run twice; no callback: nothing.

    A telephone that rings already is not answered by a question; who talks with the citizen ends that call themselves.
    """
    callback = session.scalar(select(Callback).where(Callback.order_id == order_id, Callback.round == round))
    if callback is None or callback.state not in OPEN:
        return
    _move(callback, CallbackAction.WITHDRAW)
    callback.done_at = now
    under_way = live_attempt(callback)
    if under_way is not None and under_way.state != AttemptState.CONNECTED:
        _end(under_way, AttemptState.FAILED, now)
    _flush(session)


# ---- how a callback stands


def needs_person(callback: Callback) -> bool:
    """Whether a key or an SMS said dissatisfied, so that only a person may go on asking."""
    return _told_dissatisfied(callback) is not None


def live_attempt(callback: Callback) -> Attempt | None:
    """Return the try under way, if any."""
    return next((one for one in callback.attempts if RANK[AttemptState(one.state)] < LAST_RANK), None)


# ---- inside


def _must_wait(session: Session, callback: Callback) -> None:
    # the message that withdraws a callback comes a moment after its order was taken back
    if session.get_one(WorkOrder, callback.order_id).status != Status.TO_CALL_BACK:
        raise NotAllowedNow("工单已不在待回访环节，不用再回访", allowed=[], status=callback.state)


def _unaskable(order: WorkOrder) -> CloseKind | None:
    if not order.callback_wanted:
        return CloseKind.NOT_WANTED
    if order.caller is None or not (order.caller.phone or order.caller.contact):
        return CloseKind.NO_NUMBER
    return None


def _move(callback: Callback, action: CallbackAction) -> None:
    target = TRANSITIONS.get((CallbackState(callback.state), action))
    if target is None:
        word = STATE_WORDS[CallbackState(callback.state)]
        raise NotAllowedNow(f"这次回访{word}，不能再改", allowed=[], status=callback.state)
    callback.state = target


def _ask_in_person(
    session: Session, callback: Callback, attempt: Attempt | None, *, way: str, satisfaction: str, now: datetime
) -> None:
    _move(callback, CallbackAction.ASK_IN_PERSON)
    if attempt is None:
        attempt = Attempt(way=way, at=now, state=AttemptState.ENDED, ended_at=now)
        callback.attempts.append(attempt)
    attempt.answer = satisfaction
    _end(attempt, AttemptState.ENDED, now)
    callback.next_try_at = now
    _flush(session)


def _told_dissatisfied(callback: Callback) -> Attempt | None:
    return next((one for one in callback.attempts if one.answer == Satisfaction.DISSATISFIED), None)


def _keep_unheard(session: Session, callback: Callback, told: Attempt, *, now: datetime) -> None:
    evaluation = Evaluation(
        callback_id=callback.id,
        order_id=callback.order_id,
        round=callback.round,
        way=told.way,
        satisfaction=told.answer,
        solved="",
        contacted=None,
        reasons=[],
        officer_id=None,
        at=now,
    )
    session.add(evaluation)
    session.flush()
    outbox.add(session, "order.evaluated", now=now, evaluation_id=evaluation.id)


def _end(attempt: Attempt, state: AttemptState, now: datetime) -> None:
    if RANK[AttemptState(attempt.state)] < LAST_RANK:
        attempt.state = state
        attempt.ended_at = now


def _flush(session: Session) -> None:
    try:
        session.flush()
    except StaleDataError as fault:
        raise NotAllowedNow("这次回访刚刚有人处理过，请刷新后再看", stale=True) from fault
