"""Editors keep the words people use: one by one with a way back, or pasted."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from sqlalchemy import select

from hotline.db import SessionFactory, session_scope
from hotline.knowledge_base.models import Synonym
from hotline.knowledge_base.service import import_entries
from tests.factories import people
from tests.factories.units import City
from tests.web.shared.browser import Browser
from tests.web.staff import Staff, app, clock, here, runtime, staff

__all__ = ["app", "clock", "here", "runtime", "staff"]

AT = "/knowledge/words"


@pytest.fixture
def editor(sessions: SessionFactory, here: City, staff: Staff, now: datetime) -> Browser:
    """An editor's browser; there is one entry about cards."""
    with session_scope(sessions) as session:
        entry = {"id": "A", "question": "社保卡怎么补办", "answer": "到网点。"}
        import_entries(session, [entry], actor_id=None, now=now)
        who = people.actor(session, "KBE")  # type: ignore[arg-type]
    return staff(who)


def words(sessions: SessionFactory) -> dict[str, str]:
    with session_scope(sessions) as session:
        return {row.term: row.means for row in session.scalars(select(Synonym))}


def undo(page: str) -> str:
    """Return where the last toast takes something back."""
    found: list[str] = re.findall(r'<form method="post" action="([^"]+)"><input[^>]*><button[^>]*>撤销', page)
    return found[-1].replace("&amp;", "&")


def test_a_word_is_added_changed_and_removed_and_each_is_taken_back(editor: Browser, sessions: SessionFactory) -> None:
    assert "还没有用语" in editor.get(AT).text
    assert editor.post(AT, {"term": "社保本", "means": "社保卡"}).status_code == 303
    page = editor.get(AT).text
    assert "1 条" in page and "没有条目" not in page
    assert editor.post(undo(page)).status_code == 303
    assert words(sessions) == {}
    editor.post(AT, {"term": "社保本", "means": "社保卡"})
    row = re.search(rf"{AT}/(\d+)", editor.get(AT).text)
    assert row is not None
    one = f"{AT}/{row[1]}"
    assert 'value="社保本"' in editor.get(one).text
    assert editor.post(one, {"term": "社保本子", "means": "医保卡"}).status_code == 303
    assert words(sessions) == {"社保本子": "医保卡"}
    page = editor.get(AT).text
    assert "没有条目" in page
    editor.post(undo(page))
    assert words(sessions) == {"社保本": "社保卡"}
    editor.post(f"{one}/remove")
    assert words(sessions) == {}
    editor.post(undo(editor.get(AT).text))
    assert words(sessions) == {"社保本": "社保卡"}


def test_faults_stand_beside_their_fields_and_what_was_typed_stays(editor: Browser, sessions: SessionFactory) -> None:
    editor.post(AT, {"term": "社保本", "means": "社保卡"})
    answer = editor.post(AT, {"term": "社保卡", "means": "社保本"})
    assert answer.status_code == 422
    assert 'id="f-means-error"' in answer.text and "绕成了一圈" in answer.text
    assert 'value="社保卡"' in answer.text
    one = re.search(rf"{AT}/\d+", editor.get(AT).text)
    assert one is not None
    answer = editor.post(one[0], {"term": "", "means": "<script>"})
    assert answer.status_code == 422
    assert 'id="f-term-error"' in answer.text and "&lt;script&gt;" in answer.text
    assert words(sessions) == {"社保本": "社保卡"}
    assert editor.post(f"{AT}/999", {"term": "甲乙", "means": "丙"}).status_code == 404


def test_pasted_lines_at_fault_are_listed_and_none_is_written(editor: Browser, sessions: SessionFactory) -> None:
    editor.get(f"{AT}/paste")
    answer = editor.post(f"{AT}/paste", {"lines": "社保本=社保卡\n坏行"})
    assert answer.status_code == 422
    assert "应是“说法=标准说法”" in answer.text and "社保本=社保卡\n坏行" in answer.text
    assert words(sessions) == {}
    assert editor.post(f"{AT}/paste", {"lines": "社保本=社保卡\n老年证=优待证"}).status_code == 303
    assert "新增 2 条" in editor.get(AT).text
    assert len(words(sessions)) == 2
    assert editor.post(f"{AT}/paste", {"lines": ""}).status_code == 422


def test_only_editors_keep_words(here: City, staff: Staff, editor: Browser) -> None:
    assert staff(here.operator).get(AT).status_code == 403
    assert staff(here.supervisor).get(AT).status_code == 200
