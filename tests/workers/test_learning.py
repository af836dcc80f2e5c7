"""Questions without an answer are put together off the request path."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.knowledge_base import tasks
from hotline.knowledge_base.models import Task
from hotline.knowledge_base.states import SignalKind
from tests.workers.conftest import Clock
from workers import upkeep


def test_what_was_asked_in_vain_becomes_a_task_once(runtime: Runtime, clock: Clock) -> None:
    with session_scope(runtime.sessions) as session:
        for text in ("残疾人证到期了怎么换", "残疾人证到期怎么换新的"):
            tasks.note(session, kind=SignalKind.NO_ENTRY, text=text, now=clock())
    clock.forward(timedelta(minutes=5))
    upkeep.group_questions()
    upkeep.group_questions()
    with session_scope(runtime.sessions) as session:
        assert session.scalars(select(Task.count)).all() == [2]
