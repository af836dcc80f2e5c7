"""What an operator may do when, and in which of two browsers."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.calls import presence, queries, service
from hotline.calls.models import PresenceEvent
from hotline.errors import Invalid, NotAllowedNow
from tests.factories import calls as make

MINUTE = timedelta(minutes=1)


def test_the_second_browser_is_told_and_may_take_over(session: Session, now: datetime) -> None:
    who = make.operator(session)
    presence.claim_desk(session, actor=who, desk="left", now=now)
    presence.go_ready(session, actor=who, desk="left", now=now)
    with pytest.raises(NotAllowedNow) as refused:
        presence.claim_desk(session, actor=who, desk="right", now=now + MINUTE)
    assert refused.value.details["since"] == now
    presence.claim_desk(session, actor=who, desk="right", now=now + MINUTE, take_over=True)
    with pytest.raises(NotAllowedNow):
        presence.go_away(session, actor=who, desk="left", reason="休息", now=now + MINUTE)
    with pytest.raises(NotAllowedNow):
        presence.seen(session, actor=who, desk="left", now=now + MINUTE)
    held = presence.seen(session, actor=who, desk="right", now=now + MINUTE)
    assert (held.state, held.desk_since) == ("ready", now + MINUTE)


def test_a_desk_that_fell_silent_is_free(session: Session, now: datetime) -> None:
    who = make.operator(session)
    presence.claim_desk(session, actor=who, desk="left", now=now)
    presence.go_ready(session, actor=who, desk="left", now=now)
    presence.claim_desk(session, actor=who, desk="right", now=now + 2 * MINUTE)
    assert presence.seen(session, actor=who, desk="right", now=now + 2 * MINUTE).desk == "right"


def test_reloading_the_page_is_no_second_browser(session: Session, now: datetime) -> None:
    who = make.operator(session)
    presence.claim_desk(session, actor=who, desk="left", now=now)
    assert presence.claim_desk(session, actor=who, desk="left", now=now + MINUTE).desk_since == now


def test_every_change_leaves_its_event(session: Session, now: datetime) -> None:
    who = make.ready(session, now=now)
    presence.go_ready(session, actor=who, desk="desk-1", now=now + MINUTE)  # ready already: no event
    presence.go_away(session, actor=who, desk="desk-1", reason="用餐", now=now + 2 * MINUTE)
    presence.go_ready(session, actor=who, desk="desk-1", now=now + 3 * MINUTE)
    presence.go_offline(session, actor=who, desk="desk-1", now=now + 4 * MINUTE)
    events = session.scalars(select(PresenceEvent).order_by(PresenceEvent.id)).all()
    assert [(event.from_state, event.to_state, event.reason) for event in events] == [
        ("offline", "ready", ""),
        ("ready", "away", "用餐"),
        ("away", "ready", ""),
        ("ready", "offline", ""),
    ]
    row = queries.presence_of(session, who.user_id or 0)
    assert row is not None and row.desk == ""


def test_who_talks_can_neither_go_away_nor_leave(session: Session, now: datetime) -> None:
    _call, who, _leg = make.talking(session, now=now)
    for verb in (presence.go_ready, presence.go_offline, presence.finish_wrap_up):
        with pytest.raises(NotAllowedNow):
            verb(session, actor=who, desk="desk-1", now=now)
    with pytest.raises(NotAllowedNow):
        presence.go_away(session, actor=who, desk="desk-1", reason="休息", now=now)


def test_going_away_wants_a_reason(session: Session, now: datetime) -> None:
    who = make.ready(session, now=now)
    with pytest.raises(Invalid):
        presence.go_away(session, actor=who, desk="desk-1", reason=" ", now=now)


def test_wrap_up_ends_in_ready(session: Session, now: datetime) -> None:
    call, who, _leg = make.talking(session, now=now)
    service.end_call(session, call_id=call.id, actor=who, now=now)
    row = presence.finish_wrap_up(session, actor=who, desk="desk-1", now=now + MINUTE)
    assert (row.state, row.call_id) == ("ready", None)


def test_ready_desks_not_heard_of_are_sent_away(session: Session, now: datetime) -> None:
    silent, alive = make.ready(session, now=now), make.ready(session, now=now)
    presence.seen(session, actor=alive, desk="desk-1", now=now + MINUTE)
    assert presence.lose_silent_desks(session, now=now + 2 * MINUTE) == [silent.user_id]
    row = queries.presence_of(session, silent.user_id or 0)
    assert row is not None and row.state == "away"
