"""What is not for this hotline is not taken in, and the caller learns where it belongs."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.service import SYSTEM
from hotline.delivery import templates
from hotline.errors import Invalid, NotAllowedNow, NotPermitted
from hotline.outbox import OutboxMessage
from hotline.work_orders import journal, service
from hotline.work_orders.refusing import CHANNEL_AT_MOST, CHANNELS, told_channel
from hotline.work_orders.states import RefuseGround, SensitiveKind, Status
from hotline.work_orders.story import story
from tests.conftest import NOON
from tests.factories.orders import draft, order_at
from tests.factories.units import City, city

LATER = NOON + timedelta(minutes=30)


@pytest.fixture
def here(session: Session) -> City:
    return city(session)


def texts(session: Session) -> list[str]:
    rows = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "sms.send"))
    return [row.payload["template"] for row in rows]


@pytest.mark.parametrize("ground", RefuseGround)
def test_the_desk_refuses_and_says_where_it_belongs(session: Session, here: City, ground: RefuseGround):
    order = draft(session, here)
    service.refuse(session, order=order, actor=here.operator, now=LATER, ground=ground)
    assert order.status == Status.REFUSED
    assert told_channel(order) == CHANNELS[ground]
    assert texts(session) == ["refused"]
    body = templates.fill(templates.text_of(session, "refused"), channel=told_channel(order))
    assert CHANNELS[ground] in body
    assert len(body) <= templates.LONGEST
    assert journal.verify(session) == []
    last = story(session, order, here.reviewer)[-1]
    assert last.facts[0][0] == "情形"
    assert last.notes == [("应走的渠道", CHANNELS[ground])]


def test_the_dispatcher_refuses_with_words_of_their_own(session: Session, here: City):
    order = order_at(session, here, Status.TO_REVIEW)
    words = "请向冀州区人民法院立案庭咨询。"
    service.refuse(session, order=order, actor=here.reviewer, now=LATER, ground="lawsuit", channel=words)
    assert told_channel(order) == "请向冀州区人民法院立案庭咨询"
    service.archive(session, order=order, actor=SYSTEM, now=LATER)
    assert order.status == Status.ARCHIVED


def test_only_a_listed_ground_refuses(session: Session, here: City):
    order = draft(session, here)
    with pytest.raises(Invalid) as caught:
        long = "请" * (CHANNEL_AT_MOST + 1)
        service.refuse(session, order=order, actor=here.operator, now=LATER, ground="too hard", channel=long)
    assert set(caught.value.details) == {"ground", "channel"}
    assert order.status == Status.DRAFT


def test_what_is_with_a_unit_is_not_refused_and_no_unit_refuses(session: Session, here: City):
    order = order_at(session, here, Status.TO_SIGN)
    with pytest.raises(NotAllowedNow):
        service.refuse(session, order=order, actor=here.reviewer, now=LATER, ground="lawsuit")
    waiting = order_at(session, here, Status.TO_REVIEW)
    for actor in (here.operator, here.county_clerk):
        with pytest.raises(NotPermitted):
            service.refuse(session, order=waiting, actor=actor, now=LATER, ground="lawsuit")


def test_a_confidential_caller_gets_no_text(session: Session, here: City):
    order = draft(session, here, confidential=True)
    service.refuse(session, order=order, actor=here.operator, now=LATER, ground="petition")
    assert texts(session) == []


def test_a_draft_says_whether_it_is_sensitive(session: Session, here: City):
    order = draft(session, here, sensitive_kind=SensitiveKind.MINOR)
    assert order.sensitive_kind == "minor"
    service.save_draft(session, order=order, fields={"sensitive_kind": ""}, typed=True, actor=here.operator, now=LATER)
    assert order.sensitive_kind == ""
    with pytest.raises(Invalid) as caught:
        fields = {"sensitive_kind": "odd"}
        service.save_draft(session, order=order, fields=fields, typed=True, actor=here.operator, now=LATER)
    assert set(caught.value.details) == {"sensitive_kind"}
