"""Whatever people try, in whatever order, on orders that hang together: the promises of an order hold."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any, Final

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, event, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import SYSTEM, Actor
from hotline.errors import HotlineError, Invalid, NotAllowedNow, NotFound, NotPermitted
from hotline.follow_ups import service as follow_ups
from hotline.follow_ups.models import Callback, Evaluation
from hotline.units.service import add_line
from hotline.work_orders import derivation, journal, merging, queries
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import (
    DONE,
    UNASKED,
    UNCALLED,
    Action,
    CloseKind,
    Holder,
    RequestKind,
    RequestState,
    Status,
)
from hotline.work_orders.transitions import NOTES, TRANSITIONS
from tests.conftest import NOON
from tests.factories import orders, people
from tests.factories.orders import CALENDAR, TZ, WHEN
from tests.factories.units import WATER, City, city
from tests.unit.work_orders.life import LIST_DAY, STEPS, TIER_2

OF_THE_CITY: Final = (
    *("operator", "reviewer", "callback_officer", "supervisor", "county_clerk", "township_clerk"),
    *("other_township_clerk", "other_county_clerk", "far_township_clerk", "power_clerk"),
)
LEADERS: Final = ("county", "other_county", "power")
TRIED: Counter[Action] = Counter()  # how often each was done in all walks
LOOKED: Counter[str] = Counter()  # how often the promises were looked at, after a step and after a walk's beginning
SELDOM: Final = frozenset(
    {Action.WITHDRAW, Action.REFUSE, Action.ANSWER, Action.MERGE, Action.URGE, Action.SUPPLEMENT, Action.LEADER_NOTE}
)
DECISIONS: Final = frozenset(
    {
        *(Action.ACCEPT_RETURN, Action.REFUSE_RETURN, Action.TO_PANEL, Action.DESIGNATE),
        *(Action.GRANT_EXTENSION, Action.REFUSE_EXTENSION, Action.SUSPEND, Action.REFUSE_SUSPENSION, Action.RESUME),
        *(Action.DECIDE_CLAIM, Action.DECIDE_APPEAL, Action.REFUSE_EXPLANATION, Action.REPLY_NOTICE, Action.UNMERGE),
    }
)
SELDOM_AT_MOST: Final = 4  # steps that chance may pass over in one run
STAGES: Final = (
    *(Status.DRAFT, Status.TO_REVIEW, Status.TO_SIGN, Status.IN_HAND, Status.TO_SIGN_TIER3, Status.IN_HAND_TIER3),
    *(Status.TO_CHECK_TIER2, Status.TO_CHECK_HUB, Status.TO_CALL_BACK),
)
BELOW: Final = (Status.TO_SIGN_TIER3, Status.IN_HAND_TIER3, Status.TO_CHECK_TIER2)
STAGE: Final = st.sampled_from(STAGES)
SEED: Final = st.binary(min_size=8, max_size=8)


class Life(RuleBasedStateMachine):
    """Three orders of a small city; anybody tries anything at any time."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.session = Session(engine, expire_on_commit=False)  # rolled back at the end: the next finds nothing
        self.here: City = city(self.session)
        self.actors: dict[str, Actor] = {name: getattr(self.here, name) for name in OF_THE_CITY}
        for name in LEADERS:
            self.actors[f"{name}_leader"] = people.actor(self.session, Role.U2L, unit=getattr(self.here, name))
        self.actors["panel"] = people.actor(self.session, Role.ADJ)
        self.actors["duty_officer"] = people.actor(self.session, Role.DTY, unit=self.here.county)
        self.line = add_line(
            self.session,
            version="2026-1",
            code="L07",
            matter="公共供水停水",
            category_code=WATER,
            lead_unit=self.here.power,
            valid_from=LIST_DAY,
            now=NOON,
        ).id
        self.now = NOON
        self.orders: list[WorkOrder] = []
        self._dice = random.Random(0)
        self._done: set[Action] = set()  # in this walk
        self._looked_at: dict[int, int] = {}  # an order's events when its promises were last looked at
        self._parts_seen: dict[int, list[tuple[int, str]]] = {}  # an order's parts when last asked who sees it
        LOOKED["walk"] += 1

    def teardown(self) -> None:
        for order in self.orders:
            event(f"ended {order.status} {order.close_kind}")
        for name in ("dispatch_count", "return_count", "extension_count", "redo_count", "review_count"):
            event(f"{name} up to {max((getattr(order, name) for order in self.orders), default=0)}")
        self.session.rollback()
        self.session.close()

    @initialize(seed=SEED, stages=st.tuples(STAGE, STAGE, STAGE))
    def begin(self, seed: bytes, stages: tuple[Status, Status, Status]) -> None:
        """Begin anywhere on the line: a walk from the first word seldom gets to the last.

        One throw of dice for the whole walk: values drawn at each step repeat themselves, as Hypothesis likes them
        to, and then the same few things are tried over and over.
        """
        self._dice = random.Random(seed)
        nobody = orders.caller(self.session, phone=None)
        first = self.order_at(stages[0])
        second = self.order_at(stages[1], who=first.caller, urgency="urgent" if self.odd(3) else "normal")
        third = self.order_at(stages[2], who=nobody, source="巡查" if self.odd(2) else "电话")
        self.orders = [first, second, third]
        self.now = max(order.updated_at for order in self.orders)
        for order in self.orders:
            if order.status in (Status.TO_SIGN, Status.IN_HAND) and self.odd(2):
                self.attempt(order, self.here.county_clerk, Action.RETURN)
            if order.status == Status.RETURN_ASKED and self.odd(3):
                self.attempt(order, self.here.reviewer, Action.TO_PANEL)

    def order_at(self, stage: Status, *, source: str = "电话", **fields: Any) -> WorkOrder:
        """Return an order at a stage; one from a patrol has nobody behind it."""
        deep = stage in BELOW or self.odd(2)
        if stage in (Status.DRAFT, Status.TO_REVIEW):
            fields["confidential"] = self.odd(3)
        order = orders.order_at(self.session, self.here, stage, via_township=deep, assisting=self.odd(3), **fields)
        if source == "巡查":
            order.source_channel, order.caller, order.caller_id = source, None, None
            self.session.flush()
        return order

    # ---- what is drawn

    def pick(self, below: int) -> int:
        """Return the next small number of this walk."""
        return self._dice.randrange(below)

    def odd(self, one_in: int) -> bool:
        """Whether it is the one time in so many."""
        return self.pick(one_in) == 0

    def units(self, count: int, names: Sequence[str] = TIER_2) -> list[int]:
        """Return the ids of some units, each once."""
        begin = self.pick(len(names))
        return [getattr(self.here, names[(begin + step) % len(names)]).id for step in range(count)]

    def some_order(self) -> WorkOrder:
        """Return one of the walk's orders."""
        return self.orders[self.pick(len(self.orders))]

    def other(self, order: WorkOrder) -> WorkOrder:
        """Return another order."""
        rest = [one for one in self.orders if one is not order]
        return rest[self.pick(len(rest))]

    # ---- what people try

    @rule(minutes=st.integers(0, 3000))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes, seconds=minutes % 60)

    @rule()
    def somebody_tries(self) -> None:
        for _ in range(3):
            who, action = sorted(self.actors)[self.pick(len(self.actors))], sorted(STEPS)[self.pick(len(STEPS))]
            self.attempt(self.some_order(), self.actors[who], action)

    @rule()
    def somebody_does_what_is_offered(self) -> None:
        """The way through a life is narrow: mostly people do what their pages offer, and seldom what ends it."""
        for _ in range(3):
            self.one_does_what_is_offered(self.some_order(), lambda action: action not in SELDOM or self.odd(4))

    @rule()
    def somebody_decides_what_was_asked(self) -> None:
        self.one_does_what_is_offered(self.some_order(), DECISIONS.__contains__)

    @rule()
    def whoever_holds_it_takes_it_on(self) -> None:
        """The main line, as fast as it goes."""
        order = self.some_order()
        line = (Action.SUBMIT, Action.RELEASE, Action.DISPATCH, Action.SIGN, Action.REPORT, Action.APPROVE)
        for action in line:
            for actor in self.actors.values():
                if action in [one for one, _word in queries.allowed_actions(order, actor, self.now)]:
                    self.attempt(order, actor, action)
                    break

    def one_does_what_is_offered(self, order: WorkOrder, likes: Callable[[Action], bool]) -> None:
        """Somebody does one of the things the pages offer; mostly one that was not done in this walk before."""
        offered: dict[Action, list[Actor]] = {}
        for actor in self.actors.values():
            for action, _word in queries.allowed_actions(order, actor, self.now):
                if action in STEPS and likes(action):
                    offered.setdefault(action, []).append(actor)
        fresh = sorted(offered.keys() - self._done)
        among = sorted(offered) if not fresh or self.odd(3) else fresh
        if among:
            action = among[self.pick(len(among))]
            self.attempt(order, offered[action][self.pick(len(offered[action]))], action)

    def attempt(self, order: WorkOrder, actor: Actor, action: Action) -> None:
        """What is allowed happens; what is not leaves everything as it was."""
        allowed = {found for found, _word in queries.allowed_actions(order, actor, self.now)}
        before = _state(order)
        try:
            with self.session.no_autoflush:
                STEPS[action](self, order, actor)
            self.session.flush()
        except (NotAllowedNow, NotPermitted, NotFound) as fault:
            refused = f"{action} at {order.status} was offered to {actor.role} and refused: {fault}"
            assert action not in allowed or _decides_own(order, actor, action), refused
            assert _state(order) == before
        except Invalid:
            assert _state(order) == before
        else:
            done = f"{action} at {before[0]} was not offered to {actor.role} and done"
            assert action in allowed or (action == Action.ARCHIVE and actor.role != SYSTEM.role), done
            self._done.add(action)
            TRIED[action] += 1

    # ---- the citizen and the system

    @rule()
    def the_citizen_is_asked(self) -> None:
        """Mostly by who may, and two of three want it done again: the way through the redos is the long one."""
        callback = self.callback_of_one()
        if callback is None:
            return
        who = "callback_officer" if self.pick(4) else sorted(self.actors)[self.pick(len(self.actors))]
        by_key, content = self.odd(3), self.odd(3)
        try:
            if not by_key:
                follow_ups.take(self.session, callback=callback, actor=self.actors[who], now=self.now)
            follow_ups.evaluate(
                self.session,
                callback=callback,
                satisfaction=("satisfied", "fair")[self.pick(2)] if content else "dissatisfied",
                solved=("yes", "partly", "no", "impossible", "")[self.pick(5)],
                contacted=(True, False, None)[self.pick(3)],
                reasons=[] if content else ["slow"],
                way="keypad" if by_key else "person",
                actor=SYSTEM if by_key else self.actors[who],
                now=self.now,
            )
        except HotlineError:
            return
        assert by_key or who in ("callback_officer", "supervisor")
        self.messages_arrive()

    @rule()
    def nobody_answers(self) -> None:
        callback = self.callback_of_one()
        if callback is None:
            return
        self.now += timedelta(hours=(3, 5, 20, 27)[self.pick(4)])
        try:
            attempt = follow_ups.plan_attempt(self.session, callback=callback, way="keypad", actor=SYSTEM, now=self.now)
        except NotAllowedNow:
            return
        follow_ups.unreachable(self.session, attempt=attempt, actor=SYSTEM, now=self.now, tz=TZ)

    def callback_of_one(self) -> Callback | None:
        """Return the callback of an order that waits for one."""
        waiting = [order for order in self.orders if order.status == Status.TO_CALL_BACK]
        if not waiting:
            return None
        order = waiting[self.pick(len(waiting))]
        follow_ups.open_callback(self.session, order=order, now=self.now, **WHEN)
        return self.callback(order)

    @rule()
    def messages_arrive(self) -> None:
        """Evaluations again and again, as a relay may deliver them; followers go where their main order went."""
        for evaluation in self.session.scalars(select(Evaluation)).all():
            follow_ups.apply_evaluation(self.session, evaluation=evaluation, now=self.now, **WHEN)
        for order in self.orders:
            if order.status == Status.TO_CALL_BACK or order.status in DONE:
                settled = order.status == Status.TO_CALL_BACK or order.close_kind not in UNASKED
                merging.follow(
                    self.session, main=order, round=order.round, settled=settled, now=self.now, at_most=10, **WHEN
                )

    def callback(self, order: WorkOrder) -> Callback | None:
        return self.session.scalar(
            select(Callback).where(Callback.order_id == order.id).order_by(Callback.round.desc()).limit(1)
        )

    # ---- what always holds

    @invariant()
    def every_minute_has_one_holder(self) -> None:
        LOOKED["step"] += 1
        for order in self.orders:
            spans = order.spans
            assert spans[0].from_at == order.created_at
            gaps = [(one.to_at, two.from_at) for one, two in pairwise(spans) if one.to_at != two.from_at]
            closings = [event for event in order.events if event.to_status in DONE and event.from_status not in DONE]
            # the clock stands only between a closing and a review
            assert all(any(closing.at == begun for closing in closings) for begun, _ in gaps)
            assert (spans[-1].to_at is None) == (order.status not in DONE)
            until = max(self.now, order.updated_at)
            ended = sum(((two - one) for one, two in gaps if one is not None), timedelta())
            last = spans[-1].to_at or until
            elapsed = last - spans[0].from_at - ended
            held = sum(((span.to_at or until) - span.from_at for span in spans), timedelta())
            assert held == elapsed

    @invariant()
    def promises_hold(self) -> None:
        """Looked at again for each order that something happened to."""
        for order in self.orders:
            if self._looked_at.get(order.id) == order.event_count:
                continue
            self._looked_at[order.id] = order.event_count
            assert journal.verify_one(order, list(order.events)) is None
            found = derivation.of_order(order, CALENDAR, TZ)
            assert order.deadline_at == (found.at if found else None), "the deadline follows from the events"
            self.only_the_caller_and_a_granted_pause_stop_the_clock(order)
            self.no_unit_sees_what_its_subtree_does_not_hold(order)
            self.nothing_closes_without_the_hubs_check_and_a_callback(order)
            self.returns_redos_and_extensions_have_an_end(order)

    def only_the_caller_and_a_granted_pause_stop_the_clock(self, order: WorkOrder) -> None:
        for span in order.spans:
            if span.holder in (Holder.CALLER, Holder.PAUSE):
                into = [one for one in order.events if one.at == span.from_at]
                assert any(one.to_status in (Status.NEEDS_INFO, Status.SUSPENDED) for one in into)

    def no_unit_sees_what_its_subtree_does_not_hold(self, order: WorkOrder) -> None:
        parts = [(sub.unit_id, sub.state) for sub in order.sub_orders]
        if self._parts_seen.get(order.id) == parts:
            return
        self._parts_seen[order.id] = parts
        below = {self.here.township.id: self.here.county.id, self.here.other_township.id: self.here.county.id}
        below[self.here.far_township.id] = self.here.other_county.id
        holding = {sub.unit_id for sub in order.sub_orders}
        seeing = holding | {below[unit] for unit in holding if unit in below}
        for actor in self.actors.values():
            if actor.unit_id is not None:
                assert queries.sees(self.session, actor, order) == (actor.unit_id in seeing)

    def nothing_closes_without_the_hubs_check_and_a_callback(self, order: WorkOrder) -> None:
        if order.status not in (Status.CLOSED, Status.ARCHIVED) or not order.close_kind:
            return
        if order.close_kind in UNASKED:
            return  # the stated exceptions: nobody answered, withdrawn, nobody behind it
        told = [one for one in order.events if one.to_status == Status.TO_CALL_BACK != one.from_status]
        assert told, f"closed as {order.close_kind} and nobody was to be called"
        # checked by a reviewer, settled by a supervisor, or with the main order that was
        assert told[-1].actor_role in {"REV", "SUP", "SYS"}
        callback = self.callback(order)
        if order.close_kind in UNCALLED:
            assert order.final_satisfaction == "none"
        elif order.close_kind == CloseKind.EXPLAINED:
            assert (order.final_satisfaction, order.final_solved) == ("dissatisfied", "impossible")
        elif order.merged_into_id is None and callback is not None and callback.round == order.round:
            said = self.session.scalars(select(Evaluation).where(Evaluation.callback_id == callback.id)).one()
            assert said.satisfaction == order.final_satisfaction

    def returns_redos_and_extensions_have_an_end(self, order: WorkOrder) -> None:
        assert order.return_count <= 3
        assert order.redo_count <= 2
        assert order.extension_count <= 2
        granted = [
            row for row in order.requests if row.kind == RequestKind.RETURN and row.state == RequestState.GRANTED
        ]
        led = [row for row in granted if row.tier == 2 and row.sub_order is not None and row.sub_order.part == "lead"]
        assert len(led) <= 3, "a fourth return"


def _state(order: WorkOrder) -> tuple[Any, ...]:
    parts = [(sub.unit_id, sub.state) for sub in order.sub_orders]
    asked = [(row.kind, row.state) for row in order.requests]
    return order.status, order.event_count, parts, asked, order.deadline_at, order.merged_into_id


def _decides_own(order: WorkOrder, actor: Actor, action: Action) -> bool:
    """Who asked does not decide: that is known only from the request, not from what a role may do."""
    del order, actor
    return action in (Action.CLOSE, Action.REFUSE_EXPLANATION)


WALKS: Final = settings(
    max_examples=275,
    stateful_step_count=45,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking a walk of hundreds of statements takes minutes
)


def test_whatever_people_try(engine: Engine) -> None:
    """More than ten thousand steps."""
    run_state_machine_as_test(lambda: Life(engine), settings=WALKS)
    assert LOOKED["step"] - LOOKED["walk"] >= 10_000
    never = STEPS.keys() - TRIED.keys()
    assert len(never) <= SELDOM_AT_MOST, f"ten thousand steps take nearly every step there is, not {sorted(never)}"


def test_every_row_of_the_table_leads_to_a_known_state_and_names_its_line():
    for (status, _action), rule_ in TRANSITIONS.items():
        assert status in {"", *Status}
        assert rule_.to
        assert rule_.roles
        assert rule_.line.startswith("T")
    assert all(states <= set(Status) for states, _rule in NOTES.values())


def test_every_action_of_the_tables_is_tried():
    known = {action for _, action in TRANSITIONS} | set(NOTES)
    by_others = {Action.OPEN, Action.REDO, Action.RECOUNT}  # the factory, the citizen, the calendar
    assert known - set(STEPS) == by_others
