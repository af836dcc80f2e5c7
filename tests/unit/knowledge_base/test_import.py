"""Bringing knowledge in: what is taken, what is refused and why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.audit import AccessLog
from hotline.errors import NotAllowedNow, NotFound
from hotline.knowledge_base import editing, queries, service
from hotline.knowledge_base.content import Content
from hotline.knowledge_base.models import Change, Entry, SimilarQuestion
from hotline.knowledge_base.service import ImportResult
from hotline.knowledge_base.states import EntryState, VersionState
from hotline.units.service import add_unit
from tests.conftest import NOON
from tests.factories import people
from tests.unit.knowledge_base.conftest import ROWS

Take = Callable[..., ImportResult]
LATER = NOON + timedelta(hours=1)


def changes(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Change)) or 0


def test_the_same_file_twice_changes_nothing(session: Session, take: Take) -> None:
    assert (take(*ROWS).added, changes(session)) == (5, 5)
    again = take(*ROWS)
    assert (again.added, again.updated, again.unchanged, changes(session)) == (0, 0, 5, 5)


def test_a_changed_answer_updates_its_entry_and_draws_a_new_number(session: Session, take: Take) -> None:
    take(*ROWS)
    before = queries.entry_by_code(session, "water")
    assert before is not None
    seq = before.change_seq
    result = take(ROWS[0], {**ROWS[1], "answer": "请拨打供水公司报修电话。", "similar": ["没水了", "停水两天"]})
    entry = queries.entry_by_code(session, "water")
    assert entry is not None
    assert (result.added, result.updated, result.unchanged) == (0, 1, 1)
    assert entry.answer == "请拨打供水公司报修电话。"
    assert [one.text for one in entry.similar] == ["没水了", "停水两天"]
    assert entry.change_seq > seq
    # the old phrasings are gone, not orphaned
    assert session.scalar(select(func.count()).where(SimilarQuestion.text == "自来水没水了")) == 0


def test_a_file_never_brings_back_what_an_editor_withdrew(session: Session, take: Take) -> None:
    take(*ROWS)
    service.withdraw(session, code="lamp", actor_id=None, now=LATER)
    take({**ROWS[0], "answer": "新的答案。"})
    entry = queries.entry_by_code(session, "lamp")
    assert entry is not None and entry.answer == "新的答案。" and entry.state == EntryState.WITHDRAWN


def test_a_file_publishes_what_an_editor_had_only_drafted(session: Session, take: Take) -> None:
    draft = editing.start(
        session, actor=people.actor(session, Role.KBE), now=NOON, content=Content("路灯不亮找谁修", "答")
    )
    result = take({"id": draft.entry.code, "question": "路灯不亮找谁修", "answer": "答"})
    assert (result.added, result.unchanged) == (1, 0)
    assert draft.entry.state == EntryState.PUBLISHED
    assert draft.state == VersionState.DRAFT  # the editor goes on writing


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([], "不是一条知识"),
        ({"answer": "有答案"}, "缺少 question"),
        ({"question": "   ", "answer": "有答案"}, "缺少 question"),
        ({"question": "问"}, "缺少 answer"),
        ({"question": {"a": 1}, "answer": "答"}, "question 应是文字"),
        ({"question": "问" * 1001, "answer": "答"}, "超过 1000 字"),
        ({"question": "问\ud800", "answer": "答"}, "无法保存"),
        ({"question": "问\x00", "answer": "答"}, "无法保存"),
        ({"question": "问", "answer": "答", "similar": "一句话"}, "similar 应是一列文字"),
        ({"question": "问", "answer": "答", "similar": ["句"] * 201}, "最多 200 条"),
        ({"question": "问", "answer": "答", "valid_to": "明年"}, "valid_to 应是日期"),
        ({"question": "问", "answer": "答", "valid_from": 20260101}, "valid_from 应是日期"),
        ({"question": "问", "answer": "答", "valid_from": "2026-02-01", "valid_to": "2026-01-01"}, "早于"),
        ({"question": "问", "answer": "答", "owner_unit": "NOWHERE"}, "没有编码为 NOWHERE 的单位"),
    ],
)
def test_a_wrong_row_is_refused_with_its_line_and_reason_and_the_rest_goes_on(
    take: Take, row: object, reason: str
) -> None:
    result = take(ROWS[0], row, ROWS[1])
    assert result.added == 2
    assert [line for line, _ in result.refused] == [2]
    assert reason in result.refused[0][1]


def test_the_second_row_with_an_id_is_refused(take: Take) -> None:
    result = take(ROWS[0], ROWS[1], {**ROWS[0], "answer": "别的。"})
    assert result.refused == [(3, "与第 1 行重复：lamp")]


def test_lines_are_read_as_json_and_blank_ones_passed_over(session: Session) -> None:
    lines = ['{"question": "问", "answer": "答"}\n', "\n", "{broken\n", "[" * 100_000 + "\n", '"text"\n']
    result = service.import_lines(session, lines, actor_id=None, now=NOON)
    assert result.added == 1
    assert result.refused == [(3, "不是一行 JSON"), (4, "不是一行 JSON"), (5, "不是一条知识：应是带字段名的对象")]


def test_questions_only_allows_a_missing_answer_and_a_missing_id_names_itself(session: Session, take: Take) -> None:
    first, again = (take({"question": "花呗是什么"}, questions_only=True) for _ in range(2))
    assert (first.added, again.added, again.unchanged) == (1, 0, 1)
    assert session.scalars(select(Entry.code)).one().startswith("q-")


def test_more_rows_than_one_chunk_are_taken_and_found_again(take: Take) -> None:
    rows = [{"id": n, "question": f"第{n}个问题", "answer": "答"} for n in range(service.CHUNK + 7)]
    assert take(*rows).added == len(rows)
    assert take(*rows).unchanged == len(rows)


def test_an_entry_knows_its_unit_and_the_days_it_holds(session: Session, take: Take) -> None:
    unit = add_unit(session, code="HS-GJJ", name="公积金中心", parent=None)
    take({**ROWS[0], "owner_unit": "HS-GJJ", "valid_from": "2026-01-01", "valid_to": "2026-12-31"})
    entry = queries.entry_by_code(session, "lamp")
    assert entry is not None and entry.owner_unit_id == unit.id
    held = [bool(queries.published(session, day)) for day in (date(2025, 12, 31), date(2026, 12, 31), date(2027, 1, 1))]
    assert held == [False, True, False]


def test_an_import_that_changed_something_is_on_record(session: Session, take: Take) -> None:
    take(*ROWS)
    take(*ROWS)
    row = session.scalars(select(AccessLog).where(AccessLog.act == "knowledge.import")).one()
    assert row.details == {"added": 5, "updated": 0, "refused": 0}


def test_only_the_table_of_states_lets_an_entry_be_withdrawn_or_restored(session: Session, take: Take) -> None:
    take(*ROWS)
    with pytest.raises(NotAllowedNow) as fault:
        service.restore(session, code="lamp", actor_id=None, now=LATER)
    assert fault.value.details["allowed"] == ["publish", "withdraw"]
    assert service.withdraw(session, code="lamp", actor_id=None, now=LATER).state == EntryState.WITHDRAWN
    assert service.restore(session, code="lamp", actor_id=None, now=LATER).state == EntryState.PUBLISHED
    with pytest.raises(NotFound):
        service.withdraw(session, code="none", actor_id=None, now=LATER)
