"""The one place where an order moves: the rule, the event, the holder, the due time and the messages in one go."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, ParamSpec, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from hotline import outbox
from hotline.accounts.roles import TIER_2, TIER_3, UNIT_LIKE, Role
from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotAllowedNow, NotFound, NotPermitted
from hotline.work_orders import guards, journal
from hotline.work_orders.asks import requests
from hotline.work_orders.guards import lead_sub, live_subs
from hotline.work_orders.models import HolderSpan, OrderEvent, SubOrder, WorkOrder
from hotline.work_orders.states import DONE, STATES, Action, Holder, Part, Status, SubState, Urgency
from hotline.work_orders.transitions import NOTES, START, SUB_TRANSITIONS, TRANSITIONS, Rule
from hotline.work_orders.words import ACTION_WORDS, SUB_WORDS

P = ParamSpec("P")
R = TypeVar("R")

# a note an assisting unit writes where the lead takes a step of the main line
ASSISTING_ONLY: Final = frozenset({Action.SIGN, Action.HAND_DOWN, Action.RECALL, Action.REPORT, Action.RETURN})
DECIDED: Final = frozenset({Action.ACCEPT_RETURN, Action.REFUSE_RETURN})
# notes of any part of the order, lead or assisting
BESIDE: Final = ASSISTING_ONLY | DECIDED | {Action.PROGRESS}
# notes of the part that leads at the tier whose step it is, or at the tier of the rule
HOLDERS: Final = frozenset(
    {Action.ASK_EXTENSION, Action.GRANT_EXTENSION, Action.REFUSE_EXTENSION, Action.ASK_SUSPENSION}
)
# also after the parts are closed
OF_THE_LEAD_UNIT: Final = frozenset({Action.CLAIM, Action.APPEAL})
FOLLOW: Final = "order.follow"  # topic: the orders merged into one that moved go on (see ``merging.follow``)


@dataclass(frozen=True, slots=True)
class Message:
    """An outbox row to be: ids and codes only."""

    topic: str
    payload: Mapping[str, Any] = field(default_factory=dict)


def push(order: WorkOrder, unit_id: int, what: str) -> Message:
    """Tell a unit that it must act."""
    return Message("order.push", {"order_id": order.id, "unit_id": unit_id, "what": what})


def alarm(order: WorkOrder, unit_ids: Iterable[int]) -> list[Message]:
    """Let the duty officers of these units be rung, or no longer, as their parts stand; nothing unless it is urgent."""
    if order.urgency == Urgency.NORMAL:
        return []
    return [Message("alarm.ring", {"order_id": order.id, "unit_id": unit_id}) for unit_id in unit_ids]


def sms(order: WorkOrder, template: str) -> list[Message]:
    """Tell the citizen, unless no text may or can reach them (see ``guards.gets_texts``)."""
    return [Message("sms.send", {"template": template, "order_id": order.id})] if guards.gets_texts(order) else []


# ---- who may do what


def sub_of(order: WorkOrder, actor: Actor) -> SubOrder:
    """Return the live sub-order of the actor's unit; ``NotFound`` for a unit that holds none."""
    found = next((sub for sub in live_subs(order) if sub.unit_id == actor.unit_id), None)
    if found is None:
        raise NotFound("没有这张工单")
    return found


def is_assisting(order: WorkOrder, actor: Actor) -> bool:
    """Whether the actor's unit only assists here."""
    return actor.role in UNIT_LIKE and sub_of(order, actor).part == Part.ASSISTING


def rule_for(order: WorkOrder, action: Action, actor: Actor, now: datetime | None = None) -> Rule:
    """Return the row that lets ``actor`` do ``action`` now. Without ``now`` nothing is said about being too late.

    Every verb asks this before it changes anything. Raises ``NotAllowedNow`` (the state or a guard forbids it; says
    what is allowed), ``NotPermitted`` (not this person) or ``NotFound`` (a unit that has nothing to do with it).
    """
    rule = _row(order, action, actor)
    if actor.role in UNIT_LIKE and order.status != START:
        tier = rule.tier or STATES[Status(order.status)].tier
        holding = lead_sub(order, tier) if tier else None
        if sub_of(order, actor) is not holding:
            raise NotPermitted("这一步由主办单位办理")
    guards.check(order, action, actor, now)
    return rule


def _row(order: WorkOrder, action: Action, actor: Actor) -> Rule:
    rule = TRANSITIONS.get((order.status, action))
    if rule is None:
        raise not_now(order, action, actor)
    if actor.role not in rule.roles:
        raise NotPermitted(f"您的岗位不能{ACTION_WORDS[action]}这张工单")
    return rule


def note_rule_for(order: WorkOrder, action: Action, actor: Actor, now: datetime | None = None) -> Rule:
    """Like ``rule_for``, for what leaves the main state as it is."""
    states, rule = NOTES[action]
    if order.status not in states:
        raise not_now(order, action, actor)
    if actor.role not in rule.roles:
        raise NotPermitted(f"您的岗位不能{ACTION_WORDS[action]}")
    if actor.role in UNIT_LIKE:
        _part_may(order, action, actor, rule)
    guards.check_note(order, action, actor, now)
    return rule


def _part_may(order: WorkOrder, action: Action, actor: Actor, rule: Rule) -> None:
    """Whether the actor's unit stands where a note of this kind is written."""
    if action in OF_THE_LEAD_UNIT:
        if order.lead_unit_id != actor.unit_id:
            raise NotPermitted("这一步由主办单位办理")
        return
    if action == Action.REPLY_NOTICE:
        if all(sub.unit_id != actor.unit_id for sub in order.sub_orders):
            raise NotFound("没有这张工单")
        return
    sub = sub_of(order, actor)
    if action in BESIDE:
        if actor.role != Role.DTY and actor.role not in (TIER_2 if sub.tier == 2 else TIER_3):
            raise NotPermitted(f"您的岗位不能{ACTION_WORDS[action]}")
        if action not in DECIDED:
            next_sub_state(sub, action)
    elif action in HOLDERS and sub is not lead_sub(order, rule.tier or STATES[Status(order.status)].tier or 2):
        raise NotPermitted("这一步由主办单位办理")


def allowed(order: WorkOrder, actor: Actor, now: datetime | None = None) -> list[Action]:
    """Return what ``actor`` may do with the order now, main line first."""
    found: list[Action] = []
    main = [(action, rule_for) for status, action in TRANSITIONS if status == order.status]
    notes = [(action, note_rule_for) for action, (states, _rule) in NOTES.items() if order.status in states]
    for action, ask in main + notes:
        try:
            # a leading unit signs and reports on the main line; only assisting ones do so beside it
            beside = ask is note_rule_for and action in ASSISTING_ONLY and actor.role in UNIT_LIKE
            if beside and not is_assisting(order, actor):
                continue
            ask(order, action, actor, now)
        except (NotAllowedNow, NotPermitted, NotFound):
            continue
        if action not in found:
            found.append(action)
    return found


def not_now(order: WorkOrder, action: Action, actor: Actor) -> NotAllowedNow:
    """Return the error that names what is allowed now."""
    words = [ACTION_WORDS[item] for item in allowed(order, actor)]
    state = STATES[Status(order.status)].word
    then = f"现在可以：{'、'.join(words)}" if words else "现在没有您可以办理的步骤"
    return NotAllowedNow(f"工单{state}，不能{ACTION_WORDS[action]}；{then}", allowed=words, status=order.status)


def next_sub_state(sub: SubOrder, action: Action) -> SubState:
    """Return where a unit's part goes by ``action``; ``NotAllowedNow`` when it goes nowhere."""
    if action == Action.REFUSE_RETURN and sub.state == SubState.RETURNING:
        return SubState(sub.before_return)
    target = SUB_TRANSITIONS.get((SubState(sub.state), action))
    if target is None:
        word = SUB_WORDS[SubState(sub.state)]
        possible = [ACTION_WORDS[step] for state, step in SUB_TRANSITIONS if state == sub.state and step in NOTES]
        raise NotAllowedNow(
            f"本单位{word}，不能{ACTION_WORDS[action]}", allowed=list(dict.fromkeys(possible)), status=sub.state
        )
    return target


def move_sub(sub: SubOrder, action: Action) -> None:
    """Take a unit's part one step on."""
    target = next_sub_state(sub, action)
    sub.before_return = sub.state if target == SubState.RETURNING else ""
    sub.state = target


# ---- moving


def advance(
    session: Session,
    order: WorkOrder,
    action: Action,
    *,
    actor: Actor,
    now: datetime,
    to: Status | None = None,
    holder: SubOrder | None = None,
    step_due_at: datetime | None = None,
    data: Mapping[str, Any] | None = None,
    private: Mapping[str, Any] | None = None,
    for_units: Iterable[int] = (),
    messages: Sequence[Message] = (),
) -> OrderEvent:
    """Take the order one step on by the table. The only function that sets ``status``.

    ``to`` is needed where the row leads to more than one state; ``holder`` is the sub-order charged in states
    that name no tier, or instead of the hub (a county that decides what its township returns). ``private`` may be
    read by the hub, the actor's own line of units and ``for_units``. The verb has asked ``rule_for`` before it moved
    the parts; state and role are looked at once more. Raises ``NotAllowedNow`` when somebody else was faster.
    """
    rule = _row(order, action, actor)
    target = to or rule.to[0]
    if target not in rule.to:
        raise Invalid(f"{action} 不通向 {target}")
    at = _not_before(order, now)
    before = order.status
    with session.no_autoflush:
        event = _append(
            session, order, action, target, actor=actor, at=at, data=data, private=private, for_units=for_units
        )
        order.status = target
        order.step_due_at = step_due_at
        _charge(order, target, holder, at)
        order.closed_at = (order.closed_at or at) if target in DONE else None
        requests.drop_overtaken(order, now=at)
        flush(session)
    for message in (*messages, *_for_followers(session, order, before)):
        outbox.add(session, message.topic, now=now, **message.payload)
    return event


def _for_followers(session: Session, order: WorkOrder, before: str) -> list[Message]:
    """Move the orders merged into this one on, whichever way it came to be settled or given up."""
    settled = order.status == Status.TO_CALL_BACK
    given_up = order.status in DONE and before not in (Status.TO_CALL_BACK, *DONE)
    if not (settled or given_up):
        return []
    followed = session.scalar(select(WorkOrder.id).where(WorkOrder.merged_into_id == order.id).limit(1))
    payload = {"order_id": order.id, "round": order.round, "settled": settled}
    return [Message(FOLLOW, payload)] if followed is not None else []


def note(
    session: Session,
    order: WorkOrder,
    action: Action,
    *,
    actor: Actor,
    now: datetime,
    data: Mapping[str, Any] | None = None,
    private: Mapping[str, Any] | None = None,
    for_units: Iterable[int] = (),
    messages: Sequence[Message] = (),
) -> OrderEvent:
    """Write an event that leaves the main state as it is; the verb has asked ``note_rule_for`` before."""
    with session.no_autoflush:
        at = _not_before(order, now)
        status = Status(order.status)
        event = _append(
            session, order, action, status, actor=actor, at=at, data=data, private=private, for_units=for_units
        )
        flush(session)
    for message in messages:
        outbox.add(session, message.topic, now=now, **message.payload)
    return event


def _not_before(order: WorkOrder, now: datetime) -> datetime:
    # the clocks of two machines differ by moments; an order's own time never runs backward
    return max(now, order.updated_at)


def _append(
    session: Session,
    order: WorkOrder,
    action: Action,
    target: Status,
    *,
    actor: Actor,
    at: datetime,
    data: Mapping[str, Any] | None,
    private: Mapping[str, Any] | None,
    for_units: Iterable[int],
) -> OrderEvent:
    readers = sorted(set(for_units))
    kept = {key: value for key, value in (private or {}).items() if value not in (None, "")}
    salt, commitment = journal.commit_to(kept) if kept else (None, "")
    event = OrderEvent(
        seq=order.event_count + 1,
        action=action,
        from_status=order.status,
        to_status=target,
        at=at,
        actor_user_id=actor.user_id,
        actor_role=actor.role,
        actor_unit_id=actor.unit_id,
        data={**(data or {}), **({"for_units": readers} if readers else {})},
        private=kept or None,
        private_salt=salt,
        private_commitment=commitment,
        prev_hash=order.head_hash or journal.first_link(order.order_no),
    )
    event.hash = journal.seal(event, order.order_no)
    session.add(event)
    event.order = order
    order.event_count, order.head_hash, order.updated_at = event.seq, event.hash, at
    order.watch_at = None if target in DONE else at  # whatever happened may have moved what the timers wait for
    return event


def _charge(order: WorkOrder, target: Status, holder: SubOrder | None, at: datetime) -> None:
    """End the present span and begin the next, unless the same one is charged on."""
    state = STATES[target]
    unit_id = None
    charged = Holder.UNIT if holder is not None and state.holder is not None else state.holder
    if charged == Holder.UNIT:
        sub = holder or (lead_sub(order, state.tier) if state.tier else None)
        if sub is None:
            raise Invalid(f"{state.word} 没有承办单位")
        unit_id = sub.unit_id
    running = next((span for span in order.spans if span.to_at is None), None)
    if running is not None:
        if (running.holder, running.unit_id) == (charged, unit_id):
            return
        running.to_at = at
    if charged is not None:
        order.spans.append(HolderSpan(holder=charged, unit_id=unit_id, from_at=at))


def flush(session: Session) -> None:
    """Write what is pending; ``NotAllowedNow`` when somebody else changed the order since it was read."""
    with _one_at_a_time():
        session.flush()


def one_at_a_time(verb: Callable[P, R]) -> Callable[P, R]:
    """Let a verb that reads between its changes say the same wherever its late coming shows, not only at its end."""

    @functools.wraps(verb)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        with _one_at_a_time():
            return verb(*args, **kwargs)

    return told


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    try:
        yield
    except StaleDataError as fault:
        raise NotAllowedNow("这张工单刚刚有人处理过，请刷新后再看", stale=True) from fault
