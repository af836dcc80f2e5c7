"""A unit sees what stands in its own subtree, and of that only what is meant for it."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.db import key_ring
from hotline.errors import Invalid, NotFound, NotPermitted
from hotline.follow_ups import queries as follow_ups
from hotline.work_orders import queries, service
from hotline.work_orders.queries import Bucket
from hotline.work_orders.states import Status
from tests.conftest import NOON
from tests.factories import orders, people
from tests.factories.orders import WHEN, order_at, report_fields
from tests.factories.units import City, city

LATER = NOON + timedelta(hours=3)


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def strangers(session: Session, here: City):
    """Everybody whose unit has no part in an order of 冀州镇, and roles that see no order at all."""
    return [
        here.other_township_clerk,
        here.other_county_clerk,
        here.far_township_clerk,
        here.power_clerk,
        *(people.actor(session, role) for role in (Role.KBE, Role.LDR, Role.ADM, Role.SEC, Role.AUD, Role.OBS)),
        people.actor(session, Role.U2),  # a clerk whose unit is gone
    ]


def test_every_read_refuses_another_townships_order(session: Session, here: City):
    order = order_at(session, here, Status.TO_CALL_BACK)
    for stranger in strangers(session, here):
        for read in (
            lambda: queries.visible_to(session, stranger, order.order_no),  # noqa: B023
            lambda: queries.story(session, order, stranger),  # noqa: B023
            lambda: follow_ups.evaluation_of(session, order, stranger),  # noqa: B023
            lambda: follow_ups.evaluations_of(session, order, stranger),  # noqa: B023
        ):
            with pytest.raises(NotFound):
                read()
        assert not queries.sees(session, stranger, order)
        assert queries.last_report(session, order, stranger) is None
        assert queries.allowed_actions(order, stranger) == []
        if stranger.unit_id is None:
            with pytest.raises(NotPermitted):
                queries.inbox_counts(session, stranger, now=LATER)
            continue
        for bucket in Bucket:
            assert queries.inbox(session, stranger, bucket=bucket, now=LATER).total == 0
        assert set(queries.inbox_counts(session, stranger, now=LATER).values()) == {0}
        for hub_list in (queries.to_review, queries.to_check_hub, queries.to_supervise):
            with pytest.raises(NotPermitted):
                hub_list(session, stranger)


def test_its_own_line_and_the_hub_see_it(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND_TIER3)
    duty = people.actor(session, Role.DTY, unit=here.county)
    for reader in (here.township_clerk, here.county_clerk, here.operator, here.reviewer, here.callback_officer, duty):
        assert queries.visible_to(session, reader, order.order_no.replace("-", "")) is order


@pytest.mark.parametrize("typed", ["", "nonsense", "2611-00001-0", "2611-99999-9", "'; drop table work_orders"])
def test_a_number_that_is_none_is_simply_not_found(session: Session, here: City, typed: str):
    with pytest.raises(NotFound):
        queries.visible_to(session, here.operator, typed)


def test_an_order_still_at_the_hub_is_seen_by_no_unit(session: Session, here: City):
    order = order_at(session, here, Status.TO_REVIEW)
    with pytest.raises(NotFound):
        queries.visible_to(session, here.county_clerk, order.order_no)


def test_nobody_sees_more_of_a_caller_than_a_mask(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND_TIER3)
    for reader in (here.operator, here.township_clerk):
        view = queries.caller_view(order, reader)
        assert (view.name, view.phone) == ("王**", "199****1234")


def test_a_confidential_order_shows_no_caller_to_units(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND_TIER3, confidential=True)
    assert queries.caller_view(order, here.township_clerk) is None
    assert queries.caller_view(order, here.county_clerk) is None
    assert queries.caller_view(order, here.operator).name == "王**"
    service.supplement(session, order=order, actor=here.operator, now=LATER, text="我是王小明，家在三单元", **WHEN)
    assert queries.story(session, order, here.township_clerk)[-1].notes == []
    assert queries.story(session, order, here.supervisor)[-1].notes == [("补充内容", "我是王小明，家在三单元")]


def test_inside_words_stay_with_those_they_are_for(session: Session, here: City):
    order = order_at(session, here, Status.TO_CHECK_TIER2, assisting=True)
    service.approve(session, order=order, actor=here.county_clerk, now=LATER, note="同意，已到现场核实", **WHEN)

    def notes(reader):
        return {text for item in queries.story(session, order, reader) for _label, text in item.notes}

    hub, county, township, power = (
        notes(reader) for reader in (here.supervisor, here.county_clerk, here.township_clerk, here.power_clerk)
    )
    assert {"更换DN40闸阀一只", "同意，已到现场核实", "请核实供水情况", orders.REPLY} <= hub
    assert {"更换DN40闸阀一只", "同意，已到现场核实", "请核实供水情况"} <= county
    assert "更换DN40闸阀一只" in township
    assert "同意，已到现场核实" not in township  # what the county says to the hub
    assert "更换DN40闸阀一只" not in power  # another unit's internal account
    assert {"请核实供水情况", orders.REPLY} <= power


def test_the_hubs_people_are_the_hub_to_a_unit(session: Session, here: City):
    order = order_at(session, here, Status.IN_HAND_TIER3)
    by_unit = [item.who for item in queries.story(session, order, here.township_clerk)]
    by_hub = [item.who for item in queries.story(session, order, here.supervisor)]
    assert by_unit[0] == "热线中心"
    assert by_unit[3] == "冀州区政府"
    assert by_unit[5] == "冀州镇 U3冀州镇"
    assert by_hub[0] == "热线中心 话务员小李"
    assert by_hub[3] == "冀州区政府 U2冀州区政府"


def test_the_inbox_is_sorted_by_what_must_be_done(session: Session, here: City):
    first = order_at(session, here, Status.TO_SIGN)
    second = order_at(session, here, Status.TO_SIGN, urgency="urgent")
    third = order_at(session, here, Status.TO_CHECK_TIER2)
    ask = {"now": LATER}
    county = here.county_clerk
    to_sign = queries.inbox(session, county, bucket="to_sign", **ask)
    assert [sub.order for sub in to_sign.items] == [second, first]
    assert [sub.order for sub in queries.inbox(session, county, bucket="to_check", **ask).items] == [third]
    assert queries.inbox_counts(session, county, **ask) == {
        "to_sign": 2,
        "in_hand": 1,
        "due_soon": 0,
        "overdue": 0,
        "returned": 0,
        "to_check": 1,
        "reported": 0,
        "done": 0,
    }
    assert queries.inbox_counts(session, here.township_clerk, **ask)["reported"] == 1
    part = first.sub_orders[0]
    fifth = (part.deadline_at - part.assigned_at) / 5
    for moment, number in ((-fifth - timedelta(minutes=1), 0), (-fifth + timedelta(minutes=1), 1)):
        soon = queries.inbox(session, county, bucket="due_soon", now=part.deadline_at + moment)
        assert [sub.order for sub in soon.items].count(first) == number
    after = {"now": first.deadline_at + timedelta(minutes=1)}
    assert queries.inbox_counts(session, county, **after)["overdue"] >= 1
    with pytest.raises(Invalid):
        queries.inbox(session, county, bucket="everything", **ask)


def test_lists_come_in_pages(session: Session, here: City):
    made = [order_at(session, here, Status.TO_REVIEW) for _ in range(5)]
    page = queries.to_review(session, here.reviewer, page=2, per_page=2)
    assert (page.total, page.page, list(page.items)) == (5, 2, made[2:4])
    with pytest.raises(Invalid):
        queries.to_review(session, here.reviewer, page=0)


def test_the_hubs_lists_put_danger_first(session: Session, here: City):
    normal = order_at(session, here, Status.TO_REVIEW)
    critical = order_at(session, here, Status.TO_REVIEW, urgency="critical")
    assert list(queries.to_review(session, here.reviewer).items) == [critical, normal]
    checking = order_at(session, here, Status.TO_CHECK_HUB)
    assert list(queries.to_check_hub(session, here.reviewer).items) == [checking]
    assert queries.last_report(session, checking, here.reviewer).process == report_fields()["process"]


def test_the_desk_finds_a_callers_open_and_earlier_orders(session: Session, here: City):
    open_one = order_at(session, here, Status.IN_HAND)
    settled = orders.draft(session, here)
    service.answer(session, order=settled, actor=here.operator, now=NOON, no_entry_reason="询问天气")
    order_at(session, here, Status.IN_HAND, who=orders.caller(session, phone="+8619900009999"))
    indexes = key_ring().indexes(orders.PHONE)
    assert list(queries.open_orders_of(session, indexes)) == [open_one]
    assert list(queries.earlier_of(session, indexes)) == [settled]
    draft = orders.draft(session, here)
    assert list(queries.my_drafts(session, here.operator)) == [draft]
    assert list(queries.my_drafts(session, here.supervisor)) == []
