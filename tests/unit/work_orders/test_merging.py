"""Six people tell of one burst pipe: one order is handled, and each of them is asked."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine, func, inspect, select
from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM, Actor
from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.follow_ups import service as follow_ups
from hotline.outbox import OutboxMessage
from hotline.work_orders import journal, merging, queries, service
from hotline.work_orders.models import Report, WorkOrder
from hotline.work_orders.states import Action, Status, SubState
from hotline.work_orders.story import story
from tests.conftest import NOON
from tests.factories.orders import WHEN, caller, draft, order_at
from tests.factories.units import City, city

LATER = NOON + timedelta(hours=3)
LINE = (
    Status.TO_REVIEW,
    Status.TO_SIGN,
    Status.IN_HAND,
    Status.TO_SIGN_TIER3,
    Status.IN_HAND_TIER3,
    Status.TO_CHECK_TIER2,
    Status.TO_CHECK_HUB,
    Status.TO_CALL_BACK,
)
NAMES = tuple(inspect(WorkOrder).columns.keys())
# what every event moves: the chain, and when a timer looks at the order next
OF_THE_JOURNAL = {"event_count", "head_hash", "version", "updated_at", "watch_at"}


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def another(session: Session, here: City, number: int, status: Status = Status.TO_REVIEW, **fields: Any) -> WorkOrder:
    who = caller(session, phone=f"+86199000{number:05}", name=None)
    return order_at(session, here, status, who=who, **fields)


def columns(order: WorkOrder) -> dict[str, Any]:
    return {name: getattr(order, name) for name in NAMES if name not in OF_THE_JOURNAL}


def below(order: WorkOrder) -> list[tuple[Any, ...]]:
    parts = [(sub.id, sub.state, sub.deadline_at) for sub in order.sub_orders]
    return parts + [(span.holder, span.unit_id, span.from_at, span.to_at) for span in order.spans]


def put_together(session: Session, here: City, main: WorkOrder, orders: Sequence[WorkOrder]) -> None:
    for order in orders:
        service.merge(session, order=order, into=main, actor=here.reviewer, now=LATER)


def told(session: Session) -> dict[str, Any]:
    topic = OutboxMessage.topic == merging.FOLLOW
    return dict(session.scalars(select(OutboxMessage).where(topic).order_by(OutboxMessage.id.desc())).first().payload)


def go_on(session: Session, main: WorkOrder, **more: Any) -> bool:
    what = told(session)
    assert what.pop("order_id") == main.id
    return merging.follow(session, main=main, **what, now=LATER, **more, **WHEN)


def test_a_merge_is_a_link_told_on_both(session: Session, here: City):
    main, other = order_at(session, here, Status.IN_HAND), another(session, here, 1)
    service.merge(session, order=other, into=main, actor=here.reviewer, now=LATER)
    assert (other.merged_into_id, main.merged_into_id) == (main.id, None)
    for order in (main, other):
        assert order.events[-1].action == Action.MERGE
        assert order.events[-1].data == {"order": other.order_no, "main": main.order_no}
    assert (other.status, main.status) == (Status.TO_REVIEW, Status.IN_HAND)
    assert other.receipt_code != main.receipt_code
    assert other.caller_id != main.caller_id
    assert journal.verify(session) == []
    assert merging.followers(session, main) == [other]
    assert [order.id for order in queries.to_review(session, here.reviewer).items] == []
    shown = story(session, main, here.county_clerk)[-1]
    assert ("并入的工单", other.order_no) in shown.facts


def test_a_merged_order_waits_for_its_main_one(session: Session, here: City):
    main, other = order_at(session, here, Status.IN_HAND), another(session, here, 1)
    put_together(session, here, main, [other])
    with pytest.raises(NotAllowedNow, match="随主单办理"):
        service.dispatch(session, order=other, actor=here.reviewer, now=LATER, lead_unit_id=here.county.id, **WHEN)
    service.urge(session, order=other, actor=here.operator, now=LATER, text="还没有水")
    assert other.events[-1].action == Action.URGE


def test_what_the_caller_of_a_merged_order_adds_is_read_by_whoever_works_on_it(session: Session, here: City):
    main = order_at(session, here, Status.IN_HAND, assisting=True)
    other, secret = another(session, here, 1), another(session, here, 2, confidential=True)
    service.supplement(session, order=other, actor=here.operator, now=LATER, text="合并之前说的", **WHEN)
    put_together(session, here, main, [other, secret])
    for number, order in enumerate((other, secret), 1):
        at = LATER + timedelta(minutes=number)
        service.supplement(session, order=order, actor=here.operator, now=at, text=f"有孩子被困{number}", **WHEN)
    service.urge(session, order=other, actor=here.operator, now=LATER + timedelta(minutes=5))

    def read(actor: Actor) -> list[tuple[str, list[tuple[str, str]]]]:
        return [(item.action, item.notes) for item in story(session, main, actor) if item.seq == 0]

    first, second = [("补充内容", "有孩子被困1")], [("补充内容", "有孩子被困2")]
    for holder in (here.county_clerk, here.power_clerk):
        assert read(holder) == [("supplement", first), ("supplement", []), ("urge", [])]
    assert read(here.reviewer) == [("supplement", first), ("supplement", second), ("urge", [])]
    service.unmerge(session, order=other, actor=here.reviewer, now=LATER + timedelta(minutes=7))
    assert read(here.reviewer) == [("supplement", second)]


def test_only_the_dispatcher_merges(session: Session, here: City):
    main, other = order_at(session, here, Status.IN_HAND), another(session, here, 1)
    for actor in (here.operator, here.county_clerk, here.supervisor):
        with pytest.raises(NotPermitted):
            service.merge(session, order=other, into=main, actor=actor, now=LATER)


def test_there_are_no_chains(session: Session, here: City):
    first, second, third = (another(session, here, number) for number in (1, 2, 3))
    put_together(session, here, first, [second])
    with pytest.raises(Invalid, match=f"请并入 {first.order_no}"):
        service.merge(session, order=third, into=second, actor=here.reviewer, now=LATER)
    with pytest.raises(Invalid, match="已有 1 件并入这张工单"):
        service.merge(session, order=first, into=third, actor=here.reviewer, now=LATER)
    with pytest.raises(NotAllowedNow, match="已并入另一张工单"):
        service.merge(session, order=second, into=third, actor=here.reviewer, now=LATER)
    with pytest.raises(Invalid, match="不能并入自己"):
        service.merge(session, order=third, into=third, actor=here.reviewer, now=LATER)


def test_neither_a_draft_nor_what_is_closed_is_a_main_order(session: Session, here: City):
    other, unfinished = another(session, here, 1), draft(session, here)
    with pytest.raises(Invalid, match="还没有提交") as caught:
        service.merge(session, order=other, into=unfinished, actor=here.reviewer, now=LATER)
    assert set(caught.value.details) == {"into"}
    with pytest.raises(NotAllowedNow):
        service.merge(session, order=unfinished, into=other, actor=here.reviewer, now=LATER)
    closed = order_at(session, here, Status.TO_CALL_BACK)
    service.not_reached(session, order=closed, actor=SYSTEM, now=LATER, round=1)
    with pytest.raises(Invalid, match="已办结"):
        service.merge(session, order=other, into=closed, actor=here.reviewer, now=LATER)
    service.archive(session, order=closed, actor=SYSTEM, now=LATER + timedelta(days=31))
    with pytest.raises(NotAllowedNow):
        service.merge(session, order=closed, into=other, actor=here.reviewer, now=LATER)


IN_ONE_DATABASE = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]  # each example rolls back


@settings(max_examples=25, deadline=None, suppress_health_check=IN_ONE_DATABASE)
@given(at=st.sampled_from(LINE), main_at=st.sampled_from(LINE), urged=st.booleans(), confidential=st.booleans())
def test_unmerging_restores_everything(engine: Engine, at: Status, main_at: Status, urged: bool, confidential: bool):
    with Session(engine, expire_on_commit=False) as session:
        here = city(session)
        # a confidential order is dispatched only after its words were released: it waits
        order = another(session, here, 1, Status.TO_REVIEW if confidential else at, confidential=confidential)
        main = another(session, here, 2, main_at)
        if urged:
            service.urge(session, order=order, actor=here.operator, now=LATER)
        session.flush()
        was = [(columns(one), below(one)) for one in (order, main)]
        service.merge(session, order=order, into=main, actor=here.reviewer, now=LATER)
        service.unmerge(session, order=order, actor=here.reviewer, now=LATER)
        session.flush()
        for one in (order, main):
            session.refresh(one)
        for one, (fields, parts) in zip((order, main), was, strict=True):
            assert {name: value for name, value in columns(one).items() if value != fields[name]} == {}
            assert below(one) == parts
        assert journal.verify(session) == []
        session.rollback()


def test_when_the_main_order_is_settled_everybody_is_asked(session: Session, here: City):
    main = order_at(session, here, Status.TO_CHECK_HUB)
    fresh, with_units = another(session, here, 1), another(session, here, 2, Status.TO_CHECK_TIER2)
    put_together(session, here, main, [fresh, with_units])
    service.approve(session, order=main, actor=here.reviewer, now=LATER, **WHEN)
    assert not go_on(session, main)
    for order in (fresh, with_units):
        assert order.status == Status.TO_CALL_BACK
        callback = follow_ups.open_callback(session, order=order, now=LATER, **WHEN)
        assert callback.order_id == order.id
        own = session.scalars(select(Report).where(Report.order_id == order.id).order_by(Report.id.desc())).first()
        assert own is not None
        assert own.public_reply == queries.last_report(session, main, here.reviewer).public_reply
        assert not own.contacted  # nobody says the unit came to this caller, too
        live = [(sub.tier, sub.unit_id, sub.state) for sub in order.sub_orders if sub.state != SubState.LEFT]
        assert live == [(2, here.county.id, SubState.REPORTED), (3, here.township.id, SubState.REPORTED)]
    assert journal.verify(session) == []
    waiting = [
        row.payload["order_id"] for row in session.scalars(select(OutboxMessage)) if row.topic == "callback.open"
    ]
    assert sorted(waiting) == sorted([main.id, fresh.id, with_units.id])
    assert not go_on(session, main)  # told twice, done once
    assert fresh.events[-1].action == Action.CALL_BACK


def test_whoever_is_not_content_gets_a_redo_of_their_own(session: Session, here: City):
    main, other = order_at(session, here, Status.TO_CHECK_HUB), another(session, here, 1)
    put_together(session, here, main, [other])
    service.approve(session, order=main, actor=here.reviewer, now=LATER, **WHEN)
    go_on(session, main)
    said = {"satisfaction": "dissatisfied", "solved": "no", "contacted": False, "round": 1}
    service.record_evaluation(session, order=other, actor=here.callback_officer, now=LATER, **said, **WHEN)
    assert (other.status, other.merged_into_id, other.redo_count) == (Status.IN_HAND_TIER3, None, 1)
    assert (main.status, main.redo_count) == (Status.TO_CALL_BACK, 0)
    assert Action.REPORT in [action for action, _ in queries.allowed_actions(other, here.township_clerk)]
    assert journal.verify(session) == []


def test_one_looked_at_again_goes_on_alone(session: Session, here: City):
    main, other = order_at(session, here, Status.TO_CHECK_HUB), another(session, here, 1)
    put_together(session, here, main, [other])
    service.approve(session, order=main, actor=here.reviewer, now=LATER, **WHEN)
    go_on(session, main)
    service.not_reached(session, order=other, actor=SYSTEM, now=LATER, round=1)
    fact = {"fact": "又停水了"}
    service.review(session, order=other, actor=here.operator, now=LATER, **fact, **WHEN)
    assert not go_on(session, main)  # told once more meanwhile: it is not the main order's any more
    assert other.status == Status.REVIEW
    service.reopen(session, order=other, actor=here.supervisor, now=LATER, reason="确有新情况", **WHEN)
    assert (other.status, other.merged_into_id) == (Status.IN_HAND_TIER3, None)
    assert journal.verify(session) == []


def test_who_joins_while_the_main_order_is_asked_about_is_asked_at_once(session: Session, here: City):
    main, other = order_at(session, here, Status.TO_CALL_BACK), another(session, here, 1)
    put_together(session, here, main, [other])
    go_on(session, main)
    assert other.status == Status.TO_CALL_BACK


def test_when_the_main_order_is_given_up_everybody_is_on_their_own_again(session: Session, here: City):
    main, other = another(session, here, 1), another(session, here, 2)
    put_together(session, here, main, [other])
    service.withdraw(session, order=main, actor=here.operator, now=LATER, reason="已自行修好", read_back_ok=True)
    go_on(session, main)
    assert (other.status, other.merged_into_id) == (Status.TO_REVIEW, None)
    assert [order.id for order in queries.to_review(session, here.reviewer).items] == [other.id]


def test_an_order_nobody_follows_sends_no_word(session: Session, here: City):
    order_at(session, here, Status.TO_CALL_BACK)
    topic = OutboxMessage.topic == merging.FOLLOW
    assert session.scalar(select(func.count()).select_from(OutboxMessage).where(topic)) == 0


def test_eight_hundred_and_eight_followers_go_in_slices(session: Session, here: City):
    main = order_at(session, here, Status.TO_CHECK_HUB)
    template = another(session, here, 1)
    kept = {name: getattr(template, name) for name in NAMES}
    crowd = []
    for number in range(807):
        own = {"id": None, "order_no": f"2612-{number:05}-0", "head_hash": "", "event_count": 0, "version": 1}
        crowd.append(WorkOrder(**kept | own | {"merged_into_id": main.id}))
    session.add_all(crowd)
    session.flush()
    put_together(session, here, main, [template])
    service.approve(session, order=main, actor=here.reviewer, now=LATER, **WHEN)
    slices = 1
    while go_on(session, main):
        slices += 1
    assert slices == -(-808 // merging.AT_ONCE)
    there = select(func.count()).where(WorkOrder.merged_into_id == main.id, WorkOrder.status == Status.TO_CALL_BACK)
    assert session.scalar(there) == 808
    assert session.scalar(select(func.count(Report.id)).where(Report.order_id != main.id)) == 808
