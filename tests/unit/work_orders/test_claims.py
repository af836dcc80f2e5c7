"""A unit holds a demand or a score against its own: people outside of it decide."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.accounts.service import SYSTEM, Actor
from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.outbox import OutboxMessage
from hotline.work_orders import journal, queries, service
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Action, CloseKind, Overlay, RequestState, Status
from tests.factories import people
from tests.factories.orders import TZ, WHEN, order_at
from tests.factories.units import City, city


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


@pytest.fixture
def panel(session: Session) -> Actor:
    return people.actor(session, Role.ADJ, name="仲裁员老吴")


def local(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=TZ)


def claimed(session: Session, here: City, order: WorkOrder, **changes):
    fields = {"ground": "not_true", "evidence": "现场核实，小区并未停水，有物业记录", **changes}
    return service.claim(session, order=order, actor=here.county_clerk, now=order.updated_at, **fields)


def closed(session: Session, here: City, now: datetime, *, satisfaction: str = "dissatisfied", solved: str = "yes"):
    order = order_at(session, here, Status.TO_CALL_BACK)
    said = {"satisfaction": satisfaction, "solved": solved, "contacted": True, "round": 1}
    service.record_evaluation(session, order=order, actor=here.callback_officer, now=now, **said, **WHEN)
    assert order.close_kind == CloseKind.EVALUATED
    return order


def told(session: Session) -> list[tuple[int, str]]:
    rows = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "order.push"))
    return [(row.payload["unit_id"], row.payload["what"]) for row in rows if row.payload["what"] == "decided"]


# ---- unreasonable demands


def test_a_panel_outside_the_unit_upholds_a_claim_and_the_order_goes_on(session: Session, here: City, panel: Actor):
    order = order_at(session, here, Status.IN_HAND_TIER3)
    row = claimed(session, here, order)
    assert (order.claim, row.state, order.status) == (Overlay.ASKED, RequestState.ASKED, Status.IN_HAND_TIER3)
    read = queries.story(session, order, here.supervisor)[-1]
    assert ("申报类别", "反映内容不属实") in read.facts
    assert read.notes == [("依据", "现场核实，小区并未停水，有物业记录")]
    now = order.updated_at + timedelta(hours=1)
    service.decide_claim(session, order=order, actor=panel, now=now, upheld=True, answer="证据充分，予以认定")
    assert (order.claim, row.state, row.decided_by) == (Overlay.GRANTED, RequestState.GRANTED, panel.user_id)
    assert told(session) == [(here.county.id, "decided")]
    assert ("结论", "成立") in queries.story(session, order, here.county_clerk)[-1].facts
    assert ("裁定意见", "证据充分，予以认定") in queries.story(session, order, here.county_clerk)[-1].notes
    assert journal.verify(session) == []


def test_a_refused_claim_is_not_made_again(session: Session, here: City, panel: Actor):
    order = order_at(session, here, Status.IN_HAND, via_township=False)
    claimed(session, here, order)
    now = order.updated_at
    service.decide_claim(session, order=order, actor=panel, now=now, upheld=False, answer="停水属实，应当办理")
    assert order.claim == Overlay.REFUSED
    with pytest.raises(NotAllowedNow, match="只能申报一次"):
        claimed(session, here, order)
    with pytest.raises(NotAllowedNow):
        service.decide_claim(session, order=order, actor=panel, now=now, upheld=True, answer="改判")


def test_nobody_decides_for_their_own_unit_or_for_the_one_above(session: Session, here: City, panel: Actor):
    order = order_at(session, here, Status.IN_HAND, via_township=False)
    claimed(session, here, order)
    for unit in (here.county, here.township):
        own = people.actor(session, Role.ADJ, unit=unit)
        with pytest.raises(NotPermitted, match="单位以外"):
            service.decide_claim(session, order=order, actor=own, now=order.updated_at, upheld=True, answer="同意")
        assert Action.DECIDE_CLAIM not in {action for action, _ in queries.allowed_actions(order, own)}
    assert order.claim == Overlay.ASKED
    with pytest.raises(NotPermitted):
        service.decide_claim(
            session, order=order, actor=here.supervisor, now=order.updated_at, upheld=True, answer="同意"
        )
    elsewhere = people.actor(session, Role.ADJ, unit=here.other_county)
    service.decide_claim(session, order=order, actor=elsewhere, now=order.updated_at, upheld=True, answer="同意")


def test_a_panel_member_of_the_hub_itself_decides_though_it_stands_above_all(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND, via_township=False)
    claimed(session, here, order)
    hub = people.actor(session, Role.ADJ, unit=here.hub)
    service.decide_claim(session, order=order, actor=hub, now=order.updated_at, upheld=True, answer="同意")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"ground": "nasty"}, ["ground"]),
        ({"evidence": "  "}, ["evidence"]),
        ({"evidence": "证" * 2001}, ["evidence"]),
        ({"ground": "", "evidence": ""}, ["ground", "evidence"]),
    ],
)
def test_a_claim_needs_a_listed_ground_and_evidence(session: Session, here: City, changes: dict, named: list[str]):
    order = order_at(session, here, Status.IN_HAND, via_township=False)
    events = order.event_count
    with pytest.raises(Invalid) as caught:
        claimed(session, here, order, **changes)
    assert list(caught.value.details) == named
    assert (order.claim, order.event_count) == (Overlay.NONE, events)


def test_a_claim_is_made_by_the_lead_before_the_citizen_is_called(session: Session, here: City, panel: Actor):
    order = order_at(session, here, Status.IN_HAND_TIER3, assisting=True)
    for actor in (here.township_clerk, here.power_clerk):
        with pytest.raises(NotPermitted):
            service.claim(
                session, order=order, actor=actor, now=order.updated_at, ground="malicious", evidence="多次辱骂"
            )
    with pytest.raises(NotAllowedNow):
        claimed(session, here, order_at(session, here, Status.TO_SIGN))
    with pytest.raises(NotAllowedNow):
        claimed(session, here, order_at(session, here, Status.TO_CALL_BACK))


def test_a_claim_still_open_when_the_order_closes_is_decided_after(session: Session, here: City, panel: Actor):
    order = order_at(session, here, Status.TO_CHECK_HUB)
    claimed(session, here, order)
    now = order.updated_at
    service.approve(session, order=order, actor=here.reviewer, now=now, **WHEN)
    service.not_reached(session, order=order, actor=SYSTEM, now=now, round=1)
    assert (order.status, order.claim) == (Status.CLOSED, Overlay.ASKED)
    with pytest.raises(Invalid) as caught:
        service.decide_claim(session, order=order, actor=panel, now=now, upheld=True, answer="")
    assert list(caught.value.details) == ["answer"]
    service.decide_claim(session, order=order, actor=panel, now=now, upheld=True, answer="认定")
    assert order.claim == Overlay.GRANTED


# ---- scores


def test_a_unit_appeals_within_five_working_days_of_its_score(session: Session, here: City, panel: Actor):
    order = closed(session, here, local(11, 19, 9))
    assert order.appeal_until == local(11, 26, 9)
    row = service.appeal(
        session, order=order, actor=here.county_clerk, now=local(11, 26, 8), reason="市民不满意的是另一件事"
    )
    assert (order.appeal, row.unit_id) == (Overlay.ASKED, here.county.id)
    own = people.actor(session, Role.ADJ, unit=here.county)
    with pytest.raises(NotPermitted):
        service.decide_appeal(session, order=order, actor=own, now=local(11, 27, 9), upheld=True, answer="同意")
    service.decide_appeal(session, order=order, actor=panel, now=local(11, 27, 9), upheld=True, answer="录音核实属实")
    assert (order.appeal, order.status) == (Overlay.GRANTED, Status.CLOSED)
    assert order.final_satisfaction == "dissatisfied"  # what the citizen said stays
    with pytest.raises(NotAllowedNow, match="只能申诉一次"):
        service.appeal(session, order=order, actor=here.county_clerk, now=local(11, 26, 9), reason="再申诉")
    assert journal.verify(session) == []


def test_an_appeal_that_comes_too_late_is_told_so(session: Session, here: City):
    order = closed(session, here, local(11, 19, 9))
    late = local(11, 26, 9, 1)
    with pytest.raises(NotAllowedNow, match="已过申诉期限"):
        service.appeal(session, order=order, actor=here.county_clerk, now=late, reason="评价与事实不符")
    assert order.appeal == Overlay.NONE


def test_what_nobody_scored_is_not_appealed_against(session: Session, here: City):
    order = order_at(session, here, Status.TO_CALL_BACK)
    service.not_reached(session, order=order, actor=SYSTEM, now=order.updated_at, round=1)
    assert order.appeal_until is None
    with pytest.raises(NotAllowedNow, match="没有评价"):
        service.appeal(session, order=order, actor=here.county_clerk, now=order.updated_at, reason="不服")
    open_order = order_at(session, here, Status.IN_HAND)
    with pytest.raises(NotAllowedNow):
        service.appeal(session, order=open_order, actor=here.county_clerk, now=open_order.updated_at, reason="不服")


def test_only_the_unit_that_led_appeals_and_says_why(session: Session, here: City):
    order = closed(session, here, local(11, 19, 9))
    for actor in (here.township_clerk, here.other_county_clerk, here.supervisor):
        with pytest.raises(NotPermitted):
            service.appeal(session, order=order, actor=actor, now=local(11, 20, 9), reason="不服")
    with pytest.raises(Invalid) as caught:
        service.appeal(session, order=order, actor=here.county_clerk, now=local(11, 20, 9), reason=" ")
    assert list(caught.value.details) == ["reason"]
