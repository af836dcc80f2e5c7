"""Whatever people try, in whatever order, the promises of an order hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, event, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM, Actor
from hotline.errors import HotlineError, Invalid, NotAllowedNow, NotFound, NotPermitted
from hotline.follow_ups import service as follow_ups
from hotline.follow_ups.models import Callback, Evaluation
from hotline.work_orders import journal, queries, service
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import UNCALLED, Action, CloseKind, Status
from hotline.work_orders.transitions import NOTES, TRANSITIONS
from tests.conftest import NOON
from tests.factories import orders
from tests.factories.orders import TZ, WHEN, report_fields
from tests.factories.units import City, city

ACTORS = (
    "operator",
    "reviewer",
    "callback_officer",
    "supervisor",
    "county_clerk",
    "township_clerk",
    "other_township_clerk",
    "other_county_clerk",
    "far_township_clerk",
    "power_clerk",
)
SIMPLE = (
    Action.ANSWER,
    Action.SUBMIT,
    Action.SIGN,
    Action.REPORT,
    Action.APPROVE,
    Action.REJECT,
    Action.URGE,
)
UNITS = ("county", "township", "other_township", "other_county", "far_township", "power")


class OneOrder(RuleBasedStateMachine):
    """One order of a small city; anybody tries anything at any time."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.session = Session(engine, expire_on_commit=False)  # rolled back at the end: the next finds nothing
        self.here: City = city(self.session)
        self.now = NOON
        self.order: WorkOrder = orders.draft(self.session, self.here)

    def teardown(self) -> None:
        event(f"ended {self.order.status} {self.order.close_kind} redone {self.order.redo_count}")
        self.session.rollback()
        self.session.close()

    @initialize(confidential=st.booleans(), odd=st.integers(0, 9), deep=st.integers(0, 9), via_township=st.booleans())
    def begin(self, confidential: bool, odd: int, deep: int, via_township: bool) -> None:
        """Begin anywhere on the line: a random walk from the first word seldom gets to the last."""
        who = orders.caller(self.session, phone=None if odd == 1 else orders.PHONE)
        self.order = orders.draft(self.session, self.here, who=who, confidential=confidential, callback_wanted=odd != 2)
        for _ in range(deep):
            if via_township and self.order.status == Status.IN_HAND:
                self.hand_down("county_clerk", "township")
            else:
                self.take_the_next_step_there_is()

    # ---- what people try

    def attempt(self, action: Action, actor: Actor, act: Callable[[], object]) -> None:
        """What is allowed happens; what is not leaves everything as it was."""
        before = (self.order.status, self.order.event_count, len(self.order.sub_orders), self.order.redo_count)
        allowed = {found for found, _word in queries.allowed_actions(self.order, actor)}
        try:
            act()
        except (NotAllowedNow, NotPermitted, NotFound):
            assert action not in allowed, f"{action} was offered to {actor} and refused"
        except Invalid:
            pass
        else:
            assert action in allowed, f"{action} was not offered to {actor} and done"
            assert self.order.event_count > before[1]
            return
        after = (self.order.status, self.order.event_count, len(self.order.sub_orders), self.order.redo_count)
        assert after == before

    def actor(self, name: str) -> Actor:
        return getattr(self.here, name)

    @property
    def common(self) -> dict[str, Any]:
        return {"session": self.session, "order": self.order, "now": self.now}

    @rule(minutes=st.integers(0, 4000))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes, seconds=minutes % 60)

    @rule(who=st.sampled_from(ACTORS), action=st.sampled_from(SIMPLE))
    def somebody_tries(self, who: str, action: Action) -> None:
        actor, common = self.actor(who), self.common
        acts: dict[Action, Callable[[], object]] = {
            Action.ANSWER: lambda: service.answer(actor=actor, no_entry_reason="询问天气", **common),
            Action.SUBMIT: lambda: service.submit(actor=actor, **common, **WHEN),
            Action.SIGN: lambda: service.sign(actor=actor, **common),
            Action.REPORT: lambda: service.report(actor=actor, **report_fields(), **common, **WHEN),
            Action.APPROVE: lambda: service.approve(actor=actor, **common, **WHEN),
            Action.REJECT: lambda: service.reject(actor=actor, reason="没有答到点上", **common),
            Action.URGE: lambda: service.urge(actor=actor, **common),
        }
        self.attempt(action, actor, acts[action])

    @rule(
        who=st.sampled_from(ACTORS), lead=st.sampled_from(UNITS), assisting=st.lists(st.sampled_from(UNITS), max_size=2)
    )
    def dispatch(self, who: str, lead: str, assisting: list[str]) -> None:
        actor = self.actor(who)
        to = {
            "lead_unit_id": getattr(self.here, lead).id,
            "assisting_ids": [getattr(self.here, name).id for name in assisting],
        }
        self.attempt(Action.DISPATCH, actor, lambda: service.dispatch(actor=actor, **to, **self.common, **WHEN))

    @rule(who=st.sampled_from(ACTORS), unit=st.sampled_from(UNITS))
    def hand_down(self, who: str, unit: str) -> None:
        actor, unit_id = self.actor(who), getattr(self.here, unit).id
        self.attempt(
            Action.HAND_DOWN,
            actor,
            lambda: service.hand_down(actor=actor, unit_id=unit_id, **self.common, **WHEN),
        )

    @rule()
    def archive(self) -> None:
        try:
            service.archive(actor=SYSTEM, **self.common)
        except NotAllowedNow:
            assert self.order.status != Status.ANSWERED

    @rule()
    def take_the_next_step_there_is(self) -> None:
        """Whoever's turn it is does what they should."""
        here, at = self.here, self.order.status
        lead = self.order.lead_unit
        second = here.power_clerk if lead is here.power else here.county_clerk
        if lead is here.other_county:
            second = here.other_county_clerk
        below = {unit.unit_id for unit in self.order.sub_orders if unit.tier == 3 and unit.part == "lead"}
        third = next((actor for actor in map(self.actor, ACTORS) if actor.unit_id in below), here.township_clerk)
        steps: dict[str, Callable[[], object]] = {
            Status.DRAFT: lambda: service.submit(actor=here.operator, **self.common, **WHEN),
            Status.TO_REVIEW: self.release_and_dispatch,
            Status.TO_SIGN: lambda: service.sign(actor=second, **self.common),
            Status.IN_HAND: lambda: service.report(actor=second, **report_fields(), **self.common, **WHEN),
            Status.TO_SIGN_TIER3: lambda: service.sign(actor=third, **self.common),
            Status.IN_HAND_TIER3: lambda: service.report(actor=third, **report_fields(), **self.common, **WHEN),
            Status.TO_CHECK_TIER2: lambda: service.approve(actor=second, **self.common, **WHEN),
            Status.TO_CHECK_HUB: lambda: service.approve(actor=here.reviewer, **self.common, **WHEN),
            Status.TO_CALL_BACK: self.open_callback,
        }
        if at in steps:
            steps[at]()

    def release_and_dispatch(self) -> None:
        if self.order.confidential:
            self.release("reviewer")
        self.dispatch("reviewer", "county", ["power"])

    @rule(who=st.sampled_from(ACTORS))
    def release(self, who: str) -> None:
        actor = self.actor(who)
        self.attempt(
            Action.RELEASE,
            actor,
            lambda: service.release(actor=actor, content=orders.RELEASED, **self.common),
        )

    @rule()
    def everybody_does_their_part(self) -> None:
        for _ in range(6):
            if self.order.status != Status.TO_CALL_BACK:
                self.take_the_next_step_there_is()

    # ---- the citizen

    def open_callback(self) -> None:
        follow_ups.open_callback(**self.common, **WHEN)

    def callback(self) -> Callback | None:
        return self.session.scalar(
            select(Callback).where(Callback.order_id == self.order.id).order_by(Callback.round.desc()).limit(1)
        )

    @rule(
        who=st.sampled_from(ACTORS),
        satisfaction=st.sampled_from(["satisfied", "fair", "dissatisfied", "none"]),
        solved=st.sampled_from(["yes", "partly", "no", "impossible", ""]),
        contacted=st.sampled_from([True, False, None]),
        way=st.sampled_from(["person", "person", "keypad"]),
    )
    def ask(self, who: str, satisfaction: str, solved: str, contacted: bool | None, way: str) -> None:
        callback = self.callback()
        if callback is None:
            return
        actor = self.actor(who) if way == "person" else SYSTEM
        try:
            if way == "person":
                follow_ups.take(self.session, callback=callback, actor=actor, now=self.now)
            follow_ups.evaluate(
                self.session,
                callback=callback,
                satisfaction=satisfaction,
                solved=solved,
                contacted=contacted,
                reasons=["slow"] if satisfaction == "dissatisfied" else [],
                way=way,
                actor=actor,
                now=self.now,
            )
        except HotlineError:
            return
        assert way == "keypad" or who in ("callback_officer", "supervisor")

    @rule(satisfied=st.integers(0, 3))
    def an_officer_asks(self, satisfied: int) -> None:
        """Three citizens of four want it done again: the way through the redos is the long one."""
        if self.order.status != Status.TO_CALL_BACK:
            return
        self.open_callback()
        said = ("satisfied", "yes") if satisfied == 3 else ("dissatisfied", "no")
        self.ask("callback_officer", *said, contacted=True, way="person")
        self.messages_of_evaluations_arrive()

    @rule()
    def messages_of_evaluations_arrive(self) -> None:
        """All of them again and again, as a relay may deliver them."""
        for evaluation in self.session.scalars(select(Evaluation).where(Evaluation.order_id == self.order.id)):
            follow_ups.apply_evaluation(self.session, evaluation=evaluation, now=self.now, **WHEN)

    @rule(hours=st.sampled_from([3, 5, 20, 27]))
    def nobody_answers(self, hours: int) -> None:
        if self.order.status != Status.TO_CALL_BACK:
            return
        self.now += timedelta(hours=hours)
        self.open_callback()
        callback = self.callback()
        if callback is None:
            return
        try:
            attempt = follow_ups.plan_attempt(self.session, callback=callback, way="keypad", actor=SYSTEM, now=self.now)
        except NotAllowedNow:
            return
        follow_ups.unreachable(self.session, attempt=attempt, actor=SYSTEM, now=self.now, tz=TZ)

    # ---- what always holds

    @invariant()
    def every_minute_has_one_holder(self) -> None:
        spans = self.order.spans
        assert spans[0].from_at == self.order.created_at
        for before, after in pairwise(spans):
            assert before.to_at == after.from_at
        assert (spans[-1].to_at is None) == (self.order.closed_at is None)
        until = self.order.closed_at or max(self.now, self.order.updated_at)
        elapsed = int((until - self.order.created_at).total_seconds() // 60)
        assert sum(held.minutes for held in queries.held_minutes(self.order, until)) == elapsed

    @invariant()
    def the_journal_holds(self) -> None:
        self.session.flush()
        assert journal.verify(self.session) == []

    @invariant()
    def no_unit_sees_what_its_subtree_does_not_hold(self) -> None:
        holding = {sub.unit_id for sub in self.order.sub_orders}
        below = {self.here.township.id: self.here.county.id, self.here.other_township.id: self.here.county.id}
        below[self.here.far_township.id] = self.here.other_county.id
        seeing = holding | {below[unit] for unit in holding if unit in below}
        for name in ACTORS[4:]:
            actor = self.actor(name)
            assert queries.sees(self.session, actor, self.order) == (actor.unit_id in seeing)

    @invariant()
    def nothing_closes_without_the_hubs_check_and_a_callback(self) -> None:
        if self.order.status not in (Status.CLOSED, Status.ARCHIVED) or not self.order.sub_orders:
            assert self.order.close_kind in (None, "")
            return
        checked = [event for event in self.order.events if event.action == Action.APPROVE]
        assert (checked[-1].to_status, checked[-1].actor_role) == (Status.TO_CALL_BACK, "REV")
        callback = self.callback()
        assert callback is not None
        if self.order.close_kind in UNCALLED:
            assert callback.state == "not_reached"
            assert self.order.final_satisfaction == "none"
            return
        assert self.order.close_kind in (CloseKind.EVALUATED, CloseKind.REDO_EXHAUSTED)
        said = self.session.scalars(select(Evaluation).where(Evaluation.callback_id == callback.id)).one()
        assert said.satisfaction == self.order.final_satisfaction

    @invariant()
    def redo_has_an_end(self) -> None:
        assert self.order.redo_count <= 2


LONG_WALKS = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def test_whatever_people_try(engine: Engine) -> None:
    run_state_machine_as_test(lambda: OneOrder(engine), settings=LONG_WALKS)


def test_every_row_of_the_table_leads_to_a_known_state_and_names_its_line():
    for (status, _action), rule_ in TRANSITIONS.items():
        assert status in {"", *Status}
        assert rule_.to
        assert rule_.roles
        assert rule_.line.startswith("T")
    assert all(states <= set(Status) for states, _rule in NOTES.values())
