"""An edit in one process is known in the others at once, or soon where nobody can tell them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hotline.db import SessionFactory, session_scope
from hotline.knowledge_base import service
from hotline.knowledge_base.search import following
from hotline.knowledge_base.search.following import Follower, tell_after_commit
from hotline.knowledge_base.search.index import KnowledgeIndex
from hotline.knowledge_base.search.initials import InitialsIndex
from hotline.live.base import MISSED, Hint
from hotline.live.memory import MemoryBus
from hotline.live.redis import RedisBus
from tests.conftest import NOON
from tests.redis_server import RedisProcess
from tests.unit.knowledge_base.conftest import ROWS, TODAY
from tests.waiting import until


@pytest.fixture
def followed(sessions: SessionFactory) -> Iterator[KnowledgeIndex]:
    """An index of another process, told through a bus."""
    bus, index = MemoryBus(), KnowledgeIndex()
    tell_after_commit(sessions, bus)
    follower = Follower(index, sessions, bus)
    yield index
    follower.close()


def edit(sessions: SessionFactory, row: dict[str, object]) -> None:
    with session_scope(sessions) as session:
        service.import_entries(session, [row], actor_id=None, now=NOON)


def shows(index: KnowledgeIndex, question: str) -> bool:
    return any(hit.question == question for hit in index.search(question, on=TODAY))


def test_an_edit_reaches_another_process_by_a_hint(followed: KnowledgeIndex, sessions: SessionFactory) -> None:
    edit(sessions, ROWS[0])
    until(lambda: shows(followed, ROWS[0]["question"]), "the new entry")
    with session_scope(sessions) as session:
        service.withdraw(session, code="lamp", actor_id=None, now=NOON)
    until(lambda: len(followed) == 0, "the entry to go")


def test_only_what_was_committed_is_told(sessions: SessionFactory) -> None:
    bus = MemoryBus()
    tell_after_commit(sessions, bus)
    with bus.subscribe(following.CHANNEL) as hints:
        with sessions() as session:
            service.import_entries(session, [ROWS[0]], actor_id=None, now=NOON)
            session.rollback()
            session.commit()
        edit(sessions, ROWS[1])
        edit(sessions, ROWS[1])  # nothing new in it
        assert list(hints.hints(0.1)) == [Hint(following.CHANNEL, "changed")]


def test_a_lost_hint_is_made_up_for(followed: KnowledgeIndex, sessions: SessionFactory) -> None:
    bus = MemoryBus()
    follower = Follower(index := KnowledgeIndex(), sessions, bus)
    edit(sessions, ROWS[0])  # told on another bus
    try:
        until(lambda: shows(followed, ROWS[0]["question"]), "the edit where it was told")
        until(lambda: bus.publish(Hint(following.CHANNEL, MISSED)) and shows(index, ROWS[0]["question"]), "the edit")
    finally:
        follower.close()


@pytest.mark.redis
def test_with_redis_and_without_it_an_edit_arrives(sessions: SessionFactory, redis_process: RedisProcess) -> None:
    tell_after_commit(sessions, RedisBus(redis_process.url))
    index = KnowledgeIndex()
    follower = Follower(index, sessions, RedisBus(redis_process.url))
    try:
        edit(sessions, ROWS[0])
        until(lambda: shows(index, ROWS[0]["question"]), "the edit told through Redis")
        redis_process.kill()
        edit(sessions, ROWS[1])
        until(lambda: shows(index, ROWS[1]["question"]), "the edit nobody told of")
        redis_process.start()
        edit(sessions, ROWS[2])
        until(lambda: shows(index, ROWS[2]["question"]), "the edit after Redis came back")
    finally:
        follower.close()


def test_all_that_a_process_keeps_is_fresh_before_anybody_asks(sessions: SessionFactory) -> None:
    edit(sessions, ROWS[0])
    index, initials = KnowledgeIndex(), InitialsIndex()
    follower = Follower(index, sessions, MemoryBus(), initials)
    try:
        until(lambda: len(index) == 1 and initials.search("ldbl", limit=5, on=TODAY), "both to be read")
    finally:
        follower.close()
