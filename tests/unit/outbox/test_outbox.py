"""The outbox keeps every message until somebody has done it, on both databases."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from hotline import outbox
from hotline.db import SessionFactory, make_engine, make_sessions, session_scope
from hotline.outbox import MOST_TRIES, RETRY_AFTER, OutboxMessage


def put(sessions: SessionFactory, now: datetime, count: int = 1) -> list[int]:
    with session_scope(sessions) as session:
        return [outbox.add(session, "order.push", now=now, order_id=number).id for number in range(count)]


def claimed(sessions: SessionFactory, now: datetime, limit: int = 50) -> list[int]:
    with session_scope(sessions) as session:
        return [row.id for row in outbox.claim(session, now=now, limit=limit)]


def taken(sessions: SessionFactory, message_id: int, now: datetime) -> bool:
    with session_scope(sessions) as session:
        return outbox.claim_one(session, message_id, now=now) is not None


def row(sessions: SessionFactory, message_id: int) -> OutboxMessage:
    with session_scope(sessions) as session:
        return session.get_one(OutboxMessage, message_id)


def test_claimers_at_the_same_moment_never_get_the_same_row(either_sessions: SessionFactory, now: datetime) -> None:
    ids = put(either_sessions, now, 200)
    together = threading.Barrier(4)

    def claim_all(_: int) -> list[int]:
        mine: list[int] = []
        together.wait()
        while batch := claimed(either_sessions, now, limit=7):
            mine += batch
        return mine

    with ThreadPoolExecutor(4) as pool:
        got = Counter(message for part in pool.map(claim_all, range(4)) for message in part)
    assert got == Counter(ids)


def test_a_row_for_later_is_nobody_s_before(sessions: SessionFactory, now: datetime) -> None:
    later = now + timedelta(seconds=45)
    with session_scope(sessions) as session:
        message_id = outbox.add(session, "contact.dial", now=now, due=later, contact_id=1).id
    assert claimed(sessions, now) == [] and not taken(sessions, message_id, now)
    assert claimed(sessions, later) == [message_id]


def test_of_many_hands_at_the_same_moment_one_takes_the_row(either_sessions: SessionFactory, now: datetime) -> None:
    (message_id,) = put(either_sessions, now)
    together = threading.Barrier(4)

    def take(_: int) -> bool:
        together.wait()
        return taken(either_sessions, message_id, now)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(take, range(4))) == 1


def test_of_two_that_settle_one_is_told_it_was_the_one(either_sessions: SessionFactory, now: datetime) -> None:
    (message_id,) = put(either_sessions, now)
    together = threading.Barrier(2)

    def settle(_: int) -> bool:
        together.wait()
        with session_scope(either_sessions) as session:
            return outbox.settle(session, message_id, now=now)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(settle, range(2))) == [False, True]


def test_a_queued_row_comes_up_again_when_the_claim_ends_and_costs_no_try(
    either_sessions: SessionFactory, now: datetime
) -> None:
    ids = put(either_sessions, now, 2)
    assert claimed(either_sessions, now) == ids
    assert claimed(either_sessions, now + outbox.CLAIM - timedelta(seconds=1)) == []
    assert claimed(either_sessions, now + outbox.CLAIM) == ids
    assert row(either_sessions, ids[0]).tries == 0


def test_a_row_a_dead_job_held_comes_back_when_the_hold_ends(either_sessions: SessionFactory, now: datetime) -> None:
    (message_id,) = put(either_sessions, now)
    assert taken(either_sessions, message_id, now)
    assert not taken(either_sessions, message_id, now + timedelta(seconds=30))
    assert claimed(either_sessions, now + timedelta(seconds=30)) == []
    assert claimed(either_sessions, now + outbox.HOLD) == [message_id]
    assert taken(either_sessions, message_id, now + outbox.HOLD)
    assert row(either_sessions, message_id).tries == 2


def test_a_message_is_tried_at_once_then_after_1_5_30_minutes_and_2_hours_then_given_to_a_person(
    either_sessions: SessionFactory, now: datetime
) -> None:
    (message_id,) = put(either_sessions, now)
    waits = []
    for _ in range(MOST_TRIES - 1):
        assert taken(either_sessions, message_id, now)
        with session_scope(either_sessions) as session:
            assert outbox.postpone(session, message_id, now=now, error="对方无应答")
        planned = row(either_sessions, message_id).next_try_at
        assert not taken(either_sessions, message_id, planned - timedelta(seconds=1))
        assert claimed(either_sessions, planned - timedelta(seconds=1)) == []
        waits.append(planned - now)
        now = planned
    assert tuple(waits) == RETRY_AFTER
    assert taken(either_sessions, message_id, now)
    with session_scope(either_sessions) as session:
        assert not outbox.postpone(session, message_id, now=now, error="对方无应答")
    given_up = row(either_sessions, message_id)
    assert given_up.failed
    assert given_up.error == "对方无应答"
    assert claimed(either_sessions, now + timedelta(days=9)) == []


def test_a_person_sends_a_failed_message_again_with_the_whole_plan_before_it(
    either_sessions: SessionFactory, now: datetime
) -> None:
    (message_id,) = put(either_sessions, now)
    with session_scope(either_sessions) as session:
        assert not outbox.send_again(session, message_id, now=now)
        outbox.fail(session, message_id, now=now, error="没有登记值班电话")
        assert outbox.send_again(session, message_id, now=now)
    assert claimed(either_sessions, now) == [message_id]
    assert row(either_sessions, message_id).tries == 0


def test_what_was_rolled_back_was_never_said(either_sessions: SessionFactory, now: datetime) -> None:
    told: list[str] = []
    outbox.after_commit(either_sessions, lambda: told.append("nudge"))
    with pytest.raises(ZeroDivisionError), session_scope(either_sessions) as session:
        outbox.add(session, "order.push", now=now)
        raise ZeroDivisionError
    with session_scope(either_sessions) as session:
        assert outbox.waiting(session) == 0
    assert told == []


def test_the_relay_is_told_once_the_message_can_be_read_and_not_before(
    either_url: str, either_sessions: SessionFactory, now: datetime
) -> None:
    seen: list[int] = []
    relay = make_engine(either_url)  # another process has connections of its own

    def look() -> None:
        with make_sessions(relay)() as session:
            seen.append(outbox.waiting(session))

    outbox.after_commit(either_sessions, look)
    with session_scope(either_sessions) as session:
        with session.begin_nested():
            outbox.add(session, "order.push", now=now)
        outbox.add(session, "sms.send", now=now)
        assert seen == []
    assert seen == [2]
    relay.dispose()


def test_old_settled_messages_go_and_failed_ones_stay(either_sessions: SessionFactory, now: datetime) -> None:
    done, failed, fresh, open_ = put(either_sessions, now, 4)
    later = now + timedelta(days=40)
    with session_scope(either_sessions) as session:
        outbox.settle(session, done, now=now)
        outbox.fail(session, failed, now=now, error="拒收")
        outbox.settle(session, fresh, now=later)
    with session_scope(either_sessions) as session:
        assert outbox.clean(session, before=later - timedelta(days=30)) == 1
    assert {row(either_sessions, message).id for message in (failed, fresh, open_)} == {failed, fresh, open_}
