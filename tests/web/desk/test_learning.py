"""What operators search in vain, mark and answer without an entry comes to the editors of knowledge."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import select

from hotline.db import SessionFactory, session_scope
from hotline.knowledge_base.floor import learning
from hotline.knowledge_base.models import Offer, Signal, Task
from hotline.knowledge_base.queries import suggestions_of_call
from hotline.knowledge_base.states import SignalKind
from tests.web.desk.conftest import WORDS, Desk
from tests.web.ivr.conftest import Clock

ODD = "无人机飞行报备"


def signals(sessions: SessionFactory) -> list[tuple[str, str | None]]:
    with session_scope(sessions) as session:
        return [(one.kind, one.text) for one in session.scalars(select(Signal).order_by(Signal.id))]


def search(desk: Desk, call_id: int, text: str) -> str:
    return desk.browser.get(f"/desk/calls/{call_id}/search?q={text}", **{"HX-Request": "true"}).text


def test_a_search_in_vain_is_noted_once_however_it_was_typed(
    ready: Desk, talking: int, sessions: SessionFactory
) -> None:
    for text in ("无人", "无人机飞", ODD, ODD, "无人机飞"):
        search(ready, talking, text)
    assert "路灯" in search(ready, talking, "路灯不亮找谁修")
    assert signals(sessions) == [(SignalKind.NO_RESULT, ODD)]


def test_one_press_beside_the_search_notes_that_nothing_answers_and_another_takes_it_back(
    ready: Desk, talking: int, sessions: SessionFactory
) -> None:
    page = ready.open(f"/desk/calls/{talking}")
    assert "无合适答案，记入知识任务" in page
    search(ready, talking, ODD)
    noted = ready.browser.htmx(f"/desk/calls/{talking}/missing", {"q": ODD}).text
    assert "已记入知识任务" in noted
    assert signals(sessions) == [(SignalKind.NO_ENTRY, ODD)]
    assert "已记入知识任务" in ready.open(f"/desk/calls/{talking}")
    undo = re.search(r'action="([^"]+/undo)"', noted)
    assert undo is not None
    assert "无合适答案，记入知识任务" in ready.browser.htmx(undo[1]).text
    assert signals(sessions) == []


def test_without_a_search_it_is_what_the_caller_said_last(ready: Desk, talking: int, sessions: SessionFactory) -> None:
    ready.open(f"/desk/calls/{talking}")
    assert ready.send(f"/desk/calls/{talking}/missing").status_code == 303
    assert signals(sessions) == [(SignalKind.NO_ENTRY, WORDS)]


def test_another_operators_call_takes_no_note(
    ready: Desk, talking: int, desk: object, sessions: SessionFactory
) -> None:
    other = desk("second", "seat08")  # type: ignore[operator]
    other.open()
    assert other.send(f"/desk/calls/{talking}/missing", {"q": ODD}).status_code == 404
    assert other.send(f"/desk/calls/{talking}/missing/1/undo").status_code == 404
    assert signals(sessions) == []


def test_answering_without_an_entry_tells_editors_what_was_asked_and_what_was_told(
    ready: Desk, talking: int, sessions: SessionFactory, clock: Clock
) -> None:
    ready.open(f"/desk/calls/{talking}")
    ready.browser.htmx(f"/desk/calls/{talking}/missing", {"q": ODD})
    told = ready.fields() | {"suggestion_id": "", "no_entry_reason": "口头告知到公安窗口办", "outcome": "answered"}
    assert ready.send(f"/desk/calls/{talking}/resolve", told).status_code == 303
    with session_scope(sessions) as session:
        learning.group(session, now=clock() + timedelta(minutes=5))
        (signal,) = session.scalars(select(Signal))
        assert (signal.text, signal.told) == (ODD, "口头告知到公安窗口办")
        assert session.scalars(select(Task.count)).all() == [1]


def test_a_confidential_call_tells_editors_nothing(ready: Desk, talking: int, sessions: SessionFactory) -> None:
    ready.open(f"/desk/calls/{talking}")
    ready.send(f"/desk/calls/{talking}/draft", ready.fields() | {"confidential": "1"})
    told = {"suggestion_id": "", "no_entry_reason": "口头告知", "outcome": "answered"}
    assert (
        ready.send(f"/desk/calls/{talking}/resolve", ready.fields() | told | {"confidential": "1"}).status_code == 303
    )
    assert signals(sessions) == []


def test_marks_teach_and_taking_them_back_unteaches(ready: Desk, talking: int, sessions: SessionFactory) -> None:
    with session_scope(sessions) as session:
        shown = suggestions_of_call(session, talking)[0]
    at = f"/desk/calls/{talking}/suggestions/{shown.id}"
    ready.open(f"/desk/calls/{talking}")
    ready.browser.htmx(f"{at}/wrong")
    ready.browser.htmx(f"{at}/wrong")
    assert signals(sessions) == [(SignalKind.WRONG, WORDS)]
    ready.browser.htmx(f"{at}/undo")
    assert signals(sessions) == []
    ready.browser.htmx(f"{at}/used")
    with session_scope(sessions) as session:
        assert session.scalars(select(Offer.text)).all() == [WORDS.partition("，")[0]]
    ready.browser.htmx(f"{at}/undo")
    with session_scope(sessions) as session:
        assert session.scalars(select(Offer)).all() == []


def test_an_answer_chosen_at_the_end_teaches_as_well(ready: Desk, talking: int, sessions: SessionFactory) -> None:
    with session_scope(sessions) as session:
        shown = suggestions_of_call(session, talking)[0].id
    ready.open(f"/desk/calls/{talking}")
    told = {"suggestion_id": str(shown), "outcome": "answered"}
    assert ready.send(f"/desk/calls/{talking}/resolve", told).status_code == 303
    with session_scope(sessions) as session:
        assert session.scalars(select(Offer.text)).all() == [WORDS.partition("，")[0]]
    assert signals(sessions) == []
