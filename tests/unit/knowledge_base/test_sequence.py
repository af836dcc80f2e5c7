"""Two editors at once: an index never misses a change that was committed late."""

from __future__ import annotations

import threading

from hotline.db import SessionFactory, session_scope
from hotline.knowledge_base import service
from hotline.knowledge_base.search.index import KnowledgeIndex
from tests.conftest import NOON
from tests.unit.knowledge_base.conftest import ROWS


def test_a_later_number_never_shows_before_an_earlier_one(either_sessions: SessionFactory) -> None:
    index = KnowledgeIndex()
    second_done = threading.Event()

    def second_editor() -> None:
        with session_scope(either_sessions) as session:
            service.import_entries(session, [ROWS[1]], actor_id=None, now=NOON)
        second_done.set()

    other = threading.Thread(target=second_editor)
    with session_scope(either_sessions) as first:
        service.import_entries(first, [ROWS[0]], actor_id=None, now=NOON)  # number drawn, not yet to be seen
        other.start()
        assert not second_done.wait(0.3)  # the second waits for the first to end
    other.join(timeout=30)
    assert second_done.is_set()
    with session_scope(either_sessions) as session:
        assert index.refresh(session) == 2


def test_a_number_of_a_change_taken_back_leaves_nothing_behind(either_sessions: SessionFactory) -> None:
    index = KnowledgeIndex()
    with either_sessions() as session:
        service.import_entries(session, [ROWS[0]], actor_id=None, now=NOON)
        session.rollback()
    with session_scope(either_sessions) as session:
        service.import_entries(session, [ROWS[1]], actor_id=None, now=NOON)
    with session_scope(either_sessions) as session:
        assert index.refresh(session) == 1
